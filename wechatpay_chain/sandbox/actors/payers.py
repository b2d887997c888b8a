"""What the user does in the cashier (收银台) of a payment: finds it, pays, or fails to.

Raises :class:`Refusal` where the tables do not allow it, which actors turn into
``IllegalMove``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lifecycles.trades import TRADE, TradeEvent
from ..products.combined import Combined
from ..products.trades import Payment, Trade
from ..refusals import Internal, Refusal, refused

if TYPE_CHECKING:
    from ..gateway import Gateway


def find(gateway: Gateway, number: str | tuple[str, str]) -> Trade | None:
    """What *number* names: a token, a combined order, or a payment.

    Raises :class:`Refusal` for a token that is over.
    """
    tokens = gateway.payments.tokens
    if isinstance(number, str) and tokens.find(number) is not None:
        token = tokens.redeem(number)
        holder = gateway.combined if token.combined else gateway.payments
        return holder.at(token.trade)
    if number in gateway.combined:
        return gateway.combined[number]
    return gateway.payments.seek(number)


def pay(gateway: Gateway, trade: Trade, openid: str) -> Payment | Combined:
    """Pay it."""
    found = _whole(trade)
    found.check_payable(gateway.clock())
    if isinstance(found, Combined):
        gateway.combined.pay(found, openid)
    else:
        gateway.payments.pay(found, openid)
    return found


def fail(gateway: Gateway, trade: Trade) -> Payment | Combined:
    """Try to pay it, and fail: it can be tried again (payscore section 10.3)."""
    found, now = _whole(trade), gateway.clock()
    found.check_payable(now)
    found.happen(TradeEvent.ATTEMPT_FAILS, now)
    return found


def unknown() -> Refusal:
    """The refusal of a number that names nothing."""
    return TRADE.unknown(TradeEvent.USER_PAYS)


def payer(trade: Trade, openid: str | None, usual: str) -> str:
    """Who pays: for jsapi whom the order names. Raises :class:`Refusal` for another."""
    assert isinstance(trade, (Payment, Combined))
    named = [one for one in (trade.openid, trade.sub_openid) if one is not None]
    if openid is not None and named and openid not in named:
        raise refused(
            "OPENID_MISMATCH",
            "openid_differs",
            f"it was ordered for {named[0][:64]}, and {openid[:64]} cannot pay it",
            number=Internal.NO_PERMISSION,
        )
    return openid or (named[0] if named else usual)


def _whole(trade: Trade) -> Payment | Combined:
    """What is paid at once. Raises :class:`Refusal` for a part of something."""
    assert isinstance(trade, (Payment, Combined))
    if isinstance(trade, Payment) and trade.combined is not None:
        raise refused(
            "INVALID_REQUEST",
            "part_of_combined",
            f"{trade.out_trade_no} is paid with its combined order only",
            number=Internal.ILLEGAL_STATE,
        )
    return trade
