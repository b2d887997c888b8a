"""APIv2 of the sandbox: one aggregate, two dialects."""

from __future__ import annotations

import gzip
import hashlib
import re
from datetime import date
from typing import Any

import pytest

from wechatpay_chain import (
    APIError,
    Headers,
    InvalidSignature,
    NotFound,
    Request,
    crypto,
)
from wechatpay_chain.middleware import xml_body
from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.sandbox.faults.calls import ErrorAnswer, WrongSignature
from wechatpay_chain.sandbox.v2.dialect import CERTIFICATE

NUMBER = "V2-ORDER-1"
REFUND = "V2-REFUND-1"


class Shop:
    """A merchant that still speaks APIv2."""

    def __init__(self, gateway: Gateway, call: Any) -> None:
        self.gateway = gateway
        self.call = call
        self.client = gateway.client(check="off")

    def post(self, path: str, **fields: Any) -> dict[str, str]:
        given = {"appid": self.gateway.appid, **fields}
        reply = self.call(self.client[f"v2/{path}"].post, given)
        assert reply.headers["Wechatpay-Sandbox"] == "stateful"
        assert reply.verified
        return dict(reply.data)

    def order(self, **changes: Any) -> dict[str, str]:
        fields = {
            "body": "共享 & <充电宝>",
            "out_trade_no": NUMBER,
            "total_fee": 100,
            "spbill_create_ip": "127.0.0.1",
            "notify_url": "https://merchant.example/v2",
            "trade_type": "APP",
        }
        return self.post("pay/unifiedorder", **{**fields, **changes})

    def refund(self, **changes: Any) -> dict[str, str]:
        fields = {
            "out_trade_no": NUMBER,
            "out_refund_no": REFUND,
            "total_fee": 100,
            "refund_fee": 40,
        }
        return self.post("secapi/pay/refund", **{**fields, **changes})

    def refused(self, path: str, **fields: Any) -> tuple[str, str]:
        """Code, or text of a failed communication, and our own id."""
        with pytest.raises(APIError) as caught:
            self.post(path, **fields)
        data = caught.value.response.data
        assert caught.value.status_code == 200
        return data.get("err_code", data["return_msg"]), data["sandbox_id"]


@pytest.fixture
def shop(gateway: Gateway, call: Any) -> Shop:
    return Shop(gateway, call)


def signed(gateway: Gateway, path: str, **fields: str) -> Request:
    """A request signed by hand."""
    given = {"mch_id": gateway.mchid, "appid": gateway.appid, "nonce_str": "n"}
    given.update(fields)
    text = "&".join(f"{name}={given[name]}" for name in sorted(given) if given[name])
    key = f"{text}&key={gateway.credentials['secret']}"
    given["sign"] = hashlib.md5(key.encode()).hexdigest().upper()
    body = "".join(f"<{name}>{one}</{name}>" for name, one in given.items())
    return raw(path, f"<xml>{body}</xml>".encode())


def raw(path: str, body: bytes, method: str = "POST", **headers: str) -> Request:
    return Request(method, f"https://sandbox.invalid{path}", Headers(headers), body)


def told(gateway: Gateway, request: Request) -> tuple[int, str, str]:
    """Status, text and our own id of a failed communication."""
    response = gateway.handle(request)
    data = xml_body.load(response.content)
    assert data["return_code"] == "FAIL"
    assert "sign" not in data
    return response.status_code, data["return_msg"], data["sandbox_id"]


# Orders.


@pytest.mark.parametrize(
    ("trade_type", "more", "answers"),
    [
        ("JSAPI", {"openid": "oUser1"}, set()),
        ("APP", {}, set()),
        ("NATIVE", {"product_id": "P1"}, {"code_url"}),
        ("MWEB", {"scene_info": '{"h5_info": {"type": "Wap"}}'}, {"mweb_url"}),
    ],
)
def test_an_order_leads_a_user_to_a_payment(
    shop: Shop, trade_type: str, more: dict[str, str], answers: set[str]
) -> None:
    made = shop.order(trade_type=trade_type, **more)
    assert made["trade_type"] == trade_type
    assert made["prepay_id"].startswith("wx2024")
    assert {"code_url", "mweb_url"} & made.keys() == answers
    token = next((made[name] for name in answers), made["prepay_id"])
    assert shop.gateway.user.pay(token).state == "SUCCESS"


