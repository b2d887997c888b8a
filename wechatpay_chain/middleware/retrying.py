"""The layer ``retry``: a policy decides, the layer acts.

It yields the request again, and every inner layer signs afresh; the body stays the same
bytes. What may be repeated at all is :mod:`.repeating`, where to is :mod:`.failover`.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Protocol

from .._flow import Close, Flow, Read, Sleep
from .._messages import Request, Response
from .._shapes import shown
from ..errors import (
    APIError,
    ClockSkew,
    ConnectError,
    ReadError,
    SignatureError,
    TransportError,
    WriteError,
)
from .failover import Failover
from .repeating import is_repeatable, is_worth_repeating

log: logging.Logger = logging.getLogger("wechatpay_chain.retry")

#: Seconds for a whole call, unless the caller says otherwise.
DEADLINE = 60.0
#: Stale connections that one call may meet without an attempt being counted.
STALE = 3
#: Bytes of a body beyond which it gets time of its own, and bytes per second then.
LARGE_BODY, SLOWEST = 1 << 16, 1 << 14


class RetryPolicy(Protocol):
    """Decides after each attempt: seconds to wait before another, or ``None``.

    Where it has an attribute ``deadline``, that is the seconds for a whole call, and
    ``timer``, unless ``None``, a callable that measures them.
    """

    def after_error(
        self, request: Request, error: TransportError | SignatureError, attempt: int
    ) -> float | None:
        """After attempt number *attempt*, from 1 on, has failed with *error*."""
        ...

    def after_response(
        self, request: Request, response: Response, attempt: int
    ) -> float | None:
        """After attempt number *attempt* was answered, decoded and verified."""
        ...


class Retry:
    """The default policy: at most *attempts*, within *deadline* seconds in all.

    After attempt *n* it pauses for at most *first* times two to the power of *n*, and
    at most *longest*, both in seconds; *jitter* gives the part of it, in [0, 1). A
    ``Retry-After`` of up to *retry_after_cap* seconds is honoured; with a longer one
    the answer goes to the caller. *deadline* ``None`` leaves only the timeouts.
    *timer* gives seconds that only go forward: for tests on a clock of their own; by
    default it is that of a memory transport, or real time.

    Override :meth:`decide` or :meth:`delay` for a policy of your own.
    """

    def __init__(
        self,
        attempts: int = 3,
        *,
        deadline: float | None = DEADLINE,
        first: float = 0.2,
        longest: float = 5.0,
        retry_after_cap: float = 20.0,
        jitter: Callable[[], float] = random.random,
        timer: Callable[[], float] | None = None,
    ) -> None:
        self.attempts = attempts  # before the check, for repr in tracebacks
        if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
            raise ValueError(
                f"retry: attempts must be an int from 1 up, got {shown(attempts)}"
            )
        if deadline is not None and not (_is_number(deadline) and deadline > 0):
            raise ValueError(
                f"retry: deadline is seconds above 0, got {shown(deadline)}"
            )
        self.deadline = deadline
        self.first = first
        self.longest = longest
        self.retry_after_cap = retry_after_cap
        self.timer = timer
        self.jitter = jitter

    def decide(
        self, request: Request, result: Response | TransportError | SignatureError
    ) -> bool:
        """Whether what came of *request* may be, and is worth being, repeated.

        What was not sent, such as over a connection that did not come about: always.
        Anything else only where :func:`~.repeating.is_repeatable`, and then a lost
        answer, one that is not proven to be WeChat Pay's, and what the documents say to
        repeat.
        """
        if isinstance(result, Response):
            return is_worth_repeating(request, result) and is_repeatable(request)
        if result.outcome == "not_sent":
            return True
        if isinstance(result, (ReadError, WriteError)):
            return is_repeatable(request)
        # The clocks will not agree at the next attempt either.
        again = isinstance(result, SignatureError) and not isinstance(result, ClockSkew)
        return again and is_repeatable(request)

    def delay(self, attempt: int, response: Response | None = None) -> float | None:
        """Seconds to wait after *attempt*; ``None`` where WeChat asks for too long."""
        pause = self.first * 2 ** min(attempt, 64)  # a float has an end
        pause = float(self.jitter() * min(self.longest, pause))
        asked = None if response is None else _retry_after(response)
        if asked is None:
            return pause
        return max(pause, asked) if asked <= self.retry_after_cap else None

    def after_error(
        self, request: Request, error: TransportError | SignatureError, attempt: int
    ) -> float | None:
        """See :meth:`decide` and :meth:`delay`."""
        if attempt >= self.attempts or not self.decide(request, error):
            return None
        return self.delay(attempt)

    def after_response(
        self, request: Request, response: Response, attempt: int
    ) -> float | None:
        """See :meth:`decide` and :meth:`delay`."""
        if attempt >= self.attempts or not self.decide(request, response):
            return None
        return self.delay(attempt, response)

    def __repr__(self) -> str:
        return f"Retry(attempts={self.attempts}, deadline={self.deadline})"


class Retrier:
    """Sends, asks the policy, waits, and sends again, as long as the deadline allows.

    *timer* gives seconds that only go forward. Once *closed*, nothing is repeated.
    """

    name = "retry"

    def __init__(
        self,
        policy: RetryPolicy,
        *,
        timer: Callable[[], float],
        failover: Failover | None = None,
        closed: Callable[[], bool] = bool,
    ) -> None:
        self._policy = policy
        self._timer = timer
        self._closed = closed
        self._failover = failover or Failover("", None, timer)

    def __call__(self, request: Request) -> Flow[Response]:
        started = self._timer()
        request = _with_time(request)
        current, attempt, stale = request, 1, 0
        while True:
            current = self._failover.route(current)
            delay: float | None = 0.0
            try:
                response: Response = yield current
                if response.body.content is None and not request.stream:
                    yield Read(response)  # a break while it is read counts here
            except (TransportError, SignatureError, APIError) as error:
                if isinstance(error, ConnectError):
                    self._failover.unreachable(current)
                if stale < STALE and _is_stale(error) and is_repeatable(request):
                    stale, attempt = stale + 1, attempt - 1  # replaced, not counted
                else:
                    delay = self._after(request, error, attempt)
                again = self._again(request, current, started, delay)
                if again is None:
                    raise
                yield from _pause(current, type(error).__name__, delay)
                if self._closed():  # meanwhile
                    raise
            else:
                self._failover.answered(current)
                delay = self._policy.after_response(request, response, attempt)
                again = self._again(request, current, started, delay)
                if again is None:
                    return response
                yield Close(response)
                yield from _pause(current, f"HTTP {response.status_code}", delay)
                if self._closed():
                    return response
            current, attempt = again, attempt + 1

    def _after(
        self,
        request: Request,
        error: TransportError | SignatureError | APIError,
        attempt: int,
    ) -> float | None:
        """What the policy says of *error*."""
        if not isinstance(error, APIError):
            return self._policy.after_error(request, error, attempt)
        answer = error.response
        if error.outcome != "not_sent" or not isinstance(answer, Response):
            return None
        # The download that *request* needs first was answered so, and *request* itself
        # was not sent: that answer to that download decides.
        return self._policy.after_response(answer.request or request, answer, attempt)

    def _again(
        self, request: Request, last: Request, started: float, delay: float | None
    ) -> Request | None:
        """The next try; ``None`` where there is none, or no time is left for it."""
        if delay is None or self._closed():
            return None
        if request.deadline is None:
            return request.replace(attempt=last.attempt + 1)
        left = request.deadline - (self._timer() - started) - delay
        if left <= 0:
            return None
        connect, read = request.timeout
        return request.replace(
            attempt=last.attempt + 1,
            deadline=left,
            timeout=(min(connect, left), min(read, left)),
        )


def _with_time(request: Request) -> Request:
    """A large body may take as long as a slow line needs for it."""
    if request.deadline is None or len(request.body) <= LARGE_BODY:
        return request
    return request.replace(deadline=request.deadline + len(request.body) / SLOWEST)


def _pause(last: Request, why: str, delay: float | None) -> Flow[None]:
    log.info("%s: try %d: %s, again", last.label, last.attempt, why)
    yield Sleep(delay or 0)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_stale(error: Exception) -> bool:
    return isinstance(error, TransportError) and error.stale


def _retry_after(response: Response) -> float | None:
    """Seconds that ``Retry-After`` asks for: a number, or a date after ``Date``."""
    text = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        then = parsedate_to_datetime(text)
        now = parsedate_to_datetime(response.headers.get("Date", ""))
        return max(0.0, (then - now).total_seconds())
    except (ValueError, TypeError):  # none, or nothing that can be read
        return None
