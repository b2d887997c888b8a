"""What users and WeChat Pay itself do to an order, with what follows from it.

A confirmation and a payment are told to the merchant (payscore section 8); a payment is
entered in the ledger.
"""

from __future__ import annotations

from ..lifecycles.orders import Event, follow
from ..world import World
from .ledger import Ledger
from .order_documents import notified
from .orders import Order

_SUMMARIES = {
    "PAYSCORE.USER_CONFIRM": "支付分订单用户已确认",
    "PAYSCORE.USER_PAID": "用户支付成功",
}


class OrderActs:
    """The acts, on the orders of one gateway."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._world = world
        self._ledger = ledger

    def confirm(self, order: Order, openid: str, at: float) -> None:
        """The user accepts (确认订单)."""
        order.confirm(openid, at)
        self._tell(order)

    def pay(self, order: Order, event: Event, at: float) -> None:
        """Money arrives: the user paid, or a deduction succeeded."""
        self.receive(order, event, at)
        self._tell(order)

    def receive(self, order: Order, event: Event, at: float) -> None:
        """The same, with nobody told."""
        # Asked first: the ledger is not to hold what the table refuses.
        follow(order.state, event)
        order.pay(self._record(order, event, at), at, event)

    def _record(self, order: Order, event: Event, at: float) -> str:
        """Enter the payment, as the trade bill lists it (payscore section 9)."""
        by_user = event is Event.USER_PAYS
        number, attach = order.out_order_no, order.request.get("attach")
        if not by_user:
            number = self._world.ids.trade_no(at)
            attach = f"wxzff|{order.order_id}|{order.out_order_no}"
        return self._ledger.record(
            mchid=order.mchid,
            sub_mchid=order.sub_mchid,
            appid=order.request["appid"],
            openid=order.openid,
            amount=order.total_amount or 0,
            out_trade_no=number,
            at=at,
            trade_type="JSAPI" if by_user else "AUTH",
            attach=attach,
            # An out_order_no is no number to refund by.
            by_number=not by_user,
        )

    def _tell(self, order: Order) -> None:
        event_type = order.steps[-1].emits
        if event_type is not None:
            self._world.outbox.post(
                event_type,
                notified(order),
                mchid=order.mchid,
                url=order.request["notify_url"],
                original_type="payscore",
                summary=_SUMMARIES[event_type],
            )
