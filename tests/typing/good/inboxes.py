"""What an inbox is given decides what its engine is."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, MetaData, create_engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from wechatpay_chain.inbox import Inbox, Later
from wechatpay_chain.notifications import Notification, Router


def engines(url: str, either: Engine | AsyncEngine) -> None:
    """The engine is the one that was given; a URL may be of both kinds."""
    plain = Inbox(create_engine(url), router=Router(), lease=30)
    MetaData().create_all(plain.engine)
    engine: Engine = plain.engine
    awaited = Inbox(create_async_engine(url))
    other: AsyncEngine = awaited.engine
    unknown: Engine | AsyncEngine = Inbox(url).engine
    unknown = Inbox(either).engine
    named: Inbox[Engine] = Inbox(create_engine(url))
    del engine, other, unknown, named
    work(plain)
    work(awaited)
    work(Inbox(url))


def work(inbox: Inbox) -> Later:
    """An inbox of either kind, without saying so."""
    while inbox.work(limit=100):
        pass
    return inbox.later


def handlers(inbox: Inbox) -> None:
    """Handlers of every kind."""

    @inbox.on("REFUND.*")
    def refunded(notification: Notification) -> None: ...

    @inbox.within("PAYSCORE.*")
    def paid(notification: Notification, connection: Connection) -> None: ...

    @inbox.within("TRANSACTION.*")
    async def awaited(
        notification: Notification, connection: AsyncConnection
    ) -> None: ...

    del refunded, paid, awaited
