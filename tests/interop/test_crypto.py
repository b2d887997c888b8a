"""Our bytes against those of ``openssl`` and ``node:crypto``, in both directions."""

from __future__ import annotations

import hashlib
import os
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain import crypto

MESSAGES = {
    "empty": b"",
    "a request": 'POST\n/v3/pay\n1717225200\nN0\n{"reason":"用户投诉"}\n'.encode(),
    "no text": bytes(range(256)),
    "long": b"0123456789" * 20_000,
}
TEXTS = {
    "Chinese": "张三",
    "digits": "6222020200000000000",
    "one byte": "x",
    "longest": "x" * 214,
}
KEY = "Zq3t6w9zC4FcJaNdRgUkXp2s5v8yB1ED"
NONCE = "fdasflkja484"
SECRET = "192006250b4c09247ec02edce69f6a2d"


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_openssl_verifies_our_signature(
    openssl: Any, pair: Any, tmp_path: Path, message: bytes
) -> None:
    signature = tmp_path / "signature"
    signature.write_bytes(b64decode(crypto.sign(message, pair.our_private)))
    arguments = ("-sha256", "-verify", pair.public, "-signature", signature)
    assert openssl("dgst", *arguments, stdin=message) == b"Verified OK\n"


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_we_verify_the_signature_of_openssl(
    openssl: Any, pair: Any, message: bytes
) -> None:
    raw = openssl("dgst", "-sha256", "-sign", pair.private, stdin=message)
    signature = b64encode(raw).decode()
    assert crypto.verify(message, signature, pair.our_public)
    assert not crypto.verify(message + b" ", signature, pair.our_public)
    # The scheme has no randomness: the bytes are the same.
    assert crypto.sign(message, pair.our_private) == signature


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_signatures_go_both_ways_with_node(
    node: Any, pair: Any, message: bytes
) -> None:
    ours = crypto.sign(message, pair.our_private)
    public = pair.public.read_text()
    assert node("verify", message=message, signature=ours, key=public) is True
    theirs = node("sign", message=message, key=pair.private.read_text())
    assert crypto.verify(message, theirs, pair.our_public)
    assert node("verify", message=message + b"\n", signature=ours, key=public) is False


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_sealed_fields_go_both_ways_with_openssl(
    openssl: Any, pair: Any, text: str
) -> None:
    padding = ("-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha1")
    ours = b64decode(crypto.encrypt_oaep(text, pair.our_public))
    private = ("-decrypt", "-inkey", pair.private)
    assert openssl("pkeyutl", *private, *padding, stdin=ours) == text.encode()
    public = ("-encrypt", "-pubin", "-inkey", pair.public)
    theirs = openssl("pkeyutl", *public, *padding, stdin=text.encode())
    assert crypto.decrypt_oaep(b64encode(theirs).decode(), pair.our_private) == text


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_sealed_fields_go_both_ways_with_node(node: Any, pair: Any, text: str) -> None:
    ours = crypto.encrypt_oaep(text, pair.our_public)
    found = node("decrypt_oaep", ciphertext=ours, key=pair.private.read_text())
    assert b64decode(found) == text.encode()
    theirs = node("encrypt_oaep", plaintext=text.encode(), key=pair.public.read_text())
    assert crypto.decrypt_oaep(theirs, pair.our_private) == text


@pytest.mark.parametrize("aad", ["", "transaction", "支付"])
@pytest.mark.parametrize("plaintext", ["", "{}", "用户已确认" * 100])
def test_gcm_goes_both_ways_with_node(node: Any, plaintext: str, aad: str) -> None:
    shared = {"key": KEY.encode(), "nonce": NONCE.encode(), "aad": aad.encode()}
    ours = crypto.encrypt_gcm(plaintext, KEY, NONCE, aad)
    found = node("decrypt_gcm", ciphertext=ours, **shared)
    assert b64decode(found) == plaintext.encode()
    theirs = node("encrypt_gcm", plaintext=plaintext.encode(), **shared)
    assert crypto.decrypt_gcm(theirs, KEY, NONCE, aad) == plaintext.encode()
    assert theirs == ours


