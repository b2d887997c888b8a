"""The bank that the user's money comes from: what it does by hand, for tests."""

from __future__ import annotations

from ..checks import given
from ..lifecycles.orders import State
from ..lifecycles.trades import SETTLED
from ..products.orders import Order
from ..products.refund_record import Refund
from ..recording.journal import noted
from .user import IllegalMove, _Actor


@noted("bank")
class Bank(_Actor):
    """Deduction (扣款) by hand, where ``gateway.deduction`` is ``Manual()``.

    ``gateway.bank.begin(order)`` locks the order until the attempt succeeds or fails.
    """

    def begin(self, out_order_no: str | tuple[str, str]) -> Order:
        """Begin an attempt to collect: locks the order until it ends."""
        with self._order(out_order_no) as order:
            if order.state is not State.PAYING or order.locked:
                raise IllegalMove(
                    f"an attempt begins for an order that is {State.PAYING} and not "
                    f"locked; this one is {order.state}"
                    f"{' and locked' if order.locked else ''}"
                )
            self._gateway.payscore.deductions.begin(order)
        return order

    def succeed(self, out_order_no: str | tuple[str, str]) -> Order:
        """Let the attempt succeed, begun or not: the money is there."""
        with self._order(out_order_no) as order:
            deductions = self._gateway.payscore.deductions
            deductions.succeed(order, self._gateway.clock())
        return order

    def fail(
        self, out_order_no: str | tuple[str, str], reason: str = "insufficient"
    ) -> Order:
        """Let the attempt fail: the order is due as before."""
        given.text("reason", reason)
        with self._order(out_order_no) as order:
            deductions = self._gateway.payscore.deductions
            deductions.fail(order, self._gateway.clock(), reason)
        return order

    def settle_refund(
        self, out_refund_no: str | tuple[str, str], outcome: str = "SUCCESS"
    ) -> Refund:
        """Let a refund end as ``SUCCESS``, ``ABNORMAL`` or ``CLOSED``."""
        gateway = self._gateway
        given.one_of("outcome", outcome, SETTLED)
        with self._acting():
            refund = gateway.refunds[out_refund_no]
            gateway.refunds.settle(refund, SETTLED[outcome], gateway.clock())
        return refund

    def __repr__(self) -> str:
        return "<Bank>"
