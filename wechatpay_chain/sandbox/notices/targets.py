"""Where notifications go: a callable, a WSGI or ASGI application, a loopback address.

Each takes the request and says what came of it. Nothing here knows what is in it.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ..._messages import Request, Response
from ...errors import ConnectTimeout, ReadTimeout, WriteTimeout
from ..doors.loopback import is_loopback
from .applications import (
    FIRST_BYTES,
    TIMEOUT,
    NoAnswer,
    Reaction,
    asgi,
    awaited,
    wait,
    wsgi,
)
from .posting import post

_TIMEOUTS = (TimeoutError, ConnectTimeout, ReadTimeout, WriteTimeout)

#: What :meth:`~.gateway.Gateway.deliver_to` takes: a function of the request that
#: returns a ``Response``, a status or ``None`` for 200; a WSGI or ASGI application; or
#: the URL of a server on this machine.
Handler = Callable[..., Any] | str


class Target:
    """One place to deliver to."""

    def __init__(self, kind: str, run: Callable[[Request, float], Reaction]) -> None:
        #: ``"callable"``, ``"wsgi"``, ``"asgi"`` or ``"http"``.
        self.kind = kind
        self._run = run

    def send(self, request: Request, limit: float = TIMEOUT) -> Reaction:
        """Deliver; whatever is raised on the other side is a reaction too.

        *limit*: seconds that a server gets. What runs in this process has its own.
        """
        started = time.monotonic()
        try:
            reaction = self._run(request, limit)
        except _TIMEOUTS:
            reaction = Reaction(timed_out=True, error="timed out")
        except NoAnswer as error:
            reaction = Reaction(500, error=str(error))
        except Exception as error:
            # What a server makes of it: 500. Text of the handler's own may be private.
            reaction = Reaction(500, error=f"it raised {type(error).__name__}")
        return reaction._replace(seconds=time.monotonic() - started)

    def __repr__(self) -> str:
        return f"<Target {self.kind}>"


def target(handler: Handler) -> Target:
    """The target that *handler* is. Raises ``ValueError`` for an address elsewhere."""
    if isinstance(handler, str):
        refusal = not_here(handler)
        if refusal:
            raise ValueError(f"{handler[:64]}: {refusal}")

        return Target(
            "http", lambda request, limit: post(request.replace(url=handler), limit)
        )
    if not callable(handler):
        raise TypeError(
            "a callable, a WSGI or ASGI application or a URL is delivered to, not "
            f"{type(handler).__name__}"
        )
    kind = _kind(handler)
    runs = {"asgi": asgi, "wsgi": wsgi, "callable": _callable}
    run = runs[kind]
    return Target(kind, lambda request, _limit: run(handler, request))


def loopback() -> Target:
    """The target behind a notification's own URL, where that is on this machine."""

    def run(request: Request, limit: float) -> Reaction:
        refusal = not_here(request.url)
        if refusal:
            return Reaction(sent=False, error=refusal)
        return post(request, limit)

    return Target("http", run)


def not_here(url: str) -> str:
    """Why nothing is sent to *url*, or ``""`` where it is on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - a port that is none raises
    except ValueError:
        return "not a URL"
    if parts.scheme not in ("http", "https") or not host:
        return "not an http or https URL"
    return "" if is_loopback(host) else "not loopback"


def _kind(handler: Callable[..., Any]) -> str:
    """By what it asks for: (scope, receive, send), (environ, start_response), or one.

    A class with ``__call__`` counts as its method does.
    """
    asked = [
        parameter
        for parameter in inspect.signature(handler).parameters.values()
        if parameter.kind
        in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and parameter.default is parameter.empty
    ]
    return {3: "asgi", 2: "wsgi"}.get(len(asked), "callable")


def _callable(handler: Callable[..., Any], request: Request) -> Reaction:
    answer = handler(request)
    if inspect.isawaitable(answer):
        answer = wait(lambda: awaited(answer))
    if isinstance(answer, Response):
        location = answer.headers.get("Location", "")
        return Reaction(answer.status_code, answer.content[:FIRST_BYTES], location)
    if answer is None:
        return Reaction(200)
    if isinstance(answer, int) and not isinstance(answer, bool):
        return Reaction(int(answer))
    kind = type(answer).__name__
    raise NoAnswer(f"it returned {kind}, no Response, status or None")
