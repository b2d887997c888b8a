"""What is refused: every change of every part, with the status to answer with."""

from __future__ import annotations

import json
import string
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sender import SCHEME

from wechatpay_chain import (
    ClockSkew,
    ConfigurationError,
    DecodeError,
    DecryptionError,
    InvalidSignature,
    MissingHeaders,
    NotificationError,
    UnknownSerial,
)

SIGNED = (
    "Wechatpay-Timestamp",
    "Wechatpay-Nonce",
    "Wechatpay-Serial",
    "Wechatpay-Signature",
)


def refused(call: Any, client: Any, headers: Any, body: Any) -> NotificationError:
    """The error, which carries its cause and no doubt about an operation."""
    with pytest.raises(NotificationError) as caught:
        call(client.notifications.parse, headers, body)
    error = caught.value
    assert error.__cause__ is not None
    assert error.outcome is error.__cause__.outcome is None
    assert str(error) == str(error.__cause__)
    return error


def flipped(signature: str) -> str:
    raw = bytearray(b64decode(signature))
    raw[100] ^= 1
    return b64encode(raw).decode()


HEADER_CHANGES: dict[str, tuple[str, Any, type[Exception]]] = {
    "a second earlier": (
        "Wechatpay-Timestamp",
        lambda v: str(int(v) - 1),
        InvalidSignature,
    ),
    "no number": ("Wechatpay-Timestamp", lambda v: "now", InvalidSignature),
    "a fraction": ("Wechatpay-Timestamp", lambda v: f"{v}.0", InvalidSignature),
    "another nonce": ("Wechatpay-Nonce", lambda v: v + "x", InvalidSignature),
    "a nonce with a space": ("Wechatpay-Nonce", lambda v: f" {v}", InvalidSignature),
    "a nonce in two lines": ("Wechatpay-Nonce", lambda v: f"{v}\n", InvalidSignature),
    "unknown serial": ("Wechatpay-Serial", lambda v: "0" * 40, UnknownSerial),
    "unknown public key": (
        "Wechatpay-Serial",
        lambda v: "PUB_KEY_ID_0",
        UnknownSerial,
    ),
    "a flipped bit": ("Wechatpay-Signature", flipped, InvalidSignature),
    "half a signature": (
        "Wechatpay-Signature",
        lambda v: v[:172],
        InvalidSignature,
    ),
    "no base64": ("Wechatpay-Signature", lambda v: "@" * 344, InvalidSignature),
    "not ASCII": ("Wechatpay-Signature", lambda v: "签名", InvalidSignature),
    "a surrogate": ("Wechatpay-Nonce", lambda v: "\udcff", InvalidSignature),
    "endless": ("Wechatpay-Signature", lambda v: v * 4, InvalidSignature),
    "twice": ("Wechatpay-Signature", lambda v: [v, v], InvalidSignature),
    "another scheme": (
        "Wechatpay-Signature-Type",
        lambda v: "WECHATPAY2-SM2-WITH-SM3",
        InvalidSignature,
    ),
}


@pytest.mark.parametrize(
    ("name", "change", "kind"), HEADER_CHANGES.values(), ids=HEADER_CHANGES
)
def test_a_changed_header_is_refused(call, client, sender, name, change, kind) -> None:
    headers, body = sender.post()
    error = refused(call, client, {**headers, name: change(headers[name])}, body)
    assert type(error.__cause__) is kind
    assert error.status_code == 401


@pytest.mark.parametrize("name", SIGNED)
@pytest.mark.parametrize("value", [None, "", []])
def test_a_missing_header_is_refused(call, client, sender, name, value) -> None:
    headers, body = sender.post()
    error = refused(call, client, {**headers, name: value}, body)
    assert type(error.__cause__) is MissingHeaders
    assert error.status_code == 401


def test_the_signature_of_another_key_of_wechat_is_refused(
    call, client, sender
) -> None:
    headers, body = sender.post()
    headers["Wechatpay-Serial"] = sender.new_serial
    error = refused(call, client, headers, body)
    assert type(error.__cause__) is InvalidSignature


def test_the_type_of_the_signature_may_be_missing(call, client, sender) -> None:
    headers, body = sender.post()
    assert headers.pop("Wechatpay-Signature-Type") == SCHEME
    assert call(client.notifications.parse, headers, body)


@pytest.mark.parametrize(
    "value",
    [
        "WECHATPAY/SIGNTEST/" + "A" * 325,  # its length is no multiple of 4
        "WECHATPAY/SIGNTEST/" + "A" * 321 + "==",
        "WECHATPAY/SIGNTEST/",
    ],
)
def test_a_signature_probe_is_refused_as_any_bad_signature(
    call, client, sender, value
) -> None:
    headers, body = sender.post()
    error = refused(call, client, {**headers, "Wechatpay-Signature": value}, body)
    assert type(error.__cause__) is InvalidSignature
    assert error.status_code == 401


