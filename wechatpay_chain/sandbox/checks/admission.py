"""From a request for an endpoint to a call: parsed, validated, all problems at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ... import catalogue
from ..._messages import Request
from ..._shapes import mapping
from ...catalogue.model import Operation
from ..doors.loopback import is_loopback
from ..recording.journal import Exchange
from ..refusals import Problem, parameters
from ..routing import Call, File, Route
from ..signatures.signing import WeChatKeys
from ..v2.requests import Form
from ..world import Merchant
from . import uploads
from .parsing import parse_json, parse_query
from .policy import Validation
from .sensitive import open_fields

_HOLE = re.compile(r"\{\w*\}")
#: How many problems are looked for.
_MOST = 500


class _Given(NamedTuple):
    """What a request holds, parsed."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    files: Mapping[str, File]


class Admission:
    """Admits requests, as strictly as *validation* has it."""

    def __init__(self, keys: WeChatKeys, validation: Validation) -> None:
        self._keys = keys
        self._validation = validation
        self._operations: dict[str, Operation | None] = {}

    def admit(
        self, merchant: Merchant, exchange: Exchange, path: Mapping[str, str]
    ) -> Call:
        """Parse and validate the request. Raises :class:`Refusal`, every problem in it.

        What is let pass with a word is in ``exchange.notes``.
        """
        request, route = exchange.request, exchange.route
        assert route is not None
        operation = self._operation(route)
        problems: list[Problem] = []
        given = _parse(exchange, route, operation, path, problems)
        problems += _bounded(_problems(route, given))
        problems += _url_problems(given.body)
        query, body = given.query, given.body
        if operation is not None:
            problems = [_misplaced(one, operation, given) for one in problems]
            problems += _missing_headers(operation, exchange)
            opened = open_fields(operation, query, body, request.headers, self._keys)
            problems += opened.problems
            query, body = opened.query, opened.body
            if problems:
                source = next(iter(operation.docs), "")
                problems = [one._replace(source=source) for one in problems]
        self._judge(route, exchange, problems)
        return Call(
            merchant,
            request.headers,
            path,
            given.query,
            given.body,
            given.files,
            query,
            body,
            origin(request),
        )

    def admit_form(self, merchant: Merchant, exchange: Exchange, form: Form) -> Call:
        """The same for a request of APIv2, of which *form* is all."""
        request, route = exchange.request, exchange.route
        assert route is not None
        operation = self._operation(route)
        nothing: dict[str, str] = {}
        query, body = form.query, form.fields
        if route.body is None:
            query, body = body, nothing
        given = _Given({}, query, body, form.files)
        found = [*_bounded(_problems(route, given)), *_url_problems(form.fields)]
        if operation is not None and operation.encoding == "multipart":
            parts = uploads.Parts(form.fields, form.files)
            found += uploads.problems(operation, parts)
        self._judge(route, exchange, found)
        return Call(
            merchant,
            request.headers,
            query=query,
            body=body,
            files=form.files,
            plain_query=query,
            plain_body=body,
            origin=origin(request),
        )

    def _operation(self, route: Route) -> Operation | None:
        """What the catalogue knows of an endpoint."""
        name = str(route)
        if name not in self._operations:
            found = catalogue.find(route.method, route.template[1:])
            self._operations[name] = found
        return self._operations[name]

    def _judge(self, route: Route, exchange: Exchange, problems: list[Problem]) -> None:
        name, stateful = str(route), route.kind == "stateful"
        refused: list[Problem] = []
        for problem in problems:
            verdict = self._validation.verdict(name, problem, stateful=stateful)
            if verdict == "refuse":
                refused.append(problem)
            elif verdict == "note":
                exchange.notes.append(str(problem))
        if refused:
            raise parameters(refused)


def origin(request: Request) -> str:
    """Scheme and host that *request* was sent to."""
    return request.url.removesuffix(request.target)


