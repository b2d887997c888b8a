"""The default transport of sync calls, on the connection pools of ``requests``.

It uses what is below ``requests.Session`` directly, the pools of urllib3, and so does
not pay per call for what a client already knows: merged settings, proxies, netrc,
redirects, cookies, TLS contexts. The request line is the one that was signed, to the
byte: urllib3 would write ``%3d`` as ``%3D``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
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
    SentRequest,
    WeChatPayError,
    WriteError,
    WriteTimeout,
)
from .base import described
from .settings import NetworkSettings, Proxy

if TYPE_CHECKING:
    # What the mixin is mixed with.
    _Connection = HTTPConnection
else:
    _Connection = object

#: WeChat Pay closes a connection idle for 8 s; ours retire before.
IDLE_SECONDS = 7.0
#: Idle connections kept per host: as many as a busy process has threads.
POOL_SIZE = 256
#: Hosts whose pools are kept; the least recently used goes first.
HOSTS = 32


class _Wire(dict[str, str]):
    """The headers of one request, and what urllib3 must not touch or tell.

    It travels through urllib3 as the mapping of headers and comes out at our own
    connection class, which alone knows in what phase the exchange is.
    """

    target: str
    phase = "connect"

    def copy(self) -> _Wire:
        return self  # urllib3 sends a copy, which must stay this one

    def __repr__(self) -> str:
        # A proxy's password may be among them, and this is a local variable of frames.
        return f"<headers {', '.join(self)}>"


class _Lasting(_Connection):
    """What our connections add to urllib3's: the exact target, phase, retirement."""

    _rested = 0.0

    def connect(self) -> None:
        super().connect()
        self._rested = time.monotonic()

    @property
    def is_connected(self) -> bool:
        """False makes urllib3 replace it: idle too long, or closed at the other end."""
        return time.monotonic() - self._rested < IDLE_SECONDS and super().is_connected

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        del url  # the target is in the headers
        assert isinstance(headers, _Wire)
        if self.sock is None:
            self.connect()
        headers.phase = "write"
        super().request(method, headers.target, body=body, headers=headers, **options)
        headers.phase = "read"

    def getresponse(self) -> Any:
        response = super().getresponse()
        self._rested = time.monotonic()
        return response


class _HTTPConnection(_Lasting, HTTPConnection):
    pass


class _HTTPSConnection(_Lasting, HTTPSConnection):
    pass


# The protocols by which urllib3 declares the class do not fit its own either: Any.


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls: Any = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls: Any = _HTTPSConnection


_POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _HTTPPool, "https": _HTTPSPool}


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
        wire = _Wire(request.headers.pairs())
        connect, read = request.timeout
        pool, wire.target = self._pool(request), request.target
        if pool.proxy is not None and request.url.startswith("http:"):
            wire.target = request.url  # absolute form (RFC 9112, 3.2.2)
            wire.update(pool.proxy_headers)
        try:
            raw = pool.urlopen(
                request.method,
                # Only for urllib3's own messages; the target goes with the headers.
                "/",
                body=request.body or (b"" if request.method in _BODIED else None),
                headers=wire,
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                timeout=Timeout(connect=connect, read=read),
            )
        except (HTTPError, OSError, ValueError) as error:
            raise _translate(error, wire.phase, request) from error
        return Response(
            raw.status,
            Headers(raw.headers.items()),
            Body(None, _Stream(raw, request.sent())),
            request,
        )

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close every idle connection; those in use close when they are given back."""
        pools, self._pools, self._managers = self._pools, {}, {}
        for pool in pools.values():
            pool.close()

    def _pool(self, request: Request) -> HTTPConnectionPool:
        """The pool for the request's host, or for the proxy that leads there."""
        if self._process != os.getpid():
            # A fork: the parent owns the sockets. Its pools are kept and not closed,
            # for their locks may have been held when it forked.
            self._inherited += (self._pools, self._managers)
            self._process, self._pools, self._managers = os.getpid(), {}, {}
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

    def _manager(self, request: Request) -> urllib3.PoolManager:
        proxy = self._settings.proxy_for(request.url)
        manager = self._managers.get((proxy, request.mutual))
        if manager is None:
            manager = self._make(proxy, request)
            manager.pool_classes_by_scheme = _POOLS
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

    __slots__ = ("_raw", "_request")

    def __init__(self, raw: urllib3.BaseHTTPResponse, request: SentRequest) -> None:
        self._raw = raw
        self._request = request

    def read(self) -> bytes:
        try:
            return self._raw.read()
        except (HTTPError, OSError, ValueError) as error:
            self.close()
            raise _read_error(error, self._request) from error

    def chunks(self, size: int) -> Iterator[bytes]:
        try:
            yield from self._raw.stream(size)
        except (HTTPError, OSError, ValueError) as error:
            raise _read_error(error, self._request) from error
        finally:
            self.close()

    def close(self) -> None:
        # What is unread cannot be skipped cheaply: such a connection is not kept.
        self._raw.close()
        self._raw.release_conn()


def _translate(error: Exception, phase: str, request: Request) -> WeChatPayError:
    sent = request.sent()
    if isinstance(error, ValueError) and not isinstance(error, (HTTPError, OSError)):
        # http.client refuses it before a byte is out: a layer built a bad request.
        return ConfigurationError(f"the request cannot be sent: {error}", request=sent)
    late = _is_late(_inner(error))
    connect, read = request.timeout
    if phase == "connect":
        if late:
            return ConnectTimeout(f"no connection within {connect} s", request=sent)
        return ConnectError(f"no connection: {described(_inner(error))}", request=sent)
    if phase == "write":
        if late:
            return WriteTimeout(f"not sent within {connect} s", request=sent)
        return WriteError(
            f"cut off while sending: {described(_inner(error))}", request=sent
        )
    if late:
        return ReadTimeout(f"no answer within {read} s", request=sent)
    return _read_error(error, sent)


def _read_error(error: Exception, request: SentRequest) -> ReadError:
    if _is_late(_inner(error)):
        return ReadTimeout("the answer stopped arriving", request=request)
    return ReadError(
        f"the answer was cut off: {described(_inner(error))}", request=request
    )


def _inner(error: Exception) -> Exception:
    """What a ``ProtocolError("Connection aborted.", cause)`` carries, or itself."""
    cause = error.args[1] if len(error.args) > 1 else None
    return cause if isinstance(cause, Exception) else error


def _is_late(error: Exception) -> bool:
    # To urllib3 a refused connection is a timeout as well.
    return isinstance(error, (PoolTimeout, TimeoutError)) and not isinstance(
        error, NewConnectionError
    )
