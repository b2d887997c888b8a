"""How the steps of an inbox are carried out: at once, in threads, or awaited.

The body of an inbox is a generator of steps. A step is a function of a port, and asks
it for a transaction or for a handler's run. This is the inbox's only sync/async pair.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import StatementError

from ..notifications import Handler, Notification

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

_T = TypeVar("_T")

#: What is done in a transaction.
Work = Callable[[Connection], Any]
#: A handler that writes in the transaction of the inbox.
InnerHandler = Callable[[Notification, Any], Any]
#: What a body wants done next; awaited where the port is awaited.
Step = Callable[[Any], Any]
Steps = Generator[Step, Any, _T]


#: What ends on its own; the loop itself holds tasks weakly.
_ending: set[asyncio.Future[Any]] = set()


class Abandoned(BaseException):
    """Cancelled, while a thread goes on: nobody can stop it."""

    def __init__(self, cancelled: asyncio.CancelledError) -> None:
        self.cancelled: asyncio.CancelledError = cancelled


class Blocking:
    """Waits for everything."""

    def __init__(self, engine: Engine) -> None:
        self.engine: Engine = engine

    def transact(self, work: Work) -> Any:
        """Do *work* in a transaction of its own."""
        with self.engine.begin() as connection:
            return work(connection)

    def call(self, handler: Handler, notification: Notification) -> Any:
        """Run a handler outside of any transaction."""
        return _done(handler(notification), handler, "await inbox.dispatch_async")

    def within(
        self, work: Work, handler: InnerHandler, notification: Notification
    ) -> Any:
        """Do *work*, then run the handler in the same transaction."""
        with self.engine.begin() as connection:
            work(connection)
            result = handler(notification, connection)
            return _done(result, handler, "an AsyncEngine")


class Threaded:
    """For an ``Engine`` under an event loop: what would block goes to a thread."""

    def __init__(self, engine: Engine) -> None:
        self._blocking = Blocking(engine)

    async def transact(self, work: Work) -> Any:
        """The same, in a thread."""
        return await _in_thread(self._blocking.transact, work)

    async def call(self, handler: Handler, notification: Notification) -> Any:
        """Await a coroutine function; run a plain one in a thread."""
        return await _called(handler, notification)

    async def within(
        self, work: Work, handler: InnerHandler, notification: Notification
    ) -> Any:
        """The same, in a thread."""
        return await _in_thread(self._blocking.within, work, handler, notification)


class Awaited:
    """For an ``AsyncEngine``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine: AsyncEngine = engine

    async def transact(self, work: Work) -> Any:
        """The same, awaited."""
        async with self.engine.begin() as connection:
            return await connection.run_sync(work)

    async def call(self, handler: Handler, notification: Notification) -> Any:
        """Await a coroutine function; run a plain one in a thread."""
        return await _called(handler, notification)

    async def within(
        self, work: Work, handler: InnerHandler, notification: Notification
    ) -> Any:
        """The same; a plain function is given a ``Connection``, as ``run_sync`` has it.

        A coroutine function is given the ``AsyncConnection``.
        """
        async with self.engine.begin() as connection:
            await connection.run_sync(work)
            if is_coroutine_function(handler):
                return await handler(notification, connection)
            return await connection.run_sync(
                lambda blocking: handler(notification, blocking)
            )


def run(steps: Steps[_T], port: Blocking) -> _T:
    """Carry out a body; what a step raises is thrown into it."""
    given, error = None, None
    try:
        while True:
            step = steps.send(given) if error is None else steps.throw(error)
            given = error = None
            try:
                given = step(port)
            except Exception as raised:
                error = _hiding(raised)
    except StopIteration as stop:
        value: _T = stop.value
        return value
    finally:
        del error  # a traceback that holds its own frame lives long


async def run_async(steps: Steps[_T], port: Threaded | Awaited) -> _T:
    """Carry out a body, awaiting each step.

    A cancellation is thrown into it as well. What it wants done then is done though
    cancelled again, and so at the end of a program that waits for nothing.
    """
    given, cancelled = None, False
    error: BaseException | None = None
    try:
        while True:
            step = steps.send(given) if error is None else steps.throw(error)
            given = error = None
            try:
                given = await (_to_its_end(step(port)) if cancelled else step(port))
            except asyncio.CancelledError as raised:
                error, cancelled = raised, True
            except Abandoned as left:
                # The same object: a timeout knows its own cancellation by the class.
                raise left.cancelled from None
            except Exception as raised:
                error = _hiding(raised)
    except StopIteration as stop:
        value: _T = stop.value
        return value
    finally:
        del error


def is_coroutine_function(handler: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine; of an object, its ``__call__``."""
    inner = getattr(handler, "__call__", handler)  # noqa: B004
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(inner)


async def _called(handler: Handler, notification: Notification) -> Any:
    if is_coroutine_function(handler):
        return await handler(notification)
    # A handler of an inbox writes somewhere: it must not hold up the event loop.
    result = await _in_thread(handler, notification)
    return await result if inspect.iscoroutine(result) else result


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return await asyncio.to_thread(function, *arguments)
    except asyncio.CancelledError as error:
        raise Abandoned(error) from None


async def _to_its_end(step: Coroutine[Any, Any, Any]) -> Any:
    task = asyncio.ensure_future(step)
    _ending.add(task)
    task.add_done_callback(_ending.discard)
    return await asyncio.shield(task)


def refuse_coroutine(handler: Callable[..., Any], need: str) -> None:
    """Raise ``TypeError`` for a coroutine function where nobody awaits one."""
    if is_coroutine_function(handler):
        raise _unawaited(handler, need)


def _done(result: Any, handler: Callable[..., Any], need: str) -> Any:
    """The result, unless nobody has awaited it."""
    if not inspect.iscoroutine(result):
        return result
    result.close()  # it would warn that it was never awaited
    raise _unawaited(handler, need)


def _unawaited(handler: Callable[..., Any], need: str) -> TypeError:
    name = getattr(handler, "__name__", type(handler).__name__)
    return TypeError(f"the handler {name!r} is a coroutine function: use {need}")


def _hiding(error: Exception) -> Exception:
    """The error; its text has no values of the statement, for some name a user."""
    if isinstance(error, StatementError):
        error.hide_parameters = True
    return error
