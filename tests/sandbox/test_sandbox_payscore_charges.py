"""What a PayScore service costs (payscore 2.1, 2.2, 3.1, 3.2, 5), in both roles."""

from __future__ import annotations

from typing import Any

import pytest
from payscore_calls import NOW, Calls, bill, line, roles

from wechatpay_chain import APIError
from wechatpay_chain.sandbox import Gateway, Service

SUM = [
    ([1, 2], [], 3, True),
    ([1, 2], [1], 2, True),
    ([5], [5], 0, True),
    ([100], [], 99, False),
    ([100], [], 101, False),
    ([100], [1], 100, False),
    ([1], [2], 0, False),
]


@roles
@pytest.mark.parametrize("name", ["complete", "modify", "send-prepaidmessage"])
@pytest.mark.parametrize(("charged", "taken_off", "total", "right"), SUM)
def test_total_is_charges_less_discounts(
    gateway: Gateway,
    partner: bool,
    name: str,
    charged: list[int],
    taken_off: list[int],
    total: int,
    right: bool,
) -> None:
    state = "PAYING" if name == "modify" else "CONFIRMED"
    order = gateway.given.order(state=state, partner=partner, total_amount=9000)
    lines: dict[str, Any] = {
        "post_payments": [
            {"name": f"项目{at}", "amount": one} for at, one in enumerate(charged)
        ],
        "post_discounts": [
            {"name": f"优惠{at}", "description": "满减", "amount": one}
            for at, one in enumerate(taken_off)
        ],
        "total_amount": total,
    }
    calls = Calls(gateway, partner)
    if right:
        assert calls.outcome(name, order, **lines) == "ok"
        return
    error = calls.refused(name, order, **lines)
    assert (error.status_code, error.code) == (400, "PARAM_ERROR")
    assert error.detail["field"] == "/total_amount"
    assert "最终总金额计算非法" in error.message


def test_count_is_never_multiplied(gateway: Gateway) -> None:
    order = gateway.given.order(state="CONFIRMED")
    payments = [
        {"name": "a", "amount": 50, "count": 2},
        {"name": "b", "description": "x"},
    ]
    calls = Calls(gateway)
    assert calls.outcome("complete", order, post_payments=payments) == "PARAM_ERROR"
    lines = {"post_payments": payments, "total_amount": 50}
    assert calls.outcome("complete", order, **lines) == "ok"


def test_complete_answers_the_order_without_its_money_and_addresses(
    gateway: Gateway, call: Any
) -> None:
    calls = Calls(gateway)
    number = calls.confirmed(attach="a", location={"start_location": "北京"})
    order = gateway.orders[number]
    body = calls.body(
        "complete", location={"end_location": "上海"}, profit_sharing=True
    )
    verb = calls.node._out_order_no_.complete
    reply = call(verb.post, body, out_order_no=number)
    assert reply.data == {
        "appid": "wxd678efh567hg6787",
        "mchid": "1900000001",
        "out_order_no": number,
        "order_id": order.order_id,
        "service_id": "2002000000000558128851361561536",
        "service_introduction": "共享充电宝",
        "state": "DOING",
        "state_description": "MCH_COMPLETE",
        "risk_fund": {"name": "DEPOSIT", "amount": 10000},
        "time_range": {"start_time": NOW, "end_time": NOW},
        "location": {"start_location": "北京", "end_location": "上海"},
        "post_payments": line(100),
        "total_amount": 100,
        "need_collection": True,
    }


def test_lists_of_complete_replace_those_of_create(gateway: Gateway) -> None:
    calls = Calls(gateway)
    number = calls.confirmed(
        post_payments=[{"name": "预计", "description": "按时"}],
        post_discounts=[{"name": "券", "description": "新人"}],
    )
    calls("complete", number)
    shown = calls.query(number)
    assert shown["post_payments"] == line(100)
    assert "post_discounts" not in shown
    calls("modify", number)
    assert calls.query(number)["post_payments"] == line(50)


