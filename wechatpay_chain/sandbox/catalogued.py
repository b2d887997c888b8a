"""Routes whose path, query and body are checked by the catalogue.

The catalogue knows what each endpoint may hold; a product adds what documents say in
sentences, by *also*.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .. import catalogue
from .._shapes import mapping
from ..catalogue.model import Field, Operation
from ..catalogue.schema import Finding, check_members, check_value
from .refusals import Problem
from .routing import Answer, Call, Check, Route
from .validation import Rule

_STEP = re.compile(r"[.\[]([^.\[\]]+)\]?")


def route(
    method: str,
    template: str,
    behave: Callable[[Call], Answer],
    *,
    also: Rule | None = None,
    kind: str = "stateful",
) -> Route:
    """The route of an endpoint that is in the catalogue.

    *also* is a rule for the whole body, tried where each member is in order. Raises
    ``LookupError`` for an endpoint that is not in the catalogue.
    """
    operation = catalogue.find(method, template.lstrip("/"))
    if operation is None:
        raise LookupError(f"the catalogue has no {method} {template}")
    return of(operation, behave, also=also, kind=kind)


def of(
    operation: Operation,
    behave: Callable[[Call], Answer],
    *,
    also: Rule | None = None,
    kind: str = "stateful",
) -> Route:
    """The route of *operation*."""
    return Route(
        operation.method,
        f"/{operation.template}",
        behave,
        path=_values(operation.path, "path"),
        query=_values(operation.query, "query"),
        body=None if operation.body is None else _body(operation.body, also),
        kind=kind,
    )


def _values(fields: Mapping[str, Field], location: str) -> Check:
    def check(given: Any) -> Iterator[Problem]:
        for finding in check_members(fields, given, text=True):
            if finding.sure:
                problem = _problem(finding)
                name = problem.field.lstrip("/")
                yield problem._replace(field=name, location=location)

    return check


def _body(field: Field, also: Rule | None) -> Check:
    def check(given: Any) -> Iterator[Problem]:
        clean = True
        for finding in check_value(field, given, ""):
            if finding.sure:
                clean = False
                yield _problem(finding)
        if clean and also is not None and mapping(given) is not None:
            yield from also(given, "")

    return check


def _problem(finding: Finding) -> Problem:
    """A finding of the catalogue's, at its JSON pointer."""
    path, rule, got, expected = finding.problem
    place = "".join(f"/{step}" for step in _STEP.findall(f".{path}" if path else ""))
    if rule == "required":
        return Problem(place, "required, and missing")
    if rule == "unknown":
        return Problem(place, f"unknown; {expected}")
    return Problem(place or "/", f"{expected} expected, got {got}")
