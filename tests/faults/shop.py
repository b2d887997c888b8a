"""The merchant's side: what a careful user of the client does, and what he believes.

A story is a generator of acts, so that threads and tasks tell the same one. It treats
errors as docs/errors.md says: ``not_sent`` and ``refused`` mean that it was not done,
``unknown`` is resolved by a query, and nothing is ever tried under another number.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ledger import ABSENT, View

#: How often a query is repeated until it gives an answer.
STUBBORN = 200
#: Seconds between queries, at first and at most.
PAUSE = (0.02, 0.5)
REASON = "用户投诉"


@dataclass(frozen=True)
class Ask:
    """One call to make: ``"create"``, ``"query"`` or ``"cancel"``."""

    kind: str
    order: View


@dataclass(frozen=True)
class Confirm:
    """The user confirms the order in the app."""

    order: View


@dataclass(frozen=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


class Result(NamedTuple):
    """What came of a call."""

    #: ``"ok"``, or the outcome of the error.
    outcome: str
    #: The data of the reply.
    data: dict[str, Any] | None = None
    #: Whether WeChat Pay said that there is no such order.
    absent: bool = False
    #: What the error said.
    error: str = ""


Act = Ask | Confirm | Pause
Story = Generator[Act, Result | None, None]
_Ending = Generator[Act, Result | None, str]


def story(order: View, rng: random.Random) -> Story:
    """One order's life: created, perhaps confirmed, looked at, perhaps cancelled."""
    order.state = yield from _create(order, rng)
    if order.state == ABSENT:
        return
    if rng.random() < 0.6:
        yield Confirm(order)
        order.state = "CONFIRMED"
    if rng.random() < 0.5:
        yield from _look(order)
    if rng.random() < 0.8:
        order.state = yield from _cancel(order, rng)
    if rng.random() < 0.3:
        yield from _look(order)


def _create(order: View, rng: random.Random) -> _Ending:
    while True:
        result = yield Ask("create", order)
        assert result is not None
        state = "CREATED" if result.outcome == "ok" else ABSENT
        if result.outcome == "unknown":
            state = yield from _resolve(order)
        # Once more under the same number, or the user has gone.
        if state != ABSENT or rng.random() < 0.5:
            return state


def _cancel(order: View, rng: random.Random) -> _Ending:
    while True:
        result = yield Ask("cancel", order)
        assert result is not None
        state = "REVOKED" if result.outcome == "ok" else order.state
        if result.outcome == "unknown":
            state = yield from _resolve(order)
        if state == "REVOKED" or rng.random() < 0.5:
            return state


def _resolve(order: View) -> _Ending:
    """Query until there is an answer: the state, or :data:`ABSENT`."""
    order.unknowns += 1
    state = yield from _query(order)
    if state is not None:
        order.resolved += 1
    return state or order.state


def _look(order: View) -> Generator[Act, Result | None, None]:
    state = yield from _query(order)
    if state not in (None, order.state):
        order.surprises += (f"a query showed {state}, not {order.state}",)


def _query(order: View) -> Generator[Act, Result | None, str | None]:
    pause = PAUSE[0]
    for _ in range(STUBBORN):
        result = yield Ask("query", order)
        assert result is not None
        if result.absent:
            return ABSENT
        state = _shown(result.data) if result.outcome == "ok" else None
        if state is not None:
            return state
        yield Pause(pause)
        pause = min(2 * pause, PAUSE[1])
    order.surprises += (f"no answer to {STUBBORN} queries",)
    return None


def _shown(data: dict[str, Any] | None) -> str | None:
    """The state that an answer shows; ``None`` where it shows none."""
    if data is None:
        return None
    if (data.get("state"), data.get("state_description")) == ("DOING", "USER_CONFIRM"):
        return "CONFIRMED"
    return data.get("state")
