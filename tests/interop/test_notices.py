"""Notifications made in Node.js are read, and what we make is read in Node.js."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain import MemoryTransport, NotificationError, Response, WeChatPay
from wechatpay_chain.notifications import accept, refuse

HERE = Path(__file__).parent
MOMENT = 1717225200
PREPAY_ID = "wx201410272009395522657a690389285100"
RESOURCE = {
    "out_order_no": "ORD|20240601*01",
    "state": "DONE",
    "collection": {"details": [{"seq": 1, "amount": 39900}]},
    "service_introduction": "某某酒店 😀",
}
PAYMENT = {
    "appid": "wx2421b1c4370ec43b",
    "attach": "支付测试",
    "empty": "",
    "out_trade_no": "1409811653",
    "result_code": "SUCCESS",
    "return_code": "SUCCESS",
    "total_fee": "1",
    "transaction_id": "1004400740201409030005092168",
}
REFUND = {
    "out_refund_no": "131811191610442717309",
    "refund_id": "50000408942018111907145868882",
    "refund_status": "CHANGE",
    "refund_recv_accout": "支付用户零钱",
}


@pytest.fixture(scope="session")
def other(node_program: str) -> Any:
    """Asks ``notices.mjs`` for one operation."""

    def run(operation: str, **arguments: Any) -> Any:
        done = subprocess.run(
            [node_program, str(HERE / "notices.mjs")],
            input=json.dumps({"operation": operation, **arguments}).encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    return run


@pytest.fixture
def keys(vectors: dict[str, Any]) -> dict[str, str]:
    return vectors["keys"]


@pytest.fixture
def client(keys: dict[str, str]) -> WeChatPay:
    return WeChatPay(
        mchid=keys["mchid"],
        serial=keys["merchant_serial_no"],
        private_key=keys["merchant_private_key_pkcs8_der_base64"],
        certs={
            keys["platform_public_key_id"]: keys["platform_public_key_pem"],
            keys["platform_cert_new_serial_no"]: keys["platform_cert_new_pem"],
        },
        apiv3_key=keys["apiv3_key"],
        secret=keys["apiv2_key"],
        clock=lambda: MOMENT,
    )


@pytest.mark.parametrize("kind", ["platform_public_key", "platform_cert_new"])
@pytest.mark.parametrize("associated", ["", "payscore", "支付分"])
def test_a_notification_by_node_is_read(
    other, call, client, keys, kind, associated
) -> None:
    names = {"platform_public_key": "_id", "platform_cert_new": "_serial_no"}
    made = other(
        "notification_v3",
        envelope={
            "id": "EV-1",
            "create_time": "2024-06-01T15:00:00+08:00",
            "event_type": "PAYSCORE.USER_PAID",
            "summary": "用户支付成功",
        },
        plaintext=RESOURCE,
        nonce="fdasflkja484",
        associated=associated,
        apiv3_key=keys["apiv3_key"],
        key=keys[f"{kind}_private_pkcs8_der_base64"],
        serial=keys[kind + names[kind]],
        timestamp=str(MOMENT),
    )
    body = b64decode(made["body"])
    found = call(client.notifications.parse, made["headers"], body)
    assert found.resource == RESOURCE
    assert found.event_type == "PAYSCORE.USER_PAID"
    with pytest.raises(NotificationError):
        call(client.notifications.parse, made["headers"], body + b"\n")


@pytest.mark.parametrize("kind", ["MD5", "HMAC-SHA256"])
def test_a_payment_of_apiv2_by_node_is_read(other, call, client, keys, kind) -> None:
    made = other("notification_v2", fields=PAYMENT, kind=kind, secret=keys["apiv2_key"])
    found = call(client.notifications.parse, {}, b64decode(made))
    assert {name: found.resource[name] for name in PAYMENT} == PAYMENT
    assert found.event_type == "V2.TRANSACTION.SUCCESS"


def test_a_refund_of_apiv2_by_node_is_read(other, call, client, keys) -> None:
    made = other(
        "refund_v2",
        fields=REFUND,
        outer={"return_code": "SUCCESS", "mch_id": keys["mchid"]},
        secret=keys["apiv2_key"],
    )
    found = call(client.notifications.parse, {}, b64decode(made))
    assert found.resource == REFUND
    assert found.event_type == "V2.REFUND.CHANGE"


@pytest.mark.parametrize("kind", ["MD5", "HMAC-SHA256"])
def test_our_messages_of_apiv2_are_read_by_node(other, keys, client, kind) -> None:
    sent = []

    def gateway(request: Any) -> Response:
        sent.append(request.body)
        return Response(200, {}, b"<xml><return_code>FAIL</return_code></xml>")

    wired = client.with_options(transport=MemoryTransport(gateway), retry=1)
    fields = {"appid": "wx1", "out_trade_no": "支付|1", "sign_type": kind}
    with pytest.raises(Exception, match="the operation failed"):
        wired.v2.pay.orderquery.post(fields)
    body = b64encode(sent[0]).decode()
    found = other("read_v2", body=body, kind=kind, secret=keys["apiv2_key"])
    assert found is not None
    assert {name: found[name] for name in fields} == fields
    assert found["mch_id"] == keys["mchid"]
    assert other("read_v2", body=body, kind=kind, secret="f" * 32) is None


def test_our_answers_to_apiv2_are_read_by_node(other) -> None:
    for answer, code in (
        (accept("v2"), "SUCCESS"),
        (refuse(NotificationError("x", version="v2")), "FAIL"),
    ):
        body = b64encode(answer.body).decode()
        assert other("read_answer", body=body)["return_code"] == code


def test_our_invocations_of_payments_hold_for_node(other, client, keys) -> None:
    page = client.invoke.jsapi("wx1", PREPAY_ID)
    mini = client.invoke.mini_program("wx1", PREPAY_ID)
    app = client.invoke.app("wx1", PREPAY_ID)
    signed = [
        (page["paySign"], page["timeStamp"], page["nonceStr"], page["package"]),
        (mini["paySign"], mini["timeStamp"], mini["nonceStr"], mini["package"]),
        (app["sign"], app["timestamp"], app["noncestr"], app["prepayid"]),
    ]
    key = keys["merchant_public_key_pem"]
    for signature, *rest in signed:
        given = {"lines": ["wx1", *rest], "signature": signature, "key": key}
        assert other("holds_lines", **given) is True
        given["lines"][0] = "wx2"
        assert other("holds_lines", **given) is False


def test_openssl_verifies_an_invocation(openssl, client, keys, tmp_path) -> None:
    made = client.invoke.jsapi("wx1", PREPAY_ID)
    key, signature = tmp_path / "key.pem", tmp_path / "signature"
    key.write_text(keys["merchant_public_key_pem"])
    signature.write_bytes(b64decode(made["paySign"]))
    text = f"wx1\n{made['timeStamp']}\n{made['nonceStr']}\nprepay_id={PREPAY_ID}\n"
    arguments = ("-sha256", "-verify", key, "-signature", signature)
    assert openssl("dgst", *arguments, stdin=text.encode()) == b"Verified OK\n"


def test_openssl_makes_the_sign_of_payscore(openssl, client, keys) -> None:
    made = client.invoke.payscore_detail("500001", "A|B*C_1-2")["extraData"]
    sign = made.pop("sign")
    text = "&".join(f"{name}={made[name]}" for name in sorted(made))
    text += f"&key={keys['apiv2_key']}"
    arguments = ("-sha256", "-hmac", keys["apiv2_key"])
    said = openssl("dgst", *arguments, stdin=text.encode()).decode()
    assert said.strip().upper().endswith(sign)
    assert len(sign) == 64


@pytest.mark.parametrize("order", ["A|B*C_1-2", "a=b&c+d%41 e", "1234323JKHDFE1243252"])
def test_our_invocations_of_payscore_hold_for_node(other, client, keys, order) -> None:
    made = client.invoke.payscore_detail("500001", order)
    found = other("holds_query", query=made["queryString"], secret=keys["apiv2_key"])
    assert found == {"fields": made["extraData"], "holds": True}
    assert found["fields"]["out_order_no"] == order