@pytest.mark.parametrize(
    "changes",
    [
        {"trade_type": "JSAPI"},
        {"trade_type": "NATIVE"},
        {"trade_type": "MWEB"},
        {"trade_type": "FACE"},
        {"total_fee": 0},
        {"total_fee": "1.5"},
        {"out_trade_no": "no spaces"},
        {"fee_type": "USD"},
        {"time_expire": "2024-06-02T00:00:00+08:00"},
        {"time_expire": "20249901000000"},
        {"notify_url": "no url"},
    ],
)
def test_an_order_that_the_documents_forbid_is_refused(
    shop: Shop, changes: dict[str, Any]
) -> None:
    with pytest.raises(APIError) as caught:
        shop.order(**changes)
    assert caught.value.response.data["sandbox_id"] == "parameters"
    assert caught.value.response.data["return_msg"].startswith("参数错误")
    assert len(shop.gateway.payments) == 0


def test_what_is_ordered_by_one_api_is_there_for_the_other(
    shop: Shop, gateway: Gateway, call: Any
) -> None:
    shop.order(attach="v2")
    gateway.user.pay(NUMBER)
    path = f"v3/pay/transactions/out-trade-no/{NUMBER}"
    reply = call(shop.client[path].get, {"mchid": gateway.mchid})
    found = shop.post("pay/orderquery", out_trade_no=NUMBER)
    assert reply["trade_state"] == found["trade_state"] == "SUCCESS"
    assert reply["transaction_id"] == found["transaction_id"]
    assert (found["attach"], found["time_end"]) == ("v2", "20240601150000")
    assert (found["total_fee"], found["cash_fee"]) == ("100", "100")
    theirs = gateway.given.payment("SUCCESS")
    number = gateway.payments[theirs].transaction_id
    found = shop.post("pay/orderquery", transaction_id=number)
    assert found["out_trade_no"] == theirs


def test_money_of_payscore_is_found_by_its_transaction(
    shop: Shop, gateway: Gateway
) -> None:
    gateway.given.order(state="PAID")
    (receipt,) = gateway.ledger.receipts_on(date(2024, 6, 1), gateway.mchid)
    found = shop.post("pay/orderquery", transaction_id=receipt.transaction_id)
    assert (found["trade_state"], found["total_fee"]) == ("SUCCESS", "100")


def test_an_unpaid_order_has_no_time_nor_transaction(shop: Shop) -> None:
    shop.order(time_expire="20240601160000")
    found = shop.post("pay/orderquery", out_trade_no=NUMBER)
    assert (found["trade_state"], found["trade_state_desc"]) == ("NOTPAY", "订单未支付")
    assert not {"transaction_id", "time_end", "openid"} & found.keys()


def test_the_same_order_again_is_answered_and_another_one_is_not(shop: Shop) -> None:
    kind = {"sign_type": "HMAC-SHA256"}
    first, again = shop.order(**kind), shop.order(**kind)
    assert first["prepay_id"] != again["prepay_id"]
    assert len(first["sign"]) == len(again["sign"]) == 64
    assert len(shop.gateway.payments) == 1
    with pytest.raises(APIError) as caught:
        shop.order(total_fee=99, **kind)
    assert caught.value.code == "INVALID_REQUEST"


def test_an_order_lives_as_one_of_the_other_api(shop: Shop) -> None:
    shop.order()
    assert shop.post("pay/closeorder", out_trade_no=NUMBER)["result_msg"] == "OK"
    assert shop.gateway.payments[NUMBER].history == ["NOTPAY", "CLOSED"]
    with pytest.raises(APIError) as caught:
        shop.order()
    assert caught.value.code == "ORDERCLOSED"
    shop.order(out_trade_no="V2-2")
    shop.gateway.user.pay("V2-2")
    with pytest.raises(APIError) as caught:
        shop.order(out_trade_no="V2-2")
    assert caught.value.code == "ORDERPAID"
    assert shop.refused("pay/closeorder", out_trade_no="V2-2")[0] == "ORDERPAID"


