"""Scenes for tests: an order in whatever state, without the calls that lead there."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from ..checks import given
from ..lifecycles.orders import EXPIRY, Event, State
from ..products import fields
from ..products.orders import Order
from ..recording.journal import noted
from ..routing import Call
from .trade_scenes import TradeScenes
from .user import OPENID, IllegalMove, moves

if TYPE_CHECKING:
    from ..gateway import Gateway

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


@noted("given")
class Given(TradeScenes):
    """Sets a scene: ``gateway.given.order(state="PAYING")``.

    Nobody is notified of a scene, and no deduction begins in one.
    """

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

        *state* is a name of :class:`State`, or the word that WeChat Pay shows of it:
        ``USER_CONFIRM``, ``MCH_COMPLETE``, ``DONE`` (paid). *changes* are members of
        its create call. *total_amount* is what it costs, in fen, where it is completed;
        *deducting* locks it as a running deduction does.
        """
        try:
            goal = State(state)
        except ValueError:
            raise ValueError(
                f"state: one of {', '.join(State)} expected, got {given.shown(state)}"
            ) from None
        given.whole("total_amount", total_amount)
        given.truth("deducting", deducting)
        with self._gateway.lock, moves():
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
        now = self._gateway.clock()
        if event is Event.USER_CONFIRMS:
            if order.state is State.CREATED:  # a no-confirm order is past that
                order.confirm(OPENID, now)
        elif event is Event.COMPLETE:
            line = {"name": "服务费", "amount": total}
            order.complete({"post_payments": [line], "total_amount": total}, now)
        elif event is Event.USER_PAYS:
            self._gateway.payscore.acts.receive(order, event, now)
        elif event is Event.CANCEL:
            order.cancel({"reason": "sandbox"}, now)
        else:
            order.age(EXPIRY)
            order.happen(event, now)

    def __repr__(self) -> str:
        return "<Given>"
