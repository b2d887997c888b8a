"""Bills of the sandbox: what the ledger holds, as files behind links that expire."""

from __future__ import annotations

import gzip
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wechatpay_chain import APIError, Reply
from wechatpay_chain.sandbox import Gateway

DAY = "2024-06-01"
HEAD = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,"
    "交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,"
    "商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)


class Teller:
    """Asks for bills and has the files behind the links."""

    def __init__(self, gateway: Gateway, call: Any) -> None:
        self.client = gateway.client()
        self.call = call

    def ask(self, kind: str = "tradebill", **query: str) -> Reply:
        reply: Reply = self.call(
            self.client.v3.bill[kind].get, {"bill_date": DAY, **query}
        )
        return reply

    def fetch(self, url: str) -> Reply:
        query = dict(parse_qsl(urlsplit(url).query))
        reply: Reply = self.call(self.client.v3.billdownload.file.get, query)
        return reply

    def rows(self, kind: str = "tradebill", **query: str) -> list[dict[str, str]]:
        """The rows less head and totals, by column."""
        text = self.fetch(self.ask(kind, **query)["download_url"]).content.decode()
        head, *rows, _, _ = text.splitlines()
        assert all(row[0] == "`" for row in rows)
        return [dict(zip(head.split(","), row[1:].split(",`"))) for row in rows]


@pytest.fixture
def teller(gateway: Gateway, call: Any) -> Teller:
    return Teller(gateway, call)


def refused(ask: Any, *args: Any, **query: str) -> tuple[int, str, str]:
    with pytest.raises(APIError) as caught:
        ask(*args, **query)
    error = caught.value
    return error.status_code, str(error.code), error.detail["sandbox"]["id"]


def test_a_trade_bill_lists_payments_and_refunds_in_yuan(
    gateway: Gateway, teller: Teller
) -> None:
    amount = {"total": 12345, "currency": "CNY"}
    number = gateway.given.payment("SUCCESS", amount=amount, attach="a,b\nc")
    back = {"refund": 45, "total": 12345, "currency": "CNY"}
    own = gateway.given.refund(payment=number, amount=back)
    gateway.advance(days=1)
    paid, returned = teller.rows()
    payment, refund = gateway.payments[number], gateway.refunds[own]
    assert paid["微信订单号"] == returned["微信订单号"] == payment.transaction_id
    assert (paid["交易状态"], returned["交易状态"]) == ("SUCCESS", "REFUND")
    assert paid["交易时间"] == "2024-06-01 15:00:00"
    assert (paid["订单金额"], paid["退款金额"]) == ("123.45", "0.00")
    assert (returned["订单金额"], returned["退款金额"]) == ("0.00", "0.45")
    assert returned["微信退款单号"] == refund.refund_id
    assert (returned["商户退款单号"], returned["退款状态"]) == (own, "SUCCESS")
    assert paid["商户订单号"] == number


def test_the_file_is_that_of_the_documents(gateway: Gateway, teller: Teller) -> None:
    gateway.given.payment("SUCCESS", attach="one\r\ntwo")
    gateway.advance(days=1)
    content = teller.fetch(teller.ask()["download_url"]).content
    lines = content.decode().split("\r\n")
    assert lines[0] == HEAD
    assert "`one two," in lines[1]
    assert lines[2].startswith("总交易单数,应结订单总金额,退款总金额")
    assert lines[3:] == ["`1,`1.00,`0.00,`0.00,`0.00,`1.00,`0.00", ""]


@pytest.mark.parametrize("zipped", [False, True])
def test_the_hash_is_that_of_the_plain_file(
    gateway: Gateway, teller: Teller, zipped: bool
) -> None:
    gateway.given.payment("SUCCESS")
    gateway.advance(days=1)
    asked = teller.ask(**({"tar_type": "GZIP"} if zipped else {}))
    reply = teller.fetch(asked["download_url"])
    plain = gzip.decompress(reply.content) if zipped else reply.content
    assert asked["hash_type"] == "SHA1"
    assert asked["hash_value"] == hashlib.sha1(plain).hexdigest()
    assert asked.verified
    assert not reply.verified
    assert "Wechatpay-Signature" not in reply.headers
    assert ("&tartype=gzip" in asked["download_url"]) is zipped


def test_the_link_leads_to_the_host_that_was_asked(hand: Any) -> None:
    hand.gateway.given.payment("SUCCESS")
    hand.gateway.advance(days=1)
    response = hand.send("GET", f"/v3/bill/tradebill?bill_date={DAY}")
    assert b'"https://sandbox.invalid/v3/billdownload/file?token=' in response.content


