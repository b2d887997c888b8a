"""Every cell of the table of calls and states, written out by hand (payscore 4.2)."""

from __future__ import annotations

from typing import Any

import pytest
from payscore_calls import Calls, bill, roles

from wechatpay_chain import APIError
from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.sandbox import State as S
from wechatpay_chain.sandbox.lifecycles.orders import ORDER

STATES = ("CREATED", "CONFIRMED", "PAYING", "PAID", "ZERO", "REVOKED", "EXPIRED")
states = pytest.mark.parametrize("state", STATES)


def orders(client: Any, partner: bool) -> Any:
    return (client.v3.payscore.partner if partner else client.v3.payscore).serviceorder


def own(gateway: Gateway, partner: bool) -> dict[str, str]:
    """What a call names beside the order, in either role."""
    if partner:
        return {"service_id": gateway.service_id, "sub_mchid": gateway.sub_mchid}
    return {"service_id": gateway.service_id, "appid": gateway.appid}


def attempt(verb: Any, *args: Any, **kwargs: Any) -> tuple[int, str]:
    try:
        return verb(*args, **kwargs).status_code, "ok"
    except APIError as error:
        return error.status_code, error.code or ""


CANCEL = {
    "CREATED": "ok",
    "CONFIRMED": "ok",
    "PAYING": "ok",
    "PAID": "ORDER_DONE",
    "ZERO": "ORDER_DONE",
    "REVOKED": "INVALID_REQUEST",
    "EXPIRED": "INVALID_ORDER_STATE",
}


@roles
@states
def test_cancel_in_each_state(gateway: Gateway, partner: bool, state: str) -> None:
    order = gateway.given.order(state=state, partner=partner)
    cancel = orders(gateway.client(), partner)._out_order_no_.cancel
    got = attempt(
        cancel.post,
        {**own(gateway, partner), "reason": "用户投诉"},
        out_order_no=order,
    )
    if CANCEL[state] == "ok":
        assert got == (204 if partner else 200, "ok")
        assert gateway.orders[order].state == "REVOKED"
    else:
        assert got == (400, CANCEL[state])
        assert gateway.orders[order].state == state


@roles
@states
def test_create_repeated_with_the_same_parameters_answers_the_order(
    gateway: Gateway, partner: bool, state: str
) -> None:
    body = gateway.given.create_body(partner=partner, out_order_no="N1")
    node = orders(gateway.client(), partner)
    gateway.given.order(state=state, partner=partner, out_order_no="N1")
    first = node.post(body)
    second = node.post(dict(reversed(body.items())))
    assert first.status_code == second.status_code == 200
    assert first["order_id"] == second["order_id"]
    assert first["package"] != second["package"]
    assert gateway.orders["N1"].state == state


@roles
@states
def test_create_repeated_with_other_parameters_is_refused(
    gateway: Gateway, partner: bool, state: str
) -> None:
    gateway.given.order(state=state, partner=partner, out_order_no="N1")
    body = gateway.given.create_body(
        partner=partner, out_order_no="N1", service_introduction="别的"
    )
    got = attempt(orders(gateway.client(), partner).post, body)
    assert got == (400, "INVALID_REQUEST")
    assert gateway.orders["N1"].state == state


SHOWN = {
    "CREATED": ("CREATED", None, None),
    "CONFIRMED": ("DOING", "USER_CONFIRM", None),
    "PAYING": ("DOING", "MCH_COMPLETE", "USER_PAYING"),
    "PAID": ("DONE", None, "USER_PAID"),
    "ZERO": ("DONE", None, None),
    "REVOKED": ("REVOKED", None, None),
    "EXPIRED": ("EXPIRED", None, None),
}


@roles
@states
@pytest.mark.parametrize("by", ["out_order_no", "query_id"])
def test_query_shows_each_state_by_its_triple(
    gateway: Gateway, partner: bool, state: str, by: str
) -> None:
    order = gateway.given.order(state=state, partner=partner)
    number = {by: getattr(gateway.orders[order], by)}
    reply = orders(gateway.client(), partner).get({**own(gateway, partner), **number})
    assert reply["out_order_no"] == order
    data = reply.data
    assert (
        data["state"],
        data.get("state_description"),
        data.get("collection", {}).get("state"),
    ) == SHOWN[state]


