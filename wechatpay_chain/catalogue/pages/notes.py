"""Notes by hand on single endpoints: Markdown files beside this module.

A file begins with one or more headings of the first level, each an operation that it
is about (``# POST v3/...``), then text with headings from the second level on. Its
Python blocks run in the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from markdown_it import MarkdownIt

from ..model import Operation

_FOLDER = files(__name__.rpartition(".")[0]) / "notes"


class NoteError(ValueError):
    """A note is about no operation."""


@cache
def notes() -> Mapping[str, tuple[str, ...]]:
    """Markdown texts by the operation that they are about, ``"POST v3/..."``."""
    made: dict[str, tuple[str, ...]] = {}
    found = [entry for entry in _FOLDER.iterdir() if entry.name.endswith(".md")]
    for entry in sorted(found, key=lambda entry: entry.name):
        keys, text = split(entry.read_text("utf-8"), entry.name)
        for key in keys:
            made[key] = (*made.get(key, ()), text)
    return MappingProxyType(made)


def split(text: str, name: str = "the note") -> tuple[list[str], str]:
    """The operations at the head of a note, and its text.

    >>> split("# GET v3/certificates\\n\\nOnce in 12 hours.\\n")
    (['GET v3/certificates'], 'Once in 12 hours.\\n')
    """
    keys: list[str] = []
    lines = text.splitlines(keepends=True)
    while lines and (lines[0].startswith("# ") or not lines[0].strip()):
        line = lines.pop(0).strip()
        if line:
            keys.append(line[2:].strip())
    if not keys:
        raise NoteError(f"{name}: a heading '# METHOD path' comes first")
    return keys, "".join(lines)


def html(operation: Operation) -> str:
    """The notes on *operation* as HTML, whatever they hold escaped; often empty."""
    # Raw HTML is text here: a note cannot break a page.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return "".join(
        _rendered(markdown, text) for text in notes().get(str(operation), ())
    )


def _rendered(markdown: MarkdownIt, text: str) -> str:
    tokens = markdown.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1:]) + 1}"  # the page has an h2 above them
    rendered: str = markdown.renderer.render(tokens, markdown.options, {})
    return rendered
