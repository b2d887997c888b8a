"""What a page of the reference holds, read back from its HTML."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import NamedTuple

BLOCKS = {"td", "th", "li", "p", "dt", "dd", "pre", "h1", "h2", "h3", "option"}
VOID = {"meta", "link", "input", "wbr", "br", "hr", "img"}


class Code(NamedTuple):
    """A block of code, and the part of the page that it stands in."""

    part: str
    language: str
    text: str


class Page(HTMLParser):
    """Tags, links, anchors and code of one page; :attr:`faults` of its form."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.links: list[str] = []
        #: What the browser loads: scripts and styles.
        self.loaded: list[str] = []
        self.ids: list[str] = []
        self.codes: list[Code] = []
        self.heading = ""
        self.tags: set[str] = set()
        self._open: list[str] = []
        self._part = ""
        self._language: str | None = None
        self._text: list[str] = []
        self._all: list[str] = []
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag in self._open]

    @property
    def text(self) -> str:
        """All text, as it is read."""
        return "".join(self._all)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        if len(given) != len(attrs):
            self.faults.append(f"<{tag}> repeats an attribute")
        if tag not in VOID:
            self._open.append(tag)
        name = given.get("id")
        if name:
            self.ids.append(name)
            if tag == "h2":
                self._part = name
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag in ("script", "link", "img", "iframe"):
            self.loaded.append(given.get("src") or given.get("href") or "")
        if tag == "code" and self._open[-2:] == ["pre", "code"]:
            kind = (given.get("class") or "").removeprefix("language-")
            self._language, self._text = kind, []

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self._open[-1:]}")
            return
        self._open.pop()
        if tag in BLOCKS:
            self._all.append(" ")
        if tag == "code" and self._language is not None:
            self.codes.append(Code(self._part, self._language, "".join(self._text)))
            self._language = None

    def handle_data(self, data: str) -> None:
        self._all.append(data)
        if self._language is not None:
            self._text.append(data)
        if "h1" in self._open:
            self.heading += data