@pytest.mark.parametrize("skew", [-100_000, -301, 301, 100_000])
def test_a_replay_outside_of_the_window_is_refused(call, client, sender, skew) -> None:
    headers, body = sender.post()
    sender.now += skew
    error = refused(call, client, headers, body)
    assert type(error.__cause__) is ClockSkew
    assert error.status_code == 401


# The body: each class of bytes in it.

BODY_CHANGES: dict[str, Any] = {
    "the type": lambda b: b.replace(b"USER_CONFIRM", b"USER_PAID"),
    "the id": lambda b: b.replace(b"EV-2024060100000000001", b"EV-2"),
    "the time": lambda b: b.replace(b"15:00:00", b"15:00:01"),
    "the summary": lambda b: b.replace("用户".encode(), "商户".encode()),
    "half of a Chinese character": lambda b: b.replace("用".encode(), b"\xe7\x94"),
    "the ciphertext": lambda b: b.replace(b'"ciphertext": "', b'"ciphertext": "A'),
    "the nonce": lambda b: b.replace(b"fdasflkja484", b"fdasflkja485"),
    "associated data": lambda b: b.replace(b'"payscore"', b'"refund"'),
    "a name": lambda b: b.replace(b'"id"', b'"iD"'),
    "a quote": lambda b: b.replace(b'"', b"'", 1),
    "a colon": lambda b: b.replace(b":", b";", 1),
    "white space": lambda b: b.replace(b": ", b":"),
    "a space behind": lambda b: b + b" ",
    "a line behind": lambda b: b + b"\n",
    "a mark of order": lambda b: b"\xef\xbb\xbf" + b,
    "escapes": lambda b: json.dumps(json.loads(b)).encode(),
    "another order": lambda b: json.dumps(
        dict(reversed(json.loads(b).items())), ensure_ascii=False
    ).encode(),
    "a member added": lambda b: b[:-1] + b', "a": 1}',
    "cut off": lambda b: b[:-1],
    "empty": lambda b: b"",
    "nothing of it": lambda b: b"{}",
    "a lone surrogate": lambda b: b.decode() + "\ud800",
}


@pytest.mark.parametrize("change", BODY_CHANGES.values(), ids=BODY_CHANGES)
def test_a_changed_body_is_refused(call, client, sender, change) -> None:
    headers, body = sender.post()
    changed = change(body)
    assert changed != body
    error = refused(call, client, headers, changed)
    assert type(error.__cause__) is InvalidSignature
    assert error.status_code == 401


def test_the_headers_of_another_notification_are_refused(call, client, sender) -> None:
    headers, _ = sender.post()
    _, body = sender.post(id="EV-2024060100000000002")
    assert type(refused(call, client, headers, body).__cause__) is InvalidSignature


def swapped(sender: Any, *names: str) -> dict[str, Any]:
    """A resource with parts of another one, which WeChat Pay would not sign."""
    other = sender.resource({"out_order_no": "2"}, nonce="0123456789ab", associated="x")
    return {**sender.resource(), **{name: other[name] for name in names}}


@pytest.mark.parametrize(
    "names",
    [
        ("ciphertext",),
        ("nonce",),
        ("associated_data",),
        ("ciphertext", "nonce"),
        ("ciphertext", "associated_data"),
        ("nonce", "associated_data"),
    ],
)
def test_parts_of_two_resources_do_not_open(call, client, sender, names) -> None:
    given = sender.post(resource=swapped(sender, *names))
    error = refused(call, client, *given)
    assert type(error.__cause__) is DecryptionError
    assert error.status_code == 400


def test_a_wrong_apiv3_key_is_named_where_the_signature_holds(call, sender) -> None:
    client = sender.client(apiv3_key="0" * 32)
    error = refused(call, client, *sender.post())
    assert type(error.__cause__) is DecryptionError
    assert "almost certainly apiv3_key is not the APIv3 key" in str(error)
    assert "changed ciphertext" not in str(error)
    assert "0" * 32 not in str(error)


def test_the_message_of_another_merchant_does_not_open(call, client, sender) -> None:
    # WeChat Pay signs for all of them with one certificate.
    resource = sender.resource(key="f" * 32)
    error = refused(call, client, *sender.post(resource=resource))
    assert type(error.__cause__) is DecryptionError
    assert error.status_code == 400


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no id": ({"id": None}, "id: text expected"),
    "a number for an id": ({"id": 5}, "id: text expected"),
    "an empty id": ({"id": ""}, "id: text expected"),
    "no type": ({"event_type": None}, "event_type: text expected"),
    "no resource": ({"resource": None}, "no resource"),
    "a list for a resource": ({"resource": []}, "no resource"),
    "another algorithm": ({"resource": {"algorithm": "SM4"}}, "AEAD_AES_256_GCM"),
    "no ciphertext": (
        {"resource": {"algorithm": "AEAD_AES_256_GCM", "nonce": "x"}},
        "ciphertext: text expected",
    ),
    "no nonce": (
        {"resource": {"algorithm": "AEAD_AES_256_GCM", "ciphertext": "x"}},
        "nonce: text expected",
    ),
    "associated data that is no text": (
        {
            "resource": {
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": "x",
                "nonce": "y",
                "associated_data": 5,
            }
        },
        "associated_data: text expected",
    ),
}


