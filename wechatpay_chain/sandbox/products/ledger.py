"""The ledger: money that came in and went back, of whatever product.

What a refund can be asked for, and what the bills (账单) of a day list. Whoever takes
money records it here; nothing here knows how it was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from ..state.tables import Table, key
from ..world import BEIJING, World

R = TypeVar("R")


@dataclass(eq=False)
class Receipt:
    """One payment that arrived."""

    transaction_id: str
    #: Who asked for it: the direct merchant, or the partner.
    mchid: str
    #: The sub-merchant (子商户) whose money it is, of a partner's payment.
    sub_mchid: str | None
    appid: str
    openid: str | None
    #: In fen.
    amount: int
    out_trade_no: str
    at: float
    #: ``JSAPI``, ``NATIVE``, ``APP``, ``MWEB``, ``AUTH`` and so on.
    trade_type: str
    #: The data package (商户数据包) of the bill.
    attach: str | None = None
    #: The ``refund_id`` of each return, the earliest first.
    refunds: list[str] = field(default_factory=list[str])


@dataclass(eq=False)
class Return:
    """Money on its way back to the user, or there already."""

    refund_id: str
    out_refund_no: str
    transaction_id: str
    mchid: str
    #: In fen.
    amount: int
    #: When it was accepted, and when it arrived.
    at: float
    arrived_at: float | None = None
    #: ``PROCESSING``, ``SUCCESS``, ``ABNORMAL`` or ``CLOSED``.
    status: str = "PROCESSING"


@dataclass(eq=False)
class Day:
    """What the bills of one merchant list for one day in Beijing."""

    #: The ``transaction_id`` of each payment that arrived.
    receipts: list[str] = field(default_factory=list[str])
    #: The ``refund_id`` of each refund that was accepted.
    returns: list[str] = field(default_factory=list[str])


class Ledger:
    """All receipts and returns of a gateway."""

    def __init__(self, world: World) -> None:
        self._world = world
        tables = world.tables
        self._receipts: Table[Receipt] = tables.table("ledger.receipts", Receipt)
        self._by_number: Table[str] = tables.table("ledger.numbers", str)
        self._returns: Table[Return] = tables.table("ledger.returns", Return)
        self._days: Table[Day] = tables.table("ledger.days", Day)

    def record(
        self,
        *,
        mchid: str,
        sub_mchid: str | None,
        appid: str,
        openid: str | None,
        amount: int,
        out_trade_no: str,
        at: float,
        trade_type: str,
        attach: str | None = None,
        by_number: bool = True,
    ) -> str:
        """Enter a payment; its ``transaction_id`` (微信支付订单号).

        *by_number*: whether a refund may name it by *out_trade_no*. Not so where that
        is the ``out_order_no`` of a PayScore order (payscore section 9).
        """
        number = self._world.ids.transaction_id(at)
        receipt = Receipt(
            number, mchid, sub_mchid, appid, openid, amount, out_trade_no, at,
            trade_type, attach,
        )  # fmt: skip
        self._receipts.put(number, receipt)
        self._day(mchid, at).receipts.append(number)
        if by_number:
            self._by_number.put(key(mchid, out_trade_no), number)
        return number

    def give_back(self, entry: Return) -> None:
        """Enter money on its way back. Raises ``KeyError`` where none came in."""
        receipt = self._receipts.get(entry.transaction_id)
        if receipt is None:
            raise KeyError(f"the ledger has no payment {entry.transaction_id!r}")
        receipt.refunds.append(entry.refund_id)
        self._returns.put(entry.refund_id, entry)
        self._day(entry.mchid, entry.at).returns.append(entry.refund_id)

    def returned(self, refund_id: str) -> Return:
        """The entry of a refund, to be changed. Raises ``KeyError``."""
        entry = self._returns.get(refund_id)
        if entry is None:
            raise KeyError(f"the ledger has no refund {refund_id!r}")
        return entry

    def find(self, mchid: str, transaction_id: str) -> Receipt | None:
        """The merchant's payment of that ``transaction_id``."""
        receipt = self._receipts.peek(transaction_id)
        return receipt if receipt is not None and receipt.mchid == mchid else None

    def find_number(self, mchid: str, out_trade_no: str) -> Receipt | None:
        """The merchant's payment of that ``out_trade_no``."""
        number = self._by_number.peek(key(mchid, out_trade_no))
        return None if number is None else self.find(mchid, number)

    def returns_of(self, receipt: Receipt) -> Iterator[Return]:
        """What goes back of one payment, the earliest first."""
        yield from _found(self._returns, receipt.refunds)

    def receipts_on(self, day: date, mchid: str) -> Iterator[Receipt]:
        """The payments that arrived on one day in Beijing, the earliest first."""
        found = self._days.peek(key(mchid, day.isoformat()))
        yield from _found(self._receipts, found.receipts if found else ())

    def returns_on(self, day: date, mchid: str) -> Iterator[Return]:
        """The refunds that were accepted on one day in Beijing."""
        found = self._days.peek(key(mchid, day.isoformat()))
        yield from _found(self._returns, found.returns if found else ())

    def balance(self, mchid: str, sub_mchid: str | None, before: date) -> int:
        """What one account had when a day in Beijing began, in fen."""
        total = 0
        for receipt in self._receipts:
            if (receipt.mchid, receipt.sub_mchid) != (mchid, sub_mchid):
                continue
            if day_of(receipt.at) < before:
                total += receipt.amount
            total -= sum(
                one.amount
                for one in self.returns_of(receipt)
                if day_of(one.at) < before
            )
        return total

    def age(self, seconds: float) -> None:
        """Make it as if everything had happened *seconds* earlier."""
        self._days.replace({})
        for receipt in self._receipts:
            receipt.at -= seconds
            self._day(receipt.mchid, receipt.at).receipts.append(receipt.transaction_id)
        for entry in self._returns:
            entry.at -= seconds
            if entry.arrived_at is not None:
                entry.arrived_at -= seconds
            self._day(entry.mchid, entry.at).returns.append(entry.refund_id)

    def _day(self, mchid: str, at: float) -> Day:
        place = key(mchid, day_of(at).isoformat())
        day = self._days.get(place)
        if day is None:
            day = Day()
            self._days.put(place, day)
        return day

    def __repr__(self) -> str:
        return f"<Ledger {len(self._receipts)} in, {len(self._returns)} back>"


def day_of(seconds: float) -> date:
    """The day in Beijing, by which bills are cut."""
    return datetime.fromtimestamp(int(seconds), BEIJING).date()


def _found(table: Table[R], numbers: Iterable[str]) -> Iterator[R]:
    for number in numbers:
        record = table.peek(number)
        if record is not None:
            yield record
