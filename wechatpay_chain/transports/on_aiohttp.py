"""The default transport of awaited calls, on aiohttp (extra ``async``)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
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
)
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

from yarl import URL  # a dependency of aiohttp

#: WeChat Pay closes a connection idle for 8 s; ours retire before (design 7).
IDLE_SECONDS = 7.0
#: Connections per event loop: tasks beyond it wait, which no timeout counts.
POOL_SIZE = 512


class AiohttpTransport:
    """Sends over kept-alive connections, one pool for each event loop that is used."""

    def __init__(self, settings: NetworkSettings | None = None) -> None:
        self._settings = settings or NetworkSettings()
        self._sessions: WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[bool, aiohttp.ClientSession]
        ] = WeakKeyDictionary()
        self._origins: dict[str, URL] = {}

    async def open(self, request: Request) -> Response:
        """Send *request* and return when the headers of the answer are there."""
        connect, read = request.timeout
        try:
            raw = await self._session(request).request(
                request.method,
                self._url(request),
                data=request.body or None,
                headers=list(request.headers.pairs()),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(sock_connect=connect, sock_read=read),
                proxy=self._settings.proxy_for(request.url),
            )
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            raise _translate(error, request) from error
        except ValueError as error:
            raise ConfigurationError(
                f"the request cannot be sent: {error}", request=request.sent()
            ) from error
        return Response(
            raw.status,
            Headers(raw.headers.items()),
            Body(None, _Stream(raw, request.sent())),
            request,
        )

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def aclose(self) -> None:
        """Close the pools of the running loop; those of ended loops are dropped."""
        for session in self._sessions.pop(asyncio.get_running_loop(), {}).values():
            await session.close()

    def _url(self, request: Request) -> URL:
        """A URL that aiohttp writes as it stands.

        Path and query go in as one encoded path, for yarl would drop a bare ``?``.
        """
        target = request.target
        text = request.url[: len(request.url) - len(target)]
        origin = self._origins.get(text)
        if origin is None:
            origin = self._origins[text] = URL(text)
        return URL.build(
            scheme=origin.scheme,
            authority=origin.raw_authority,
            path=target,
            encoded=True,
        )

    def _session(self, request: Request) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        sessions = self._sessions.get(loop)
        if sessions is None:
            sessions = self._sessions[loop] = {}
        session = sessions.get(request.mutual)
        if session is None:
            session = sessions[request.mutual] = self._open_session(request)
        return session

    def _open_session(self, request: Request) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=POOL_SIZE,
                keepalive_timeout=IDLE_SECONDS,
                ssl=self._settings.tls_for(request),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
        )


class _Stream:
    """An open aiohttp body that raises only our errors."""

    __slots__ = ("_raw", "_request")

    def __init__(self, raw: aiohttp.ClientResponse, request: SentRequest) -> None:
        self._raw = raw
        self._request = request

    async def aread(self) -> bytes:
        try:
            content = await self._raw.read()
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            self._raw.close()
            raise _read_error(error, self._request) from error
        self._raw.release()
        return content

    async def achunks(self, size: int) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._raw.content.iter_chunked(size):
                yield chunk
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            raise _read_error(error, self._request) from error
        finally:
            self._raw.close()

    def close(self) -> None:
        self._raw.close()


def _translate(error: Any, request: Request) -> TransportError:
    sent = request.sent()
    connect, read = request.timeout
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return ConnectTimeout(f"no connection within {connect} s", request=sent)
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError)):
        return ConnectError(f"no connection: {_text(error)}", request=sent)
    if isinstance(error, (aiohttp.SocketTimeoutError, asyncio.TimeoutError)):
        return ReadTimeout(f"no answer within {read} s", request=sent)
    if isinstance(error, aiohttp.ClientOSError):
        return WriteError(f"cut off while sending: {_text(error)}", request=sent)
    return _read_error(error, sent)


def _read_error(error: BaseException, request: SentRequest) -> ReadError:
    if isinstance(error, asyncio.TimeoutError):
        return ReadTimeout("the answer stopped arriving", request=request)
    return ReadError(f"the answer was cut off: {_text(error)}", request=request)


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