@roles
@pytest.mark.parametrize(
    ("name", "right", "wrong", "code"),
    [
        ("complete", "CONFIRMED", "CREATED", "INVALID_ORDER_STATE"),
        ("complete", "CONFIRMED", "REVOKED", "ORDER_CANCELED"),
        ("modify", "PAYING", "CONFIRMED", "INVALID_ORDER_STATE"),
        ("modify", "PAYING", "PAID", "ORDER_DONE"),
        ("send-prepaidmessage", "CONFIRMED", "CREATED", "INVALID_ORDER_STATE"),
    ],
)
def test_amounts_are_looked_at_after_the_state(
    gateway: Gateway, partner: bool, name: str, right: str, wrong: str, code: str
) -> None:
    calls = Calls(gateway, partner)
    off = {"post_payments": line(5), "total_amount": 4}
    for state, expected in ((right, "PARAM_ERROR"), (wrong, code)):
        order = gateway.given.order(state=state, partner=partner)
        assert calls.refused(name, order, **off).code == expected
    assert calls.outcome(name, "NONE", **off) == "ORDER_NOT_EXIST"


@roles
def test_a_deduction_is_told_before_an_amount(gateway: Gateway, partner: bool) -> None:
    calls = Calls(gateway, partner)
    order = gateway.given.order(state="PAYING", partner=partner, deducting=True)
    error = calls.refused("modify", order, post_payments=line(5), total_amount=4)
    assert error.detail["sandbox"]["id"] == "deducting"


def test_times_and_total_are_told_together(gateway: Gateway) -> None:
    calls = Calls(gateway)
    wrong = {"total_amount": 99, "time_range": {"end_time": "20240602150000"}}
    error = calls.refused("complete", calls.confirmed(), **wrong)
    assert [one["field"] for one in error.detail["sandbox"]["problems"]] == [
        "/time_range/end_time",
        "/total_amount",
    ]


@roles
def test_modify_lowers_what_is_due(gateway: Gateway, partner: bool) -> None:
    calls = Calls(gateway, partner)
    order = calls.completed(100)
    for total in (99, 50, 1):
        reply = calls("modify", order, **bill(total))
        due = calls.query(order)["collection"]
        assert due == {
            "state": "USER_PAYING",
            "total_amount": total,
            "paying_amount": total,
            "paid_amount": 0,
            "details": [],
        }
        if not partner:
            assert reply["collection"] == due
            assert reply["total_amount"] == total


@roles
@pytest.mark.parametrize("total", [100, 101])
def test_modify_to_as_much_or_more_is_refused(
    gateway: Gateway, partner: bool, total: int
) -> None:
    calls = Calls(gateway, partner)
    error = calls.refused("modify", calls.completed(100), **bill(total))
    assert (error.status_code, error.code) == (400, "INVALID_REQUEST")
    assert error.detail["sandbox"]["id"] == "not_lower"


@roles
def test_modify_repeated_changes_nothing(gateway: Gateway, partner: bool) -> None:
    calls = Calls(gateway, partner)
    order = calls.completed(100)
    calls("modify", order)
    steps = len(gateway.orders[order].steps)
    assert calls.outcome("modify", order) == "ok"
    assert len(gateway.orders[order].steps) == steps
    device = {"start_device_id": "HG123456"}
    assert calls.outcome("modify", order, device=device) == "ok"
    assert calls.outcome("modify", order, reason="别的") == "INVALID_REQUEST"
    discounts = [{"name": "券", "description": "新人", "amount": 0}]
    assert calls.outcome("modify", order, post_discounts=discounts) != "ok"


@roles
def test_modify_to_zero_repeated_is_fine_and_another_is_refused(
    gateway: Gateway, partner: bool
) -> None:
    calls = Calls(gateway, partner)
    order = calls.completed(100)
    assert calls.outcome("modify", order, **bill(0)) == "ok"
    assert calls.outcome("modify", order, **bill(0)) == "ok"
    error = calls.refused("modify", order, **bill(0), reason="别的")
    assert (error.status_code, error.code) == (400, "ORDER_DONE")


@roles
@pytest.mark.parametrize("name", ["complete", "modify"])
def test_total_of_zero_ends_the_order_without_a_word(
    gateway: Gateway, partner: bool, name: str
) -> None:
    gateway.deduction = "immediate"
    calls = Calls(gateway, partner)
    state = "CONFIRMED" if name == "complete" else "PAYING"
    order = gateway.given.order(state=state, partner=partner)
    calls(name, order, **bill(0))
    shown = calls.query(order)
    assert (shown["state"], shown["need_collection"]) == ("DONE", False)
    assert "collection" not in shown
    assert len(gateway.world.outbox) == 0


