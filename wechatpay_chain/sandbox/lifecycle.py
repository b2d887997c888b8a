"""The life of a PayScore order (支付分订单), as one table.

Two rules for this file: what depends on the state of an order is a cell here, and
nothing here knows of requests, merchants or amounts. Behaviour, error codes and what
can happen next are all looked up in the table (payscore sections 4.1 to 4.3).
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from .refusals import Internal, Refusal, refused


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
    USER_CONFIRMS = "user confirms"
    USER_REFUSES = "user refuses"
    USER_PAYS = "user pays"
    DEDUCTION_SUCCEEDS = "deduction succeeds"
    DEDUCTION_FAILS = "deduction fails"
    EXPIRE = "30 days pass"

    def __str__(self) -> str:
        return self.value


class Cell(NamedTuple):
    """What one event does in one state."""

    #: Where it leads; ``None`` where it is refused.
    to: State | None = None
    #: Where it leads when the total is 0.
    free: State | None = None
    #: The code that refuses it.
    error: str | None = None
    #: Whether the identical repetition of what led here is answered as it was then.
    repeatable: bool = False
    #: Whether it is refused while a deduction runs (payscore section 4.3).
    lockable: bool = False
    #: The notification that goes out.
    emits: str | None = None


def _to(
    to: State, *, free: State | None = None, lockable: bool = False, emits: str = ""
) -> Cell:
    return Cell(to, free, lockable=lockable, emits=emits or None)


def _again(error: str) -> Cell:
    """The same once more is fine, anything else is *error*."""
    return Cell(error=error, repeatable=True)


_UNKNOWN = Cell(error="ORDER_NOT_EXIST")
_ILLEGAL = Cell(error="INVALID_ORDER_STATE")
_DONE = Cell(error="ORDER_DONE")
_CANCELED = Cell(error="ORDER_CANCELED")
_DIFFERS = _again("INVALID_REQUEST")

_S = State
_CONFIRM, _PAID = "PAYSCORE.USER_CONFIRM", "PAYSCORE.USER_PAID"

#: Rows and cells; ``None`` is the order that does not exist yet. A missing cell is
#: ``INVALID_ORDER_STATE``.
TABLE: dict[Event, dict[State | None, Cell]] = {
    Event.CREATE: {None: _to(_S.CREATED), **dict.fromkeys(_S, _DIFFERS)},
    Event.CREATE_UNCONFIRMED: {
        None: _to(_S.CONFIRMED),
        **dict.fromkeys(_S, _DIFFERS),
    },
    Event.DIRECT_COMPLETE: {
        None: _to(_S.PAYING, free=_S.ZERO),
        **dict.fromkeys(_S, _DIFFERS),
    },
    Event.QUERY: {None: _UNKNOWN, **{state: _to(state) for state in _S}},
    Event.CANCEL: {
        None: _UNKNOWN,
        _S.CREATED: _to(_S.REVOKED),
        _S.CONFIRMED: _to(_S.REVOKED),
        _S.PAYING: _to(_S.REVOKED, lockable=True),
        _S.PAID: _DONE,
        _S.ZERO: _DONE,
        _S.REVOKED: _DIFFERS,
    },
    Event.COMPLETE: {
        None: _UNKNOWN,
        _S.CONFIRMED: _to(_S.PAYING, free=_S.ZERO),
        _S.PAYING: _again("INVALID_ORDER_STATE"),
        _S.PAID: _again("ORDER_DONE"),
        _S.ZERO: _again("ORDER_DONE"),
        _S.REVOKED: _CANCELED,
    },
    Event.MODIFY: {
        None: _UNKNOWN,
        _S.PAYING: _to(_S.PAYING, free=_S.ZERO, lockable=True),
        _S.PAID: _DONE,
        _S.ZERO: _DONE,
        _S.REVOKED: _CANCELED,
    },
    Event.PAY: {
        None: _UNKNOWN,
        _S.PAYING: _to(_S.PAYING),
        _S.PAID: _DONE,
        _S.ZERO: _DONE,
        _S.REVOKED: _CANCELED,
    },
    Event.SYNC: {
        None: _UNKNOWN,
        _S.PAYING: _to(_S.PAID, lockable=True),
        _S.PAID: _again("ORDER_DONE"),
        _S.ZERO: _DONE,
        _S.REVOKED: _CANCELED,
    },
    Event.USER_CONFIRMS: {
        None: _UNKNOWN,
        _S.CREATED: _to(_S.CONFIRMED, emits=_CONFIRM),
    },
    Event.USER_REFUSES: {None: _UNKNOWN, _S.CREATED: _to(_S.CREATED)},
    Event.USER_PAYS: {None: _UNKNOWN, _S.PAYING: _to(_S.PAID, emits=_PAID)},
    Event.DEDUCTION_SUCCEEDS: {None: _UNKNOWN, _S.PAYING: _to(_S.PAID, emits=_PAID)},
    Event.DEDUCTION_FAILS: {None: _UNKNOWN, _S.PAYING: _to(_S.PAYING)},
    Event.EXPIRE: {None: _UNKNOWN, _S.CREATED: _to(_S.EXPIRED)},
}

#: Seconds after which an order that nobody confirmed expires: 30 days.
EXPIRY = 30 * 24 * 3600


def cell(state: State | None, event: Event) -> Cell:
    """The cell of *event* in *state*."""
    return TABLE[event].get(state, _ILLEGAL)


def allowed(state: State | None) -> tuple[Event, ...]:
    """What can happen next in *state*.

    >>> [str(event) for event in allowed(State.REVOKED)]
    ['query']
    """
    return tuple(event for event in Event if cell(state, event).to is not None)


def follow(
    state: State | None,
    event: Event,
    *,
    same: bool = False,
    free: bool = False,
    deducting: bool = False,
) -> State:
    """Where *event* leads. Raises :class:`Refusal` with the code of its cell.

    *same*: it repeats, parameter for parameter, what led to this state; *free*: the
    total is 0; *deducting*: a deduction is under way.
    """
    found = cell(state, event)
    if found.to is None:
        if found.repeatable and same and state is not None:
            return state
        raise _refusal(state, event, found)
    if found.lockable and deducting:
        raise _locked(event)
    return found.free if free and found.free is not None else found.to


def _refusal(state: State | None, event: Event, found: Cell) -> Refusal:
    code = found.error or "INVALID_ORDER_STATE"
    if state is None:
        return refused(
            code,
            "order_unknown",
            "there is no such order of this merchant",
            number=Internal.NOT_FOUND,
        )
    after = [str(other) for other in allowed(state)]
    if found.repeatable:
        sentence = f"{event} came before with other parameters; the order is {state}"
        identifier, number = "repeated_differently", Internal.REENTRY_DIFFERS
    else:
        sentence = f"{event} cannot follow {state}; what can: {', '.join(after)}"
        identifier, number = "state", _NUMBERS.get(event, Internal.ILLEGAL_STATE)
    return refused(
        code,
        identifier,
        sentence,
        number=number,
        state=str(state),
        event=str(event),
        allowed=after,
    )


_NUMBERS = {Event.CANCEL: Internal.CANNOT_CANCEL}


def _locked(event: Event) -> Refusal:
    return refused(
        "INVALID_REQUEST",
        "deducting",
        f"a deduction is under way; wait 3 minutes, then {event} again",
        message="单据正在扣款中,请稍后再试",
        number=Internal.DEDUCTING,
    )
