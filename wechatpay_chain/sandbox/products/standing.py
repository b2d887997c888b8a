"""Users whom PayScore turns away: unfit, in debt, too young, or with too many orders.

For need-confirm orders the confirm page does it, for no-confirm ones create (payscore
section 6). Merchants never see a score.
"""

from __future__ import annotations

from typing import NamedTuple

from ..refusals import Internal, Refusal, refused
from ..state.tables import Table
from ..world import World


class Reason(NamedTuple):
    """Why a user is turned away, and the internal number of it."""

    message: str
    number: int


#: By name; the numbers are those of payscore section 6, which has none for ``running``:
#: more than three orders at a time. The sandbox counts no orders, a test says so.
REASONS: dict[str, Reason] = {
    "evaluation": Reason("用户未通过综合评估", 271300099),
    "overdue": Reason("用户存在逾期未支付的订单", 271299627),
    "running": Reason("用户进行中的订单过多", Internal.ILLEGAL_STATE),
    "youth": Reason("用户已开启青少年模式", 268560785),
}


class Standing:
    """The users of a gateway who are turned away."""

    def __init__(self, world: World) -> None:
        self._reasons: Table[str] = world.tables.table("payscore.standing", str)

    def turn_away(self, openid: str, reason: str) -> None:
        """Turn the user away from now on. Raises ``ValueError`` for another reason."""
        if reason not in REASONS:
            known = ", ".join(REASONS)
            raise ValueError(f"reason: one of {known} expected, got {reason!r}")
        self._reasons.put(openid, reason)

    def welcome(self, openid: str) -> None:
        """Turn the user away no more."""
        self._reasons.delete(openid)

    def check(self, openid: str, *, deposit: bool = False) -> None:
        """Refuse a user who is turned away.

        *deposit*: the user pays one, which makes up for a failed evaluation.
        """
        name = self._reasons.peek(openid)
        if name is None or (deposit and name == "evaluation"):
            return
        reason = REASONS[name]
        raise _refusal(openid, name, reason)


def _refusal(openid: str, name: str, reason: Reason) -> Refusal:
    return refused(
        "INVALID_REQUEST",
        "user_turned_away",
        f"the user {openid[:64]} is turned away: {name}",
        message=reason.message,
        number=reason.number,
    )
