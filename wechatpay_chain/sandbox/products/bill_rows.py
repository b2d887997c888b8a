"""Which rows the bills of one day have: from the ledger, and made up for load tests.

A bill is made once, in the morning after: what happens to a refund later does not
change it, however late it is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import merge
from itertools import chain
from typing import NamedTuple

from ..lifecycles.trades import RefundState
from ..state.tables import Table, key
from ..world import BEIJING, World
from .bill_files import FundRow, TradeRow
from .ledger import Ledger, Receipt, Return
from .payments import Payments
from .refunding import Refunds

#: The hour of the next day from which a bill can be had (protocol section 14).
MORNING = 10
_DAY = 24 * 3600


class Period(NamedTuple):
    """Whose bill, of which day: a partner's may be of one sub-merchant alone."""

    mchid: str
    day: date
    sub_mchid: str | None = None

    @property
    def made_at(self) -> float:
        """When the bill is made, in Unix seconds."""
        return _midnight(self.day + timedelta(days=1)) + MORNING * 3600


@dataclass
class MadeUp:
    """So many payments that are in a bill, and nowhere else."""

    rows: int


class Rows:
    """The rows of all bills of a gateway."""

    def __init__(
        self, world: World, ledger: Ledger, payments: Payments, refunds: Refunds
    ) -> None:
        self._merchants = world.merchants
        self._ledger = ledger
        self._payments = payments
        self._refunds = refunds
        self._made_up: Table[MadeUp] = world.tables.table("bill.made_up", MadeUp)

    def make_up(self, mchid: str, day: date, rows: int) -> None:
        """Have the bills of *day* list so many payments more."""
        self._made_up.put(key(mchid, day.isoformat()), MadeUp(rows))

    def trades(
        self, period: Period, *, payments: bool = True, refunds: bool = True
    ) -> Iterator[TradeRow]:
        """The rows of a trade bill, the earliest first."""
        ins, outs = self._ledger_rows(period)
        found: list[Iterator[tuple[float, TradeRow]]] = []
        if payments:
            found.append((one.at, self._paid(one)) for one in ins)
        if refunds:
            found.append((one.at, self._back(one, period)) for one in outs)
        real = (row for _, row in merge(*found, key=lambda pair: pair[0]))
        return chain(real, self._invented(period) if payments else ())

    def funds(self, period: Period) -> Iterator[FundRow]:
        """The rows of a fund bill, the earliest first."""
        ins, outs = self._ledger_rows(period, own=True)
        found = (
            ((one.at, _income(one)) for one in ins),
            ((one.at, _expense(one)) for one in outs),
        )
        real = (row for _, row in merge(*found, key=lambda pair: pair[0]))
        made_up = (
            FundRow(row.at, row.transaction_id, "交易", row.amount, row.out_trade_no)
            for row in self._invented(period)
        )
        return chain(real, made_up)

    def balance(self, period: Period) -> int:
        """What was there before the day began, in fen."""
        return self._ledger.balance(period.mchid, period.sub_mchid, period.day)

    def _ledger_rows(
        self, period: Period, *, own: bool = False
    ) -> tuple[Iterator[Receipt], Iterator[Return]]:
        """What came in and what went back; *own*: on one account (payscore 10)."""
        mchid, day, sub_mchid = period
        ledger = self._ledger

        def ours(receipt: Receipt | None) -> bool:
            whose = None if receipt is None else receipt.sub_mchid
            return whose == sub_mchid if own or sub_mchid else True

        ins = (one for one in ledger.receipts_on(day, mchid) if ours(one))
        outs = (
            one
            for one in ledger.returns_on(day, mchid)
            if ours(ledger.find(mchid, one.transaction_id))
        )
        return ins, outs

    def _paid(self, receipt: Receipt) -> TradeRow:
        payment = self._payments.find_transaction(receipt.mchid, receipt.transaction_id)
        return TradeRow(
            written(receipt.at),
            receipt.appid,
            receipt.mchid,
            receipt.sub_mchid or "",
            receipt.transaction_id,
            receipt.out_trade_no,
            receipt.openid or "",
            receipt.trade_type,
            receipt.amount,
            "" if payment is None else payment.description,
            receipt.attach or "",
        )

    def _back(self, entry: Return, period: Period) -> TradeRow:
        receipt = self._ledger.find(entry.mchid, entry.transaction_id)
        assert receipt is not None  # nothing goes back that did not come in
        arrived = entry.arrived_at
        if arrived is not None and arrived > period.made_at:
            arrived = None
        return self._paid(receipt)._replace(
            amount=entry.amount,
            refund_id=entry.refund_id,
            out_refund_no=entry.out_refund_no,
            refund_status=self._status(entry, period.made_at),
            asked_at=written(entry.at),
            arrived_at="" if arrived is None else written(arrived),
        )

    def _status(self, entry: Return, at: float) -> str:
        """Where a refund stood at that time."""
        refund = self._refunds.find_id(entry.mchid, entry.refund_id)
        steps = () if refund is None else refund.steps
        states = [step.after for step in steps if step.at <= at]
        state = states[-1] if states else RefundState.PROCESSING
        # Bills have one word for what did not reach the user.
        failed = state in (RefundState.ABNORMAL, RefundState.CLOSED)
        return "FAIL" if failed else state.value

    def _invented(self, period: Period) -> Iterator[TradeRow]:
        mchid, day, sub_mchid = period
        made = self._made_up.peek(key(mchid, day.isoformat()))
        if made is None or sub_mchid is not None:
            return
        appid = min(self._merchants[mchid].appids, default="")
        date_text = f"{day:%Y%m%d}"
        for number in range(made.rows):
            minutes, seconds = divmod(number * _DAY // made.rows, 60)
            yield TradeRow(
                f"{day} {minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}",
                appid,
                mchid,
                "",
                f"4200000009{date_text}{number:010d}",
                f"LOAD{number:010d}",
                "oUser1",
                "JSAPI",
                number % 10000 + 1,
                "load test",
            )


def written(seconds: float) -> str:
    """*seconds* as bills write times: ``2024-06-01 15:00:00``."""
    return f"{datetime.fromtimestamp(int(seconds), BEIJING):%Y-%m-%d %H:%M:%S}"


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING).timestamp()


def _income(one: Receipt) -> FundRow:
    return FundRow(
        written(one.at), one.transaction_id, "交易", one.amount, one.out_trade_no
    )


def _expense(one: Return) -> FundRow:
    return FundRow(
        written(one.at), one.refund_id, "退款", -one.amount, one.out_refund_no
    )