def test_a_part_of_a_combined_order_is_closed_with_it_only(
    shop: Shop, gateway: Gateway, call: Any
) -> None:
    sub = {
        "mchid": gateway.mchid,
        "sub_mchid": gateway.sub_mchid,
        "attach": "a",
        "amount": {"total_amount": 5, "currency": "CNY"},
        "out_trade_no": NUMBER,
        "description": "a",
    }
    body = {
        "combine_appid": gateway.appid,
        "combine_mchid": gateway.mchid,
        "combine_out_trade_no": "COMBINED-1",
        "notify_url": "https://merchant.example/n",
        "sub_orders": [sub],
    }
    call(shop.client.v3.combineTransactions.native.post, body)
    expected = ("INVALID_REQUEST", "part_of_combined")
    mine = {"sub_mch_id": gateway.sub_mchid}
    assert shop.refused("pay/closeorder", out_trade_no=NUMBER, **mine) == expected


def test_a_partner_acts_for_a_sub_merchant(shop: Shop, gateway: Gateway) -> None:
    mine = {"sub_mch_id": gateway.sub_mchid}
    shop.order(**mine)
    gateway.user.pay(NUMBER)
    assert gateway.payments[NUMBER].sub_mchid == gateway.sub_mchid
    found = shop.post("pay/orderquery", out_trade_no=NUMBER, **mine)
    assert found["sub_mch_id"] == gateway.sub_mchid
    unknown = ("ORDERNOTEXIST", "payment_unknown")
    assert shop.refused("pay/orderquery", out_trade_no=NUMBER) == unknown
    other = shop.refused("pay/closeorder", out_trade_no=NUMBER, sub_mch_id="1")
    assert other == ("NOAUTH", "sub_mchid_unknown")
    appid = shop.refused("pay/orderquery", out_trade_no=NUMBER, appid="wx0")
    assert appid == ("APPID_MCHID_NOT_MATCH", "appid_unknown")
    assert shop.refund(**mine)["refund_fee"] == "40"


# Refunds.


def test_a_refund_is_one_of_the_other_api(
    shop: Shop, gateway: Gateway, call: Any
) -> None:
    shop.order()
    gateway.user.pay(NUMBER)
    made = shop.refund()
    assert (made["refund_fee"], made["total_fee"]) == ("40", "100")
    assert shop.refund()["refund_id"] == made["refund_id"]
    gateway.advance(minutes=1)
    path = f"v3/refund/domestic/refunds/{REFUND}"
    reply = call(shop.client[path].get)
    assert (reply["refund_id"], reply["status"]) == (made["refund_id"], "SUCCESS")
    assert gateway.payments[NUMBER].state == "REFUND"


@pytest.mark.parametrize(
    "name", ["transaction_id", "out_trade_no", "out_refund_no", "refund_id"]
)
def test_a_refund_is_found_by_any_of_four_numbers(
    shop: Shop, gateway: Gateway, name: str
) -> None:
    shop.order()
    gateway.user.pay(NUMBER)
    made = shop.refund()
    found = shop.post("pay/refundquery", **{name: made[name]})
    assert found["refund_count"] == "1"
    assert found["out_refund_no_0"] == REFUND
    assert found["refund_status_0"] == "PROCESSING"
    assert "refund_success_time_0" not in found


@pytest.mark.parametrize(
    ("state", "status"),
    [("SUCCESS", "SUCCESS"), ("ABNORMAL", "CHANGE"), ("CLOSED", "REFUNDCLOSE")],
)
def test_states_of_refunds_have_names_of_their_own(
    shop: Shop, gateway: Gateway, state: str, status: str
) -> None:
    number = gateway.given.refund(state)
    found = shop.post("pay/refundquery", out_refund_no=number)
    assert found["refund_status_0"] == status
    assert ("refund_success_time_0" in found) is (state == "SUCCESS")


