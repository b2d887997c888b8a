"""Payments (支付单) as records: what was ordered, what happened, what may still happen.

A payment changes state in one way only: :meth:`Trade.happen`, which asks the table. No
request is read here, so that APIv3 and APIv2 can share one record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..lifecycles.trades import TRADE, TradeEvent, TradeState
from ..refusals import Internal, Refusal, refused
from ..state.tables import key
from ..world import rfc3339

DAY = 24 * 3600
#: Seconds for which a ``prepay_id`` or ``code_url`` can be used (payscore 10.2).
PREPAY_LIFE = 2 * 3600
#: The same of an ``h5_url``.
H5_LIFE = 5 * 60
#: Seconds in which a payment can be paid, and after which it is closed.
PAYABLE = 7 * DAY
#: What ``time_expire`` becomes at least, and at most, in seconds from the order.
SOONEST, LATEST = 60, 90 * DAY

DESCRIPTIONS: dict[TradeState, str] = {
    TradeState.NOTPAY: "订单未支付",
    TradeState.SUCCESS: "支付成功",
    TradeState.REFUND: "订单发生过退款，退款详情请查询退款单",
    TradeState.CLOSED: "订单已关闭",
}


class TradeStep(NamedTuple):
    """One thing that happened to a payment."""

    at: float
    event: TradeEvent
    before: TradeState | None
    after: TradeState
    #: The notification that goes out.
    emits: str | None = None


@dataclass(eq=False)
class Trade:
    """What one user can pay at once: a payment, or several combined."""

    mchid: str
    out_trade_no: str
    #: Which API ordered it: ``"v3"``, ``"combine"``, ``"v2"``.
    door: str
    created_at: float
    #: Until when it can be paid.
    payable_until: float
    notify_url: str
    #: The order call as it was made, to know a repetition by.
    request: dict[str, Any] = field(repr=False)
    #: ``JSAPI``, ``NATIVE``, ``APP`` or ``MWEB``.
    trade_type: str
    steps: list[TradeStep] = field(default_factory=list[TradeStep])
    #: Until when the newest of its tokens can be used.
    usable_until: float = 0.0
    paid_at: float | None = None

    @property
    def key(self) -> str:
        """Where it stands in its table."""
        return key(self.mchid, self.out_trade_no)

    @property
    def state(self) -> TradeState:
        """Where it stands."""
        return self.steps[-1].after

    @property
    def history(self) -> list[TradeState]:
        """The states it went through, the present one last."""
        return [step.after for step in self.steps if step.before is not step.after]

    @property
    def closes_at(self) -> float:
        """When it is closed, if nobody pays it before.

        ``time_expire`` may leave more than the usual seven days.
        """
        return max(self.created_at + PAYABLE, self.payable_until)

    def repeats(self, other: Trade) -> bool:
        """Whether *other* is ordered exactly as this was."""
        mine = (self.door, self.trade_type, self.request)
        return mine == (other.door, other.trade_type, other.request)

    def happen(self, event: TradeEvent, at: float, *, same: bool = False) -> bool:
        """Take *event* through the table; whether the state may have changed.

        ``False`` for an identical repetition. Raises :class:`Refusal`.
        """
        before = self.steps[-1].after if self.steps else None
        found = TRADE.cell(before, event)
        after = TRADE.follow(before, event, same=same)
        if found.to is None:
            return False
        self.steps.append(TradeStep(at, event, before, after, found.emits))
        return True

    def check_payable(self, at: float) -> None:
        """Raise :class:`Refusal` where its time is over, or no token is usable."""
        TRADE.follow(self.state, TradeEvent.USER_PAYS)
        if at > self.payable_until:
            # Fixed by the first order: the same order again changes nothing.
            raise over("time_expire", self.payable_until, "order under another number")
        if at > self.usable_until:
            raise over("the last token", self.usable_until)

    def age(self, seconds: float) -> None:
        """Make it as if everything had happened *seconds* earlier."""
        self.created_at -= seconds
        self.payable_until -= seconds
        self.usable_until -= seconds
        if self.paid_at is not None:
            self.paid_at -= seconds
        self.steps = [step._replace(at=step.at - seconds) for step in self.steps]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.out_trade_no} {self.state}>"


@dataclass(eq=False, repr=False)
class Payment(Trade):
    """One payment. Read it freely; acts go through the gateway."""

    appid: str = ""
    description: str = ""
    #: In fen.
    amount: int = 0
    #: The sub-merchant (子商户) of a partner's payment.
    sub_mchid: str | None = None
    sub_appid: str | None = None
    #: Of the user, under ``appid`` and under ``sub_appid``.
    openid: str | None = None
    sub_openid: str | None = None
    attach: str | None = None
    transaction_id: str | None = None
    #: The key of the combined order that it is part of.
    combined: str | None = None


@dataclass(eq=False)
class Token:
    """What leads a user there: a ``prepay_id``, a ``code_url`` or an ``h5_url``."""

    value: str = field(repr=False)
    #: Whose it is: the key of a payment, or of a combined order.
    trade: str
    combined: bool
    until: float


def over(
    what: str, until: float, instead: str = "order again for a new one"
) -> Refusal:
    """The refusal of what came too late."""
    sentence = f"{what} was over at {rfc3339(until)}; {instead}"
    return refused("ORDER_CLOSED", "too_late", sentence, number=Internal.ILLEGAL_STATE)


def deadline(wanted: float | None, now: float) -> float:
    """Until when a payment ordered at *now* can be paid (payscore section 10.2)."""
    if wanted is None:
        return now + PAYABLE
    return min(max(wanted, now + SOONEST), now + LATEST)