@pytest.mark.parametrize("plaintext", ["", "<root></root>", "x" * 16, "中" * 333])
def test_ecb_goes_both_ways_with_openssl_and_node(
    openssl: Any, node: Any, plaintext: str
) -> None:
    data = plaintext.encode()
    ours = crypto.encrypt_ecb(plaintext, SECRET)
    # The key is the text of the digest, so its characters are written in hex again.
    key = hashlib.md5(SECRET.encode()).hexdigest().encode().hex()
    cipher = ("enc", "-aes-256-ecb", "-K", key)
    assert openssl(*cipher, "-d", stdin=b64decode(ours)) == data
    theirs = b64encode(openssl(*cipher, stdin=data)).decode()
    assert crypto.decrypt_ecb(theirs, SECRET) == data
    assert b64decode(node("decrypt_ecb", ciphertext=ours, key=SECRET)) == data
    assert node("encrypt_ecb", plaintext=data, key=SECRET) == ours


FIELDS = {
    "published": {
        "appid": "wxd930ea5d5a258f4f",
        "mch_id": "10000100",
        "device_info": "1000",
        "body": "test",
        "nonce_str": "ibuaiVcKdpRxkhJA",
    },
    "Chinese, spaces, signs": {
        "body": "腾讯 & 充值=1+1",
        "attach": '<a b="c">',
        "x": "1",
    },
    "empty and sign are left out": {"b": "2", "a": "", "sign": "OLD", "c": "0"},
    "names by their bytes": {"Z": "1", "a": "2", "_": "3", "A1": "4", "a_b": "5"},
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_signs_of_fields_agree_with_openssl_and_node(
    openssl: Any, node: Any, fields: dict[str, str]
) -> None:
    text = crypto.fields_message(fields)
    assert node("fields_message", fields=fields) == text
    keyed = f"{text}&key={SECRET}".encode()
    md5, hmac = crypto.sign_md5(fields, SECRET), crypto.sign_hmac(fields, SECRET)
    assert openssl("dgst", "-md5", "-r", stdin=keyed).split()[0].decode() == md5.lower()
    found = openssl("dgst", "-sha256", "-hmac", SECRET, "-r", stdin=keyed)
    assert found.split()[0].decode() == hmac.lower()
    assert node("sign_fields", fields=fields, secret=SECRET, kind="MD5") == md5
    assert node("sign_fields", fields=fields, secret=SECRET, kind="HMAC") == hmac
    assert crypto.verify_fields({**fields, "sign": md5}, SECRET)
    assert crypto.verify_fields({**fields, "sign": hmac}, SECRET)


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/v3/certificates", ""),
        ("/v3/payscore/serviceorder?out_order_no=A%7CB*C_1-2&x=%3d", ""),
        ("/v3/payscore/serviceorder/1/cancel", '{"reason":"用户投诉"}'),
        ("/v3/a", '{"a":1}\n'),
    ],
)
def test_the_canonical_texts_are_those_of_node(
    node: Any, target: str, body: str
) -> None:
    stamp, nonce = "1717225200", "593BEC0C930BF1AFEB40B4A08C8FB242"
    theirs = node(
        "request_message",
        method="POST",
        url="https://api.mch.weixin.qq.com" + target,
        timestamp=stamp,
        nonce=nonce,
        body=body,
    )
    assert b64decode(theirs) == crypto.request_message(
        "POST", target, int(stamp), nonce, body
    )
    theirs = node("response_message", timestamp=stamp, nonce=nonce, body=body)
    assert b64decode(theirs) == crypto.response_message(stamp, nonce, body)


def test_random_messages_agree_with_openssl(openssl: Any, pair: Any) -> None:
    for size in (1, 255, 256, 257, 4096):
        message = os.urandom(size)
        raw = openssl("dgst", "-sha256", "-sign", pair.private, stdin=message)
        assert crypto.sign(message, pair.our_private) == b64encode(raw).decode()
