"""The engine for a URL, fit for several processes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

#: Seconds to wait for another writer of a SQLite file. WeChat Pay waits 5 for all.
PATIENCE = 4.0


def given(database: object) -> Engine | AsyncEngine | None:
    """*database*, if it is an engine."""
    if isinstance(database, Engine):
        return database
    # Their module needs greenlet, which who does not await may lack. Where nobody has
    # imported it there is none.
    module = sys.modules.get("sqlalchemy.ext.asyncio")
    if module is not None and isinstance(database, module.AsyncEngine):
        return cast("AsyncEngine", database)
    return None


def engine_for(url: str | URL) -> Engine | AsyncEngine:
    """The engine; an ``AsyncEngine`` for drivers such as ``aiosqlite``.

    ``ConfigurationError`` for a URL or a driver that is not there; no password in it.
    """
    problem = "not a database URL; sqlite:///inbox.db is one"
    try:
        made = make_url(url)
        dialect = made.get_dialect()
        awaited = dialect.is_async
        options = _sqlite(made, awaited) if dialect.name == "sqlite" else {}
        options["hide_parameters"] = True  # not in logs either: they name users
        if not awaited:
            engine = create_engine(made, **options)
            _prepare(engine)
            return engine
        from sqlalchemy.ext.asyncio import create_async_engine

        async_engine = create_async_engine(made, **options)
        _prepare(async_engine.sync_engine)
        return async_engine
    except (ArgumentError, NoSuchModuleError):
        pass
    except ModuleNotFoundError as error:
        problem = f"the driver of the database is missing: pip install {error.name}"
    except ImportError:
        problem = "an AsyncEngine needs greenlet: pip install 'wechatpay-chain[inbox]'"
    raise ConfigurationError(f"inbox: {problem}")


def _sqlite(url: URL, awaited: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"connect_args": {"timeout": PATIENCE}}
    if url.database in (None, "", ":memory:"):
        # In memory, each connection is a database of its own: there must be one only.
        options["connect_args"]["check_same_thread"] = False
        options["poolclass"] = AsyncAdaptedQueuePool if awaited else QueuePool
        options |= {"pool_size": 1, "max_overflow": 0}
    return options


def _prepare(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return

    def journal(connection: Any, record: Any) -> None:
        del record
        # Readers do not wait for the writer then, nor the writer for them.
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.close()

    event.listen(engine, "connect", journal)
