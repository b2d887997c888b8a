"""The connections below ``on_requests``: urllib3's, which keep to a deadline.

A timeout of a socket is per ``recv``, so a server that trickles could hold a caller for
ever. Ours bound an exchange as a whole, know in what phase it is and whether a byte of
the answer came, and retire before WeChat Pay closes them.
"""

from __future__ import annotations

import io
import socket
import sys
import time
from collections.abc import Iterator
from http.client import HTTPResponse, RemoteDisconnected
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

if TYPE_CHECKING:
    # What the mixins are mixed with.
    _Connection = HTTPConnection
    _Pool = HTTPConnectionPool
else:
    _Connection = _Pool = object

#: WeChat Pay closes a connection idle for 8 s; ours retire before.
IDLE_SECONDS = 7.0
#: A host may have several addresses, and TLS and a proxy take time of their own: all of
#: it together may take this many connect timeouts.
CONNECT_ROUNDS = 2
#: Bytes that are sent under one timeout: a TLS record.
PART = 1 << 14


class Exchange:
    """One request and its answer, as far as the connection knows it."""

    __slots__ = ("ended", "ends", "heard", "hurried", "phase", "reused", "target")

    def __init__(self, target: str, deadline: float | None) -> None:
        #: What stands on the request line, to the byte.
        self.target: str = target
        #: ``"connect"``, ``"write"`` or ``"read"``.
        self.phase: str = "connect"
        #: When it has to be over, by ``time.monotonic()``; ``None``: whenever.
        self.ends = None if deadline is None else time.monotonic() + deadline
        #: Whether the latest step got less time than its own timeout.
        self.hurried: bool = False
        #: Whether the connection had served another request before.
        self.reused: bool = False
        #: Whether a byte of the answer came.
        self.heard: bool = False
        #: Whether the other side has closed.
        self.ended: bool = False

    def seconds(self, timeout: float) -> float:
        """What the next step may take: *timeout*, or what is left if that is less."""
        if self.ends is None:
            return timeout
        left = self.ends - time.monotonic()
        self.hurried = left < timeout
        if left <= 0:
            raise TimeoutError("the deadline is over")
        return min(timeout, left)

    def relax(self) -> None:
        """From here on only the timeout between two parts counts."""
        self.ends = None
        self.hurried = False


class _Reader(io.RawIOBase):
    """The file of a socket, which gets no more time than its exchange has."""

    def __init__(self, sock: Any, exchange: Exchange, timeout: float) -> None:
        # The socket's own, unbuffered: it counts as a user of the socket until closed.
        self._raw: io.RawIOBase = sock.makefile("rb", buffering=0)
        self._sock = sock
        self._exchange = exchange
        self._timeout = self._current = timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        exchange = self._exchange
        seconds = exchange.seconds(self._timeout)
        if seconds != self._current:
            self._sock.settimeout(seconds)
            self._current = seconds
        count = self._raw.readinto(buffer)
        if count:
            exchange.heard = True
        else:
            exchange.ended = True
        return count

    def close(self) -> None:
        super().close()
        self._raw.close()


class _Source:
    """What ``http.client`` takes for a socket, to make a file of."""

    __slots__ = ("_reader",)

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._reader)


class _Answer(HTTPResponse):
    """An answer that is final, whatever came before it."""

    def begin(self) -> None:
        """Read the head, after those of informational answers (RFC 9110, 15.2)."""
        # http.client knows 100 only. Of any other, the next call got the answer.
        super().begin()
        while 101 < self.status < 200:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()
        # What follows 101 is no HTTP.
        self.will_close = self.will_close or self.status == 101


def _answer(
    connection: _Lasting, sock: Any, *args: Any, **options: Any
) -> HTTPResponse:
    """Make the answer of *connection*, which is read within the time for it."""
    source: Any = _Source(_Reader(sock, connection.exchange, connection.timeout))
    return _Answer(source, *args, **options)


