"""The connections below ``on_aiohttp``: aiohttp's, which keep to a deadline.

They are looked at before they are used again, for a loop that was busy has not seen yet
that the other side has closed. And they tell in what phase an exchange broke.
"""

from __future__ import annotations

import asyncio
import os
import select
import ssl
import time
from collections.abc import AsyncGenerator, Callable
from functools import lru_cache, partial
from math import inf
from typing import Any, cast
from weakref import ref

import aiohttp
from aiohttp.client_proto import ResponseHandler
from urllib3.util import wait_for_read

from .limit import within

#: WeChat Pay closes a connection idle for 8 s; ours retire before.
IDLE_SECONDS = 7.0
#: Connections per event loop: tasks beyond it wait, which only the deadline counts.
POOL_SIZE = 512
#: A host may have several addresses, and a name, TLS and a proxy take time of their
#: own: all of it together may take this many connect timeouts.
CONNECT_ROUNDS = 2

#: Seconds by which a loop's timers may be early.
_EARLY = max(0.001, 2 * time.get_clock_info("monotonic").resolution)

#: An open session; a loop that ends closes it, as it does asynchronous generators.
Pool = AsyncGenerator[aiohttp.ClientSession, None]

#: What aiohttp raises.
ERRORS = (aiohttp.ClientError, OSError, asyncio.TimeoutError)


class Failure(Exception):
    """The library's own error, and where in the exchange it was met.

    It is none of the library's, which would send an idempotent request once more, with
    the signature of the first.
    """

    def __init__(
        self, phase: str, error: Exception, *, overdue: bool, stale: bool = False
    ) -> None:
        super().__init__(phase)
        #: ``"connect"`` or ``"read"``.
        self.phase = phase
        self.error = error
        #: Whether the deadline was over.
        self.overdue = overdue
        #: Whether a kept connection ended before a byte of the answer came.
        self.stale = stale


