"""The life of an authorisation (授权) of a no-confirm service, as one table.

Payscore section 2.3. As in :mod:`.lifecycle`: what depends on the state is a cell here.
"""

from __future__ import annotations

from enum import Enum

from .machine import Cell, Identifiers, Machine


class PermissionState(str, Enum):
    """``authorization_state``."""

    #: Pre-authorised by the merchant; no user yet.
    UNBINDUSER = "UNBINDUSER"
    AVAILABLE = "AVAILABLE"
    #: It was available, and has ended.
    UNAVAILABLE = "UNAVAILABLE"

    def __str__(self) -> str:
        return self.value


class PermissionEvent(str, Enum):
    """What can happen to an authorisation."""

    PRE_AUTHORISE = "pre-authorise"
    QUERY = "query"
    TERMINATE = "terminate"
    USER_AUTHORISES = "user authorises"
    USER_CLOSES = "user closes"

    def __str__(self) -> str:
        return self.value


_P, _E = PermissionState, PermissionEvent
_OPEN, _CLOSE = "PAYSCORE.USER_OPEN_SERVICE", "PAYSCORE.USER_CLOSE_SERVICE"
_UNKNOWN: Cell[PermissionState] = Cell(error="ORDER_NOT_EXIST")


def _same(to: PermissionState, *, emits: str | None = None) -> Cell[PermissionState]:
    """For the same call or user as before only."""
    return Cell(to, differs="INVALID_REQUEST", emits=emits)


_BEGINS, _ENDS = Cell(_P.AVAILABLE, emits=_OPEN), Cell(_P.UNAVAILABLE, emits=_CLOSE)

#: The life of an authorisation; ``None`` is the code that nobody used yet.
PERMISSION: Machine[PermissionState, PermissionEvent] = Machine(
    "authorisation",
    Identifiers("permission_unknown", "permission_state", "permission_differs"),
    PermissionEvent,
    {
        _E.PRE_AUTHORISE: {
            None: Cell(_P.UNBINDUSER),
            **{one: _same(one) for one in _P},
        },
        _E.QUERY: {None: _UNKNOWN, **{state: Cell(state) for state in _P}},
        _E.TERMINATE: {
            None: _UNKNOWN,
            _P.AVAILABLE: _ENDS,
            _P.UNAVAILABLE: _same(_P.UNAVAILABLE),
        },
        _E.USER_AUTHORISES: {
            None: _UNKNOWN,
            _P.UNBINDUSER: _BEGINS,
            # A code is not reusable for another user.
            _P.AVAILABLE: _same(_P.AVAILABLE),
            _P.UNAVAILABLE: _same(_P.AVAILABLE, emits=_OPEN),
        },
        _E.USER_CLOSES: {None: _UNKNOWN, _P.AVAILABLE: _ENDS},
    },
    otherwise="with other parameters or for another user",
)
