"""From a request line to an endpoint: literal segments before placeholders.

A route declares what its path, query and body may hold, so that nothing is behaved upon
that has not been validated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NamedTuple
from urllib.parse import unquote

from .._messages import Headers
from .refusals import Internal, Problem, Refusal, refused
from .validation import NOTHING
from .world import Merchant


@dataclass(frozen=True)
class Call:
    """An authentic, valid request for one endpoint."""

    merchant: Merchant
    headers: Headers = field(default_factory=Headers)
    path: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    #: The parsed JSON body; empty for an endpoint without one.
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Answer(NamedTuple):
    """What an endpoint answers: a status, and data or ``None`` for an empty body."""

    status: int
    data: Any = None


#: Yields what is wrong with the path, the query or the body of a call.
Check = Callable[[Any], Iterator[Problem]]


class Route(NamedTuple):
    """One endpoint."""

    method: str
    template: str
    behave: Callable[[Call], Answer]
    path: Check = NOTHING
    query: Check = NOTHING
    #: ``None`` for an endpoint that takes no body.
    body: Check | None = None
    #: How much of a real service is behind it: what ``Wechatpay-Sandbox`` says.
    kind: str = "stateful"

    def __str__(self) -> str:
        return f"{self.method} {self.template}"


class Router:
    """The endpoints of a gateway."""

    def __init__(self, routes: Iterator[Route]) -> None:
        self.routes: tuple[Route, ...] = tuple(routes)
        self._split = [(route.template.split("/"), route) for route in self.routes]
        # A literal segment sorts before a placeholder at the same place.
        self._split.sort(key=lambda entry: [part[:1] == "{" for part in entry[0]])

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route, and the decoded values of its placeholders.

        Raises :class:`Refusal`, a 404 that names the nearest endpoints.
        """
        segments = path.split("/")
        others: list[str] = []
        for template, route in self._split:
            values = _match(template, segments)
            if values is None:
                continue
            if route.method == method:
                return route, values
            others.append(route.method)
        if others:
            raise self._no_method(method, path, sorted(set(others)))
        raise self._no_path(method, path)

    def _no_method(self, method: str, path: str, others: list[str]) -> Refusal:
        return refused(
            "RESOURCE_NOT_EXISTS",
            "method_unknown",
            f"{path} takes {', '.join(others)}, not {method[:16]}",
            number=Internal.NO_SUCH_ROUTE,
            nearest=[f"{other} {path}" for other in others],
        )

    def _no_path(self, method: str, path: str) -> Refusal:
        templates = {route.template: str(route) for route in self.routes}
        near = get_close_matches(path[:256], templates, n=3, cutoff=0.0)
        hint = ""
        if "{" in unquote(path, errors="replace"):
            hint = "; a placeholder was left as it stands"
        return refused(
            "RESOURCE_NOT_EXISTS",
            "route_unknown",
            f"the sandbox has no {method[:16]} {path[:256]}{hint}",
            number=Internal.NO_SUCH_ROUTE,
            nearest=[templates[template] for template in near],
        )


def _match(template: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(template) != len(segments):
        return None
    values: dict[str, str] = {}
    for part, segment in zip(template, segments):
        if part[:1] == "{":
            try:
                values[part[1:-1]] = unquote(segment, errors="strict")
            except UnicodeDecodeError:
                return None
        elif part != segment:
            return None
    return values
