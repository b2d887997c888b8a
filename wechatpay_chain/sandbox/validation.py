"""Declared rules for bodies, queries and paths; every problem is found, not the first.

A rule is a function of value and place that yields problems. Lengths count code points,
as payscore section 3.1 has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from .._shapes import mapping, sequence
from .refusals import Problem

#: Yields what is wrong with a value that stands at a place (a JSON pointer).
Rule = Callable[[Any, str], Iterator[Problem]]


def text(low: int, high: int, pattern: str | None = None) -> Rule:
    """A string of *low* to *high* characters."""
    allowed = re.compile(pattern) if pattern else None

    def rule(value: Any, place: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield _wrong_type(value, place, "a string")
        elif not low <= len(value) <= high:
            yield Problem(
                place, f"{low} to {high} characters expected, got {len(value)}", value
            )
        elif allowed and not allowed.fullmatch(value):
            yield Problem(place, f"does not match {allowed.pattern}", value)

    return rule


#: What a service keeps numbers in.
_INT64 = 2**63 - 1


def integer(low: int, high: int = _INT64) -> Rule:
    """An integer, so neither a float nor a string (protocol section 2)."""
    span = f"from {low} up" if high == _INT64 else f"from {low} to {high}"

    def rule(value: Any, place: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int):
            problem = _wrong_type(value, place, "an integer")
            yield problem._replace(issue=problem.issue + _in_fen(value))
        elif not low <= value <= high:
            yield Problem(place, f"an integer {span} expected", value)

    return rule


def _in_fen(value: Any) -> str:
    """What somebody who thinks in yuan may have meant."""
    fen = value * 100 if isinstance(value, float) else 0.5
    return f"; did you mean {int(fen)} fen?" if fen.is_integer() else ""


def boolean() -> Rule:
    """``true`` or ``false``."""

    def rule(value: Any, place: str) -> Iterator[Problem]:
        if not isinstance(value, bool):
            yield _wrong_type(value, place, "true or false")

    return rule


def one_of(*values: str) -> Rule:
    """One of a closed list."""

    def rule(value: Any, place: str) -> Iterator[Problem]:
        if value not in values:
            yield Problem(place, f"one of {', '.join(values)} expected", value)

    return rule


def listing(item: Rule, low: int, high: int, *, unique: str = "") -> Rule:
    """A list of *low* to *high* items, in which no member *unique* repeats."""

    def rule(value: Any, place: str) -> Iterator[Problem]:
        items = sequence(value)
        if items is None:
            yield _wrong_type(value, place, "a list")
            return
        if not low <= len(items) <= high:
            yield Problem(place, f"{low} to {high} items expected, got {len(items)}")
        for at, one in enumerate(items):
            yield from item(one, f"{place}/{at}")
        yield from _repeats(items, place, unique)

    return rule


def _repeats(items: Sequence[Any], place: str, unique: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for at, one in enumerate(items):
        name = (mapping(one) or {}).get(unique)
        if not isinstance(name, str) or name in _REPEATABLE:
            continue
        if name in seen:
            yield Problem(f"{place}/{at}/{unique}", "repeats an earlier one", name)
        seen.add(name)


#: The one name that may stand on several lines of an order (payscore section 3.1).
_REPEATABLE = frozenset({"商品信息"})


class Fields:
    """An object: which members it must have, may have, and what more must hold.

    *also* is a rule for the whole object, tried only where each member is in order.
    """

    def __init__(
        self,
        required: Mapping[str, Rule] | None = None,
        optional: Mapping[str, Rule] | None = None,
        *,
        also: Rule | None = None,
        location: str = "body",
    ) -> None:
        self.required: dict[str, Rule] = dict(required or {})
        self.rules: dict[str, Rule] = {**self.required, **(optional or {})}
        self._also = also
        self._location = location

    def __call__(self, value: Any, place: str = "") -> Iterator[Problem]:
        """Yield what is wrong with *value*."""
        for problem in self._problems(value, place):
            if self._location == "body":
                yield problem
            else:  # a parameter has a name, not a JSON pointer
                yield problem._replace(
                    field=problem.field.lstrip("/"), location=self._location
                )

    def _problems(self, value: Any, place: str) -> Iterator[Problem]:
        given = mapping(value)
        if given is None:
            yield _wrong_type(value, place or "/", "an object")
            return
        clean = True
        for problem in self._members(given, place):
            clean = False
            yield problem
        if clean and self._also is not None:
            yield from self._also(given, place)

    def _members(self, given: Mapping[str, Any], place: str) -> Iterator[Problem]:
        for name in self.required:
            if name not in given:
                yield Problem(f"{place}/{name}", "required, and missing")
        for name, value in given.items():
            rule = self.rules.get(name)
            if rule is None:
                yield Problem(f"{place}/{name}", f"unknown{self._nearest(name)}", value)
            elif value is None:
                yield Problem(f"{place}/{name}", "null; leave it out instead")
            else:
                yield from rule(value, f"{place}/{name}")

    def _nearest(self, name: str) -> str:
        near = get_close_matches(name[:64], self.rules, n=1)
        return f"; did you mean {near[0]}?" if near else ""


#: No member is allowed.
NOTHING = Fields()


def _wrong_type(value: Any, place: str, expected: str) -> Problem:
    return Problem(place, f"{expected} expected, got {_kind(value)}", value)


def _kind(value: Any) -> str:
    """What JSON calls it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an object" if mapping(value) is not None else "a list"