@states
def test_user_confirms_a_created_order_only(gateway: Gateway, state: str) -> None:
    order = gateway.given.order(state=state)
    if state == "CREATED":
        assert gateway.user.confirm(order).state == "CONFIRMED"
        return
    with pytest.raises(ValueError, match=f"user confirms cannot follow {state}"):
        gateway.user.confirm(order)
    assert gateway.orders[order].state == state


@states
def test_user_who_refuses_leaves_the_order_as_it_is(
    gateway: Gateway, state: str
) -> None:
    order = gateway.given.order(state=state)
    if state == "CREATED":
        gateway.user.refuse(order)
    else:
        with pytest.raises(ValueError, match="user refuses cannot follow"):
            gateway.user.refuse(order)
    assert gateway.orders[order].state == state


@states
def test_user_pays_an_order_that_is_due_only(gateway: Gateway, state: str) -> None:
    order = gateway.given.order(state=state)
    if state == "PAYING":
        assert gateway.user.pay(order).state == "PAID"
        return
    with pytest.raises(ValueError, match=f"user pays cannot follow {state}"):
        gateway.user.pay(order)
    assert gateway.orders[order].state == state


@states
def test_thirty_days_expire_a_created_order_only(gateway: Gateway, state: str) -> None:
    order = gateway.given.order(state=state)
    gateway.advance(days=30)
    expected = "EXPIRED" if state == "CREATED" else state
    assert gateway.orders[order].state == expected


UNKNOWN = [
    ("get", "", {"out_order_no": "NONE"}),
    ("post", "/NONE/cancel", {"reason": "x"}),
]


@roles
@pytest.mark.parametrize(("verb", "tail", "more"), UNKNOWN, ids=["query", "cancel"])
def test_unknown_order_is_404(
    gateway: Gateway, partner: bool, verb: str, tail: str, more: dict[str, str]
) -> None:
    node = orders(gateway.client(), partner)
    node = node.chain(tail) if tail else node
    call = getattr(node, verb)
    assert attempt(call, {**own(gateway, partner), **more}) == (404, "ORDER_NOT_EXIST")


# The calls about what the service cost.

STATE, DONE, GONE = "INVALID_ORDER_STATE", "ORDER_DONE", "ORDER_CANCELED"
#: By call: CREATED, CONFIRMED, PAYING, PAID, ZERO, REVOKED, EXPIRED.
CELLS = {
    "complete": (STATE, "ok", STATE, DONE, DONE, GONE, STATE),
    "modify": (STATE, STATE, "ok", DONE, DONE, GONE, STATE),
    "pay": (STATE, STATE, "ok", DONE, DONE, GONE, STATE),
    "sync": (STATE, STATE, "ok", DONE, DONE, GONE, STATE),
    "send-prepaidmessage": (STATE, "ok", STATE, DONE, DONE, GONE, STATE),
    "send-pendingmessage": (STATE, "ok", STATE, DONE, DONE, GONE, STATE),
}
AFTER = {"complete": "PAYING", "sync": "PAID"}


@roles
@pytest.mark.parametrize("name", list(CELLS))
@states
def test_call_in_each_state(
    gateway: Gateway, partner: bool, name: str, state: str
) -> None:
    calls = Calls(gateway, partner)
    order = gateway.given.order(state=state, partner=partner)
    expected = CELLS[name][STATES.index(state)]
    assert calls.outcome(name, order) == expected
    after = AFTER.get(name, state) if expected == "ok" else state
    assert gateway.orders[order].state == after


@roles
@pytest.mark.parametrize("state", ["PAYING", "PAID", "ZERO"])
def test_complete_repeated_with_the_same_parameters_is_fine(
    gateway: Gateway, partner: bool, state: str
) -> None:
    calls = Calls(gateway, partner)
    total = 0 if state == "ZERO" else 100
    order = calls.completed(total)
    if state == "PAID":
        gateway.user.pay(order)
    steps = len(gateway.orders[order].steps)
    assert calls.outcome("complete", order, **bill(total)) == "ok"
    assert gateway.orders[order].state == state
    assert len(gateway.orders[order].steps) == steps