@pytest.mark.parametrize(
    ("bill_type", "states"),
    [
        ("ALL", ["SUCCESS", "REFUND"]),
        ("SUCCESS", ["SUCCESS"]),
        ("REFUND", ["REFUND"]),
    ],
)
def test_a_bill_type_has_its_rows_and_columns(
    gateway: Gateway, teller: Teller, bill_type: str, states: list[str]
) -> None:
    gateway.given.refund()
    gateway.advance(days=1)
    rows = teller.rows(bill_type=bill_type)
    assert [row["交易状态"] for row in rows] == states
    assert ("退款成功时间" in rows[0]) is (bill_type == "REFUND")
    assert ("微信退款单号" in rows[0]) is (bill_type != "SUCCESS")


def test_a_refund_stands_in_the_bill_as_it_stood_in_the_morning(
    gateway: Gateway, teller: Teller
) -> None:
    number = gateway.given.refund("PROCESSING")
    gateway.advance(days=1)
    before = teller.ask()
    gateway.bank.settle_refund(number)
    content = teller.fetch(before["download_url"]).content
    assert hashlib.sha1(content).hexdigest() == before["hash_value"]
    assert teller.ask()["hash_value"] == before["hash_value"]
    assert teller.rows()[1]["退款状态"] == "PROCESSING"


def test_a_refund_that_failed_says_so(gateway: Gateway, teller: Teller) -> None:
    gateway.given.refund("ABNORMAL")
    gateway.advance(days=1)
    row = teller.rows(bill_type="REFUND")[0]
    assert (row["退款状态"], row["退款成功时间"]) == ("FAIL", "")


def test_payscore_is_in_the_bill(gateway: Gateway, teller: Teller) -> None:
    number = gateway.given.order(state="PAID")
    gateway.advance(days=1)
    (row,) = teller.rows()
    assert (row["商户订单号"], row["交易类型"]) == (number, "JSAPI")


def test_a_fund_bill_keeps_the_balance(gateway: Gateway, teller: Teller) -> None:
    gateway.given.payment("SUCCESS")
    gateway.advance(days=1)
    number = gateway.given.payment("SUCCESS")
    gateway.given.refund(payment=number)
    gateway.advance(days=1)
    income, expense = teller.rows("fundflowbill", bill_date="2024-06-02")
    assert (income["收支类型"], expense["收支类型"]) == ("收入", "支出")
    assert income["收支金额（元）"] == expense["收支金额（元）"] == "1.00"
    assert (income["账户结余（元）"], expense["账户结余（元）"]) == ("2.00", "1.00")


def test_a_partner_sees_all_or_one_sub_merchant(
    gateway: Gateway, teller: Teller
) -> None:
    mine = gateway.given.payment("SUCCESS")
    theirs = gateway.given.payment("SUCCESS", partner=True)
    gateway.advance(days=1)

    def numbers(kind: str, column: str, **query: str) -> set[str]:
        return {row[column] for row in teller.rows(kind, **query)}

    one = {"sub_mchid": gateway.sub_mchid}
    assert numbers("tradebill", "商户订单号") == {mine, theirs}
    assert numbers("tradebill", "商户订单号", **one) == {theirs}
    # Money is on the account of whoever sold.
    assert numbers("fundflowbill", "业务凭证号") == {mine}
    assert teller.rows(**one)[0]["特约商户号"] == gateway.sub_mchid


def test_the_fund_bill_of_a_sub_merchant_is_encrypted(
    gateway: Gateway, teller: Teller
) -> None:
    gateway.given.payment("SUCCESS", partner=True)
    gateway.advance(days=1)
    query = {"sub_mchid": gateway.sub_mchid, "account_type": "ALL"}
    query["algorithm"] = "AEAD_AES_256_GCM"
    (entry,) = teller.ask("sub-merchant-fundflowbill", **query)["download_bill_list"]
    # The client has decrypted it with the merchant's private key.
    key = entry["encrypt_key"]
    sealed = teller.fetch(entry["download_url"]).content
    plain = AESGCM(key.encode()).decrypt(entry["nonce"].encode(), sealed, b"")
    assert hashlib.sha1(plain).hexdigest() == entry["hash_value"]
    assert plain.decode().splitlines()[-1] == "`1,`1,`1.00,`0,`0.00"
    wrong = refused(
        teller.ask, "sub-merchant-fundflowbill", **{**query, "algorithm": "SM4_GCM"}
    )
    assert wrong == (400, "PARAM_ERROR", "parameters")


