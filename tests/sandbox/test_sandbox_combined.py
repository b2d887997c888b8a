"""Combined orders (合单): several payments that are paid, shown and closed at once."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import APIError
from wechatpay_chain.catalogue import find
from wechatpay_chain.catalogue.schema import check_value
from wechatpay_chain.sandbox import Gateway, IllegalMove

DAY = 24 * 3600
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
TOKENS = {
    "jsapi": ("prepay_id", "JSAPI"),
    "app": ("prepay_id", "APP"),
    "native": ("code_url", "NATIVE"),
    "h5": ("h5_url", "MWEB"),
}
forms = pytest.mark.parametrize("form", TOKENS)


def sub(gateway: Gateway, number: str, fen: int = 100, **changes: Any) -> Any:
    return {
        "mchid": gateway.mchid,
        "sub_mchid": gateway.sub_mchid,
        "out_trade_no": number,
        "description": "充电宝",
        "attach": number.lower(),
        "amount": {"total_amount": fen, "currency": "CNY"},
        **changes,
    }


def order(gateway: Gateway, form: str = "native", **changes: Any) -> dict[str, Any]:
    scene: dict[str, Any] = {"payer_client_ip": "127.0.0.1"}
    if form == "h5":
        scene.update(device_id="WEB-1", h5_info={"type": "iOS"})
    body: dict[str, Any] = {
        "combine_appid": gateway.appid,
        "combine_mchid": gateway.mchid,
        "combine_out_trade_no": "WHOLE-1",
        "notify_url": "https://merchant.example/notify",
        "scene_info": scene,
        "sub_orders": [sub(gateway, "PART-1", 100), sub(gateway, "PART-2", 250)],
    }
    if form == "jsapi":
        body["combine_payer_info"] = {"openid": OPENID}
    return {**body, **changes}


def close_body(gateway: Gateway, *numbers: str) -> dict[str, Any]:
    names = [
        {
            "mchid": gateway.mchid,
            "sub_mchid": gateway.sub_mchid,
            "out_trade_no": number,
        }
        for number in numbers
    ]
    return {"combine_appid": gateway.appid, "sub_orders": names}


def refused(call: Any, verb: Any, *args: Any, **kwargs: Any) -> tuple[int, str, str]:
    with pytest.raises(APIError) as caught:
        call(verb, *args, **kwargs)
    error = caught.value
    return error.status_code, error.code or "", error.detail["sandbox"]["id"]


def base(client: Any) -> Any:
    return client.v3["combine-transactions"]


def whole(client: Any) -> Any:
    return base(client)["out-trade-no"]._combine_out_trade_no_


@forms
def test_every_form_is_ordered_paid_and_shown(
    gateway: Gateway, call: Any, form: str
) -> None:
    name, trade_type = TOKENS[form]
    client = gateway.client(check="strict")
    reply = call(base(client)[form].post, order(gateway, form))
    assert list(reply.data) == [name]
    node = whole(client)
    before = call(node.get, combine_out_trade_no="WHOLE-1")
    assert [one["trade_state"] for one in before["sub_orders"]] == ["NOTPAY"] * 2
    gateway.user.pay(reply[name])
    after = call(node.get, combine_out_trade_no="WHOLE-1")
    ids = [gateway.payments[part].transaction_id for part in ("PART-1", "PART-2")]
    assert after.data == {
        "combine_appid": gateway.appid,
        "combine_mchid": gateway.mchid,
        "combine_out_trade_no": "WHOLE-1",
        "combine_transaction_id": gateway.combined["WHOLE-1"].transaction_id,
        "combine_payer_info": {"openid": OPENID},
        **({"scene_info": {"device_id": "WEB-1"}} if form == "h5" else {}),
        "sub_orders": [
            {
                "mchid": gateway.mchid,
                "sub_mchid": gateway.sub_mchid,
                "out_trade_no": number,
                "transaction_id": transaction_id,
                "trade_type": trade_type,
                "trade_state": "SUCCESS",
                "bank_type": "OTHERS",
                "attach": number.lower(),
                "success_time": "2024-06-01T15:00:00+08:00",
                "amount": {
                    "total_amount": fen,
                    "currency": "CNY",
                    "payer_amount": fen,
                    "payer_currency": "CNY",
                },
            }
            for number, transaction_id, fen in zip(
                ("PART-1", "PART-2"), ids, (100, 250)
            )
        ],
    }
    assert len({*ids, after["combine_transaction_id"]}) == 3
    operation = find("GET", str(node))
    assert operation is not None
    assert operation.answer is not None
    assert list(check_value(operation.answer, after.data, "")) == []


def test_one_notification_tells_of_all_parts(gateway: Gateway, call: Any) -> None:
    scene = {"payer_client_ip": "127.0.0.1", "device_id": "POS-1"}
    body = order(gateway, scene_info=scene)
    call(base(gateway.client()).native.post, body)
    gateway.user.pay("WHOLE-1")
    [notice] = gateway.outbox
    assert notice.event_type == "TRANSACTION.SUCCESS"
    assert (notice.original_type, notice.mchid) == ("transaction", gateway.mchid)
    shown = call(whole(gateway.client()).get, combine_out_trade_no="WHOLE-1")
    assert notice.resource == shown.data
    assert notice.resource["scene_info"] == {"device_id": "POS-1"}


def test_each_part_is_refunded_by_itself(gateway: Gateway, call: Any) -> None:
    client = gateway.client()
    call(base(client).native.post, order(gateway))
    gateway.user.pay("WHOLE-1")
    body = gateway.given.refund_body("PART-2")
    call(client.v3.refund.domestic.refunds.post, body)
    shown = call(whole(client).get, combine_out_trade_no="WHOLE-1")
    states = [one["trade_state"] for one in shown["sub_orders"]]
    assert states == ["SUCCESS", "REFUND"]
    assert gateway.combined["WHOLE-1"].state == "SUCCESS"


def test_parts_may_belong_to_several_merchants(gateway: Gateway, call: Any) -> None:
    gateway.enrol("1900000002", sub_mchids=["1900000208"])
    other = {"mchid": "1900000002", "sub_mchid": "1900000208"}
    # Numbers are unique per merchant, so both parts may have the same.
    parts = [sub(gateway, "PART-1"), sub(gateway, "PART-1", **other)]
    call(base(gateway.client()).native.post, order(gateway, sub_orders=parts))
    gateway.user.pay("WHOLE-1")
    assert gateway.payments["PART-1"].state == "SUCCESS"
    assert gateway.payments["1900000002", "PART-1"].state == "SUCCESS"


# What may be ordered.

BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"combine_out_trade_no": "short"}, "/combine_out_trade_no"),
    ({"notify_url": "http://m.example/"}, "/notify_url"),
    ({"sub_orders": []}, "/sub_orders"),
    ({"time_expire": "tomorrow"}, "/time_expire"),
]
BROKEN_PART: list[tuple[dict[str, Any], str]] = [
    ({"out_trade_no": "short"}, "/out_trade_no"),
    ({"description": "字" * 128}, "/description"),
    ({"amount": {"total_amount": 0, "currency": "CNY"}}, "/amount/total_amount"),
    ({"amount": {"total_amount": 1, "currency": "USD"}}, "/amount/currency"),
    ({"out_trade_no": "PART-1"}, "/out_trade_no"),
]


def problems(call: Any, verb: Any, body: Any) -> set[str]:
    with pytest.raises(APIError) as caught:
        call(verb, body)
    assert caught.value.code == "PARAM_ERROR"
    return {one["field"] for one in caught.value.detail["sandbox"]["problems"]}


@pytest.mark.parametrize(("changes", "place"), BROKEN)
def test_an_order_that_breaks_a_rule_names_the_field(
    gateway: Gateway, call: Any, changes: dict[str, Any], place: str
) -> None:
    native = base(gateway.client(check="off")).native
    assert problems(call, native.post, order(gateway, **changes)) == {place}
    assert len(gateway.combined) == len(gateway.payments) == 0


@pytest.mark.parametrize(("changes", "place"), BROKEN_PART)
def test_a_part_that_breaks_a_rule_names_the_field(
    gateway: Gateway, call: Any, changes: dict[str, Any], place: str
) -> None:
    parts = [sub(gateway, "PART-1"), sub(gateway, **{"number": "PART-2", **changes})]
    if "out_trade_no" in changes:
        parts[1]["out_trade_no"] = changes["out_trade_no"]
    body = order(gateway, sub_orders=parts)
    found = problems(call, base(gateway.client(check="off")).native.post, body)
    assert found == {f"/sub_orders/1{place}"}
    assert len(gateway.payments) == 0


@pytest.mark.parametrize(("many", "accepted"), [(50, True), (51, False)])
def test_fifty_parts_at_most(
    gateway: Gateway, call: Any, many: int, accepted: bool
) -> None:
    parts = [sub(gateway, f"PART-{number}") for number in range(many)]
    native = base(gateway.client(check="off")).native
    body = order(gateway, sub_orders=parts)
    if accepted:
        call(native.post, body)
        assert len(gateway.payments) == many
    else:
        assert problems(call, native.post, body) == {"/sub_orders"}


def test_jsapi_and_h5_need_what_they_need_alone(gateway: Gateway, call: Any) -> None:
    node = base(gateway.client(check="off"))
    body = order(gateway, "jsapi", combine_payer_info={})
    assert problems(call, node.jsapi.post, body) == {"/combine_payer_info/openid"}
    body = order(gateway, "h5")
    body["scene_info"]["h5_info"]["type"] = "Windows"
    assert problems(call, node.h5.post, body) == {"/scene_info/h5_info/type"}


@pytest.mark.parametrize(
    ("where", "changes", "expected"),
    [
        ("whole", {"combine_mchid": "1999999999"}, (400, "MCH_NOT_EXISTS")),
        ("whole", {"combine_mchid": "1900000002"}, (403, "NO_AUTH")),
        ("whole", {"combine_appid": "wx1"}, (400, "APPID_MCHID_NOT_MATCH")),
        ("part", {"mchid": "1999999999"}, (400, "MCH_NOT_EXISTS")),
        ("part", {"sub_mchid": "1900000110"}, (403, "NO_AUTH")),
    ],
)
def test_who_orders_must_be_known(
    gateway: Gateway, call: Any, where: str, changes: Any, expected: tuple[int, str]
) -> None:
    gateway.enrol("1900000002")
    body = order(gateway)
    (body if where == "whole" else body["sub_orders"][1]).update(changes)
    assert refused(call, base(gateway.client()).native.post, body)[:2] == expected
    assert len(gateway.combined) == len(gateway.payments) == 0


@pytest.mark.parametrize("validation", ["strict", "warn", "off"])
def test_a_part_twice_is_refused_whatever_is_let_pass(
    gateway: Gateway, call: Any, validation: str
) -> None:
    gateway.validation.mode = validation
    parts = [sub(gateway, "PART-1"), sub(gateway, "PART-1")]
    body = order(gateway, sub_orders=parts, surplus="x")
    found = problems(call, base(gateway.client(check="off")).native.post, body)
    assert "/sub_orders/1/out_trade_no" in found
    assert ("/surplus" in found) is (validation == "strict")
    assert len(gateway.payments) == 0


# Again, and side by side with single payments.


@pytest.mark.parametrize(
    ("state", "same", "changed"),
    [
        ("NOTPAY", "ok", "INVALID_REQUEST"),
        ("SUCCESS", "ORDER_PAID", "OUT_TRADE_NO_USED"),
        ("CLOSED", "ORDER_CLOSED", "ORDER_CLOSED"),
    ],
)
def test_ordering_again(
    gateway: Gateway, call: Any, state: str, same: str, changed: str
) -> None:
    client = gateway.client()
    native, body = base(client).native, order(gateway)
    first = call(native.post, body)
    if state == "SUCCESS":
        gateway.user.pay("WHOLE-1")
    elif state == "CLOSED":
        parts = close_body(gateway, "PART-1", "PART-2")
        call(whole(client).close.post, parts, combine_out_trade_no="WHOLE-1")
    if same == "ok":
        assert call(native.post, body)["code_url"] != first["code_url"]
    else:
        assert refused(call, native.post, body)[1] == same
    body["sub_orders"][0]["amount"]["total_amount"] += 1
    assert refused(call, native.post, body)[1] == changed
    assert gateway.combined["WHOLE-1"].state == state


def test_a_number_of_a_part_that_is_taken_leaves_nothing_behind(
    gateway: Gateway, call: Any
) -> None:
    gateway.given.payment(out_trade_no="PART-2")
    got = refused(call, base(gateway.client()).native.post, order(gateway))
    assert got == (403, "OUT_TRADE_NO_USED", "repeated_differently")
    assert len(gateway.combined) == 0
    assert len(gateway.payments) == 1


def test_a_part_is_not_ordered_paid_or_closed_alone(
    gateway: Gateway, call: Any
) -> None:
    client = gateway.client()
    call(base(client).native.post, order(gateway))
    single = client.v3.pay.partner.transactions
    body = gateway.given.payment_body("native", partner=True, out_trade_no="PART-1")
    assert refused(call, single.native.post, body)[:2] == (400, "INVALID_REQUEST")
    own = {"sp_mchid": gateway.mchid, "sub_mchid": gateway.sub_mchid}
    close = single["out-trade-no"]._out_trade_no_.close
    got = refused(call, close.post, own, out_trade_no="PART-1")
    assert got == (400, "INVALID_REQUEST", "part_of_combined")
    for act in (gateway.user.pay, gateway.user.fail):
        with pytest.raises(IllegalMove, match="combined order only"):
            act("PART-1")
    assert gateway.user.fail("WHOLE-1").state == "NOTPAY"


# Query and close.


def test_close_closes_every_part_and_again_so(gateway: Gateway, call: Any) -> None:
    client = gateway.client()
    call(base(client).native.post, order(gateway))
    body = close_body(gateway, "PART-2", "PART-1")
    for _ in range(2):
        reply = call(whole(client).close.post, body, combine_out_trade_no="WHOLE-1")
        assert (reply.status_code, reply.verified) == (204, True)
    assert [one.state for one in gateway.payments] == ["CLOSED", "CLOSED"]
    with pytest.raises(IllegalMove, match="CLOSED"):
        gateway.user.pay("WHOLE-1")


@pytest.mark.parametrize(
    "numbers", [("PART-1",), ("PART-1", "PART-3"), ("PART-1", "PART-2", "PART-3")]
)
def test_close_names_every_part(
    gateway: Gateway, call: Any, numbers: tuple[str, ...]
) -> None:
    client = gateway.client()
    call(base(client).native.post, order(gateway))
    close = whole(client).close
    with pytest.raises(APIError) as caught:
        call(close.post, close_body(gateway, *numbers), combine_out_trade_no="WHOLE-1")
    assert caught.value.code == "PARAM_ERROR"
    assert gateway.combined["WHOLE-1"].state == "NOTPAY"


def test_close_needs_the_appid_of_the_order(gateway: Gateway, call: Any) -> None:
    client = gateway.client()
    call(base(client).native.post, order(gateway))
    body = {**close_body(gateway, "PART-1", "PART-2"), "combine_appid": "wx1"}
    got = refused(call, whole(client).close.post, body, combine_out_trade_no="WHOLE-1")
    assert got == (400, "APPID_MCHID_NOT_MATCH", "appid_differs")


def test_a_paid_order_is_not_closed(gateway: Gateway, call: Any) -> None:
    client = gateway.client()
    call(base(client).native.post, order(gateway))
    gateway.user.pay("WHOLE-1")
    body = close_body(gateway, "PART-1", "PART-2")
    got = refused(call, whole(client).close.post, body, combine_out_trade_no="WHOLE-1")
    assert got == (400, "ORDER_PAID", "state")


def test_what_is_not_there_does_not_exist(gateway: Gateway, call: Any) -> None:
    client = gateway.client()
    call(base(client).native.post, order(gateway))
    stranger = gateway.client(**gateway.enrol("1900000002"))
    body = close_body(gateway, "PART-1", "PART-2")
    for asks, number in ((client, "WHOLE-9"), (stranger, "WHOLE-1")):
        node = whole(asks)
        for got in (
            refused(call, node.get, combine_out_trade_no=number),
            refused(call, node.close.post, body, combine_out_trade_no=number),
        ):
            assert got == (404, "ORDER_NOT_EXIST", "payment_unknown")


def test_what_nobody_pays_is_closed_with_all_parts(gateway: Gateway, call: Any) -> None:
    call(base(gateway.client()).native.post, order(gateway))
    gateway.advance(7 * DAY - 1)
    assert gateway.combined["WHOLE-1"].state == "NOTPAY"
    gateway.advance(1)
    states = [gateway.combined["WHOLE-1"].state, *(p.state for p in gateway.payments)]
    assert states == ["CLOSED"] * 3


def test_a_token_of_a_combined_order_expires_too(gateway: Gateway, call: Any) -> None:
    reply = call(base(gateway.client()).h5.post, order(gateway, "h5"))
    gateway.advance(301)
    for named in (reply["h5_url"], "WHOLE-1"):
        with pytest.raises(IllegalMove, match="order again"):
            gateway.user.pay(named)