def _parse(
    exchange: Exchange,
    route: Route,
    operation: Operation | None,
    path: Mapping[str, str],
    problems: list[Problem],
) -> _Given:
    """What the request holds. Raises :class:`Refusal` for what cannot be parsed."""
    request = exchange.request
    several: list[str] = []
    if operation is not None:
        fields = operation.query.items()
        several = [name for name, field in fields if field.type == "array"]
    query = parse_query(request.target.partition("?")[2], several)
    if route.body is None:
        if request.body not in (b"", b"{}"):
            problems.append(_needless_body(request.body, operation))
        return _Given(path, query, {}, {})
    if operation is not None and operation.encoding == "multipart":
        parts = uploads.parse(request)
        problems += uploads.problems(operation, parts)
        return _Given(path, query, parts.meta, parts.files)
    if not request.body and operation is not None and operation.body_optional:
        return _Given(path, query, {}, {})
    return _Given(path, query, parse_json(request.body), {})


def _needless_body(body: bytes, operation: Operation | None) -> Problem:
    problem = Problem("/", "this endpoint takes no body", rule="body")
    names = () if operation is None else operation.query
    # A quick look: whether it is JSON at all does not matter here.
    misplaced = [name for name in names if f'"{name}"'.encode() in body]
    if misplaced:
        issue = f"{problem.issue}; {', '.join(misplaced)} belong into the query"
        problem = problem._replace(issue=issue)
    return problem


def _bounded(problems: Iterator[Problem]) -> Iterator[Problem]:
    """As many as anybody reads: a body of megabytes may hold nothing else."""
    yield from islice(problems, _MOST)
    if next(problems, None) is not None:
        yield Problem("/", f"more than {_MOST} problems; the rest was not looked at")


def _problems(route: Route, given: _Given) -> Iterator[Problem]:
    yield from route.path(given.path)
    yield from route.query(given.query)
    for location, values in (("path", given.path), ("query", given.query)):
        for name, value in values.items():
            if _HOLE.fullmatch(value):
                issue = "a placeholder that was not filled in"
                yield Problem(name, issue, value, location, rule="placeholder")
    if route.body is not None:
        for problem in route.body(given.body):
            if problem.field.lstrip("/") in given.path:
                # One target field would have two sources (protocol section 2).
                issue = "already in the path; leave it out of the body"
                problem = problem._replace(issue=issue, hint="")
            yield problem


def _url_problems(body: Any) -> Iterator[Problem]:
    """What WeChat Pay would not call back."""
    url = (mapping(body) or {}).get("notify_url")
    if not isinstance(url, str):
        return
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        yield Problem("/notify_url", "no URL", url, rule="url")
        return
    if parts.query:
        issue = "a notify_url may have no query string"
        yield Problem("/notify_url", issue, url, rule="url")
    if is_loopback(host):
        issue = "a loopback address does here; WeChat Pay will not reach it"
        yield Problem("/notify_url", issue, url, rule="url", sure=False)
    elif parts.scheme != "https":
        issue = "an https:// address expected"
        yield Problem("/notify_url", issue, url, rule="url", sure=False)


def _misplaced(problem: Problem, operation: Operation, given: _Given) -> Problem:
    """*problem*, with the place that its field belongs into, or was found in."""
    name = problem.field.lstrip("/")
    body = (operation.body.fields if operation.body is not None else None) or {}
    rule, location = problem.rule, problem.location
    issue = ""
    if rule == "unknown" and name not in given.path:
        if location == "body" and name in operation.query:
            issue = "belongs into the query, not into the body"
        elif location == "query" and name in body:
            issue = "belongs into the body, not into the query"
    elif rule == "required":
        if location == "body" and name in given.query:
            issue = "required here; it stands in the query"
        elif location == "query" and name in (mapping(given.body) or {}):
            issue = "required here; it stands in the body"
    return problem._replace(issue=issue, hint="") if issue else problem


def _missing_headers(operation: Operation, exchange: Exchange) -> Iterator[Problem]:
    headers = exchange.request.headers
    for name, field in operation.further_headers.items():
        if field.required and not headers.get(name):
            yield Problem(
                name,
                "required, and missing",
                location="header",
                rule="required",
                sure=not field.unsure,
            )
