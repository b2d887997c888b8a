"""Client's view against gateway's ledger: every way in which they may disagree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

#: The state of an order that was never created.
ABSENT = "ABSENT"


class View:
    """What a worker believes of one order."""

    __slots__ = (
        "hasty",
        "number",
        "partner",
        "resolved",
        "state",
        "surprises",
        "unknowns",
    )

    def __init__(self, number: str, partner: bool, hasty: bool = False) -> None:
        self.number = number
        #: Whether it is a partner's, and whether its calls are tried once only.
        self.partner = partner
        self.hasty = hasty
        self.state = ABSENT
        #: Calls that ended unknown, and how many of them a query resolved.
        self.unknowns = 0
        self.resolved = 0
        #: What should not have been seen.
        self.surprises: tuple[str, ...] = ()


class Entry(NamedTuple):
    """What the gateway knows of one order."""

    number: str
    partner: bool
    state: str
    #: How often it was created and cancelled.
    creations: int
    cancellations: int


def compare(views: Iterable[View], ledger: Iterable[Entry]) -> list[str]:
    """Every disagreement, in words; none where all is well."""
    entries = {entry.number: entry for entry in ledger}
    known: set[str] = set()
    found: list[str] = []
    for view in views:
        if view.number in known:
            found.append(f"{view.number}: used for two orders")
        known.add(view.number)
        found += [
            f"{view.number}: {text}"
            for text in _differences(view, entries.get(view.number))
        ]
    found += [
        f"{entry.number}: is {entry.state} in the ledger, and no worker knows it"
        for entry in entries.values()
        if entry.number not in known
    ]
    return found


def _differences(view: View, entry: Entry | None) -> Iterator[str]:
    yield from view.surprises
    if view.resolved < view.unknowns:
        yield f"{view.unknowns - view.resolved} unknown and never resolved"
    if entry is None:
        if view.state != ABSENT:
            yield f"the client says {view.state}, the ledger has no such order"
        return
    if view.state != entry.state:
        yield f"the client says {view.state}, the ledger {entry.state}"
    if view.partner != entry.partner:
        yield "made for the other role"
    if entry.creations != 1:
        yield f"created {entry.creations} times"
    expected = 1 if entry.state == "REVOKED" else 0
    if entry.cancellations != expected:
        yield f"cancelled {entry.cancellations} times, and it is {entry.state}"
