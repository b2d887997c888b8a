"""Imports go one way, and importing the package loads little."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import wechatpay_chain

PACKAGE = Path(wechatpay_chain.__file__).parent
NAME = "wechatpay_chain"

#: Each group may import itself and the groups above it: the layering of the design.
LAYERS: list[set[str]] = [
    {"errors", "_names", "_secret", "_shapes", "_version"},
    {
        "_headers",
        "_messages",
        "_masking",
        "_uri",
        "_chain",
        "crypto",
        "stores",
        "_saving",
    },
    {"_flow", "_stack", "_paging"},
    {"middleware"},
    {"notifications", "invocations", "bills"},
    {
        "_logging",
        "_run",
        "_offload",
        "_drivers",
        "transports",
        "_calls",
        "_lookup",
        "_http_response",
        "_reply",
    },
    {
        "_key_options",
        "_network_options",
        "_config",
        "_fields",
        "_options",
        "_help",
        "_node",
        "_assembly",
        "_connections",
        "_parts",
        "client",
    },
]

#: What may be built on all of the above, and be known by none of it.
ABOVE = {"sandbox", "cli", "contrib", "testing", "catalogue", "types", "_tree"}
ABOVE |= {"inbox"}

#: What looks up nevertheless: not at import, but when somebody asks.
LATE = {
    "_lookup": {"catalogue"},
    "_help": {"catalogue"},
    "checks": {"catalogue"},
}

#: Modules that know no HTTP library, and no socket.
PURE = [
    "bills",
    "crypto",
    "errors",
    "invocations",
    "middleware",
    "notifications",
    "_calls",
    "_chain",
    "_drivers",
    "_flow",
    "_headers",
    "_help",
    "_logging",
    "_lookup",
    "_masking",
    "_messages",
    "_node",
    "_offload",
    "_paging",
    "_run",
    "_saving",
    "_stack",
    "_uri",
    "stores",
]
HTTP = {"requests", "urllib3", "aiohttp", "http", "socket", "ssl", "httpx", "yarl"}
EXTRAS = {"aiohttp", "click", "starlette", "uvicorn", "tomli", "tomllib"}
EXTRAS |= {
    "cattrs",
    "opentelemetry",
    "fastapi",
    "flask",
    "django",
    "sqlalchemy",
    "jinja2",
    "markdown_it",
}


CHECKING = "TYPE_CHECKING"


def part(path: Path) -> str:
    """The top-level part of the package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def files(*parts: str) -> list[Path]:
    found = sorted(PACKAGE.rglob("*.py"))
    return [path for path in found if not parts or part(path) in parts]


def imports(path: Path) -> Iterator[str]:
    """Absolute names of what *path* imports when it runs, functions included."""
    package = [NAME, *path.relative_to(PACKAGE).parts[:-1]]
    for node in running(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            if module == NAME:
                yield from (f"{NAME}.{alias.name}" for alias in node.names)
            else:
                yield module
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "import_module":
            name, *_ = (one.value for one in node.args if isinstance(one, ast.Constant))
            yield ".".join(package) + name  # relative: ".transports.on_aiohttp"


def running(node: ast.AST) -> Iterator[ast.AST]:
    """*node* and what is in it, less what only a type checker sees."""
    yield node
    for child in ast.iter_child_nodes(node):
        seen = [child]
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith(CHECKING):
            seen = child.body if isinstance(child.test, ast.UnaryOp) else child.orelse
        for inner in seen:
            yield from running(inner)


def within(path: Path) -> set[str]:
    """The parts of this package that *path* imports."""
    names = (name.split(".") for name in imports(path))
    return {name[1] for name in names if name[0] == NAME and len(name) > 1}


def test_the_walk_sees_relative_and_late_imports() -> None:
    assert "_assembly" in within(PACKAGE / "client.py")
    assert "_options" in within(PACKAGE / "_assembly.py")
    assert "crypto" in within(PACKAGE / "middleware" / "signing.py")
    assert "requests" in set(imports(PACKAGE / "_reply.py"))


@pytest.mark.parametrize("level", range(len(LAYERS)))
def test_a_part_imports_only_what_is_below_it(level: int) -> None:
    allowed = set().union(*LAYERS[: level + 1])
    for path in files(*LAYERS[level]):
        assert within(path) <= allowed | LATE.get(path.stem, set()), path


def test_every_part_of_the_core_has_its_level() -> None:
    known = set().union(*LAYERS)
    parts = {part(path) for path in files()} - {"__init__", "__main__"} - ABOVE
    used = {name for path in files(*known) for name in within(path)}
    assert used <= known | set().union(*LATE.values())
    assert known <= parts


def test_nothing_of_the_core_knows_what_is_built_on_it() -> None:
    for path in files(*set().union(*LAYERS)):
        assert not within(path) & ABOVE - LATE.get(path.stem, set()), path


@pytest.mark.parametrize("pure", PURE)
def test_no_http_library_is_known_to(pure: str) -> None:
    for path in files(pure):
        assert not {name.split(".")[0] for name in imports(path)} & HTTP, path


def test_extras_are_known_only_where_they_are_needed() -> None:
    for path in files(*set().union(*LAYERS)):
        found = {name.split(".")[0] for name in imports(path)} & EXTRAS
        expected = {
            "aiohttp_connections": {"aiohttp"},
            "aiohttp_errors": {"aiohttp"},
            "aiohttp_exchange": {"aiohttp"},
            "on_aiohttp": {"aiohttp"},
            "_config": {"tomllib", "tomli"},
        }
        assert found <= expected.get(path.stem, set()), path


def test_importing_the_package_loads_no_extra_and_does_no_work() -> None:
    program = f"import {NAME}, sys; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert not {name.split(".")[0] for name in loaded} & EXTRAS
    assert not {f"{NAME}.{part}" for part in ABOVE} & loaded
    assert f"{NAME}.client" in loaded
    assert done.stderr == ""
