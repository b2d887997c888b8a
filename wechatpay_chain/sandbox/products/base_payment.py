"""Base payment (基础支付) as a whole: payments, combined orders, refunds and bills."""

from __future__ import annotations

from collections.abc import Iterator

from ..routing import Route
from ..world import World
from .bills import Bills
from .combined import CombinedOrders
from .ledger import Ledger
from .payments import Payments
from .refunding import Refunds
from .refunds import RefundCalls
from .transactions import Transactions
from .v2_bills import V2Bills
from .v2_payments import V2Payments
from .v2_refunds import V2Refunds


class BasePayment:
    """The endpoints, and the records behind them."""

    def __init__(self, world: World, ledger: Ledger, mchid: str) -> None:
        self._ledger = ledger
        self.payments: Payments = Payments(world, ledger, mchid)
        self.combined: CombinedOrders = CombinedOrders(world, self.payments, mchid)
        self.refunds: Refunds = Refunds(world, ledger, self.payments, mchid)
        self.transactions: Transactions = Transactions(world, self.payments, ledger)
        self.refund_calls: RefundCalls = RefundCalls(world, self.refunds, ledger)
        self.bills: Bills = Bills(world, ledger, self.payments, self.refunds)
        self._v2 = (
            V2Payments(world, self.payments, ledger),
            V2Refunds(world, self.refunds, ledger),
            V2Bills(self.bills),
        )

    def routes(self) -> Iterator[Route]:
        """The endpoints."""
        yield from self.transactions.routes()
        yield from self.combined.routes()
        yield from self.refund_calls.routes()
        yield from self.bills.routes()
        for one in self._v2:
            yield from one.routes()

    def age(self, seconds: float) -> None:
        """Make it as if everything had happened *seconds* earlier."""
        for one in (
            self.payments,
            self.combined,
            self.refunds,
            self._ledger,
            self.bills,
        ):
            one.age(seconds)
