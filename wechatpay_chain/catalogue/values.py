"""What must hold of a value in the notation, found with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from .model import Field
from .notation import Definitions, NotationError, parse_field

#: Characters of a label at most: it is a name, not a description.
LABEL = 16

_CONTENTS = ("json", "urlencoded", "plain")
_NAME = re.compile(r"[^\s$*?#.\[\]<>|]+(?:_\$n(?:_\$m)?)?\*?\??")
#: A misspelt word here would send a secret in plain.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "encrypted": ("rsa-platform", "rsa-merchant", "rsa-bank", "aes-gcm", "aes-ecb"),
    "signed": ("rsa-merchant",),
}
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


class Fault(NamedTuple):
    """What is wrong, and where: ``body.amount.total``."""

    place: str
    what: str


def faults(given: Any, place: str, definitions: Definitions) -> list[Fault]:
    """Everything that is wrong with the value *given* at *place*."""
    found = list(_faults(given, place, definitions))
    if not found:
        # Each part is right. What is left is how they stand together.
        try:
            parse_field(given, definitions)
        except NotationError as error:
            found.append(Fault(place, str(error)))
    return found


def _faults(given: Any, place: str, definitions: Definitions) -> Iterator[Fault]:
    if isinstance(given, str):
        yield from (Fault(place, what) for what in _of_text(given, definitions))
    elif isinstance(given, list):
        yield from _of_array([*cast("Iterable[Any]", given)], place, definitions)
    elif isinstance(given, dict):
        yield from _of_object(cast("dict[str, Any]", given), place, definitions)
    else:
        what = f"a text, an array or an object expected, got {json.dumps(given)}"
        yield Fault(place, what)


def _of_array(
    given: list[Any], place: str, definitions: Definitions
) -> Iterator[Fault]:
    if not 1 <= len(given) <= 2:
        yield Fault(place, "an array is its item, and a text on itself if need be")
        return
    yield from _faults(given[0], f"{place}[]", definitions)
    if len(given) == 2:
        if not isinstance(given[1], str) or not given[1].startswith("array"):
            yield Fault(place, f'"array ..." expected beside the item: {given[1]!r}')
        else:
            yield from _faults(given[1], place, definitions)


def _of_object(
    given: Mapping[str, Any], place: str, definitions: Definitions
) -> Iterator[Fault]:
    names = [key.rstrip("*?") for key in given if not key.startswith("$")]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield Fault(f"{place}.{name}" if place else name, "stands twice")
    for key, value in given.items():
        word = key[1:]
        if not key.startswith("$"):
            yield from _of_member(key, value, place, definitions)
        elif word == "":
            yield from _faults(value, place, definitions)
        elif word == "oneOf":
            for number, option in enumerate(value):
                yield from _faults(option, f"{place}|{number}", definitions)
        elif word in (*_CONTENTS, "failure"):
            yield from _faults(value, f"{place}<{word}>", definitions)
        elif word == "pattern":
            yield from (Fault(place, what) for what in _of_pattern(value))


def _of_member(
    key: str, value: Any, place: str, definitions: Definitions
) -> Iterator[Fault]:
    name = key.rstrip("*?")
    where = f"{place}.{name}" if place else name
    if not _NAME.fullmatch(key):
        yield Fault(where, f"{key!r} is no name, with * and ? after it at most")
    yield from _faults(value, where, definitions)


def _of_text(given: str, definitions: Definitions) -> Iterator[str]:
    try:
        value = parse_field(given, definitions)
    except NotationError as error:
        yield str(error)
        return
    head, _, label = given.partition(" # ")
    if given != " # ".join([" ".join(head.split()), *([label.strip()] * bool(label))]):
        yield f"{given!r}: one space between two words, and none at the end"
    if len(label) > LABEL:
        yield f"the label {label!r} has {len(label)} characters; {LABEL} are allowed"
    if not head.startswith("@"):
        yield from _of_limits(value)


def _of_limits(value: Field) -> Iterator[str]:
    for low, high in (
        (value.minimum, value.maximum),
        (value.shortest, value.longest),
    ):
        if low is not None and high is not None and low > high:
            yield f"{low}..{high} is empty"
    if min(value.shortest or 0, value.longest or 0) < 0:
        yield "a length below zero"
    for mark, words in _WORDS.items():
        word = getattr(value, mark)
        if word not in (None, *words):
            yield f"{mark}:{word} is none of {', '.join(words)}"
    if len(set(value.enum)) != len(value.enum):
        yield "a value stands twice in its list"
    kind = _TYPES.get(value.type, (object,))
    for one in (*value.enum, value.default):
        if one is not None and not isinstance(one, kind):
            yield f"{one!r} is no {value.type}"
    if value.default is not None and value.enum and value.default not in value.enum:
        yield f"the default {value.default!r} is not in the list"


def _of_pattern(given: Any) -> Iterator[str]:
    try:
        re.compile(given)
    except (re.error, TypeError) as error:
        yield f"the pattern {given!r}: {error}"
