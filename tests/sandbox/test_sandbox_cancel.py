"""The cancel checklist (payscore 4.3), in both roles and both modes."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import APIError
from wechatpay_chain.sandbox import Gateway

OTHER = "500001"


def direct(client: Any) -> Any:
    return client.v3.payscore.serviceorder._out_order_no_.cancel


def body(gateway: Gateway, **changes: Any) -> dict[str, Any]:
    given = {
        "appid": gateway.appid,
        "service_id": gateway.service_id,
        "reason": "用户投诉",
        **changes,
    }
    return {name: value for name, value in given.items() if value is not ...}


def test_direct_cancel_answers_five_fields(gateway: Gateway, call: Any) -> None:
    order = gateway.given.order(state="CONFIRMED")
    reply = call(direct(gateway.client()).post, body(gateway), out_order_no=order)
    assert reply.status_code == 200
    assert reply.verified
    assert reply.data == {
        "appid": "wxd678efh567hg6787",
        "mchid": "1900000001",
        "out_order_no": order,
        "service_id": "2002000000000558128851361561536",
        "order_id": gateway.orders[order].order_id,
    }


def test_partner_cancel_answers_204_signed_and_empty(
    gateway: Gateway, call: Any
) -> None:
    order = gateway.given.order(state="CONFIRMED", partner=True)
    cancel = gateway.client().v3.payscore.partner.serviceorder._out_order_no_.cancel
    reply = call(
        cancel.post,
        {"sub_mchid": "1900000109", "reason": "用户投诉"},
        out_order_no=order,
    )
    assert (reply.status_code, reply.content, reply.data) == (204, b"", None)
    assert reply.verified
    assert reply.serial == gateway.public_key_id
    assert gateway.orders[order].history == ["CREATED", "CONFIRMED", "REVOKED"]


REASONS = [
    ("x", True),
    ("a" * 30, True),
    ("户" * 30, True),
    ("😀" * 30, True),
    ("", False),
    ("a" * 31, False),
    ("户" * 31, False),
    ("😀" * 31, False),
    (..., False),
    (5, False),
    (None, False),
]


@pytest.mark.parametrize(("reason", "accepted"), REASONS)
def test_reason_has_1_to_30_characters(
    gateway: Gateway, reason: Any, accepted: bool
) -> None:
    order = gateway.given.order()
    cancel = direct(gateway.client()).post
    if accepted:
        assert cancel(body(gateway, reason=reason), out_order_no=order).verified
        return
    with pytest.raises(APIError) as caught:
        cancel(body(gateway, reason=reason), out_order_no=order)
    error = caught.value
    assert (error.status_code, error.code) == (400, "PARAM_ERROR")
    assert (error.detail["field"], error.detail["location"]) == ("/reason", "body")
    assert gateway.orders[order].state == "CREATED"


def test_reason_limit_follows_the_other_edition_on_demand() -> None:
    gateway = Gateway(seed=1, reason_limit=50)
    cancel = direct(gateway.client()).post
    first, second = gateway.given.order(), gateway.given.order()
    assert cancel(body(gateway, reason="户" * 50), out_order_no=first).verified
    with pytest.raises(APIError, match="1 to 50 characters"):
        cancel(body(gateway, reason="户" * 51), out_order_no=second)


WRONG = [
    ({"appid": "wx0000000000000000"}, 403, "NO_AUTH", "appid_unknown"),
    ({"appid": ...}, 400, "PARAM_ERROR", "parameters"),
    ({"appid": "w" * 33}, 400, "PARAM_ERROR", "parameters"),
    ({"appid": "wx2222222222222222"}, 400, "INVALID_REQUEST", "appid_differs"),
    ({"service_id": "404"}, 403, "NO_AUTH", "service_unknown"),
    ({"service_id": OTHER}, 400, "INVALID_REQUEST", "service_id_differs"),
    ({"sub_mchid": "1900000109"}, 400, "PARAM_ERROR", "parameters"),
    ({"out_order_no": "N1"}, 400, "PARAM_ERROR", "parameters"),
    ({"resaon": "x"}, 400, "PARAM_ERROR", "parameters"),
]


@pytest.mark.parametrize(("changes", "status", "code", "identifier"), WRONG)
def test_wrong_cancel_is_refused_and_changes_nothing(
    changes: dict[str, Any], status: int, code: str, identifier: str
) -> None:
    gateway = Gateway(appids=("wxd678efh567hg6787", "wx2222222222222222"))
    gateway.given.order(out_order_no="N1")
    with pytest.raises(APIError) as caught:
        direct(gateway.client()).post(body(gateway, **changes), out_order_no="N1")
    error = caught.value
    assert (error.status_code, error.code) == (status, code)
    assert error.detail["sandbox"]["id"] == identifier
    assert gateway.orders["N1"].state == "CREATED"


def test_service_id_may_be_left_out(gateway: Gateway) -> None:
    order = gateway.given.order()
    cancel = direct(gateway.client()).post
    assert cancel(body(gateway, service_id=...), out_order_no=order).status_code == 200


def test_path_parameter_in_the_body_has_two_sources(gateway: Gateway) -> None:
    order = gateway.given.order()
    with pytest.raises(APIError, match="already in the path") as caught:
        direct(gateway.client()).post(
            body(gateway, out_order_no=order), out_order_no=order
        )
    assert caught.value.detail["field"] == "/out_order_no"


def test_unknown_field_is_told_its_nearest(gateway: Gateway) -> None:
    order = gateway.given.order()
    with pytest.raises(APIError, match="unknown; did you mean reason"):
        direct(gateway.client()).post(body(gateway, resaon="x"), out_order_no=order)


@pytest.mark.parametrize("number", ["A|B*C_1-2", "x" * 32])
def test_number_is_encoded_as_one_segment(gateway: Gateway, number: str) -> None:
    gateway.given.order(out_order_no=number)
    reply = direct(gateway.client()).post(body(gateway), out_order_no=number)
    assert reply["out_order_no"] == number


@pytest.mark.parametrize("number", ["户", "x" * 33, "a b", "a/b", "a\nb"])
def test_number_that_can_be_none_is_refused(gateway: Gateway, number: str) -> None:
    with pytest.raises(APIError) as caught:
        direct(gateway.client()).post(body(gateway), out_order_no=number)
    error = caught.value
    assert (error.status_code, error.code) == (400, "PARAM_ERROR")
    assert (error.detail["field"], error.detail["location"]) == ("out_order_no", "path")


def test_same_cancel_again_is_answered_again(gateway: Gateway, call: Any) -> None:
    order = gateway.given.order()
    cancel = direct(gateway.client()).post
    first = call(cancel, body(gateway), out_order_no=order)
    again = dict(reversed(body(gateway).items()))
    assert call(cancel, again, out_order_no=order).data == first.data
    assert gateway.orders[order].history == ["CREATED", "REVOKED"]


def test_other_reason_the_second_time_is_refused(gateway: Gateway) -> None:
    order = gateway.given.order()
    cancel = direct(gateway.client()).post
    cancel(body(gateway), out_order_no=order)
    with pytest.raises(APIError) as caught:
        cancel(body(gateway, reason="别的"), out_order_no=order)
    assert (caught.value.status_code, caught.value.code) == (400, "INVALID_REQUEST")
    assert caught.value.detail["sandbox"]["id"] == "repeated_differently"


def test_running_deduction_refuses_a_cancel_until_it_ends(gateway: Gateway) -> None:
    order = gateway.given.order(state="PAYING")
    cancel = direct(gateway.client()).post
    gateway.user.enter_cashier(order)
    with pytest.raises(APIError, match="单据正在扣款中,请稍后再试") as caught:
        cancel(body(gateway), out_order_no=order)
    assert (caught.value.status_code, caught.value.code) == (400, "INVALID_REQUEST")
    assert gateway.orders[order].state == "PAYING"
    gateway.user.leave_cashier(order)
    assert cancel(body(gateway), out_order_no=order).status_code == 200


def test_lock_can_be_given(gateway: Gateway) -> None:
    order = gateway.given.order(state="PAYING", deducting=True)
    with pytest.raises(APIError, match="扣款中"):
        direct(gateway.client()).post(body(gateway), out_order_no=order)
    assert gateway.user.pay(order).state == "PAID"


def test_cashier_opens_for_a_completed_order_only(gateway: Gateway) -> None:
    with pytest.raises(ValueError, match="that is PAYING; this one is CREATED"):
        gateway.user.enter_cashier(gateway.given.order())


def test_cancelled_order_asks_for_no_money(gateway: Gateway) -> None:
    order = gateway.given.order(state="PAYING", total_amount=500)
    client = gateway.client()
    direct(client).post(body(gateway), out_order_no=order)
    reply = client.v3.payscore.serviceorder.get(
        {
            "out_order_no": order,
            "appid": gateway.appid,
            "service_id": gateway.service_id,
        }
    )
    assert reply["state"] == "REVOKED"
    assert "collection" not in reply
    assert (reply["total_amount"], reply["need_collection"]) == (500, False)
    with pytest.raises(ValueError, match="user pays cannot follow REVOKED"):
        gateway.user.pay(order)


# Whose order it is.


def partner_cancel(client: Any, order: str, sub_mchid: str) -> Any:
    return client.v3.payscore.partner.serviceorder._out_order_no_.cancel.post(
        {"sub_mchid": sub_mchid, "reason": "x"}, out_order_no=order
    )


def test_unknown_sub_merchant_has_no_permission(gateway: Gateway) -> None:
    order = gateway.given.order(partner=True)
    with pytest.raises(APIError) as caught:
        partner_cancel(gateway.client(), order, "1900009999")
    assert (caught.value.status_code, caught.value.code) == (403, "NO_AUTH")


def test_order_of_another_sub_merchant_does_not_exist() -> None:
    gateway = Gateway(sub_mchids=("1900000109", "1900000110"))
    order = gateway.given.order(partner=True)
    with pytest.raises(APIError) as caught:
        partner_cancel(gateway.client(), order, "1900000110")
    assert (caught.value.status_code, caught.value.code) == (404, "ORDER_NOT_EXIST")
    assert "with sub_mchid 1900000110; give sub_mchid 1900000109" in str(caught.value)


def test_roles_do_not_see_each_others_orders(gateway: Gateway) -> None:
    client = gateway.client()
    with pytest.raises(APIError) as caught:
        partner_cancel(client, gateway.given.order(), gateway.sub_mchid)
    assert caught.value.code == "ORDER_NOT_EXIST"
    assert "leave it out: there is one of that number" in str(caught.value)
    with pytest.raises(APIError) as caught:
        direct(client).post(
            body(gateway), out_order_no=gateway.given.order(partner=True)
        )
    assert caught.value.code == "ORDER_NOT_EXIST"


def test_order_of_another_merchant_does_not_exist(gateway: Gateway) -> None:
    order = gateway.given.order()
    other = gateway.client(**gateway.enrol("1900000002"))
    with pytest.raises(APIError) as caught:
        direct(other).post(body(gateway), out_order_no=order)
    assert (caught.value.status_code, caught.value.code) == (404, "ORDER_NOT_EXIST")


def test_merchant_without_sub_merchants_is_no_partner(gateway: Gateway) -> None:
    other = gateway.client(**gateway.enrol("1900000002"))
    with pytest.raises(APIError) as caught:
        partner_cancel(other, "N1", gateway.sub_mchid)
    assert caught.value.code == "NO_AUTH"
