"""Which text was signed? A table of mistakes, and the search for the one that was made.

A signature gives back its digest (``recover``). A candidate whose digest is the same is
that text, with certainty: so what is found here is never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, combinations
from typing import Any, NamedTuple

from .body_mistakes import BODY_MISTAKES
from .line_mistakes import LINE_MISTAKES, METHOD_MISTAKES, TIME_MISTAKES
from .request_parts import LINES, Mistake, Parts
from .url_mistakes import URL_MISTAKES

#: Every mistake that is looked for, the likely ones first.
TABLE: tuple[Mistake, ...] = (
    *URL_MISTAKES,
    *BODY_MISTAKES,
    *METHOD_MISTAKES,
    *LINE_MISTAKES,
    *TIME_MISTAKES,
)

#: Bytes of text that one search may hash: some 50 ms. Enough for every mistake, and
#: every two of them, in the requests that there are; an error must not take longer.
LIMIT = 1 << 25


class Change(NamedTuple):
    """One mistake, with the value that stands in place of the right one."""

    mistake: Mistake
    value: Any

    def __repr__(self) -> str:
        return f"<Change {self.mistake.id}>"


class Candidate(NamedTuple):
    """A text that may have been signed, and how it came about."""

    changes: tuple[Change, ...]
    text: bytes

    @property
    def ids(self) -> tuple[str, ...]:
        """The fixed ids of the mistakes."""
        return tuple(change.mistake.id for change in self.changes)

    def clauses(self, parts: Parts) -> list[str]:
        """What is to be said of each mistake."""
        return [
            change.mistake.clause(parts, change.value)
            for change in sorted(self.changes, key=_order)
        ]

    def __repr__(self) -> str:
        return f"<Candidate {' + '.join(self.ids)}>"


def candidates(
    parts: Parts, table: Sequence[Mistake] = TABLE, *, pairs: bool = True
) -> Iterator[Candidate]:
    """Texts that may have been signed where that of *parts* should have been, lazily.

    One mistake first, then two at a time, in different parts.
    """
    right = parts.text()
    kept: list[Change] = []
    seen: set[tuple[str, Any]] = set()
    for change in chain.from_iterable(_changes(parts, one) for one in table):
        same = (change.mistake.part, change.value)
        if same in seen:
            continue  # two mistakes with one result: the likelier one is named
        seen.add(same)
        candidate = _candidate(parts, change)
        if candidate.text == right:
            continue  # lines may be joined otherwise and come out the same
        yield candidate
        if not change.mistake.wide:
            kept.append(change)
    if pairs:
        for one, two in combinations(kept, 2):
            if one.mistake.part != two.mistake.part:
                candidate = _candidate(parts, one, two)
                if candidate.text != right:  # two can make up for each other
                    yield candidate


def search(
    parts: Parts,
    holds: Callable[[bytes], bool],
    limit: int = LIMIT,
    *,
    table: Sequence[Mistake] = TABLE,
) -> Candidate | None:
    """The candidate that *holds* knows; ``None`` where it is not among them.

    It gives up after *limit* bytes of text.
    """
    for candidate in candidates(parts, table):
        if holds(candidate.text):
            return candidate
        limit -= len(candidate.text)
        if limit < 0:
            break
    return None


def _changes(parts: Parts, mistake: Mistake) -> Iterator[Change]:
    right = getattr(parts, mistake.part, None)
    for value in mistake.values(parts):
        if mistake.part == LINES or value != right:
            yield Change(mistake, value)


def _candidate(parts: Parts, *changes: Change) -> Candidate:
    join = Parts.text
    for mistake, value in changes:
        if mistake.part == LINES:
            join = value
        else:
            parts = parts._replace(**{mistake.part: value})
    return Candidate(changes, join(parts))


def _order(change: Change) -> int:
    """Clauses go in the order of the lines."""
    fields = ("method", "prefix", "path", "query", "timestamp", "nonce", "body", LINES)
    return fields.index(change.mistake.part)
