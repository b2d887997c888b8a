"""From a request for an endpoint to a call: parsed, validated, all problems at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .journal import Exchange
from .parsing import parse_json, parse_query
from .refusals import Problem, parameters
from .routing import Call, Route
from .world import Merchant


def admit(merchant: Merchant, exchange: Exchange, path: Mapping[str, str]) -> Call:
    """Parse and validate the request. Raises :class:`Refusal` with every problem."""
    request, route = exchange.request, exchange.route
    assert route is not None
    problems = list(route.path(path))
    query = parse_query(request.target.partition("?")[2])
    problems += route.query(query)
    body: Any = {}
    if route.body is not None:
        body = parse_json(request.body)
        problems += _body_problems(route, body, path)
    elif request.body:
        problems.append(Problem("/", "this endpoint takes no body"))
    if problems:
        raise parameters(problems)
    return Call(merchant, request.headers, path, query, body)


def _body_problems(
    route: Route, body: Any, path: Mapping[str, str]
) -> Iterator[Problem]:
    assert route.body is not None
    for problem in route.body(body):
        if problem.field.lstrip("/") in path:
            # One target field would have two sources (protocol section 2).
            issue = "already in the path; leave it out of the body"
            problem = problem._replace(issue=issue)
        yield problem
