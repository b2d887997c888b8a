"""Fields as the rows of a table, nested ones indented."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..model import Field

#: How a value is encrypted (``Field.encrypted``), in words.
KEYS: Mapping[str, str] = {
    "rsa-platform": "encrypted with WeChat Pay's key",
    "rsa-merchant": "encrypted for the merchant's certificate",
    "rsa-bank": "encrypted with the key from v2/risk/getpublickey",
    "aes-gcm": "encrypted with the APIv3 key",
    "aes-ecb": "encrypted with the APIv2 key",
}
_CONTENTS = {
    "json": "JSON text",
    "urlencoded": "query string",
    "plain": "XML text inside",
}


@dataclass(frozen=True)
class Row:
    """One field."""

    name: str
    #: Its path from the root, which is its anchor within the table.
    place: str
    depth: int
    type: str
    label: str
    required: bool
    encrypted: str
    enum: tuple[str, ...]
    limits: tuple[str, ...]


def rows(fields: Mapping[str, Field] | None) -> list[Row]:
    """The rows of *fields* and of what is inside them."""
    return list(_members(fields or {}, "", 0))


def body_rows(field: Field | None) -> list[Row]:
    """The rows of a body: of its fields, or of the value itself where it has none."""
    if field is None:
        return []
    if field.type == "object":
        return rows(field.fields)
    return list(_one(field, "(the body)", "", 0))


def _members(fields: Mapping[str, Field], place: str, depth: int) -> Iterator[Row]:
    for name, field in fields.items():
        yield from _one(field, name, f"{place}.{name}" if place else name, depth)


def _one(field: Field, name: str, place: str, depth: int) -> Iterator[Row]:
    yield Row(
        name,
        place,
        depth,
        kind(field),
        field.label,
        field.required,
        KEYS.get(field.encrypted or "", field.encrypted or ""),
        tuple(_shown(one) for one in field.enum),
        tuple(_limits(field)),
    )
    yield from _inside(field, place, depth + 1)


def _inside(field: Field, place: str, depth: int) -> Iterator[Row]:
    yield from _members(field.fields or {}, place, depth)
    if field.items is not None:
        item = field.items
        if item.fields is None and (item.items is not None or item.enum):
            yield from _one(item, "[]", f"{place}[]", depth)
        else:
            yield from _inside(item, f"{place}[]", depth)
    if field.content is not None:
        yield from _inside(field.content, f"{place}<{field.content_kind}>", depth)
    for number, option in enumerate(field.options):
        yield from _one(option, f"alternative {number + 1}", f"{place}|{number}", depth)


def kind(field: Field) -> str:
    """The type in words: ``array of object``, ``string, rfc3339``.

    >>> kind(Field("array", items=Field("string", format="url")))
    'array of string, url'
    """
    if field.options:
        return "one of"
    if field.type == "array" and field.items is not None:
        return f"array of {kind(field.items)}"
    words = [field.type] + ([field.format] if field.format else [])
    if field.content is not None:
        words.append(_CONTENTS.get(field.content_kind or "", "text"))
    return ", ".join(words)


def _limits(field: Field) -> Iterator[str]:
    unit = "items" if field.type == "array" else "characters"
    if field.longest is not None or field.shortest is not None:
        yield f"{_range(field.shortest, field.longest)} {unit}"
    if field.minimum is not None or field.maximum is not None:
        yield _range(field.minimum, field.maximum)
    if field.pattern:
        yield f"pattern {field.pattern}"
    if field.default is not None:
        yield f"default {_shown(field.default)}"
    if field.nullable:
        yield "may be empty"
    if field.signed:
        yield "a signature by the merchant's key"
    if field.deprecated:
        yield "deprecated"
    if field.unsure:
        yield "told by one source alone"


def _range(low: int | None, high: int | None) -> str:
    """
    >>> _range(1, 32), _range(None, 20), _range(1, None), _range(2, 2)
    ('1 to 32', 'at most 20', 'at least 1', '2')
    """
    if low is None:
        return f"at most {high}"
    if high is None:
        return f"at least {low}"
    return str(low) if low == high else f"{low} to {high}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
