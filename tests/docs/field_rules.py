"""Whether a value is what a field of the catalogue says: a check for the examples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

from wechatpay_chain.catalogue import Field

_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def problems(
    value: Any, field: Field, place: str, spare: frozenset[str] = frozenset()
) -> Iterator[str]:
    """What of *value* breaks the rules of *field*; names of *spare* may be missing."""
    if field.options:
        found = [list(problems(value, one, place)) for one in field.options]
        yield from () if [] in found else found[0]
        return
    if not isinstance(value, _KINDS.get(field.type, object)):  # type: ignore[arg-type]
        yield f"{place}: {value!r} is no {field.type}"
        return
    if isinstance(value, bool) != (field.type == "boolean"):
        yield f"{place}: {value!r} is no {field.type}"
    if field.enum and value not in field.enum:
        yield f"{place}: {value!r} is not one of {field.enum}"
    if not field.enum:  # some documents list values that are longer than they allow
        yield from _limits(value, field, place)
    if isinstance(value, dict) and field.fields is not None:
        yield from _members(value, field.fields, place, spare)
    for number, item in enumerate(value if isinstance(value, list) else ()):
        yield from problems(item, field.items or Field(), f"{place}[{number}]")
    if field.content is not None:
        kind = field.content_kind
        inner: Any = json.loads(value) if kind == "json" else dict(parse_qs(value))
        yield from problems(inner, field.content, f"{place}<{kind}>")


def _members(
    value: dict[str, Any],
    fields: Mapping[str, Field],
    place: str,
    spare: frozenset[str],
) -> Iterator[str]:
    for name, field in fields.items():
        if name in value:
            yield from problems(value[name], field, f"{place}.{name}")
        elif field.required and name not in spare:
            yield f"{place}.{name}: missing"
    for name in value.keys() - fields.keys():
        yield f"{place}.{name}: not known"


def _limits(value: Any, field: Field, place: str) -> Iterator[str]:
    if isinstance(value, (str, list)):
        low, high, size = field.shortest, field.longest, len(value)
    elif isinstance(value, (int, float)):
        low, high, size = field.minimum, field.maximum, value
    else:
        return
    if (low is not None and size < low) or (high is not None and size > high):
        yield f"{place}: {value!r} is not within {low}..{high}"
    if field.pattern and not re.fullmatch(field.pattern, str(value)):
        yield f"{place}: {value!r} does not match {field.pattern}"
