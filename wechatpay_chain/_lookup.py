"""What the catalogue knows of a template, for the calls that are made of it.

It is loaded with the first call, not with the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from .catalogue import Operation

_PLACEHOLDER = re.compile(r"\{\w+\}")
#: Characters that mean the same with ``%`` and without (RFC 3986, unreserved).
_ESCAPED = re.compile(
    r"%(?:2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])", re.IGNORECASE
)
#: Verbs whose one argument is the query.
_QUERIED = ("GET", "DELETE")


@lru_cache(maxsize=2048)
def known(method: str, text: str) -> Operation | None:
    """The operation of the template *text*, or of a path that is filled in.

    Placeholders may have other names than in the catalogue, and the path a slash more
    or less at its end: ``check`` tells of them, and what is sensitive is concealed.
    """
    path = _path(text)
    blank = _PLACEHOLDER.sub("_", path)
    other = blank.removesuffix("/") if blank.endswith("/") else f"{blank}/"
    found = (filled(method, one) for one in (path, blank, other))
    return next(filter(None, found), None)


def filled(method: str, path: str) -> Operation | None:
    """The operation of *path*, in which every placeholder has its value.

    Nothing is kept: there are as many paths as there are orders.
    """
    from .catalogue import find

    return find(method, _path(path))


def _path(text: str) -> str:
    """*text* less the query, in its usual spelling."""
    return _ESCAPED.sub(lambda found: unquote(found[0]), text.partition("?")[0])


@lru_cache(maxsize=2048)
def wrong_verb(method: str, text: str) -> str:
    """What to say first of a verb that *text* does not have, where it has another."""
    from .catalogue.nearest import wrong_verb as look

    problem = look(method, text.partition("?")[0])
    return "" if problem is None else f"{problem.expected} expected, got {method}; "


def hint(method: str, text: str, names: Iterable[str]) -> str:
    """Where those of the keywords *names* belong that are fields of the endpoint."""
    operation = known(method, text)
    if operation is None:
        return ""
    body = (operation.body and operation.body.fields) or {}
    verb = method.lower()
    for name in names:
        if name in operation.path:
            continue
        if name in operation.query:
            first = f'{verb}({{"{name}": ...}}) or ' if method in _QUERIED else ""
            return f"; {name} is a field of the query: {first}params={{...}}"
        if name in body:
            return f'; {name} is a field of the body: {verb}({{"{name}": ...}})'
    return ""
