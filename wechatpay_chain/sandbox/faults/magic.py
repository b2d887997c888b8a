"""Magic values: numbers and amounts that bring a fault, without any set-up.

For shells and other languages, and for trying something out. A number of the merchant's
own (``out_order_no``, ``out_trade_no``, ...) that ends in a suffix of the table, or an
amount in fen that does, brings its fault upon the first call of each kind that changes
something; a repetition goes through. No real rule is here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..._shapes import mapping
from ...middleware.repeating import NUMBERS
from ..recording.journal import Exchange
from ..routing import Call
from ..state.tables import Table, Tables, key
from .business import DeductionFails, RefundAbnormal
from .calls import (
    EmptyBody,
    ErrorAnswer,
    MalformedBody,
    ReplyLost,
    Slow,
    Truncated,
    WrongSignature,
)
from .fault import CallFault


class Magic(NamedTuple):
    """One line of the table."""

    #: What a number ends in.
    suffix: str
    #: The last five digits of an amount in fen.
    amount: int
    fault: CallFault
    meaning: str


TABLE: tuple[Magic, ...] = (
    Magic("*E429", 97429, ErrorAnswer("FREQUENCY_LIMITED"), "429, nothing was done"),
    Magic("*E500", 97500, ErrorAnswer("SYSTEM_ERROR"), "500, nothing was done"),
    Magic(
        "*D500",
        97501,
        ErrorAnswer("SYSTEM_ERROR", after_commit=True),
        "500, and it was done",
    ),
    Magic("*LOST", 97601, ReplyLost(), "done, and the answer is lost"),
    Magic("*GONE", 97602, ReplyLost(after_commit=False), "broken off, nothing done"),
    Magic("*SLOW", 97603, Slow(40), "done, answered after 40 s"),
    Magic("*HALF", 97604, Truncated(), "done, half of the answer arrives"),
    Magic("*JSON", 97605, MalformedBody(), "done, the JSON breaks off"),
    Magic("*NONE", 97606, EmptyBody(), "done, the answer has no body"),
    Magic("*SIGN", 97701, WrongSignature("bad"), "done, the signature is wrong"),
    Magic("*NSIG", 97702, WrongSignature("missing"), "done, it is not signed"),
    Magic("*TEST", 97703, WrongSignature("probe"), "done, a signature probe"),
    Magic("*POOR", 97801, DeductionFails(), "the deduction fails"),
    Magic("*ODDR", 97802, RefundAbnormal(), "the refund ends ABNORMAL"),
)

_SUFFIXES = {one.suffix: one for one in TABLE}
_AMOUNTS = {one.amount: one for one in TABLE}
_SUFFIX = 5
_DIGITS = 100_000


class MagicValues:
    """Looks for them in calls; *enabled* may be set to ``False``."""

    def __init__(self, tables: Tables) -> None:
        #: Whether they work.
        self.enabled: bool = True
        self._seen: Table[str] = tables.table("magic.seen", str)

    def on_call(self, exchange: Exchange, call: Call) -> CallFault | None:
        """The fault that a value of *call* brings, the first time."""
        route = exchange.route
        if not self.enabled or route is None or route.method == "GET":
            return None
        numbers = list(_numbers(call))
        found = _found(numbers, call.body)
        if found is None:
            return None
        at = key(call.merchant.mchid, found.suffix, str(route), *numbers)
        if at in self._seen:
            return None
        self._seen.put(at, found.suffix)
        return found.fault

    def __repr__(self) -> str:
        return f"<MagicValues, {'on' if self.enabled else 'off'}>"


def _found(numbers: list[str], body: Any) -> Magic | None:
    for number in numbers:
        found = _SUFFIXES.get(number[-_SUFFIX:])
        if found is not None:
            return found
    for amount in _amounts(body):
        found = _AMOUNTS.get(amount % _DIGITS)
        if found is not None:
            return found
    return None


def _numbers(call: Call) -> Iterator[str]:
    yield from call.path.values()
    for name, value in call.body.items():
        if name in NUMBERS and isinstance(value, str):
            yield value


def _amounts(body: Any) -> Iterator[int]:
    """What is asked for: of a refund that, and not what was paid."""
    amount = mapping(body.get("amount")) or {}
    found = (amount.get("refund", amount.get("total")), body.get("total_amount"))
    for value in found:
        if isinstance(value, int) and not isinstance(value, bool):
            yield value


def table() -> str:
    """The table as the docs have it, in Markdown."""
    rows = ["| number ends in | amount ends in | |", "| --- | --- | --- |"]
    rows += [f"| `{one.suffix}` | `{one.amount}` | {one.meaning} |" for one in TABLE]
    return "\n".join(rows) + "\n"
