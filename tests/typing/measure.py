"""What the types cost: ``python tests/typing/measure.py``, on a quiet machine.

A program of ten lines against an empty one, by mypy (cold and warm) and pyright;
completion of ``client.v3.payscore.`` by pyright's language server, and by jedi where it
is installed; the installed size, and that of the wheel's part.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import wechatpay_chain

PACKAGE = Path(wechatpay_chain.__file__).parent
TYPED = """\
from wechatpay_chain import WeChatPay

client = WeChatPay(mchid="1900000109")
orders = client.v3.payscore.serviceorder
reply = orders._out_order_no_.cancel.post(
    {"appid": "wx1", "service_id": "500001", "reason": "r"}, out_order_no="1"
)
print(reply.data["order_id"])
code = client.v3.pay.transactions.native.post()
print(code.data["code_url"])
"""
START = 'from wechatpay_chain import WeChatPay\n\nclient = WeChatPay(mchid="1")\n'
LINE = "client.v3.payscore."


def seconds(act: Callable[[], object]) -> float:
    started = perf_counter()
    act()
    return perf_counter() - started


def check(*command: str, cwd: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


def checkers(place: Path) -> Iterator[tuple[str, float, float]]:
    """What was measured, for the empty program, and for the typed one."""
    (place / "empty.py").write_text("")
    (place / "typed.py").write_text(TYPED)
    (place / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    for kind in ("cold", "warm"):
        taken = [
            seconds(
                lambda name=name: check(  # type: ignore[misc]
                    "mypy",
                    "--strict",
                    "--config-file=",
                    f"--cache-dir={place / name}-cache",
                    f"{name}.py",
                    cwd=place,
                )
            )
            for name in ("empty", "typed")
        ]
        yield f"mypy, {kind}", taken[0], taken[1]
    taken = [
        min(
            seconds(
                lambda name=name: check(  # type: ignore[misc]
                    "pyright", "--pythonpath", sys.executable, f"{name}.py", cwd=place
                )
            )
            for _ in range(3)
        )
        for name in ("empty", "typed")
    ]
    yield "pyright", taken[0], taken[1]


class Server:
    """Enough of a client of a language server to ask for a completion."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._from = process.stdin, process.stdout
        self._number = 0

    def tell(self, method: str, params: Any, **more: Any) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params, **more}
        self._send(message)

    def ask(self, method: str, params: Any) -> Any:
        self._number += 1
        self.tell(method, params, id=self._number)
        while True:
            answer = self._receive()
            if "method" in answer and "id" in answer:  # it asks us: we have nothing
                items = answer["params"].get("items", []) if answer["params"] else []
                result = [None] * len(items) if items else None
                self._send({"jsonrpc": "2.0", "id": answer["id"], "result": result})
            elif answer.get("id") == self._number:
                return answer.get("result")

    def _send(self, message: Any) -> None:
        content = json.dumps(message).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        self._to.flush()

    def _receive(self) -> Any:
        length = 0
        while (line := self._from.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(self._from.read(length))


@contextmanager
def language_server(place: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "pyright.langserver", "--stdio"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=place) as process:
        server = Server(process)
        folder = {"uri": place.as_uri(), "name": "measured"}
        server.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": place.as_uri(),
                "capabilities": {},
                "workspaceFolders": [folder],
            },
        )
        server.tell("initialized", {})
        yield server
        server.ask("shutdown", None)
        server.tell("exit", None)


def pyright_completion(place: Path) -> Iterator[tuple[str, float, int]]:
    """Completions in an editor: after the file was opened, and with each key."""
    config = {"venvPath": str(Path(sys.prefix).parent), "venv": Path(sys.prefix).name}
    (place / "pyrightconfig.json").write_text(json.dumps(config))
    uri = (place / "edited.py").as_uri()
    with language_server(place) as server:
        document = {"uri": uri, "languageId": "python", "version": 1}
        text = f"{START}{LINE}"
        server.tell(
            "textDocument/didOpen", {"textDocument": {**document, "text": text}}
        )
        where = {"line": START.count("\n"), "character": len(LINE)}
        for kind in ("first", "second"):
            started = perf_counter()
            found = server.ask(
                "textDocument/completion",
                {"textDocument": {"uri": uri}, "position": where},
            )
            taken = perf_counter() - started
            items = found["items"] if isinstance(found, dict) else found or []
            names = {item["label"] for item in items}
            yield f"pyright's language server, {kind}", taken, len(names)
            assert "serviceorder" in names


def jedi_completion(place: Path) -> Iterator[tuple[str, float, int]]:
    """As jedi does for a file: with nothing parsed yet, from disk, and in memory.

    Of the first, jedi's own ``builtins`` and ``typing`` are most: any program pays
    them once. So one without this package is measured before, in a cache of its own.
    """
    try:
        import jedi  # type: ignore[import-not-found,unused-ignore]
        from parso import cache  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return
    environment = jedi.create_environment(sys.prefix, safe=False)
    ours, plain = f"{START}{LINE}", "from typing import Any\n\nx: dict[str, Any]\nx."
    for kind, text in (
        ("another program", plain),
        ("nothing cached", ours),
        ("cached on disk", ours),
        ("in memory", ours),
    ):
        if kind != "in memory":
            cache.parser_cache.clear()
        jedi.settings.cache_directory = place / ("plain" if text == plain else "ours")
        lines = text.split("\n")
        started = perf_counter()
        found = jedi.Script(text, environment=environment).complete(
            len(lines), len(lines[-1])
        )
        taken = perf_counter() - started
        assert text == plain or "serviceorder" in {one.name for one in found}
        yield f"jedi, {kind}", taken, len(found)


def sizes() -> Iterator[tuple[str, int]]:
    """Bytes on disk, and deflated."""
    for part in ("catalogue", "_tree", "types"):
        files = [p for p in (PACKAGE / part).rglob("*") if p.is_file()]
        files = [p for p in files if p.suffix != ".pyc"]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path)
        yield f"{part}, installed", sum(path.stat().st_size for path in files)
        yield f"{part}, in the wheel", len(packed.getvalue())


def main() -> None:
    with TemporaryDirectory() as name:
        place = Path(name)
        for what, empty, typed in checkers(place):
            more = f"{typed:5.2f} s, {typed - empty:5.2f} s above an empty program"
            print(f"{what:42}{more}")
    with TemporaryDirectory() as name:
        place = Path(name)
        for what, taken, count in [*pyright_completion(place), *jedi_completion(place)]:
            print(f"{what:42}{taken:5.2f} s, {count} names")
    for what, size in sizes():
        print(f"{what:42}{size / 1e6:5.2f} MB")


if __name__ == "__main__":
    main()
