"""The layer ``retry``: repeat what cannot have happened.

A policy decides, the layer acts: it yields the request again, and every inner layer
signs afresh. This policy repeats failures of the connect phase only, after which
nothing can have been done, whatever the method.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

from .._flow import Flow, close, sleep
from .._messages import Request, Response
from ..errors import ConnectError, TransportError


class RetryPolicy(Protocol):
    """Decides after each attempt: seconds to wait before another, or ``None``."""

    def after_error(
        self, request: Request, error: TransportError, attempt: int
    ) -> float | None:
        """After attempt number *attempt*, from 1 on, has failed with *error*."""
        ...

    def after_response(
        self, request: Request, response: Response, attempt: int
    ) -> float | None:
        """After attempt number *attempt* was answered, decoded and verified."""
        ...


class Retry:
    """The default policy: at most *attempts*, exponential back-off with full jitter.

    After attempt *n* it pauses for at most *first* times two to the power of *n*, and
    at most *longest*, both in seconds; *jitter* gives the share of it, in [0, 1).
    """

    def __init__(
        self,
        attempts: int = 3,
        *,
        first: float = 0.2,
        longest: float = 5.0,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.attempts = attempts  # before the check, for repr in tracebacks
        if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
            raise ValueError(
                f"retry: attempts must be an int from 1 up, got {attempts!r}"
            )
        self.first = first
        self.longest = longest
        self._jitter = jitter

    def after_error(
        self, request: Request, error: TransportError, attempt: int
    ) -> float | None:
        """Repeat where no connection came about; nothing was sent then."""
        del request
        if attempt >= self.attempts or not isinstance(error, ConnectError):
            return None
        pause = self.first * 2 ** min(attempt, 64)  # a float has an end
        return float(self._jitter() * min(self.longest, pause))

    def after_response(
        self, request: Request, response: Response, attempt: int
    ) -> float | None:
        """Never: an answer was given."""
        del request, response, attempt
        return None

    def __repr__(self) -> str:
        return f"Retry(attempts={self.attempts})"


class Retrier:
    """Sends, asks the policy, waits, and sends again; the body stays the same bytes."""

    name = "retry"

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy

    def __call__(self, request: Request) -> Flow[Response]:
        attempt = 0
        while True:
            attempt += 1
            try:
                response: Response = yield request
            except TransportError as error:
                delay = self._policy.after_error(request, error, attempt)
                if delay is None:
                    raise
            else:
                delay = self._policy.after_response(request, response, attempt)
                if delay is None:
                    return response
                yield from close(response)
            yield from sleep(delay)