def test_many_refunds_come_ten_at_a_time(shop: Shop, gateway: Gateway) -> None:
    shop.order()
    gateway.user.pay(NUMBER)
    for number in range(12):
        shop.refund(out_refund_no=f"R{number}", refund_fee=1)
        gateway.advance(minutes=1)
    first = shop.post("pay/refundquery", out_trade_no=NUMBER)
    assert (first["refund_count"], first["total_refund_count"]) == ("10", "12")
    rest = shop.post("pay/refundquery", out_trade_no=NUMBER, offset=10)
    assert (rest["refund_count"], rest["out_refund_no_1"]) == ("2", "R11")
    with pytest.raises(APIError, match="/offset: an integer from 0 up expected"):
        shop.post("pay/refundquery", out_trade_no=NUMBER, offset=-5)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"total_fee": 99, "refund_fee": 9}, "INVALID_REQUEST"),
        ({"out_trade_no": "V2-NONE"}, "ORDERNOTEXIST"),
        ({"refund_fee": 101}, "参数错误"),
        ({"out_trade_no": ""}, "参数错误"),
    ],
)
def test_a_refund_keeps_the_rules(
    shop: Shop, gateway: Gateway, changes: dict[str, Any], code: str
) -> None:
    shop.order()
    gateway.user.pay(NUMBER)
    with pytest.raises(APIError) as caught:
        shop.refund(**changes)
    data = caught.value.response.data
    assert (data.get("err_code") or data["return_msg"]).startswith(code)
    assert len(gateway.refunds) == 0


@pytest.mark.parametrize(
    "numbers", [{"refund_id": "5"}, {"out_refund_no": "R"}, {"out_trade_no": "V"}]
)
def test_a_refund_that_is_not_there_says_so(
    shop: Shop, numbers: dict[str, str]
) -> None:
    expected = ("REFUNDNOTEXIST", "refund_unknown")
    assert shop.refused("pay/refundquery", **numbers) == expected


# The client certificate.


def test_without_a_certificate_a_refund_is_noted(shop: Shop, gateway: Gateway) -> None:
    shop.order()
    gateway.user.pay(NUMBER)
    shop.refund()
    *_, exchange = gateway.journal
    assert "client certificate" in exchange.notes[0]


def test_where_it_is_required_a_client_must_have_one(
    shop: Shop, gateway: Gateway, call: Any, tmp_path: Any
) -> None:
    shop.order()
    gateway.user.pay(NUMBER)
    gateway.certificate_required = True
    expected = ("证书校验失败", "certificate_missing")
    fields = {"out_trade_no": NUMBER, "out_refund_no": REFUND}
    fields.update(total_fee="100", refund_fee="40")
    assert shop.refused("secapi/pay/refund", **fields) == expected
    request = signed(gateway, "/secapi/pay/refund", **fields)
    assert gateway.handle(request.replace(mutual=True)).status_code == 200
    assert REFUND in gateway.refunds


def test_a_door_may_tell_which_certificate_was_shown(
    shop: Shop, gateway: Gateway
) -> None:
    shop.order()
    gateway.user.pay(NUMBER)
    gateway.certificate_required = True
    fields = {"out_trade_no": NUMBER, "out_refund_no": REFUND}
    fields.update(total_fee="100", refund_fee="40")
    request = signed(gateway, "/secapi/pay/refund", **fields)
    wrong = request.with_header(CERTIFICATE, "5" * 40)
    assert told(gateway, wrong) == (200, "证书校验失败", "certificate_differs")
    serial = gateway.credentials["serial"].lower()
    gateway.handle(request.with_header(CERTIFICATE, serial))
    assert REFUND in gateway.refunds


# Bills.


