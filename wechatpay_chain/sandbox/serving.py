"""A door over HTTP: a gateway on uvicorn in a thread, for whatever speaks HTTP.

From ASGI to ``Gateway.handle`` and back; nothing of payments is known here.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from .._messages import Headers, Request, Response
from ..errors import ConfigurationError

if TYPE_CHECKING:
    import h11
    import uvicorn
    from typing_extensions import Self
    from uvicorn.protocols.http.h11_impl import H11Protocol

    from .gateway import Gateway
else:
    try:
        import h11
        import uvicorn
        from uvicorn.protocols.http.h11_impl import H11Protocol
    except ImportError as error:
        raise ConfigurationError(
            "a gateway over HTTP needs uvicorn: pip install 'wechatpay-chain[sandbox]'"
        ) from error

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: Seconds after which WeChat Pay closes an idle connection (protocol section 1).
KEEP_ALIVE = 8
#: Seconds that an exchange may still take once the server is closed.
LAST_WORDS = 1
#: Seconds until whoever was just let in is among the connections.
SETTLING = 0.01
#: Where the target of a request stands in the ASGI scope's ``state``.
_TARGET = "wechatpay_chain.target"


class Application:
    """The gateway as an ASGI application: one request, one call of ``handle``.

    *base_url* is what stands before the target in the URL of a request.
    """

    def __init__(self, gateway: Gateway, base_url: str) -> None:
        self._gateway = gateway
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that has gone gets none."""
        body = await self._body(receive)
        if body is None:
            return
        # On the event loop: a gateway is one lock, and a thread has nothing to gain.
        response = self._gateway.handle(self._request(scope, body))
        await send(
            {
                "type": "http.response.start",
                "status": response.status_code,
                "headers": self._headers(response),
            }
        )
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
        target = _target(scope).decode("ascii")
        url = self._base_url + target
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
    noted: bytes | None = scope.get("state", {}).get(_TARGET)
    if noted is not None:
        return noted
    path: bytes = scope["raw_path"]  # on another server than ours
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path


class _Protocol(H11Protocol):
    """Notes the target as it came: ASGI cannot tell ``/x`` from ``/x?``."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Not by the option, which changes loggers that others may share.
        self.access_log = False
        next_event = self.conn.next_event

        def noting() -> Any:
            event = next_event()
            if isinstance(event, h11.Request):
                # uvicorn copies it into the scope of the request.
                self.app_state = {**self.app_state, _TARGET: event.target}
            return event

        setattr(self.conn, "next_event", noting)  # noqa: B010 - a method, to checkers

    def connection_made(self, transport: Any) -> None:
        # asyncio does so itself, but not where the protocol of a listener is the
        # default, 0: head and body would go 40 ms apart.
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)


class _Runner(uvicorn.Server):
    """uvicorn, which says when it is ready and is told when to end."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready
        self._over = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        # Of what uvicorn does here every 100 ms we need nothing.
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._over.wait()
        # asyncio leaks a connection that it accepts while its server closes; so nobody
        # is let in any more before it does.
        with contextlib.suppress(NotImplementedError):  # on Windows
            for server in self.servers:
                for sock in server.sockets:
                    self._loop.remove_reader(sock.fileno())
        await asyncio.sleep(SETTLING)

    def end(self) -> None:
        """Stop, from another thread."""
        with contextlib.suppress(RuntimeError):  # it has ended, or is about to
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._over.set)


class Server:
    """A gateway that listens. Made by :meth:`Gateway.serve`, ready when it is there.

    Close it, or use it as a context manager.
    """

    def __init__(self, gateway: Gateway, host: str, port: int, *, remote: bool) -> None:
        if not (remote or _is_loopback(host)):
            raise ConfigurationError(
                f"host: {host} can be reached from other machines, and whoever reaches "
                "a sandbox commands it; if that is meant, pass remote=True"
            )
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=1024)
        #: The port, also where 0 was asked for.
        self.port: int = listener.getsockname()[1]
        #: What a client takes as ``base_url``.
        self.base_url: str = f"http://{_shown(host)}:{self.port}"
        self._failure: BaseException | None = None
        self._ready = threading.Event()
        config = uvicorn.Config(
            Application(gateway, self.base_url),
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=LAST_WORDS,
        )
        self._runner = _Runner(config, self._ready)
        self._thread = threading.Thread(
            target=self._run, args=(listener,), name="wechatpay sandbox", daemon=True
        )
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def _run(self, listener: socket.socket) -> None:
        try:
            with listener:
                asyncio.run(self._runner.serve([listener]))
        except BaseException as error:
            self._failure = error  # raised where it is awaited
        finally:
            self._ready.set()

    def close(self) -> None:
        """Stop listening and close every connection; safe to call again."""
        self._runner.end()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Server {self.base_url}>"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(host: str) -> str:
    """*host* as it stands in a URL."""
    return f"[{host}]" if ":" in host else host
