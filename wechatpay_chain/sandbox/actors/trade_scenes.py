"""Scenes for tests: payments and refunds in whatever state. Nobody is notified."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import TYPE_CHECKING, Any

from ..checks import given
from ..lifecycles.trades import SETTLED, RefundState, TradeEvent, TradeState
from ..products.deductions import Manual
from ..products.trades import Payment
from ..routing import Call
from .user import OPENID, IllegalMove, moves

if TYPE_CHECKING:
    from ..gateway import Gateway

_REFUNDS = "/v3/refund/domestic/refunds"
#: Payments that a bill can be made to list: some gigabytes of it.
MANY_ROWS = 10_000_000


class TradeScenes:
    """Sets scenes of base payment (基础支付)."""

    _gateway: Gateway

    def payment(
        self,
        state: str = "NOTPAY",
        *,
        form: str = "jsapi",
        partner: bool = False,
        **changes: Any,
    ) -> str:
        """Put a payment into *state* and return its ``out_trade_no``.

        *form*: ``jsapi``, ``app``, ``h5`` or ``native``. *changes* are members of its
        order call.
        """
        goal = _state(TradeState, state)
        gateway = self._gateway
        with gateway.lock, moves():
            body = deepcopy(self.payment_body(form, partner=partner, **changes))
            role = "partner/" if partner else ""
            self._call(f"/v3/pay/{role}transactions/{form}", body)
            payment = gateway.payments[body["out_trade_no"]]
            if goal is TradeState.CLOSED:
                payment.happen(TradeEvent.CLOSE, gateway.clock())
            elif goal is not TradeState.NOTPAY:
                gateway.payments.pay(payment, OPENID, tell=False)
            if goal is TradeState.REFUND:
                self._refund(payment, RefundState.SUCCESS, {})
        return payment.out_trade_no

    def payment_body(
        self, form: str = "jsapi", *, partner: bool = False, **changes: Any
    ) -> dict[str, Any]:
        """The body of an order call that is accepted, with *changes* made to it."""
        gateway = self._gateway
        prefix = "sp_" if partner else ""
        body: dict[str, Any] = {
            f"{prefix}appid": gateway.appid,
            f"{prefix}mchid": gateway.mchid,
            "description": "共享充电宝",
            "out_trade_no": changes.get("out_trade_no") or gateway.ids.out_order_no(),
            "notify_url": "https://merchant.example/notify",
            "amount": {"total": 100, "currency": "CNY"},
        }
        if partner:
            body["sub_mchid"] = gateway.sub_mchid
        if form == "jsapi":
            body["payer"] = {f"{prefix}openid": OPENID}
        elif form == "h5":
            scene = {"payer_client_ip": "127.0.0.1", "h5_info": {"type": "Wap"}}
            body["scene_info"] = scene
        return {**body, **changes}

    def refund(
        self, state: str = "SUCCESS", *, payment: str | None = None, **changes: Any
    ) -> str:
        """Put a refund into *state* and return its ``out_refund_no``.

        *payment* is the ``out_trade_no`` of one that is paid; by default another one
        is made. *changes* are members of the call.
        """
        goal = _state(RefundState, state)
        with self._gateway.lock, moves():
            number = payment or self.payment("SUCCESS")
            return self._refund(self._gateway.payments[number], goal, changes)

    def refund_body(self, payment: str, **changes: Any) -> dict[str, Any]:
        """The body of a call that refunds a payment whole, with *changes* to it."""
        found = self._gateway.payments[payment]
        number = changes.get("out_refund_no") or self._gateway.ids.out_order_no()
        body: dict[str, Any] = {
            "transaction_id": found.transaction_id,
            "out_refund_no": number,
            "notify_url": "https://merchant.example/notify",
            "amount": {
                "refund": found.amount,
                "total": found.amount,
                "currency": "CNY",
            },
        }
        if found.sub_mchid is not None:
            body["sub_mchid"] = found.sub_mchid
        return {**body, **changes}

    def bill(self, day: str, *, rows: int) -> None:
        """Have the bills (账单) of *day*, ``2024-05-31``, list so many payments more.

        They are in the bills alone, for load tests: no query knows them.
        """
        given.whole("rows", rows, most=MANY_ROWS)
        try:
            date_of = date.fromisoformat(day)
        except (ValueError, TypeError):
            raise given.refuse("day", "a date such as 2024-05-31", day) from None
        gateway = self._gateway
        with gateway.lock:
            gateway._base_payment.bills.rows.make_up(gateway.mchid, date_of, rows)

    def _refund(
        self, payment: Payment, goal: RefundState, changes: dict[str, Any]
    ) -> str:
        gateway, refunds = self._gateway, self._gateway.refunds
        body = deepcopy(self.refund_body(payment.out_trade_no, **changes))
        before, refunds.plan = refunds.plan, Manual()
        try:
            self._call(_REFUNDS, body)
        finally:
            refunds.plan = before
        refund = refunds[body["out_refund_no"]]
        if goal.value in SETTLED:
            refunds.settle(refund, SETTLED[goal.value], gateway.clock(), tell=False)
        return refund.out_refund_no

    def _call(self, template: str, body: dict[str, Any]) -> None:
        """Make the call as the merchant, whose signature is taken for granted."""
        gateway = self._gateway
        route = gateway.router.route("POST", template)
        assert route.body is not None
        for problem in route.body(body):
            raise IllegalMove(f"{problem.field}: {problem.issue}")
        route.behave(Call(gateway.merchant, body=body))


def _state(states: Any, name: str) -> Any:
    try:
        return states(name)
    except ValueError:
        raise ValueError(
            f"state: one of {', '.join(states)} expected, got {given.shown(name)}"
        ) from None
