"""Is a value what its field describes? Every problem at once, as values. Pure.

Two notations of a value: JSON, where a number is a number, and text (a query, a path,
the XML of APIv2), where everything is characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any, NamedTuple

from .._shapes import mapping, plain, sequence
from ..crypto.sensitive import Encrypted
from ..errors import Problem
from .model import Field
from .places import parsed

_INTEGER = re.compile(r"-?[0-9]+")
#: A time with its offset, less what Python 3.10 cannot read: fractions and ``Z``.
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII
)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
#: How text says yes and no.
_BOOLEANS = frozenset({"true", "false", "1", "0"})
#: Patterns of the documents in words.
FORMS = {
    r"\d{8}|\d{14}": "a time yyyyMMddHHmmss, or a day yyyyMMdd",
    r"\d{8}|\d{14}|OnAccept": ("a time yyyyMMddHHmmss, a day yyyyMMdd, or OnAccept"),
    r"[0-9A-Za-z_|*-]+": "digits, letters and _ - | *",
    r"[0-9A-Za-z_|*@-]+": "digits, letters and _ - | * @",
}
#: What a service keeps integers in, and the most characters of one.
_LOWEST, _HIGHEST, _DIGITS = -(2**63), 2**63 - 1, 20
#: How much of a value or a name of the caller's may be in a message.
_SHOWN = 40


class Finding(NamedTuple):
    """A problem, and whether the catalogue is sure of it."""

    problem: Problem
    sure: bool = True


def check_value(
    field: Field, value: Any, path: str, *, text: bool = False
) -> Iterator[Finding]:
    """What is wrong with *value*, which stands at *path*."""
    if field.nullable and (value is None or value == ""):
        return
    expected = _misfit(field, value, text)
    if expected is not None:
        yield Finding(Problem(path, "type", got(value, field), expected))
        return
    if field.options:
        yield from _options(field, value, path, text)
    if isinstance(value, Encrypted):
        return  # its length and form are those of any ciphertext
    yield from map(Finding, _limits(field, value, path))
    items = sequence(value)
    if field.items is not None and items is not None:
        for at, item in enumerate(items):
            yield from check_value(field.items, item, f"{path}[{at}]", text=text)
    members = mapping(value)
    if field.fields and members is not None:
        yield from check_members(field.fields, members, path, text=text)
    if field.content is not None and field.content_kind == "json":
        yield from _content(field.content, value, path)


def check_members(
    fields: Mapping[str, Field],
    given: Mapping[Any, Any],
    path: str = "",
    *,
    text: bool = False,
    ours: Iterable[str] = (),
    joint: str = ".",
) -> Iterator[Finding]:
    """What is wrong with the members of an object; *ours* are not the caller's."""
    for name, field in fields.items():
        value, place = given.get(name), f"{path}{joint}{name}" if path else name
        empty = value is None or value == ""
        if not empty or (field.nullable and name in given):
            found = check_value(field, value, place, text=text)
        elif field.required and name not in ours:
            what = "nothing" if value is None else "an empty text"
            problem = Problem(place, "required", what, "a value")
            found = iter([Finding(problem)])
        else:
            continue
        yield from (one._replace(sure=False) if field.unsure else one for one in found)
    for name in given:
        if name not in fields and name not in ours:
            word = shown(name)
            place = f"{path}{joint}{word}" if path else word
            near = _nearest(name, fields)
            yield Finding(Problem(place, "unknown", repr(word), near))


def _nearest(name: object, fields: Mapping[str, Field]) -> str:
    near = get_close_matches(str(name), fields, n=1)
    return repr(near[0]) if near else "a documented name"


def shown(name: object) -> str:
    """A name of the caller's, as far as a message needs it."""
    text = str(name)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def got(value: Any, field: Field | None = None) -> str:
    """What a message says of *value*: of a text its length, as it may be private.

    >>> got("张三"), got(0.88), got([1, 2])
    ('str of 2 characters', '0.88', 'list')
    """
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, str):
        return f"str of {len(value)} characters"
    if isinstance(value, (int, float)) and not (field and field.encrypted):
        return str(value)
    return type(value).__name__


_KINDS = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "True or False",
    "array": "a list",
    "object": "an object",
}


