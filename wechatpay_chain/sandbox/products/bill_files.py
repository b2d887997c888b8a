"""What stands in a bill (账单): columns, rows and totals, as lines of a CSV file.

Protocol section 14: UTF-8, CRLF, a back-quote before each cell, two lines of totals at
the end, money in yuan. Lines are made one by one, so that a bill may be of any length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

_LEFT = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,"
    "交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额"
)
_REFUND = "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态"
_RIGHT = "商品名称,商户数据包,手续费,费率,订单金额"
_NOTE = "费率备注"

#: The header of a trade bill (交易账单) by its ``bill_type``.
TRADE_HEADS: dict[str, str] = {
    "ALL": f"{_LEFT},{_REFUND},{_RIGHT},申请退款金额,{_NOTE}",
    "SUCCESS": f"{_LEFT},{_RIGHT},{_NOTE}",
    "REFUND": (
        f"{_LEFT},退款申请时间,退款成功时间,{_REFUND},{_RIGHT},申请退款金额,{_NOTE}"
    ),
}
_TRADE_TOTALS = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,"
    "订单总金额,申请退款总金额"
)
FUND_HEAD = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,"
    "收支金额（元）,账户结余（元）,资金变更提交申请人,备注,业务凭证号"
)
_FUND_TOTALS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"

_NOTHING = "0.00"


class TradeRow(NamedTuple):
    """One payment or one refund of a trade bill. Money is in fen."""

    at: str
    appid: str
    mchid: str
    sub_mchid: str
    transaction_id: str
    out_trade_no: str
    openid: str
    trade_type: str
    amount: int
    description: str = ""
    attach: str = ""
    #: Of a refund; empty for a payment.
    refund_id: str = ""
    out_refund_no: str = ""
    refund_status: str = ""
    #: When a refund was asked for, and when it arrived.
    asked_at: str = ""
    arrived_at: str = ""


class FundRow(NamedTuple):
    """One movement of money in a fund bill (资金账单). Money is in fen."""

    at: str
    number: str
    name: str
    #: What came in; below zero, what went out.
    amount: int
    voucher: str


def trade_bill(bill_type: str, rows: Iterable[TradeRow]) -> Iterator[bytes]:
    """The lines of a trade bill."""
    yield f"{TRADE_HEADS[bill_type]}\r\n".encode()
    count = paid = returned = 0
    for row in rows:
        count += 1
        if row.refund_id:
            returned += row.amount
        else:
            paid += row.amount
        yield _line(_trade_cells(bill_type, row))
    yield f"{_TRADE_TOTALS}\r\n".encode()
    whole, back = yuan(paid), yuan(returned)
    yield _line([str(count), whole, back, _NOTHING, _NOTHING, whole, back])


def _trade_cells(bill_type: str, row: TradeRow) -> list[str]:
    refund = bool(row.refund_id)
    paid, back = yuan(0 if refund else row.amount), yuan(row.amount if refund else 0)
    left = [row.at, row.appid, row.mchid, row.sub_mchid or "0", "", row.transaction_id]
    left += [row.out_trade_no, row.openid, row.trade_type]
    left += ["REFUND" if refund else "SUCCESS", "OTHERS", "CNY", paid, _NOTHING]
    # The sandbox takes no fee.
    right = [row.description, row.attach, _NOTHING, "0.00%", paid]
    if bill_type == "SUCCESS":
        return [*left, *right, ""]
    if bill_type == "REFUND":
        left += [row.asked_at, row.arrived_at]
    kind = "ORIGINAL" if refund else ""
    number, own = row.refund_id or "0", row.out_refund_no or "0"
    left += [number, own, back, _NOTHING, kind, row.refund_status]
    return [*left, *right, back, ""]


def fund_bill(rows: Iterable[FundRow], balance: int) -> Iterator[bytes]:
    """The lines of a fund bill; *balance* is what was there before, in fen."""
    yield f"{FUND_HEAD}\r\n".encode()
    ins: list[int] = [0, 0]
    outs: list[int] = [0, 0]
    for row in rows:
        balance += row.amount
        way, sums = ("支出", outs) if row.amount < 0 else ("收入", ins)
        sums[0] += 1
        sums[1] += abs(row.amount)
        cells = [row.at, row.number, row.number, row.name, row.name, way]
        cells += [yuan(abs(row.amount)), yuan(balance), "system", "", row.voucher]
        yield _line(cells)
    yield f"{_FUND_TOTALS}\r\n".encode()
    total = str(ins[0] + outs[0])
    yield _line([total, str(ins[0]), yuan(ins[1]), str(outs[0]), yuan(outs[1])])


def yuan(fen: int) -> str:
    """*fen* as bills write money: in yuan, with two decimals.

    >>> yuan(1), yuan(-12345)
    ('0.01', '-123.45')
    """
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{rest:02d}"


def _line(cells: list[str]) -> bytes:
    lines = ("`" + ",`".join(cells)).splitlines()
    # A line end in a cell, say of the data package, would begin another row.
    return f"{' '.join(lines)}\r\n".encode()
