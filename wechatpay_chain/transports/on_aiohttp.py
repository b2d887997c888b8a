"""The default transport of awaited calls, on aiohttp (extra ``async``)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .._messages import Body, Headers, Request, Response
from ..errors import (
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    ReadError,
    ReadTimeout,
    SentRequest,
    TransportError,
    WriteError,
    WriteTimeout,
)
from .base import described
from .settings import NetworkSettings

if TYPE_CHECKING:
    import aiohttp
else:
    try:
        import aiohttp
    except ImportError as error:
        raise ConfigurationError(
            "awaited calls need aiohttp: pip install 'wechatpay-chain[async]'"
        ) from error

# Dependencies of aiohttp.
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

#: WeChat Pay closes a connection idle for 8 s; ours retire before.
IDLE_SECONDS = 7.0
#: Connections per event loop: tasks beyond it wait, which no timeout counts.
POOL_SIZE = 512
#: Above this a body may fill the socket's buffer, and sending it may stall.
LARGE_BODY = 1 << 16
#: Bytes per second below which the sending of a large body is given up.
SLOWEST = 1 << 14


class _Failure(Exception):
    """The library's own error, and the phase of the exchange in which it was met.

    It is none of the library's, which would send an idempotent request once more, with
    the signature of the first.
    """

    def __init__(self, phase: str, error: Exception) -> None:
        super().__init__(phase)
        self.phase = phase
        self.error = error


class _Connector(aiohttp.TCPConnector):
    async def connect(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().connect(*args, **options)
        except _ERRORS as error:
            raise _Failure("connect", error) from error


class _Answer(aiohttp.ClientResponse):
    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        try:
            return await super().start(connection)
        except _ERRORS as error:
            raise _Failure("read", error) from error


#: What aiohttp would add to a request that lacks it.
_AUTOMATIC = ("User-Agent", "Accept", "Content-Type")
_ERRORS = (aiohttp.ClientError, OSError, asyncio.TimeoutError)
_Pool = AsyncGenerator[aiohttp.ClientSession, None]


class AiohttpTransport:
    """Sends over kept-alive connections, one pool for each event loop that is used."""

    def __init__(self, settings: NetworkSettings | None = None) -> None:
        self._settings = settings or NetworkSettings()
        self._sessions: WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[bool, tuple[aiohttp.ClientSession, _Pool]]
        ] = WeakKeyDictionary()
        self._origins: dict[str, URL] = {}

    async def open(self, request: Request) -> Response:
        """Send *request* and return when the headers of the answer are there."""
        session = self._session(request) or await self._open_session(request)
        try:
            raw = await session.request(
                request.method,
                self._url(request),
                allow_redirects=False,
                **self._options(request),
            )
        except _Failure as failure:
            raise _translate(failure.error, failure.phase, request) from failure.error
        except _ERRORS as error:
            raise _translate(error, "write", request) from error
        except ValueError as error:
            raise ConfigurationError(
                f"the request cannot be sent: {error}", request=request.sent()
            ) from error
        return Response(
            raw.status,
            Headers(raw.headers.items()),
            Body(None, _Stream(raw, request)),
            request,
        )

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def aclose(self) -> None:
        """Close the pools of the running loop; those of other loops end with them."""
        for _, pool in self._sessions.pop(asyncio.get_running_loop(), {}).values():
            await pool.aclose()

    def _url(self, request: Request) -> URL:
        """A URL that aiohttp writes as it stands.

        Path and query go in as one encoded path, for yarl would drop a bare ``?``.
        """
        target = request.target
        text = request.url[: len(request.url) - len(target)]
        origin = self._origins.get(text)
        if origin is None:
            if len(self._origins) >= 32:
                self._origins.clear()
            origin = self._origins[text] = URL(text)
        return URL.build(
            scheme=origin.scheme,
            authority=origin.raw_authority,
            path=target,
            encoded=True,
        )

    def _options(self, request: Request) -> dict[str, Any]:
        connect, read = request.timeout
        headers = list(request.headers.pairs())
        body: Any = request.body or None
        total = None
        if len(request.body) > LARGE_BODY:
            # aiohttp warns of large bytes, and has no timeout for writing.
            body = BytesIO(request.body)
            total = connect + read + len(request.body) / SLOWEST
        options: dict[str, Any] = {"headers": headers, "data": body}
        unset = [name for name in _AUTOMATIC if name not in request.headers]
        if unset:  # aiohttp is quicker where there is nothing to leave out
            options["skip_auto_headers"] = unset
        proxy = self._settings.proxy_for(request.url)
        if proxy is not None:
            options["proxy"] = proxy.url
            if request.url.startswith("https:"):
                options["proxy_headers"] = proxy.headers
            else:
                headers.extend(proxy.headers.items())
        options["timeout"] = _timeout(connect, read, total, proxy is not None)
        return options

    def _session(self, request: Request) -> aiohttp.ClientSession | None:
        sessions = self._sessions.get(asyncio.get_running_loop(), {})
        return sessions[request.mutual][0] if request.mutual in sessions else None

    async def _open_session(self, request: Request) -> aiohttp.ClientSession:
        # An asynchronous generator, for a loop that ends closes those (asyncio.run
        # does): so a pool ends with its loop, though nobody could close the client.
        pool = _pool(self._settings, request)
        session = await pool.__anext__()  # does not wait
        sessions = self._sessions.setdefault(asyncio.get_running_loop(), {})
        sessions[request.mutual] = session, pool
        return session


@lru_cache(maxsize=64)
def _timeout(
    connect: float, read: float, total: float | None, proxied: bool
) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=total,
        # To connect to a host; for a proxy's CONNECT there is only the whole.
        sock_connect=connect,
        connect=connect if proxied else None,
        sock_read=read,
    )


async def _pool(settings: NetworkSettings, request: Request) -> _Pool:
    session = aiohttp.ClientSession(
        connector=_Connector(
            limit=POOL_SIZE,
            keepalive_timeout=IDLE_SECONDS,
            ssl=settings.tls_for(request),
        ),
        response_class=_Answer,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )
    try:
        yield session
    finally:
        await session.close()


class _Stream:
    """An open aiohttp body that raises only our errors."""

    __slots__ = ("_raw", "_request")

    def __init__(self, raw: aiohttp.ClientResponse, request: Request) -> None:
        self._raw = raw
        self._request = request

    async def aread(self) -> bytes:
        try:
            content = await self._raw.read()
        except _ERRORS as error:
            self._raw.close()
            raise _read_error(error, self._request.sent()) from error
        self._raw.release()
        return content

    async def achunks(self, size: int) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._raw.content.iter_chunked(size):
                yield chunk
        except _ERRORS as error:
            raise _read_error(error, self._request.sent()) from error
        finally:
            self._raw.close()

    def close(self) -> None:
        self._raw.close()


def _translate(error: Exception, phase: str, request: Request) -> TransportError:
    sent = request.sent()
    connect, read = request.timeout
    late = isinstance(error, asyncio.TimeoutError)
    if isinstance(error, aiohttp.ClientResponseError):
        _hide_headers(error)
    if phase == "connect":
        if late:
            return ConnectTimeout(f"no connection within {connect} s", request=sent)
        return ConnectError(f"no connection: {described(error)}", request=sent)
    if phase == "write":
        if late:
            return WriteTimeout("the body was not taken in time", request=sent)
        return WriteError(f"cut off while sending: {described(error)}", request=sent)
    if late:
        return ReadTimeout(f"no answer within {read} s", request=sent)
    return _read_error(error, sent)


def _read_error(error: BaseException, request: SentRequest) -> ReadError:
    if isinstance(error, asyncio.TimeoutError):
        return ReadTimeout("the answer stopped arriving", request=request)
    return ReadError(f"the answer was cut off: {described(error)}", request=request)


def _hide_headers(error: aiohttp.ClientResponseError) -> None:
    """Take the request's headers from *error*: a proxy's password may be among them."""
    info = error.request_info
    error.request_info = aiohttp.RequestInfo(
        info.url, info.method, CIMultiDictProxy(CIMultiDict[str]()), info.real_url
    )
    error.args = (error.request_info, error.history)
