"""Rows: what the lines of a bill are read as."""

from __future__ import annotations

import gzip
from base64 import b64decode
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from bill_server import HEADS, TOTALS, line, trade_bill

from wechatpay_chain import DecodeError
from wechatpay_chain.bills import FundRow, Money, Row, TradeRow, read
from wechatpay_chain.bills.rows import Reader

FUNDS = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),"
    "账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n"
    "`2024-06-01 10:00:01,`42001,`9001,`交易,`交易,`收入,`1.00,`23.45,`system,`,`v1\r\n"
    "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n"
    "`1,`1,`1.00,`0,`0.00\r\n"
).encode()


def parsed(content: bytes, kind: type = TradeRow, size: int = 1 << 20):
    reader = Reader(kind)
    rows = []
    for at in range(0, len(content), size):
        rows += reader.feed(content[at : at + size])
    rows += reader.feed(b"", final=True)
    return rows, reader.summary


def test_a_row_has_typed_attributes() -> None:
    (row, *_), _ = parsed(trade_bill(2))
    beijing = timezone(timedelta(hours=8))
    assert row.trade_time == datetime(2024, 6, 1, 10, tzinfo=beijing)
    assert row.transaction_id == "4200" + "0" * 24
    assert row.out_trade_no == "order0"
    assert row.trade_state == "SUCCESS"
    assert row.description == "充值, 100点"
    assert row.total == Decimal("1.00")
    assert row.total.fen == 100


def test_a_row_is_a_mapping_of_heads_to_text() -> None:
    (row, *_), _ = parsed(trade_bill(1))
    assert list(row) == HEADS.split(",")
    assert row["商品名称"] == "充值, 100点"
    assert row["订单金额"] == "1.00"
    assert len(row) == 27
    assert row.get("退款时间") is None
    assert dict(row)["费率"] == "0.60%"


def test_money_is_a_decimal_and_fen() -> None:
    amount = Money("39.90")
    assert amount + 1 == Decimal("40.90")
    assert amount.fen == 3990
    assert Money("-0.01").fen == -1
    with pytest.raises(ValueError, match="no whole number of fen"):
        _ = Money("0.00600").fen


def test_the_totals_have_typed_attributes() -> None:
    _, summary = parsed(trade_bill(3))
    assert summary.count == 3
    assert summary.total.fen == 300
    assert summary["退款总金额"] == "0.00"
    assert list(summary) == TOTALS.split(",")


def test_a_fund_flow_bill() -> None:
    (row,), summary = parsed(FUNDS, FundRow)
    assert (row.amount.fen, row.balance.fen) == (100, 2345)
    assert row.direction == "收入"
    assert row.voucher == "v1"
    assert summary.income_count == 1
    assert summary.expense.fen == 0


def test_the_documented_bill(vectors) -> None:
    case = vectors["bill"]
    packed = b64decode(case["gzip_body_base64"])
    assert gzip.decompress(packed).decode() == case["plain_csv"]
    (row,), summary = parsed(case["plain_csv"].encode())
    assert row.sub_mchid == "0"
    assert row.transaction_id == "4200002301202406010000000002"
    assert summary.count == 1
    assert summary["应结订单总金额"] == "1.00"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 1001])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_pieces_may_end_anywhere(size: int, end: str) -> None:
    whole, _ = parsed(trade_bill(5))
    rows, summary = parsed(trade_bill(5, end), size=size)
    assert rows == whole
    assert summary.count == 5


def test_a_bill_may_end_without_a_line_break() -> None:
    rows, summary = parsed(trade_bill(2).rstrip(b"\r\n"))
    assert len(rows) == 2
    assert summary["申请退款总金额"] == "0.00"


def test_a_bill_without_rows_has_its_totals() -> None:
    rows, summary = parsed(trade_bill(0))
    assert rows == []
    assert summary.count == 0


def test_a_bill_may_have_no_totals() -> None:
    rows, summary = parsed(f"{HEADS}\r\n{line(1)}\r\n".encode())
    assert len(rows) == 1
    assert summary is None


def test_files_behind_one_another_are_one_bill() -> None:
    content = trade_bill(2).replace("\ufeff".encode(), b"")
    rows, summary = parsed(content + content)
    assert len(rows) == 4
    assert summary.count == 2


def test_a_column_that_a_bill_has_not_is_named() -> None:
    (row,), _ = parsed("商户号,费率\r\n`1,`2\r\n".encode())
    assert row.mchid == "1"
    with pytest.raises(LookupError, match="no column 订单金额; it has 商户号, 费率"):
        _ = row.total


def test_what_is_no_amount_and_no_time_is_named() -> None:
    (row,), _ = parsed("订单金额,交易时间\r\n`1,00,`yesterday\r\n".encode())
    with pytest.raises(DecodeError, match=r"total \(订单金额\): an amount in yuan"):
        _ = row.total
    with pytest.raises(DecodeError, match=r"trade_time .*'yesterday'"):
        _ = row.trade_time


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e3", "1_0", "", " 1", "１"])
def test_only_plain_digits_are_an_amount(amount: str) -> None:
    (row,), _ = parsed(f"订单金额,x\r\n`{amount},`\r\n".encode())
    with pytest.raises(DecodeError, match="an amount in yuan"):
        _ = row.total


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"`1,`2\r\n", "no line of heads"),
        (b"a,b\r\n`1\r\n", "line 2 of the bill has 1 cells, its heads are 2"),
        (b"a,b\r\n`1,`2,`3\r\n", "has 3 cells, its heads are 2"),
        (b"a,b\r\n`1,`2\r\nx,y\r\n`1,`2\r\nz\r\n", "line 5 of the bill is after"),
        (b"a,\xff\r\n", "not UTF-8"),
        (b"<xml><return_msg>No, none</return_msg></xml>", "line 1 .* names no columns"),
        (b'{"code": "X", "message": "y"}', "line 1 of the bill names no columns"),
        (b"\r\nerror\r\n", "line 2 of the bill names no columns"),
        (b"a,b\r\n`" + b"1" * (1 << 21), "line 2 of the bill has no end"),
    ],
)
def test_what_is_no_bill_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        parsed(content, size=1 << 20)


def test_no_row_shows_what_is_in_it() -> None:
    (row, *_), summary = parsed(trade_bill(1))
    for shown in (repr(row), str(row), repr(summary)):
        assert "oUpF" not in shown
        assert "order0" not in shown


@pytest.mark.parametrize("packed", [False, True])
def test_a_saved_bill_is_read_again(tmp_path: Path, packed: bool) -> None:
    content = trade_bill(4)
    path = tmp_path / "bill.csv"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert [row.out_trade_no for row in read(path, TradeRow)] == [
        "order0", "order1", "order2", "order3",
    ]  # fmt: skip
    assert {type(row) for row in read(path)} == {Row}


def test_heads_are_the_same_whatever_their_brackets() -> None:
    wide = FUNDS.decode().replace("(元)", "（元）").encode()
    (row,), _ = parsed(wide, FundRow)
    assert row.amount.fen == 100
    assert row["收支金额（元）"] == "1.00"
