"""Each way in which client and ledger may disagree is found by its name."""

from __future__ import annotations

from typing import Any

import pytest
from campaign import GROWTH, limits
from deck import Deck
from ledger import Entry, View, compare
from plan import Plan
from workers import Phase


def view(state: str, **changes: Any) -> View:
    made = View("N1", partner=False)
    made.state = state
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def entry(state: str, **changes: Any) -> Entry:
    cancelled = int(state == "REVOKED")
    return Entry("N1", False, state, 1, cancelled)._replace(**changes)


@pytest.mark.parametrize("state", ["CREATED", "CONFIRMED", "REVOKED"])
def test_agreement_is_no_violation(state: str) -> None:
    assert compare([view(state)], [entry(state)]) == []


def test_an_order_that_was_never_made_is_no_violation() -> None:
    assert compare([view("ABSENT")], []) == []


@pytest.mark.parametrize(
    ("views", "ledger", "expected"),
    [
        ([view("CREATED")], [], "the ledger has no such order"),
        ([view("ABSENT")], [entry("CREATED")], "says ABSENT, the ledger CREATED"),
        ([view("REVOKED")], [entry("CONFIRMED")], "says REVOKED, the ledger CONFIRMED"),
        ([view("CREATED")], [entry("REVOKED")], "says CREATED, the ledger REVOKED"),
        ([], [entry("CREATED")], "no worker knows it"),
        ([view("CREATED")], [entry("CREATED", creations=2)], "created 2 times"),
        ([view("REVOKED")], [entry("REVOKED", cancellations=2)], "cancelled 2 times"),
        ([view("CREATED")], [entry("CREATED", cancellations=1)], "cancelled 1 times"),
        ([view("CREATED")], [entry("CREATED", partner=True)], "for the other role"),
        (
            [view("CREATED", unknowns=2, resolved=1)],
            [entry("CREATED")],
            "1 unknown and never resolved",
        ),
        (
            [view("CREATED"), view("CREATED")],
            [entry("CREATED")],
            "used for two orders",
        ),
        (
            [view("CREATED", surprises=["a query showed REVOKED"])],
            [entry("CREATED")],
            "a query showed REVOKED",
        ),
    ],
)
def test_every_disagreement_is_found(
    views: list[View], ledger: list[Entry], expected: str
) -> None:
    (found,) = compare(views, ledger)
    assert found.startswith("N1: ")
    assert expected in found


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"longest": 5.1}, "a call took 5.1 s, its deadline is 4.0 s"),
        ({"left_over": 2}, "2 tasks are left on the loop"),
        ({"memory": [10, 11 + GROWTH]}, "grew by 5.0 MB at the end"),
    ],
)
def test_every_limit_that_is_passed_is_found(
    changes: dict[str, Any], expected: str
) -> None:
    phase = Phase("T", Plan(deadline=4.0, grace=1.0))
    phase.longest, phase.memory = 5.0, [10, 10 + GROWTH]
    assert limits(phase) == []
    for name, value in changes.items():
        setattr(phase, name, value)
    (found,) = limits(phase)
    assert expected in found


def dealt(deck: Deck, number: int) -> list[str | None]:
    return [deck.deal() for _ in range(number)]


def test_a_deck_holds_every_kind_as_often_as_asked() -> None:
    deck = Deck("1", 10, {"a": 1, "b": 3})
    for _ in range(3):
        cards = dealt(deck, 10)
        assert [cards.count(kind) for kind in ("a", "b", None)] == [1, 3, 6]


def test_the_seed_decides_the_order() -> None:
    cards = {"a": 20, "b": 30}
    first, again, other = (Deck(seed, 100, cards) for seed in ("1", "1", "2"))
    faults = dealt(first, 100)
    assert dealt(again, 100) == faults
    assert dealt(other, 100) != faults


def test_what_did_not_fit_comes_next() -> None:
    deck = Deck("1", 2, {})
    deck.put_back("a")
    assert dealt(deck, 2) == ["a", None]
