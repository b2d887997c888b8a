"""The part of a gateway that holds money: the ledger, payments and refunds."""

from __future__ import annotations

from abc import ABC

from ..products.base_payment import BasePayment
from ..products.combined import CombinedOrders
from ..products.ledger import Ledger
from ..products.payments import Payments
from ..products.refund_plans import Refunding
from ..products.refunding import Refunds
from ..world import World


class Takings(ABC):
    """What base payment (基础支付) adds to a gateway."""

    world: World
    #: Money that came in and went back: what the bills list.
    ledger: Ledger
    #: All payments: ``payments[out_trade_no]``.
    payments: Payments
    #: All combined orders (合单): ``combined[combine_out_trade_no]``.
    combined: CombinedOrders
    #: All refunds: ``refunds[out_refund_no]``.
    refunds: Refunds
    #: Whether calls of APIv2 that move money out do so for a client certificate only,
    #: as WeChat Pay's do; see docs/sandbox-v2.md.
    certificate_required: bool = False
    _base_payment: BasePayment

    def _open_ledger(self, mchid: str) -> None:
        self.ledger = Ledger(self.world)
        made = self._base_payment = BasePayment(self.world, self.ledger, mchid)
        self.payments, self.combined = made.payments, made.combined
        self.refunds = made.refunds

    @property
    def refunding(self) -> Refunding:
        """How refunds (退款) go on; may be set at any time.

        ``"immediate"``, ``After(seconds=...)``, ``After(looks=...)``, ``Abnormal()``,
        ``Closed()``, ``Refused("NOT_ENOUGH")`` or ``Manual()``. By default the money
        arrives after a minute.
        """
        return self.refunds.plan

    @refunding.setter
    def refunding(self, refunding: Refunding) -> None:
        self.refunds.plan = refunding
