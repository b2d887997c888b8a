"""Every cell of the table of calls and states, written out by hand (payscore 4.2)."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import APIError
from wechatpay_chain.sandbox import Event, Gateway
from wechatpay_chain.sandbox import State as S
from wechatpay_chain.sandbox.lifecycle import allowed, follow
from wechatpay_chain.sandbox.refusals import Refusal

STATES = ("CREATED", "CONFIRMED", "PAYING", "PAID", "ZERO", "REVOKED", "EXPIRED")
ROLES = (False, True)
roles = pytest.mark.parametrize("partner", ROLES, ids=["direct", "partner"])
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


# The calls that have no endpoint here yet: their cells of the table alone.

_X, _DONE, _GONE = "INVALID_ORDER_STATE", "ORDER_DONE", "ORDER_CANCELED"
CELLS = {
    Event.COMPLETE: (_X, "PAYING", _X, _DONE, _DONE, _GONE, _X),
    Event.MODIFY: (_X, _X, "PAYING", _DONE, _DONE, _GONE, _X),
    Event.PAY: (_X, _X, "PAYING", _DONE, _DONE, _GONE, _X),
    Event.SYNC: (_X, _X, "PAID", _DONE, _DONE, _GONE, _X),
}


@pytest.mark.parametrize("event", list(CELLS), ids=str)
@states
def test_cells_of_calls_after_the_service(event: Event, state: str) -> None:
    expected = CELLS[event][STATES.index(state)]
    try:
        got = str(follow(S(state), event))
    except Refusal as refusal:
        got = refusal.code
    assert got == expected


SAME = {
    Event.COMPLETE: {"PAYING", "PAID", "ZERO"},
    Event.SYNC: {"PAID"},
    Event.MODIFY: set(),
    Event.PAY: set(),
}


@pytest.mark.parametrize("event", list(SAME), ids=str)
@states
def test_identical_repetition_is_fine_where_the_documents_say_so(
    event: Event, state: str
) -> None:
    if state in SAME[event]:
        assert follow(S(state), event, same=True) == state
    elif event not in allowed(S(state)):
        with pytest.raises(Refusal):
            follow(S(state), event, same=True)


@pytest.mark.parametrize("event", [Event.COMPLETE, Event.MODIFY], ids=str)
def test_total_of_zero_ends_the_order(event: Event) -> None:
    state = S.CONFIRMED if event is Event.COMPLETE else S.PAYING
    assert follow(state, event, free=True) == "ZERO"


@pytest.mark.parametrize("event", [Event.CANCEL, Event.MODIFY, Event.SYNC], ids=str)
def test_running_deduction_locks(event: Event) -> None:
    with pytest.raises(Refusal, match="单据正在扣款中,请稍后再试") as caught:
        follow(S.PAYING, event, deducting=True)
    assert (caught.value.status, caught.value.code) == (400, "INVALID_REQUEST")


NEXT = {
    "CREATED": {"query", "cancel", "user confirms", "user refuses", "30 days pass"},
    "CONFIRMED": {"query", "cancel", "complete"},
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
    assert {str(event) for event in allowed(S(state))} == NEXT[state]


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
