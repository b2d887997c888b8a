"""``Inbox``: which handler an event goes to, and that it succeeds once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from sqlalchemy import Engine, MetaData, Table
from sqlalchemy.engine import URL

from ..errors import ConfigurationError
from ..notifications import Handler, Notification, Router
from .bodies import Bodies, Within
from .engines import engine_for, given
from .ports import (
    Awaited,
    Blocking,
    InnerHandler,
    Steps,
    Threaded,
    refuse_coroutine,
    run,
    run_async,
)
from .rows import Rows, Waiting
from .table import inbox_table

if TYPE_CHECKING:
    import typing_extensions as te
    from sqlalchemy.ext.asyncio import AsyncEngine
    from typing_extensions import Self

    #: The kind of engine; of a URL nobody can say which it is before it is read.
    _E = te.TypeVar(
        "_E",
        bound=Engine | AsyncEngine,
        default=Engine | AsyncEngine,
        covariant=True,
    )
else:
    _E = TypeVar("_E")

_F = TypeVar("_F", bound=InnerHandler)
_H = TypeVar("_H", bound=Handler)
_T = TypeVar("_T")


class Inbox(Generic[_E]):
    """Remembers ``(mchid, id)``, and handles each event successfully once.

    *database*: a URL, an ``Engine``, or an ``AsyncEngine`` for the ``_async`` methods
    alone. *router*: handlers that are there already. *lease*: seconds for which a
    worker has an event to itself; longer than any handler takes. *table*: one made by
    :func:`inbox_table`. Share it between threads and tasks; each process has its own.
    """

    @overload
    def __init__(
        self,
        database: _E,
        *,
        router: Router | None = ...,
        lease: float = ...,
        table: Table | None = ...,
        clock: Callable[[], float] = ...,
    ) -> None: ...

    @overload
    def __init__(
        self: Inbox[Engine | AsyncEngine],
        database: str | URL | Engine | AsyncEngine,
        *,
        router: Router | None = ...,
        lease: float = ...,
        table: Table | None = ...,
        clock: Callable[[], float] = ...,
    ) -> None: ...

    def __init__(
        self,
        database: str | URL | Engine | AsyncEngine,
        *,
        router: Router | None = None,
        lease: float = 60.0,
        table: Table | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if lease <= 0:
            raise ConfigurationError(f"lease: seconds above 0 expected, got {lease:g}")
        engine = given(database)
        self._own = engine is None
        self._engine: Engine | AsyncEngine = engine or engine_for(
            cast("str | URL", database)
        )
        #: Which handler an event goes to.
        self.router: Router = Router() if router is None else router
        #: The table, for your own queries.
        self.table: Table = inbox_table(MetaData()) if table is None else table
        self._bodies = Bodies(Rows(self.table, lease), self.router, clock)

    @property
    def engine(self) -> _E:
        """The database: the engine that was given, or the one for the URL."""
        return cast("_E", self._engine)

    # Handlers.

    def on(self, *patterns: str) -> Callable[[_H], _H]:
        """Register a handler, as ``Router.on`` does: ``@inbox.on("REFUND.*")``.

        It runs outside of the inbox's transaction, and may run again after a crash.
        """
        return self.router.on(*patterns)

    def within(self, *patterns: str) -> Callable[[_F], _F]:
        """Register ``handler(notification, connection)``, to write in one transaction.

        What it writes by *connection* is committed with the mark that the event was
        handled, or not at all: once, whatever dies. Raises ``TypeError`` for a
        coroutine function, unless the inbox has an ``AsyncEngine``.
        """
        register = self.router.on(*patterns)

        def registered(handler: _F) -> _F:
            if isinstance(self._engine, Engine):
                refuse_coroutine(handler, "an AsyncEngine")
            register(Within(handler))
            return handler

        return registered

    # What is done, in both modes.

    def create(self) -> None:
        """Create the table unless it is there."""
        self._run(self._bodies.create())

    async def create_async(self) -> None:
        """Await :meth:`create`."""
        await self._run_async(self._bodies.create())

    def dispatch(self, notification: Notification) -> Any:
        """Store the event, handle it, and return what its handler returned.

        ``None`` if it was handled before. Raises :class:`InboxBusy` while another
        worker has it, and what the handler raises: answer with an error then, so that
        WeChat Pay sends it again.
        """
        return self._run(self._bodies.dispatch(notification))

    async def dispatch_async(self, notification: Notification) -> Any:
        """Await :meth:`dispatch`; plain handlers run in a thread.

        A coroutine function that is cancelled gives the event back. A thread goes on,
        and the event stays its own until it ends, or the lease does.
        """
        return await self._run_async(self._bodies.dispatch(notification))

    def store(self, notification: Notification) -> bool:
        """Store the event for :meth:`work`; ``False`` if it was there already."""
        return self._run(self._bodies.store(notification))

    async def store_async(self, notification: Notification) -> bool:
        """Await :meth:`store`."""
        return await self._run_async(self._bodies.store(notification))

    def work(self, limit: int = 100) -> int:
        """Handle what is due: stored, failed, or left by a worker that died.

        Handles at most *limit* events, and returns how many succeeded. One that fails
        is logged and due again later, an hour later at most; none is ever given up.
        Raises ``TypeError``, and takes none, where a handler is a coroutine function.
        """
        for handler in self.router._handlers.values():
            refuse_coroutine(handler, "await inbox.work_async()")
        return self._run(self._bodies.work(limit))

    async def work_async(self, limit: int = 100) -> int:
        """Await :meth:`work`."""
        return await self._run_async(self._bodies.work(limit))

    def waiting(self, limit: int = 100) -> list[Waiting]:
        """List at most *limit* events that are not handled yet, for monitoring."""
        return self._run(self._bodies.waiting(limit))

    async def waiting_async(self, limit: int = 100) -> list[Waiting]:
        """Await :meth:`waiting`."""
        return await self._run_async(self._bodies.waiting(limit))

    def purge(self, older_than: float = 30 * 86400.0) -> int:
        """Forget events handled more than *older_than* seconds ago; return how many.

        Raises ``ValueError`` for less than two days: WeChat Pay repeats for one.
        """
        return self._run(self._bodies.purge(older_than))

    async def purge_async(self, older_than: float = 30 * 86400.0) -> int:
        """Await :meth:`purge`."""
        return await self._run_async(self._bodies.purge(older_than))

    @property
    def later(self) -> Later:
        """What to give a framework instead: it stores an event, and answers at once.

        :meth:`work` then handles it. For handlers that may take longer than the 5
        seconds that WeChat Pay waits for an answer.
        """
        return Later(self)

    # Carrying out, and the end.

    def _run(self, steps: Steps[_T]) -> _T:
        if isinstance(self._engine, Engine):
            return run(steps, Blocking(self._engine))
        steps.close()
        raise ConfigurationError(
            "this inbox has an AsyncEngine: use the methods that end in _async"
        )

    async def _run_async(self, steps: Steps[_T]) -> _T:
        if isinstance(self._engine, Engine):
            return await run_async(steps, Threaded(self._engine))
        return await run_async(steps, Awaited(self._engine))

    def close(self) -> None:
        """Close the connections, if the inbox was made from a URL."""
        if self._own and isinstance(self._engine, Engine):
            self._engine.dispose()

    async def aclose(self) -> None:
        """Close the connections, in either mode, if the inbox was made from a URL."""
        if self._own and not isinstance(self._engine, Engine):
            await self._engine.dispose()
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        # Not the URL: there is a password in it.
        return f"<Inbox {self.table.name} on {self._engine.dialect.name}>"


class Later:
    """An inbox that stores at once; ``inbox.work()`` handles what was stored."""

    def __init__(self, inbox: Inbox) -> None:
        #: Where events go.
        self.inbox: Inbox = inbox

    def dispatch(self, notification: Notification) -> None:
        """Store the event."""
        self.inbox.store(notification)

    async def dispatch_async(self, notification: Notification) -> None:
        """Await :meth:`dispatch`."""
        await self.inbox.store_async(notification)

    def __repr__(self) -> str:
        return f"<Later {self.inbox.table.name}>"
