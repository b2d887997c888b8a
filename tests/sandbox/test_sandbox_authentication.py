"""Each mistake in signing has its own id, in the order of protocol section 4."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from wechatpay_chain import APIError, Unauthorized, WeChatPay, crypto
from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.sandbox.signatures.diagnosis import MISTAKES
from wechatpay_chain.sandbox.signatures.keys import pair

ECHO = "/v3/security/echo"
BODY = b'{"echo_message":"hi"}'
SCHEME = "WECHATPAY2-SHA256-RSA2048"


def echo(hand: Any, **changes: Any) -> Any:
    return hand.request("POST", ECHO, BODY, **changes)


def header(hand: Any, edit: Callable[[str], str | None]) -> Any:
    request = echo(hand)
    changed = edit(request.headers["Authorization"])
    if changed is None:
        return request.replace(headers=request.headers.without("Authorization"))
    return request.with_header("Authorization", changed)


def signature(hand: Any, scheme: Any, algorithm: Any) -> str:
    gateway = hand.gateway
    message = crypto.request_message(
        "POST", ECHO, int(gateway.clock()), "0123456789abcdefABCDEF", BODY
    )
    key = gateway.credentials["private_key"]
    return b64encode(key.sign(message, scheme, algorithm)).decode()


def sha1_signature(hand: Any) -> str:
    return signature(hand, padding.PKCS1v15(), hashes.SHA1())


def serial_of(hand: Any, spell: Callable[[str], str]) -> str:
    return spell(hand.gateway.credentials["serial"])


def pss_signature(hand: Any) -> str:
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return signature(hand, scheme, hashes.SHA256())


def replayed(hand: Any) -> Any:
    request = echo(hand)
    assert hand.gateway.handle(request).ok
    return request


def shift(hand: Any, seconds: int) -> str:
    return str(int(hand.gateway.clock()) + seconds)


CASES: dict[str, list[Callable[[Any], Any]]] = {
    "authorization_missing": [
        lambda h: header(h, lambda text: None),
        lambda h: header(h, lambda text: ""),
        lambda h: header(h, lambda text: "  "),
    ],
    "scheme_unknown": [
        lambda h: header(h, lambda text: text.replace("2048", "4096", 1)),
        lambda h: header(h, lambda text: "Bearer abc"),
        lambda h: header(h, lambda text: SCHEME),
        lambda h: header(h, lambda text: text.replace(" ", "\t", 1)),
        lambda h: header(
            h, lambda text: text.replace(SCHEME, "WECHATPAY-BRAND-SHA256-RSA2048")
        ),
    ],
    "parameters_malformed": [
        lambda h: header(h, lambda text: f"{SCHEME} nonsense"),
        lambda h: header(h, lambda text: text + ","),
        lambda h: header(h, lambda text: text[:-1]),
        lambda h: header(h, lambda text: text.replace(",", ";")),
        lambda h: header(h, lambda text: text.replace('",', '" ')),
    ],
    "parameter_unquoted": [
        lambda h: header(h, lambda text: text.replace('"1900000001"', "1900000001")),
        lambda h: header(h, lambda text: text.replace('"', "'")),
    ],
    "parameter_unknown": [
        lambda h: header(h, lambda text: text.replace("serial_no=", "serial=")),
        lambda h: header(h, lambda text: text + ',extra="1"'),
    ],
    "parameter_repeated": [
        lambda h: header(h, lambda text: text + ',mchid="1900000001"'),
    ],
    "parameter_missing": [
        lambda h: header(h, lambda text: f'{SCHEME} mchid="1900000001"'),
        lambda h: header(h, lambda text: text.partition(",signature")[0]),
        lambda h: header(h, lambda text: f"{SCHEME} "),
    ],
    "parameter_empty": [
        lambda h: echo(h, signature=""),
        lambda h: echo(h, nonce=""),
    ],
    "timestamp_milliseconds": [lambda h: echo(h, timestamp=shift(h, 0) + "000")],
    "timestamp_malformed": [
        lambda h: echo(h, timestamp="now"),
        lambda h: echo(h, timestamp="-171722520"),
        lambda h: echo(h, timestamp="1717225200.0"),
        lambda h: echo(h, timestamp="١٧١٧٢٢٥٢٠٠"),
    ],
    "timestamp_expired": [
        lambda h: echo(h, timestamp=shift(h, 301)),
        lambda h: echo(h, timestamp=shift(h, -301)),
    ],
    "nonce_malformed": [
        lambda h: echo(h, nonce="a" * 33),
        lambda h: echo(h, nonce="with-hyphen"),
        lambda h: echo(h, nonce="户"),
    ],
    "merchant_unknown": [
        lambda h: echo(h, mchid="1900000002"),
        lambda h: echo(h, mchid=h.gateway.sub_mchid),
    ],
    "serial_of_wechat": [
        lambda h: echo(h, serial=h.gateway.public_key_id),
        lambda h: echo(h, serial=h.gateway.certificate_serial),
        lambda h: echo(h, serial=h.gateway.certificate_serial.lower()),
    ],
    "serial_of_another_merchant": [
        lambda h: echo(h, serial=h.gateway.enrol("1900000002")["serial"]),
    ],
    "serial_spelling": [
        lambda h: echo(h, serial=serial_of(h, lambda one: f"0x{one}")),
        lambda h: echo(h, serial=serial_of(h, lambda one: str(int(one, 16)))),
        lambda h: echo(
            h, serial=serial_of(h, lambda one: ":".join(re.findall("..", one)))
        ),
    ],
    "serial_unknown": [lambda h: echo(h, serial="5A" * 20)],
    "url_not_ascii": [
        lambda h: echo(h).replace(url="https://sandbox.invalid/v3/户"),
        lambda h: echo(h).replace(url="https://sandbox.invalid/v3/\ud800"),
    ],
    "signature_not_base64": [
        lambda h: echo(h, signature="WECHATPAY/SIGNTEST/xy"),
        lambda h: echo(h, signature="abc"),
        lambda h: echo(h, signature="签名"),
    ],
    "signature_spelling": [
        lambda h: header(h, lambda text: text.replace('=="', '"')),
        lambda h: header(
            h, lambda text: text.replace("=", "%3D").replace("%3D", "=", 5)
        ),
    ],
    "signature_pss": [lambda h: echo(h, signature=pss_signature(h))],
    "nonce_replayed": [replayed],
    "signature_length": [lambda h: echo(h, signature="AAAA")],
    "another_key": [
        lambda h: echo(h, key=pair("platform")),
        lambda h: echo(h, key=pair("public key")),
        lambda h: echo(h, key=h.gateway.enrol("1900000002")["private_key"]),
    ],
    "wrong_key": [
        lambda h: echo(h, key=pair("nobody knows it")),
        lambda h: echo(h, signature=b64encode(b"\xff" * 256).decode()),
    ],
    "wrong_hash": [lambda h: echo(h, signature=sha1_signature(h))],
    "wrong_message": [
        lambda h: echo(h).replace(body=b'{"echo_message": "hi"}'),
        lambda h: echo(h).replace(body=b""),
        lambda h: echo(h).replace(method="PUT"),
        lambda h: echo(h).replace(url=f"https://sandbox.invalid{ECHO}?a=1"),
        lambda h: echo(h, message=b"something else"),
        lambda h: header(h, lambda text: text.replace("0123456789", "9876543210")),
    ],
}
FLAT = [
    pytest.param(identifier, make, id=f"{identifier}-{at}")
    for identifier, makers in CASES.items()
    for at, make in enumerate(makers)
]


@pytest.mark.parametrize(("identifier", "make"), FLAT)
def test_mistake_is_named(
    hand: Any, outcome: Any, identifier: str, make: Callable[[Any], Any]
) -> None:
    response = hand.gateway.handle(make(hand))
    assert outcome(response) == (401, "SIGN_ERROR", identifier)
    assert len(json.loads(response.content)["detail"]["sandbox"]["message"]) > 10


def test_every_mistake_has_a_case() -> None:
    assert CASES.keys() == MISTAKES.keys()


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_clock_may_be_300_seconds_off(hand: Any, seconds: int) -> None:
    assert hand.gateway.handle(echo(hand, timestamp=shift(hand, seconds))).ok


def shuffled(text: str) -> str:
    scheme, _, rest = text.partition(" ")
    return f"{scheme} " + ", ".join(reversed(rest.split(",")))


def spaced(text: str) -> str:
    return text.replace(",", " , ")


@pytest.mark.parametrize("edit", [shuffled, spaced])
def test_parameters_are_read_by_name(hand: Any, edit: Callable[[str], str]) -> None:
    assert hand.gateway.handle(header(hand, edit)).ok


def test_serials_compare_without_regard_to_case(hand: Any) -> None:
    serial = hand.gateway.credentials["serial"].lower()
    assert hand.gateway.handle(echo(hand, serial=serial)).ok


def test_401_has_the_documented_shape_and_is_not_signed(hand: Any) -> None:
    response = hand.gateway.handle(echo(hand).replace(body=b"{}"))
    data = json.loads(response.content)
    assert data["message"] == "错误的签名，验签失败"
    detail = data["detail"]
    assert (detail["field"], detail["location"]) == ("signature", "authorization")
    assert detail["detail"] == {"issue": "sign not match"}
    text = f"POST\n{ECHO}\n1717225200\n"
    assert detail["sign_information"] == {
        "method": "POST",
        "url": ECHO,
        "truncated_sign_message": text,
        "sign_message_length": len(text) + len("0123456789abcdefABCDEF\n{}\n"),
    }
    assert "Wechatpay-Signature" not in response.headers
    assert response.request_id is not None
    assert response.request_id.endswith("-270924332")


def test_wrong_message_shows_what_was_expected(hand: Any) -> None:
    response = hand.gateway.handle(echo(hand).replace(body=b"{}"))
    sandbox = json.loads(response.content)["detail"]["sandbox"]
    nonce = "0123456789abcdefABCDEF"
    assert sandbox["expected"] == f"POST⏎{ECHO}⏎1717225200⏎{nonce}⏎{{}}⏎"
    assert sandbox["signed_sha256"] != sandbox["expected_sha256"]


def test_owner_of_a_foreign_key_is_named(hand: Any) -> None:
    key = hand.gateway.enrol("1900000002")["private_key"]
    response = hand.gateway.handle(echo(hand, key=key))
    message = json.loads(response.content)["detail"]["sandbox"]["message"]
    assert "private key of merchant 1900000002" in message


def test_earlier_check_wins(hand: Any, outcome: Any) -> None:
    """All is wrong: header, then timestamp, then merchant, then signature."""
    wrong = {"timestamp": "1", "mchid": "1", "serial": "1", "signature": "!"}
    found = []
    for name in ["timestamp", "mchid", "serial", "signature"]:
        found.append(outcome(hand.gateway.handle(echo(hand, **wrong)))[2])
        wrong.pop(name)
    assert found == [
        "timestamp_malformed",
        "merchant_unknown",
        "serial_unknown",
        "signature_not_base64",
    ]


def test_signature_is_checked_before_the_route(hand: Any, outcome: Any) -> None:
    request = hand.request("GET", "/v3/nowhere", key=pair("nobody knows it"))
    assert outcome(hand.gateway.handle(request))[2] == "wrong_key"


def test_refused_request_changes_nothing(hand: Any) -> None:
    gateway = hand.gateway
    order = gateway.given.order()
    body = json.dumps({"appid": gateway.appid, "reason": "x"}).encode()
    target = f"/v3/payscore/serviceorder/{order}/cancel"
    request = hand.request("POST", target, body, key=pair("nobody knows it"))
    assert gateway.handle(request).status_code == 401
    assert gateway.orders[order].history == ["CREATED"]


# What the client makes of it.


def test_client_with_a_foreign_key_is_told_so(gateway: Gateway, call: Any) -> None:
    client = gateway.client(private_key=pair("nobody knows it"))
    with pytest.raises(Unauthorized, match="do not belong together"):
        call(client.v3.security.echo.post, {"echo_message": "hi"})


def test_client_with_a_wrong_clock_is_told_both_times(
    gateway: Gateway, call: Any
) -> None:
    client = gateway.client(clock=lambda: gateway.clock() - 1000)
    with pytest.raises(Unauthorized, match="1000 s behind, more than the 300 s"):
        call(client.v3.security.echo.post, {"echo_message": "hi"})


def test_client_of_an_unknown_merchant_is_told_the_nearest(gateway: Gateway) -> None:
    client = gateway.client(mchid="1900000011")
    with pytest.raises(APIError, match="did you mean 1900000001"):
        client.v3.security.echo.post({"echo_message": "hi"})


def test_clients_of_two_merchants_do_not_mix(gateway: Gateway) -> None:
    other = gateway.enrol("1900000002")
    own = gateway.credentials
    assert own["apiv3_key"] != other["apiv3_key"]
    client = WeChatPay(
        **{**other, "private_key": own["private_key"]},
        transport=gateway.transport(),
        clock=gateway.clock,
    )
    with pytest.raises(Unauthorized) as caught:
        client.v3.security.echo.post({"echo_message": "hi"})
    assert caught.value.detail["sandbox"]["id"] == "another_key"


def add_query(request: Any) -> Any:
    return request.replace(url=request.url + "?lang=en")


def add_space(request: Any) -> Any:
    return request.with_body(request.body + b" ")


def swap_method(request: Any) -> Any:
    return request.replace(method="PUT")


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (add_query, "query: none was signed, 'lang=en' was sent"),
        (add_space, "body: 21 bytes were signed, 22 bytes were sent"),
        (swap_method, "method: 'POST' was signed, 'PUT' was sent"),
    ],
)
def test_client_is_told_what_changed_after_signing(
    gateway: Gateway, call: Any, change: Callable[[Any], Any], difference: str
) -> None:
    client = gateway.client()

    def careless(request: Any) -> Any:
        return (yield change(request))

    client.stack.after("sign", careless, "careless")
    with pytest.raises(Unauthorized, match=difference):
        call(client.v3.security.echo.post, {"echo_message": "hi"})