@roles
@pytest.mark.parametrize(
    ("state", "code"), [("PAYING", STATE), ("PAID", DONE), ("ZERO", DONE)]
)
def test_complete_repeated_with_other_parameters_is_refused(
    gateway: Gateway, partner: bool, state: str, code: str
) -> None:
    calls = Calls(gateway, partner)
    order = calls.completed(0 if state == "ZERO" else 100)
    if state == "PAID":
        gateway.user.pay(order)
    error = calls.refused("complete", order, **bill(99))
    assert (error.status_code, error.code) == (400, code)


@roles
def test_sync_repeated_with_the_same_parameters_is_fine(
    gateway: Gateway, partner: bool
) -> None:
    calls = Calls(gateway, partner)
    order = calls.completed()
    assert calls.outcome("sync", order) == "ok"
    assert calls.outcome("sync", order) == "ok"
    assert len(gateway.orders[order].paid) == 1
    gateway.advance(minutes=10)
    other = {"paid_time": "20240601150500"}
    assert calls.outcome("sync", order, detail=other) == DONE


@roles
def test_sync_of_what_the_user_paid_is_refused(gateway: Gateway, partner: bool) -> None:
    calls = Calls(gateway, partner)
    order = calls.completed()
    gateway.user.pay(order)
    error = calls.refused("sync", order)
    assert error.code == DONE
    # No sync came before, so nobody is told that another one did.
    assert error.detail["issue"] == "sync cannot follow PAID; what can: query"


@roles
def test_members_that_nobody_knows_make_no_other_call(partner: bool) -> None:
    gateway = Gateway(seed=1, validation="warn")
    calls = Calls(gateway, partner)
    body = gateway.given.create_body(
        partner=partner, out_order_no="N1", post_payments=[{"name": "a", "amount": 1}]
    )
    calls.node.post(body)
    again = {**body, "post_payments": [{"name": "a", "amount": 1, "unit": 1}], "x": 1}
    assert calls.node.post(again)["post_payments"] == body["post_payments"]
    gateway.user.confirm("N1")
    for name in ("complete", "modify", "sync"):
        assert calls.outcome(name, "N1") == "ok"
        assert calls.outcome(name, "N1", x=1) == "ok"


@roles
@pytest.mark.parametrize("name", ["cancel", "modify", "sync"])
def test_running_deduction_locks(gateway: Gateway, partner: bool, name: str) -> None:
    calls = Calls(gateway, partner)
    order = gateway.given.order(state="PAYING", partner=partner)
    gateway.bank.begin(order)
    error = calls.refused(name, order)
    assert (error.status_code, error.code) == (400, "INVALID_REQUEST")
    assert error.message == "单据正在扣款中,请稍后再试"
    assert (error.request_id or "").endswith("-271316754")
    gateway.bank.fail(order)
    assert calls.outcome(name, order) == "ok"


@roles
@pytest.mark.parametrize("name", ["complete", "modify", "pay", "sync", "cancel"])
def test_call_for_another_service_is_refused(
    gateway: Gateway, partner: bool, name: str
) -> None:
    order = gateway.given.order(state="PAYING", partner=partner)
    error = Calls(gateway, partner).refused(name, order, service_id="500001")
    assert (error.status_code, error.code) == (400, "INVALID_REQUEST")


@roles
@pytest.mark.parametrize("name", list(CELLS))
def test_call_about_an_unknown_order_is_404(
    gateway: Gateway, partner: bool, name: str
) -> None:
    with pytest.raises(APIError) as caught:
        Calls(gateway, partner)(name, "NONE")
    assert (caught.value.status_code, caught.value.code) == (404, "ORDER_NOT_EXIST")