class _Lasting(_Connection):
    """What our connections add to urllib3's."""

    #: A method to ``http.client``, which calls it for each answer.
    response_class: Any = _answer
    #: What it is used for at the moment; the pool sets it.
    exchange: Exchange
    #: Seconds for a step: those to connect while it connects and sends.
    timeout: Any
    #: Since when it is idle.
    rested = 0.0

    def connect(self) -> None:
        """Connect, to whichever address, within the time for all of it."""
        exchange = self.exchange
        ends = exchange.ends
        limit = time.monotonic() + CONNECT_ROUNDS * self.timeout
        exchange.ends = limit if ends is None else min(ends, limit)
        super().connect()
        exchange.ends, exchange.hurried = ends, False
        self.rested = time.monotonic()

    def _new_conn(self) -> socket.socket:
        """The same as urllib3's, but for the time left to each address."""
        sys.audit("http.client.connect", self, self.host, self.port)
        try:
            return self._reach()
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "connecting timed out") from error
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error

    def _reach(self) -> socket.socket:
        failure: OSError | None = None
        for family, kind, protocol, _, address in socket.getaddrinfo(
            self._dns_host.strip("[]"),
            self.port,
            allowed_gai_family(),
            socket.SOCK_STREAM,
        ):
            sock = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                self._hurry(sock)
                sock.connect(address)
                self._hurry(sock)  # for a TLS handshake
                return sock
            except OSError as error:
                sock.close()
                failure = error
        try:
            raise failure or OSError("the name has no address")
        finally:
            failure = None  # it would keep this frame, and this frame it

    def _tunnel(self) -> None:
        super()._tunnel()
        self._hurry(self.sock)

    def _hurry(self, sock: Any) -> None:
        sock.settimeout(self.exchange.seconds(self.timeout))

    @property
    def is_connected(self) -> bool:
        """False makes urllib3 replace it: idle too long, or closed at the other end."""
        return time.monotonic() - self.rested < IDLE_SECONDS and super().is_connected

    def request(self, method: str, url: str, *args: Any, **options: Any) -> None:
        """Connect where it is not, and send the target as it was signed."""
        del url  # urllib3 has normalised it
        if self.sock is None:
            self.connect()
        exchange = self.exchange
        exchange.phase = "write"
        super().request(method, exchange.target, *args, **options)
        exchange.phase = "read"

    def getresponse(self) -> Any:
        """The answer, once its head is there; all of it."""
        response = super().getresponse()
        if self.exchange.ended:
            # http.client takes what came for the whole head.
            response.close()
            raise RemoteDisconnected("closed within the head")
        return response

    def send(self, data: Any) -> None:
        """Send *data*, in parts that each have a timeout of their own."""
        for part in _parts(data):
            seconds = self.exchange.seconds(self.timeout)
            if seconds != self.timeout:
                self.sock.settimeout(seconds)
            super().send(part)


def _parts(data: bytes) -> Iterator[bytes | memoryview]:
    if len(data) <= PART:
        return iter((data,))
    view = memoryview(data)
    return (view[at : at + PART] for at in range(0, len(view), PART))


class _HTTPConnection(_Lasting, HTTPConnection):
    pass


class _HTTPSConnection(_Lasting, HTTPSConnection):
    pass


class _Swept(_Pool):
    """Hands the exchange to a connection, and closes those that nobody takes again."""

    _swept = 0.0

    def _get_conn(self, timeout: Any = None) -> Any:
        # Waiting for a connection is nothing that our pools do: *timeout*, which is
        # ``pool_timeout`` of ``urlopen``, has room for the exchange.
        exchange: Exchange = timeout
        connection: Any = super()._get_conn()
        exchange.reused = connection.sock is not None
        connection.exchange = exchange
        return connection

    def _put_conn(self, conn: Any) -> None:
        now = time.monotonic()
        if conn is not None:
            conn.rested = now
        super()._put_conn(conn)
        if now - self._swept >= IDLE_SECONDS:
            self._swept = now
            self._sweep()

    def _sweep(self) -> None:
        """Close what has been idle too long. It lies at the bottom of the stack."""
        pool = self.pool
        if pool is None:
            return  # closed
        with pool.mutex:
            idle = [item for item in pool.queue if item is not None]
            kept = [item for item in idle if item.is_connected]
            # Places stay, under what is kept: it is taken first.
            pool.queue[:] = [None] * (len(pool.queue) - len(kept)) + kept
        for connection in set(idle).difference(kept):
            connection.close()


# The protocols by which urllib3 declares the class do not fit its own either: Any.


class _HTTPPool(_Swept, HTTPConnectionPool):
    ConnectionCls: Any = _HTTPConnection


class _HTTPSPool(_Swept, HTTPSConnectionPool):
    ConnectionCls: Any = _HTTPSConnection


POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _HTTPPool, "https": _HTTPSPool}
