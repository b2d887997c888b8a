"""A door over HTTP: a gateway on uvicorn in a thread, for whatever speaks HTTP.

Sockets, connections and their ends; what goes over them is the application's.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from ...errors import ConfigurationError
from ..faults.breaking import CONNECTION
from ..notices.postman import Postman
from .asgi import TARGET, Application
from .loopback import is_loopback

if TYPE_CHECKING:
    import h11
    import uvicorn
    from typing_extensions import Self
    from uvicorn.protocols.http.h11_impl import H11Protocol

    from ..gateway import Gateway
else:
    try:
        import h11
        import uvicorn
        from uvicorn.protocols.http.h11_impl import H11Protocol
    except ImportError as error:
        raise ConfigurationError(
            "a gateway over HTTP needs uvicorn: pip install 'wechatpay-chain[sandbox]'"
        ) from error

#: Seconds after which WeChat Pay closes an idle connection (protocol section 1).
KEEP_ALIVE = 8
#: Seconds that an exchange may still take once the server is closed.
LAST_WORDS = 1
#: Seconds until whoever was just let in is among the connections.
SETTLING = 0.01


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
                self.app_state = {
                    **self.app_state,
                    TARGET: event.target,
                    CONNECTION: self.transport,
                }
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
        await self._finish()

    async def _finish(self) -> None:
        """Let what is being answered end, or else end it; uvicorn would log that."""
        for connection in list(self.server_state.connections):
            connection.shutdown()
        tasks = self.server_state.tasks
        if tasks:
            await asyncio.wait(set(tasks), timeout=LAST_WORDS)
        for task in list(tasks):
            task.cancel()

    def end(self) -> None:
        """Stop, from another thread."""
        with contextlib.suppress(RuntimeError):  # it has ended, or is about to
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._over.set)


class Server:
    """A gateway that listens. Made by :meth:`Gateway.serve`, ready when it is there.

    Close it, or use it as a context manager.
    """

    def __init__(
        self,
        gateway: Gateway,
        host: str,
        port: int,
        *,
        remote: bool = False,
        control: bool | None = None,
    ) -> None:
        if not (remote or is_loopback(host)):
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
        application = Application(
            gateway,
            self.base_url,
            control=is_loopback(host) if control is None else control,
            any_host=not is_loopback(host),
        )
        self._runner = _Runner(_config(application), self._ready)
        self._thread = threading.Thread(
            target=self._run, args=(listener,), name="wechatpay sandbox", daemon=True
        )
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        self._postman = Postman(gateway.courier)

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
        # First who answers: whoever is being notified may call us back until then.
        self._postman.close()
        self._runner.end()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Server {self.base_url}>"


async def _until_cancelled(
    application: Application, scope: Any, receive: Any, send: Any
) -> None:
    """Run *application*; who is not answered before the end is disconnected."""
    try:
        await application(scope, receive, send)
    except asyncio.CancelledError:
        scope["state"][CONNECTION].abort()
        while (await receive())["type"] != "http.disconnect":
            pass  # what is left of a body


def _config(application: Application) -> uvicorn.Config:
    return uvicorn.Config(
        partial(_until_cancelled, application),
        interface="asgi3",
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=LAST_WORDS,
    )


def _shown(host: str) -> str:
    """*host* as it stands in a URL."""
    return f"[{host}]" if ":" in host else host
