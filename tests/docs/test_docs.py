"""Every Python block of README and docs runs, page by page, in order."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```$", re.S | re.M)


def _blocks(page: Path, language: str) -> list[tuple[int, str, str]]:
    text = page.read_text("utf-8")
    return [
        (text[: match.start(3)].count("\n"), match[2].strip(), match[3])
        for match in _BLOCK.finditer(text)
        if match[1] == language
    ]


def _runnable(page: Path) -> list[tuple[int, str]]:
    return [(at, code) for at, mark, code in _blocks(page, "python") if mark == ""]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if _runnable(page)], ids=lambda page: page.name
)
def test_code_blocks_run(page: Path) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    for line, code in _runnable(page):
        exec(compile("\n" * line + code, str(page), "exec"), names)


def test_most_pages_have_a_block_that_runs() -> None:
    without = {page.stem for page in PAGES if not _runnable(page)}
    assert without <= {"benchmarks", "contributing"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_first_code_block_comes_within_ten_lines(page: Path) -> None:
    first = _BLOCK.search(page.read_text("utf-8"))
    assert first is not None
    assert page.read_text("utf-8")[: first.start()].count("\n") <= 12


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_quick_start_is_two_single_command_lines() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    blocks = [code for _, _, code in _blocks(ROOT / "README.md", "bash")]
    assert text.index("## Quick start") < text.index("```bash")
    assert len(blocks) >= 2
    for block in blocks[:2]:
        assert block.count("\n") == 1
    assert blocks[0].rstrip().endswith("wxpay demo")
    assert blocks[1].rstrip().endswith("pytest")


@pytest.mark.parametrize(
    "example", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name
)
def test_examples_run(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(example), run_name="__main__")
    assert capsys.readouterr().out
