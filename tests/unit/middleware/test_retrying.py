"""The layer ``retry`` and its policy, stepped by hand."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import (
    ClockSkew,
    Close,
    ConnectError,
    ConnectTimeout,
    DecodeError,
    Headers,
    InvalidSignature,
    MissingHeaders,
    Read,
    ReadError,
    ReadTimeout,
    Request,
    Response,
    Retry,
    Sleep,
    UnknownSerial,
    WriteError,
    WriteTimeout,
)
from wechatpay_chain._flow import Entry, compose
from wechatpay_chain.middleware import Body
from wechatpay_chain.middleware.failover import Failover
from wechatpay_chain.middleware.retrying import LARGE_BODY, SLOWEST, STALE, Retrier

REQUEST = Request("POST", "http://localhost/v3/x", body=b"{}")
NUMBERED = REQUEST.replace(body=b'{"out_trade_no":"1"}')
GET = Request("GET", "http://localhost/v3/x")

LOST = [ReadError("x"), ReadTimeout("x"), WriteError("x"), WriteTimeout("x")]
UNPROVEN = [InvalidSignature("x"), UnknownSerial("x"), MissingHeaders("x")]


def named(values: list[Any]) -> Any:
    return pytest.mark.parametrize("error", values, ids=lambda e: type(e).__name__)


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


class Timer:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def layer(*delays: float | None, timer: Any = lambda: 0.0) -> Retrier:
    return Retrier(Policy(*delays), timer=timer)


def slept(flow: Any, error: Exception) -> float:
    """Throw *error* into *flow*; the seconds that it wants to wait."""
    command = flow.throw(error)
    assert isinstance(command, Sleep)
    return command.seconds


class TestLayer:
    def test_waits_what_the_policy_says_and_sends_the_same_request_again(self) -> None:
        policy = Policy(0.25, None)
        flow = Retrier(policy, timer=lambda: 0.0)(REQUEST)
        assert next(flow) is REQUEST
        assert slept(flow, ConnectError("no route")) == 0.25
        assert flow.send(None) == REQUEST.replace(attempt=2)
        with pytest.raises(StopIteration) as done:
            flow.send(Response(200))
        assert done.value.value.status_code == 200
        assert policy.asked == [("ConnectError", 1), ("200", 2)]

    def test_closes_an_answer_before_it_waits(self) -> None:
        flow = layer(1.0, None)(REQUEST)
        next(flow)
        busy = Response(503)
        command = flow.send(busy)
        assert isinstance(command, Close)
        assert command.response is busy
        assert isinstance(flow.send(None), Sleep)
        assert flow.send(None).attempt == 2

    def test_raises_the_error_that_the_policy_gives_up_on(self) -> None:
        flow = layer(None)(REQUEST)
        next(flow)
        error = ReadTimeout("late")
        with pytest.raises(ReadTimeout) as caught:
            flow.throw(error)
        assert caught.value is error

    @pytest.mark.parametrize("error", [ValueError("bad"), DecodeError("bad")])
    def test_other_errors_are_none_of_its_business(self, error: Exception) -> None:
        flow = layer()(REQUEST)
        next(flow)
        with pytest.raises(type(error), match="bad"):
            flow.throw(error)

    def test_the_layers_further_in_run_afresh(self) -> None:
        runs: list[int] = []

        def inner(request):
            runs.append(request.attempt)
            return (yield request.with_header("X-Run", str(len(runs))))

        flow = compose([Entry("retry", layer(0, None)), Entry("inner", inner)], REQUEST)
        assert next(flow).headers["X-Run"] == "1"
        assert isinstance(flow.throw(ConnectError("no route")), Sleep)
        assert flow.send(None).headers["X-Run"] == "2"
        assert runs == [1, 2]

    def test_a_body_that_breaks_off_while_it_is_read_is_a_failed_attempt(self) -> None:
        flow = layer(0.5, None)(GET)
        next(flow)
        assert isinstance(flow.send(Response(200, body=Body(None))), Read)
        assert slept(flow, ReadError("cut off")) == 0.5

    def test_a_stream_is_left_unread(self) -> None:
        flow = layer(None)(GET.replace(stream=True))
        next(flow)
        with pytest.raises(StopIteration):
            flow.send(Response(200, body=Body(None)))


class TestDeadline:
    def test_later_attempts_get_what_is_left(self) -> None:
        timer = Timer()
        request = REQUEST.replace(deadline=10.0, timeout=(5.0, 8.0))
        flow = layer(1.0, 1.0, timer=timer)(request)
        assert next(flow) is request
        timer.now += 3
        assert slept(flow, ConnectError("x")) == 1.0
        again = flow.send(None)
        assert (again.deadline, again.timeout) == (6.0, (5.0, 6.0))
        timer.now += 1 + 3
        slept(flow, ConnectError("x"))
        assert flow.send(None).timeout == (2.0, 2.0)

    @pytest.mark.parametrize("spent", [9.0, 9.5, 60.0])
    def test_no_attempt_starts_when_the_pause_would_use_up_the_time(
        self, spent: float
    ) -> None:
        timer = Timer()
        flow = layer(1.0, timer=timer)(REQUEST.replace(deadline=10.0))
        next(flow)
        timer.now += spent
        with pytest.raises(ConnectError):
            flow.throw(ConnectError("x"))

    def test_an_answer_goes_to_the_caller_when_no_time_is_left(self) -> None:
        timer = Timer()
        flow = layer(1.0, timer=timer)(REQUEST.replace(deadline=10.0))
        next(flow)
        timer.now += 10
        busy = Response(503)
        with pytest.raises(StopIteration) as done:
            flow.send(busy)
        assert done.value.value is busy

    def test_a_large_body_has_time_of_its_own(self) -> None:
        body = bytes(LARGE_BODY + SLOWEST)
        sent = next(layer()(REQUEST.replace(deadline=10.0, body=body)))
        assert sent.deadline == 10.0 + len(body) / SLOWEST

    def test_a_policy_without_a_deadline_leaves_the_timeouts_alone(self) -> None:
        flow = layer(1.0)(REQUEST)
        next(flow)
        slept(flow, ConnectError("x"))
        assert flow.send(None).timeout == REQUEST.timeout


def stale() -> ReadError:
    error = ReadError("closed")
    error.stale = True
    return error


class TestStale:
    """A kept-alive connection that the other side had closed."""

    @pytest.mark.parametrize("request_", [GET, NUMBERED], ids=["GET", "numbered"])
    def test_is_replaced_at_once_and_not_counted(self, request_: Request) -> None:
        policy = Policy(None)
        flow = Retrier(policy, timer=lambda: 0.0)(request_)
        next(flow)
        for _ in range(STALE):
            assert slept(flow, stale()) == 0
            flow.send(None)
        assert policy.asked == []
        with pytest.raises(ReadError):
            flow.throw(stale())
        assert policy.asked == [("ReadError", 1)]

    def test_is_the_policys_business_where_a_repeat_is_not_safe(self) -> None:
        policy = Policy(None)
        flow = Retrier(policy, timer=lambda: 0.0)(REQUEST)
        next(flow)
        with pytest.raises(ReadError):
            flow.throw(stale())
        assert policy.asked == [("ReadError", 1)]


class TestFailover:
    PRIMARY, BACKUP = "https://one.test", "https://two.test/base"

    def flow(self, *delays: float | None) -> tuple[Any, Failover, Timer]:
        timer = Timer()
        failover = Failover(self.PRIMARY, self.BACKUP, timer, sticky=60)
        request = Request("GET", f"{self.PRIMARY}/v3/x?y", base_url=self.PRIMARY)
        layer = Retrier(Policy(*delays), timer=timer, failover=failover)
        return layer(request), failover, timer

    def test_goes_to_the_other_host_after_a_failed_connection(self) -> None:
        flow, *_ = self.flow(0.1, 0.1, 0.1)
        assert next(flow).url == f"{self.PRIMARY}/v3/x?y"
        slept(flow, ConnectError("refused"))
        moved = flow.send(None)
        assert moved.url == f"{self.BACKUP}/v3/x?y"
        assert moved.base_url == self.BACKUP
        assert moved.route == "/v3/x"
        slept(flow, ConnectTimeout("late"))
        assert flow.send(None).base_url == self.PRIMARY

    @pytest.mark.parametrize("result", ["lost", "status"])
    def test_never_for_anything_but_the_connection(self, result: str) -> None:
        flow, *_ = self.flow(0.1)
        next(flow)
        if result == "lost":
            slept(flow, ReadError("lost"))
        else:
            flow.send(Response(503))
            flow.send(None)
        assert flow.send(None).base_url == self.PRIMARY

    def test_sticks_to_the_backup_for_a_while_then_one_call_tries(self) -> None:
        flow, failover, timer = self.flow(0.1)
        request = next(flow)
        slept(flow, ConnectError("refused"))
        timer.now += 59
        assert failover.route(request).base_url == self.BACKUP
        timer.now += 1
        assert failover.route(request) is request  # the one that tries
        assert failover.route(request).base_url == self.BACKUP
        failover.answered(request)
        assert failover.route(request) is request

    def test_an_answer_of_the_backup_does_not_call_the_primary_well(self) -> None:
        flow, failover, _ = self.flow(0.1)
        request = next(flow)
        slept(flow, ConnectError("refused"))
        failover.answered(failover.route(request))
        assert failover.route(request).base_url == self.BACKUP

    def test_leaves_a_base_of_the_callers_own_alone(self) -> None:
        flow, failover, _ = self.flow(0.1)
        next(flow)
        slept(flow, ConnectError("refused"))
        own = Request("GET", "https://three.test/v3/x", base_url="https://three.test")
        assert failover.route(own) is own
        failover.unreachable(own)
        assert failover.route(own) is own

    @pytest.mark.parametrize("backup", [None, "https://one.test"])
    def test_without_another_host_there_is_none(self, backup: str | None) -> None:
        failover = Failover("https://one.test", backup, lambda: 0.0)
        request = Request("GET", "https://one.test/v3", base_url="https://one.test")
        failover.unreachable(request)
        assert failover.route(request) is request


class TestDecision:
    @named([ConnectError("x"), ConnectTimeout("x")])
    @pytest.mark.parametrize("request_", [GET, NUMBERED, REQUEST])
    def test_what_was_not_sent_is_repeated(self, error: Any, request_: Request) -> None:
        policy = Retry(3, first=0.2, longest=5, jitter=lambda: 1.0)
        delays = [policy.after_error(request_, error, n) for n in (1, 2, 3)]
        assert delays == [0.4, 0.8, None]

    @named(LOST + UNPROVEN)
    def test_a_lost_or_unproven_answer_is_repeated_where_that_is_safe(
        self, error: Any
    ) -> None:
        assert Retry(9).after_error(GET, error, 1) is not None
        assert Retry(9).after_error(NUMBERED, error, 1) is not None
        assert Retry(9).after_error(REQUEST, error, 1) is None

    def test_a_layer_that_failed_before_sending_says_so(self) -> None:
        error = ReadTimeout("of a download", outcome="not_sent")
        assert Retry(9).after_error(REQUEST, error, 1) is not None

    @pytest.mark.parametrize("request_", [GET, NUMBERED])
    def test_clocks_that_disagree_are_not_asked_again(self, request_: Request) -> None:
        assert Retry(9).after_error(request_, ClockSkew("x"), 1) is None

    @pytest.mark.parametrize(
        ("status", "code", "get", "numbered"),
        [
            (200, None, False, False),
            (202, None, False, False),
            (202, "USERPAYING", False, False),
            (204, None, False, False),
            (301, None, False, False),
            (400, "PARAM_ERROR", False, False),
            (401, "SIGN_ERROR", False, False),
            (403, "NO_AUTH", False, False),
            (404, "ORDER_NOT_EXIST", False, False),
            (409, None, False, False),
            (429, "FREQUENCY_LIMITED", True, True),
            (429, "RATELIMIT_EXCEEDED", True, True),
            (429, None, True, True),
            (500, "SYSTEM_ERROR", True, True),
            (500, "SYSTEMERROR", True, True),
            (500, "BANK_ERROR", True, True),
            (500, "SOMETHING_ELSE", True, False),
            (500, None, True, False),
            (501, None, True, False),
            (502, None, True, True),
            (503, None, True, True),
            (504, None, True, True),
        ],
    )
    def test_which_answers_are_worth_another_attempt(
        self, status: int, code: str | None, get: bool, numbered: bool
    ) -> None:
        answer = Response(status, data=None if code is None else {"code": code})
        policy = Retry(9)
        assert (policy.after_response(GET, answer, 1) is not None) is get
        assert (policy.after_response(NUMBERED, answer, 1) is not None) is numbered
        assert policy.after_response(REQUEST, answer, 1) is None

    @pytest.mark.parametrize(
        ("data", "repeated"),
        [
            ({"result_code": "FAIL", "err_code": "SYSTEMERROR"}, True),
            ({"result_code": "FAIL", "err_code": "BIZERR_NEED_RETRY"}, True),
            ({"result_code": "FAIL", "err_code": "ORDERPAID"}, False),
            ({"result_code": "SUCCESS", "err_code": "SYSTEMERROR"}, False),
            ({"result_code": "FAIL"}, False),
            ({"code": "SYSTEM_ERROR"}, False),
        ],
    )
    def test_a_failure_of_apiv2_comes_with_status_200(
        self, data: dict[str, str], repeated: bool
    ) -> None:
        answer = Response(200, data=data)
        request = NUMBERED.replace(template="v2/secapi/pay/refund")
        found = Retry(9).after_response(request, answer, 1)
        assert (found is not None) is repeated

    def test_one_attempt_never_repeats(self) -> None:
        assert Retry(1).after_error(REQUEST, ConnectError("x"), 1) is None
        assert Retry(1).after_response(GET, Response(503), 1) is None

    def test_a_subclass_decides_otherwise(self) -> None:
        class Eager(Retry):
            def decide(self, request: Request, result: Any) -> bool:
                return True

        assert Eager(2).after_error(REQUEST, ReadError("x"), 1) is not None
        assert Eager(2).after_error(REQUEST, ReadError("x"), 2) is None


class TestDelay:
    def test_has_a_longest_pause_and_full_jitter(self) -> None:
        assert Retry(99, first=1, longest=5, jitter=lambda: 0.5).delay(20) == 2.5
        for attempt in range(1, 60):
            delay = Retry(99).delay(attempt)
            assert delay is not None
            assert 0 <= delay <= min(5, 0.2 * 2**attempt)

    def test_many_attempts_do_not_overflow(self) -> None:
        assert Retry(10_000, jitter=lambda: 1.0).delay(5000) == 5.0

    @pytest.mark.parametrize(
        ("asked", "delay"),
        [
            ("3", 3.0),
            (" 20 ", 20.0),
            ("0", 0.4),
            ("21", None),
            ("999999999", None),
            ("-1", 0.4),
            ("soon", 0.4),
            ("", 0.4),
            ("1.5", 0.4),
            ("Sat, 01 Jun 2024 07:00:07 GMT", 7.0),
            ("Sat, 01 Jun 2024 06:00:00 GMT", 0.4),
            ("Sat, 01 Jun 2024 08:00:00 GMT", None),
            ("Sat, 01 Jun 2024 07:00:07", 0.4),
            ("Sat, 99 Jun 2024 07:00:07 GMT", 0.4),
        ],
    )
    def test_retry_after_is_honoured_below_a_cap(
        self, asked: str, delay: float | None
    ) -> None:
        date = "Sat, 01 Jun 2024 07:00:00 GMT"
        answer = Response(503, Headers({"Retry-After": asked, "Date": date}))
        assert Retry(jitter=lambda: 1.0).delay(1, answer) == delay

    def test_a_date_is_of_no_use_without_theirs(self) -> None:
        after = Headers({"Retry-After": "Sat, 01 Jun 2024 07:00:07 GMT"})
        assert Retry(jitter=lambda: 1.0).delay(1, Response(503, after)) == 0.4


class TestConstruction:
    @pytest.mark.parametrize("attempts", [0, -1, True, 1.5, "3", None])
    def test_a_wrong_number_of_attempts_is_refused(self, attempts: Any) -> None:
        with pytest.raises(ValueError, match="attempts must be an int from 1 up"):
            Retry(attempts)

    @pytest.mark.parametrize("deadline", [0, -1, float("nan"), True, "5"])
    def test_a_deadline_that_is_none_is_refused(self, deadline: Any) -> None:
        with pytest.raises(ValueError, match="deadline is seconds above 0"):
            Retry(deadline=deadline)

    def test_shows_itself(self) -> None:
        assert repr(Retry(4)) == "Retry(attempts=4, deadline=60.0)"
