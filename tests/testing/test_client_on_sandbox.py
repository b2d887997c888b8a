"""The client against the gateway in memory: both modes, all keys, and no waiting.

What the client's own tests check against answers made by hand is checked here against a
gateway that verifies, keeps state and signs: nothing in between is played.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest

from wechatpay_chain import (
    BadRequest,
    ConnectError,
    DecodeError,
    Forbidden,
    InvalidSignature,
    NotFound,
    RateLimited,
    ReadError,
    ReadTimeout,
    ServerError,
    SignatureError,
    Unauthorized,
    WeChatPay,
    middleware,
)
from wechatpay_chain.sandbox import (
    ConnectionRefused,
    EmptyBody,
    ErrorAnswer,
    Gateway,
    MalformedBody,
    ReplyLost,
    Slow,
    Truncated,
    WrongSignature,
)

MODES = ["public_key", "certificate", "migrating"]


@pytest.fixture(params=MODES)
def gateway(request: pytest.FixtureRequest) -> Gateway:
    return Gateway(seed=1, mode=request.param)


@pytest.fixture
def client(gateway: Gateway) -> WeChatPay:
    return gateway.client()


@pytest.fixture(autouse=True)
def _no_sleeping(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(seconds: float) -> None:
        raise AssertionError(f"{seconds} s of real time")

    monkeypatch.setattr(time, "sleep", sleep)


def orders(client: WeChatPay, *, partner: bool = False) -> Any:
    payscore: Any = client.v3.payscore
    return payscore.partner.serviceorder if partner else payscore.serviceorder


def who(gateway: Gateway, *, partner: bool) -> dict[str, str]:
    found = {"service_id": gateway.service_id}
    if partner:
        return {**found, "sub_mchid": gateway.sub_mchid}
    return {**found, "appid": gateway.appid}


@pytest.mark.parametrize("partner", [False, True])
def test_an_order_from_create_to_cancel(
    call: Any, gateway: Gateway, client: WeChatPay, partner: bool
) -> None:
    node = orders(client, partner=partner)
    body = gateway.given.create_body(partner=partner)
    number = {"out_order_no": body["out_order_no"]}
    created = call(node.post, body)
    assert created.verified
    assert created["state"] == "CREATED"
    gateway.user.confirm(number["out_order_no"])
    asked = {**who(gateway, partner=partner), **number}
    assert call(node.get, asked)["state"] == "DOING"
    cancel = {**who(gateway, partner=partner), "reason": "用户投诉"}
    reply = call(node._out_order_no_.cancel.post, cancel, **number)
    assert reply.verified
    if partner:
        assert (reply.status_code, reply.data) == (204, None)
    else:
        assert reply["order_id"] == created["order_id"]
        assert len(reply.data) == 5
    assert call(node.get, asked)["state"] == "REVOKED"


def test_an_order_is_paid_and_the_merchant_told(
    call: Any, gateway: Gateway, client: WeChatPay
) -> None:
    order = gateway.given.order("CONFIRMED")
    told: list[Any] = []

    def receive(request: Any) -> int:
        told.append(client.notifications.parse(request.headers, request.body))
        return 204

    gateway.deliver_to(receive)
    complete = {
        **who(gateway, partner=False),
        "post_payments": [{"name": "服务费", "amount": 100}],
        "total_amount": 100,
        "time_range": {"end_time": "20240601150000"},
    }
    call(orders(client)._out_order_no_.complete.post, complete, out_order_no=order)
    gateway.user.pay(order)
    assert [one.event_type for one in told] == ["PAYSCORE.USER_PAID"]
    assert told[0].resource["out_order_no"] == order


def test_the_key_of_the_mode_verifies(
    call: Any, gateway: Gateway, client: WeChatPay
) -> None:
    reply = call(client.v3.security.echo.post, {"echo_message": "x"})
    expected = {
        "public_key": gateway.public_key_id,
        "certificate": gateway.certificate_serial,
        "migrating": gateway.public_key_id,  # which the client asks for
    }
    assert reply.verified
    assert reply.serial == expected[gateway.mode]


def test_a_payment_and_its_refund(
    call: Any, gateway: Gateway, client: WeChatPay
) -> None:
    body = gateway.given.payment_body("native", out_trade_no="TRADE-1")
    code = call(client.v3.pay.transactions.native.post, body)["code_url"]
    gateway.user.pay(code)
    trade = client.v3.pay.transactions.outTradeNo._out_trade_no_
    found = call(trade.get, {"mchid": gateway.mchid}, out_trade_no="TRADE-1")
    assert found["trade_state"] == "SUCCESS"
    asked = gateway.given.refund_body("TRADE-1", out_refund_no="REFUND-1")
    assert call(client.v3.refund.domestic.refunds.post, asked)["status"] == "PROCESSING"
    gateway.advance(minutes=1)
    refund = client.v3.refund.domestic.refunds._out_refund_no_
    assert call(refund.get, out_refund_no="REFUND-1")["status"] == "SUCCESS"


def test_a_payment_is_closed_with_204(
    call: Any, gateway: Gateway, client: WeChatPay
) -> None:
    number = gateway.given.payment()
    close = client.v3.pay.transactions.outTradeNo._out_trade_no_.close
    reply = call(close.post, {"mchid": gateway.mchid}, out_trade_no=number)
    assert (reply.status_code, reply.data, reply.verified) == (204, None, True)
    assert gateway.payments[number].state == "CLOSED"


# Errors.


def test_each_refusal_has_its_class_and_code(
    call: Any, gateway: Gateway, client: WeChatPay
) -> None:
    node = orders(client)
    cancel = {**who(gateway, partner=False), "reason": "x"}
    with pytest.raises(NotFound) as missing:
        call(node._out_order_no_.cancel.post, cancel, out_order_no="NOTHING")
    assert missing.value.is_code("ORDER_NOT_EXIST")
    assert missing.value.outcome == "refused"
    paid = gateway.given.order("PAID")
    with pytest.raises(BadRequest) as illegal:
        call(node._out_order_no_.cancel.post, cancel, out_order_no=paid)
    assert illegal.value.request_id
    body = gateway.given.create_body(appid="wx0000000000000000")
    with pytest.raises(Forbidden):
        call(node.post, body)
    with pytest.raises(BadRequest) as wrong:
        call(node.post, {**gateway.given.create_body(), "risk_fund": 1})
    assert wrong.value.code == "PARAM_ERROR"


def test_a_wrong_key_is_401_and_explains_itself(call: Any, gateway: Gateway) -> None:
    other = Gateway(seed=1, mode=gateway.mode)
    key = other.enrol("1900000002")["private_key"]
    client = gateway.client(private_key=key)
    with pytest.raises(Unauthorized, match="SIGN_ERROR"):
        call(client.v3.pay.transactions.native.post, {})


def test_a_clock_that_is_wrong_is_refused(call: Any, gateway: Gateway) -> None:
    certs = {gateway.public_key_id: gateway.public_key}
    client = gateway.client(clock=lambda: gateway.clock() - 301, certs=certs)
    with pytest.raises(Unauthorized):
        call(client.v3.security.echo.post, {"echo_message": "x"})
    gateway.clock.advance(0)


# Retries, with the line or WeChat Pay at fault.

PASSING = [
    ConnectionRefused(),
    ReplyLost(),
    ReplyLost(after_commit=False),
    Truncated(),
    Slow(seconds=40),
    ErrorAnswer("SYSTEM_ERROR"),
    ErrorAnswer("SYSTEM_ERROR", after_commit=True),
    ErrorAnswer("FREQUENCY_LIMITED"),
]


@pytest.mark.parametrize("fault", PASSING, ids=str)
def test_a_cancel_survives_what_passes(
    call: Any, gateway: Gateway, client: WeChatPay, fault: Any
) -> None:
    order = gateway.given.order("CONFIRMED")
    gateway.faults.add(on="payscore.cancel", fault=fault)
    cancel = {**who(gateway, partner=False), "reason": "x"}
    before = gateway.clock()
    reply = call(orders(client)._out_order_no_.cancel.post, cancel, out_order_no=order)
    assert reply.verified
    assert gateway.orders[order].history == ["CREATED", "CONFIRMED", "REVOKED"]
    gateway.faults.assert_all_used()
    assert gateway.clock() > before  # it waited, by the gateway's clock
    calls = [one for one in gateway.journal if "cancel" in one.request.target]
    assert len(calls) == 2
    nonces = {one.request.headers["Authorization"] for one in calls}
    assert len(nonces) == 2
    assert len({one.request.body for one in calls}) == 1


@pytest.mark.parametrize(
    ("fault", "error", "outcome"),
    [
        (ConnectionRefused(), ConnectError, "not_sent"),
        (ReplyLost(), ReadError, "unknown"),
        (Slow(seconds=40), ReadTimeout, "unknown"),
        (ErrorAnswer("SYSTEM_ERROR"), ServerError, "unknown"),
        (ErrorAnswer("FREQUENCY_LIMITED"), RateLimited, "refused"),
        (WrongSignature("bad"), InvalidSignature, "unknown"),
        (WrongSignature("missing"), SignatureError, "unknown"),
        (WrongSignature("expired"), SignatureError, "unknown"),
        (WrongSignature("probe"), SignatureError, "unknown"),
    ],
    ids=str,
)
def test_what_lasts_is_an_error_that_says_what_is_known(
    call: Any, gateway: Gateway, client: WeChatPay, fault: Any, error: Any, outcome: str
) -> None:
    order = gateway.given.order("CONFIRMED")
    gateway.faults.add(on="payscore.cancel", fault=fault, times=None)
    cancel = {**who(gateway, partner=False), "reason": "x"}
    with pytest.raises(error) as raised:
        call(orders(client)._out_order_no_.cancel.post, cancel, out_order_no=order)
    assert raised.value.outcome == outcome
    assert raised.value.request.method == "POST"


def test_an_answer_that_breaks_off_is_a_decode_error(
    call: Any, gateway: Gateway, client: WeChatPay
) -> None:
    gateway.faults.add(on="security.echo", fault=MalformedBody())
    with pytest.raises(DecodeError):
        call(client.v3.security.echo.post, {"echo_message": "x"})


def test_an_answer_without_a_body_has_no_data(
    call: Any, gateway: Gateway, client: WeChatPay
) -> None:
    gateway.faults.add(on="security.echo", fault=EmptyBody())
    reply = call(client.v3.security.echo.post, {"echo_message": "x"})
    assert (reply.data, reply.verified) == (None, True)


# Pages, uploads, sensitive fields, the rest of the catalogue.


def test_pages_are_walked_to_their_end(
    call: Any, gateway: Gateway, client: WeChatPay
) -> None:
    node: Any = client.v3.merchantService.complaintsV2
    query = {"begin_date": "2024-05-01", "end_date": "2024-05-31", "limit": 1}

    async def walk() -> list[Any]:
        return [item async for item in node.paginate_async(query)]

    items = [*node.paginate(query)] if call.mode == "sync" else call.wait(walk())
    assert items
    assert all("complaint_id" in item for item in items)


@pytest.mark.parametrize("node", ["image_upload", "video_upload"])
def test_an_upload_is_signed_over_its_meta(
    call: Any, gateway: Gateway, client: WeChatPay, node: str
) -> None:
    content = bytes(range(256)) * 8
    name = "a.mp4" if node == "video_upload" else "a.png"
    media: Any = client.v3.merchant.media
    upload = media.video_upload if node == "video_upload" else media.upload
    reply = call(upload.post, files={"file": (name, content)})
    assert reply.verified
    assert reply["media_id"]
    sent = [*gateway.journal][-1].request
    assert hashlib.sha256(content).hexdigest().encode() in sent.body


def test_a_field_is_sealed_and_opened_by_hand(
    call: Any, gateway: Gateway, client: WeChatPay
) -> None:
    echo = client.v3.security.echo
    call(echo.post, {"echo_message": "x"})  # keys are downloaded where need be
    sealed = client.encrypt("13900000000")
    reply = call(echo.post, {"echo_message": "x", "encrypted_echo_message": sealed})
    sent = [*gateway.journal][-1].request
    assert sent.headers["Wechatpay-Serial"] == sealed.serial
    assert b"13900000000" not in sent.body
    assert reply["encrypted_echo_message"] == "13900000000"


def test_receivers_are_concealed_by_the_client(
    call: Any, gateway: Gateway, client: WeChatPay
) -> None:
    body = {
        "appid": gateway.appid,
        "type": "PERSONAL_OPENID",
        "account": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
        "name": "张三",
        "relation_type": "USER",
    }
    reply = call(client.v3.profitsharing.receivers.add.post, body)
    assert reply.verified
    sent = [*gateway.journal][-1].request
    assert "张三".encode() not in sent.body
    assert sent.headers["Wechatpay-Serial"]


# What users put in between.


def test_a_layer_sees_both_ways(call: Any, gateway: Gateway) -> None:
    seen: list[Any] = []

    @middleware
    def trace(request: Any) -> Any:
        response = yield request
        seen.append((request.method, response.status_code))
        return response

    client = gateway.client(middleware=[trace])
    call(client.v3.security.echo.post, {"echo_message": "x"})
    assert seen[-1] == ("POST", 200)


def test_two_merchants_do_not_see_each_other(
    call: Any, gateway: Gateway, client: WeChatPay
) -> None:
    order = gateway.given.order()
    other = gateway.client(**gateway.enrol("1900000002"))
    asked = {**who(gateway, partner=False), "out_order_no": order}
    assert call(orders(client).get, asked)["state"] == "CREATED"
    with pytest.raises(NotFound):
        call(orders(other).get, asked)


def test_a_new_certificate_is_fetched_when_it_signs(call: Any) -> None:
    gateway = Gateway(seed=1, mode="certificate")
    client = gateway.client()
    echo = client.v3.security.echo
    call(echo.post, {"echo_message": "x"})
    serial = gateway.rotate_certificate()
    gateway.advance(minutes=2)
    assert call(echo.post, {"echo_message": "x"}).serial == serial