def test_order_with_a_deposit_cannot_be_modified(gateway: Gateway) -> None:
    calls = Calls(gateway)
    number = calls.create()["out_order_no"]
    gateway.user.confirm(number, deposit=True)
    calls("complete", number)
    error = calls.refused("modify", number)
    assert (error.code, error.detail["sandbox"]["id"]) == (
        "INVALID_REQUEST",
        "deposit_paid",
    )


def test_deposit_is_for_exempt_first_orders() -> None:
    gateway = Gateway(seed=1)
    fund = {"name": "ESTIMATE_ORDER_COST", "amount": 100}
    order = gateway.given.order(risk_fund=fund)
    with pytest.raises(ValueError, match="exempt-first"):
        gateway.user.confirm(order, deposit=True)
    assert gateway.orders[order].state == "CREATED"


CEILINGS = [
    ("DEPOSIT", 10_000, True),
    ("DEPOSIT", 10_001, False),
    ("ADVANCE", 10_001, False),
    ("CASH_DEPOSIT", 10_001, False),
    ("ESTIMATE_ORDER_COST", 10_001, True),
    ("ESTIMATE_ORDER_COST", 1_000_000, True),
    ("ESTIMATE_ORDER_COST", 1_000_001, False),
]


@roles
@pytest.mark.parametrize(("fund", "total", "accepted"), CEILINGS)
def test_ceiling_of_a_total_depends_on_the_mode(
    gateway: Gateway, partner: bool, fund: str, total: int, accepted: bool
) -> None:
    order = gateway.given.order(
        state="CONFIRMED", partner=partner, risk_fund={"name": fund, "amount": 10_000}
    )
    calls = Calls(gateway, partner)
    if accepted:
        assert calls.outcome("complete", order, **bill(total)) == "ok"
        return
    error = calls.refused("complete", order, **bill(total))
    assert (error.code, error.detail["sandbox"]["id"]) == (
        "INVALID_REQUEST",
        "above_ceiling",
    )
    assert (error.request_id or "").endswith("-271316656")


def test_no_confirm_order_may_cost_more_than_its_risk_fund(gateway: Gateway) -> None:
    gateway.user.authorize("o1")
    service = gateway.no_confirm_service_id
    order = gateway.given.order(
        "CONFIRMED", service_id=service, need_user_confirm=False, openid="o1"
    )
    calls = Calls(gateway)
    assert calls.outcome("complete", order, service_id=service, **bill(10_001)) == "ok"


def test_modify_stays_below_the_ceiling_too() -> None:
    gateway = Gateway(seed=1)
    order = gateway.given.order(state="PAYING", total_amount=20_000)
    error = Calls(gateway).refused("modify", order, **bill(15_000))
    assert error.detail["sandbox"]["id"] == "above_ceiling"


# Times: what was created, what complete says, and what is wrong with it.

END_MISSING = "创建订单未填写服务结束时间,则结束时间必填"
END_EARLY = "真实结束时间小于预计开始时间"
END_AHEAD = "实际结束时间不能晚于使用完结接口的时间"
FORM = "expected, as at create"
#: The order is made and confirmed at 15:00:00; complete is called at 17:00:00.
TIMES: list[tuple[dict[str, str], dict[str, str] | None, str | None]] = [
    ({"start_time": "OnAccept"}, {"end_time": "20240601170000"}, None),
    ({"start_time": "OnAccept"}, {"end_time": "20240601150000"}, None),
    ({"start_time": "OnAccept"}, {"end_time": "20240601170100"}, None),
    ({"start_time": "OnAccept"}, {"end_time": "20240601170101"}, END_AHEAD),
    ({"start_time": "OnAccept"}, {"end_time": "20240601145800"}, END_EARLY),
    ({"start_time": "OnAccept"}, {"end_time": "20240601"}, FORM),
    ({"start_time": "OnAccept"}, None, END_MISSING),
    ({"start_time": "OnAccept"}, {}, END_MISSING),
    ({"start_time": "OnAccept"}, {"start_time": "20240601150000"}, END_MISSING),
    ({"start_time": "20240601", "end_time": "20240601"}, None, None),
    ({"start_time": "20240601", "end_time": "20240603"}, None, None),
    ({"start_time": "20240601"}, {"end_time": "20240601"}, None),
    ({"start_time": "20240601"}, {"end_time": "20240602"}, END_AHEAD),
    ({"start_time": "20240601"}, {"end_time": "20240531"}, END_EARLY),
    ({"start_time": "20240601"}, {"end_time": "20240601170000"}, FORM),
    (
        {"start_time": "20240601"},
        {"start_time": "20240601160000", "end_time": "20240601"},
        FORM,
    ),
    (
        {"start_time": "20240601", "end_time": "20240601160200"},
        {"end_time": "20240601"},
        FORM,
    ),
    ({"start_time": "20240601160000"}, {"end_time": "20240601163000"}, None),
    ({"start_time": "20240601160000"}, {"end_time": "20240601155800"}, END_EARLY),
    (
        {"start_time": "20240601160000"},
        {"start_time": "20240601153000", "end_time": "20240601155800"},
        None,
    ),
    (
        {"start_time": "20240601160000"},
        {"start_time": "20240601145800", "end_time": "20240601155800"},
        "before the order was created",
    ),
    (
        {"start_time": "20240601160000"},
        {"start_time": "20240601170200", "end_time": "20240601170000"},
        "has not come yet",
    ),
    ({"start_time": "OnAccept"}, {"end_time": "20240631120000"}, "no such day"),
    # Both are by the caller's clock: there is nothing to tolerate.
    ({"start_time": "20240601160000"}, {"end_time": "20240601160001"}, None),
    ({"start_time": "20240601160000"}, {"end_time": "20240601160000"}, END_EARLY),
    (
        {"start_time": "OnAccept"},
        {"start_time": "20240601160000", "end_time": "20240601155959"},
        END_EARLY,
    ),
    # What was accepted has begun at some time.
    (
        {"start_time": "20240601"},
        {"start_time": "OnAccept", "end_time": "20240601"},
        "a time yyyyMMddHHmmss, or a day yyyyMMdd expected",
    ),
]


