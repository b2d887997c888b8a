"""One exchange on a line of aiohttp's: the bytes of a request out, an answer in.

aiohttp's connector finds, opens and keeps the connection, and its parser reads the
answer. What its session does for each request besides (cookies, redirects, traces, a
task that writes) costs as much as all layers of this package, and none of it is wanted
for a body that the socket takes at once.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from math import inf
from typing import Any, NamedTuple, cast

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from .._messages import Request
from .aiohttp_connections import ERRORS, Connector, Failure, Line, read_failure

#: Bytes of an answer that are read ahead.
_BUFFER = 1 << 16
#: Hosts that are remembered.
ORIGINS = 32
#: What may do without ``Content-Length: 0``.
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


async def exchange(
    connector: Any, request: Request, timeout: aiohttp.ClientTimeout
) -> Reply:
    """Send *request* and wait for the headers of the answer.

    Raises ``ValueError`` for what cannot be sent, :class:`Failure` for what broke.
    """
    target = request.target
    origin = _origin(connector, request.url[: len(request.url) - len(target)])
    content = _head(request, target, origin.usual) + request.body
    connection = await connector.connect(origin.there, [], timeout)
    line = cast(Line, connection.protocol)
    try:
        message, payload = await _converse(
            line, content, request.method == "HEAD", timeout
        )
    except ERRORS as error:
        connection.close()
        raise read_failure(line, error) from error
    except HttpProcessingError as error:
        connection.close()
        # What the peer sent may stand in its text.
        broken = aiohttp.ClientPayloadError("the answer is not HTTP")
        raise Failure("read", broken, overdue=line.overdue) from error
    except BaseException:
        connection.close()
        raise
    return Reply(connection, line, message, payload)


class _Origin(NamedTuple):
    """A host that is called, as the connector and the server want to hear it."""

    #: What the connector asks where to connect; it is never sent.
    there: aiohttp.ClientRequest
    #: The headers that every request has, by lower-case name, unless it has its own.
    usual: dict[str, str]


def _origin(connector: Connector, text: str) -> _Origin:
    origins: dict[str, _Origin] = connector.origins
    origin = origins.get(text)
    if origin is None:
        if len(origins) >= ORIGINS:
            origins.clear()
        there = aiohttp.ClientRequest("GET", URL(text), loop=asyncio.get_running_loop())
        usual = {
            name.lower(): f"{name}: {there.headers[name]}\r\n"
            for name in ("Host", "Accept", "Accept-Encoding")
        }
        origin = origins[text] = _Origin(there, usual)
    return origin


def _head(request: Request, target: str, usual: dict[str, str]) -> bytes:
    headers = request.headers
    head = [f"{request.method} {target} HTTP/1.1\r\n"]
    head += [line for name, line in usual.items() if name not in headers]
    head += [f"{name}: {value}\r\n" for name, value in headers.pairs()]
    has_body = bool(request.body) or request.method not in _BODILESS
    if has_body and "content-length" not in headers:
        head.append(f"Content-Length: {len(request.body)}\r\n")
    text = "".join(head)
    if not text.count("\n") == text.count("\r") == len(head) or "\0" in text:
        raise ValueError("a header holds a line break or a NUL")
    return f"{text}\r\n".encode()


async def _converse(
    line: Line, content: bytes, is_head: bool, timeout: aiohttp.ClientTimeout
) -> tuple[Any, aiohttp.StreamReader]:
    line.set_response_params(
        skip_payload=is_head,
        read_until_eof=True,
        read_timeout=timeout.sock_read,
        read_bufsize=_BUFFER,
        timeout_ceil_threshold=inf,
    )
    transport = line.transport
    if transport is None or transport.is_closing():
        raise aiohttp.ClientConnectionResetError("closed before the request was sent")
    transport.write(content)
    while True:
        message, payload = await line.read()
        if message.code >= 200 or message.code == 101:
            return message, payload


class Reply:
    """An answer whose headers are there: what ``ClientResponse`` is to a session."""

    __slots__ = ("_connection", "content", "headers", "line", "status")

    def __init__(
        self, connection: Any, line: Line, message: Any, payload: aiohttp.StreamReader
    ) -> None:
        self._connection = connection
        self.line: Line = line
        self.status: int = message.code
        self.headers: Any = message.headers
        self.content: aiohttp.StreamReader = payload
        # The connection's own method: whoever drops this answer unread frees it.
        payload.on_eof(connection.release)

    @property
    def connection(self) -> Any:
        """``None`` once the body has come to its end, or was given up."""
        return None if self._connection.protocol is None else self._connection

    async def read(self) -> bytes:
        """All of the body."""
        return await self.content.read()

    def release(self) -> None:
        """Give the connection back, to be used again if nothing is left on it."""
        self._connection.release()

    def close(self) -> None:
        """Close the connection, unless it was given back."""
        if self.connection is not None:
            if self.content.exception() is None:
                self.content.set_exception(aiohttp.ClientConnectionError("closed"))
            self._connection.close()

    def __del__(self) -> None:
        with suppress(RuntimeError):  # its loop may have ended
            self._connection.close()
