"""Transports without a socket: the request goes to a callable. For tests.

A handler gets the request as it would go over the wire and returns a ``Response``, or
raises a ``TransportError`` to play a broken line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable, iscoroutine

from .._messages import Request, Response

Handler = Callable[[Request], Response]
AsyncHandler = Callable[[Request], Response | Awaitable[Response]]


class MemoryTransport:
    """Hands requests to *handler*. Sleeping calls *sleep*, by default nothing waits.

    Where *sleep* and *handler* move a clock of their own, *timer* reads it, in seconds
    that only go forward: the deadline of a call is measured by it.

    >>> from wechatpay_chain.middleware import Request, Response
    >>> transport = MemoryTransport(lambda request: Response(204))
    >>> transport.open(Request("GET", "http://localhost/v3/x")).status_code
    204
    """

    def __init__(
        self,
        handler: Handler,
        *,
        sleep: Callable[[float], None] | None = None,
        timer: Callable[[], float] | None = None,
    ) -> None:
        self._handler = handler
        self._sleep = sleep
        #: What measures the time of a call; ``None`` is real time.
        self.timer = timer

    def open(self, request: Request) -> Response:
        """Answer from the handler."""
        return _checked(self._handler(request))

    def sleep(self, seconds: float) -> None:
        """Tell *sleep*; no real time passes."""
        if self._sleep is not None:
            self._sleep(seconds)

    def close(self) -> None:
        """Nothing is open."""


class AsyncMemoryTransport:
    """The same for awaited calls; the handler may be a coroutine function."""

    def __init__(
        self,
        handler: AsyncHandler,
        *,
        sleep: Callable[[float], None] | None = None,
        timer: Callable[[], float] | None = None,
    ) -> None:
        self._handler = handler
        self._sleep = sleep
        #: What measures the time of a call; ``None`` is real time.
        self.timer = timer

    async def open(self, request: Request) -> Response:
        """Answer from the handler."""
        response = self._handler(request)
        return _checked(await response if isawaitable(response) else response)

    async def sleep(self, seconds: float) -> None:
        """Tell *sleep*; no real time passes."""
        if self._sleep is not None:
            self._sleep(seconds)

    async def aclose(self) -> None:
        """Nothing is open."""


def _checked(answer: object) -> Response:
    """What a handler returned; a ``return`` is easily forgotten."""
    if isinstance(answer, Response):
        return answer
    kind = type(answer).__name__
    if iscoroutine(answer):
        answer.close()  # it would warn that it was never awaited
    raise TypeError(
        f"the handler of a memory transport returned {kind}, not a "
        "Response; a coroutine function goes into AsyncMemoryTransport"
    )
