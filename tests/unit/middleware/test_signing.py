"""The layer ``sign``, stepped by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from key_material import MCHID, PUBLIC_KEY_ID, SERIAL, merchant_key

from wechatpay_chain import Compute, ConfigurationError, KeyRing, Request, Response
from wechatpay_chain.crypto import WeChatKey
from wechatpay_chain.middleware.signing import Signer

OK = Response(200)


def request(url: str = "http://127.0.0.1:9/v3/x?a=1", **changes: Any) -> Request:
    return Request("POST", url, base_url="http://127.0.0.1:9", body=b"{}", **changes)


def signer(keys: KeyRing | None = None, **options: Any) -> Signer:
    given: dict[str, Any] = {
        "mchid": MCHID,
        "serial": SERIAL,
        "private_key": merchant_key(),
        "keys": keys or KeyRing(),
        "clock": lambda: 1717225200.9,
        "nonce": lambda: "n0nce",
    }
    return Signer(**{**given, **options})


def step(layer: Signer, sent: Request) -> tuple[bytes, Request]:
    """The text that is signed, and the request that goes inward."""
    flow = layer(sent)
    command = next(flow)
    assert isinstance(command, Compute)
    signed = flow.send("c2lnbmF0dXJl")
    with pytest.raises(StopIteration) as done:
        flow.send(OK)
    assert done.value.value is OK
    return command.arguments[0], signed


def test_signs_in_a_computation_and_sends_once() -> None:
    message, signed = step(signer(), request())
    assert message == b"POST\n/v3/x?a=1\n1717225200\nn0nce\n{}\n"
    assert signed.headers["Authorization"] == (
        f'WECHATPAY2-SHA256-RSA2048 mchid="{MCHID}",nonce_str="n0nce",'
        f'timestamp="1717225200",serial_no="{SERIAL}",signature="c2lnbmF0dXJl"'
    )


def test_signs_meta_in_place_of_an_upload() -> None:
    message, signed = step(signer(), request(signing_body=b'{"meta":1}'))
    assert message.endswith(b'\nn0nce\n{"meta":1}\n')
    assert signed.body == b"{}"


def test_each_run_has_a_fresh_time_and_nonce() -> None:
    times: Iterator[int] = iter([1, 2])
    nonces: Iterator[str] = iter("ab")
    layer = signer(clock=lambda: next(times), nonce=lambda: next(nonces))
    (first, _), (second, _) = step(layer, request()), step(layer, request())
    assert b"\n1\na\n" in first
    assert b"\n2\nb\n" in second


@pytest.mark.parametrize("given", [None, "PUB_KEY_ID_9"])
def test_asks_for_the_public_key_unless_the_request_does(given: str | None) -> None:
    public = merchant_key().public_key()
    ring = KeyRing({"": WeChatKey(PUBLIC_KEY_ID, public)})
    sent = request().with_header("wechatpay-serial", given) if given else request()
    _, signed = step(signer(ring), sent)
    assert signed.headers["Wechatpay-Serial"] == (given or PUBLIC_KEY_ID)


def test_asks_for_nothing_in_certificate_mode() -> None:
    ring = KeyRing({"": WeChatKey("00AB", merchant_key().public_key())})
    assert "Wechatpay-Serial" not in step(signer(ring), request())[1].headers


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9evil/v3/x",
        "http://127.0.0.1/v3/x",
        "http://127.0.0.1:90/v3/x",
        "https://127.0.0.1:9/v3/x",
        "https://evil.example/http://127.0.0.1:9/v3/x",
    ],
)
def test_another_host_gets_no_signature(url: str) -> None:
    with pytest.raises(ConfigurationError, match="nothing is signed for"):
        next(signer()(request(url)))


def test_a_request_without_a_base_is_wechats() -> None:
    bare = Request("GET", "https://api.mch.weixin.qq.com/v3/x")
    assert step(signer(), bare)[0].startswith(b"GET\n/v3/x\n")
