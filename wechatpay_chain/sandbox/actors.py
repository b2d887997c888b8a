"""Who acts beside the merchant: the user of the app, and the test that sets a scene.

No part of the real API. What they do goes through the same table as every call; what it
does not allow raises :class:`IllegalMove`.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from .lifecycle import EXPIRY, Event, State
from .products import fields
from .products.orders import Order
from .refusals import Refusal
from .routing import Call
from .tables import key

if TYPE_CHECKING:
    from .gateway import Gateway

#: The user (用户) of the default world.
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"


class IllegalMove(ValueError):
    """What was asked cannot happen to the order in its state, or at all."""


@contextmanager
def _allowed() -> Generator[None, None, None]:
    try:
        yield
    except Refusal as refusal:
        sandbox = refusal.detail.get("sandbox", {})
        raise IllegalMove(sandbox.get("message") or refusal.message) from None


class User:
    """The user: ``gateway.user.confirm(out_order_no)``.

    An order of another merchant is named by a pair, ``(mchid, out_order_no)``.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def confirm(
        self, out_order_no: str | tuple[str, str], openid: str = OPENID
    ) -> Order:
        """Confirm the order (确认订单) in the app."""
        with self._order(out_order_no) as order:
            order.confirm(openid, self._gateway.clock())
        return order

    def refuse(self, out_order_no: str | tuple[str, str]) -> Order:
        """Refuse the order, or leave the page; it stays as it is (payscore 4.1)."""
        with self._order(out_order_no) as order:
            order.happen(Event.USER_REFUSES, self._gateway.clock())
        return order

    def pay(self, out_order_no: str | tuple[str, str]) -> Order:
        """Pay a completed order, in its page in the app."""
        gateway = self._gateway
        with self._order(out_order_no) as order:
            now = gateway.clock()
            order.pay(gateway.ids.transaction_id(now), now, Event.USER_PAYS)
        return order

    def enter_cashier(self, out_order_no: str | tuple[str, str]) -> Order:
        """Begin to pay: locks the order until the cashier is left (payscore 4.3)."""
        with self._order(out_order_no) as order:
            if order.state is not State.PAYING:
                raise IllegalMove(
                    f"a cashier opens for {State.PAYING}, not {order.state}"
                )
            order.deducting = True
        return order

    def leave_cashier(self, out_order_no: str | tuple[str, str]) -> Order:
        """Leave without having paid."""
        with self._order(out_order_no) as order:
            order.deducting = False
        return order

    def authorize(self, openid: str = OPENID, service_id: str | None = None) -> None:
        """Authorise a no-confirm service (授权免确认服务), by default the gateway's."""
        gateway = self._gateway
        with gateway.lock:
            service = service_id or gateway.no_confirm_service_id
            gateway.payscore.authorisations.put(key(service, openid), "AVAILABLE")

    @contextmanager
    def _order(self, number: str | tuple[str, str]) -> Generator[Order, None, None]:
        with self._gateway.lock, _allowed():
            self._gateway.settle()
            yield self._gateway.orders[number]

    def __repr__(self) -> str:
        return f"<User {OPENID}>"


#: How an order comes from its first state into another.
_PATHS: dict[State, tuple[Event, ...]] = {
    State.CREATED: (),
    State.CONFIRMED: (Event.USER_CONFIRMS,),
    State.PAYING: (Event.USER_CONFIRMS, Event.COMPLETE),
    State.PAID: (Event.USER_CONFIRMS, Event.COMPLETE, Event.USER_PAYS),
    State.ZERO: (Event.USER_CONFIRMS, Event.COMPLETE),
    State.REVOKED: (Event.CANCEL,),
    State.EXPIRED: (Event.EXPIRE,),
}


class Given:
    """Sets a scene: ``gateway.given.order(state="PAYING")``."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def order(
        self,
        state: str = "CREATED",
        *,
        partner: bool = False,
        total_amount: int = 100,
        deducting: bool = False,
        **changes: Any,
    ) -> str:
        """Put an order into *state* and return its ``out_order_no``.

        *changes* are members of its create call. *total_amount* is what it costs, in
        fen, where it is completed; *deducting* locks it as a running deduction does.
        """
        try:
            goal = State(state)
        except ValueError:
            raise ValueError(
                f"state: one of {', '.join(State)} expected, got {state!r}"
            ) from None
        with self._gateway.lock, _allowed():
            body = deepcopy(self.create_body(partner=partner, **changes))
            order = self._create(body, partner)
            for event in _PATHS[goal]:
                total = 0 if goal is State.ZERO else total_amount
                self._lead(order, event, total)
            if order.state is not goal:
                raise IllegalMove(f"such an order is {order.state}, not {goal}")
            order.deducting = deducting
        return order.out_order_no

    def create_body(self, *, partner: bool = False, **changes: Any) -> dict[str, Any]:
        """The body of a create call that is accepted, with *changes* made to it."""
        gateway = self._gateway
        body: dict[str, Any] = {
            "out_order_no": changes.get("out_order_no") or gateway.ids.out_order_no(),
            "appid": gateway.appid,
            "service_id": gateway.service_id,
            "service_introduction": "共享充电宝",
            "time_range": {"start_time": "OnAccept"},
            "risk_fund": {"name": "DEPOSIT", "amount": 10000},
            "notify_url": "https://merchant.example/notify",
        }
        if partner:
            body["sub_mchid"] = gateway.sub_mchid
        return {**body, **changes}

    def _create(self, body: dict[str, Any], partner: bool) -> Order:
        gateway = self._gateway
        rules = fields.PARTNER_CREATE if partner else fields.CREATE
        for problem in rules(body):
            raise IllegalMove(f"{problem.field}: {problem.issue}")
        gateway.payscore.create(Call(gateway.merchant, body=body))
        return gateway.orders[body["out_order_no"]]

    def _lead(self, order: Order, event: Event, total: int) -> None:
        gateway = self._gateway
        now = gateway.clock()
        if event is Event.USER_CONFIRMS:
            if order.state is State.CREATED:  # a no-confirm order is past that
                order.confirm(OPENID, now)
        elif event is Event.COMPLETE:
            line = {"name": "服务费", "amount": total}
            order.complete({"post_payments": [line], "total_amount": total}, now)
        elif event is Event.USER_PAYS:
            order.pay(gateway.ids.transaction_id(now), now, event)
        elif event is Event.CANCEL:
            order.cancel({"reason": "sandbox"}, now)
        else:
            order.age(EXPIRY)
            order.happen(event, now)

    def __repr__(self) -> str:
        return "<Given>"
