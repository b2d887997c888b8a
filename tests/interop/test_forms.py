"""Every form of the cancel call, against a gateway that shares no code with us."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from wechatpay_chain import InvalidSignature, Unauthorized, WeChatPay

DIRECT = {
    "appid": "wxd678efh567hg6787",
    "service_id": "2002000000000558128851361561536",
    "reason": "用户投诉",
}
PARTNER = {
    "service_id": "2002000000000558128851361561536",
    "sub_mchid": "1900000109",
    "reason": "用户投诉",
}
NO = "ORD|20240601*01"

#: The three ways in which the PHP SDK's documentation writes an endpoint.
NODES: dict[str, dict[str, Callable[[WeChatPay], Any]]] = {
    "direct": {
        "attributes": lambda c: c.v3.payscore.serviceorder._out_order_no_.cancel,
        "chain()": lambda c: c.chain("v3/payscore/serviceorder/{out_order_no}/cancel"),
        "item": lambda c: c["v3/payscore/serviceorder/{out_order_no}/cancel"],
    },
    "partner": {
        "attributes": lambda c: (
            c.v3.payscore.partner.serviceorder._out_order_no_.cancel
        ),
        "chain()": lambda c: c.chain(
            "v3/payscore/partner/serviceorder/{out_order_no}/cancel"
        ),
        "item": lambda c: c["v3/payscore/partner/serviceorder/{out_order_no}/cancel"],
    },
}
WAYS = sorted(NODES["direct"])


def connect(keys: dict[str, str], base_url: str, **changes: Any) -> WeChatPay:
    return WeChatPay(
        **{
            "mchid": keys["mchid"],
            "serial": keys["merchant_serial_no"],
            "private_key": keys["merchant_private_key_pkcs8_der_base64"],
            "certs": {keys["platform_public_key_id"]: keys["platform_public_key_pem"]},
            "base_url": base_url,
            **changes,
        }
    )


@pytest.fixture
def client(vectors: Any, gateway: Any, call: Any) -> Iterator[WeChatPay]:
    made = connect(vectors["keys"], gateway.base_url)
    yield made
    call.close(made)


def check(party: str, reply: Any, seen: dict[str, Any]) -> None:
    """The answer is Node's, verified; the bytes are the ones that we promise."""
    assert reply.verified
    assert reply.serial == "PUB_KEY_ID_0114232134912410000000000000"
    middle = "partner/" if party == "partner" else ""
    assert seen["method"] == "POST"
    assert (
        seen["target"] == f"/v3/payscore/{middle}serviceorder/ORD%7C20240601*01/cancel"
    )
    if party == "partner":
        assert reply.status_code == 204
        assert reply.data is None
        assert reply.content == b""
        assert (
            seen["body"]
            == (
                '{"service_id":"2002000000000558128851361561536",'
                '"sub_mchid":"1900000109","reason":"用户投诉"}'
            ).encode()
        )
        return
    assert reply.status_code == 200
    assert reply.data == {
        "appid": "wxd678efh567hg6787",
        "mchid": "1900007291",
        "out_order_no": NO,
        "service_id": "2002000000000558128851361561536",
        "order_id": "15646546545165651651",
    }
    assert reply["order_id"] == "15646546545165651651"
    assert (
        seen["body"]
        == (
            '{"appid":"wxd678efh567hg6787",'
            '"service_id":"2002000000000558128851361561536","reason":"用户投诉"}'
        ).encode()
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("party", ["direct", "partner"])
def test_the_php_forms(
    gateway: Any, client: WeChatPay, call: Any, party: str, way: str
) -> None:
    body = PARTNER if party == "partner" else DIRECT
    reply = call(NODES[party][way](client).post, json=body, out_order_no=NO)
    check(party, reply, *gateway.seen())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("party", ["direct", "partner"])
def test_the_js_form_with_a_positional_body(
    gateway: Any, client: WeChatPay, call: Any, party: str, way: str
) -> None:
    body = PARTNER if party == "partner" else DIRECT
    reply = call(NODES[party][way](client).post, body, out_order_no=NO)
    check(party, reply, *gateway.seen())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("party", ["direct", "partner"])
def test_the_js_form_that_calls_the_node(
    vectors: Any, gateway: Any, party: str, way: str
) -> None:
    body = PARTNER if party == "partner" else DIRECT
    with connect(vectors["keys"], gateway.base_url) as client:
        reply = NODES[party][way](client)(body, out_order_no=NO)
    check(party, reply, *gateway.seen())


def test_the_php_variable_path(gateway: Any, client: WeChatPay, call: Any) -> None:
    path = "v3/payscore/serviceorder/ORD%7C20240601*01/cancel"
    reply = call(client["{+myurl}"].post, json=DIRECT, myurl=path)
    check("direct", reply, *gateway.seen())


def test_the_forms_work_over_tls(vectors: Any, secure_gateway: Any) -> None:
    server, certificate = secure_gateway

    async def main() -> None:
        made = connect(vectors["keys"], server.base_url, verify=str(certificate))
        async with made as client:
            nodes = [NODES[party][way](client) for party in NODES for way in WAYS]
            for node in nodes:
                body = PARTNER if "/partner/" in str(node) else DIRECT
                one = node.post(json=body, out_order_no=NO)
                two = await node.post_async(json=body, out_order_no=NO)
                assert one.verified
                assert two.verified
                assert one.data == two.data

    asyncio.run(main())


def test_another_key_is_refused_with_an_explanation(
    vectors: Any, gateway: Any, call: Any
) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    client = connect(vectors["keys"], gateway.base_url, private_key=stranger)
    node = NODES["direct"]["attributes"](client)
    with pytest.raises(Unauthorized) as caught:
        call(node.post, json=DIRECT, out_order_no=NO)
    call.close(client)
    error = caught.value
    assert error.is_code("SIGN_ERROR")
    assert error.outcome == "refused"
    assert error.detail["sign_information"]["url"].endswith("%7C20240601*01/cancel")
    assert error.explanation


def test_a_clock_that_is_wrong_is_refused(
    vectors: Any, gateway: Any, call: Any
) -> None:
    client = connect(vectors["keys"], gateway.base_url, clock=lambda: 1717225200)
    node = NODES["direct"]["attributes"](client)
    with pytest.raises(Unauthorized) as caught:
        call(node.post, json=DIRECT, out_order_no=NO)
    call.close(client)
    assert caught.value.detail["detail"]["issue"] == "timestamp expired"


@pytest.mark.parametrize("party", ["direct", "partner"])
def test_an_answer_that_was_not_signed_as_it_is_gets_refused(
    client: WeChatPay, call: Any, party: str
) -> None:
    node = NODES[party]["attributes"](client)
    body = PARTNER if party == "partner" else DIRECT
    with pytest.raises(InvalidSignature) as caught:
        call(node.post, body, out_order_no=NO, headers={"X-Tamper": "1"})
    assert caught.value.outcome == "unknown"


def test_the_gateway_refuses_bytes_changed_on_the_way(
    gateway: Any, client: WeChatPay, call: Any
) -> None:
    # Otherwise it would have proven nothing above.
    def spaced(request: Any) -> Any:
        body = json.dumps(json.loads(request.body), ensure_ascii=False).encode()
        return (yield request.replace(body=body))

    client.stack.after("sign", spaced)
    node = NODES["direct"]["attributes"](client)
    with pytest.raises(Unauthorized):
        call(node.post, json=DIRECT, out_order_no=NO)
