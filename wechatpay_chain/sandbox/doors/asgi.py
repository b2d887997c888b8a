"""A gateway as an ASGI application: one request, one call of ``handle``.

What is below ``/_sandbox/`` goes to the control API, where it is open.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ..._messages import Headers, Request, Response
from ..control.api import Control
from ..faults.breaking import Breaking, Receive, Scope, Send
from ..faults.lines import RESET, Line

if TYPE_CHECKING:
    from ..gateway import Gateway

T = TypeVar("T")

#: Where a server of ours notes the target in the ASGI scope's ``state``.
TARGET = "wechatpay_chain.target"


class Application:
    """The application. *base_url* is what stands before the target of a request."""

    def __init__(
        self,
        gateway: Gateway,
        base_url: str,
        *,
        control: bool = False,
        any_host: bool = False,
    ) -> None:
        self._gateway = gateway
        self._base_url = base_url
        self._control = Control(gateway, enabled=control, any_host=any_host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that has gone gets none."""
        if scope["type"] == "http":
            body = await self._body(receive)
            if body is not None:
                request = self._request(scope, body)
                await self._answer(request, scope, receive, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        else:  # a WebSocket: closed before it opens, which is a 403
            await send({"type": "websocket.close"})

    async def _answer(
        self, request: Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        response: Response | None
        line: Line | None = None
        if self._control.owns(request):
            # It may wait, as for a notification that calls us back.
            control = self._control
            response = await in_thread(lambda: control.handle(request), "control")
        else:
            # On the event loop: a thread has nothing to gain.
            with self._gateway.courier.held():
                _, response, line = self._gateway.play(request)
        try:
            await self._send(response, line, scope, receive, send)
        finally:
            await self._notify()

    async def _notify(self) -> None:
        """Send what is due, where no server of ours does: a merchant may be slow."""
        courier = self._gateway.courier
        if courier.postman is None and self._gateway.outbox.due:
            await in_thread(courier.flush, "courier")

    async def _send(
        self,
        response: Response | None,
        line: Line | None,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        if response is None:
            broken = line or Line(RESET)
            await Breaking(broken, scope, receive, send).reset()
            return
        start = {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": self._headers(response),
        }
        if line is not None:
            breaking = Breaking(line, scope, receive, send)
            await breaking.answer(start, response.content)
            return
        await send(start)
        await send({"type": "http.response.body", "body": response.content})

    async def _body(self, receive: Receive) -> bytes | None:
        """The body; of one that is too large, enough for the gateway to say so."""
        parts: list[bytes] = []
        length = 0
        while length <= self._gateway.body_limit:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            length += len(parts[-1])
            if not message.get("more_body"):
                break
        return b"".join(parts)

    def _request(self, scope: Scope, body: bytes) -> Request:
        headers = (
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in scope["headers"]
        )
        url = self._base_url + _target(scope).decode("latin-1")
        return Request(scope["method"], url, Headers(headers), body)

    def _headers(self, response: Response) -> list[tuple[bytes, bytes]]:
        # By the gateway's clock, which may be ahead.
        date = formatdate(self._gateway.clock(), usegmt=True)
        headers = response.headers.merge({"Date": date})
        if response.status_code == 204:  # has none (RFC 9110, 8.6)
            headers = headers.without("Content-Length")
        return [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.pairs()
        ]


def _target(scope: Scope) -> bytes:
    """Path and query as they stood on the request line, a bare ``?`` included."""
    noted: bytes | None = scope.get("state", {}).get(TARGET)
    if noted is not None:
        return noted
    path: bytes = scope["raw_path"]  # on another server than ours
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path


async def _live(receive: Receive, send: Send) -> None:
    """Say yes when a server starts and when it ends."""
    for act in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{act}.complete"})


async def in_thread(act: Callable[[], T], name: str) -> T:
    """The result of *act*, from a thread that nobody has to wait for at the end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(outcome: Callable[[], None]) -> None:
        if not done.done():  # else given up meanwhile
            outcome()

    def run() -> None:
        try:
            result = act()
        except BaseException as error:
            outcome = partial(done.set_exception, error)  # raised where it is awaited
        else:
            outcome = partial(done.set_result, result)
        with suppress(RuntimeError):  # the server has ended meanwhile
            loop.call_soon_threadsafe(settle, outcome)

    name = f"wechatpay sandbox {name}"
    threading.Thread(target=run, name=name, daemon=True).start()
    return await done
