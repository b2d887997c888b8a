"""Routes whose path, query and body are checked by the catalogue.

The catalogue knows what each endpoint may hold; a product adds what documents say in
sentences, by *also*.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ... import catalogue
from ..._shapes import mapping, sequence
from ...catalogue.groups import softened
from ...catalogue.model import Field, Operation
from ...catalogue.schema import Finding, check_members, check_value
from ..refusals import Problem
from ..routing import Answer, Call, Check, Route
from .meaning import in_yuan, meant
from .uploads import meta_of
from .validation import Rule, kind_of, nearest

#: What a call holds that may have members left empty.
_MEMBERS = ("query", "body", "plain_query", "plain_body")
_STEP = re.compile(r"[.\[]([^.\[\]]+)\]?")
#: What an upload may say of its file, whether or not the documents list it.
_OF_FILES = ("filename", "sha256")


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
    """The route of *operation*: *behave* sees no member that is null or empty."""

    def on_filled(call: Call) -> Answer:
        values = {name: filled(getattr(call, name)) for name in _MEMBERS}
        return behave(replace(call, **values))

    return Route(
        operation.method,
        f"/{operation.template}",
        on_filled,
        path=_values(operation.path, "path"),
        query=_values(operation.query, "query"),
        body=None if operation.body is None else _body(operation, also),
        kind=kind,
    )


def filled(value: Any) -> Any:
    """*value* without members that are null or empty: those count as left out.

    >>> filled({"attach": "", "payer": None, "amount": {"total": 1}})
    {'amount': {'total': 1}}
    """
    members, items = mapping(value), sequence(value)
    if members is not None:
        kept = ((name, filled(one)) for name, one in members.items())
        return {name: one for name, one in kept if one is not None and one != ""}
    return value if items is None else [filled(one) for one in items]


def _values(fields: Mapping[str, Field], location: str) -> Check:
    def check(given: Any) -> Iterator[Problem]:
        for finding in check_members(fields, given, text=True):
            problem = _problem(finding, given, Field(fields=fields))
            name = problem.field.lstrip("/")
            yield problem._replace(field=name, location=location)

    return check


def _body(operation: Operation, also: Rule | None) -> Check:
    if operation.version == "v2":
        return _form(operation, also)
    field = operation.body or Field()
    upload = operation.encoding == "multipart"
    if upload:
        field = meta_of(operation)
    fields = field.fields or {}
    ours = [name for name in _OF_FILES if name not in fields] if upload else []

    def check(given: Any) -> Iterator[Problem]:
        members = mapping(given)
        if field.fields and members is not None:
            found = check_members(field.fields, members, ours=ours)
        else:
            found = check_value(field, given, "")
        clean, told = True, set[str]()
        for finding in found:
            # A member too many, or a text too long, keeps no rule from being tried:
            # both may be let pass, and what the behaviour rests on must hold then too.
            broken = finding.sure and finding.problem.rule not in ("unknown", "length")
            clean = clean and not broken
            made = _problem(finding, given, field)
            told.add(made.field)
            yield made
        if clean and also is not None and members is not None:
            more = also(filled(given), "")
            yield from (one for one in more if one.field not in told)

    return check


def _form(operation: Operation, also: Rule | None) -> Check:
    """The check of APIv2's fields, which are text; some documents forget some."""
    field = operation.body or Field()
    # The sign was checked before, and documents give it the length of one algorithm.
    fields = {**(field.fields or {}), "sign": Field("string")}
    files = [name for name, one in fields.items() if one.type == "file"]

    def check(given: Any) -> Iterator[Problem]:
        clean = True
        found = check_members(fields, given, text=True, ours=files)
        for finding in softened(found, fields, given):
            rule = finding.problem.rule
            made = _problem(finding, given, field)
            if "<json>" in made.field:
                # What a text holds differs by product, and one is described.
                made = made._replace(sure=False)
            clean = clean and (not made.sure or rule in ("unknown", "length"))
            yield made._replace(sure=made.sure and rule != "unknown")
        if clean and also is not None:
            yield from also(filled(given), "")

    return check


def _problem(finding: Finding, value: Any, field: Field) -> Problem:
    """A finding of the catalogue's about something in *value*, at its JSON pointer."""
    path, rule, got, expected = finding.problem
    steps = _STEP.findall(f".{path}" if path else "")
    place = "".join(f"/{step}" for step in steps)
    found, described, around = _at(value, field, steps)
    made = Problem(
        place or "/", "", rule=rule, expected=expected, sure=finding.sure, got=got
    )
    if rule == "required":
        return made._replace(issue="required, and missing", got="nothing")
    if rule == "unknown":
        hint = nearest(steps[-1], around) if steps else ""
        return made._replace(issue="unknown", expected="", hint=hint, value=found)
    if rule == "type":
        got = kind_of(found) if found is not None else got
        name = steps[-1] if steps else ""
        hint = meant(found, name) if described.type == "integer" else ""
        issue = f"{expected} expected, got {got}{in_yuan(found, hint)}"
        made = made._replace(hint=hint, got=got, issue=issue)
    elif rule == "enum" and described.type == "string":
        made = made._replace(hint=nearest(found, map(str, described.enum)))
    if not described.encrypted:
        made = made._replace(value=found)
    return made._replace(issue=made.issue or f"{expected} expected, got {made.got}")


def _at(value: Any, field: Field, steps: list[str]) -> tuple[Any, Field, list[str]]:
    """The value at *steps*, its description, and the names that are known beside it."""
    around: list[str] = []
    for step in steps:
        around = list(field.fields or ())
        items, members = sequence(value), mapping(value)
        if items is not None and step.isdecimal() and int(step) < len(items):
            value, field = items[int(step)], field.items or Field()
        elif members is not None:
            value = members.get(step)
            field = (field.fields or {}).get(step, Field())
        else:
            return None, Field(), around
    return value, field, around