@pytest.mark.parametrize("zipped", [False, True])
def test_a_bill_is_the_answer_itself(gateway: Gateway, call: Any, zipped: bool) -> None:
    number = gateway.given.payment("SUCCESS")
    gateway.advance(days=1)
    client = gateway.client()
    fields = {"appid": gateway.appid, "bill_date": "20240601"}
    if zipped:
        fields["tar_type"] = "GZIP"
    reply = call(client.v2.pay.downloadbill.post, fields)
    content = gzip.decompress(reply.content) if zipped else reply.content
    assert number in content.decode()
    assert not reply.verified
    fields.update(account_type="Basic", sign_type="HMAC-SHA256")
    fields.update(bill_date="20240601")
    reply = call(client.v2.pay.downloadfundflow.post, fields)
    content = gzip.decompress(reply.content) if zipped else reply.content
    assert "资金流水总笔数" in content.decode()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"bill_date": "20240531"}, ("No Bill Exist", "20002", "bill_empty")),
        ({"bill_date": "2024-5-1"}, ("请求不符合业务规则", "20001", "bill_date")),
        ({"bill_date": "20241301"}, ("请求不符合业务规则", "20001", "bill_date")),
        ({}, ("参数错误：/bill_date: required, and missing", "20001", "parameters")),
    ],
)
def test_a_bill_that_is_not_there_is_refused_in_its_own_form(
    gateway: Gateway, call: Any, fields: dict[str, str], expected: Any
) -> None:
    with pytest.raises(APIError) as caught:
        call(
            gateway.client().v2.pay.downloadbill.post,
            {"appid": gateway.appid, **fields},
        )
    data = caught.value.response.data
    assert data["return_code"] == "FAIL"
    found = (data["return_msg"], data["error_code"], data["sandbox_id"])
    assert found == expected


# What is wrong with a request.


def test_a_request_signed_by_hand_is_understood(gateway: Gateway) -> None:
    request = signed(gateway, "/pay/orderquery", out_trade_no="NONE")
    data = xml_body.load(gateway.handle(request).content)
    assert data["return_code"] == "SUCCESS"
    assert (data["result_code"], data["err_code"]) == ("FAIL", "ORDERNOTEXIST")
    assert crypto.verify_fields(data, gateway.credentials["secret"])


@pytest.mark.parametrize(
    ("change", "identifier"),
    [
        (lambda text: text.replace("<nonce_str>n", "<nonce_str>m"), "wrong_sign"),
        (lambda text: re.sub("<sign>.*</sign>", "", text), "sign_missing"),
        (
            lambda text: text.replace("<xml>", "<xml><sign_type>RSA</sign_type>"),
            "sign_type_unknown",
        ),
        (lambda text: re.sub("<sign>..", "<sign>", text), "sign_malformed"),
    ],
)
def test_a_wrong_sign_is_told_by_name(
    gateway: Gateway, change: Any, identifier: str
) -> None:
    request = signed(gateway, "/pay/orderquery", out_trade_no="NONE")
    request = request.replace(body=change(request.body.decode()).encode())
    assert told(gateway, request) == (200, "签名错误", identifier)
    assert gateway.credentials["secret"].encode() not in gateway.handle(request).content


def test_the_mistake_itself_is_named(gateway: Gateway, call: Any) -> None:
    client = gateway.client(secret=gateway.credentials["apiv3_key"])
    with pytest.raises(APIError) as caught:
        call(client.v2.pay.orderquery.post, {"appid": "wx", "out_trade_no": "N"})
    assert caught.value.response.data["sandbox_mistakes"] == '["key_of_another"]'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not XML"),
        (b"{}", "not XML"),
        (b"<xml><a><b>1</b></a></xml>", "nested"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><xml><a>&a;</a></xml>', "document type"),
        (b"<root><a>1</a></root>", "<xml>"),
        (b"\x00\xff" * 50, "not XML"),
    ],
)
def test_what_is_no_flat_xml_is_refused(
    gateway: Gateway, body: bytes, said: str
) -> None:
    status, text, identifier = told(gateway, raw("/pay/orderquery", body))
    assert (status, identifier) == (200, "parameters")
    assert said in text


