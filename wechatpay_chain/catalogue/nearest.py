"""What may have been meant by a call that the catalogue does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache

from .._chain import attribute
from ..errors import Problem
from . import at, segments, templates

_PLACEHOLDER = re.compile(r"\{\w+\}")
#: How alike two segments are of which one is the other, misspelt.
_ALIKE = 0.75


@lru_cache(maxsize=512)
def verbs(path: str) -> tuple[str, ...]:
    """The verbs of the template *path*, whatever its placeholders are called.

    None for a path that is filled in: what fills it may be a segment of an endpoint
    that is new.
    """
    shape = _shape(path)
    found = at(path) or at(_PLACEHOLDER.sub("_", path))
    return tuple(name for name, one in found.items() if _shape(one.template) == shape)


def wrong_verb(method: str, path: str) -> Problem | None:
    """That *path* has other verbs than *method*, which may be a segment below it."""
    known = verbs(path)
    if method in known:
        return None
    if known:
        return Problem("method", "method", method, " or ".join(known))
    below = f"{path}/{method.lower()}"  # receivers.delete is not receivers.delete_.post
    chain = f".{attribute(method.lower())}"
    meant = [f"{verb} {below} ({chain}.{verb.lower()})" for verb in verbs(below)]
    return Problem("method", "method", method, " or ".join(meant)) if meant else None


@lru_cache(maxsize=512)
def misspelt(path: str) -> Problem | None:
    """That *path* is a template of which one segment is written wrongly."""
    near = None if at(path) or verbs(path) else nearest(path)
    return None if near is None else Problem("path", "unknown", repr(path), repr(near))


def nearest(path: str) -> str | None:
    """The template that differs from *path* in the spelling of one segment."""
    best = max(_candidates(path.split("/")), default=(0.0, ""))
    return best[1] or None


def near_paths(path: str, limit: int = 3) -> list[str]:
    """Templates that *path* may have been meant for, the most likely first."""
    exact = nearest(path)
    close = get_close_matches(path, templates(), limit, _ALIKE)
    first = [exact] if exact is not None else []
    return [*first, *(one for one in close if one != exact)][:limit]


def _candidates(parts: list[str]) -> Iterator[tuple[float, str]]:
    at_segment = 2 if parts[0] == "hk" else 1
    if len(parts) <= at_segment:
        return
    head, name = parts[:at_segment], parts[at_segment]
    known = segments(parts[0])
    for one in [name] if name in known else get_close_matches(name, known, 3, _ALIKE):
        for template in templates("/".join([*head, one])):
            worth = _likeness(template.split("/"), parts)
            if worth:
                yield worth, template


def _likeness(template: list[str], parts: list[str]) -> float:
    """How alike they are; nothing where more than one segment is misspelt."""
    if len(template) != len(parts):
        return 0.0
    worth = 1.0
    for known, given in zip(template, parts):
        if known == given or (given and known.startswith("{")):
            continue
        ratio = SequenceMatcher(None, known, given).ratio()
        if worth < 1 or ratio < _ALIKE or given.startswith("{"):
            return 0.0
        worth = ratio
    return worth if worth < 1 else 0.0


def _shape(path: str) -> str:
    return _PLACEHOLDER.sub("{}", path)
