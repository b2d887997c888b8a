"""No key and no plaintext in what is shown of a refusal, local variables included."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from leaks import APIV2_KEY, APIV3_KEY, failure, leaked, rendered
from sender import Sender

from wechatpay_chain import NotificationError, WeChatPay

OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
PLAIN = ("private-plaintext", OPENID)


@pytest.fixture
def sender(vectors: dict[str, Any]) -> Sender:
    """WeChat Pay with keys that can be searched for."""
    keys = {**vectors["keys"], "apiv3_key": APIV3_KEY, "apiv2_key": APIV2_KEY}
    return Sender(keys, 1717225200)


def _sealed(sender: Sender, plain: str, **changes: Any) -> Any:
    resource = {**sender.resource(plain=plain.encode()), **changes}
    return sender.post(resource=resource)


def _refund(sender: Sender, plain: str) -> Any:
    sealed = sender.req_info(plain.encode())
    return {}, sender.xml({"openid": OPENID, "req_info": sealed}, None)


REFUSED: dict[str, Any] = {
    "not signed": lambda s: ({}, s.body()),
    "another signature": lambda s: (s.headers(b""), s.body()),
    "late": lambda s: (s.headers(s.body(), at=1), s.body()),
    "unknown serial": lambda s: (
        {**s.headers(s.body()), "Wechatpay-Serial": "0" * 40},
        s.body(),
    ),
    "no JSON": lambda s: (s.headers(b"{"), b"{"),
    "no tag": lambda s: _sealed(s, f'"{PLAIN[0]}"', nonce="0123456789ab"),
    "a plaintext that is no JSON": lambda s: _sealed(s, f'{{"{PLAIN[0]}": '),
    "a plaintext that is no text": lambda s: s.post(
        resource=s.resource(plain=b"\xff" + PLAIN[0].encode())
    ),
    "a plaintext that is nested too deeply": lambda s: _sealed(
        s, f'["{PLAIN[0]}", ' + "[" * 100_000
    ),
    "a wrong sign": lambda s: (
        {},
        s.xml({"openid": OPENID, "transaction_id": "1", "sign": "0" * 32}, None),
    ),
    "no sign": lambda s: ({}, s.xml({"openid": OPENID}, None)),
    "broken XML": lambda s: ({}, f"<xml><openid>{OPENID}</open>".encode()),
    "a refund that is no XML": lambda s: _refund(s, PLAIN[0]),
    "a refund that is nested": lambda s: _refund(
        s, f"<root><a><b>{PLAIN[0]}</b></a></root>"
    ),
    "a refund of another key": lambda s: (
        {},
        s.xml({"openid": OPENID, "req_info": s.req_info(b"x", "0" * 32)}, None),
    ),
    "an event of APIv2 that does not open": lambda s: (
        {},
        s.xml(
            {
                "event_ciphertext": s.resource(plain=PLAIN[0].encode())["ciphertext"],
                "event_nonce": "fdasflkja484",
                "event_associated_data": "payscore",
            }
        ),
    ),
}


@pytest.mark.parametrize("made", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_no_refusal_shows_a_key_a_plaintext_or_a_user(sender, made, mode) -> None:
    client = sender.client()
    notifications, given = client.notifications, made(sender)

    def attempt() -> object:
        if mode == "async":
            return asyncio.run(notifications.parse_async(*given))
        return notifications.parse(*given)

    error = failure(attempt)
    assert isinstance(error, NotificationError)
    text = rendered(error)
    assert "reading.py" in text
    assert [needle for needle in (*PLAIN, *leaked(text)) if needle in text] == []


@pytest.mark.parametrize("changes", [{"apiv3_key": None}, {"secret": None}])
def test_no_mistake_of_our_own_shows_a_key(sender, changes) -> None:
    client = sender.client(**changes)
    given = sender.post()
    if "secret" in changes:
        given = {}, sender.xml({"openid": OPENID, "transaction_id": "1"})
    text = rendered(failure(lambda: client.notifications.parse(*given)))
    assert not leaked(text)
    assert OPENID not in text


def test_nothing_that_reads_is_printed_with_a_key(sender) -> None:
    client: WeChatPay = sender.client()
    found = client.notifications.parse(*_sealed(sender, f'"{PLAIN[0]}"'))
    for thing in (client.notifications, client.invoke, found):
        assert not leaked(repr(thing))
        assert PLAIN[0] not in repr(thing)
