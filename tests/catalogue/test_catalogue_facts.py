"""Facts of payments and PayScore: limits that strict refuses, and what is promised."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import CheckError, catalogue
from wechatpay_chain.catalogue import Field
from wechatpay_chain.sandbox import Gateway

PAY, PARTNER = "v3/pay/transactions", "v3/pay/partner/transactions"
ORDER, QUERY = "v3/payscore/serviceorder", "id/{transaction_id}"
NUMBER = "out-trade-no/{out_trade_no}"


def answered(key: str) -> Field:
    operation = catalogue.find(*key.split())
    assert operation is not None
    assert operation.answer is not None
    return operation.answer


def promised(answer: Field, place: str = "") -> set[str]:
    fields = answer.fields or {}
    if place:
        fields = fields[place].fields or {}
    return {name for name, field in fields.items() if field.required}


def refused(gateway: Gateway, path: str, body: dict[str, Any]) -> set[tuple[str, str]]:
    """Place and rule of each problem that strict finds."""
    with pytest.raises(CheckError) as caught:
        gateway.client(check="strict")[path].post(body)
    return {(one.path, one.rule) for one in caught.value.problems}


@pytest.mark.parametrize("way", [QUERY, NUMBER])
def test_a_payment_is_told_before_it_is_paid_too(way: str) -> None:
    always = {"out_trade_no", "trade_state", "trade_state_desc", "amount"}
    direct, partner = (answered(f"GET {base}/{way}") for base in (PAY, PARTNER))
    assert promised(direct) == always | {"appid", "mchid"}
    assert promised(partner) == always | {"sp_appid", "sp_mchid", "sub_mchid"}
    for answer in (direct, partner):
        assert promised(answer, "amount") == {"total", "currency"}
        amount = (answer.fields or {})["amount"].fields or {}
        assert {"payer_total", "payer_currency"} <= amount.keys()
        assert not any(field.unsure for _, field in answer.walk())


def test_both_queries_of_a_payment_describe_the_same() -> None:
    for base in (PAY, PARTNER):
        one, other = (answered(f"GET {base}/{way}").fields for way in (QUERY, NUMBER))
        assert one is not None
        assert other is not None
        assert {**other} == {**one, "installment_info": other["installment_info"]}


def test_a_combined_order_promises_nothing_of_its_payment() -> None:
    answer = answered("GET v3/combine-transactions/out-trade-no/{combine_out_trade_no}")
    assert "combine_transaction_id" not in promised(answer)
    subs = (answer.fields or {})["sub_orders"].items
    assert subs is not None
    assert promised(subs) == {"mchid", "out_trade_no", "trade_state", "amount"}
    assert promised(subs, "amount") == {"total_amount", "currency"}


def test_every_refund_is_described_alike() -> None:
    refunds = [
        answered(f"{key.method} {key.template}").fields
        for key in catalogue.operations("v3", "refund")
    ]
    assert len(refunds) == 3
    assert refunds[0] == refunds[1] == refunds[2]


@pytest.mark.parametrize("who", ["", "partner/"])
def test_a_new_payscore_order_comes_with_its_package(who: str) -> None:
    operation = catalogue.find("POST", f"v3/payscore/{who}serviceorder")
    assert operation is not None
    assert operation.body is not None
    assert "package" in promised(answered(str(operation)))
    names = {"DEPOSIT", "ADVANCE", "CASH_DEPOSIT", "ESTIMATE_ORDER_COST"}
    for value in (operation.body, answered(str(operation))):
        fund = (value.fields or {})["risk_fund"].fields or {}
        assert {*fund["name"].enum} == names


PAYMENTS: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"description": "字" * 128}, ("description", "length")),
    ({"attach": "x" * 129}, ("attach", "length")),
    ({"goods_tag": "x" * 33}, ("goods_tag", "length")),
    ({"out_trade_no": "12345"}, ("out_trade_no", "length")),
    ({"out_trade_no": "ORDER 123"}, ("out_trade_no", "pattern")),
    ({"amount": {"total": 0}}, ("amount.total", "range")),
    ({"amount": {"total": 1, "currency": "RMB"}}, ("amount.currency", "enum")),
]


@pytest.mark.parametrize("form", ["jsapi", "app", "native", "h5"])
@pytest.mark.parametrize("partner", [False, True])
@pytest.mark.parametrize(("changes", "problem"), PAYMENTS)
def test_strict_knows_the_limits_of_a_payment(
    form: str, partner: bool, changes: dict[str, Any], problem: tuple[str, str]
) -> None:
    gateway = Gateway(seed=1)
    path = f"{PARTNER if partner else PAY}/{form}"
    body = gateway.given.payment_body(form, partner=partner, **changes)
    assert refused(gateway, path, body) == {problem}


REFUNDS: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"reason": "字" * 81}, ("reason", "length")),
    ({"out_refund_no": "R" * 65}, ("out_refund_no", "length")),
    ({"out_refund_no": "R/1"}, ("out_refund_no", "pattern")),
    (
        {"amount": {"refund": 0, "total": 1, "currency": "CNY"}},
        ("amount.refund", "range"),
    ),
    (
        {"amount": {"refund": 1, "total": 1, "currency": "RMB"}},
        ("amount.currency", "enum"),
    ),
]


@pytest.mark.parametrize(("changes", "problem"), REFUNDS)
def test_strict_knows_the_limits_of_a_refund(
    changes: dict[str, Any], problem: tuple[str, str]
) -> None:
    body: dict[str, Any] = {
        "out_trade_no": "ORDER-1",
        "out_refund_no": "R@1",
        "amount": {"refund": 1, "total": 1, "currency": "CNY"},
        **changes,
    }
    assert refused(Gateway(seed=1), "v3/refund/domestic/refunds", body) == {problem}


NAME = "字" * 21
ORDERS: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"out_order_no": "O/1"}, ("out_order_no", "pattern")),
    ({"out_order_no": "O" * 33}, ("out_order_no", "length")),
    ({"service_introduction": NAME}, ("service_introduction", "length")),
    ({"risk_fund": {"name": "UDEPOSIT", "amount": 1}}, ("risk_fund.name", "enum")),
    ({"risk_fund": {"name": "DEPOSIT", "amount": 0}}, ("risk_fund.amount", "range")),
    ({"post_payments": [{"name": NAME}]}, ("post_payments[0].name", "length")),
    (
        {"post_payments": [{"name": "a", "count": 101}]},
        ("post_payments[0].count", "range"),
    ),
    ({"post_payments": [{"name": "a"}] * 101}, ("post_payments", "items")),
    ({"attach": "x" * 257}, ("attach", "length")),
    (
        {"time_range": {"start_time": "2030-01-02T03:04:05+08:00"}},
        ("time_range.start_time", "pattern"),
    ),
]


@pytest.mark.parametrize("partner", [False, True])
@pytest.mark.parametrize(("changes", "problem"), ORDERS)
def test_strict_knows_the_limits_of_a_payscore_order(
    partner: bool, changes: dict[str, Any], problem: tuple[str, str]
) -> None:
    gateway = Gateway(seed=1)
    path = f"v3/payscore/{'partner/' if partner else ''}serviceorder"
    body = gateway.given.create_body(partner=partner, **changes)
    assert refused(gateway, path, body) == {problem}


@pytest.mark.parametrize("time", ["OnAccept", "20300102", "20300102030405"])
def test_a_payscore_service_begins_at_a_time_a_day_or_at_confirmation(
    time: str,
) -> None:
    gateway = Gateway(seed=1)
    body = gateway.given.create_body(time_range={"start_time": time})
    assert gateway.client(check="strict")[ORDER].post(body).verified


def test_a_form_is_told_in_words() -> None:
    gateway = Gateway(seed=1)
    body = gateway.given.create_body(time_range={"start_time": "2030-01-02"})
    with pytest.raises(CheckError, match="yyyyMMddHHmmss, a day yyyyMMdd, or OnAccept"):
        gateway.client(check="strict")[ORDER].post(body)