@roles
@pytest.mark.parametrize(("planned", "given", "problem"), TIMES, ids=str)
def test_times_of_complete(
    gateway: Gateway,
    partner: bool,
    planned: dict[str, str],
    given: dict[str, str] | None,
    problem: str | None,
) -> None:
    calls = Calls(gateway, partner)
    order = calls.confirmed(time_range=planned)
    gateway.advance(hours=2)
    changes: dict[str, Any] = {"time_range": ... if given is None else given}
    if problem is None:
        assert calls.outcome("complete", order, **changes) == "ok"
        return
    error = calls.refused("complete", order, **changes)
    assert (error.status_code, error.code) == (400, "PARAM_ERROR")
    assert problem in error.message
    told = "in the sandbox it is 2024-06-01 17:00:00 (gateway.clock"
    assert (told in error.message) is (problem in (END_AHEAD, "has not come yet"))
    assert error.detail["field"].startswith("/time_range/")


@roles
def test_end_location_needs_a_start_location(gateway: Gateway, partner: bool) -> None:
    calls = Calls(gateway, partner)
    order = calls.confirmed()
    error = calls.refused("complete", order, location={"end_location": "x"})
    assert error.detail["field"] == "/location/end_location"


#: The order is completed at 15:00:00; sync is called at 17:00:00.
PAID_TIMES = [
    ("20240601150000", None),
    ("20240601145901", None),
    ("20240601170000", None),
    ("20240601170100", None),
    ("20240601", None),
    ("20240601145900", "before the order was completed"),
    ("20240531", "before the order was completed"),
    ("20240601170101", "has not come yet"),
    ("20240602", "has not come yet"),
    ("20240631", "no such day or time"),
]


@roles
@pytest.mark.parametrize(("paid_time", "problem"), PAID_TIMES)
def test_payment_is_between_complete_and_sync(
    gateway: Gateway, partner: bool, paid_time: str, problem: str | None
) -> None:
    calls = Calls(gateway, partner)
    order = calls.completed()
    gateway.advance(hours=2)
    detail = {"paid_time": paid_time}
    if problem is None:
        assert calls.outcome("sync", order, detail=detail) == "ok"
        return
    error = calls.refused("sync", order, detail=detail)
    assert (error.code, error.detail["field"]) == ("PARAM_ERROR", "/detail/paid_time")
    assert problem in error.message


