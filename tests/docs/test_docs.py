"""Every Python block of README and docs runs, page by page, in order."""

from __future__ import annotations

import re
import runpy
import tempfile
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
def test_code_blocks_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # what they make goes
    names: dict[str, object] = {"__name__": "__main__"}
    for line, code in _runnable(page):
        exec(compile("\n" * line + code, str(page), "exec"), names)


def test_most_pages_have_a_block_that_runs() -> None:
    without = {page.stem for page in PAGES if not _runnable(page)}
    assert without <= {"benchmarks", "contributing"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_first_code_block_comes_soon(page: Path) -> None:
    first = _BLOCK.search(page.read_text("utf-8"))
    assert first is not None
    assert page.read_text("utf-8")[: first.start()].count("\n") <= 12


def _anchors(page: Path) -> set[str]:
    """What the headings of *page* are linked by, as forges make it of their text."""
    text = _BLOCK.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s:]+)\)", page.read_text("utf-8")):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_every_page_can_be_found_from_the_readme() -> None:
    text = PAGES[0].read_text("utf-8")
    assert [page.name for page in PAGES[1:] if f"(docs/{page.name})" not in text] == []


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
