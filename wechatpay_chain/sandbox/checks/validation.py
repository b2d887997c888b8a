"""Declared rules for bodies, queries and paths; every problem is found, not the first.

A rule is a function of value and place that yields problems. Lengths count code points,
as payscore section 3.1 has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ..._shapes import mapping, sequence
from ...catalogue.schema import FORMS
from ..refusals import Problem
from .meaning import in_yuan, meant

#: Yields what is wrong with a value that stands at a place (a JSON pointer).
Rule = Callable[[Any, str], Iterator[Problem]]


def text(low: int, high: int, pattern: str | None = None) -> Rule:
    """A string of *low* to *high* characters."""
    allowed = re.compile(pattern) if pattern else None

    def rule(value: Any, place: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield _wrong_type(value, place, "a string")
            return
        if not low <= len(value) <= high:
            yield Problem(
                place,
                f"{low} to {high} characters expected, got {len(value)}",
                value,
                # An empty text is as little as null, and no endpoint can do with it.
                rule="length" if value else "null",
                got=f"{len(value)} characters",
                expected=f"{low} to {high} characters",
            )
        if value and allowed and not allowed.fullmatch(value):
            form = FORMS.get(allowed.pattern, f"the form {allowed.pattern}")
            issue = f"{form} expected"
            yield Problem(place, issue, value, rule="pattern", expected=form)

    return rule


def formed(pattern: str) -> Rule:
    """A string of one of the forms for which the catalogue has words."""
    allowed, form = re.compile(pattern, re.ASCII), FORMS[pattern]

    def rule(value: Any, place: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield _wrong_type(value, place, "a string")
        elif not allowed.fullmatch(value):
            issue = f"{form} expected, got {len(value)} characters"
            yield Problem(place, issue, value, rule="pattern", expected=form)

    return rule


#: What a service keeps numbers in.
_INT64 = 2**63 - 1


def integer(low: int, high: int = _INT64) -> Rule:
    """An integer, so neither a float nor a string (protocol section 2)."""
    whole = f"an integer from {low} to {high}"
    open_ended = f"an integer from {low} up"

    def rule(value: Any, place: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int):
            problem = _wrong_type(value, place, "an integer")
            hint = meant(value, place.rpartition("/")[2])
            issue = problem.issue + in_yuan(value, hint)
            yield problem._replace(hint=hint, issue=issue)
        elif not low <= value <= high:
            expected = open_ended if value < low and high == _INT64 else whole
            yield Problem(
                place, f"{expected} expected", value, rule="range", expected=expected
            )

    return rule


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
            expected = f"one of {', '.join(values)}"
            yield Problem(
                place,
                f"{expected} expected",
                value,
                rule="enum",
                expected=expected,
                hint=nearest(value, values),
            )

    return rule


class Listing:
    """A list of *low* to *high* items, in which no member *unique* repeats."""

    def __init__(self, item: Rule, low: int, high: int, *, unique: str = "") -> None:
        self.item = item
        self._low, self._high = low, high
        self._unique = unique

    def __call__(self, value: Any, place: str) -> Iterator[Problem]:
        """Yield what is wrong with *value*."""
        items = sequence(value)
        if items is None:
            yield _wrong_type(value, place, "a list")
            return
        if not self._low <= len(items) <= self._high:
            expected, got = f"{self._low} to {self._high} items", len(items)
            issue = f"{expected} expected, got {got}"
            yield Problem(
                place, issue, rule="items", got=f"{got} items", expected=expected
            )
        for at, one in enumerate(items):
            yield from self.item(one, f"{place}/{at}")
        yield from _repeats(items, place, self._unique)


def _repeats(items: Sequence[Any], place: str, unique: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for at, one in enumerate(items):
        name = (mapping(one) or {}).get(unique)
        if not isinstance(name, str) or name in _REPEATABLE:
            continue
        if name in seen:
            at_name = f"{place}/{at}/{unique}"
            yield Problem(at_name, "repeats an earlier one", name, rule="repeated")
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
            # As in catalogued: these may be let pass, and *also* must hold then too.
            clean = clean and problem.rule in ("unknown", "length")
            yield problem
        if clean and self._also is not None:
            yield from self._also(given, place)

    def _members(self, given: Mapping[str, Any], place: str) -> Iterator[Problem]:
        for name in self.required:
            if name not in given:
                place_of = f"{place}/{name}"
                yield Problem(place_of, "required, and missing", rule="required")
        for name, value in given.items():
            rule = self.rules.get(name)
            if rule is None:
                yield Problem(
                    f"{place}/{name}",
                    "unknown",
                    value,
                    rule="unknown",
                    hint=nearest(name, self.rules),
                )
            elif value is None:
                issue = "null; leave it out instead"
                yield Problem(f"{place}/{name}", issue, rule="null")
            else:
                yield from rule(value, f"{place}/{name}")


#: No member is allowed.
NOTHING = Fields()


def known(rule: Any, value: Any) -> Any:
    """*value*, which *rule* let pass, less the members that it knows nothing of.

    >>> known(Fields({"amount": integer(1)}), {"amount": 1, "amuont": 2})
    {'amount': 1}
    """
    if isinstance(rule, Fields):
        ours = rule.rules
        return {at: known(ours[at], one) for at, one in value.items() if at in ours}
    if isinstance(rule, Listing):
        return [known(rule.item, one) for one in value]
    return value


def nearest(name: object, known: Iterable[str]) -> str:
    """Which of *known* may have been meant, whatever the case; ``""``: none."""
    names = {one.lower(): one for one in known}
    near = get_close_matches(str(name)[:64].lower(), names, n=1)
    return names[near[0]] if near else ""


def _wrong_type(value: Any, place: str, expected: str) -> Problem:
    got = kind_of(value)
    issue = f"{expected} expected, got {got}"
    return Problem(place, issue, value, rule="type", got=got, expected=expected)


def kind_of(value: Any) -> str:
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
