"""The rows of a bill, from its lines (protocol section 14).

UTF-8, CRLF, a line of heads, lines whose cells begin with a back-quote, and two lines
of totals. Cells are not quoted: a comma in one is told by the back-quote that is
missing behind it.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from ..errors import DecodeError
from .values import (
    Column,
    Money,
    count_column,
    moment_column,
    money_column,
    text_column,
)

R = TypeVar("R", bound="Row")

#: A line beyond this is no line of a bill, and would be kept in memory for nothing.
_LONGEST = 1 << 20


class Layout:
    """The heads of a bill, and where a row has which column."""

    __slots__ = ("_found", "heads", "places")

    def __init__(self, heads: list[str]) -> None:
        #: The heads, as the bill has them.
        self.heads: tuple[str, ...] = tuple(heads)
        #: The place of each.
        self.places: dict[str, int] = {name: at for at, name in enumerate(heads)}
        self._found: dict[Column[Any], int] = {}

    def at(self, column: Column[Any]) -> int:
        """The place of *column*, by any of its names. Raises ``LookupError``."""
        place = self._found.get(column)
        if place is None:
            known = {_plain(head): at for head, at in self.places.items()}
            names = map(_plain, column.names)
            place = next((known[name] for name in names if name in known), None)
            if place is None:
                raise LookupError(
                    f"this bill has no column {column.names[0]}; it has "
                    f"{', '.join(self.heads)}"
                )
            self._found[column] = place
        return place


def _plain(head: str) -> str:
    """A head without regard to the kind of its brackets."""
    return head.replace("(", "（").replace(")", "）")


class Row(Mapping[str, str]):
    """One line of a bill: a mapping of heads to text.

    The rows of some bills have typed attributes too: :class:`TradeRow`,
    :class:`FundRow`.
    """

    __slots__ = ("_layout", "cells")

    #: What the attributes are called, with their heads.
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __init__(self, layout: Layout, cells: list[str]) -> None:
        self._layout = layout
        #: The text of each cell, in order.
        self.cells: list[str] = cells

    def __init_subclass__(cls) -> None:
        found = {
            name: one.names
            for name, one in vars(cls).items()
            if isinstance(one, Column)
        }
        cls.columns = {**cls.columns, **found}

    def __getitem__(self, name: str) -> str:
        return self.cells[self._layout.places[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._layout.heads)

    def __len__(self) -> int:
        return len(self.cells)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Row):
            return super().__eq__(other)
        return self.cells == other.cells and self._layout.heads == other._layout.heads

    __hash__ = None  # type: ignore[assignment] # a mapping, and its cells are a list

    def __repr__(self) -> str:
        # Cells name users and orders.
        return f"<{type(self).__name__} of {len(self.cells)} cells>"


class TradeRow(Row):
    """A line of a trade bill (交易账单): a payment, or a refund.

    A column that this bill lacks, because of its ``bill_type``, is a ``LookupError``.
    """

    __slots__ = ()

    trade_time: Column[datetime] = moment_column("交易时间")
    appid: Column[str] = text_column("公众账号ID")
    mchid: Column[str] = text_column("商户号")
    sub_mchid: Column[str] = text_column("特约商户号", "子商户号")
    device_info: Column[str] = text_column("设备号")
    transaction_id: Column[str] = text_column("微信订单号")
    out_trade_no: Column[str] = text_column("商户订单号")
    openid: Column[str] = text_column("用户标识")
    trade_type: Column[str] = text_column("交易类型")
    trade_state: Column[str] = text_column("交易状态")
    bank_type: Column[str] = text_column("付款银行")
    currency: Column[str] = text_column("货币种类")
    settlement_total: Column[Money] = money_column("应结订单金额", "总金额")
    coupon: Column[Money] = money_column("代金券金额", "企业红包金额")
    refund_id: Column[str] = text_column("微信退款单号")
    out_refund_no: Column[str] = text_column("商户退款单号")
    settlement_refund: Column[Money] = money_column("退款金额")
    coupon_refund: Column[Money] = money_column("充值券退款金额", "企业红包退款金额")
    refund_type: Column[str] = text_column("退款类型")
    refund_status: Column[str] = text_column("退款状态")
    description: Column[str] = text_column("商品名称")
    attach: Column[str] = text_column("商户数据包")
    fee: Column[Money] = money_column("手续费")
    rate: Column[str] = text_column("费率")
    total: Column[Money] = money_column("订单金额")
    refund: Column[Money] = money_column("申请退款金额")
    rate_remark: Column[str] = text_column("费率备注")


class FundRow(Row):
    """A line of a fund flow bill (资金账单): money in, or money out."""

    __slots__ = ()

    time: Column[datetime] = moment_column("记账时间")
    transaction_id: Column[str] = text_column("微信支付业务单号")
    flow_id: Column[str] = text_column("资金流水单号")
    business_name: Column[str] = text_column("业务名称")
    business_type: Column[str] = text_column("业务类型")
    direction: Column[str] = text_column("收支类型")
    amount: Column[Money] = money_column("收支金额（元）", "收支金额")
    balance: Column[Money] = money_column("账户结余（元）", "账户结余")
    applicant: Column[str] = text_column("资金变更提交申请人")
    remark: Column[str] = text_column("备注")
    voucher: Column[str] = text_column("业务凭证号")


class Summary(Row):
    """The totals at the end of a bill: a mapping of heads to text.

    Those of trade and fund flow bills have attributes as well.
    """

    __slots__ = ()

    count: Column[int] = count_column("总交易单数", "资金流水总笔数")
    settlement_total: Column[Money] = money_column("应结订单总金额", "总交易额")
    settlement_refund: Column[Money] = money_column("退款总金额")
    coupon_refund: Column[Money] = money_column("充值券退款总金额")
    fee: Column[Money] = money_column("手续费总金额")
    total: Column[Money] = money_column("订单总金额")
    refund: Column[Money] = money_column("申请退款总金额")
    income_count: Column[int] = count_column("收入笔数")
    income: Column[Money] = money_column("收入金额")
    expense_count: Column[int] = count_column("支出笔数")
    expense: Column[Money] = money_column("支出金额")


class Reader(Generic[R]):
    """Makes rows of the bytes of a bill, as they come, and keeps the last totals."""

    def __init__(self, kind: Callable[[Layout, list[str]], R]) -> None:
        self._kind: Any = kind
        self._decode = codecs.getincrementaldecoder("utf-8")("strict")
        self._rest = ""
        self._line = 0
        self._first: Layout | None = None
        self._layout: Layout | None = None
        #: The totals, once they were read.
        self.summary: Summary | None = None

    def feed(self, piece: bytes, final: bool = False) -> Iterator[R]:
        """The rows that *piece* completes. Raises ``DecodeError``."""
        try:
            text = self._rest + self._decode.decode(piece, final)
        except UnicodeDecodeError as error:
            raise DecodeError(f"the bill is not UTF-8: {error.reason}") from None
        lines = text.split("\n")
        self._rest = lines.pop()
        if final and self._rest:
            lines.append(self._rest)
            self._rest = ""
        if len(self._rest) > _LONGEST:
            raise DecodeError(
                f"line {self._line + len(lines) + 1} of the bill has no end"
            )
        return self._rows(lines)

    def _rows(self, lines: list[str]) -> Iterator[R]:
        make, number = self._kind, self._line
        layout = self._layout
        width = len(layout.heads) if layout is not None and self._in_rows else -1
        for line in lines:
            number += 1
            if line[:1] == "`":
                cells = line[1:].rstrip("\r").split(",`")
                if len(cells) == width:
                    yield make(layout, cells)
                    continue
                self._line = number
                self._totals(cells)
            else:
                self._line = number
                self._heads(line.rstrip("\r"))
                layout = self._layout
                width = (
                    len(layout.heads) if layout is not None and self._in_rows else -1
                )
        self._line = number

    @property
    def _in_rows(self) -> bool:
        return self._layout is not None and self._layout is self._first

    def _heads(self, line: str) -> None:
        """A line of heads: of the rows, of the totals, or of the next file's rows."""
        if not line:
            return
        line = line.lstrip("\ufeff")
        heads = line.split(",")
        if self._first is None and (len(heads) < 2 or line[0] in "<{"):
            # A failure of APIv2 in XML, for one, must not be taken for an empty bill.
            raise DecodeError(f"line {self._line} of the bill names no columns")
        if self._first is None or list(self._first.heads) == heads:
            self._first = self._layout = self._first or Layout(heads)
        elif self._in_rows:
            self._layout = Layout(heads)
        else:
            raise DecodeError(f"line {self._line} of the bill is after its totals")

    def _totals(self, cells: list[str]) -> None:
        layout = self._layout
        if layout is None:
            raise DecodeError("the bill has no line of heads")
        if len(cells) != len(layout.heads):
            raise DecodeError(
                f"line {self._line} of the bill has {len(cells)} cells, its heads are "
                f"{len(layout.heads)}"
            )
        self.summary = Summary(layout, cells)
