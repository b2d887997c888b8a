"""The default transport of awaited calls, on aiohttp (extra ``async``)."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from .._messages import Body, Headers, Request, Response
from ..errors import (
    ConfigurationError,
    ReadError,
    ReadTimeout,
)
from .base import by_deadline
from .settings import NetworkSettings, Proxy

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

from .aiohttp_connections import (
    ERRORS,
    Answer,
    Failure,
    Pool,
    client_timeout,
    open_pool,
)
from .aiohttp_errors import read_error, translate, write_error
from .aiohttp_exchange import Reply, exchange

#: Above this a body may fill the socket's buffer, and sending it may stall.
LARGE_BODY = 1 << 16
#: Bytes per second below which the sending of a large body is given up.
SLOWEST = 1 << 14

#: What aiohttp would add to a request that lacks it.
_AUTOMATIC = ("User-Agent", "Accept", "Content-Type")


class AiohttpTransport:
    """Sends over kept-alive connections, one pool for each event loop that is used."""

    def __init__(self, settings: NetworkSettings | None = None) -> None:
        self._settings = settings or NetworkSettings()
        self._sessions: WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[bool, tuple[aiohttp.ClientSession, Pool]]
        ] = WeakKeyDictionary()
        self._origins: dict[str, URL] = {}
        self._process = os.getpid()
        self._inherited: list[object] = []
        _TRANSPORTS.add(self)

    async def open(self, request: Request) -> Response:
        """Send *request* and return when the headers of the answer are there."""
        session = self._session(request) or await self._open_session(request)
        try:
            raw = await self._exchange(session, request)
        except Failure as failure:
            raise translate(failure, request, _deadline(request)) from failure.error
        except ERRORS as error:
            raise write_error(error, request) from error
        except ValueError as error:
            raise ConfigurationError(
                f"the request cannot be sent: {error}", request=request.sent()
            ) from error
        if request.stream and 200 <= raw.status < 300 and raw.connection is not None:
            raw.line.relax()  # which, once given back, may be another's
        return Response(
            raw.status,
            Headers(raw.headers.items()),
            Body(None, _Stream(raw, request)),
            request,
        )

    async def _exchange(
        self, session: aiohttp.ClientSession, request: Request
    ) -> Answer | Reply:
        if (
            len(request.body) <= LARGE_BODY  # the socket takes it at once
            and self._settings.proxy_for(request.url) is None
        ):
            timeout = client_timeout(*request.timeout, request.deadline)
            return await exchange(session.connector, request, timeout)
        raw = await session.request(
            request.method,
            self._url(request),
            allow_redirects=False,
            **self._options(request),
        )
        assert isinstance(raw, Answer)
        return raw

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
        if len(request.body) > LARGE_BODY:
            body = BytesIO(request.body)  # aiohttp warns of large bytes
        options: dict[str, Any] = {"headers": headers, "data": body}
        unset = [name for name in _AUTOMATIC if name not in request.headers]
        if unset:  # aiohttp is quicker where there is nothing to leave out
            options["skip_auto_headers"] = unset
        proxy = self._settings.proxy_for(request.url)
        if proxy is not None:
            options["proxy"] = proxy.url
            if request.url.startswith("https:"):
                _check_tunnel(proxy)
                options["proxy_headers"] = proxy.headers
            else:
                headers.extend(proxy.headers.items())
        options["timeout"] = client_timeout(connect, read, _deadline(request))
        return options

    def _session(self, request: Request) -> aiohttp.ClientSession | None:
        if self._process != os.getpid():
            self.leave()  # where a program in C forked, and called no hooks
        sessions = self._sessions.get(asyncio.get_running_loop(), {})
        return sessions[request.mutual][0] if request.mutual in sessions else None

    def leave(self) -> None:
        """After a fork: let go of the parent's pools, and close none of them."""
        for sessions in self._sessions.values():
            for session, pool in sessions.values():
                # Kept, for what is collected closes itself; see Connector.
                self._inherited.append(session.connector)
                session.detach()
                with suppress(StopIteration, RuntimeError):
                    pool.aclose().send(None)  # it has nothing left to wait for
        self._sessions = WeakKeyDictionary()
        self._process = os.getpid()

    async def _open_session(self, request: Request) -> aiohttp.ClientSession:
        # An asynchronous generator, for a loop that ends closes those (asyncio.run
        # does): so a pool ends with its loop, though nobody could close the client.
        pool = open_pool(self._settings.tls_for(request))
        session = await pool.__anext__()  # does not wait
        sessions = self._sessions.setdefault(asyncio.get_running_loop(), {})
        sessions[request.mutual] = session, pool
        return session


_TRANSPORTS: WeakSet[AiohttpTransport] = WeakSet()


def _leave_all() -> None:
    for transport in _TRANSPORTS:
        transport.leave()


if hasattr(os, "register_at_fork"):
    # A child that makes no call would end with sessions that nobody closed.
    os.register_at_fork(after_in_child=_leave_all)


def _check_tunnel(proxy: Proxy) -> None:
    if proxy.url.startswith("https:") and sys.version_info < (3, 11):
        # asyncio before cannot make a TLS connection within another.
        raise ConfigurationError(
            "proxies: awaited calls take a proxy at https:// from Python 3.11 on; give "
            "one at http://, or use the plain verbs"
        )


def _deadline(request: Request) -> float | None:
    """That of *request*; aiohttp has no timeout for writing, which may stall."""
    size = len(request.body)
    if size <= LARGE_BODY:
        return request.deadline
    limit = sum(request.timeout) + size / SLOWEST
    return limit if request.deadline is None else min(limit, request.deadline)


class _Stream:
    """An open aiohttp body that raises only our errors."""

    __slots__ = ("_raw", "_request")

    def __init__(self, raw: Answer | Reply, request: Request) -> None:
        self._raw = raw
        self._request = request

    async def aread(self) -> bytes:
        try:
            content = await self._raw.read()
        except ERRORS as error:
            self._raw.close()
            raise self._error(error) from error
        self._raw.release()
        return content

    async def achunks(self, size: int) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._raw.content.iter_chunked(size):
                yield chunk
        except ERRORS as error:
            raise self._error(error) from error
        finally:
            self._raw.close()

    def close(self) -> None:
        self._raw.close()

    def _error(self, error: Exception) -> ReadError:
        if not isinstance(error, asyncio.TimeoutError):
            return read_error(error, self._request)
        text = "the answer stopped arriving"
        if self._raw.line.overdue:
            text = (
                f"the answer was not complete {by_deadline(_deadline(self._request))}"
            )
        return ReadTimeout(text, request=self._request.sent())
