"""All refunds (退款) of a gateway, and the rules for them: payscore 10.2 to 10.4.

A refund is of money in the ledger, whatever product took it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..lifecycles.trades import TRADE, RefundEvent, RefundState, TradeEvent
from ..refusals import Internal, Refusal, refused
from ..state.tables import Table, key, key_of
from ..world import World
from .deductions import After, Manual
from .ledger import Ledger, Receipt, Return
from .payments import Payments
from .refund_plans import Abnormal, Closed, Refunding, Refused, check
from .refund_record import Refund
from .trades import DAY

#: How many refunds one payment can have, and how many seconds lie between two.
MOST, APART = 50, 60
#: Seconds after a payment in which it can be refunded.
REFUNDABLE = 365 * DAY

_SETTLING = "refund.settling"
_TOO_SOON = (
    "less than 1 minute after the last one, which is a rule of WeChat Pay's: "
    "gateway.advance(60) lets it pass"
)


class Refunds:
    """All refunds of a gateway: ``refunds[out_refund_no]``.

    Numbers are unique per merchant: ``refunds[mchid, out_refund_no]`` is another one's.
    """

    def __init__(
        self, world: World, ledger: Ledger, payments: Payments, mchid: str
    ) -> None:
        self._world = world
        self._ledger = ledger
        self._payments = payments
        #: Whose numbers are meant where no merchant is named.
        self._mchid = mchid
        self._refunds: Table[Refund] = world.tables.table("refunds", Refund)
        self._by_id: Table[str] = world.tables.table("refund.ids", str)
        self._plan: Refunding = After(seconds=60)
        #: Where to tell of a refund that names no ``notify_url``: in real life what is
        #: set in the merchant's console (商户平台).
        self.notify_url: str | None = None
        #: Who tells the merchant, by the API that asked.
        self.announcers: dict[str, Callable[[Refund], None]] = {}
        world.agenda.serve(_SETTLING, self._settle_due)

    @property
    def plan(self) -> Refunding:
        """How refunds go from now on. Setting it raises ``TypeError``."""
        return self._plan

    @plan.setter
    def plan(self, plan: Refunding) -> None:
        check(plan)
        self._plan = plan

    def _key(self, number: str | tuple[str, str]) -> str:
        return key_of(number, self._mchid)

    def __getitem__(self, number: str | tuple[str, str]) -> Refund:
        at = self._key(number)
        refund = self._refunds.get(at)
        if refund is None:
            mchid, _, name = at.partition("/")
            raise KeyError(f"merchant {mchid} has no refund {name!r}")
        return refund

    def __contains__(self, number: str | tuple[str, str]) -> bool:
        return self._key(number) in self._refunds

    def __iter__(self) -> Iterator[Refund]:
        return iter(self._refunds)

    def __len__(self) -> int:
        return len(self._refunds)

    def find(self, mchid: str, out_refund_no: str) -> Refund | None:
        """The merchant's refund of that number."""
        return self._refunds.get(key(mchid, out_refund_no))

    def find_id(self, mchid: str, refund_id: str) -> Refund | None:
        """The merchant's refund of that ``refund_id``."""
        at = self._by_id.peek(refund_id)
        refund = None if at is None else self._refunds.get(at)
        return refund if refund is not None and refund.mchid == mchid else None

    def apply(self, receipt: Receipt, draft: Refund) -> Refund:
        """Enter *draft*, or find what was asked for so before. Raises `Refusal`."""
        known = self._refunds.get(draft.key)
        now = draft.created_at
        if known is not None:
            known.happen(RefundEvent.APPLY, now, same=known.request == draft.request)
            return known
        self._check(receipt, draft)
        payment = self._payments.find_transaction(draft.mchid, draft.transaction_id)
        if payment is not None:
            payment.happen(TradeEvent.REFUND, now)
        draft.refund_id = self._world.ids.refund_id(now)
        draft.happen(RefundEvent.APPLY, now)
        self._refunds.put(draft.key, draft)
        self._by_id.put(draft.refund_id, draft.key)
        self._ledger.give_back(
            Return(
                draft.refund_id,
                draft.out_refund_no,
                draft.transaction_id,
                draft.mchid,
                draft.amount,
                now,
            )
        )
        self._start(draft, now)
        return draft

    def try_again(self, refund: Refund, request: Mapping[str, Any]) -> None:
        """Send an abnormal refund another way (发起异常退款)."""
        now = self._world.clock()
        same = refund.second_way == request
        if refund.happen(RefundEvent.APPLY_ABNORMAL, now, same=same):
            refund.second_way = dict(request)
            self._ledger.returned(refund.refund_id).status = refund.state.value
            self._start(refund, now)

    def look(self, refund: Refund) -> None:
        """Note that the refund is queried."""
        if refund.looks:
            refund.looks -= 1
            if not refund.looks:
                self.settle(refund, RefundEvent.ARRIVES, self._world.clock())

    def settle(
        self, refund: Refund, event: RefundEvent, at: float, *, tell: bool = True
    ) -> None:
        """The money arrives, comes back, or is not sent at all. Raises `Refusal`."""
        refund.happen(event, at)
        refund.looks = 0
        entry = self._ledger.returned(refund.refund_id)
        entry.status = refund.state.value
        if event is RefundEvent.ARRIVES:
            refund.arrived_at = entry.arrived_at = at
        if tell:
            self.announcers[refund.door](refund)

    def age(self, seconds: float) -> None:
        """Make it as if everything had happened *seconds* earlier."""
        for refund in self._refunds:
            refund.age(seconds)

    def _check(self, receipt: Receipt, draft: Refund) -> None:
        """The rules for a new refund. Raises :class:`Refusal`."""
        plan, now = self._plan, draft.created_at
        if isinstance(plan, Refused):
            raise refused(
                plan.code,
                "refunds_refused",
                f"gateway.refunding refuses every refund with {plan.code}",
                number=Internal.ILLEGAL_STATE,
            )
        if draft.total != receipt.amount:
            sentence = f"amount.total is {draft.total}, {receipt.amount} was paid"
            raise _invalid("total_differs", sentence)
        if now > receipt.at + REFUNDABLE:
            raise _invalid("refund_too_late", "more than 365 days after the payment")
        held = [one for one in self._ledger.returns_of(receipt) if _counts(one)]
        if len(held) >= MOST:
            raise _invalid("refunds_too_many", f"{MOST} refunds were made already")
        if held and now < held[-1].at + APART:
            raise _invalid("refund_too_soon", _TOO_SOON)
        gone = sum(one.amount for one in held)
        if gone + draft.amount > receipt.amount:
            sentence = (
                f"{draft.amount} asked for, {receipt.amount - gone} of "
                f"{receipt.amount} is left"
            )
            raise _invalid("refund_above_total", sentence)

    def _start(self, refund: Refund, now: float) -> None:
        plan = self._plan
        if plan == "immediate":
            self.settle(refund, RefundEvent.ARRIVES, now)
        elif isinstance(plan, (Manual, Refused)):
            pass  # somebody else says what becomes of it
        elif isinstance(plan, After) and plan.looks is not None:
            refund.looks = plan.looks
        else:
            event = _EVENTS.get(type(plan), RefundEvent.ARRIVES)
            # The number of steps tells whether it is still this attempt.
            due = key(refund.key, event.name, str(len(refund.steps)))
            self._world.agenda.add(now + (plan.seconds or 0), _SETTLING, due)

    def _settle_due(self, at: str, due: float) -> None:
        place, event, number = at.rsplit("/", 2)
        refund = self._refunds.get(place)
        if refund is not None and len(refund.steps) == int(number):
            self.settle(refund, RefundEvent[event], due)

    def __repr__(self) -> str:
        return f"<Refunds {len(self)}>"


_EVENTS: dict[type, RefundEvent] = {
    Abnormal: RefundEvent.BOUNCES,
    Closed: RefundEvent.CLOSES,
}


def _counts(entry: Return) -> bool:
    """Whether it takes from what can be refunded: a closed one gave it back."""
    return entry.status != RefundState.CLOSED.value


def refundable(receipt: Receipt | None, sub_mchid: str | None) -> Receipt:
    """The payment, where the caller may refund it; else as if it did not exist."""
    if receipt is None:
        raise TRADE.unknown(TradeEvent.REFUND)
    if receipt.sub_mchid != sub_mchid:
        raise TRADE.of_another(TradeEvent.REFUND, receipt.sub_mchid, sub_mchid)
    return receipt


def _invalid(identifier: str, sentence: str) -> Refusal:
    number = Internal.ILLEGAL_STATE
    return refused("INVALID_REQUEST", identifier, sentence, number=number)
