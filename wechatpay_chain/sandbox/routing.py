"""From a request line to an endpoint: literal segments before placeholders.

A route declares what its path, query and body may hold, so that nothing is behaved upon
that has not been validated. Endpoints that no product serves come from the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote

from .. import catalogue
from .._messages import Headers
from ..catalogue.model import Operation
from .checks.validation import NOTHING
from .nearest import Nearest
from .refusals import Internal, Problem, Refusal, refused
from .world import Merchant

#: First segments of templates; that of APIv2 is not part of a URL.
VERSIONS = ("v3", "hk", "v2")

#: What some hosts have before the path, and catalogue and templates have not.
_PREFIXES = ("/global",)


class File(NamedTuple):
    """A file of an upload."""

    name: str
    content: bytes

    def __repr__(self) -> str:
        return f"<File of {len(self.content)} bytes>"


@dataclass(frozen=True)
class Call:
    """An authentic, valid request for one endpoint."""

    merchant: Merchant
    headers: Headers = field(default_factory=Headers)
    path: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    #: The parsed JSON body, of an upload its ``meta``; empty for an endpoint without.
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    #: The files of an upload, by the name of their part.
    files: Mapping[str, File] = field(default_factory=dict[str, File])
    #: Query and body with what was encrypted (敏感字段) in plain.
    plain_query: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    plain_body: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    #: Scheme and host that it came to: where an answer may lead on to.
    origin: str = ""


class Answer(NamedTuple):
    """What an endpoint answers: a status, and data or ``None`` for an empty body."""

    status: int
    #: JSON, or a :class:`~.signing.Download`.
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


#: The key under which the tree keeps the routes of a path: no segment is it.
_HERE: Any = None
#: The key of any placeholder: no segment is it.
_ANY: Any = True


class Router:
    """The endpoints of a gateway.

    *other* makes the route of an operation of the catalogue that none of *routes*
    serves; without it there are only *routes*.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        other: Callable[[Operation], Route] | None = None,
    ) -> None:
        self.routes: tuple[Route, ...] = tuple(routes)
        self._other = other
        self._made: dict[str, Route] = {str(route): route for route in self.routes}
        self._tree: dict[Any, Any] = {}
        for route in self.routes:
            at = self._tree
            for part in route.template.split("/"):
                at = at.setdefault(_ANY if part[:1] == "{" else part, {})
            at.setdefault(_HERE, []).append(route)
        self._nearest = Nearest(map(str, self.routes), VERSIONS if other else ())

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route, and the decoded values of its placeholders.

        Raises :class:`Refusal`, a 404 that names the nearest endpoints.
        """
        for prefix in _PREFIXES:
            if path.startswith(f"{prefix}/v3/"):
                path = path.removeprefix(prefix)
        # A placeholder that was not filled in is a value, and a wrong one.
        sent = path.replace("{", "%7B").replace("}", "%7D")
        segments = sent.split("/")
        found = list(_search(self._tree, segments, 0))
        known = self._known(sent)
        route = next((one for one in found if one.method == method), None)
        operation = known.get(method)
        if operation is not None and (
            route is None or _shape(operation.template) < _shape(route.template[1:])
        ):
            route = self.of(operation)
        values = None if route is None else _values(route.template, segments)
        if route is not None and values is not None:
            return route, values
        others = sorted({*known, *(one.method for one in found)})
        if route is None and others:
            raise self._no_method(method, path, others)
        raise self._no_path(method, path)

    def route(self, method: str, template: str) -> Route:
        """The route of a template. Raises ``LookupError`` where there is none.

        >>> from wechatpay_chain.sandbox import Gateway
        >>> Gateway(seed=1).router.route("POST", "/v3/marketing/favor/users/1").kind
        Traceback (most recent call last):
        ...
        LookupError: the sandbox has no POST /v3/marketing/favor/users/1
        """
        made = self._made.get(f"{method} {template}")
        operation = self._known(template).get(method) if made is None else None
        if operation is not None and f"/{operation.template}" == template:
            made = self.of(operation)
        if made is None:
            raise LookupError(f"the sandbox has no {method} {template}")
        return made

    def of(self, operation: Operation) -> Route:
        """The route of *operation*: a product's, or else one that gives an example."""
        name = f"{operation.method} /{operation.template}"
        route = self._made.get(name)
        if route is None:
            assert self._other is not None
            route = self._made[name] = self._other(operation)
        return route

    def _known(self, path: str) -> Mapping[str, Operation]:
        """What the catalogue has at *path*, by method."""
        if self._other is None or path[1:].partition("/")[0] not in VERSIONS:
            return {}
        return catalogue.at(path[1:])

    def _no_method(self, method: str, path: str, others: list[str]) -> Refusal:
        sentence = f"{path[:256]} takes {', '.join(others)}, not {method[:16]}"
        return refused(
            "RESOURCE_NOT_EXISTS",
            "method_unknown",
            sentence,
            message=f"资源不存在：{sentence}",
            number=Internal.NO_SUCH_ROUTE,
            nearest=[f"{other} {path[:256]}" for other in others],
        )

    def _no_path(self, method: str, path: str) -> Refusal:
        hint = ""
        if "{" in unquote(path, errors="replace"):
            hint = "; a placeholder was left as it stands"
        sentence = f"the sandbox has no {method[:16]} {path[:256]}{hint}"
        near, same = self._nearest.find(method, path[:256])
        if same:
            advice = f"did you mean {near[0]}? Only the spelling differs"
        else:
            advice = f"nearest: {', '.join(near)}"
        return refused(
            "RESOURCE_NOT_EXISTS",
            "route_unknown",
            sentence,
            message=f"资源不存在：{sentence}; {advice}",
            number=Internal.NO_SUCH_ROUTE,
            nearest=near,
        )


def _shape(template: str) -> list[bool]:
    """What sorts literal segments before placeholders at the same place."""
    return [part[:1] == "{" for part in template.split("/")]


def _search(at: Mapping[Any, Any], parts: list[str], depth: int) -> Iterator[Route]:
    """The routes at *parts*: literal segments first, then placeholders."""
    if depth == len(parts):
        yield from at.get(_HERE, ())
        return
    part = parts[depth]
    if part in at:
        yield from _search(at[part], parts, depth + 1)
    if part and _ANY in at:
        yield from _search(at[_ANY], parts, depth + 1)


def _values(template: str, segments: list[str]) -> dict[str, str] | None:
    """The decoded values of the placeholders; ``None`` where one is not UTF-8."""
    values: dict[str, str] = {}
    for part, segment in zip(template.split("/"), segments):
        if part[:1] == "{":
            try:
                values[part[1:-1]] = unquote(segment, errors="strict")
            except UnicodeDecodeError:
                return None
    return values
