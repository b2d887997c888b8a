"""An inbox: once to success, whatever comes twice, fails, or dies."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    String,
    Table,
    create_engine,
    insert,
    select,
    text,
)

from wechatpay_chain import ConfigurationError
from wechatpay_chain.inbox import Inbox, InboxBusy, inbox_table, ports
from wechatpay_chain.inbox.rows import Rows
from wechatpay_chain.notifications import Notification, Router

Event = Callable[..., Notification]
BOOKS = Table("books", MetaData(), Column("entry", String(64)))
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
DAY = 86400.0


def plain(url: str) -> str:
    """The same database by a driver that blocks."""
    return url.replace("+aiosqlite", "")


def entries(url: str) -> list[str]:
    engine = create_engine(plain(url))
    try:
        with engine.begin() as connection:
            return list(connection.scalars(select(BOOKS.c.entry)))
    finally:
        engine.dispose()


@pytest.fixture
def books(url: str) -> Table:
    """A table of the merchant's, in the inbox's database."""
    engine = create_engine(plain(url))
    BOOKS.create(engine)
    engine.dispose()
    return BOOKS


def content(url: str) -> list[Any]:
    engine = create_engine(plain(url))
    try:
        with engine.begin() as connection:
            return list(connection.scalars(text("select content from wechatpay_inbox")))
    finally:
        engine.dispose()


# Once.


def test_a_duplicate_is_handled_once_and_accepted(
    inbox: Inbox, event: Event, call: Any
) -> None:
    handled: list[str] = []

    @inbox.on("PAYSCORE.*")
    def paid(notification: Notification) -> str:
        handled.append(notification.id)
        return "done"

    assert call(inbox.dispatch, event()) == "done"
    assert call(inbox.dispatch, event()) is None
    assert call(inbox.dispatch, event("EV-2")) == "done"
    assert handled == ["EV-1", "EV-2"]


def test_the_same_number_of_another_merchant_is_another_event(
    inbox: Inbox, event: Event, call: Any
) -> None:
    handled: list[str] = []
    inbox.on("*")(lambda notification: handled.append(notification.mchid))
    call(inbox.dispatch, event())
    call(inbox.dispatch, replace(event(), mchid="1900000002"))
    assert handled == ["1900000001", "1900000002"]


def test_an_event_without_a_handler_is_accepted_and_remembered(
    inbox: Inbox, event: Event, call: Any
) -> None:
    assert call(inbox.dispatch, event()) is None
    inbox.on("*")(pytest.fail)
    assert call(inbox.dispatch, event()) is None
    assert call(inbox.waiting) == []


def test_handlers_of_a_router_are_those_of_an_inbox(
    tmp_path: Path, event: Event, call: Any
) -> None:
    router, handled = Router(), []
    router.on("PAYSCORE.*")(handled.append)
    with Inbox(f"sqlite:///{tmp_path / 'inbox.db'}", router=router) as inbox:
        call(inbox.create)
        call(inbox.dispatch, event())
        call(inbox.dispatch, event())
    assert handled == [event()]


def test_a_coroutine_function_is_awaited_on_the_loop(
    inbox: Inbox, event: Event, call: Any
) -> None:
    @inbox.on("*")
    async def paid(notification: Notification) -> int:
        await asyncio.sleep(0)
        return threading.get_ident()

    if call.mode == "sync":
        with pytest.raises(TypeError, match="'paid' is a coroutine function"):
            call(inbox.dispatch, event())
    else:
        assert call(inbox.dispatch, event()) == threading.get_ident()


def test_a_plain_handler_does_not_hold_up_the_loop(
    inbox: Inbox, event: Event, call: Any
) -> None:
    inbox.on("*")(lambda notification: threading.get_ident())
    here = call(inbox.dispatch, event()) == threading.get_ident()
    assert here == (call.mode == "sync")


def test_a_plain_function_may_return_a_coroutine(
    inbox: Inbox, event: Event, call: Any
) -> None:
    async def inner() -> str:
        return "awaited"

    inbox.on("*")(lambda notification: inner())
    if call.mode == "async":
        assert call(inbox.dispatch, event()) == "awaited"
    else:
        with pytest.raises(TypeError, match="coroutine"):
            call(inbox.dispatch, event())


# Failures.


def test_a_failure_is_raised_and_the_repeat_is_handled(
    inbox: Inbox, event: Event, call: Any
) -> None:
    tries: list[int] = []

    @inbox.on("*")
    def paid(notification: Notification) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise KeyError("no such order")

    with pytest.raises(KeyError):
        call(inbox.dispatch, event())
    (waiting,) = call(inbox.waiting)
    assert (waiting.id, waiting.attempts, waiting.error) == ("EV-1", 1, "KeyError")
    # WeChat Pay's repeat does not wait for the inbox's own.
    call(inbox.dispatch, event())
    call(inbox.dispatch, event())
    assert len(tries) == 2
    assert call(inbox.waiting) == []


def test_work_repeats_what_failed_later_and_later(
    inbox: Inbox, event: Event, call: Any, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    due: list[float] = []

    @inbox.on("*")
    def paid(notification: Notification) -> None:
        due.append(clock.now)
        if len(due) < 12:
            raise RuntimeError(OPENID)

    start = clock.now
    call(inbox.store, event())
    assert call(inbox.work) == 0
    assert "PAYSCORE.USER_PAID is not handled" in caplog.text
    while waiting := call(inbox.waiting):
        clock.now = waiting[0].due - 1
        assert call(inbox.work) == 0
        assert due[-1] < clock.now  # not before it is due
        clock.now += 1
        call(inbox.work)
    gaps = [later - sooner for sooner, later in pairwise(due)]
    assert due[0] == start
    assert gaps[:4] == [15, 30, 60, 120]
    assert gaps[-1] == 3600


def test_a_failure_that_cannot_be_noted_does_not_hide_the_handlers(
    inbox: Inbox, event: Event, call: Any, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    def breaking() -> None:
        engine = create_engine(plain(url))
        with engine.begin() as connection:
            connection.execute(text("drop table wechatpay_inbox"))
        engine.dispose()

    @inbox.on("*")
    def paid(notification: Notification) -> None:
        breaking()
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        call(inbox.dispatch, event())
    assert "could not be noted: OperationalError" in caplog.text


# Stored first.


def test_what_is_stored_is_handled_by_work_with_all_that_it_said(
    inbox: Inbox, call: Any
) -> None:
    sent = Notification(
        "EV-9",
        "V2.CHECK.SUCCESS",
        {"说明": "酒店\x00", "list": [1, None, 0.5]},
        datetime(2024, 6, 1, 15, tzinfo=timezone.utc),
        "summary",
        "payscore",
        "1900000001",
        "v2",
        "PUB_KEY_ID_1",
        "REQUEST-1",
        {"appid": "wx1"},
        b"<xml>\xff</xml>",
    )
    seen: list[Notification] = []
    inbox.on("*")(seen.append)
    assert call(inbox.store, sent) is True
    assert call(inbox.store, sent) is False
    assert call(inbox.work) == 1
    assert call(inbox.work) == 0
    assert call(inbox.store, sent) is False
    (got,) = seen
    assert got == sent
    assert (got.resource, got.envelope) == (sent.resource, sent.envelope)


def test_later_stores_and_handles_nothing(
    inbox: Inbox, event: Event, call: Any
) -> None:
    seen: list[Notification] = []
    inbox.on("*")(seen.append)
    assert call(inbox.later.dispatch, event()) is None
    call(inbox.later.dispatch, event())
    assert seen == []
    assert call(inbox.work) == 1
    assert seen == [event()]


def test_work_takes_no_more_than_it_is_told(
    inbox: Inbox, event: Event, call: Any
) -> None:
    for at in range(5):
        call(inbox.store, event(f"EV-{at}"))
    assert call(inbox.work, limit=3) == 3
    assert len(call(inbox.waiting)) == 2
    assert len(call(inbox.waiting, limit=1)) == 1


def test_what_is_handled_is_not_kept_but_for_its_number(
    inbox: Inbox, event: Event, call: Any, url: str
) -> None:
    call(inbox.store, event())
    assert OPENID in content(url)[0]
    call(inbox.work)
    assert content(url) == [None]


# Leases.


class Died(BaseException):
    """What a killed worker does not come back from."""


def test_who_dies_loses_nothing_and_its_event_is_taken_over(
    inbox: Inbox, event: Event, call: Any, clock: Any
) -> None:
    tries: list[int] = []

    @inbox.on("*")
    def paid(notification: Notification) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise Died
        return "taken over"

    with pytest.raises(Died):
        call(inbox.dispatch, event())
    # Its lease is not over: nobody may have it, and WeChat Pay is to come again.
    with pytest.raises(InboxBusy, match=r"PAYSCORE\.USER_PAID"):
        call(inbox.dispatch, event())
    assert call(inbox.work) == 0
    clock.now += 60
    assert call(inbox.dispatch, event()) == "taken over"


def test_work_takes_over_what_a_dead_worker_had(
    inbox: Inbox, event: Event, call: Any, clock: Any
) -> None:
    tries: list[int] = []

    @inbox.on("*")
    def paid(notification: Notification) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise Died

    with pytest.raises(Died):
        call(inbox.dispatch, event())
    clock.now += 60
    assert call(inbox.work) == 1
    assert call(inbox.dispatch, event()) is None
    assert len(tries) == 2


def test_of_two_at_the_same_time_one_is_refused(
    inbox: Inbox, event: Event, call: Any, clock: Any, url: str
) -> None:
    @inbox.on("*")
    def paid(notification: Notification) -> str:
        with (
            Inbox(plain(url), router=inbox.router, clock=clock) as other,
            pytest.raises(InboxBusy),
        ):
            other.dispatch(event())
        return "handled"

    assert call(inbox.dispatch, event()) == "handled"


def test_who_comes_back_after_its_lease_finds_it_gone(
    inbox: Inbox, event: Event, call: Any, clock: Any, url: str
) -> None:
    """A lease too short costs a second run; one of them is recorded."""
    runs: list[str] = []

    @inbox.on("*")
    def paid(notification: Notification) -> None:
        runs.append("run")
        if len(runs) == 1:
            clock.now += 61
            with Inbox(plain(url), router=inbox.router, clock=clock) as other:
                other.dispatch(event())

    with pytest.raises(InboxBusy, match="the lease ended before the handler"):
        call(inbox.dispatch, event())
    assert runs == ["run", "run"]
    assert call(inbox.dispatch, event()) is None


def test_many_threads_with_one_event_handle_it_once(
    tmp_path: Path, event: Event
) -> None:
    with Inbox(f"sqlite:///{tmp_path / 'inbox.db'}") as inbox:
        inbox.create()
        handled: list[int] = []
        answers: list[str] = []
        ready = threading.Barrier(8)
        inbox.on("*")(lambda notification: handled.append(1) or "handled")

        def deliver() -> None:
            ready.wait()
            try:
                answers.append(inbox.dispatch(event()) or "before")
            except InboxBusy:
                answers.append("busy")

        threads = [threading.Thread(target=deliver) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert handled == [1]
    assert len(answers) == 8
    assert answers.count("handled") == 1


# Cancelled.


class Held:
    """A handler that waits to be let go; how often it was begun."""

    def __init__(self) -> None:
        self.begun, self.go, self.runs = asyncio.Event(), asyncio.Event(), 0

    async def __call__(self, *given: Any) -> str:
        self.runs += 1
        self.begun.set()
        await self.go.wait()
        return "handled"


@pytest.mark.parametrize("driver", ["sqlite", "sqlite+aiosqlite"])
@pytest.mark.parametrize("within", [False, True])
def test_who_is_cancelled_gives_its_event_back(
    tmp_path: Path, event: Event, driver: str, within: bool
) -> None:
    if within:
        driver = "sqlite+aiosqlite"  # only there a coroutine is within

    async def main() -> None:
        async with Inbox(f"{driver}:///{tmp_path / 'inbox.db'}") as inbox:
            await inbox.create_async()
            held = Held()
            (inbox.within if within else inbox.on)("*")(held)
            task = asyncio.ensure_future(inbox.dispatch_async(event()))
            await held.begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert caught.type is asyncio.CancelledError
            (waiting,) = await inbox.waiting_async()
            assert (waiting.attempts, waiting.error) == (1, "CancelledError")
            held.go.set()
            assert await inbox.dispatch_async(event()) == "handled"
            assert await inbox.waiting_async() == []
            assert held.runs == 2

    asyncio.run(main())


def test_who_is_cancelled_twice_gives_its_event_back_all_the_same(
    tmp_path: Path, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the cancel scopes of other libraries do, at each wait."""

    async def main() -> None:
        async with Inbox(f"sqlite+aiosqlite:///{tmp_path / 'inbox.db'}") as inbox:
            await inbox.create_async()
            held, freed = Held(), asyncio.Event()
            loop = asyncio.get_running_loop()
            inbox.on("*")(held)
            release = Rows.release

            def again(self: Rows, *given: Any) -> None:
                task.cancel()
                release(self, *given)
                loop.call_soon(freed.set)

            monkeypatch.setattr(Rows, "release", again)
            task = asyncio.ensure_future(inbox.dispatch_async(event()))
            await held.begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await freed.wait()
            while ending := set(ports._ending):
                await asyncio.wait(ending)
            held.go.set()
            assert await inbox.dispatch_async(event()) == "handled"

    asyncio.run(main())


