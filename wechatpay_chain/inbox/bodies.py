"""What an inbox does, as generators of steps: one body for both modes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from ..notifications import Notification, Router
from .ports import InnerHandler, Steps
from .rows import Claim, InboxBusy, Rows, Waiting

log: logging.Logger = logging.getLogger("wechatpay_chain.inbox")

_T = TypeVar("_T")

#: Seconds after a first failure; doubled with each more, up to the second number.
FIRST_DELAY, LONGEST_DELAY = 15.0, 3600.0
#: WeChat Pay repeats for 24 h 4 min. What is forgotten sooner would be handled again.
SHORTEST_MEMORY = 2 * 86400.0


class Within:
    """A handler that is given the inbox's connection, as a router holds it."""

    def __init__(self, handler: InnerHandler) -> None:
        self.handler: InnerHandler = handler

    def __call__(self, notification: Notification) -> Any:
        raise TypeError(
            f"{notification.event_type}: its handler needs the inbox's connection; use "
            "inbox.dispatch(notification)"
        )

    def __repr__(self) -> str:
        return f"<Within {getattr(self.handler, '__name__', 'handler')}>"


class Bodies:
    """Each method is a body; :mod:`.ports` carries them out."""

    def __init__(self, rows: Rows, router: Router, clock: Callable[[], float]) -> None:
        self._rows = rows
        self._router = router
        self._clock = clock

    def create(self) -> Steps[None]:
        """Create the table unless it is there."""
        table = self._rows.table

        def there(connection: Connection) -> bool:
            return inspect(connection).has_table(table.name, schema=table.schema)

        try:
            yield from _transact(partial(table.create, checkfirst=True))
        except (IntegrityError, OperationalError, ProgrammingError):
            # Another process may have made it after we looked.
            if not (yield from _transact(there)):
                raise

    def dispatch(self, notification: Notification) -> Steps[Any]:
        """Store, claim and handle one event."""

        def take(connection: Connection) -> Claim | None:
            return self._rows.take(connection, notification, self._clock())

        try:
            claim = yield from _transact(take)
        except IntegrityError:  # entered by another worker after we looked
            claim = yield from _transact(take)
        return None if claim is None else (yield from self._handle(claim))

    def store(self, notification: Notification) -> Steps[bool]:
        """Store one event for later."""

        def enter(connection: Connection) -> bool:
            if self._rows.known(connection, notification):
                return False
            self._rows.enter(connection, notification, self._clock())
            return True

        try:
            return (yield from _transact(enter))
        except IntegrityError:
            return (yield from _transact(enter))

    def work(self, limit: int) -> Steps[int]:
        """Handle what is due, at most *limit*."""

        def take(connection: Connection) -> Claim | None:
            return self._rows.take_next(connection, self._clock())

        done = 0
        for _ in range(limit):
            claim = yield from _transact(take)
            if claim is None:
                break
            try:
                yield from self._handle(claim)
            except Exception:
                name = claim.notification.event_type
                log.exception("%s is not handled, and stays", name)
            else:
                done += 1
        return done

    def waiting(self, limit: int) -> Steps[list[Waiting]]:
        """What is not handled yet."""
        return (yield from _transact(partial(self._rows.waiting, limit=limit)))

    def purge(self, older_than: float) -> Steps[int]:
        """Forget what was handled long ago."""
        if older_than < SHORTEST_MEMORY:
            raise ValueError(
                f"older_than: at least {SHORTEST_MEMORY:g} s (two days) expected, got "
                f"{older_than:g}; WeChat Pay repeats a notification for one day"
            )
        before = self._clock() - older_than
        return (yield from _transact(partial(self._rows.purge, before=before)))

    def _handle(self, claim: Claim) -> Steps[Any]:
        notification = claim.notification
        handler = self._router.find(notification.event_type)

        def finish(connection: Connection) -> None:
            if not self._rows.finish(connection, claim, self._clock()):
                raise InboxBusy(
                    f"{notification.event_type}: the lease ended before the handler "
                    "did; another worker may have the event now"
                )

        try:
            if isinstance(handler, Within):
                inner = handler.handler
                # The row first: it is locked while the handler runs.
                return (yield lambda port: port.within(finish, inner, notification))
            result = None
            if handler is None:
                log.info("no handler for %s", notification.event_type)
            else:
                result = yield lambda port: port.call(handler, notification)
        except InboxBusy:
            raise
        except (Exception, asyncio.CancelledError) as error:
            yield from self._release(claim, error)
            raise
        yield from _transact(finish)
        return result

    def _release(self, claim: Claim, error: BaseException) -> Steps[None]:
        doublings = min(claim.attempts - 1, 20)
        due = self._clock() + min(FIRST_DELAY * 2**doublings, LONGEST_DELAY)

        def release(connection: Connection) -> None:
            self._rows.release(connection, claim, due, error)

        try:
            yield from _transact(release)
        except Exception as failure:
            # The handler's own error is the one to see. The lease ends by itself.
            log.warning("a failure could not be noted: %s", type(failure).__name__)


def _transact(work: Callable[[Connection], _T]) -> Steps[_T]:
    result: _T = yield lambda port: port.transact(work)
    return result