@pytest.mark.parametrize(("changes", "text"), BROKEN.values(), ids=BROKEN)
def test_a_signed_message_that_is_no_notification_cannot_be_read(
    call, client, sender, changes, text
) -> None:
    error = refused(call, client, *sender.post(**changes))
    assert type(error.__cause__) is DecodeError
    assert text in str(error)
    assert error.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b'{"id": NaN}',
        b"[" * 100_000,
        b"<xml></xml>",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_signed_bytes_that_are_no_object_cannot_be_read(
    call, client, sender, body
) -> None:
    error = refused(call, client, sender.headers(body), body)
    assert type(error.__cause__) is DecodeError
    assert error.status_code == 400


@pytest.mark.parametrize("plain", [b"", b"null", b"{", b"\xff", b"{'a': 1}", b"NaN"])
def test_a_resource_that_opens_and_is_no_json_cannot_be_read(
    call, client, sender, plain
) -> None:
    resource = sender.resource(plain=plain)
    error = refused(call, client, *sender.post(resource=resource))
    assert type(error.__cause__) is DecodeError
    assert "not JSON" in str(error)


def test_without_the_apiv3_key_it_is_our_own_mistake(call, sender) -> None:
    client = sender.client(apiv3_key=None)
    error = refused(call, client, *sender.post())
    assert type(error.__cause__) is ConfigurationError
    assert "apiv3_key" in str(error)
    assert error.status_code == 500


def test_who_is_not_verified_learns_nothing_of_our_configuration(call, sender) -> None:
    client = sender.client(apiv3_key=None)
    headers, body = sender.post()
    error = refused(call, client, headers, body + b" ")
    assert error.status_code == 401


def test_a_header_that_cannot_be_printed_is_not_named_in_full(
    call, client, sender
) -> None:
    headers, body = sender.post()
    headers["Wechatpay-Serial"] = "7F\x1b[31m\n"
    error = refused(call, client, headers, body)
    assert str(error) == "Wechatpay-Serial: not a header of WeChat Pay's"


def test_a_refusal_of_headers_says_notification_and_not_answer(
    call, client, sender
) -> None:
    _, body = sender.post()
    error = refused(call, client, {}, body)
    assert str(error) == (
        f"the notification is not signed: {', '.join(SIGNED)} missing; anybody can "
        "post to a notify_url"
    )


# By chance.

QUIET = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@QUIET
@given(data=st.data())
def test_no_byte_of_the_body_may_change(client, sender, data) -> None:
    headers, body = sender.post()
    at = data.draw(st.integers(0, len(body) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(body)
    changed[at] ^= 1 << bit
    with pytest.raises(NotificationError) as caught:
        client.notifications.parse(headers, bytes(changed))
    assert caught.value.status_code == 401


@QUIET
@given(
    name=st.sampled_from(SIGNED),
    at=st.integers(0, 400),
    char=st.sampled_from(string.printable + "签\x00\udcff"),
)
def test_no_character_of_a_signed_header_may_change(
    client, sender, name, at, char
) -> None:
    headers, body = sender.post()
    value = headers[name]
    at %= len(value)
    changed = value[:at] + char + value[at + 1 :]
    assume(changed != value)
    with pytest.raises(NotificationError) as caught:
        client.notifications.parse({**headers, name: changed}, body)
    assert caught.value.status_code == 401


@QUIET
@given(body=st.binary(max_size=200), signed=st.booleans())
def test_no_bytes_raise_anything_but_a_refusal(client, sender, body, signed) -> None:
    headers = sender.headers(body) if signed else {}
    with pytest.raises(NotificationError):
        client.notifications.parse(headers, body)


@QUIET
@given(
    envelope=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.dictionaries(
            st.sampled_from(
                ["id", "event_type", "resource", "algorithm", "nonce", "ciphertext"]
            ),
            inner,
            max_size=6,
        ),
        max_leaves=12,
    )
)
def test_no_signed_json_raises_anything_but_a_refusal(client, sender, envelope) -> None:
    body = json.dumps(envelope).encode()
    with pytest.raises(NotificationError) as caught:
        client.notifications.parse(sender.headers(body), body)
    assert caught.value.status_code == 400