@pytest.mark.parametrize(
    ("hours", "day", "expected"),
    [
        (0, DAY, (400, "INVALID_REQUEST", "bill_date_ahead")),
        (0, "2024-06-02", (400, "INVALID_REQUEST", "bill_date_ahead")),
        # It is 15:00 when time begins: 09:59 of the next day, and 10:00.
        (18.99, DAY, (400, "STATEMENT_CREATING", "bill_creating")),
        (0, "2024-05-31", (400, "NO_STATEMENT_EXIST", "bill_empty")),
        (0, "2024-03-01", (400, "NO_STATEMENT_EXIST", "bill_empty")),
        (0, "2024-02-29", (400, "INVALID_REQUEST", "bill_date_too_old")),
        (0, "2024-13-01", (400, "INVALID_REQUEST", "bill_date")),
        (0, "20240501", (400, "INVALID_REQUEST", "bill_date")),
    ],
)
@pytest.mark.parametrize("kind", ["tradebill", "fundflowbill"])
def test_there_is_a_bill_from_ten_in_the_morning_for_three_months(
    gateway: Gateway, teller: Teller, kind: str, hours: float, day: str, expected: Any
) -> None:
    gateway.given.payment("SUCCESS")
    gateway.advance(hours=hours)
    assert refused(teller.ask, kind, bill_date=day) == expected
    gateway.advance(hours=19 - hours)
    assert teller.rows(kind)


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("tradebill", {"bill_type": "RECHARGE_REFUND"}),
        ("tradebill", {"bill_type": "REFUND"}),
        ("fundflowbill", {"account_type": "FEES"}),
    ],
)
def test_a_bill_without_rows_does_not_exist(
    gateway: Gateway, teller: Teller, kind: str, query: dict[str, str]
) -> None:
    gateway.given.payment("SUCCESS")
    gateway.advance(days=1)
    expected = (400, "NO_STATEMENT_EXIST", "bill_empty")
    assert refused(teller.ask, kind, **query) == expected


def test_a_link_is_good_for_five_minutes(gateway: Gateway, teller: Teller) -> None:
    gateway.given.payment("SUCCESS")
    gateway.advance(days=1)
    url = teller.ask()["download_url"]
    gateway.advance(seconds=300)
    assert teller.fetch(url).content
    gateway.advance(seconds=1)
    expected = (400, "INVALID_REQUEST", "bill_token")
    assert refused(teller.fetch, url) == expected
    assert refused(teller.fetch, "https://x/?token=none") == expected


def test_a_link_is_the_merchants_own(gateway: Gateway, teller: Teller) -> None:
    gateway.given.payment("SUCCESS")
    gateway.advance(days=1)
    url = teller.ask()["download_url"]
    teller.client = gateway.client(**gateway.enrol("1900000002"))
    assert refused(teller.fetch, url) == (403, "NO_AUTH", "bill_of_another")
    assert refused(teller.ask) == (400, "NO_STATEMENT_EXIST", "bill_empty")


def test_a_sub_merchant_must_be_ones_own(gateway: Gateway, teller: Teller) -> None:
    gateway.advance(days=1)
    expected = (403, "NO_AUTH", "sub_mchid_unknown")
    assert refused(teller.ask, sub_mchid="1900009999") == expected


def test_a_bill_is_made_up_for_load_tests(gateway: Gateway, teller: Teller) -> None:
    gateway.given.bill("2024-05-31", rows=2000)
    rows = teller.rows(bill_date="2024-05-31")
    assert len(rows) == len({row["微信订单号"] for row in rows}) == 2000
    assert {row["交易时间"][:10] for row in rows} == {"2024-05-31"}
    last = teller.rows("fundflowbill", bill_date="2024-05-31")[-1]
    total = sum(round(float(row["订单金额"]) * 100) for row in rows)
    assert round(float(last["账户结余（元）"]) * 100) == total
    assert len(gateway.payments) == 0


def test_links_go_with_a_snapshot(gateway: Gateway, teller: Teller) -> None:
    gateway.given.payment("SUCCESS")
    gateway.advance(days=1)
    before = gateway.snapshot()
    url = teller.ask()["download_url"]
    gateway.restore(before)
    assert refused(teller.fetch, url)[2] == "bill_token"
