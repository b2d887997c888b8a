"""How an endpoint hands out a list: where the items, the total and the next page are.

Derived from the names of its parameters and from its answer; nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from .model import Field, Operation

#: How the next page is asked for.
Style = Literal["offset", "index", "token"]

_STARTS: dict[str, Style] = {
    "page_token": "token",
    "offset": "offset",
    "page_index": "index",
}
_SIZES = ("limit", "page_size")
_TOTALS = ("total_count", "total_num", "total")


class Layout(NamedTuple):
    """Where a list and its page are; places of an answer are paths of names."""

    method: str
    #: Whether the page is asked for in the body.
    in_body: bool
    style: Style
    #: The parameter that says where to start, and the one that says how many.
    start: str
    size: str
    #: Where the list is, ``None`` where the answer itself is text or not described.
    items: tuple[str, ...] | None
    #: Where the number of all items is.
    total: tuple[str, ...] | None
    #: The most that a page may hold, and how many it holds unasked.
    largest: int | None
    usual: int | None


def layout(operation: Operation) -> Layout | None:
    """How *operation* hands out its list, or ``None`` where it gives no pages."""
    for in_body, given in ((False, operation.query), (True, _fields(operation.body))):
        start = next((name for name in _STARTS if name in given), None)
        size = next((name for name in _SIZES if name in given), None)
        if start is None or size is None:
            continue
        answer = operation.answer
        return Layout(
            operation.method,
            in_body,
            _STARTS[start],
            start,
            size,
            None if answer is None else _list(answer),
            None if answer is None else _total(answer),
            given[size].maximum,
            given[size].default,
        )
    return None


def _fields(field: Field | None) -> Mapping[str, Field]:
    return (field.fields if field is not None else None) or {}


def _list(answer: Field) -> tuple[str, ...] | None:
    """The array nearest to the top: ``data`` before others of its depth."""
    fields = _fields(answer)
    arrays = [name for name, field in fields.items() if field.type == "array"]
    if arrays:
        return ("data" if "data" in arrays else arrays[0],)
    for name, field in fields.items():
        found = _list(field)
        if found is not None:
            return (name, *found)
    return None


def _total(answer: Field) -> tuple[str, ...] | None:
    fields = _fields(answer)
    for name in _TOTALS:
        if name in fields:
            return (name,)
    for name, field in fields.items():
        found = _total(field) if field.type == "object" else None
        if found is not None:
            return (name, *found)
    return None
