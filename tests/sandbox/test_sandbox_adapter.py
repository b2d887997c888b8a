"""A plain session of requests meets the gateway, and breaks as on a line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from wechatpay_chain import (
    ConnectError,
    ConnectTimeout,
    ReadError,
    ReadTimeout,
    crypto,
)
from wechatpay_chain.sandbox import Gateway

HOST = "https://api.mch.weixin.qq.com"
BODY = b'{"echo_message":"hi"}'


@pytest.fixture
def session(gateway: Gateway) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.mount(HOST, gateway.adapter())
        yield session


def signed(gateway: Gateway, method: str, target: str, body: bytes) -> dict[str, str]:
    """Headers as a program of its own makes them."""
    own = gateway.credentials
    now, nonce = str(int(gateway.clock())), gateway.ids.nonce("own")
    text = crypto.request_message(method, target, now, nonce, body)
    return {
        "Authorization": crypto.authorization(
            mchid=own["mchid"],
            serial=own["serial"],
            timestamp=now,
            nonce=nonce,
            signature=crypto.sign(text, own["private_key"]),
        ),
        "Content-Type": "application/json",
        "Accept": "application/json",
    }


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        BODY.decode(),
        bytearray(BODY),
        io.BytesIO(BODY),
        iter([BODY[:4], BODY[4:]]),
    ],
    ids=["bytes", "text", "bytearray", "file", "chunks"],
)
def test_a_call_is_verified_and_signed_whatever_the_body_is(
    session: requests.Session, gateway: Gateway, body: Any
) -> None:
    target = "/v3/security/echo"
    headers = signed(gateway, "POST", target, BODY)
    reply = session.post(HOST + target, data=body, headers=headers, timeout=5)
    assert reply.status_code == 200
    assert reply.json() == {"echo_message": "hi"}
    message = crypto.response_message(
        reply.headers["Wechatpay-Timestamp"],
        reply.headers["Wechatpay-Nonce"],
        reply.content,
    )
    signature = reply.headers["Wechatpay-Signature"]
    assert crypto.verify(message, signature, gateway.public_key)
    assert reply.url == HOST + target
    assert reply.reason == "OK"


def test_a_query_arrives_as_it_was_sent(
    session: requests.Session, gateway: Gateway
) -> None:
    session.get(f"{HOST}/v3/x?b=%E7%94%A8&a=1", timeout=5)
    assert gateway.journal[1].request.target == "/v3/x?b=%E7%94%A8&a=1"


def test_what_is_not_signed_is_401(session: requests.Session) -> None:
    reply = session.get(f"{HOST}/v3/certificates", timeout=5)
    assert reply.status_code == 401
    assert json.loads(reply.content)["code"] == "SIGN_ERROR"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ConnectError, requests.ConnectionError),
        (ConnectTimeout, requests.ConnectTimeout),
        (ReadTimeout, requests.ReadTimeout),
        (ReadError, requests.ConnectionError),
    ],
)
def test_a_broken_line_breaks_as_requests_has_it(
    session: requests.Session,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    ours: type[Exception],
    theirs: type[Exception],
) -> None:
    def broken(_: object) -> None:
        raise ours("the line broke")

    monkeypatch.setattr(gateway, "handle", broken)
    with pytest.raises(theirs, match="the line broke") as caught:
        session.get(f"{HOST}/v3/certificates", timeout=5)
    assert type(caught.value) is theirs
    assert caught.value.request.url == f"{HOST}/v3/certificates"  # type: ignore[attr-defined]


def test_other_hosts_are_not_touched(session: requests.Session) -> None:
    with pytest.raises(requests.ConnectionError):
        session.get("http://127.0.0.1:9/v3/certificates", timeout=5)
