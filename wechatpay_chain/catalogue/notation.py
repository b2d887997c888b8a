"""From the notation of the data files to values (docs/catalogue.md describes it).

A value is a text, ``"string(rfc3339) 1..32 =x in:A|B encrypted:rsa-platform # label"``,
or ``"@Name # label"`` for a definition; an object is a mapping of its fields, ``*``
after the name of a required one and ``?`` after one that is not sure; an array is a
list of its item and, if need be, of such a text. Names with ``$`` in front add what no
text can say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast, get_args

from .model import Field, Message, Operation, Type

#: Finds a definition by its name.
Definitions = Callable[[str], Field]

_TYPES = frozenset(get_args(Type))
_RANGE = re.compile(r"(-?[0-9]*)\.\.(-?[0-9]*)")
_HEAD = re.compile(r"(@?[\w.$-]+)(?:\(([^)]+)\))?")
_FLAGS = ("nullable", "deprecated")
_CONTENTS = ("json", "urlencoded", "plain")
#: Keys of an endpoint that go into an operation as they are.
_PLAIN = (
    "title",
    "updated",
    "deprecated",
    "host",
    "url_prefix",
    "cert",
    "nonceless",
    "upload",
    "download",
    "redirect",
    "paginated",
    "body_optional",
    "errors",
)
_LISTS = ("roles", "tags", "alt_hosts")
_GROUPS = ("any_of", "one_of")
_PARTS = ("path", "query", "headers")
_KEYS = frozenset(
    {*_PLAIN, *_LISTS, *_GROUPS, *_PARTS, "docs", "encoding", "body", "answers"}
)


class NotationError(ValueError):
    """A data file says something that cannot be read; the message says where."""


def parse_field(given: Any, definitions: Definitions) -> Field:
    """The value that *given* describes."""
    if isinstance(given, str):
        return _text(given, definitions)
    if isinstance(given, list):
        return _array([*cast("Iterable[Any]", given)], definitions)
    if isinstance(given, Mapping):
        return _object(cast("Mapping[str, Any]", given), definitions)
    raise NotationError(f"a text, list or mapping expected, got {given!r}")


def parse_fields(
    given: Any, definitions: Definitions, *, required: bool = False
) -> Mapping[str, Field]:
    """The fields of *given*, by name; ``*`` and ``?`` are taken off the names."""
    if isinstance(given, str):
        return parse_field(given, definitions).fields or {}
    out: dict[str, Field] = {}
    for key, value in given.items():
        if key.startswith("$"):
            continue
        name = key.rstrip("*?")
        made = parse_field(value, definitions)
        marks = key[len(name) :]
        out[name] = replace(
            made, required=required or "*" in marks, unsure="?" in marks
        )
    return MappingProxyType(out)


def _text(given: str, definitions: Definitions) -> Field:
    head, _, label = given.partition(" # ")
    first, *tokens = head.split() or [""]
    match = _HEAD.fullmatch(first)
    if match is None:
        raise NotationError(f"{given!r}: a type, or @ and a name, comes first")
    if first.startswith("@"):
        made = replace(definitions(match[1][1:]), name=match[1][1:])
        kind: str = made.type
    else:
        kind = match[1]
        if kind not in _TYPES:
            raise NotationError(f"{given!r}: {kind!r} is no type")
        made = Field(type=kind, format=match[2])  # type: ignore[arg-type]
    changes: dict[str, Any] = {"label": label} if label else {}
    for token in tokens:
        changes.update(_token(token, kind, given))
    return replace(made, **changes) if changes else made


def _token(token: str, kind: str, given: str) -> dict[str, Any]:
    name, colon, value = token.partition(":")
    if token in _FLAGS:
        return {token: True}
    if token.startswith("="):
        return {"default": _value(token[1:], kind)}
    if name == "in" and colon:
        return {"enum": tuple(_value(one, kind) for one in value.split("|"))}
    if name in ("encrypted", "signed") and colon:
        return {name: value}
    match = _RANGE.fullmatch(value if name == "chars" else token)
    if match is None:
        raise NotationError(f"{given!r}: {token!r} is not understood")
    low, high = (int(number) if number else None for number in match.groups())
    if kind in ("integer", "number") and name != "chars":
        return {"minimum": low, "maximum": high}
    return {"shortest": low, "longest": high}


def _value(text: str, kind: str) -> Any:
    if kind in ("string", "any"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise NotationError(f"{text!r} is no {kind}") from None


def _array(given: list[Any], definitions: Definitions) -> Field:
    if not 1 <= len(given) <= 2:
        raise NotationError("an array is its item, and a text on itself if need be")
    item, *rest = given
    made = _text(rest[0], definitions) if rest else Field(type="array")
    return replace(made, items=parse_field(item, definitions))


def _object(given: Mapping[str, Any], definitions: Definitions) -> Field:
    changes: dict[str, Any] = {}
    made = _text(given.get("$", "any" if "$oneOf" in given else "object"), definitions)
    for key, value in given.items():
        if not key.startswith("$") or key == "$":
            continue
        word = key[1:]
        if word == "oneOf":
            changes["options"] = tuple(parse_field(one, definitions) for one in value)
        elif word in _CONTENTS:
            changes["content"] = parse_field(value, definitions)
            changes["content_kind"] = word
        elif word == "failure":
            changes["failure"] = parse_field(value, definitions)
        elif word == "in":
            changes["enum"] = tuple(value)
        elif word in ("pattern", "default"):
            changes[word] = value
        else:
            raise NotationError(f"{key!r} is not understood")
    if made.type == "object":
        changes["fields"] = parse_fields(given, definitions)
    elif any(not key.startswith("$") for key in given):
        raise NotationError(f"{given.get('$')!r} has fields, and is no object")
    return replace(made, **changes)


def parse_operation(
    key: str, given: Mapping[str, Any], definitions: Definitions
) -> Operation:
    """The endpoint *key*, ``"POST v3/..."``. Raises ``NotationError`` that names it."""
    method, _, template = key.partition(" ")
    unknown = given.keys() - _KEYS
    if unknown:
        raise NotationError(f"{key}: {', '.join(sorted(unknown))} is not understood")
    values: dict[str, Any] = {name: given[name] for name in _PLAIN if name in given}
    values.update((name, tuple(given[name])) for name in _LISTS if name in given)
    values.update(
        (name, tuple(tuple(one) for one in cast("list[list[str]]", given[name])))
        for name in _GROUPS
        if name in given
    )
    try:
        for part in _PARTS:
            if part in given:
                values[part] = parse_fields(
                    given[part], definitions, required=part == "path"
                )
        if "body" in given:
            values["body"] = parse_field(given["body"], definitions)
        values["answers"] = {
            int(status): None if answer is None else parse_field(answer, definitions)
            for status, answer in given.get("answers", {}).items()
        }
    except NotationError as error:
        raise NotationError(f"{key}: {error}") from None
    return Operation(
        method=method,
        template=template,
        encoding=_encoding(template, given),
        links=tuple(given.get("docs", ())),
        **values,
    )


def _encoding(template: str, given: Mapping[str, Any]) -> str | None:
    if "body" not in given:
        return None
    usual = "xml" if template.startswith("v2/") else "json"
    found: str = given.get("encoding", "multipart" if given.get("upload") else usual)
    return found


def parse_message(
    event_type: str, given: Mapping[str, Any], definitions: Definitions
) -> Message:
    """The notification *event_type*."""
    resource = given.get("resource", given.get("body"))
    reply = given.get("reply")
    return Message(
        event_type,
        given.get("title", ""),
        tuple(given.get("also", ())),
        given.get("moved_to"),
        tuple(given.get("original_type", ())),
        None if resource is None else parse_field(resource, definitions),
        None if reply is None else parse_field(reply, definitions),
        tuple(given.get("docs", ())),
    )
