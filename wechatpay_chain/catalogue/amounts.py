"""Which fields are amounts of money, and whether a value can be one."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from .model import Field
from .places import Places


class Money(NamedTuple):
    """The mark of an amount."""

    #: Whether it may be below zero.
    signed: bool
    #: Whether digits in a text will do.
    digits: bool

    def accepts(self, value: Any) -> bool:
        """Whether *value* is an amount."""
        if isinstance(value, str):
            form = r"-?[0-9]+" if self.signed else r"[0-9]+"
            return self.digits and re.fullmatch(form, value) is not None
        fits = isinstance(value, int) and not isinstance(value, bool)
        return fits and (self.signed or value >= 0)


def is_money(name: str, field: Field) -> bool:
    """Whether an integer is an amount: by the words of its name.

    >>> is_money("total_fee", Field(type="integer"))
    True
    >>> is_money("fee_count", Field(type="integer"))
    False
    """
    if field.type != "integer":
        return False
    words = {*name.split("_")}
    named = words & {"amount", "fee", "price"} and "count" not in words
    return bool(named) or name in ("total", "refund", "duty")


def are_sound(place: Places[Money], value: Any) -> bool:
    """Whether all amounts are right; no for a *value* that needs a closer look."""
    kind = value.__class__  # exactly: a subclass may be anything
    if place.mark is not None:
        if kind is int:
            return bool(value >= 0)
        return place.mark.digits and kind is str and value.isdecimal()
    if place.items is not None:
        inner = place.items
        return kind is list and all(are_sound(inner, one) for one in value)
    if kind is not dict or place.content is not None:
        return False
    for name, inner in place.fields:
        item = value.get(name)
        if item is not None and not are_sound(inner, item):
            return False
    return True
