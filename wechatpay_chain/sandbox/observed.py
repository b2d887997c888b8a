"""The other error profile of PayScore orders: what production was seen to answer.

The documents give one code to a state; production often gives a broader one (payscore
section 4.2). What is refused is the same, so this only rewords refusals.
"""

from __future__ import annotations

from .lifecycles.orders import Event, State
from .refusals import Refusal

#: ``"documented"`` as the tables of the documents have it, ``"observed"`` as here.
PROFILES = ("documented", "observed")

_CANNOT_CANCEL = ("PARAM_ERROR", "当前订单状态不满足撤销条件")
_CANNOT_COMPLETE = ("INVALID_REQUEST", "当前订单状态不合法")
_COMPLETED = ("PARAM_ERROR", "完结订单状态不合法")

_BEYOND_CANCELLING = (State.PAID, State.ZERO, State.EXPIRED)
_NOT_RUNNING = (State.CREATED, State.REVOKED, State.EXPIRED)
_ENDED = (State.PAYING, State.PAID, State.ZERO)

_CANCEL, _COMPLETE = Event.CANCEL.value, Event.COMPLETE.value
#: Codes and messages that production was seen to answer instead (payscore 4.2), by
#: what a refusal says of event and state.
OBSERVED: dict[tuple[str, str], tuple[str, str]] = {
    **{(_CANCEL, at.value): _CANNOT_CANCEL for at in _BEYOND_CANCELLING},
    **{(_COMPLETE, at.value): _CANNOT_COMPLETE for at in _NOT_RUNNING},
    **{(_COMPLETE, at.value): _COMPLETED for at in _ENDED},
}


def observed(refusal: Refusal) -> Refusal:
    """*refusal* as production words it; itself where nothing else was seen."""
    said = refusal.detail.get("sandbox", {})
    instead = OBSERVED.get((said.get("event", ""), said.get("state", "")))
    if instead is None:
        return refusal
    code, message = instead
    return Refusal(code, message=message, detail=refusal.detail, number=refusal.number)
