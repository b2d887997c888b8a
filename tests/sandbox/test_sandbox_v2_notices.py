"""Notifications of APIv2: signed XML, or a sealed part of it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from wechatpay_chain import NotificationError, Request, Response
from wechatpay_chain.middleware import xml_body
from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.sandbox.faults.calls import WrongSignature

URL = "https://merchant.example/v2"
YES = b"<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>"
NO = b"<xml><return_code><![CDATA[FAIL]]></return_code></xml>"


class Handler:
    """A merchant's handler on the client's own parser."""

    def __init__(self, gateway: Gateway, body: bytes = YES) -> None:
        self.parser = gateway.client().notifications
        self.body = body
        self.requests: list[Request] = []
        self.found: list[Any] = []

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        try:
            self.found.append(self.parser.parse(request.headers, request.body))
        except NotificationError as error:
            return Response(error.status)
        return Response(200, body=self.body)  # type: ignore[arg-type]


@pytest.fixture
def handler(gateway: Gateway) -> Handler:
    made = Handler(gateway)
    gateway.deliver_to(made, verify=False)
    return made


def order(gateway: Gateway, **changes: Any) -> None:
    fields = {
        "appid": gateway.appid,
        "body": "茶 & <tea>",
        "out_trade_no": "V2-1",
        "total_fee": 100,
        "spbill_create_ip": "127.0.0.1",
        "notify_url": URL,
        "trade_type": "APP",
        "attach": "a & b",
    }
    client = gateway.client(check="off")
    client.v2.pay.unifiedorder.post({**fields, **changes})
    gateway.user.pay("V2-1")


def refund(gateway: Gateway, **changes: Any) -> None:
    fields = {
        "appid": gateway.appid,
        "out_trade_no": "V2-1",
        "out_refund_no": "R-1",
        "total_fee": 100,
        "refund_fee": 40,
    }
    gateway.client(check="off").v2.secapi.pay.refund.post({**fields, **changes})
    gateway.advance(minutes=2)


@pytest.mark.parametrize("kind", ["MD5", "HMAC-SHA256"])
def test_a_payment_is_told_as_its_order_was_signed(
    gateway: Gateway, handler: Handler, kind: str
) -> None:
    order(gateway, sign_type=kind)
    (request,), (notification,) = handler.requests, handler.found
    fields = xml_body.load(request.body)
    sign = fields.pop("sign")
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
    secret = gateway.credentials["secret"]
    keyed = f"{text}&key={secret}".encode()
    if kind == "MD5":
        assert sign == hashlib.md5(keyed).hexdigest().upper()
    else:
        assert sign == hmac.new(secret.encode(), keyed, "sha256").hexdigest().upper()
    assert notification.event_type == "V2.TRANSACTION.SUCCESS"
    assert notification.resource["attach"] == "a & b"
    assert notification.resource["total_fee"] == "100"
    number = gateway.payments["V2-1"].transaction_id
    assert notification.resource["transaction_id"] == number
    assert gateway.outbox.delivered("V2.TRANSACTION.SUCCESS").once()


def test_an_order_of_apiv3_is_told_in_its_own_way(
    gateway: Gateway, handler: Handler
) -> None:
    number = gateway.given.payment(notify_url=URL)
    gateway.user.pay(number)
    (notification,) = handler.found
    assert (notification.version, notification.event_type) == (
        "v3",
        "TRANSACTION.SUCCESS",
    )


def test_a_refund_is_sealed_under_the_key(gateway: Gateway, handler: Handler) -> None:
    mine = {"sub_mch_id": gateway.sub_mchid}
    order(gateway, **mine)
    refund(gateway, notify_url=URL, **mine)
    request, notification = handler.requests[-1], handler.found[-1]
    fields = xml_body.load(request.body)
    assert "sign" not in fields
    assert fields["sub_mch_id"] == gateway.sub_mchid
    assert b"R-1" not in request.body
    assert notification.event_type == "V2.REFUND.SUCCESS"
    assert notification.resource["out_refund_no"] == "R-1"
    assert notification.resource["refund_fee"] == "40"
    assert notification.resource["success_time"] == "2024-06-01 15:01:00"


def test_a_refund_without_an_address_goes_where_the_console_says(
    gateway: Gateway, handler: Handler
) -> None:
    order(gateway)
    gateway.refunds.notify_url = None
    refund(gateway)
    assert len(handler.found) == 1
    gateway.refunds.notify_url = URL
    refund(gateway, out_refund_no="R-2")
    assert handler.found[-1].resource["out_refund_no"] == "R-2"


@pytest.mark.parametrize("body", [b"", NO, b"SUCCESS", b"<xml></xml>"])
def test_an_answer_without_success_is_a_failure_and_comes_again(
    gateway: Gateway, handler: Handler, body: bytes
) -> None:
    handler.body = body
    order(gateway)
    (notice,) = gateway.outbox
    assert notice.attempts[0].verdict == "answered 200 without SUCCESS"
    assert "return_code" in notice.hint
    handler.body = YES
    gateway.advance(seconds=15)
    assert gateway.outbox.delivered().once()
    first, second = handler.found
    assert first.id == second.id


def test_a_wrong_sign_is_refused_and_counts_as_a_probe(
    gateway: Gateway, handler: Handler
) -> None:
    order(gateway)
    refund(gateway, notify_url=URL)
    for notice in gateway.outbox:
        attempt = gateway.outbox.probe(notice)
        assert attempt.good
        assert attempt.status is not None
        assert attempt.status >= 400
    gateway.outbox.resend(next(iter(gateway.outbox)))
    assert handler.found[-1].event_type == "V2.TRANSACTION.SUCCESS"


def test_a_fault_in_the_signature_spoils_the_sign(
    gateway: Gateway, handler: Handler
) -> None:
    gateway.faults.add(on="V2.TRANSACTION.SUCCESS", fault=WrongSignature())
    order(gateway)
    assert handler.found == []
    gateway.advance(seconds=15)
    assert len(handler.found) == 1
