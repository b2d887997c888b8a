"""The default transport of sync calls, on the connection pools of ``requests``.

It uses what is below ``requests.Session`` directly, the pools of urllib3, and so does
not pay per call for what a client already knows: merged settings, proxies, netrc,
redirects, cookies, TLS contexts. The request line is the one that was signed, to the
byte: urllib3 would write ``%3d`` as ``%3D``.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Iterator
from math import inf
from typing import Any

import urllib3
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as PoolTimeout
from urllib3.util import Timeout

from .._messages import Body, Headers, Request, Response
from ..errors import (
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    ReadError,
    ReadTimeout,
    TransportError,
    WeChatPayError,
    WriteError,
    WriteTimeout,
)
from .base import by_deadline, described
from .requests_connections import CONNECT_ROUNDS, POOLS, Exchange
from .settings import NetworkSettings, Proxy

#: Idle connections kept per host: as many as a busy process has threads.
POOL_SIZE = 256
#: Hosts whose pools are kept; the least recently used goes first.
HOSTS = 32


class _Wire(dict[str, str]):
    """The headers of one request, which urllib3 must not copy or tell."""

    def copy(self) -> _Wire:
        return self  # urllib3 sends a copy, and there is nothing to keep it from

    def __repr__(self) -> str:
        # A proxy's password may be among them, and this is a local variable of frames.
        return f"<headers {', '.join(self)}>"


class RequestsTransport:
    """Sends over kept-alive connections. Safe to share between threads, and after fork.

    Raises ``TransportError``: the phase of the exchange chooses which.
    """

    def __init__(self, settings: NetworkSettings | None = None) -> None:
        self._settings = settings or NetworkSettings()
        self._process = os.getpid()
        self._pools: dict[tuple[str, bool], HTTPConnectionPool] = {}
        self._managers: dict[tuple[Proxy | None, bool], urllib3.PoolManager] = {}
        self._inherited: list[object] = []

    def open(self, request: Request) -> Response:
        """Send *request* and return when the headers of the answer are there."""
        wire: Any = _Wire(request.headers.pairs())
        if not all(map(str.isascii, wire.values())):
            # As aiohttp does; http.client would write Latin-1.
            wire.update((name, value.encode()) for name, value in wire.items())
        connect, read = request.timeout
        pool, target = self._pool(request), request.target
        if pool.proxy is not None and request.url.startswith("http:"):
            target = request.url  # absolute form (RFC 9112, 3.2.2)
            wire.update(pool.proxy_headers)
        exchange: Any = Exchange(target, request.deadline)
        try:
            raw = pool.urlopen(
                request.method,
                # Only for urllib3's own messages; the target goes with the exchange.
                "/",
                body=request.body or (b"" if request.method in _BODIED else None),
                headers=wire,
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                timeout=Timeout(connect=connect, read=read),
                pool_timeout=exchange,  # see _get_conn of the pools
            )
        except (HTTPError, OSError, ValueError) as error:
            raise _translate(error, exchange, request) from error
        if request.stream and 200 <= raw.status < 300:
            exchange.relax()
        return Response(
            raw.status,
            Headers(raw.headers.items()),
            Body(None, _Stream(raw, exchange, request)),
            request,
        )

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close every idle connection; those in use close when they are given back."""
        self._leave_parent()
        pools, self._pools, self._managers = self._pools, {}, {}
        for pool in pools.values():
            pool.close()

    def _pool(self, request: Request) -> HTTPConnectionPool:
        """The pool for the request's host, or for the proxy that leads there."""
        self._leave_parent()
        origin = request.url[: len(request.url) - len(request.target)]
        key = origin, request.mutual
        pool = self._pools.get(key)
        if pool is None:
            if len(self._pools) >= HOSTS:
                self._pools = {}  # the manager drops the oldest; none may stay here
            # Threads may meet here: all of them get the pool of the first.
            pool = self._manager(request).connection_from_url(origin)
            pool = self._pools.setdefault(key, pool)
        return pool

    def _leave_parent(self) -> None:
        """After a fork: the parent owns the sockets.

        Its pools are kept and not closed, for their locks may have been held when it
        forked.
        """
        if self._process != os.getpid():
            self._inherited += (self._pools, self._managers)
            self._process, self._pools, self._managers = os.getpid(), {}, {}

    def _manager(self, request: Request) -> urllib3.PoolManager:
        proxy = self._settings.proxy_for(request.url)
        manager = self._managers.get((proxy, request.mutual))
        if manager is None:
            manager = self._make(proxy, request)
            manager.pool_classes_by_scheme = POOLS
            manager = self._managers.setdefault((proxy, request.mutual), manager)
        return manager

    def _make(self, proxy: Proxy | None, request: Request) -> urllib3.PoolManager:
        context = self._settings.tls_for(request)
        if proxy is None:
            return urllib3.PoolManager(HOSTS, maxsize=POOL_SIZE, ssl_context=context)
        return urllib3.ProxyManager(
            proxy.url,
            HOSTS,
            maxsize=POOL_SIZE,
            proxy_headers=proxy.headers,
            ssl_context=context,
            proxy_ssl_context=self._settings.tls,
        )


