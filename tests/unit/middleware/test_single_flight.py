"""One at a time: who does the work, who waits, and who takes over. Stepped by hand."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

from wechatpay_chain import Sleep
from wechatpay_chain._flow import Wait
from wechatpay_chain.middleware.single_flight import SingleFlight


class Work:
    """Work of one step, which counts how often it was begun and done."""

    def __init__(self) -> None:
        self.begun = self.done = 0

    def __call__(self) -> Generator[Any, Any, None]:
        self.begun += 1
        yield Sleep(1)
        self.done += 1


def ends(flow: Any) -> Any:
    """The value that *flow* returns at its next step."""
    with pytest.raises(StopIteration) as done:
        next(flow)
    return done.value.value


@pytest.fixture
def flight() -> SingleFlight:
    return SingleFlight()


@pytest.fixture
def work() -> Work:
    return Work()


def test_the_first_does_it_and_the_second_waits(
    flight: SingleFlight, work: Work
) -> None:
    first, second = flight.join(work, 15), flight.join(work, 7)
    assert isinstance(next(first), Sleep)
    assert flight.underway
    waiting = next(second)
    assert isinstance(waiting, Wait)
    assert waiting.seconds == 7
    assert not waiting.future.done()
    assert ends(first) is None
    assert waiting.future.done()
    assert not flight.underway
    assert ends(second) is None
    assert (work.begun, work.done) == (1, 1)


def test_the_next_one_does_it_again(flight: SingleFlight, work: Work) -> None:
    for _ in range(2):
        flow = flight.join(work, 15)
        next(flow)
        ends(flow)
    assert work.done == 2


def test_who_has_no_patience_does_not_wait(flight: SingleFlight, work: Work) -> None:
    next(flight_one := flight.join(work, 15))
    assert ends(flight.join(work, None)) is None
    ends(flight_one)
    assert work.begun == 1


def test_a_failure_is_raised_by_one_and_told_to_the_others(
    flight: SingleFlight, work: Work
) -> None:
    first, second = flight.join(work, 15), flight.join(work, 15)
    next(first), next(second)
    error = LookupError("gone")
    with pytest.raises(LookupError) as caught:
        first.throw(error)
    assert caught.value is error
    assert ends(second) is error
    assert not flight.underway


def test_one_that_is_closed_says_nothing(flight: SingleFlight, work: Work) -> None:
    first, second = flight.join(work, 15), flight.join(work, 15)
    next(first), next(second)
    first.close()
    assert ends(second) is None
    assert not flight.underway


def test_who_waited_in_vain_does_it(flight: SingleFlight, work: Work) -> None:
    stuck, second = flight.join(work, 15), flight.join(work, 15)
    next(stuck), next(second)
    assert isinstance(next(second), Sleep)
    third = flight.join(work, 15)
    waiting = next(third)
    stuck.close()  # its end is not that of the second
    assert flight.underway
    assert not waiting.future.done()
    ends(second)
    assert waiting.future.done()
    assert (work.begun, work.done) == (2, 1)


def test_of_those_who_waited_in_vain_one_does_it(
    flight: SingleFlight, work: Work
) -> None:
    stuck, second, third = (flight.join(work, 15) for _ in range(3))
    next(stuck), next(second), next(third)
    assert isinstance(next(second), Sleep)
    assert ends(third) is None
    assert work.begun == 2


def test_nobody_who_waits_can_cancel_it(flight: SingleFlight, work: Work) -> None:
    first, second = flight.join(work, 15), flight.join(work, 15)
    next(first)
    assert not next(second).future.cancel()
    assert ends(first) is None


def test_a_forked_child_does_not_wait_for_its_parent(
    flight: SingleFlight, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    next(flight.join(work, 15))
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    assert not flight.underway
    assert isinstance(next(flight.join(work, 15)), Sleep)
    assert work.begun == 2