def _misfit(field: Field, value: Any, text: bool) -> str | None:
    """What is expected where *value* is of another type."""
    fits = _fits_text(field, value) if text else _fits(field, value)
    return None if fits else _KINDS[field.type]


def _fits(field: Field, value: Any) -> bool:
    kind = field.type
    if kind == "string":
        return isinstance(value, str)
    if kind == "integer":
        if field.format == "numeric" and isinstance(value, str):
            return _INTEGER.fullmatch(value) is not None
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "array":
        return sequence(value) is not None
    return mapping(value) is not None if kind == "object" else True


def _fits_text(field: Field, value: Any) -> bool:
    """Of text: what is nested goes in as JSON, which is not looked into here."""
    if field.type == "boolean" and isinstance(value, bool):
        return True
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return field.type in ("any", "file")
    if field.type == "integer":
        return _INTEGER.fullmatch(plain(value)) is not None
    if field.type == "number":
        return _NUMBER.fullmatch(plain(value)) is not None
    return field.type != "boolean" or plain(value).lower() in _BOOLEANS


def _options(field: Field, value: Any, path: str, text: bool) -> Iterator[Finding]:
    """What is wrong by the alternative that *value* comes nearest to."""
    found = (list(check_value(one, value, path, text=text)) for one in field.options)
    yield from min(found, key=len)


def _content(field: Field, value: Any, path: str) -> Iterator[Finding]:
    found = parsed(value)
    if found is None:
        yield Finding(Problem(path, "type", got(value), "JSON text"))
    else:
        yield from check_value(field, found, f"{path}<json>")


def _limits(field: Field, value: Any, path: str) -> Iterator[Problem]:
    """Enumeration, range, length, pattern, number of items."""
    text = plain(value) if isinstance(value, (str, int)) else None
    if field.enum and text is not None:
        if text not in map(str, field.enum):
            seen = got(value, field) if field.encrypted else repr(shown(text))
            yield Problem(path, "enum", seen, f"one of {_listed(field.enum)}")
        return  # what is listed is right, whatever the documents say of its length
    if field.type in ("integer", "number") and text is not None:
        yield from _range(field, path, text)
    elif field.type == "array":
        items = sequence(value)
        if items is not None and not _within(field, len(items)):
            size = f"{len(items)} items"
            yield Problem(path, "items", size, f"{_span(field)} items")
    elif text is not None and not _within(field, len(text)):
        size = f"{len(text)} characters"
        yield Problem(path, "length", size, f"{_span(field)} characters")
    if field.pattern and text is not None and not re.fullmatch(field.pattern, text):
        form = FORMS.get(field.pattern, f"the form {field.pattern}")
        yield Problem(path, "pattern", got(text), form)
    if field.format == "rfc3339" and text is not None and not _is_time(text):
        example = "a time such as 2030-01-02T03:04:05+08:00"
        yield Problem(path, "format", got(text), example)


def _is_time(text: str) -> bool:
    """Whether it is a time by RFC 3339, of a day that there is."""
    match = _TIME.fullmatch(text)
    if match is None:
        return False
    try:
        datetime.fromisoformat(match[1])
    except ValueError:
        return False
    return True


def _range(field: Field, path: str, text: str) -> Iterator[Problem]:
    low, high = field.minimum, field.maximum
    number = float(text)
    if field.type == "integer":
        low, high = _LOWEST if low is None else low, _HIGHEST if high is None else high
        # Exact where it can be in range; of thousands of digits Python makes no int.
        number = int(text) if len(text) <= _DIGITS else number
    if low is not None and number < low:
        yield Problem(path, "range", shown(text), f"{low} or more")
    if high is not None and number > high:
        yield Problem(path, "range", shown(text), f"{high} or less")


def _within(field: Field, size: int) -> bool:
    low, high = field.shortest, field.longest
    return (low is None or low <= size) and (high is None or size <= high)


def _span(field: Field) -> str:
    low, high = field.shortest, field.longest
    if high is None:
        return f"at least {low}"
    return f"at most {high}" if low is None else f"{low} to {high}"


def _listed(enum: tuple[Any, ...]) -> str:
    names = [str(one) for one in enum[:12]]
    return ", ".join([*names, "..."] if len(enum) > len(names) else names)
