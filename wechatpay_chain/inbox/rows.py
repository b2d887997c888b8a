"""What is done to the rows of an inbox, each in a transaction that the caller holds.

Plain SQL that SQLite, PostgreSQL and MySQL share. Whether a change took place is asked
of the change itself, never of what was read before it.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Table, delete, insert, select, update

from ..notifications import Notification
from . import content


class InboxBusy(Exception):
    """Another worker has this event now: let WeChat Pay send it again."""


class Claim(NamedTuple):
    """The right to handle one event, until the lease ends."""

    notification: Notification
    token: str
    #: How often it was tried, this time included.
    attempts: int


class Waiting(NamedTuple):
    """An event that is not handled yet."""

    mchid: str
    id: str
    event_type: str
    #: How often a handler was begun.
    attempts: int
    #: When it is to be taken (again), in seconds since 1970.
    due: float
    #: The class of the last error, ``None`` where there was none.
    error: str | None


class Rows:
    """The statements, for one table and one length of a lease."""

    def __init__(self, table: Table, lease: float) -> None:
        self.table: Table = table
        self.lease: float = lease

    def enter(
        self,
        connection: Connection,
        notification: Notification,
        now: float,
        token: str | None = None,
    ) -> None:
        """Write the row, claimed by *token* if given.

        Raises ``IntegrityError`` where another process was faster.
        """
        values = {
            "mchid": notification.mchid,
            "id": notification.id,
            "event_type": notification.event_type[:128],
            "content": content.dump(notification),
            "received_at": now,
            "due": now if token is None else now + self.lease,
            "token": token,
            "attempts": 0 if token is None else 1,
        }
        connection.execute(insert(self.table).values(values))

    def known(self, connection: Connection, notification: Notification) -> bool:
        """Whether the event has a row."""
        row = connection.execute(
            select(self.table.c.id).where(self._is(notification))
        ).first()
        return row is not None

    def take(
        self, connection: Connection, notification: Notification, now: float
    ) -> Claim | None:
        """Claim the event, new or not; ``None`` if it was handled before.

        Raises :class:`InboxBusy` while another worker has it.
        """
        table, token = self.table, uuid4().hex
        found = connection.execute(
            select(table.c.handled_at, table.c.due, table.c.token, table.c.attempts)
            # The row may be locked by who handles it: this read waits for nobody.
            .where(self._is(notification))
        ).first()
        if found is None:
            self.enter(connection, notification, now, token)
            return Claim(notification, token, 1)
        if found.handled_at is not None:
            return None
        # WeChat Pay's own repeats do not wait until a failure is due again.
        free = table.c.token.is_(None) | (table.c.due <= now)
        if (found.token is None or found.due <= now) and self._claim(
            connection, self._is(notification) & free, token, now
        ):
            return Claim(notification, token, found.attempts + 1)
        raise InboxBusy(f"{notification.event_type}: another worker has it")

    def take_next(self, connection: Connection, now: float) -> Claim | None:
        """Claim what is due longest; ``None`` where nothing is."""
        table, token = self.table, uuid4().hex
        due = table.c.due <= now
        query = select(table).where(due).order_by(table.c.due).limit(1)
        # SQLite has no locks of rows: there the condition of the update decides.
        query = query.with_for_update(skip_locked=True)
        while True:
            row = connection.execute(query).first()
            if row is None:
                return None
            same = (table.c.mchid == row.mchid) & (table.c.id == row.id)
            if self._claim(connection, same & due, token, now):
                return Claim(content.load(row.content), token, row.attempts + 1)

    def finish(self, connection: Connection, claim: Claim, now: float) -> bool:
        """Mark as handled; ``False`` if the claim is another's by now.

        What was said is not needed any more, and names a user: it goes.
        """
        done = {"handled_at": now, "due": None, "token": None, "content": None}
        mine = self._is(claim.notification) & (self.table.c.token == claim.token)
        changed = connection.execute(
            update(self.table).where(mine).values(**done, error=None)
        )
        return changed.rowcount == 1

    def release(
        self, connection: Connection, claim: Claim, due: float, error: BaseException
    ) -> None:
        """Give the claim back after a failure, to be taken again at *due*."""
        mine = self._is(claim.notification) & (self.table.c.token == claim.token)
        name = type(error).__name__[:64]
        connection.execute(
            update(self.table).where(mine).values(token=None, due=due, error=name)
        )

    def waiting(self, connection: Connection, limit: int) -> list[Waiting]:
        """What is not handled, what is due first coming first."""
        columns = [self.table.c[name] for name in Waiting._fields]
        query = select(*columns).where(self.table.c.due.is_not(None))
        rows = connection.execute(query.order_by(self.table.c.due).limit(limit))
        return [Waiting(*row) for row in rows]

    def purge(self, connection: Connection, before: float) -> int:
        """Forget what was handled before a moment; how many that were."""
        old = self.table.c.handled_at < before
        return connection.execute(delete(self.table).where(old)).rowcount

    def _claim(
        self,
        connection: Connection,
        which: ColumnElement[bool],
        token: str,
        now: float,
    ) -> bool:
        columns = self.table.c
        changed = connection.execute(
            update(self.table)
            .where(which & columns.handled_at.is_(None))
            .values(token=token, due=now + self.lease, attempts=columns.attempts + 1)
        )
        return changed.rowcount == 1

    def _is(self, notification: Notification) -> ColumnElement[bool]:
        columns = self.table.c
        return (columns.mchid == notification.mchid) & (columns.id == notification.id)