@roles
def test_sync_shows_a_payment_without_a_transaction(
    gateway: Gateway, partner: bool
) -> None:
    calls = Calls(gateway, partner)
    order = calls.completed(100)
    calls("sync", order, detail={"paid_time": "20240601"})
    shown = calls.query(order)
    assert shown["state"] == "DONE"
    assert shown["collection"] == {
        "state": "USER_PAID",
        "total_amount": 100,
        "paying_amount": 0,
        "paid_amount": 100,
        "details": [
            {
                "seq": 1,
                "amount": 100,
                "paid_type": "MCH",
                "paid_time": "20240601000000",
            }
        ],
    }
    told = [notice.event_type for notice in gateway.world.outbox]
    assert told == ["PAYSCORE.USER_CONFIRM"]


def test_partner_syncs_the_whole_amount(gateway: Gateway) -> None:
    calls = Calls(gateway, partner=True)
    order = calls.completed(100)
    part = {"paid_time": NOW, "seq": 1, "paid_amount": 99}
    error = calls.refused("sync", order, detail=part)
    assert error.detail["field"] == "/detail/paid_amount"
    whole = {"paid_time": NOW, "seq": 1, "paid_amount": 100}
    assert calls.outcome("sync", order, detail=whole) == "ok"


def test_pay_answers_five_fields(gateway: Gateway) -> None:
    calls = Calls(gateway)
    order = calls.completed()
    assert set(calls("pay", order).data) == {
        "appid",
        "mchid",
        "out_order_no",
        "service_id",
        "order_id",
    }


# Fields, counted in characters.

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("complete", {"post_payments": []}, "/post_payments"),
    ("complete", {"post_payments": line(1) * 101}, "/post_payments"),
    ("complete", {"post_payments": [{"name": "x"}]}, "/post_payments/0"),
    ("complete", {"post_payments": line(-1)}, "/post_payments/0/amount"),
    ("complete", {"post_payments": line(50) * 2}, "/post_payments/1/name"),
    ("complete", {"total_amount": -1}, "/total_amount"),
    ("complete", {"total_amount": 1.5}, "/total_amount"),
    ("complete", {"total_amount": ...}, "/total_amount"),
    ("complete", {"goods_tag": "x" * 33}, "/goods_tag"),
    ("complete", {"profit_sharing": "true"}, "/profit_sharing"),
    ("complete", {"time_range": {"end_time": "2024"}}, "/time_range/end_time"),
    ("modify", {"reason": "户" * 51}, "/reason"),
    ("modify", {"reason": ""}, "/reason"),
    ("modify", {"reason": ...}, "/reason"),
    ("sync", {"type": "Order_Unpaid"}, "/type"),
    ("sync", {"detail": {}}, "/detail/paid_time"),
    ("pay", {"amount": 1}, "/amount"),
    ("send-pendingmessage", {"prepaid_time": ...}, "/prepaid_time"),
]


@roles
@pytest.mark.parametrize(("name", "changes", "field"), REFUSED, ids=str)
def test_wrong_field_is_named(
    gateway: Gateway, partner: bool, name: str, changes: dict[str, Any], field: str
) -> None:
    order = gateway.given.order(state="PAYING", partner=partner)
    error = Calls(gateway, partner).refused(name, order, **changes)
    assert (error.status_code, error.code) == (400, "PARAM_ERROR")
    fields = [one["field"] for one in error.detail["sandbox"]["problems"]]
    assert field in fields


@roles
def test_modify_reason_has_up_to_50_characters(gateway: Gateway, partner: bool) -> None:
    order = gateway.given.order(state="PAYING", partner=partner)
    assert Calls(gateway, partner).outcome("modify", order, reason="户" * 50) == "ok"


REQUIRED = {
    False: {
        "complete": "appid",
        "modify": "service_id",
        "pay": "appid",
        "sync": "appid",
    },
    True: dict.fromkeys(("complete", "modify", "pay", "sync"), "sub_mchid"),
}


@roles
@pytest.mark.parametrize("name", ["complete", "modify", "pay", "sync"])
def test_each_role_has_its_required_fields(
    gateway: Gateway, partner: bool, name: str
) -> None:
    field = REQUIRED[partner][name]
    order = gateway.given.order(state="PAYING", partner=partner)
    error = Calls(gateway, partner).refused(name, order, **{field: ...})
    assert error.detail["field"] == f"/{field}"


@pytest.mark.parametrize("name", ["modify", "pay"])
def test_partner_may_leave_the_service_out(gateway: Gateway, name: str) -> None:
    order = gateway.given.order(state="PAYING", partner=True)
    assert Calls(gateway, True).outcome(name, order, service_id=...) == "ok"


