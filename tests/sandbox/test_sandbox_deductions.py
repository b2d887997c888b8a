"""How a completed PayScore order is collected (payscore 4.1, 4.3, 8, 9)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from payscore_calls import Calls, roles

from wechatpay_chain import APIError
from wechatpay_chain.sandbox import After, Fails, Gateway, Manual


def told(gateway: Gateway) -> list[str]:
    return [notice.event_type for notice in gateway.world.outbox]


def test_nothing_is_collected_by_itself_by_default(gateway: Gateway) -> None:
    assert gateway.deduction == Manual()
    order = Calls(gateway).completed()
    gateway.advance(days=400)
    assert gateway.orders[order].state == "PAYING"
    assert gateway.orders[order].attempts == 0


@roles
def test_immediate_collects_after_the_answer(gateway: Gateway, partner: bool) -> None:
    gateway.deduction = "immediate"
    calls = Calls(gateway, partner)
    order = calls.confirmed()
    reply = calls("complete", order)
    if not partner:
        assert reply["state_description"] == "MCH_COMPLETE"
    assert calls.query(order)["collection"]["paid_amount"] == 100
    assert told(gateway) == ["PAYSCORE.USER_CONFIRM", "PAYSCORE.USER_PAID"]


def test_complete_repeated_is_collected_once() -> None:
    gateway = Gateway(seed=1, deduction="immediate")
    calls = Calls(gateway)
    order = calls.confirmed()
    first, second = calls("complete", order), calls("complete", order)
    assert (first["state"], second["state"]) == ("DOING", "DONE")
    assert len(gateway.orders[order].paid) == 1
    assert told(gateway).count("PAYSCORE.USER_PAID") == 1


@roles
def test_attempt_takes_its_time_and_locks(gateway: Gateway, partner: bool) -> None:
    gateway.deduction = After(seconds=60)
    calls = Calls(gateway, partner)
    order = calls.completed()
    gateway.advance(seconds=59)
    for name in ("cancel", "modify", "sync"):
        assert calls.refused(name, order).message == "单据正在扣款中,请稍后再试"
    gateway.advance(seconds=1)
    assert gateway.orders[order].state == "PAID"
    assert gateway.orders[order].paid[0]["paid_time"] == "20240601150100"


@roles
def test_third_look_shows_it_paid(gateway: Gateway, partner: bool) -> None:
    gateway.deduction = After(looks=3)
    calls = Calls(gateway, partner)
    order = calls.completed()
    states = [calls.query(order)["state"] for _ in range(4)]
    assert states == ["DOING", "DOING", "DONE", "DONE"]


def test_user_who_pays_first_ends_the_attempt(gateway: Gateway) -> None:
    gateway.deduction = After(seconds=60)
    order = Calls(gateway).completed()
    gateway.user.pay(order)
    gateway.advance(minutes=5)
    assert gateway.orders[order].history == [
        "CREATED",
        "CONFIRMED",
        "PAYING",
        "PAID",
    ]
    assert told(gateway).count("PAYSCORE.USER_PAID") == 1


def test_attempt_that_ended_does_not_succeed_later(gateway: Gateway) -> None:
    gateway.deduction = After(seconds=60)
    calls = Calls(gateway)
    order = calls.completed()
    gateway.advance(seconds=30)
    gateway.bank.fail(order)
    calls("pay", order)  # a second attempt, due at 90 s
    gateway.advance(seconds=31)
    assert gateway.orders[order].state == "PAYING"
    gateway.advance(seconds=29)
    assert gateway.orders[order].state == "PAID"


def test_failed_attempt_leaves_the_order_due_and_free(gateway: Gateway) -> None:
    gateway.deduction = Fails("insufficient")
    calls = Calls(gateway)
    order = calls.completed()
    assert gateway.orders[order].failure == "insufficient"
    assert (gateway.orders[order].state, gateway.orders[order].locked) == (
        "PAYING",
        False,
    )
    assert calls.outcome("modify", order) == "ok"
    assert calls.outcome("cancel", order) == "ok"
    assert told(gateway) == ["PAYSCORE.USER_CONFIRM"]
    gateway.advance(days=3)
    assert gateway.orders[order].attempts == 1


def test_wechat_tries_again_each_day_until_it_succeeds(gateway: Gateway) -> None:
    gateway.deduction = Fails()
    order = Calls(gateway).completed()
    gateway.advance(days=40)
    assert gateway.orders[order].attempts == 41
    assert gateway.orders[order].state == "PAYING"
    gateway.deduction = "immediate"
    gateway.advance(days=1)
    assert gateway.orders[order].state == "PAID"


@roles
def test_pay_asks_for_another_attempt(gateway: Gateway, partner: bool) -> None:
    gateway.deduction = Fails()
    calls = Calls(gateway, partner)
    order = calls.completed()
    assert calls.outcome("pay", order) == "ok"
    assert gateway.orders[order].attempts == 2
    gateway.deduction = "immediate"
    assert calls.outcome("pay", order) == "ok"
    assert gateway.orders[order].state == "PAID"


def test_pay_during_an_attempt_begins_no_second_one(gateway: Gateway) -> None:
    gateway.deduction = After(seconds=60)
    calls = Calls(gateway)
    order = calls.completed()
    assert calls.outcome("pay", order) == "ok"
    assert gateway.orders[order].attempts == 1


def test_cancelled_order_is_collected_no_more(gateway: Gateway) -> None:
    gateway.deduction = Fails()
    calls = Calls(gateway)
    order = calls.completed()
    calls("cancel", order)
    gateway.deduction = "immediate"
    gateway.advance(days=30)
    assert gateway.orders[order].state == "REVOKED"
    assert "PAYSCORE.USER_PAID" not in told(gateway)


def test_bank_by_hand(gateway: Gateway) -> None:
    order = Calls(gateway).completed()
    assert gateway.bank.begin(order).locked
    with pytest.raises(ValueError, match="this one is PAYING and locked"):
        gateway.bank.begin(order)
    assert not gateway.bank.fail(order, "card expired").locked
    assert gateway.orders[order].failure == "card expired"
    assert gateway.bank.succeed(order).state == "PAID"
    with pytest.raises(ValueError, match="deduction succeeds cannot follow PAID"):
        gateway.bank.succeed(order)


WRONG: list[Any] = ["later", None, 3, After]


@pytest.mark.parametrize("plan", WRONG, ids=str)
def test_plan_that_is_none_is_told(gateway: Gateway, plan: Any) -> None:
    with pytest.raises(TypeError, match="deduction: "):
        gateway.deduction = plan
    assert gateway.deduction == Manual()


@pytest.mark.parametrize(
    "given",
    [{}, {"seconds": 1, "looks": 1}, {"seconds": -1}, {"looks": 0}],
    ids=str,
)
def test_after_takes_one_sensible_number(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"seconds|looks"):
        After(**given)


# What money leaves behind.


@roles
def test_payment_is_in_the_ledger(gateway: Gateway, partner: bool) -> None:
    calls = Calls(gateway, partner)
    first, second = calls.completed(100), calls.completed(70)
    gateway.user.pay(first)
    gateway.bank.succeed(second)
    found = {}
    for number in (first, second):
        paid = gateway.orders[number].paid[0]["transaction_id"]
        receipt = gateway.ledger.find(gateway.mchid, paid)
        assert receipt is not None
        assert receipt.sub_mchid == (gateway.sub_mchid if partner else None)
        found[number] = receipt
    by_user, by_bank = found[first], found[second]
    assert (by_user.trade_type, by_user.amount) == ("JSAPI", 100)
    assert by_user.out_trade_no == first
    assert (by_bank.trade_type, by_bank.amount) == ("AUTH", 70)
    assert by_bank.out_trade_no != second
    order_id = gateway.orders[second].order_id
    assert by_bank.attach == f"wxzff|{order_id}|{second}"


def test_payment_that_is_refused_leaves_no_trace(gateway: Gateway) -> None:
    order = gateway.given.order(state="REVOKED")
    before = repr(gateway.ledger)
    with pytest.raises(ValueError, match="user pays cannot follow REVOKED"):
        gateway.user.pay(order)
    assert repr(gateway.ledger) == before


# Notifications, by their documented shape.

DOCUMENTED = {
    "appid": "wxd678efh567hg6787",
    "service_introduction": "某某酒店",
    "risk_fund": {
        "name": "ESTIMATE_ORDER_COST",
        "amount": 50000,
        "description": "预估费用",
    },
    "attach": "Easdfowealsdkjfnlaksjdlfkwqoi%26wl3l2sald",
    "post_payments": [{"name": "就餐费用", "description": "按实际消费"}],
}
DISCOUNTS = [
    {"name": "满减", "description": "不与其他优惠叠加", "amount": 100, "count": 1}
]


def plaintext(vectors: Any, name: str) -> dict[str, Any]:
    (found,) = (one for one in vectors["notification"] if one["name"] == name)
    return dict(json.loads(found["plaintext"]))


def resources(gateway: Gateway) -> list[dict[str, Any]]:
    return [dict(notice.resource) for notice in gateway.world.outbox]


def test_notifications_have_the_documented_plaintext(
    gateway: Gateway, vectors: Any
) -> None:
    calls = Calls(gateway)
    order = calls.confirmed(out_order_no="1234323JKHDFE1243252", **DOCUMENTED)
    lines = {
        "post_payments": [{"name": "就餐费用", "amount": 40000, "count": 1}],
        "post_discounts": DISCOUNTS,
        "total_amount": 39900,
    }
    gateway.advance(hours=1)
    calls("complete", order, time_range={"end_time": "20240601160000"}, **lines)
    gateway.bank.succeed(order)
    confirmed, paid = resources(gateway)
    wanted = plaintext(vectors, "payscore_user_confirm")
    ours = {"mchid": gateway.mchid, "order_id": gateway.orders[order].order_id}
    assert confirmed == {**wanted, **ours}
    wanted = plaintext(vectors, "payscore_user_paid_signed_by_certificate")
    wanted["collection"]["details"][0]["transaction_id"] = gateway.orders[order].paid[
        0
    ]["transaction_id"]
    # The document leaves out the end that complete was told.
    wanted["time_range"]["end_time"] = "20240601160000"
    assert paid == {**wanted, **ours}


@roles
def test_notifications_go_to_the_order_and_its_caller(
    gateway: Gateway, partner: bool
) -> None:
    url = "https://merchant.example/of-this-order"
    order = Calls(gateway, partner).completed(notify_url=url)
    gateway.user.pay(order)
    for notice in gateway.world.outbox:
        assert (notice.url, notice.mchid) == (url, gateway.mchid)
        assert notice.original_type == "payscore"
        assert notice.resource.get("sub_mchid") == (
            gateway.sub_mchid if partner else None
        )
        assert "notify_url" not in notice.resource
    assert len(gateway.world.outbox) == 2


def test_what_the_merchant_does_is_not_told(gateway: Gateway) -> None:
    calls = Calls(gateway)
    calls("cancel", calls.create()["out_order_no"])
    order = gateway.given.order(state="PAYING")
    calls("modify", order)
    calls("sync", order)
    gateway.given.order()
    gateway.advance(days=31)
    gateway.deduction = Fails()
    gateway.given.order(state="PAID")
    assert told(gateway) == []


def test_no_confirm_order_is_told_when_it_is_paid_only(gateway: Gateway) -> None:
    gateway.user.authorize("o1")
    service = gateway.no_confirm_service_id
    calls = Calls(gateway)
    number = calls.create(service_id=service, need_user_confirm=False, openid="o1")[
        "out_order_no"
    ]
    calls("complete", number, service_id=service)
    gateway.user.pay(number)
    assert told(gateway) == ["PAYSCORE.USER_PAID"]


def test_both_flows_end_in_done(gateway: Gateway, call: Any) -> None:
    gateway.deduction = After(seconds=5)
    calls = Calls(gateway)
    node = calls.node
    gateway.user.authorize("o1")
    flows = [
        {"out_order_no": "NEED"},
        {
            "out_order_no": "NO-CONFIRM",
            "service_id": gateway.no_confirm_service_id,
            "need_user_confirm": False,
            "openid": "o1",
        },
    ]
    for changes in flows:
        body = gateway.given.create_body(**changes)
        number = call(node.post, body)["out_order_no"]
        if gateway.orders[number].state == "CREATED":
            gateway.user.confirm(number)
        complete = calls.body("complete", service_id=body["service_id"])
        call(node._out_order_no_.complete.post, complete, out_order_no=number)
        gateway.advance(seconds=5)
        query = {
            "out_order_no": number,
            "appid": gateway.appid,
            "service_id": body["service_id"],
        }
        reply = call(node.get, query)
        assert (reply["state"], reply["collection"]["state"]) == ("DONE", "USER_PAID")
    assert told(gateway) == [
        "PAYSCORE.USER_CONFIRM",
        "PAYSCORE.USER_PAID",
        "PAYSCORE.USER_PAID",
    ]


# Refunds of what PayScore collected (payscore 9).


@roles
def test_refund_names_the_transaction_and_never_the_order(
    gateway: Gateway, partner: bool
) -> None:
    calls = Calls(gateway, partner)
    order = calls.completed(100)
    gateway.user.pay(order)
    (detail,) = calls.query(order)["collection"]["details"]
    refunds = gateway.client(check="off").v3.refund.domestic.refunds
    sub = {"sub_mchid": gateway.sub_mchid} if partner else {}
    body = {
        **sub,
        "out_refund_no": "R1",
        "amount": {"refund": 40, "total": 100, "currency": "CNY"},
    }
    with pytest.raises(APIError) as caught:
        refunds.post({**body, "out_trade_no": order})
    assert (caught.value.status_code, caught.value.code) == (
        404,
        "RESOURCE_NOT_EXISTS",
    )
    reply = refunds.post({**body, "transaction_id": detail["transaction_id"]})
    assert reply["amount"]["refund"] == 40
    assert calls.query(order)["state"] == "DONE"


# What is kept survives.


def test_attempts_and_permissions_live_on_in_a_state_file(tmp_path: Path) -> None:
    file = tmp_path / "state"
    with Gateway(seed=1, state=file) as first:
        first.deduction = After(seconds=60)
        first.user.authorize("o1")
        order = Calls(first).completed()
        package = Calls(first).create(out_order_no="N1")["package"]
        before = first.orders[order]
    with Gateway(state=file) as second:
        after = second.orders[order]
        assert after is not before
        assert vars(after) == vars(before)
        assert second.user.open(package).out_order_no == "N1"
        second.advance(seconds=60)
        assert second.orders[order].state == "PAID"
        body = second.given.create_body(
            service_id=second.no_confirm_service_id,
            need_user_confirm=False,
            openid="o1",
        )
        created = second.client().v3.payscore.serviceorder.post(body)
        assert created["state"] == "DOING"


def test_tickets_come_along_to_real_time(gateway: Gateway) -> None:
    package = Calls(gateway).create(out_order_no="N1")["package"]
    gateway.user.authorize("o1")
    with gateway.serve():
        assert gateway.user.open(package).out_order_no == "N1"
        (record, *_) = gateway.payscore.permissions.records
        assert record.opened_at is not None
        assert abs(gateway.clock() - record.opened_at) < 60
        gateway.advance(hours=1)
        with pytest.raises(ValueError, match="expired"):
            gateway.user.open(package)
