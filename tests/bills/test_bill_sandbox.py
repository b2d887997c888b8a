"""Bills of the sandbox, from the asking to the last row."""

from __future__ import annotations

import gzip
import hashlib
from datetime import datetime

import pytest

from wechatpay_chain import APIError
from wechatpay_chain.bills.values import BEIJING
from wechatpay_chain.sandbox import Gateway

DAY = "2024-05-31"


@pytest.fixture
def gateway() -> Gateway:
    gateway = Gateway(seed=1)
    gateway.given.bill(DAY, rows=500)
    return gateway


def test_a_trade_bill(call, rows, gateway) -> None:
    bill = call(gateway.client().bills.trade, DAY)
    found = rows(bill)
    assert len(found) == 500
    assert bill.summary.count == 500
    assert sum(row.total.fen for row in found) == bill.summary.total.fen
    assert {row.mchid for row in found} == {gateway.mchid}


def test_a_fund_flow_bill(call, rows, gateway) -> None:
    bill = call(gateway.client().bills.fundflow, DAY)
    found = rows(bill)
    assert len(found) == bill.summary.count == 500
    assert sum(row.amount.fen for row in found) == bill.summary.income.fen


def test_an_encrypted_bill_of_a_sub_merchant(call, rows) -> None:
    gateway = Gateway(seed=1)
    gateway.given.payment("SUCCESS", partner=True)
    day = datetime.fromtimestamp(gateway.clock(), BEIJING).date()
    gateway.advance(days=1)
    ask = gateway.client().bills.sub_merchant_fundflow
    bill = call(ask, day, sub_mchid=gateway.sub_mchid, account_type="ALL")
    (row,) = rows(bill)
    assert row.amount.fen == bill.summary.income.fen == 100


def test_a_url_that_has_expired_is_asked_for_again(call, rows, gateway) -> None:
    bill = call(gateway.client().bills.trade, DAY)
    gateway.advance(301)
    assert len(rows(bill)) == 500


def test_a_saved_bill_has_the_hash_that_was_signed(call, gateway, tmp_path) -> None:
    bill = call(gateway.client().bills.trade, DAY)
    call(bill.save, tmp_path / "bill.csv")
    content = (tmp_path / "bill.csv").read_bytes()
    assert (hashlib.sha1(content).hexdigest(),) == bill.sha1
    assert content[:2] != gzip.compress(b"")[:2]


def test_a_day_without_a_bill_is_an_error(call, gateway) -> None:
    with pytest.raises(APIError) as caught:
        call(gateway.client().bills.trade, "2024-05-30")
    assert caught.value.is_code("NO_STATEMENT_EXIST")
    assert caught.value.outcome == "refused"
