"""Which endpoints a path that nobody serves comes nearest to.

``outTradeNo``, ``out_trade_no`` and ``out-trade-no`` are one word here: a chain that
writes a segment in its own way is the usual reason for a 404.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from heapq import nlargest, nsmallest

from ..catalogue import store
from ..catalogue.index import plain

#: How many are named.
_NAMED = 3
#: How many of those that share most segments are looked at letter by letter.
_CLOSE = 40


class Nearest:
    """Finds endpoints by likeness.

    *names* are endpoints, ``"POST /v3/..."``; those of the catalogue's *versions* are
    added when something is first looked for.
    """

    def __init__(self, names: Iterable[str], versions: Iterable[str]) -> None:
        self._names = tuple(names)
        self._versions = tuple(versions)
        self._entries: list[tuple[str, list[str]]] | None = None

    def find(self, method: str, path: str) -> tuple[list[str], bool]:
        """The nearest, best first, and whether the first differs in spelling only."""
        words = plain(path).split("/")
        close = nlargest(_CLOSE, self._all(), key=lambda entry: _shared(words, entry))
        far = [
            (1 - _likeness(words, parts), not name.startswith(f"{method} "), name)
            for name, parts in close
        ]
        best = nsmallest(_NAMED, far)
        return [name for _, _, name in best], bool(best) and best[0][:2] == (0, False)

    def _all(self) -> list[tuple[str, list[str]]]:
        if self._entries is None:
            names = {*self._names, *_catalogued(self._versions)}
            self._entries = [
                (name, _words(name.partition(" ")[2])) for name in sorted(names)
            ]
        return self._entries


def _catalogued(versions: Iterable[str]) -> Iterator[str]:
    """The endpoints as the data files name them, so that none is built for this."""
    for version in versions:
        for segment in store.segments(version):
            found = store.segment(version, segment)
            for key in () if found is None else found.data:
                method, _, template = key.partition(" ")
                yield f"{method} /{template}"


def _words(template: str) -> list[str]:
    parts = template.strip("/").split("/")
    return ["{" if part[:1] == "{" else plain(part) for part in parts]


def _shared(words: list[str], entry: tuple[str, list[str]]) -> float:
    """How many segments two paths have in common, less for a difference in length."""
    parts = entry[1]
    common = len({*words} & {*parts})
    return common - abs(len(words) - len(parts)) / 10


def _likeness(words: list[str], parts: list[str]) -> float:
    """How alike they are, from 0 to 1; a placeholder is like whatever stands there."""
    if len(words) == len(parts):
        pairs = zip(words, parts)
        parts = [word if part == "{" and word else part for word, part in pairs]
    return SequenceMatcher(None, "/".join(words), "/".join(parts), False).ratio()
