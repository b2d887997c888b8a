"""The pools of a client, made when they are first needed, and the end of them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ._drivers import AsyncDriver, SyncDriver
from ._options import Settings
from .errors import ConfigurationError
from .transports.memory import AsyncMemoryTransport, MemoryTransport


class Connections:
    """The pools of a client and of all that ``with_options`` makes of it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        #: From here on nothing is sent.
        self.closed = False
        self._sync: SyncDriver | None = None
        self._async: AsyncDriver | None = None
        # Two threads may make one each, of which the first stays: a lock here could be
        # held by another thread at a fork, and so for ever in the child.
        self._first = dict[str, Any]().setdefault
        self._transport = settings.transport
        self._async_transport = settings.async_transport

    def _is_closed(self) -> bool:
        return self.closed

    @property
    def sync(self) -> SyncDriver:
        """What runs a call."""
        driver = self._sync
        if driver is None:
            made = SyncDriver(self._make(), closed=self._is_closed)
            driver = self._sync = self._first("sync", made)
        return driver

    @property
    def awaited(self) -> AsyncDriver:
        """What runs an awaited call."""
        driver = self._async
        if driver is None:
            made = AsyncDriver(self._make_async(), closed=self._is_closed)
            driver = self._async = self._first("async", made)
        return driver

    def _make(self) -> Any:
        if self._transport is None:
            _refuse_memory(self._async_transport, "transport")
            from .transports.on_requests import RequestsTransport

            made = RequestsTransport(self._settings.network)
            self._transport = self._first("transport", made)
        return self._transport

    def _make_async(self) -> Any:
        if self._async_transport is None:
            _refuse_memory(self._transport, "async_transport")
            # By name: a type checker that follows it reads all of aiohttp, which
            # takes mypy longer than all of our own types, for each program.
            home = import_module(".transports.on_aiohttp", __package__)
            made = home.AiohttpTransport(self._settings.network)
            self._async_transport = self._first("async_transport", made)
        return self._async_transport

    def close(self) -> None:
        """Close those of the sync mode; what is in use closes when it is done."""
        self.closed = True
        if self._transport is not None:
            self._transport.close()
        if self._async is not None:
            self._async.close()

    async def aclose(self) -> None:
        """Close those of both modes; what this event loop uses is cut off."""
        self.closed = True
        if self._async_transport is not None:
            await self._async_transport.aclose()
        self.close()


def _refuse_memory(other: object, name: str) -> None:
    """No call of a client that answers from memory goes over the network unasked."""
    if isinstance(other, (MemoryTransport, AsyncMemoryTransport)):
        raise ConfigurationError(
            f"{name}: this client has a memory transport for the other mode only; give "
            "one for this mode too"
        )
