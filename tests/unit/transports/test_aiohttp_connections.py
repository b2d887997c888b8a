"""One alarm for many exchanges: it rings for the one whose deadline is over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from wechatpay_chain.transports.aiohttp_connections import Line


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An event loop whose time is set by the test."""
    made: Any = asyncio.new_event_loop()
    made.now = 100.0
    monkeypatch.setattr(made, "time", lambda: made.now)
    yield made
    made.close()


class Holder:
    """What a request holds while the line is its own."""

    protocol: Any = None


def turn(loop: Any) -> None:
    """Let the loop do what is due."""
    loop.run_until_complete(asyncio.sleep(0))


@pytest.fixture
def line(loop: Any) -> Line:
    return Line(loop=loop)


def hold(line: Line, ends: float | None) -> Holder:
    holder = Holder()
    holder.protocol = line
    line.begin(holder, ends)
    return holder


def test_it_ends_the_exchange_that_is_late(loop: Any, line: Line) -> None:
    holder = hold(line, 160)
    loop.now = 159
    turn(loop)
    assert not line.overdue
    loop.now = 160
    turn(loop)
    assert line.overdue
    assert isinstance(line.exception(), asyncio.TimeoutError)
    assert line.should_close
    del holder


def test_it_leaves_a_later_exchange_its_time(loop: Any, line: Line) -> None:
    hold(line, 160).protocol = None
    loop.now = 150
    holder = hold(line, 210)
    for now, overdue in ((160, False), (209, False), (210, True)):
        loop.now = now
        turn(loop)
        assert line.overdue is overdue
    del holder


def test_it_comes_earlier_for_one_that_has_less(loop: Any, line: Line) -> None:
    hold(line, 160).protocol = None
    holder = hold(line, 110)
    loop.now = 110
    turn(loop)
    assert line.overdue
    del holder


@pytest.mark.parametrize("how", ["given back", "forgotten", "relaxed", "no deadline"])
def test_it_ends_nothing_where_nobody_is_late(loop: Any, line: Line, how: str) -> None:
    holder: Holder | None = hold(line, 160)
    assert holder is not None
    if how == "given back":
        holder.protocol = None
    elif how == "relaxed":
        line.relax()
    elif how == "no deadline":
        line.begin(holder, None)
    if how == "forgotten":
        holder = None
    loop.now = 1000
    turn(loop)
    assert not line.overdue
    assert line.exception() is None


def test_a_line_that_is_lost_leaves_no_alarm(loop: Any, line: Line) -> None:
    holder = hold(line, 160)
    line.connection_lost(None)
    loop.now = 1000
    turn(loop)
    assert not line.overdue
    del holder


def test_only_a_line_that_was_used_is_looked_at(line: Line) -> None:
    looked: list[int] = []
    line._readable = lambda: looked.append(1) or [(1, 1)]
    assert line.is_fresh()
    assert looked == []
    line.used = True
    assert not line.is_fresh()
    line._readable = list
    assert line.is_fresh()


def test_where_there_is_no_poll_select_looks(
    loop: Any, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    from wechatpay_chain.transports import aiohttp_connections

    monkeypatch.setattr(aiohttp_connections, "select", SimpleNamespace())
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport: Any = SimpleNamespace(get_extra_info=lambda _: ours)
        line.connection_made(transport)
        line.used = True
        assert line.is_fresh()
        theirs.sendall(b"x")
        assert not line.is_fresh()
        line.transport = None
