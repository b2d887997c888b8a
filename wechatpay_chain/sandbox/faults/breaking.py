"""Lines that really break: what a fault does to an HTTP connection.

In memory a client sees the same as exceptions; see ``lines``.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from . import lines
from .lines import Line

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: Where a server of ours notes its connection in the ASGI scope's ``state``.
CONNECTION = "wechatpay_chain.connection"
#: On, and no second to linger: closing resets the connection.
_AT_ONCE = struct.pack("ii", 1, 0)


class Breaking:
    """One exchange over a line that breaks.

    A connection that stands cannot be refused for one request: it is reset instead.
    """

    def __init__(self, line: Line, scope: Scope, receive: Receive, send: Send) -> None:
        self._line = line
        self._connection: Any = scope.get("state", {}).get(CONNECTION)
        self._receive = receive
        self._send = send

    async def reset(self) -> None:
        """Break off without an answer."""
        if self._connection is not None:
            sock = self._connection.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        await self._close()

    async def answer(self, start: MutableMapping[str, Any], body: bytes) -> None:
        """Answer late, by drops, or by half."""
        kind, seconds = self._line
        if kind == lines.SLOW:
            await asyncio.sleep(seconds)
        await self._send(start)
        if kind == lines.SLOW:
            await self._part(body, more=False)
        elif kind == lines.TRICKLE:
            for at in range(len(body)):
                await asyncio.sleep(seconds)
                await self._part(body[at : at + 1], more=True)
            await self._part(b"", more=False)
        else:
            await self._part(body[: len(body) // 2], more=True)
            await self._close()

    async def _part(self, body: bytes, *, more: bool) -> None:
        await self._send(
            {"type": "http.response.body", "body": body, "more_body": more}
        )

    async def _close(self) -> None:
        if self._connection is None:  # on another server than ours
            raise ConnectionResetError("a fault broke the line")
        self._connection.close()
        # Until the server has seen it, as it would answer in our place.
        while (await self._receive())["type"] != "http.disconnect":
            pass
