"""Refunds: how much, how often, how they go on, and who is told (payscore 10)."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from wechatpay_chain import APIError
from wechatpay_chain.catalogue import find
from wechatpay_chain.catalogue.schema import check_value
from wechatpay_chain.sandbox import (
    Abnormal,
    After,
    Closed,
    Gateway,
    IllegalMove,
    Manual,
    Refused,
)

DAY = 24 * 3600
roles = pytest.mark.parametrize("partner", [False, True], ids=["direct", "partner"])


def refunds(client: Any) -> Any:
    return client.v3.refund.domestic.refunds


def part(refund: Any, total: Any = 100) -> dict[str, Any]:
    return {"refund": refund, "total": total, "currency": "CNY"}


def refused(call: Any, verb: Any, *args: Any, **kwargs: Any) -> tuple[int, str, str]:
    with pytest.raises(APIError) as caught:
        call(verb, *args, **kwargs)
    error = caught.value
    return error.status_code, error.code or "", error.detail["sandbox"]["id"]


@pytest.fixture
def paid(gateway: Gateway) -> str:
    """The ``out_trade_no`` of a payment of 100 fen."""
    return gateway.given.payment("SUCCESS")


@roles
def test_a_refund_is_shown_as_documented(
    gateway: Gateway, call: Any, partner: bool
) -> None:
    number = gateway.given.payment("SUCCESS", partner=partner)
    node = refunds(gateway.client(check="strict"))
    body = gateway.given.refund_body(number, out_refund_no="R@1", amount=part(40))
    reply = call(node.post, body)
    assert (reply.status_code, reply.verified) == (200, True)
    assert reply.data == {
        "refund_id": gateway.refunds["R@1"].refund_id,
        "out_refund_no": "R@1",
        "transaction_id": gateway.payments[number].transaction_id,
        "out_trade_no": number,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": "2024-06-01T15:00:00+08:00",
        "status": "PROCESSING",
        "funds_account": "UNSETTLED",
        "amount": {
            "total": 100,
            "refund": 40,
            "from": [],
            "payer_total": 100,
            "payer_refund": 40,
            "settlement_refund": 40,
            "settlement_total": 100,
            "discount_refund": 0,
            "currency": "CNY",
        },
        "promotion_detail": [],
    }
    assert re.fullmatch(r"50\d{27}", reply["refund_id"])
    assert gateway.payments[number].state == "REFUND"
    gateway.advance(60)
    own = {"sub_mchid": gateway.sub_mchid} if partner else {}
    shown = call(node._out_refund_no_.get, own, out_refund_no="R@1")
    assert shown.data == {
        **reply.data,
        "status": "SUCCESS",
        "success_time": "2024-06-01T15:01:00+08:00",
    }
    operation = find("GET", "v3/refund/domestic/refunds/{out_refund_no}")
    assert operation is not None
    assert operation.answer is not None
    assert list(check_value(operation.answer, shown.data, "")) == []


@roles
@pytest.mark.parametrize("outcome", ["SUCCESS", "ABNORMAL", "CLOSED"])
def test_the_end_of_a_refund_is_told_without_currency(
    gateway: Gateway, partner: bool, outcome: str
) -> None:
    number = gateway.given.payment("SUCCESS", partner=partner)
    refund = gateway.given.refund(
        "PROCESSING", payment=number, out_refund_no="R1", amount=part(40)
    )
    gateway.bank.settle_refund(refund, outcome)
    [notice] = gateway.outbox
    assert notice.event_type == f"REFUND.{outcome}"
    assert (notice.original_type, notice.mchid) == ("refund", gateway.mchid)
    parties = {"mchid": gateway.mchid}
    if partner:
        parties = {"sp_mchid": gateway.mchid, "sub_mchid": gateway.sub_mchid}
    arrived = {"success_time": "2024-06-01T15:00:00+08:00"}
    assert notice.resource == {
        **parties,
        "out_trade_no": number,
        "transaction_id": gateway.payments[number].transaction_id,
        "out_refund_no": "R1",
        "refund_id": gateway.refunds["R1"].refund_id,
        "refund_status": outcome,
        **(arrived if outcome == "SUCCESS" else {}),
        "user_received_account": "支付用户零钱",
        "amount": {"total": 100, "refund": 40, "payer_total": 100, "payer_refund": 40},
    }


@pytest.mark.parametrize(
    ("asked", "console", "told"),
    [
        ("https://m.example/refund", None, ["https://m.example/refund"]),
        (
            "https://m.example/refund",
            "https://m.example/all",
            ["https://m.example/refund"],
        ),
        (None, "https://m.example/all", ["https://m.example/all"]),
        (None, None, []),
    ],
)
def test_told_is_who_the_call_names_else_who_the_console_names(
    gateway: Gateway,
    call: Any,
    paid: str,
    asked: str | None,
    console: str | None,
    told: list[str],
) -> None:
    gateway.refunds.notify_url = console
    body = gateway.given.refund_body(paid)
    del body["notify_url"]
    if asked is not None:
        body["notify_url"] = asked
    call(refunds(gateway.client()).post, body)
    gateway.advance(60)
    assert [notice.url for notice in gateway.outbox] == told


# Which payment.


def test_a_payment_is_named_by_either_number(
    gateway: Gateway, call: Any, paid: str
) -> None:
    body = gateway.given.refund_body(paid, amount=part(1))
    del body["transaction_id"]
    body["out_trade_no"] = paid
    reply = call(refunds(gateway.client()).post, body)
    assert reply["transaction_id"] == gateway.payments[paid].transaction_id


def test_two_numbers_must_mean_one_payment(
    gateway: Gateway, call: Any, paid: str
) -> None:
    other = gateway.given.payment("SUCCESS")
    node = refunds(gateway.client())
    body = gateway.given.refund_body(paid, out_trade_no=other)
    got = refused(call, node.post, body)
    assert got == (404, "RESOURCE_NOT_EXISTS", "payment_unknown")
    assert call(node.post, {**body, "out_trade_no": paid}).status_code == 200


@pytest.mark.parametrize("state", ["NOTPAY", "CLOSED", "unknown"])
def test_what_was_not_paid_cannot_be_refunded(
    gateway: Gateway, call: Any, paid: str, state: str
) -> None:
    number = "ORDER-9" if state == "unknown" else gateway.given.payment(state)
    body = gateway.given.refund_body(paid, out_trade_no=number)
    del body["transaction_id"]
    got = refused(call, refunds(gateway.client()).post, body)
    assert got[:2] == (404, "RESOURCE_NOT_EXISTS")
    assert len(gateway.refunds) == 0


@roles
def test_the_other_role_and_another_merchant_see_neither_payment_nor_refund(
    gateway: Gateway, call: Any, partner: bool
) -> None:
    number = gateway.given.payment("SUCCESS", partner=partner)
    body = gateway.given.refund_body(number)
    gateway.given.refund("ABNORMAL", payment=number, out_refund_no="R1")
    refund_id = gateway.refunds["R1"].refund_id
    wrong = {} if partner else {"sub_mchid": gateway.sub_mchid}
    body.pop("sub_mchid", None)
    stranger = gateway.client(**gateway.enrol("1900000002"))
    seen = {"sub_mchid": gateway.sub_mchid} if partner else {}
    for client, own in ((gateway.client(), wrong), (stranger, {})):
        if client is stranger and seen:
            continue  # who has no such sub-merchant is refused before that
        node = refunds(client)
        way = node._refund_id_["apply-abnormal-refund"]
        again = {"out_refund_no": "R1", "type": "MERCHANT_BANK_CARD", **own}
        for got in (
            refused(call, node.post, {**body, **own, "out_refund_no": "R2"}),
            refused(call, node._out_refund_no_.get, own, out_refund_no="R1"),
            refused(call, way.post, again, refund_id=refund_id),
        ):
            assert got[:2] == (404, "RESOURCE_NOT_EXISTS")


def test_a_sub_merchant_must_be_known(gateway: Gateway, call: Any, paid: str) -> None:
    body = gateway.given.refund_body(paid, sub_mchid="1900000110")
    got = refused(call, refunds(gateway.client()).post, body)
    assert got == (403, "NO_AUTH", "sub_mchid_unknown")


def test_money_of_payscore_is_refunded_by_its_transaction(
    gateway: Gateway, call: Any
) -> None:
    order = gateway.given.order(state="PAYING", total_amount=300)
    gateway.user.pay(order)
    [paid] = gateway.orders[order].paid
    node = refunds(gateway.client())
    body: dict[str, Any] = {"out_refund_no": "R1", "amount": part(100, 300)}
    got = refused(call, node.post, {**body, "out_trade_no": order})
    assert got == (404, "RESOURCE_NOT_EXISTS", "payment_unknown")
    reply = call(node.post, {**body, "transaction_id": paid["transaction_id"]})
    assert reply["status"] == "PROCESSING"
    assert gateway.orders[order].state == "PAID"


# How much and how often.

BROKEN = [
    ({"amount": part(101)}, "/amount/refund"),
    ({"amount": part(0)}, "/amount/refund"),
    ({"amount": part(0.5)}, "/amount/refund"),
    ({"amount": {"refund": 1, "total": 100, "currency": "USD"}}, "/amount/currency"),
    ({"out_refund_no": "R" * 65}, "/out_refund_no"),
    ({"out_refund_no": "R 1"}, "/out_refund_no"),
    ({"reason": "字" * 81}, "/reason"),
    ({"notify_url": "https://m.example/#top"}, "/notify_url"),
    (
        {"amount": {**part(2), "from": [{"account": "AVAILABLE", "amount": 1}]}},
        "/amount/from",
    ),
]


@pytest.mark.parametrize(("changes", "place"), BROKEN)
def test_a_call_that_breaks_a_rule_names_the_field(
    gateway: Gateway, call: Any, paid: str, changes: dict[str, Any], place: str
) -> None:
    body = gateway.given.refund_body(paid, **changes)
    with pytest.raises(APIError) as caught:
        call(refunds(gateway.client(check="off")).post, body)
    assert caught.value.code == "PARAM_ERROR"
    problems = caught.value.detail["sandbox"]["problems"]
    assert {one["field"] for one in problems} == {place}
    assert gateway.payments[paid].state == "SUCCESS"


def test_one_of_both_numbers_is_required(
    gateway: Gateway, call: Any, paid: str
) -> None:
    body = gateway.given.refund_body(paid)
    del body["transaction_id"]
    with pytest.raises(APIError) as caught:
        call(refunds(gateway.client()).post, body)
    problems = caught.value.detail["sandbox"]["problems"]
    assert [one["field"] for one in problems] == ["/transaction_id"]


LIMITS = [
    ({"out_refund_no": "R" * 64}),
    ({"out_refund_no": "_-|*@"}),
    ({"reason": "字" * 80}),
    ({"amount": {**part(2), "from": [{"account": "AVAILABLE", "amount": 2}]}}),
]


@pytest.mark.parametrize("changes", LIMITS)
def test_limits_are_inclusive(
    gateway: Gateway, call: Any, paid: str, changes: dict[str, Any]
) -> None:
    body = gateway.given.refund_body(paid, **changes)
    assert call(refunds(gateway.client()).post, body).status_code == 200


def test_the_total_must_be_that_of_the_payment(
    gateway: Gateway, call: Any, paid: str
) -> None:
    node = refunds(gateway.client())
    for total in (99, 101):
        body = gateway.given.refund_body(paid, amount=part(1, total))
        got = refused(call, node.post, body)
        assert got == (400, "INVALID_REQUEST", "total_differs")


def test_refunds_add_up_to_the_payment_at_most(
    gateway: Gateway, call: Any, paid: str
) -> None:
    node = refunds(gateway.client())

    def body(refund: int) -> dict[str, Any]:
        return gateway.given.refund_body(paid, amount=part(refund))

    call(node.post, body(60))
    gateway.advance(60)
    got = refused(call, node.post, body(41))
    assert got == (400, "INVALID_REQUEST", "refund_above_total")
    call(node.post, body(40))
    gateway.advance(60)
    got = refused(call, node.post, body(1))
    assert got == (400, "INVALID_REQUEST", "refund_above_total")


@pytest.mark.parametrize(
    ("state", "left"),
    [("PROCESSING", 0), ("SUCCESS", 0), ("ABNORMAL", 0), ("CLOSED", 100)],
)
def test_a_closed_refund_gives_its_amount_back(
    gateway: Gateway, call: Any, paid: str, state: str, left: int
) -> None:
    gateway.given.refund(state, payment=paid)
    gateway.advance(60)
    node, body = refunds(gateway.client()), gateway.given.refund_body(paid)
    if left:
        assert call(node.post, body)["status"] == "PROCESSING"
    else:
        assert refused(call, node.post, body)[2] == "refund_above_total"


def test_a_minute_lies_between_two_refunds(
    gateway: Gateway, call: Any, paid: str
) -> None:
    node = refunds(gateway.client())
    gateway.given.refund(payment=paid, amount=part(1))
    gateway.advance(59)
    body = gateway.given.refund_body(paid, amount=part(1))
    got = refused(call, node.post, body)
    assert got == (400, "INVALID_REQUEST", "refund_too_soon")
    with pytest.raises(APIError) as caught:
        call(node.post, body)
    assert "gateway.advance(60)" in caught.value.detail["issue"]
    gateway.advance(1)
    call(node.post, body)


def test_a_payment_has_fifty_refunds_at_most(
    gateway: Gateway, call: Any, paid: str
) -> None:
    for _ in range(50):
        gateway.given.refund(payment=paid, amount=part(1))
        gateway.advance(60)
    body = gateway.given.refund_body(paid, amount=part(1))
    got = refused(call, refunds(gateway.client()).post, body)
    assert got == (400, "INVALID_REQUEST", "refunds_too_many")


def test_a_payment_is_refunded_within_365_days(
    gateway: Gateway, call: Any, paid: str
) -> None:
    node = refunds(gateway.client())
    gateway.advance(days=365)
    call(node.post, gateway.given.refund_body(paid, amount=part(1)))
    gateway.advance(1)
    late = gateway.given.refund_body(paid, amount=part(1))
    got = refused(call, node.post, late)
    assert got == (400, "INVALID_REQUEST", "refund_too_late")


# Again.


@pytest.mark.parametrize("state", ["PROCESSING", "SUCCESS", "ABNORMAL", "CLOSED"])
def test_the_same_call_again_answers_the_same_refund(
    gateway: Gateway, call: Any, paid: str, state: str
) -> None:
    body = gateway.given.refund_body(paid, out_refund_no="R1")
    gateway.given.refund(state, payment=paid, out_refund_no="R1")
    node = refunds(gateway.client())
    one, two = call(node.post, body), call(node.post, dict(reversed(body.items())))
    assert one.data == two.data
    assert one["status"] == state
    assert len(gateway.refunds) == 1


@pytest.mark.parametrize(
    "changes",
    [{"amount": part(99)}, {"reason": "x"}, {"notify_url": "https://m.example/x"}],
    ids=lambda one: next(iter(one)),
)
def test_another_call_under_the_same_number_is_refused(
    gateway: Gateway, call: Any, paid: str, changes: dict[str, Any]
) -> None:
    gateway.given.refund(payment=paid, out_refund_no="R1")
    body = gateway.given.refund_body(paid, out_refund_no="R1", **changes)
    got = refused(call, refunds(gateway.client()).post, body)
    assert got == (400, "INVALID_REQUEST", "repeated_differently")


# How they go on.


@pytest.mark.parametrize(
    ("plan", "before", "after"),
    [
        ("immediate", "SUCCESS", "SUCCESS"),
        (After(seconds=10), "PROCESSING", "SUCCESS"),
        (Abnormal(seconds=10), "PROCESSING", "ABNORMAL"),
        (Closed(seconds=10), "PROCESSING", "CLOSED"),
        (Manual(), "PROCESSING", "PROCESSING"),
    ],
    ids=str,
)
def test_refunding_is_configuration(
    gateway: Gateway, call: Any, paid: str, plan: Any, before: str, after: str
) -> None:
    gateway.refunding = plan
    call(
        refunds(gateway.client()).post,
        gateway.given.refund_body(paid, out_refund_no="R1"),
    )
    assert gateway.refunds["R1"].state == before
    gateway.advance(9)
    assert gateway.refunds["R1"].state == before
    gateway.advance(1)
    assert gateway.refunds["R1"].state == after
    told = {} if after == "PROCESSING" else {f"REFUND.{after}"}
    assert {notice.event_type for notice in gateway.outbox} == set(told)


def test_after_so_many_looks_the_money_is_there(
    gateway: Gateway, call: Any, paid: str
) -> None:
    gateway.refunding = After(looks=3)
    node = refunds(gateway.client())
    call(node.post, gateway.given.refund_body(paid, out_refund_no="R1"))
    seen = [
        call(node._out_refund_no_.get, out_refund_no="R1")["status"] for _ in range(4)
    ]
    assert seen == ["PROCESSING", "PROCESSING", "SUCCESS", "SUCCESS"]


@pytest.mark.parametrize(
    "code", ["NOT_ENOUGH", "USER_ACCOUNT_ABNORMAL", "REQUEST_BLOCKED", "RULE_LIMIT"]
)
def test_refunds_can_be_refused_and_asked_for_later(
    gateway: Gateway, call: Any, paid: str, code: str
) -> None:
    gateway.refunding = Refused(code)
    node, body = refunds(gateway.client()), gateway.given.refund_body(paid)
    assert refused(call, node.post, body) == (403, code, "refunds_refused")
    assert gateway.payments[paid].state == "SUCCESS"
    gateway.refunding = "immediate"
    assert call(node.post, body)["status"] == "SUCCESS"


@pytest.mark.parametrize("plan", ["later", None, 3])
def test_what_is_no_plan_is_a_type_error(gateway: Gateway, plan: Any) -> None:
    with pytest.raises(TypeError, match="immediate"):
        gateway.refunding = plan


def test_a_code_that_no_refund_has_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="NOT_ENOUGH"):
        Refused("ORDER_PAID")


def test_the_bank_knows_three_ends_and_each_comes_once(
    gateway: Gateway, paid: str
) -> None:
    refund = gateway.given.refund("PROCESSING", payment=paid)
    with pytest.raises(ValueError, match="ABNORMAL"):
        gateway.bank.settle_refund(refund, "LOST")
    gateway.bank.settle_refund(refund)
    with pytest.raises(IllegalMove, match="SUCCESS"):
        gateway.bank.settle_refund(refund)


def test_a_refund_that_was_settled_by_hand_is_not_settled_again(
    gateway: Gateway, call: Any, paid: str
) -> None:
    call(
        refunds(gateway.client()).post,
        gateway.given.refund_body(paid, out_refund_no="R1"),
    )
    gateway.bank.settle_refund("R1", "ABNORMAL")
    gateway.advance(60)
    assert gateway.refunds["R1"].history == ["PROCESSING", "ABNORMAL"]


# A second way.

TO_USER = {
    "type": "USER_BANK_CARD",
    "bank_type": "ICBC_DEBIT",
    "bank_account": "6222020000000000000",
    "real_name": "张三",
}
TO_MERCHANT = {"type": "MERCHANT_BANK_CARD"}


@roles
@pytest.mark.parametrize("way", [TO_USER, TO_MERCHANT], ids=lambda one: one["type"])
def test_an_abnormal_refund_is_sent_another_way(
    gateway: Gateway, call: Any, partner: bool, way: dict[str, str]
) -> None:
    number = gateway.given.payment("SUCCESS", partner=partner)
    gateway.given.refund("ABNORMAL", payment=number, out_refund_no="R1")
    refund_id = gateway.refunds["R1"].refund_id
    own = {"sub_mchid": gateway.sub_mchid} if partner else {}
    client = gateway.client()
    body = {"out_refund_no": "R1", **way, **own}
    node = refunds(client)._refund_id_["apply-abnormal-refund"]
    reply = call(node.post, body, refund_id=refund_id)
    assert (reply["status"], reply["channel"]) == ("PROCESSING", "OTHER_BANKCARD")
    gateway.advance(60)
    assert gateway.refunds["R1"].history == [
        "PROCESSING",
        "ABNORMAL",
        "PROCESSING",
        "SUCCESS",
    ]
    [notice] = gateway.outbox
    assert notice.event_type == "REFUND.SUCCESS"


@pytest.mark.parametrize("missing", ["bank_type", "bank_account", "real_name"])
def test_a_card_of_the_user_must_be_named(
    gateway: Gateway, call: Any, paid: str, missing: str
) -> None:
    gateway.given.refund("ABNORMAL", payment=paid, out_refund_no="R1")
    body = {"out_refund_no": "R1", **TO_USER}
    del body[missing]
    node = refunds(gateway.client())._refund_id_["apply-abnormal-refund"]
    with pytest.raises(APIError) as caught:
        call(node.post, body, refund_id=gateway.refunds["R1"].refund_id)
    problems = caught.value.detail["sandbox"]["problems"]
    assert [one["field"] for one in problems] == [f"/{missing}"]


def test_a_second_way_names_the_refund_twice_alike(
    gateway: Gateway, call: Any, paid: str
) -> None:
    gateway.given.refund("ABNORMAL", payment=paid, out_refund_no="R1")
    node = refunds(gateway.client())._refund_id_["apply-abnormal-refund"]
    body = {"out_refund_no": "R2", **TO_MERCHANT}
    got = refused(call, node.post, body, refund_id=gateway.refunds["R1"].refund_id)
    assert got == (400, "INVALID_REQUEST", "out_refund_no_differs")
    got = refused(call, node.post, {**body, "out_refund_no": "R1"}, refund_id="50")
    assert got == (404, "RESOURCE_NOT_EXISTS", "refund_unknown")


# The ledger.


def test_the_ledger_lists_both_directions_by_day(gateway: Gateway) -> None:
    first = gateway.given.payment("SUCCESS", attach="a")
    gateway.advance(days=1)
    second = gateway.given.payment("SUCCESS")
    gateway.given.refund("PROCESSING", payment=first, out_refund_no="R1")
    mchid, day = gateway.mchid, date(2024, 6, 1)
    [receipt] = gateway.ledger.receipts_on(day, mchid)
    assert (receipt.out_trade_no, receipt.attach) == (first, "a")
    assert list(gateway.ledger.returns_on(day, mchid)) == []
    next_day = date(2024, 6, 2)
    [receipt] = gateway.ledger.receipts_on(next_day, mchid)
    assert receipt.out_trade_no == second
    [back] = gateway.ledger.returns_on(next_day, mchid)
    assert (back.out_refund_no, back.status) == ("R1", "PROCESSING")
    assert list(gateway.ledger.receipts_on(next_day, "1900000002")) == []
    gateway.bank.settle_refund("R1")
    [back] = gateway.ledger.returns_on(next_day, mchid)
    assert (back.status, back.arrived_at) == ("SUCCESS", gateway.clock())


def test_a_day_ends_at_midnight_in_beijing(gateway: Gateway) -> None:
    gateway.advance(hours=9, seconds=-1)  # 23:59:59
    before = gateway.given.payment("SUCCESS")
    gateway.advance(1)
    after = gateway.given.payment("SUCCESS")
    for day, number in ((1, before), (2, after)):
        listed = gateway.ledger.receipts_on(date(2024, 6, day), gateway.mchid)
        assert [one.out_trade_no for one in listed] == [number]


def test_everything_comes_along_when_the_clock_begins_to_run(gateway: Gateway) -> None:
    number = gateway.given.payment("SUCCESS")
    waiting = gateway.given.payment()
    gateway.given.refund("PROCESSING", payment=number, out_refund_no="R1")
    gateway.bank.settle_refund("R1")
    clock = gateway.clock
    ages = clock() - (gateway.payments[number].paid_at or 0)
    with gateway.serve():
        assert clock() - (gateway.payments[number].paid_at or 0) < ages + 60
        assert gateway.user.pay(waiting).state == "SUCCESS"
        entry = gateway.refunds["R1"]
        assert clock() - (entry.arrived_at or 0) < 60
        receipt = gateway.ledger.find_number(gateway.mchid, number)
        assert receipt is not None
        assert receipt.at == gateway.payments[number].paid_at