@roles
@pytest.mark.parametrize("name", ["complete", "modify", "pay", "sync"])
def test_roles_do_not_see_each_others_orders(
    gateway: Gateway, partner: bool, name: str
) -> None:
    order = gateway.given.order(state="PAYING", partner=not partner)
    error = Calls(gateway, partner).refused(name, order)
    assert (error.status_code, error.code) == (404, "ORDER_NOT_EXIST")


# Messages to the user.


@roles
@pytest.mark.parametrize("name", ["send-prepaidmessage", "send-pendingmessage"])
def test_one_message_of_a_kind_per_order(
    gateway: Gateway, partner: bool, name: str
) -> None:
    order = gateway.given.order(state="CONFIRMED", partner=partner)
    calls = Calls(gateway, partner)
    assert calls.outcome(name, order) == "ok"
    assert calls.outcome(name, order) == "ok"
    error = calls.refused(name, order, **bill(99))
    assert error.detail["sandbox"]["id"] == "sent_already"


# Create and complete in one call.


def at_once(gateway: Gateway, partner: bool, **changes: Any) -> Any:
    body: dict[str, Any] = {
        "out_order_no": "D1",
        "appid": gateway.appid,
        "openid": "o1",
        "service_id": gateway.no_confirm_service_id,
        "service_introduction": "停车",
        "time_range": {"start_time": "20240601140000", "end_time": NOW},
        "notify_url": "https://merchant.example/notify",
        **bill(100),
    }
    if partner:
        body["sub_mchid"] = gateway.sub_mchid
    body.update(changes)
    body = {name: value for name, value in body.items() if value is not ...}
    return Calls(gateway, partner).node["direct-complete"].post(body)


@roles
@pytest.mark.parametrize(("total", "state"), [(100, "PAYING"), (0, "ZERO")])
def test_direct_complete_makes_an_order_that_is_due(
    gateway: Gateway, partner: bool, total: int, state: str
) -> None:
    gateway.user.authorize("o1")
    for _ in range(2):
        reply = at_once(gateway, partner, attach="a", **bill(total))
        assert reply.status_code == (204 if partner else 200)
    order = gateway.orders["D1"]
    assert order.history == [state]
    assert order.openid == "o1"
    if not partner:
        assert reply["total_amount"] == total
        assert reply["state"] == ("DOING" if total else "DONE")
        assert (reply["attach"], "collection" in reply.data) == ("a", False)


AT_ONCE: list[tuple[dict[str, Any], int, str]] = [
    ({"total_amount": 99}, 400, "PARAM_ERROR"),
    (bill(1_000_001), 400, "INVALID_REQUEST"),
    ({"openid": "o2"}, 403, "NO_AUTH"),
    ({"openid": ...}, 400, "PARAM_ERROR"),
    ({"service_id": "500001"}, 403, "NO_AUTH"),
    ({"time_range": {"start_time": NOW, "end_time": "20240601160000"}}, 400, ""),
    ({"time_range": {"start_time": NOW, "end_time": "20240601140000"}}, 400, ""),
    ({"time_range": {"start_time": "20240601160000"}}, 400, "PARAM_ERROR"),
    ({"time_range": ...}, 400, "PARAM_ERROR"),
    ({"time_range": {"start_time": "20240631"}}, 400, "PARAM_ERROR"),
    ({"notify_url": "https://a.example/?b"}, 400, "PARAM_ERROR"),
    (
        {
            "post_discounts": [
                {"name": f"{at}", "description": "x", "amount": 0} for at in range(6)
            ]
        },
        400,
        "PARAM_ERROR",
    ),
]


@roles
@pytest.mark.parametrize(("changes", "status", "code"), AT_ONCE, ids=str)
def test_direct_complete_that_is_refused_makes_no_order(
    gateway: Gateway, partner: bool, changes: dict[str, Any], status: int, code: str
) -> None:
    gateway.user.authorize("o1")
    with pytest.raises(APIError) as caught:
        at_once(gateway, partner, **changes)
    assert caught.value.status_code == status
    assert caught.value.code == (code or "PARAM_ERROR")
    assert "D1" not in gateway.orders


@roles
def test_direct_complete_with_other_parameters_is_refused(
    gateway: Gateway, partner: bool
) -> None:
    gateway.user.authorize("o1")
    at_once(gateway, partner)
    with pytest.raises(APIError) as caught:
        at_once(gateway, partner, **bill(99))
    assert caught.value.code == "INVALID_REQUEST"


