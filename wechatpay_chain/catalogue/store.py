"""Where operations are found: one data file per segment, loaded when it is asked for.

A file is read as plain JSON; each operation becomes a value when it is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from .model import Field, Message, Operation
from .notation import NotationError, parse_field, parse_message, parse_operation

#: The versions that there are, in the order of their numbers of endpoints.
VERSIONS = ("v3", "v2", "hk")

_DATA = files(__package__ or "") / "data"


class Segment:
    """The operations below one segment of a version: ``v3/payscore``."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        #: As the file has it: what the notation says by ``"POST v3/..."``.
        self.data = data
        self._made: dict[str, Operation] = {}
        self._tree: dict[str, Any] = {}
        for key in data:
            method, _, template = key.partition(" ")
            at = self._tree
            for part in template.split("/"):
                at = at.setdefault(part, {})
            at.setdefault(_HERE, {})[method] = key

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Operation]:
        return map(self._operation, self.data)

    def templates(self) -> list[str]:
        """The templates of all operations, each once, in order."""
        return list(dict.fromkeys(key.partition(" ")[2] for key in self.data))

    def at(self, path: str) -> Mapping[str, Operation]:
        """The operations of a template, or of a path that is filled in, by method."""
        here: dict[str, str] = _search(self._tree, path.split("/"), 0) or {}
        return {method: self._operation(key) for method, key in here.items()}

    def find(self, method: str, path: str) -> Operation | None:
        """The operation of *method* on *path*."""
        here: dict[str, str] = _search(self._tree, path.split("/"), 0) or {}
        key = here.get(method)
        return None if key is None else self._operation(key)

    def children(self, path: str) -> list[str]:
        """The segments that may follow *path*, as templates write them."""
        at = self._tree
        for part in path.split("/"):
            at = at.get(part, {})
        return [part for part in at if part is not _HERE]

    def _operation(self, key: str) -> Operation:
        made = self._made.get(key)
        if made is None:
            made = parse_operation(key, self.data[key], definition)
            self._made[key] = made
        return made


#: The key under which a path of the tree keeps its own operations: no segment is it.
_HERE: Any = None


def _search(at: Mapping[str, Any], parts: list[str], depth: int) -> Any:
    """What stands at *parts*: literal segments first, then placeholders."""
    if depth == len(parts):
        return at.get(_HERE)
    part = parts[depth]
    exact = at.get(part)
    if exact is not None:
        found = _search(exact, parts, depth + 1)
        if found is not None:
            return found
    if not part or part.startswith("{"):
        return None
    for name, below in at.items():
        if name is not _HERE and name.startswith("{"):
            found = _search(below, parts, depth + 1)
            if found is not None:
                return found
    return None


def segments(version: str) -> tuple[str, ...]:
    """The names of the segments of *version*."""
    return _segments(version) if version in VERSIONS else ()


@cache  # there are as many as there are versions and files
def _segments(version: str) -> tuple[str, ...]:
    names = (entry.name for entry in (_DATA / version).iterdir())
    return tuple(sorted(n.removesuffix(".json") for n in names if n.endswith(".json")))


def segment(version: str, name: str) -> Segment | None:
    """The operations below ``version/name``, or ``None`` where there are none."""
    return _segment(version, name) if name in segments(version) else None


@cache
def _segment(version: str, name: str) -> Segment:
    return Segment(_load(f"{version}/{name}.json"))


def _load(name: str) -> Any:
    try:
        return json.loads((_DATA / name).read_text("utf-8"))
    except ValueError as error:
        raise NotationError(f"{name}: {error}") from None


@cache
def definitions() -> Mapping[str, Any]:
    """What several endpoints share, by name, as the file has it."""
    data: Mapping[str, Any] = _load("definitions.json")
    return data


@cache
def synonyms() -> Mapping[str, list[str]]:
    """English words, and the Chinese ones of titles that mean the same."""
    data: Mapping[str, list[str]] = _load("synonyms.json")
    return data


@cache
def names() -> Mapping[str, list[str]]:
    """What endpoints are called by people, where that is not their title."""
    data: Mapping[str, list[str]] = _load("names.json")
    return data


@cache
def definition(name: str) -> Field:
    """The value that several endpoints share under *name*."""
    if name not in definitions():
        raise NotationError(f"@{name} is not in definitions.json")
    return parse_field(definitions()[name], definition)


def segment_of(path: str) -> Segment | None:
    """The segment that *path* is in: ``hk/v3/...`` goes by its third part."""
    parts = path.split("/", 3)
    at = 2 if parts[0] == "hk" else 1
    return segment(parts[0], parts[at]) if len(parts) > at else None


@cache
def messages() -> Mapping[str, Message]:
    """The notifications of APIv3 by ``event_type``."""
    given = _load("notifications.json")["v3"]
    return {name: parse_message(name, given[name], definition) for name in given}


@cache
def xml_messages() -> Mapping[str, Message]:
    """The notifications of APIv2 by the name of their document."""
    given = _load("notifications.json")["v2"]
    return {name: parse_message(name, given[name], definition) for name in given}


@cache
def envelope() -> Field:
    """What each notification of APIv3 is wrapped in."""
    return parse_field(_load("notifications.json")["envelope"], definition)
