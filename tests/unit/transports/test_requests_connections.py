"""The time that an exchange has, and what a connection knows of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from wechatpay_chain.transports import requests_connections
from wechatpay_chain.transports.requests_connections import PART, Exchange, _parts


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    fake = SimpleNamespace(monotonic=made.monotonic)
    monkeypatch.setattr(requests_connections, "time", fake)
    return made


def test_without_a_deadline_each_step_has_its_own_timeout(clock: Clock) -> None:
    exchange = Exchange("/", None)
    clock.now += 1e6
    assert exchange.seconds(30) == 30
    assert not exchange.hurried


def test_a_step_gets_no_more_than_what_is_left(clock: Clock) -> None:
    exchange = Exchange("/", 60)
    clock.now += 30
    assert exchange.seconds(30) == 30
    assert not exchange.hurried
    clock.now += 10
    assert exchange.seconds(30) == 20
    assert exchange.hurried
    assert exchange.seconds(5) == 5


@pytest.mark.parametrize("late", [60, 61])
def test_a_step_after_the_end_is_refused(clock: Clock, late: float) -> None:
    # Zero would mean to a socket: do not wait, and raise something else.
    exchange = Exchange("/", 60)
    clock.now += late
    with pytest.raises(TimeoutError):
        exchange.seconds(30)


def test_one_that_is_relaxed_has_only_timeouts(clock: Clock) -> None:
    exchange = Exchange("/", 60)
    clock.now += 50
    assert exchange.seconds(30) == 10
    exchange.relax()
    clock.now += 50
    assert exchange.seconds(30) == 30
    assert not exchange.hurried


@pytest.mark.parametrize("size", [0, 1, PART, PART + 1, 3 * PART, 3 * PART + 7])
def test_what_is_sent_in_parts_is_the_same_bytes(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    parts = [bytes(part) for part in _parts(data)]
    assert b"".join(parts) == data
    assert all(len(part) <= PART for part in parts)
