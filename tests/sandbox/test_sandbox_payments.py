"""Base payment: order, query, close, tokens, times and notifications (payscore 10)."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

import pytest

from wechatpay_chain import APIError
from wechatpay_chain.catalogue import find
from wechatpay_chain.catalogue.schema import check_value
from wechatpay_chain.sandbox import Gateway, IllegalMove

HOUR, DAY = 3600, 24 * 3600
FORMS = {
    "jsapi": ("prepay_id", "JSAPI", r"wx[0-9]{14}[0-9a-f]{20}"),
    "app": ("prepay_id", "APP", r"wx[0-9]{14}[0-9a-f]{20}"),
    "native": ("code_url", "NATIVE", r"weixin://wxpay/bizpayurl/up\?pr=[\w-]+"),
    "h5": ("h5_url", "MWEB", r"https://wx\.tenpay\.com/\S+prepay_id=wx\S+&package=\d+"),
}
roles = pytest.mark.parametrize("partner", [False, True], ids=["direct", "partner"])
forms = pytest.mark.parametrize("form", FORMS)


def base(client: Any, partner: bool) -> Any:
    return client.v3.pay.partner.transactions if partner else client.v3.pay.transactions


def own(gateway: Gateway, partner: bool) -> dict[str, str]:
    if partner:
        return {"sp_mchid": gateway.mchid, "sub_mchid": gateway.sub_mchid}
    return {"mchid": gateway.mchid}


def refused(call: Any, verb: Any, *args: Any, **kwargs: Any) -> tuple[int, str, str]:
    with pytest.raises(APIError) as caught:
        call(verb, *args, **kwargs)
    error = caught.value
    return error.status_code, error.code or "", error.detail["sandbox"]["id"]


@roles
@forms
def test_every_form_is_ordered_paid_and_shown(
    gateway: Gateway, call: Any, form: str, partner: bool
) -> None:
    name, trade_type, pattern = FORMS[form]
    node = base(gateway.client(check="strict"), partner)
    body = gateway.given.payment_body(form, partner=partner, out_trade_no="ORDER-1")
    reply = call(node[form].post, body)
    assert reply.status_code == 200
    assert reply.verified
    assert list(reply.data) == [name]
    assert re.fullmatch(pattern, reply[name])
    gateway.user.pay(reply[name])
    number = node["out-trade-no"]._out_trade_no_
    shown = call(number.get, own(gateway, partner), out_trade_no="ORDER-1")
    assert (shown["trade_state"], shown["trade_type"]) == ("SUCCESS", trade_type)
    by_id = call(
        node.id._transaction_id_.get,
        own(gateway, partner),
        transaction_id=shown["transaction_id"],
    )
    assert by_id.data == shown.data
    operation = find("GET", str(number))
    assert operation is not None
    assert operation.answer is not None
    assert [one.problem for one in check_value(operation.answer, shown.data, "")] == []


@roles
def test_a_transaction_names_its_parties_by_role(
    gateway: Gateway, call: Any, partner: bool
) -> None:
    number = gateway.given.payment("SUCCESS", partner=partner, attach="a=1")
    node = base(gateway.client(), partner)["out-trade-no"]._out_trade_no_
    shown = call(node.get, own(gateway, partner), out_trade_no=number).data
    payment = gateway.payments[number]
    parties = (
        {
            "sp_mchid": gateway.mchid,
            "sp_appid": gateway.appid,
            "sub_mchid": gateway.sub_mchid,
            "payer": {"sp_openid": payment.openid},
        }
        if partner
        else {
            "mchid": gateway.mchid,
            "appid": gateway.appid,
            "payer": {"openid": payment.openid},
        }
    )
    assert shown == {
        **parties,
        "out_trade_no": number,
        "transaction_id": payment.transaction_id,
        "trade_type": "JSAPI",
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "bank_type": "OTHERS",
        "attach": "a=1",
        "success_time": "2024-06-01T15:00:00+08:00",
        "description": "共享充电宝",
        "notify_url": "https://merchant.example/notify",
        "amount": {
            "total": 100,
            "currency": "CNY",
            "payer_total": 100,
            "payer_currency": "CNY",
        },
    }
    assert re.fullmatch(r"4200\d{6}20240601\d{10}", shown["transaction_id"])


def test_an_unpaid_payment_shows_no_transaction(gateway: Gateway, call: Any) -> None:
    number = gateway.given.payment()
    node = gateway.client().v3.pay.transactions["out-trade-no"]._out_trade_no_
    shown = call(node.get, own(gateway, False), out_trade_no=number).data
    assert shown["trade_state"] == "NOTPAY"
    assert shown["amount"] == {"total": 100, "currency": "CNY"}
    absent = {"transaction_id", "payer", "success_time", "bank_type"}
    assert absent.isdisjoint(shown)


def test_a_partner_may_name_the_payer_under_either_appid(
    gateway: Gateway, call: Any
) -> None:
    jsapi = gateway.client().v3.pay.partner.transactions.jsapi
    body = gateway.given.payment_body(
        partner=True,
        out_trade_no="ORDER-1",
        sub_appid="wx0000000000000109",
        payer={"sub_openid": "user-of-the-shop"},
    )
    call(jsapi.post, body)
    gateway.user.pay("ORDER-1")
    [notice] = gateway.outbox
    assert notice.resource["payer"] == {"sub_openid": "user-of-the-shop"}
    assert notice.resource["sub_appid"] == "wx0000000000000109"


@roles
def test_payment_is_told_once_with_the_documented_plaintext(
    gateway: Gateway, partner: bool, vectors: dict[str, Any]
) -> None:
    number = gateway.given.payment(partner=partner)
    gateway.user.fail(number)
    assert len(gateway.outbox) == 0
    gateway.user.pay(number)
    [notice] = gateway.outbox
    assert (notice.event_type, notice.original_type) == (
        "TRANSACTION.SUCCESS",
        "transaction",
    )
    assert (notice.mchid, notice.url, notice.summary) == (
        gateway.mchid,
        "https://merchant.example/notify",
        "支付成功",
    )
    told = dict(notice.resource)
    if partner:
        assert told.pop("sp_mchid") == gateway.mchid
        assert told.pop("sub_mchid") == gateway.sub_mchid
        told["mchid"], told["appid"] = "", told.pop("sp_appid")
        told["payer"] = {"openid": told["payer"]["sp_openid"]}
    assert _shape(told) == {
        "mchid": "str",
        "appid": "str",
        "out_trade_no": "str",
        "transaction_id": "str",
        "trade_type": "str",
        "trade_state": "str",
        "trade_state_desc": "str",
        "bank_type": "str",
        "attach": "str",
        "success_time": "str",
        "payer": {"openid": "str"},
        "amount": {
            "total": "int",
            "payer_total": "int",
            "currency": "str",
            "payer_currency": "str",
        },
    }


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(one) for name, one in value.items()}
    return type(value).__name__


# What may be ordered.

BROKEN = {
    "number too short": ({"out_trade_no": "A1234"}, "/out_trade_no"),
    "number too long": ({"out_trade_no": "A" * 33}, "/out_trade_no"),
    "number with a blank": ({"out_trade_no": "ORDER 1"}, "/out_trade_no"),
    "number in Chinese": ({"out_trade_no": "订单订单订单"}, "/out_trade_no"),
    "description of 128": ({"description": "字" * 128}, "/description"),
    "attach of 129": ({"attach": "字" * 129}, "/attach"),
    "goods_tag of 33": ({"goods_tag": "x" * 33}, "/goods_tag"),
    "notify_url with a query": (
        {"notify_url": "https://m.example/?a=1"},
        "/notify_url",
    ),
    "notify_url without TLS": ({"notify_url": "http://m.example/"}, "/notify_url"),
    "no money": ({"amount": {"total": 0}}, "/amount/total"),
    "yuan": ({"amount": {"total": 1.5}}, "/amount/total"),
    "dollars": ({"amount": {"total": 1, "currency": "USD"}}, "/amount/currency"),
    "no such time": ({"time_expire": "2024-13-01T00:00:00+08:00"}, "/time_expire"),
    "time without zone": ({"time_expire": "2024-06-02T00:00:00"}, "/time_expire"),
}


@roles
@pytest.mark.parametrize("name", BROKEN)
def test_an_order_that_breaks_a_rule_names_the_field(
    gateway: Gateway, call: Any, partner: bool, name: str
) -> None:
    changes, place = BROKEN[name]
    body = gateway.given.payment_body("native", partner=partner, **changes)
    with pytest.raises(APIError) as caught:
        call(base(gateway.client(check="off"), partner).native.post, body)
    error = caught.value
    assert (error.status_code, error.code) == (400, "PARAM_ERROR")
    assert {one["field"] for one in error.detail["sandbox"]["problems"]} == {place}
    assert len(gateway.payments) == 0


ACCEPTED = [
    {"out_trade_no": "A-_|*1"},
    {"out_trade_no": "A" * 32},
    {"description": "字" * 127},
    {"attach": "字" * 128},
    {"attach": ""},
    {"goods_tag": "x" * 32},
    {"notify_url": "http://127.0.0.1:8000/notify"},
    {"amount": {"total": 1}},
]


@pytest.mark.parametrize("changes", ACCEPTED, ids=str)
def test_limits_are_inclusive(
    gateway: Gateway, call: Any, changes: dict[str, Any]
) -> None:
    body = gateway.given.payment_body("native", **changes)
    client = gateway.client(check="off")
    assert call(client.v3.pay.transactions.native.post, body).status_code == 200


@roles
@pytest.mark.parametrize(
    ("scene", "place"),
    [
        ({"h5_info": {"type": "Wap"}}, "/scene_info/payer_client_ip"),
        ({"payer_client_ip": "127.0.0.1"}, "/scene_info/h5_info"),
        (
            {"payer_client_ip": "127.0.0.1", "h5_info": {"app_name": "x"}},
            "/scene_info/h5_info/type",
        ),
        (
            {"payer_client_ip": "127.0.0.1", "h5_info": {"type": "Windows"}},
            "/scene_info/h5_info/type",
        ),
    ],
)
def test_h5_says_from_where_and_in_what(
    gateway: Gateway, call: Any, partner: bool, scene: dict[str, Any], place: str
) -> None:
    body = gateway.given.payment_body("h5", partner=partner, scene_info=scene)
    with pytest.raises(APIError) as caught:
        call(base(gateway.client(check="off"), partner).h5.post, body)
    problems = caught.value.detail["sandbox"]["problems"]
    assert [one["field"] for one in problems] == [place]


@pytest.mark.parametrize(
    ("payer", "place"),
    [({}, "/payer/sp_openid"), ({"sub_openid": "u"}, "/sub_appid")],
)
def test_a_partner_jsapi_order_needs_an_openid_and_its_appid(
    gateway: Gateway, call: Any, payer: dict[str, str], place: str
) -> None:
    body = gateway.given.payment_body(partner=True, payer=payer)
    with pytest.raises(APIError) as caught:
        call(gateway.client(check="off").v3.pay.partner.transactions.jsapi.post, body)
    problems = caught.value.detail["sandbox"]["problems"]
    assert [one["field"] for one in problems] == [place]


STRANGERS = [
    (False, {"mchid": "1999999999"}, (400, "MCH_NOT_EXISTS", "mchid_unknown")),
    (False, {"mchid": "1900000002"}, (403, "NO_AUTH", "mchid_differs")),
    (False, {"appid": "wx1"}, (400, "APPID_MCHID_NOT_MATCH", "appid_unknown")),
    (True, {"sp_mchid": "1999999999"}, (400, "MCH_NOT_EXISTS", "mchid_unknown")),
    (True, {"sp_mchid": "1900000002"}, (403, "NO_AUTH", "mchid_differs")),
    (True, {"sp_appid": "wx1"}, (400, "APPID_MCHID_NOT_MATCH", "appid_unknown")),
    (True, {"sub_mchid": "1900000110"}, (403, "NO_AUTH", "sub_mchid_unknown")),
]


@pytest.mark.parametrize(("partner", "changes", "expected"), STRANGERS)
def test_who_orders_must_be_known(
    gateway: Gateway, call: Any, partner: bool, changes: dict[str, str], expected: Any
) -> None:
    gateway.enrol("1900000002")
    body = gateway.given.payment_body("native", partner=partner, **changes)
    got = refused(call, base(gateway.client(), partner).native.post, body)
    assert got == expected
    assert len(gateway.payments) == 0


# Ordering again.

CHANGES: list[dict[str, Any]] = [
    {"amount": {"total": 101, "currency": "CNY"}},
    {"description": "别的"},
    {"notify_url": "https://merchant.example/other"},
    {"time_expire": "2024-06-02T00:00:00+08:00"},
    {"attach": "x"},
]
STATES = ("NOTPAY", "SUCCESS", "REFUND", "CLOSED")
states = pytest.mark.parametrize("state", STATES)
SAME = {
    "NOTPAY": (200, "ok"),
    "SUCCESS": (400, "ORDER_PAID"),
    "REFUND": (400, "ORDER_PAID"),
    "CLOSED": (400, "ORDER_CLOSED"),
}
CHANGED = {
    "NOTPAY": (400, "INVALID_REQUEST"),
    "SUCCESS": (403, "OUT_TRADE_NO_USED"),
    "REFUND": (403, "OUT_TRADE_NO_USED"),
    "CLOSED": (400, "ORDER_CLOSED"),
}


@roles
@states
def test_the_same_order_again(
    gateway: Gateway, call: Any, partner: bool, state: str
) -> None:
    gateway.given.payment(state, partner=partner, out_trade_no="ORDER-1")
    body = gateway.given.payment_body(partner=partner, out_trade_no="ORDER-1")
    jsapi = base(gateway.client(), partner).jsapi
    if state == "NOTPAY":
        one, two = call(jsapi.post, body), call(jsapi.post, body)
        assert one["prepay_id"] != two["prepay_id"]
        assert len(gateway.payments) == 1
    else:
        assert refused(call, jsapi.post, body)[:2] == SAME[state]
    assert gateway.payments["ORDER-1"].state == state


@states
@pytest.mark.parametrize("changes", CHANGES, ids=lambda one: next(iter(one)))
def test_another_order_under_the_same_number(
    gateway: Gateway, call: Any, state: str, changes: dict[str, Any]
) -> None:
    gateway.given.payment(state, out_trade_no="ORDER-1")
    body = gateway.given.payment_body(out_trade_no="ORDER-1", **changes)
    jsapi = gateway.client().v3.pay.transactions.jsapi
    assert refused(call, jsapi.post, body)[:2] == CHANGED[state]
    assert gateway.payments["ORDER-1"].amount == 100


def test_another_form_under_the_same_number_is_another_order(
    gateway: Gateway, call: Any
) -> None:
    body = gateway.given.payment_body("native", out_trade_no="ORDER-1")
    transactions = gateway.client().v3.pay.transactions
    call(transactions.native.post, body)
    got = refused(call, transactions.app.post, body)
    assert got == (400, "INVALID_REQUEST", "repeated_differently")


def test_numbers_are_unique_per_merchant(gateway: Gateway, call: Any) -> None:
    gateway.given.payment("SUCCESS", form="native", out_trade_no="ORDER-1")
    other = gateway.client(**gateway.enrol("1900000002"))
    body = gateway.given.payment_body(
        "native", out_trade_no="ORDER-1", mchid="1900000002"
    )
    call(other.v3.pay.transactions.native.post, body)
    assert gateway.payments["1900000002", "ORDER-1"].state == "NOTPAY"
    gateway.user.pay(("1900000002", "ORDER-1"))
    assert gateway.payments["1900000002", "ORDER-1"].state == "SUCCESS"


# Times.

LIVES = {"jsapi": 2 * HOUR, "app": 2 * HOUR, "native": 2 * HOUR, "h5": 300}


@forms
def test_a_token_lives_as_long_as_documented(
    gateway: Gateway, call: Any, form: str
) -> None:
    node = gateway.client().v3.pay.transactions[form]
    body = gateway.given.payment_body(form, out_trade_no="ORDER-1")
    old = next(iter(call(node.post, body).data.values()))
    gateway.advance(LIVES[form])
    gateway.user.fail(old)  # just in time
    gateway.advance(1)
    for named in (old, "ORDER-1"):
        with pytest.raises(IllegalMove, match="order again"):
            gateway.user.pay(named)
    new = next(iter(call(node.post, body).data.values()))
    with pytest.raises(IllegalMove, match="this token was over"):
        gateway.user.pay(old)
    assert gateway.user.pay(new).state == "SUCCESS"


#: What ``time_expire`` asks for and what it comes to, in seconds from the order.
EXPIRES = [
    (None, 7 * DAY),
    (-60, 60),
    (30, 60),
    (60, 60),
    (1800, 1800),
    (8 * DAY, 8 * DAY),
    (90 * DAY, 90 * DAY),
    (91 * DAY, 90 * DAY),
]


@pytest.mark.parametrize(("wanted", "comes_to"), EXPIRES)
def test_time_expire_is_the_latest_moment_to_pay(
    gateway: Gateway, call: Any, wanted: int | None, comes_to: int
) -> None:
    changes = {"out_trade_no": "ORDER-1"}
    if wanted is not None:
        changes["time_expire"] = _rfc3339(gateway.clock() + wanted)
    body = gateway.given.payment_body("native", **changes)
    native = gateway.client().v3.pay.transactions.native
    call(native.post, body)
    gateway.advance(comes_to - 1)
    token = call(native.post, body)["code_url"]
    assert gateway.user.fail(token).state == "NOTPAY"
    gateway.advance(2)
    with pytest.raises(
        IllegalMove,
        match=r"time_expire was over .* another number|cannot follow CLOSED",
    ):
        gateway.user.pay(token)


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()


@pytest.mark.parametrize(("expire", "days"), [(None, 7), (1800, 7), (30 * DAY, 30)])
def test_what_nobody_pays_is_closed_after_seven_days_or_when_it_may_be_paid_no_more(
    gateway: Gateway, expire: int | None, days: int
) -> None:
    changes = (
        {} if expire is None else {"time_expire": _rfc3339(gateway.clock() + expire)}
    )
    number = gateway.given.payment(**changes)
    gateway.advance(days * DAY - 1)
    assert gateway.payments[number].state == "NOTPAY"
    gateway.advance(1)
    assert gateway.payments[number].state == "CLOSED"
    assert gateway.payments[number].steps[-1].at == gateway.clock()


def test_a_paid_payment_is_not_closed_by_time(gateway: Gateway) -> None:
    number = gateway.given.payment("SUCCESS")
    gateway.advance(days=8)
    assert gateway.payments[number].state == "SUCCESS"


# Query and close.


@roles
@pytest.mark.parametrize("verb", ["by number", "by id", "close"])
def test_what_is_not_there_does_not_exist(
    gateway: Gateway, call: Any, partner: bool, verb: str
) -> None:
    node, mine = base(gateway.client(), partner), own(gateway, partner)
    number = node["out-trade-no"]._out_trade_no_
    calls = {
        "by number": lambda: refused(call, number.get, mine, out_trade_no="ORDER-9"),
        "by id": lambda: refused(
            call, node.id._transaction_id_.get, mine, transaction_id="42"
        ),
        "close": lambda: refused(call, number.close.post, mine, out_trade_no="ORDER-9"),
    }
    assert calls[verb]() == (404, "ORDER_NOT_EXIST", "payment_unknown")


@pytest.mark.parametrize("ordered_by_partner", [False, True])
def test_the_other_role_does_not_see_a_payment(
    gateway: Gateway, call: Any, ordered_by_partner: bool
) -> None:
    number = gateway.given.payment("SUCCESS", partner=ordered_by_partner)
    asks = not ordered_by_partner
    node, mine = base(gateway.client(), asks), own(gateway, asks)
    transaction_id = gateway.payments[number].transaction_id
    by_number = node["out-trade-no"]._out_trade_no_
    for got in (
        refused(call, by_number.get, mine, out_trade_no=number),
        refused(call, by_number.close.post, mine, out_trade_no=number),
        refused(
            call, node.id._transaction_id_.get, mine, transaction_id=transaction_id
        ),
    ):
        assert got == (404, "ORDER_NOT_EXIST", "payment_unknown")


def test_another_merchant_does_not_see_a_payment(gateway: Gateway, call: Any) -> None:
    number = gateway.given.payment("SUCCESS")
    other = gateway.client(**gateway.enrol("1900000002")).v3.pay.transactions
    mine = {"mchid": "1900000002"}
    by_number = other["out-trade-no"]._out_trade_no_
    transaction_id = gateway.payments[number].transaction_id
    for got in (
        refused(call, by_number.get, mine, out_trade_no=number),
        refused(
            call, other.id._transaction_id_.get, mine, transaction_id=transaction_id
        ),
    ):
        assert got == (404, "ORDER_NOT_EXIST", "payment_unknown")


@pytest.mark.parametrize("verb", ["query", "close"])
def test_whom_a_call_names_must_be_who_signed_it(
    gateway: Gateway, call: Any, verb: str
) -> None:
    number = gateway.given.payment()
    node = gateway.client().v3.pay.transactions["out-trade-no"]._out_trade_no_
    made = node.get if verb == "query" else node.close.post
    got = refused(call, made, {"mchid": "1900000002"}, out_trade_no=number)
    assert got == (403, "NO_AUTH", "mchid_differs")


@roles
def test_close_answers_204_and_again_so(
    gateway: Gateway, call: Any, partner: bool
) -> None:
    number = gateway.given.payment(partner=partner)
    close = base(gateway.client(), partner)["out-trade-no"]._out_trade_no_.close
    for _ in range(2):
        reply = call(close.post, own(gateway, partner), out_trade_no=number)
        assert (reply.status_code, reply.verified) == (204, True)
    assert gateway.payments[number].state == "CLOSED"
    with pytest.raises(IllegalMove, match="CLOSED"):
        gateway.user.pay(number)


# The user.


def test_a_jsapi_payment_is_paid_by_whom_it_names(gateway: Gateway) -> None:
    number = gateway.given.payment()
    with pytest.raises(IllegalMove, match="cannot pay it"):
        gateway.user.pay(number, openid="somebody-else")
    native = gateway.given.payment(form="native")
    gateway.user.pay(native, openid="somebody-else")
    assert gateway.payments[native].openid == "somebody-else"


def test_nothing_can_be_paid_twice(gateway: Gateway) -> None:
    number = gateway.given.payment()
    gateway.user.pay(number)
    for act in (gateway.user.pay, gateway.user.fail):
        with pytest.raises(IllegalMove, match="SUCCESS"):
            act(number)


@pytest.mark.parametrize("act", ["pay", "fail"])
def test_an_unknown_number_leads_the_user_nowhere(gateway: Gateway, act: str) -> None:
    with pytest.raises(
        (KeyError, IllegalMove), match=r"no (such |PayScore )?(order|payment)"
    ):
        getattr(gateway.user, act)("ORDER-9")


def test_one_number_of_an_order_and_a_payment(gateway: Gateway) -> None:
    gateway.given.order(state="PAYING", out_order_no="NUMBER-1")
    gateway.given.payment(out_trade_no="NUMBER-1")
    with pytest.raises(IllegalMove, match="by its token"):
        gateway.user.pay("NUMBER-1")
    gateway.given.payment("SUCCESS", out_trade_no="NUMBER-2")
    gateway.given.order(state="PAYING", out_order_no="NUMBER-2")
    assert gateway.user.pay("NUMBER-2") is gateway.orders["NUMBER-2"]


def test_money_of_another_product_is_found_by_its_transaction(
    gateway: Gateway, call: Any
) -> None:
    order = gateway.given.order(state="PAYING", total_amount=300)
    gateway.user.pay(order)
    [paid] = gateway.orders[order].paid
    node = gateway.client().v3.pay.transactions.id._transaction_id_
    shown = call(
        node.get, {"mchid": gateway.mchid}, transaction_id=paid["transaction_id"]
    )
    assert (shown["trade_state"], shown["amount"]["total"]) == ("SUCCESS", 300)


# Scenes.


@pytest.mark.parametrize("name", ["payment", "refund"])
def test_a_scene_says_which_states_there_are(gateway: Gateway, name: str) -> None:
    with pytest.raises(ValueError, match="CLOSED"):
        getattr(gateway.given, name)("PAID")


def test_a_scene_is_told_to_nobody_and_obeys_the_rules(gateway: Gateway) -> None:
    gateway.given.payment("REFUND")
    assert len(gateway.outbox) == 0
    with pytest.raises(IllegalMove, match="/out_trade_no"):
        gateway.given.payment(out_trade_no="short")


@pytest.mark.parametrize("name", ["payments", "refunds", "combined"])
def test_a_missing_record_is_a_key_error_that_names_it(
    gateway: Gateway, name: str
) -> None:
    records = getattr(gateway, name)
    assert "NUMBER-9" not in records
    assert len(records) == 0
    assert list(records) == []
    with pytest.raises(KeyError, match="NUMBER-9"):
        records["NUMBER-9"]


@pytest.mark.parametrize(
    ("partner", "given", "said"),
    [
        (True, {}, "without sub_mchid; give sub_mchid 1900000109"),
        (False, {"sub_mchid": "1900000109"}, "leave it out"),
    ],
)
@pytest.mark.parametrize("what", ["refund", "refund_query", "query", "close"])
def test_a_number_of_another_sub_merchant_says_which_to_give(
    gateway: Gateway, partner: bool, given: dict[str, str], said: str, what: str
) -> None:
    client = gateway.client(check="off")
    number = gateway.given.payment(partner=partner, state="SUCCESS")
    mine = {"sub_mchid": gateway.sub_mchid} if partner else {}
    refunds = client.v3.refund.domestic.refunds
    refund = {
        "out_trade_no": number,
        "out_refund_no": "REFUND-1",
        "amount": {
            "refund": 1,
            "total": gateway.payments[number].amount,
            "currency": "CNY",
        },
    }
    # A caller that gives sub_mchid asks as a partner.
    node = base(client, bool(given))["out-trade-no"]._out_trade_no_
    asked = {"sp_mchid": gateway.mchid, **given} if given else {"mchid": gateway.mchid}
    calls = {
        "refund": lambda: refunds.post({**refund, **given}),
        "refund_query": lambda: refunds._out_refund_no_.get(
            given, out_refund_no="REFUND-1"
        ),
        "query": lambda: node.get(asked, out_trade_no=number),
        "close": lambda: node.close.post(asked, out_trade_no=number),
    }
    if what == "refund_query":
        refunds.post({**refund, **mine})
    with pytest.raises(APIError) as caught:
        calls[what]()
    assert caught.value.status_code == 404
    assert said in str(caught.value)


def test_a_number_that_names_nothing_says_where_was_looked(gateway: Gateway) -> None:
    with pytest.raises(KeyError, match=r"gateway\.orders and gateway\.payments"):
        gateway.user.pay("NOPE")


def test_a_wrong_form_is_told_once(gateway: Gateway, call: Any) -> None:
    body = gateway.given.payment_body(description="x" * 128, out_trade_no="ORDER 1")
    with pytest.raises(APIError) as caught:
        call(base(gateway.client(check="off"), partner=False).jsapi.post, body)
    problems = caught.value.detail["sandbox"]["problems"]
    assert [(one["field"], one["rule"]) for one in problems] == [
        ("/description", "length"),
        ("/out_trade_no", "pattern"),
    ]
