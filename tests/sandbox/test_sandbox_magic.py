"""Magic values: numbers and amounts that bring a fault by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain import (
    APIError,
    DecodeError,
    InvalidSignature,
    MissingHeaders,
    RateLimited,
    ReadError,
    ReadTimeout,
    ServerError,
)
from wechatpay_chain.sandbox import ErrorAnswer, Gateway
from wechatpay_chain.sandbox.faults.magic import TABLE, table

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"

#: What a client that tries once gets, and whether the order is there.
EXPECTED: dict[str, tuple[type[Exception], bool]] = {
    "*E429": (RateLimited, False),
    "*E500": (ServerError, False),
    "*D500": (ServerError, True),
    "*LOST": (ReadError, True),
    "*GONE": (ReadError, False),
    "*SLOW": (ReadTimeout, True),
    "*HALF": (ReadError, True),
    "*JSON": (DecodeError, True),
    "*SIGN": (InvalidSignature, True),
    "*NSIG": (MissingHeaders, True),
    "*TEST": (InvalidSignature, True),
}


def create(gateway: Gateway, call: Any, number: str, **options: Any) -> Any:
    client = gateway.client(**{"retry": 1, **options})
    body = gateway.given.create_body(out_order_no=number)
    return call(client.v3.payscore.serviceorder.post, body)


@pytest.mark.parametrize("suffix", list(EXPECTED))
def test_number_brings_its_fault_once(gateway: Gateway, call: Any, suffix: str) -> None:
    error, done = EXPECTED[suffix]
    number = f"ORDER1{suffix}"
    with pytest.raises(error):
        create(gateway, call, number)
    assert (number in gateway.orders) is done
    assert create(gateway, call, number)["out_order_no"] == number


def test_each_call_that_changes_something_meets_the_fault(
    gateway: Gateway, call: Any
) -> None:
    number = "ORDER1*LOST"
    create(gateway, call, number, retry=3)
    cancel = gateway.client(retry=1).v3.payscore.serviceorder._out_order_no_.cancel
    reason = {"appid": gateway.appid, "reason": "x"}
    with pytest.raises(ReadError):
        call(cancel.post, reason, out_order_no=number)
    assert gateway.orders[number].history[-1] == "REVOKED"
    query = {
        "out_order_no": number,
        "service_id": gateway.service_id,
        "appid": gateway.appid,
    }
    orders = gateway.client(retry=1).v3.payscore.serviceorder
    assert call(orders.get, query)["state"] == "REVOKED"
    faults = [exchange.fault for exchange in gateway.journal]
    assert faults == ["reply_lost", None, "reply_lost", None]


def native(gateway: Gateway, total: int, number: str = "PAYMENT1") -> dict[str, Any]:
    return {
        "appid": gateway.appid,
        "mchid": gateway.mchid,
        "description": "x",
        "out_trade_no": number,
        "notify_url": "https://merchant.example/notify",
        "amount": {"total": total},
    }


def test_amount_brings_its_fault_once(gateway: Gateway, call: Any) -> None:
    prepay = gateway.client(retry=1).v3.pay.transactions.native
    with pytest.raises(RateLimited):
        call(prepay.post, native(gateway, 197429))
    assert call(prepay.post, native(gateway, 197429)).verified
    assert call(prepay.post, native(gateway, 97428, "PAYMENT2")).verified


@pytest.mark.parametrize("number", ["LOST", "ORDER*LOST1", "*lost", "E429", "ORDER429"])
def test_other_numbers_bring_nothing(gateway: Gateway, call: Any, number: str) -> None:
    assert create(gateway, call, number).verified


def test_they_can_be_switched_off(gateway: Gateway, call: Any) -> None:
    gateway.magic.enabled = False
    assert create(gateway, call, "ORDER1*E500").verified


def test_rules_come_first(gateway: Gateway, call: Any) -> None:
    gateway.faults.add(on="payscore", fault=ErrorAnswer("RULE_LIMIT"))
    with pytest.raises(APIError, match="RULE_LIMIT"):
        create(gateway, call, "ORDER1*E500")
    with pytest.raises(ServerError):
        create(gateway, call, "ORDER1*E500")


def test_merchants_do_not_share_what_was_met(gateway: Gateway, call: Any) -> None:
    other = gateway.enrol("1900000002")
    for options in ({}, other):
        with pytest.raises(ServerError):
            create(gateway, call, "ORDER1*E500", **options)


def test_no_value_stands_twice_and_the_page_has_the_table() -> None:
    assert len({one.suffix for one in TABLE}) == len(TABLE)
    assert len({one.amount for one in TABLE}) == len(TABLE)
    assert {len(one.suffix) for one in TABLE} == {5}
    assert table() in PAGE.read_text("utf-8")
