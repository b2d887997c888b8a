"""From the bytes of a request to data, refusing what is no JSON and no query.

Syntax only: which members there may be is the business of ``validation``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from ..._shapes import mapping, sequence
from ..refusals import Problem, parameters

#: Far more than any call needs; the walk below must not exhaust the stack.
_DEPTH = 32
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_json(content: bytes) -> Any:
    """The JSON of a body: UTF-8 without BOM, no name twice (protocol section 2).

    Raises :class:`Refusal`, ``PARAM_ERROR``.
    """
    if not content:
        raise parameters([Problem("/", "a JSON body is required, this one is empty")])
    try:
        return strict_json(content)
    except UnicodeDecodeError as error:
        issue = f"not UTF-8 at byte {error.start}"
    except RecursionError:
        issue = "nested too deeply"
    except ValueError as error:
        issue = f"not JSON: {error}"
    raise parameters([Problem("/", issue)])


def strict_json(content: bytes) -> Any:
    """The same for who refuses otherwise.

    Raises ``ValueError``, or ``RecursionError`` for what is nested too deeply.
    """
    value = _DECODER.decode(content.decode("utf-8"))
    _check(value)
    return value


def parse_query(
    query: str, several: Collection[str] = frozenset[str]()
) -> dict[str, str]:
    """The decoded parameters of a query, none of them twice but for *several*.

    Those are joined by commas. Raises :class:`Refusal`, ``PARAM_ERROR``.
    """
    values: dict[str, str] = {}
    problems: list[Problem] = []
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError:
        raise parameters([Problem("", "not UTF-8", query, "query")]) from None
    for name, value in pairs:
        if name in values and name in several:
            value = f"{values[name]},{value}"
        elif name in values:
            problems.append(Problem(name, "given twice", value, "query"))
        values[name] = value
    if problems:
        raise parameters(problems)
    return values


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:64]!a} is given twice")
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def _check(value: Any) -> None:
    """Refuse depth, text that has no UTF-8, and numbers that are none."""
    level = [value]
    for _ in range(_DEPTH):
        for one in level:
            if isinstance(one, str) and _SURROGATE.search(one):
                raise ValueError("a lone surrogate has no UTF-8")
            if isinstance(one, float) and not math.isfinite(one):
                raise ValueError("a number is too large")
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return
    raise RecursionError


def _inside(value: Any) -> Iterator[Any]:
    fields = mapping(value)
    if fields is not None:
        yield from fields
        yield from fields.values()
    else:
        yield from sequence(value) or ()
