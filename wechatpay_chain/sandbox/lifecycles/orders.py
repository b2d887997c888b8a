"""The life of a PayScore order (支付分订单), as one table.

Two rules for this file: what depends on the state of an order is a cell here, and
nothing here knows of requests, merchants or amounts. Behaviour, error codes and what
can happen next are all looked up in the table (payscore sections 4.1 to 4.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from ..refusals import Internal, refused
from .machine import Cell, Identifiers, Machine


class State(str, Enum):
    """Where an order stands; the names are those of payscore section 4."""

    CREATED = "CREATED"
    CONFIRMED = "CONFIRMED"
    PAYING = "PAYING"
    PAID = "PAID"
    ZERO = "ZERO"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"

    def __str__(self) -> str:
        return self.value

    @classmethod
    def _missing_(cls, value: object) -> State | None:
        """The state that WeChat Pay's own word means, such as ``USER_CONFIRM``."""
        words = {wire.state_description or wire.state: one for one, wire in _SHOWN}
        return words.get(value) if isinstance(value, str) else None


class Wire(NamedTuple):
    """What WeChat Pay shows of a state: judge by all three (payscore section 4)."""

    state: str
    state_description: str | None = None
    collection: str | None = None


WIRE: dict[State, Wire] = {
    State.CREATED: Wire("CREATED"),
    State.CONFIRMED: Wire("DOING", "USER_CONFIRM"),
    State.PAYING: Wire("DOING", "MCH_COMPLETE", "USER_PAYING"),
    State.PAID: Wire("DONE", None, "USER_PAID"),
    State.ZERO: Wire("DONE"),
    State.REVOKED: Wire("REVOKED"),
    State.EXPIRED: Wire("EXPIRED"),
}
#: Last things first: ``DONE`` without more is the paid order, not the free one.
_SHOWN = tuple(reversed(WIRE.items()))


class Event(str, Enum):
    """What can happen to an order; the merchant's calls come first."""

    CREATE = "create"
    CREATE_UNCONFIRMED = "create without confirmation"
    DIRECT_COMPLETE = "direct-complete"
    QUERY = "query"
    CANCEL = "cancel"
    COMPLETE = "complete"
    MODIFY = "modify"
    PAY = "pay"
    SYNC = "sync"
    SEND_PREPAID = "send-prepaidmessage"
    SEND_PENDING = "send-pendingmessage"
    USER_CONFIRMS = "user confirms"
    USER_REFUSES = "user refuses"
    USER_PAYS = "user pays"
    DEDUCTION_SUCCEEDS = "deduction succeeds"
    DEDUCTION_FAILS = "deduction fails"
    EXPIRE = "30 days pass"

    def __str__(self) -> str:
        return self.value


_S = State
_CONFIRM, _PAID = "PAYSCORE.USER_CONFIRM", "PAYSCORE.USER_PAID"


def _refuses(error: str) -> Cell[State]:
    return Cell(error=error)


def _again(error: str) -> Cell[State]:
    """The same once more is fine, anything else is *error*."""
    return Cell(error=error, differs=error, repeatable=True)


_UNKNOWN = _refuses("ORDER_NOT_EXIST")
_DONE = _refuses("ORDER_DONE")
_CANCELED = _refuses("ORDER_CANCELED")
_DIFFERS = _again("INVALID_REQUEST")

#: A message to the user tells of a service that runs; the documents name no states.
_MESSAGE: Mapping[State | None, Cell[State]] = {
    None: _UNKNOWN,
    _S.CONFIRMED: Cell(_S.CONFIRMED),
    _S.PAID: _DONE,
    _S.ZERO: _DONE,
    _S.REVOKED: _CANCELED,
}