def test_a_merchant_that_nobody_knows_is_refused(gateway: Gateway) -> None:
    request = signed(gateway, "/pay/orderquery", mch_id="1900009999", out_trade_no="N")
    assert told(gateway, request) == (200, "商户号不存在", "merchant_unknown")


def test_a_path_that_is_nearly_one_names_those_that_are(
    gateway: Gateway, call: Any
) -> None:
    with pytest.raises(NotFound) as caught:
        call(gateway.client().v2.pay.unifiedOrdr.post, {"a": 1})
    data = caught.value.response.data
    assert data["sandbox_id"] == "route_unknown"
    assert "POST /pay/unifiedorder" in data["sandbox_nearest"]
    assert "/v2/" not in data["sandbox_nearest"]


@pytest.mark.parametrize(
    ("path", "method", "identifier"),
    [
        ("/v2/pay/orderquery", "POST", "prefix_in_url"),
        ("/pay/orderquery", "GET", "method_unknown"),
        ("/nowhere", "POST", "route_unknown"),
    ],
)
def test_a_path_that_is_none_is_not_found(
    gateway: Gateway, path: str, method: str, identifier: str
) -> None:
    request = signed(gateway, path).replace(method=method)
    status, _, found = told(gateway, request)
    assert (status, found) == (404, identifier)


def test_a_body_over_the_limit_is_refused_in_xml() -> None:
    gateway = Gateway(seed=1, body_limit=100)
    request = raw("/pay/orderquery", b"<xml>" + b" " * 100)
    assert told(gateway, request)[0] == 413


def test_what_speaks_apiv3_is_none_of_this_dialect(hand: Any) -> None:
    response = hand.send("POST", "/v3/pay/transactions/native", b"<xml></xml>")
    assert response.headers["Content-Type"].startswith("application/json")


def test_control_characters_of_a_query_do_not_break_the_answer(
    gateway: Gateway,
) -> None:
    request = raw("/papay/entrustweb?mch_id=%00%1b&%EF%BF%BE=1", b"", "GET")
    assert told(gateway, request)[2] == "merchant_unknown"


def test_a_page_for_a_browser_leads_on(gateway: Gateway) -> None:
    page = "https://merchant.example/back"
    query = f"mch_id={gateway.mchid}&appid={gateway.appid}&redirect_uri={page}"
    more = "&response_type=code&scope=pay_identity&state=1"
    response = gateway.handle(raw(f"/appauth/authindex?{query}{more}", b"", "GET"))
    assert response.status_code == 302
    assert response.headers["Location"] == page


def test_an_upload_is_checked_against_its_hash(gateway: Gateway, call: Any) -> None:
    post = gateway.client().v2.secapi.mch.uploadmedia.post
    fields = {"sign_type": "MD5", "media_hash": hashlib.md5(b"x").hexdigest()}
    reply = call(post, fields, files={"media": ("a.png", b"x")})
    assert reply["media_id"]
    with pytest.raises(APIError) as caught:
        call(post, fields, files={"media": ("a.png", b"y")})
    assert "/media_hash" in caught.value.response.data["return_msg"]


def test_a_fault_spoils_the_sign_of_an_answer(shop: Shop, gateway: Gateway) -> None:
    gateway.faults.add(on="POST /v2/pay/unifiedorder", fault=WrongSignature())
    shop.client = gateway.client(check="off", retry=1)
    with pytest.raises(InvalidSignature):
        shop.order()
    assert NUMBER in gateway.payments


def test_a_fault_refuses_in_the_words_of_this_dialect(
    shop: Shop, gateway: Gateway
) -> None:
    fault = ErrorAnswer("SYSTEM_ERROR")
    gateway.faults.add(on="POST /v2/pay/orderquery", fault=fault, times=5)
    shop.client = gateway.client(check="off", retry=1)
    with pytest.raises(APIError) as caught:
        shop.post("pay/orderquery", out_trade_no=NUMBER)
    assert caught.value.code == "SYSTEMERROR"