def test_a_thread_that_goes_on_keeps_its_event(
    tmp_path: Path, event: Event, clock: Any
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        begun, go = asyncio.Event(), threading.Event()
        runs: list[int] = []

        def paid(notification: Notification) -> None:
            runs.append(1)
            loop.call_soon_threadsafe(begun.set)
            go.wait()

        url = f"sqlite:///{tmp_path / 'inbox.db'}"
        async with Inbox(url, clock=clock) as inbox:
            await inbox.create_async()
            inbox.on("*")(paid)
            task = asyncio.ensure_future(inbox.dispatch_async(event()))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert caught.type is asyncio.CancelledError
            with pytest.raises(InboxBusy):
                await inbox.dispatch_async(event())
            go.set()
            clock.now += 60
            await inbox.dispatch_async(event())
            assert len(runs) == 2

    asyncio.run(main())


# In one transaction.


def keep(notification: Notification, connection: Connection) -> str:
    """Write the entry of an event, the way a merchant's handler does."""
    connection.execute(insert(BOOKS).values(entry=notification.id))
    return "kept"


async def keep_async(notification: Notification, connection: Any) -> str:
    await connection.execute(insert(BOOKS).values(entry=notification.id))
    return "kept"


@pytest.fixture(params=[keep, keep_async], ids=["plain", "coroutine"])
def keeper(request: pytest.FixtureRequest, url: str, call: Any) -> Any:
    """A handler that fits the engine."""
    if request.param is keep_async and "aiosqlite" not in url:
        return keep
    return request.param


@pytest.mark.usefixtures("books")
def test_what_a_handler_writes_within_is_committed_once(
    inbox: Inbox, event: Event, call: Any, keeper: Any, url: str
) -> None:
    assert inbox.within("*")(keeper) is keeper
    assert call(inbox.dispatch, event()) == "kept"
    assert call(inbox.dispatch, event()) is None
    assert entries(url) == ["EV-1"]


@pytest.mark.usefixtures("books")
def test_what_a_failed_handler_wrote_within_is_undone(
    inbox: Inbox, event: Event, call: Any, url: str
) -> None:
    tries: list[int] = []

    @inbox.within("*")
    def paid(notification: Notification, connection: Connection) -> None:
        keep(notification, connection)
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        call(inbox.dispatch, event())
    assert entries(url) == []
    call(inbox.dispatch, event())
    assert entries(url) == ["EV-1"]


@pytest.mark.usefixtures("books")
def test_what_a_dead_worker_wrote_within_is_undone(
    inbox: Inbox, event: Event, call: Any, clock: Any, url: str
) -> None:
    tries: list[int] = []

    @inbox.within("*")
    def paid(notification: Notification, connection: Connection) -> None:
        keep(notification, connection)
        tries.append(1)
        if len(tries) == 1:
            raise Died

    with pytest.raises(Died):
        call(inbox.dispatch, event())
    assert entries(url) == []
    clock.now += 60
    assert call(inbox.work) == 1
    assert entries(url) == ["EV-1"]


def test_a_coroutine_function_within_needs_an_async_engine(
    tmp_path: Path, event: Event, call: Any
) -> None:
    with Inbox(f"sqlite:///{tmp_path / 'inbox.db'}") as inbox:
        call(inbox.create)
        with pytest.raises(TypeError, match=r"'keep_async' .* use an AsyncEngine"):
            inbox.within("*")(keep_async)
        assert inbox.router.find("PAYSCORE.X") is None
        # What only the call shows is found then.
        inbox.within("*")(lambda *given: keep_async(*given))
        with pytest.raises(TypeError, match="use an AsyncEngine"):
            call(inbox.dispatch, event())


def test_work_takes_nothing_where_a_handler_must_be_awaited(
    tmp_path: Path, event: Event
) -> None:
    with Inbox(f"sqlite:///{tmp_path / 'inbox.db'}") as inbox:
        inbox.create()

        @inbox.on("REFUND.*")
        async def refunded(notification: Notification) -> None:
            await asyncio.sleep(0)

        inbox.store(event())
        with pytest.raises(TypeError, match=r"'refunded' .* await inbox\.work_async"):
            inbox.work()
        (waiting,) = inbox.waiting()
        assert (waiting.attempts, waiting.error) == (0, None)
        assert asyncio.run(inbox.work_async()) == 1


def test_a_handler_within_is_not_run_by_a_router(event: Event) -> None:
    inbox = Inbox("sqlite://")
    inbox.within("PAYSCORE.*")(keep)
    with pytest.raises(TypeError, match="needs the inbox's connection"):
        inbox.router.dispatch(event())
    assert repr(inbox.router.find("PAYSCORE.X")) == "<Within keep>"


# What is kept, and for how long.


def test_purge_forgets_what_was_handled_long_ago(
    inbox: Inbox, event: Event, call: Any, clock: Any
) -> None:
    call(inbox.dispatch, event("EV-1"))
    clock.now += 20 * DAY
    call(inbox.dispatch, event("EV-2"))
    call(inbox.store, event("EV-3"))
    clock.now += 11 * DAY
    assert call(inbox.purge) == 1
    assert [one.id for one in call(inbox.waiting)] == ["EV-3"]
    handled: list[str] = []
    inbox.on("*")(lambda notification: handled.append(notification.id))
    call(inbox.dispatch, event("EV-1"))
    call(inbox.dispatch, event("EV-2"))
    assert handled == ["EV-1"]


def test_purge_forgets_nothing_that_may_still_be_repeated(
    inbox: Inbox, call: Any
) -> None:
    with pytest.raises(ValueError, match="two days"):
        call(inbox.purge, older_than=DAY)


# Databases.


def test_the_table_is_created_once(inbox: Inbox, event: Event, call: Any) -> None:
    call(inbox.dispatch, event())
    call(inbox.create)
    inbox.on("*")(pytest.fail)
    call(inbox.dispatch, event())


def test_who_creates_the_table_second_finds_it(
    inbox: Inbox, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if it had looked just before the other made it.
    create = Table.create
    monkeypatch.setattr(
        Table,
        "create",
        lambda self, bind, checkfirst: create(self, bind, checkfirst=False),
    )
    call(inbox.create)


def test_a_table_that_cannot_be_made_is_an_error(tmp_path: Path, call: Any) -> None:
    from sqlalchemy.exc import OperationalError

    path = tmp_path / "inbox.db"
    path.touch()
    inbox = Inbox(create_engine(f"sqlite:///file:{path}?mode=ro&uri=true"))
    with pytest.raises(OperationalError, match="readonly"):
        call(inbox.create)
    inbox.engine.dispose()


def test_in_memory_all_threads_have_one_database(event: Event, call: Any) -> None:
    with Inbox("sqlite://") as inbox:
        handled: list[Notification] = []
        inbox.on("*")(handled.append)
        call(inbox.create)
        call(inbox.dispatch, event())
        call(inbox.dispatch, event())
        thread = threading.Thread(target=inbox.dispatch, args=(event(),))
        thread.start()
        thread.join()
    assert len(handled) == 1


def test_a_table_may_have_another_name_and_stand_among_yours(event: Event) -> None:
    metadata = MetaData()
    table = inbox_table(metadata, "wx_events")
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with Inbox(engine, table=table) as inbox:
        inbox.dispatch(event())
        assert inbox.table is table
        assert repr(inbox) == "<Inbox wx_events on sqlite>"
        assert repr(inbox.later) == "<Later wx_events>"
    # A given engine is its owner's to close: what is in memory is still there.
    with engine.begin() as connection:
        assert connection.scalar(select(table.c.id)) == "EV-1"
    engine.dispose()


def test_an_async_engine_is_for_awaiting(event: Event) -> None:
    inbox = Inbox("sqlite+aiosqlite://")
    with pytest.raises(ConfigurationError, match="end in _async"):
        inbox.dispatch(event())


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("inbox.db", "not a database URL"),
        ("nosuch://host/x", "not a database URL"),
        ("mssql+pymssql://u:s3cret@host/x", "pip install pymssql"),
    ],
)
def test_a_url_that_does_not_do_is_named_without_its_password(
    url: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        Inbox(url)
    assert "s3cret" not in str(caught.value)


def test_who_does_not_await_needs_no_greenlet() -> None:
    """Nor the module that needs it, which newer ones of SQLAlchemy refuse to import."""
    program = """
import sys
sys.modules["greenlet"] = None
from wechatpay_chain.inbox import Inbox
from wechatpay_chain.notifications import Notification
with Inbox("sqlite://") as inbox:
    inbox.create()
    assert inbox.store(Notification("EV-1", "A.B", {}, mchid="1900000001"))
    assert inbox.work() == 1
assert "sqlalchemy.ext.asyncio" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_who_awaits_without_greenlet_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("sqlalchemy.ext.asyncio.create_async_engine")
    with pytest.raises(ConfigurationError, match=r"greenlet: .*\[inbox\]"):
        Inbox("sqlite+aiosqlite://")


@pytest.mark.parametrize("database", [3, None, "", b"sqlite://"])
def test_what_is_no_database_is_refused(database: Any) -> None:
    with pytest.raises(ConfigurationError, match="not a database URL"):
        Inbox(database)


def test_a_lease_is_some_time() -> None:
    with pytest.raises(ConfigurationError, match="lease"):
        Inbox("sqlite://", lease=0)


@pytest.mark.parametrize("hides", [False, True], ids=["your engine", "a URL"])
def test_an_error_of_the_database_names_no_user(
    tmp_path: Path, event: Event, call: Any, hides: bool
) -> None:
    url = f"sqlite:///{tmp_path / 'inbox.db'}"
    engine = create_engine(url)
    inbox = Inbox(url if hides else engine)
    call(inbox.create)
    with engine.begin() as connection:
        connection.execute(
            text(
                "create trigger no before insert on wechatpay_inbox "
                "begin select raise(fail, 'the disk is full'); end"
            )
        )
    with pytest.raises(Exception, match="the disk is full") as caught:
        call(inbox.dispatch, event())
    assert OPENID not in str(caught.value)
    inbox.close()
    engine.dispose()


def test_numbers_are_compared_exactly_on_mysql() -> None:
    from sqlalchemy.dialects import mysql
    from sqlalchemy.schema import CreateTable

    ddl = str(CreateTable(Inbox("sqlite://").table).compile(dialect=mysql.dialect()))
    assert "id VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" in ddl
    assert "content MEDIUMTEXT" in ddl
    assert "due DOUBLE" in ddl


# Between a look and a change, by other workers.


@pytest.mark.parametrize("method", ["store", "dispatch"])
def test_who_enters_an_event_second_finds_it(
    inbox: Inbox,
    event: Event,
    call: Any,
    clock: Any,
    url: str,
    method: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handled: list[Notification] = []
    inbox.on("*")(handled.append)
    enter = Rows.enter

    def raced(self: Rows, *args: Any, **options: Any) -> None:
        monkeypatch.setattr(Rows, "enter", enter)
        with Inbox(plain(url), clock=clock) as other:
            assert other.store(event()) is True
        enter(self, *args, **options)

    monkeypatch.setattr(Rows, "enter", raced)
    result = call(getattr(inbox, method), event())
    assert result is (False if method == "store" else None)
    assert call(inbox.work) == (1 if method == "store" else 0)
    assert handled == [event()]


def test_work_goes_on_when_another_was_faster(
    inbox: Inbox,
    event: Event,
    call: Any,
    clock: Any,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handled: list[str] = []
    inbox.on("*")(lambda notification: handled.append(notification.id))
    call(inbox.store, event("EV-1"))
    call(inbox.store, event("EV-2"))
    claim = Rows._claim

    def raced(self: Rows, *args: Any) -> bool:
        monkeypatch.setattr(Rows, "_claim", claim)
        with Inbox(plain(url), router=inbox.router, clock=clock) as other:
            assert other.work(limit=1) == 1
        return claim(self, *args)

    monkeypatch.setattr(Rows, "_claim", raced)
    assert call(inbox.work) == 1
    assert sorted(handled) == ["EV-1", "EV-2"]


def test_a_repeat_that_comes_while_the_first_is_finished_is_not_handled(
    inbox: Inbox,
    event: Event,
    call: Any,
    clock: Any,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handled: list[Notification] = []
    inbox.on("*")(handled.append)
    call(inbox.store, event())
    claim = Rows._claim

    def raced(self: Rows, *args: Any) -> bool:
        monkeypatch.setattr(Rows, "_claim", claim)
        with Inbox(plain(url), router=inbox.router, clock=clock) as other:
            assert other.work() == 1
        return claim(self, *args)

    monkeypatch.setattr(Rows, "_claim", raced)
    with pytest.raises(InboxBusy):
        call(inbox.dispatch, event())
    assert call(inbox.dispatch, event()) is None
    assert handled == [event()]


def test_what_work_has_is_its_own_too(
    inbox: Inbox, event: Event, call: Any, clock: Any, url: str
) -> None:
    @inbox.on("*")
    def paid(notification: Notification) -> None:
        with Inbox(plain(url), router=inbox.router, clock=clock) as other:
            assert other.work() == 0
            with pytest.raises(InboxBusy):
                other.dispatch(event())

    call(inbox.store, event())
    assert call(inbox.work) == 1


@pytest.mark.usefixtures("books")
def test_what_is_written_within_a_lost_claim_is_undone(
    inbox: Inbox,
    event: Event,
    call: Any,
    clock: Any,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inbox.within("*")(keep)
    finish = Rows.finish

    def raced(self: Rows, *args: Any) -> bool:
        monkeypatch.setattr(Rows, "finish", finish)
        clock.now += 61
        with Inbox(plain(url), router=inbox.router, clock=clock) as other:
            assert other.work() == 1
        return finish(self, *args)

    monkeypatch.setattr(Rows, "finish", raced)
    with pytest.raises(InboxBusy, match="the lease ended before the handler"):
        call(inbox.dispatch, event())
    assert entries(url) == ["EV-1"]


def test_an_inbox_is_a_context_in_both_modes(tmp_path: Path, event: Event) -> None:
    async def main() -> int:
        async with Inbox(f"sqlite+aiosqlite:///{tmp_path / 'inbox.db'}") as inbox:
            await inbox.create_async()
            await inbox.store_async(event())
            return await inbox.work_async()

    assert asyncio.run(main()) == 1
    with Inbox(f"sqlite:///{tmp_path / 'inbox.db'}") as inbox:
        assert inbox.waiting() == []