#: The life of an order; ``None`` is the one that does not exist yet.
ORDER: Machine[State, Event] = Machine(
    "order",
    Identifiers("order_unknown"),
    Event,
    {
        Event.CREATE: {None: Cell(_S.CREATED), **dict.fromkeys(_S, _DIFFERS)},
        Event.CREATE_UNCONFIRMED: {
            None: Cell(_S.CONFIRMED),
            **dict.fromkeys(_S, _DIFFERS),
        },
        Event.DIRECT_COMPLETE: {
            None: Cell(_S.PAYING, free=_S.ZERO),
            **dict.fromkeys(_S, _DIFFERS),
        },
        Event.QUERY: {None: _UNKNOWN, **{state: Cell(state) for state in _S}},
        Event.CANCEL: {
            None: _UNKNOWN,
            _S.CREATED: Cell(_S.REVOKED),
            _S.CONFIRMED: Cell(_S.REVOKED),
            _S.PAYING: Cell(_S.REVOKED, lockable=True),
            _S.PAID: _DONE,
            _S.ZERO: _DONE,
            _S.REVOKED: _DIFFERS,
        },
        Event.COMPLETE: {
            None: _UNKNOWN,
            _S.CONFIRMED: Cell(_S.PAYING, free=_S.ZERO),
            _S.PAYING: _again("INVALID_ORDER_STATE"),
            _S.PAID: _again("ORDER_DONE"),
            _S.ZERO: _again("ORDER_DONE"),
            _S.REVOKED: _CANCELED,
        },
        Event.MODIFY: {
            None: _UNKNOWN,
            _S.PAYING: Cell(_S.PAYING, free=_S.ZERO, lockable=True),
            _S.PAID: _DONE,
            _S.ZERO: _DONE,
            _S.REVOKED: _CANCELED,
        },
        Event.PAY: {
            None: _UNKNOWN,
            _S.PAYING: Cell(_S.PAYING),
            _S.PAID: _DONE,
            _S.ZERO: _DONE,
            _S.REVOKED: _CANCELED,
        },
        Event.SYNC: {
            None: _UNKNOWN,
            _S.PAYING: Cell(_S.PAID, lockable=True),
            _S.PAID: _again("ORDER_DONE"),
            _S.ZERO: _DONE,
            _S.REVOKED: _CANCELED,
        },
        Event.SEND_PREPAID: _MESSAGE,
        Event.SEND_PENDING: _MESSAGE,
        Event.USER_CONFIRMS: {
            None: _UNKNOWN,
            _S.CREATED: Cell(_S.CONFIRMED, emits=_CONFIRM),
        },
        Event.USER_REFUSES: {None: _UNKNOWN, _S.CREATED: Cell(_S.CREATED)},
        Event.USER_PAYS: {None: _UNKNOWN, _S.PAYING: Cell(_S.PAID, emits=_PAID)},
        Event.DEDUCTION_SUCCEEDS: {
            None: _UNKNOWN,
            _S.PAYING: Cell(_S.PAID, emits=_PAID),
        },
        Event.DEDUCTION_FAILS: {None: _UNKNOWN, _S.PAYING: Cell(_S.PAYING)},
        Event.EXPIRE: {None: _UNKNOWN, _S.CREATED: Cell(_S.EXPIRED)},
    },
    illegal="INVALID_ORDER_STATE",
    # Payscore section 6.
    numbers={
        Event.CANCEL: Internal.CANNOT_CANCEL,
        Event.PAY: Internal.NOT_PENDING,
        State.CREATED: Internal.NOT_CONFIRMED,
        State.REVOKED: Internal.CANCELLED,
    },
)

#: Seconds after which an order that nobody confirmed expires: 30 days.
EXPIRY = 30 * 24 * 3600


def follow(
    state: State | None,
    event: Event,
    *,
    same: bool | None = False,
    free: bool = False,
    locked: bool = False,
) -> State:
    """Where *event* leads, as :meth:`.Machine.follow` says it.

    *locked*: money may be on its way (payscore section 4.3).
    """
    if locked and ORDER.cell(state, event).lockable:
        raise refused(
            "INVALID_REQUEST",
            "deducting",
            f"a deduction is under way; wait 3 minutes, then {event} again",
            message="单据正在扣款中,请稍后再试",
            number=Internal.DEDUCTING,
        )
    return ORDER.follow(state, event, same=same, free=free)