def test_direct_complete_is_collected_like_any_other() -> None:
    gateway = Gateway(seed=1, deduction="immediate")
    gateway.user.authorize("o1")
    assert at_once(gateway, False)["state_description"] == "MCH_COMPLETE"
    assert gateway.orders["D1"].history == ["PAYING", "PAID"]


# Paid after delivery.


@roles
def test_pay_on_delivery_is_a_create_with_goods(
    gateway: Gateway, partner: bool
) -> None:
    goods = {
        "name": "书",
        "picture": "https://a.example/b.png",
        "amount": 1,
        "count": 1,
    }
    body = {
        **gateway.given.create_body(partner=partner, out_order_no="N1"),
        "shopping_info": {"goods": [goods], "jump_link": {"path": "pages/order"}},
    }
    node = Calls(gateway, partner).base.servicepayondeliveryorder
    reply = node.post(body)
    assert (reply["state"], "package" in reply.data) == ("CREATED", True)
    with pytest.raises(APIError) as caught:
        node.post({**body, "shopping_info": {"goods": []}})
    assert caught.value.detail["field"] == "/shopping_info/goods"


def test_enjoy_first_service_takes_no_deposit() -> None:
    gateway = Gateway(services=[Service("1", mode="enjoy")])
    with pytest.raises(APIError) as caught:
        Calls(gateway).create()
    assert caught.value.detail["field"] == "/risk_fund/name"


# The confirm page.


def test_package_opens_the_confirm_page_for_an_hour(gateway: Gateway) -> None:
    calls = Calls(gateway)
    created = calls.create(out_order_no="N1")
    gateway.advance(minutes=59, seconds=59)
    assert gateway.user.open(created["package"]).out_order_no == "N1"
    gateway.advance(seconds=1)
    with pytest.raises(ValueError, match="this package has expired"):
        gateway.user.open(created["package"])
    again = calls.create(out_order_no="N1")
    assert again["package"] != created["package"]
    assert gateway.user.open(again["package"]) is gateway.orders["N1"]


def test_unknown_package_opens_nothing(gateway: Gateway) -> None:
    with pytest.raises(ValueError, match="no such package was given out"):
        gateway.user.open("x")


# Users who are turned away.

REASONS = [
    ("evaluation", 271300099),
    ("overdue", 271299627),
    ("running", 271302262),
    ("youth", 268560785),
]


@pytest.mark.parametrize(("reason", "number"), REASONS)
def test_confirm_page_turns_a_user_away(
    gateway: Gateway, reason: str, number: int
) -> None:
    order = gateway.given.order()
    gateway.user.fail_evaluation(reason)
    with pytest.raises(ValueError, match=f"is turned away: {reason}"):
        gateway.user.confirm(order)
    assert gateway.orders[order].state == "CREATED"
    gateway.user.confirm(order, openid="somebody-else")


@pytest.mark.parametrize(("reason", "number"), REASONS)
@roles
def test_no_confirm_create_turns_a_user_away(
    gateway: Gateway, partner: bool, reason: str, number: int
) -> None:
    gateway.user.authorize("o1")
    gateway.user.fail_evaluation(reason, "o1")
    changes: dict[str, Any] = {
        "service_id": gateway.no_confirm_service_id,
        "need_user_confirm": False,
        "openid": "o1",
    }
    calls = Calls(gateway, partner)
    for attempt in (
        lambda: calls.create(**changes),
        lambda: at_once(gateway, partner),
    ):
        with pytest.raises(APIError) as caught:
            attempt()
        error = caught.value
        assert (error.status_code, error.code) == (400, "INVALID_REQUEST")
        assert (error.request_id or "").endswith(f"-{number}")
    gateway.user.pass_evaluation("o1")
    assert calls.create(**changes)["state"] == "DOING"


def test_deposit_makes_up_for_a_failed_evaluation_alone(gateway: Gateway) -> None:
    order = gateway.given.order()
    gateway.user.fail_evaluation("overdue")
    with pytest.raises(ValueError, match="turned away"):
        gateway.user.confirm(order, deposit=True)
    gateway.user.fail_evaluation("evaluation")
    assert gateway.user.confirm(order, deposit=True).deposit_paid


def test_unknown_reason_is_told(gateway: Gateway) -> None:
    with pytest.raises(ValueError, match="one of evaluation, overdue, running, youth"):
        gateway.user.fail_evaluation("mood")
