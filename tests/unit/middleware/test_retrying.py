"""The layer ``retry`` and its policy, stepped by hand."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import (
    Close,
    ConnectError,
    ConnectTimeout,
    ReadTimeout,
    Request,
    Response,
    Retry,
    Sleep,
    WriteError,
)
from wechatpay_chain._flow import Entry, compose
from wechatpay_chain.middleware.retrying import Retrier

REQUEST = Request("POST", "http://localhost/v3/x", body=b"{}")


class Policy:
    """Waits what it is told after each attempt."""

    def __init__(self, *delays: float | None) -> None:
        self._delays = list(delays)
        self.asked: list[tuple[str, int]] = []

    def after_error(self, request: Request, error: Any, attempt: int) -> float | None:
        self.asked.append((type(error).__name__, attempt))
        return self._delays.pop(0)

    def after_response(
        self, request: Request, response: Response, attempt: int
    ) -> float | None:
        self.asked.append((str(response.status_code), attempt))
        return self._delays.pop(0)


def test_yields_the_policys_number_and_sends_the_same_request_again() -> None:
    policy = Policy(0.25, None)
    flow = Retrier(policy, timer=lambda: 0.0)(REQUEST)
    assert next(flow) is REQUEST
    command = flow.throw(ConnectError("no route"))
    assert isinstance(command, Sleep)
    assert command.seconds == 0.25
    assert flow.send(None) is REQUEST
    with pytest.raises(StopIteration) as done:
        flow.send(Response(200))
    assert done.value.value.status_code == 200
    assert policy.asked == [("ConnectError", 1), ("200", 2)]


def test_closes_an_answer_before_it_waits() -> None:
    flow = Retrier(Policy(1.0, None), timer=lambda: 0.0)(REQUEST)
    next(flow)
    busy = Response(503)
    command = flow.send(busy)
    assert isinstance(command, Close)
    assert command.response is busy
    assert isinstance(flow.send(None), Sleep)
    assert flow.send(None) is REQUEST


def test_raises_the_error_that_the_policy_gives_up_on() -> None:
    flow = Retrier(Policy(None), timer=lambda: 0.0)(REQUEST)
    next(flow)
    error = ReadTimeout("late")
    with pytest.raises(ReadTimeout) as caught:
        flow.throw(error)
    assert caught.value is error


def test_other_errors_are_none_of_its_business() -> None:
    flow = Retrier(Policy(), timer=lambda: 0.0)(REQUEST)
    next(flow)
    with pytest.raises(ValueError, match="bad"):
        flow.throw(ValueError("bad"))


def test_the_layers_further_in_run_afresh() -> None:
    runs: list[Request] = []

    def inner(request):
        runs.append(request)
        return (yield request.with_header("X-Run", str(len(runs))))

    layers = [
        Entry("retry", Retrier(Policy(0, None), timer=lambda: 0.0)),
        Entry("inner", inner),
    ]
    flow = compose(layers, REQUEST)
    assert next(flow).headers["X-Run"] == "1"
    assert isinstance(flow.throw(ConnectError("no route")), Sleep)
    assert flow.send(None).headers["X-Run"] == "2"
    assert runs == [REQUEST, REQUEST]


class TestPolicy:
    @pytest.mark.parametrize("error", [ConnectError("x"), ConnectTimeout("x")])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_repeats_what_was_not_sent(self, error: Any, method: str) -> None:
        policy = Retry(3, first=0.2, longest=5, jitter=lambda: 1.0)
        request = REQUEST.replace(method=method)
        delays = [policy.after_error(request, error, attempt) for attempt in (1, 2, 3)]
        assert delays == [0.4, 0.8, None]

    @pytest.mark.parametrize("error", [ReadTimeout("x"), WriteError("x")])
    def test_never_what_may_have_been_carried_out(self, error: Any) -> None:
        assert Retry(9).after_error(REQUEST, error, 1) is None

    @pytest.mark.parametrize("status", [200, 429, 500])
    def test_never_an_answer(self, status: int) -> None:
        assert Retry(9).after_response(REQUEST, Response(status), 1) is None

    def test_has_a_longest_pause_and_full_jitter(self) -> None:
        policy = Retry(99, first=1, longest=5, jitter=lambda: 0.5)
        assert policy.after_error(REQUEST, ConnectError("x"), 20) == 2.5
        for attempt in range(1, 60):
            delay = Retry(99).after_error(REQUEST, ConnectError("x"), attempt)
            assert delay is not None
            assert 0 <= delay <= min(5, 0.2 * 2**attempt)

    def test_one_attempt_never_repeats(self) -> None:
        assert Retry(1).after_error(REQUEST, ConnectError("x"), 1) is None

    @pytest.mark.parametrize("attempts", [0, -1, True, 1.5, "3", None])
    def test_a_wrong_number_of_attempts_is_refused(self, attempts: Any) -> None:
        with pytest.raises(ValueError, match="attempts must be an int from 1 up"):
            Retry(attempts)

    def test_shows_itself(self) -> None:
        assert repr(Retry(4)) == "Retry(attempts=4)"

    def test_many_attempts_do_not_overflow(self) -> None:
        policy = Retry(10_000, jitter=lambda: 1.0)
        assert policy.after_error(REQUEST, ConnectError("x"), 5000) == 5.0
