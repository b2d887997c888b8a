"""The lives of a payment (支付单) and of a refund (退款单), as tables.

Payscore sections 10.3 and 10.4. What depends on the state of either is a cell here;
amounts, times and tokens are none of this file's business.
"""

from __future__ import annotations

from enum import Enum

from .machine import Cell, Identifiers, Machine


class TradeState(str, Enum):
    """Where a payment stands: its ``trade_state``."""

    NOTPAY = "NOTPAY"
    SUCCESS = "SUCCESS"
    REFUND = "REFUND"
    CLOSED = "CLOSED"

    def __str__(self) -> str:
        return self.value


class TradeEvent(str, Enum):
    """What can happen to a payment; the merchant's calls come first."""

    ORDER = "order"
    QUERY = "query"
    CLOSE = "close"
    REFUND = "refund"
    USER_PAYS = "user pays"
    ATTEMPT_FAILS = "attempt fails"
    TIME_PASSES = "time passes"

    def __str__(self) -> str:
        return self.value


class RefundState(str, Enum):
    """Where a refund stands: its ``status``."""

    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    ABNORMAL = "ABNORMAL"
    CLOSED = "CLOSED"

    def __str__(self) -> str:
        return self.value


class RefundEvent(str, Enum):
    """What can happen to a refund; the merchant's calls come first."""

    APPLY = "apply"
    QUERY = "query"
    APPLY_ABNORMAL = "apply-abnormal-refund"
    ARRIVES = "money arrives"
    BOUNCES = "money comes back"
    CLOSES = "refund is closed"

    def __str__(self) -> str:
        return self.value


#: What ends a refund, by the state in which it ends.
SETTLED: dict[str, RefundEvent] = {
    "SUCCESS": RefundEvent.ARRIVES,
    "ABNORMAL": RefundEvent.BOUNCES,
    "CLOSED": RefundEvent.CLOSES,
}

_T, _TE = TradeState, TradeEvent
_R, _RE = RefundState, RefundEvent


def _trade(error: str) -> Cell[TradeState]:
    return Cell(error=error)


_UNKNOWN = _trade("ORDER_NOT_EXIST")
_PAID = _trade("ORDER_PAID")
_CLOSED = _trade("ORDER_CLOSED")
#: No such order, or not paid: the same code (payscore section 10.4).
_UNPAID = _trade("RESOURCE_NOT_EXISTS")
#: The same order again says that it is paid, another one that its number is taken.
_TAKEN: Cell[TradeState] = Cell(error="ORDER_PAID", differs="OUT_TRADE_NO_USED")

#: The life of a payment.
TRADE: Machine[TradeState, TradeEvent] = Machine(
    "payment",
    Identifiers("payment_unknown"),
    TradeEvent,
    {
        _TE.ORDER: {
            None: Cell(_T.NOTPAY),
            _T.NOTPAY: Cell(differs="INVALID_REQUEST", repeatable=True),
            _T.SUCCESS: _TAKEN,
            _T.REFUND: _TAKEN,
            _T.CLOSED: _CLOSED,
        },
        _TE.QUERY: {None: _UNKNOWN, **{state: Cell(state) for state in _T}},
        _TE.CLOSE: {
            None: _UNKNOWN,
            _T.NOTPAY: Cell(_T.CLOSED),
            _T.SUCCESS: _PAID,
            _T.REFUND: _PAID,
            # Silent: a repeated close is what a retry is (a choice of the sandbox).
            _T.CLOSED: Cell(_T.CLOSED),
        },
        _TE.REFUND: {
            None: _UNPAID,
            _T.NOTPAY: _UNPAID,
            _T.SUCCESS: Cell(_T.REFUND),
            _T.REFUND: Cell(_T.REFUND),
            _T.CLOSED: _UNPAID,
        },
        _TE.USER_PAYS: {
            None: _UNKNOWN,
            _T.NOTPAY: Cell(_T.SUCCESS, emits="TRANSACTION.SUCCESS"),
            _T.SUCCESS: _PAID,
            _T.REFUND: _PAID,
            _T.CLOSED: _CLOSED,
        },
        _TE.ATTEMPT_FAILS: {
            None: _UNKNOWN,
            _T.NOTPAY: Cell(_T.NOTPAY),
            _T.SUCCESS: _PAID,
            _T.REFUND: _PAID,
            _T.CLOSED: _CLOSED,
        },
        _TE.TIME_PASSES: {None: _UNKNOWN, _T.NOTPAY: Cell(_T.CLOSED)},
    },
)

_NO_REFUND: Cell[RefundState] = Cell(error="RESOURCE_NOT_EXISTS")
#: The same once more is fine, in every state; anything else is refused.
_SAME: Cell[RefundState] = Cell(differs="INVALID_REQUEST", repeatable=True)

#: The life of a refund.
REFUND: Machine[RefundState, RefundEvent] = Machine(
    "refund",
    Identifiers("refund_unknown"),
    RefundEvent,
    {
        _RE.APPLY: {None: Cell(_R.PROCESSING), **dict.fromkeys(_R, _SAME)},
        _RE.QUERY: {None: _NO_REFUND, **{state: Cell(state) for state in _R}},
        _RE.APPLY_ABNORMAL: {
            None: _NO_REFUND,
            # While the second way is tried, the same call is a retry.
            _R.PROCESSING: Cell(error="INVALID_REQUEST", repeatable=True),
            _R.ABNORMAL: Cell(_R.PROCESSING),
        },
        _RE.ARRIVES: {
            None: _NO_REFUND,
            _R.PROCESSING: Cell(_R.SUCCESS, emits="REFUND.SUCCESS"),
        },
        _RE.BOUNCES: {
            None: _NO_REFUND,
            _R.PROCESSING: Cell(_R.ABNORMAL, emits="REFUND.ABNORMAL"),
        },
        _RE.CLOSES: {
            None: _NO_REFUND,
            _R.PROCESSING: Cell(_R.CLOSED, emits="REFUND.CLOSED"),
        },
    },
)