class Line(ResponseHandler):
    """A connection that knows what became of the request it was used for last."""

    #: Whether it has served a request.
    used: bool = False
    #: Whether it had when the present one began.
    reused: bool = False
    #: Whether a byte of the answer came.
    heard: bool = False
    #: Whether the deadline of the exchange ended it.
    overdue: bool = False
    #: When the exchange has to be over, by the loop's time.
    _ends: float | None = None
    #: One timer for many exchanges: it looks when it is time whether it still is.
    _alarm: asyncio.TimerHandle | None = None
    _holder: Callable[[], Any] = staticmethod(lambda: None)
    _readable: Callable[[], Any] = staticmethod(lambda: False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Prepare to look whether there is something to read."""
        super().connection_made(transport)
        sock = transport.get_extra_info("socket")
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(sock, select.POLLIN)
            self._readable = partial(poll.poll, 0)
        else:
            self._readable = partial(wait_for_read, sock, 0)

    def begin(self, connection: Any, ends: float | None) -> None:
        """Take the request of *connection*, to be answered by *ends*, loop's time."""
        self.reused, self.used = self.used, True
        self.heard = False
        self._holder = ref(connection)
        self._ends = ends
        if ends is not None and (self._alarm is None or self._alarm.when() > ends):
            self._set_alarm(ends)

    def is_fresh(self) -> bool:
        """False where the other side has closed it, or sent what nobody asked for.

        Never used, it may have to read what belongs to the TLS handshake.
        """
        return not (self.used and (self.should_close or self._readable()))

    async def read(self) -> Any:
        """Wait for the head of an answer."""
        # With an informational answer before it (1xx), aiohttp ends the timeout.
        if not self._buffer:
            self.start_timeout()
        return await super().read()

    def relax(self) -> None:
        """From here on only the timeout between two parts counts."""
        self._ends = None

    def data_received(self, data: bytes) -> None:
        """Take note, and read on; what nobody asked for is no answer to anything."""
        if data:  # or aiohttp goes on with what it has
            if self.used and not self._is_held():
                self.close()
                return
            self.heard = True
        super().data_received(data)

    def close(self) -> None:
        """Close at once: nothing is under way that anybody waits for.

        Otherwise what the other side does not take would keep the socket open, and with
        TLS its farewell would be waited for.
        """
        if self.transport is not None:
            self.transport.abort()
        super().close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Let the alarm go, which would keep this in memory."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self.transport is not None:
            # To Python 3.10 one that the other side has closed is unclosed with TLS.
            self.transport.close()
        super().connection_lost(exc)

    def _is_held(self) -> bool:
        """Whether an exchange is under way."""
        holder = self._holder()
        return holder is not None and holder.protocol is self

    def _set_alarm(self, when: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        self._alarm, ends = None, self._ends
        if ends is None or not self._is_held():
            return  # idle, or streaming
        if ends - self._loop.time() > _EARLY:
            self._set_alarm(ends)
            return
        self.overdue = True
        error = aiohttp.SocketTimeoutError("the deadline is over")
        self.set_exception(error)
        if self._payload is not None:
            self._payload.set_exception(error)


class Connector(aiohttp.TCPConnector):
    """Gives out lines, and for reuse only those that still hold."""

    _process = 0

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            limit=POOL_SIZE, keepalive_timeout=IDLE_SECONDS, ssl=tls
        )
        self._factory = cast(Any, partial(Line, loop=self._loop))
        self._process = os.getpid()
        #: What is known of the origins that were called, by scheme and authority.
        self.origins: dict[str, Any] = {}

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:
        """Connect, or take a line that is idle. ``timeout.connect`` is the deadline."""
        ends = None if timeout.connect is None else self._loop.time() + timeout.connect
        try:
            while True:  # as often as there are idle ones at most: nothing waits here
                connection = await super().connect(req, traces, timeout)
                line = connection.protocol
                assert isinstance(line, Line)
                if line.is_fresh():
                    break
                connection.close()
        except ERRORS as error:
            overdue = ends is not None and self._loop.time() >= ends - _EARLY
            raise Failure("connect", error, overdue=overdue) from error
        line.begin(connection, ends)
        return connection

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> Any:
        # aiohttp's own timeouts are for one address, and for all with those before it
        # in the queue.
        seconds = CONNECT_ROUNDS * timeout.sock_connect
        if timeout.connect is not None:
            seconds = min(seconds, timeout.connect)
        making = super()._create_connection(req, traces, timeout)
        return await within(seconds, making, drop=ResponseHandler.close)

    def __del__(self, _process: Any = os.getpid) -> None:
        # In a fork it has nothing to close: the parent goes on with the sockets, and
        # with the selector that its loop shares with the child's copy of it.
        if self._process == _process():
            super().__del__()


class Answer(aiohttp.ClientResponse):
    """An answer that keeps its line, to tell what ended it."""

    line: Line

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Wait for the headers."""
        line = self.line = connection.protocol
        try:
            return await super().start(connection)
        except ERRORS as error:
            raise read_failure(line, error) from error


def read_failure(line: Line, error: Exception) -> Failure:
    """What *error*, met before the headers of an answer were there, means."""
    stale = line.reused and not line.heard and _is_end(error)
    return Failure("read", error, overdue=line.overdue, stale=stale)


@lru_cache(maxsize=64)
def client_timeout(
    connect: float, read: float, deadline: float | None
) -> aiohttp.ClientTimeout:
    """The timeouts of a request, of which a client has few."""
    return aiohttp.ClientTimeout(
        total=None,  # it would not let a stream last
        connect=deadline,  # see Connector.connect
        sock_connect=connect,
        sock_read=read,
        ceil_threshold=inf,  # to the point, not to the next full second
    )


async def open_pool(tls: ssl.SSLContext) -> Pool:
    """A session of the running loop, closed with the generator."""
    session = aiohttp.ClientSession(
        connector=Connector(tls),
        response_class=Answer,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )
    try:
        yield session
    finally:
        await session.close()


def _is_end(error: Exception) -> bool:
    """Whether the other side has closed, in whatever way, and not done worse."""
    if isinstance(error, asyncio.TimeoutError):
        return False
    if isinstance(error, (aiohttp.ServerDisconnectedError, ConnectionError)):
        return True
    cause = error.__cause__
    return isinstance(error, aiohttp.ClientOSError) and isinstance(
        cause, ConnectionError
    )
