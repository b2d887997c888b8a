"""Deduction (扣款): how and when WeChat Pay collects what a completed order costs.

How it goes is configuration, ``gateway.deduction``. While an attempt is under way the
order is locked against cancel, modify and sync (payscore section 4.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Union

from ..checks import given
from ..lifecycles.orders import Event, State
from ..state.tables import key
from ..world import World
from .order_acts import OrderActs
from .orders import Order, Orders

#: Seconds from a failed attempt to the next: the documents say only that WeChat Pay
#: tries again on a schedule of its own.
RETRY = 24 * 3600

_ATTEMPT = "payscore.deduction"
_RETRY = "payscore.retry"


@dataclass(frozen=True)
class Manual:
    """Nothing is collected by itself: the user pays, or ``gateway.bank`` acts."""


@dataclass(frozen=True)
class After:
    """An attempt succeeds after so many seconds, or when the order is looked at.

    ``After(looks=3)``: the third query shows it paid. Until then the order is locked.
    """

    seconds: float | None = None
    looks: int | None = None

    def __post_init__(self) -> None:
        if (self.seconds is None) is (self.looks is None):
            raise ValueError("After takes one of seconds and looks")
        if self.seconds is not None:
            given.number("seconds", self.seconds)
        if self.looks is not None:
            given.whole("looks", self.looks, least=1)


@dataclass(frozen=True)
class Fails:
    """Every attempt fails, for a reason such as ``"insufficient"``."""

    reason: str = "insufficient"

    def __post_init__(self) -> None:
        given.text("reason", self.reason)


#: How deduction goes.
Deduction = Union[Manual, After, Fails, Literal["immediate"]]

#: The plan of a gateway that is told none.
BY_HAND = Manual()


class Deductions:
    """Attempts, on the orders of one gateway."""

    def __init__(self, world: World, orders: Orders, acts: OrderActs) -> None:
        self._world = world
        self._orders = orders
        self._acts = acts
        self._plan: Deduction = BY_HAND
        world.agenda.serve(_ATTEMPT, self._succeed_due)
        world.agenda.serve(_RETRY, self._retry)

    @property
    def plan(self) -> Deduction:
        """How attempts go from now on. Setting it raises ``TypeError``."""
        return self._plan

    @plan.setter
    def plan(self, plan: Deduction) -> None:
        if plan != "immediate" and not isinstance(plan, (Manual, After, Fails)):
            raise TypeError(
                'deduction: "immediate", After(...), Fails(...) or Manual() expected, '
                f"got {given.shown(plan)}"
            )
        self._plan = plan

    def attempt(self, order: Order, at: float) -> None:
        """Try to collect, unless money is on its way already."""
        plan = self._plan
        if order.state is not State.PAYING or order.locked or isinstance(plan, Manual):
            return
        self.begin(order)
        if isinstance(plan, Fails):
            self.fail(order, at, plan.reason)
        elif plan == "immediate":
            self.succeed(order, at)
        elif plan.looks is not None:
            order.looks = plan.looks
        elif plan.seconds is not None:
            due = key(order.key, str(order.attempts))
            self._world.agenda.add(at + plan.seconds, _ATTEMPT, due)

    def look(self, order: Order, at: float) -> None:
        """Note that the order is queried."""
        if order.looks:
            order.looks -= 1
            if not order.looks:
                self.succeed(order, at)

    def begin(self, order: Order) -> None:
        """An attempt begins; the order is locked until it ends."""
        order.deducting = True
        order.attempts += 1

    def succeed(self, order: Order, at: float) -> None:
        """It ends, and the money is there."""
        self._acts.pay(order, Event.DEDUCTION_SUCCEEDS, at)

    def fail(self, order: Order, at: float, reason: str) -> None:
        """It ends without money. Another one follows by itself."""
        order.happen(Event.DEDUCTION_FAILS, at)
        order.deducting, order.looks = False, 0
        if order.failure is None:
            # One schedule per order: a call of pay adds an attempt, no schedule.
            self._world.agenda.add(at + RETRY, _RETRY, order.key)
        order.failure = reason

    def _succeed_due(self, at: str, due: float) -> None:
        place, _, number = at.rpartition("/")
        order = self._orders.at(place)
        if order is not None and order.deducting and order.attempts == int(number):
            self.succeed(order, due)

    def _retry(self, at: str, due: float) -> None:
        order = self._orders.at(at)
        if order is not None and order.state is State.PAYING:
            self._world.agenda.add(due + RETRY, _RETRY, at)
            self.attempt(order, due)