@pytest.mark.parametrize(
    ("name", "state", "number"),
    [
        ("complete", "CREATED", 271302332),
        ("complete", "REVOKED", 271302333),
        ("modify", "EXPIRED", 271302262),
        ("pay", "CONFIRMED", 271316657),
        ("cancel", "PAID", 271316592),
    ],
)
def test_request_id_ends_with_the_internal_number(
    gateway: Gateway, name: str, state: str, number: int
) -> None:
    order = gateway.given.order(state=state)
    error = Calls(gateway).refused(name, order)
    assert (error.request_id or "").endswith(f"-{number}")


# The other error profile.

OBSERVED = [
    ("complete", "CREATED", "INVALID_REQUEST", "当前订单状态不合法"),
    ("complete", "REVOKED", "INVALID_REQUEST", "当前订单状态不合法"),
    ("complete", "EXPIRED", "INVALID_REQUEST", "当前订单状态不合法"),
    ("complete", "PAYING", "PARAM_ERROR", "完结订单状态不合法"),
    ("complete", "PAID", "PARAM_ERROR", "完结订单状态不合法"),
    ("complete", "ZERO", "PARAM_ERROR", "完结订单状态不合法"),
    ("cancel", "PAID", "PARAM_ERROR", "当前订单状态不满足撤销条件"),
    ("cancel", "ZERO", "PARAM_ERROR", "当前订单状态不满足撤销条件"),
    ("cancel", "EXPIRED", "PARAM_ERROR", "当前订单状态不满足撤销条件"),
    # Of these nothing else was seen.
    ("cancel", "REVOKED", "INVALID_REQUEST", "请求不符合业务规则"),
    ("modify", "CREATED", "INVALID_ORDER_STATE", "单据状态错误"),
    ("sync", "REVOKED", "ORDER_CANCELED", "单据已取消"),
]


@roles
@pytest.mark.parametrize(("name", "state", "code", "message"), OBSERVED)
def test_observed_profile_answers_as_production_was_seen_to(
    partner: bool, name: str, state: str, code: str, message: str
) -> None:
    gateway = Gateway(seed=1, error_profile="observed")
    order = gateway.given.order(state=state, partner=partner)
    error = Calls(gateway, partner).refused(name, order)
    assert (error.status_code, error.code, error.message) == (400, code, message)


def test_observed_profile_keeps_the_other_refusals() -> None:
    gateway = Gateway(seed=1, error_profile="observed")
    calls = Calls(gateway)
    order = calls.confirmed()
    assert calls.refused("complete", order, total_amount=99).code == "PARAM_ERROR"
    with pytest.raises(APIError) as caught:
        calls("cancel", "NONE")
    assert caught.value.code == "ORDER_NOT_EXIST"


def test_unknown_profile_is_told() -> None:
    with pytest.raises(ValueError, match="error_profile: one of documented, observed"):
        Gateway(error_profile="real")


NEXT = {
    "CREATED": {"query", "cancel", "user confirms", "user refuses", "30 days pass"},
    "CONFIRMED": {
        "query",
        "cancel",
        "complete",
        "send-prepaidmessage",
        "send-pendingmessage",
    },
    "PAYING": {
        "query",
        "cancel",
        "modify",
        "pay",
        "sync",
        "user pays",
        "deduction succeeds",
        "deduction fails",
    },
    "PAID": {"query"},
    "ZERO": {"query"},
    "REVOKED": {"query"},
    "EXPIRED": {"query"},
}


@states
def test_what_can_happen_next(state: str) -> None:
    assert {str(event) for event in ORDER.allowed(S(state))} == NEXT[state]


def test_refusal_says_what_is_allowed(gateway: Gateway) -> None:
    order = gateway.given.order(state="EXPIRED")
    cancel = gateway.client().v3.payscore.serviceorder._out_order_no_.cancel
    with pytest.raises(APIError) as caught:
        cancel.post({"appid": gateway.appid, "reason": "x"}, out_order_no=order)
    sandbox = caught.value.detail["sandbox"]
    assert (sandbox["state"], sandbox["event"]) == ("EXPIRED", "cancel")
    assert sandbox["allowed"] == ["query"]
    assert caught.value.request_id is not None
    assert caught.value.request_id.endswith("-271316592")
