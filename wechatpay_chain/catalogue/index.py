"""What is searched: the words of every endpoint, taken from the files as they are.

Reading them as text is what makes the first search quick: no operation is made for it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple, cast

from . import store

#: Taken off for what was withdrawn, for other versions than APIv3, and for what is
#: abroad, or for institutions (机构): most who search have a shop at home.
_DEPRECATED, _OTHER, _ABROAD = 30, 15, 30
_AWAY = frozenset({"hk", "global", "oversea", "customs", "acquiringbank"})
#: Roles of a merchant of its own.
_DIRECT_ROLES = frozenset({"直连商户", "普通商户"})

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NONE = store.Segment({})
#: Keys of a value below which there is nothing to find.
_NO_FIELDS = frozenset({"$in", "$pattern", "$default", "$failure"})


class Entry(NamedTuple):
    """What is searched of one endpoint, in lower case, ``-`` written ``_``."""

    key: str
    title: str
    path: str
    #: The path with the words of a segment written together.
    joined: str
    #: What people call it, beside its title.
    names: tuple[str, ...]
    tags: tuple[str, ...]
    errors: tuple[str, ...]
    #: Names and labels, each between two line feeds.
    fields: str
    definitions: frozenset[str]
    #: Added to what the words are worth.
    bonus: int
    #: Which of two comes first that are worth the same: what a merchant of its own may
    #: call, then the shorter one.
    order: tuple[bool, int, int, str]


def plain(text: str) -> str:
    """As everything is compared: ``outTradeNo`` and ``out-trade-no`` are one.

    So are the wide letters of a Chinese keyboard, ``ｊｓａｐｉ``, and the usual ones.
    """
    text = unicodedata.normalize("NFKC", text)
    return _HUMP.sub("_", text).lower().replace("-", "_").strip("/")


@cache
def entries() -> list[Entry]:
    """One for each endpoint."""
    return [
        _entry(key, given)
        for version in store.VERSIONS
        for name in store.segments(version)
        for key, given in (store.segment(version, name) or _NONE).data.items()
    ]


def _entry(key: str, given: Mapping[str, Any]) -> Entry:
    names: list[str] = []
    definitions: set[str] = set()
    for part in ("path", "query", "headers", "body"):
        _collect(given.get(part), names, definitions)
    for answer in given["answers"].values():
        _collect(answer, names, definitions)
    template = key.partition(" ")[2]
    roles = given.get("roles", ())
    return Entry(
        key,
        plain(given["title"]),
        plain(template),
        plain(template).replace("_", ""),
        tuple(map(plain, store.names().get(key, ()))),
        tuple(map(plain, (*given.get("tags", ()), *roles))),
        tuple(map(plain, given.get("errors", ()))),
        plain("\n".join(["", *names, ""])),
        frozenset(definitions),
        -_DEPRECATED * ("deprecated" in given)
        - _OTHER * (not template.startswith("v3/"))
        - _ABROAD * (not _AWAY.isdisjoint(template.split("/"))),
        (_DIRECT_ROLES.isdisjoint(roles), template.count("/"), len(template), key),
    )


def _collect(given: Any, names: list[str], definitions: set[str]) -> None:
    """Add the names and labels in *given*, and the definitions that it refers to."""
    if isinstance(given, str):
        head, mark, label = given.partition(" # ")
        if mark:
            names.append(label)
        if head.startswith("@"):
            definitions.add(head[1:].split(" ", 1)[0])
    elif isinstance(given, list):
        for one in cast("Iterable[Any]", given):
            _collect(one, names, definitions)
    elif isinstance(given, dict):
        for key, value in cast("dict[str, Any]", given).items():
            if key not in _NO_FIELDS:
                if not key.startswith("$"):
                    names.append(key.rstrip("*?"))
                _collect(value, names, definitions)


@cache
def defined() -> Mapping[str, str]:
    """Names and labels of each definition, with those of what it refers to."""
    raw = store.definitions()

    def names_of(name: str) -> list[str]:
        names: list[str] = []
        inner: set[str] = set()
        _collect(raw[name], names, inner)
        return names + [one for other in sorted(inner) for one in names_of(other)]

    return {name: plain("\n".join(["", *names_of(name), ""])) for name in raw}


@cache
def vocabulary() -> list[str]:
    """Every word of paths, titles and error codes, to find near ones in."""
    words = {*store.synonyms()}
    for entry in entries():
        words.update(re.split(r"[/_{}]+", entry.path), entry.path.split("/"))
        words.update((entry.title, *entry.errors))
    return sorted(word for word in words if len(word) > 1)