#: Methods that send ``Content-Length: 0`` when they have no body (RFC 9110, 8.6).
_BODIED = frozenset({"POST", "PUT", "PATCH"})


class _Stream:
    """An open urllib3 body that raises only our errors."""

    __slots__ = ("_exchange", "_raw", "_request")

    def __init__(
        self, raw: urllib3.BaseHTTPResponse, exchange: Exchange, request: Request
    ) -> None:
        self._raw = raw
        self._exchange = exchange
        self._request = request

    def read(self) -> bytes:
        try:
            return self._raw.read()
        except (HTTPError, OSError, ValueError) as error:
            self.close()
            raise _read_error(error, self._exchange, self._request) from error

    def chunks(self, size: int) -> Iterator[bytes]:
        try:
            yield from self._raw.stream(size)
        except (HTTPError, OSError, ValueError) as error:
            raise _read_error(error, self._exchange, self._request) from error
        finally:
            self.close()

    def close(self) -> None:
        # What is unread cannot be skipped cheaply: such a connection is not kept.
        self._raw.close()
        self._raw.release_conn()


def _translate(
    error: Exception, exchange: Exchange, request: Request
) -> WeChatPayError:
    sent = request.sent()
    inner = _inner(error)
    if isinstance(error, ValueError) and not isinstance(error, (HTTPError, OSError)):
        # http.client refuses it before a byte is out: a layer built a bad request.
        return ConfigurationError(f"the request cannot be sent: {error}", request=sent)
    if exchange.phase == "connect":
        if not _is_late(inner):
            return ConnectError(f"no connection: {described(inner)}", request=sent)
        return ConnectTimeout(
            f"no connection {_within(exchange, request)}", request=sent
        )
    if _is_late(inner):
        if exchange.phase == "write":
            return WriteTimeout(f"not sent {_within(exchange, request)}", request=sent)
        return ReadTimeout(f"no answer {_within(exchange, request)}", request=sent)
    made: TransportError
    if exchange.phase == "write":
        made = WriteError(f"cut off while sending: {described(inner)}", request=sent)
    else:
        made = _read_error(error, exchange, request)
    made.stale = exchange.reused and not exchange.heard and _is_end(inner)
    return made


def _within(exchange: Exchange, request: Request) -> str:
    """The limit that was met, as messages say it."""
    connect, read = request.timeout
    seconds = read if exchange.phase == "read" else connect
    hurried = exchange.hurried
    if exchange.phase == "connect":  # which has a limit of its own as well
        hurried = hurried and (request.deadline or inf) <= connect * CONNECT_ROUNDS
    return by_deadline(request.deadline) if hurried else f"within {seconds} s"


def _read_error(error: Exception, exchange: Exchange, request: Request) -> ReadError:
    if not _is_late(_inner(error)):
        return ReadError(
            f"the answer was cut off: {described(_inner(error))}",
            request=request.sent(),
        )
    text = "the answer stopped arriving"
    if exchange.hurried:
        text = f"the answer was not complete {by_deadline(request.deadline)}"
    return ReadTimeout(text, request=request.sent())


def _inner(error: Exception) -> Exception:
    """What a ``ProtocolError("Connection aborted.", cause)`` carries, or itself."""
    cause = error.args[1] if len(error.args) > 1 else None
    return cause if isinstance(cause, Exception) else error


def _is_late(error: Exception) -> bool:
    # To urllib3 a refused connection is a timeout as well.
    return isinstance(error, (PoolTimeout, TimeoutError)) and not isinstance(
        error, NewConnectionError
    )


def _is_end(error: Exception) -> bool:
    """Whether the other side has closed, in whatever way, and not done worse."""
    cause = error.args[0] if error.args else None
    return isinstance(error, ConnectionError) or isinstance(
        cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)
    )
