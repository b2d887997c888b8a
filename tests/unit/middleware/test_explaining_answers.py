"""Whose signature is it, and over what? The reasons, each by its fixed id."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from wechatpay_chain import InvalidSignature, crypto
from wechatpay_chain.crypto.answer_mistakes import Answer
from wechatpay_chain.middleware.checking import check
from wechatpay_chain.middleware.explaining_answers import REASONS, reason

PKCS1 = padding.PKCS1v15()
SHA256 = hashes.SHA256()
BODY = b'{"openid":"oSECRET","a":1}'
ANSWER = Answer("1717225200", "n0nce", BODY)


@pytest.fixture(scope="module")
def pairs() -> dict[str, Any]:
    names = ("PUB_KEY_ID_1", "PUB_KEY_ID_2", "stranger")
    made = {name: rsa.generate_private_key(65537, 2048) for name in names}
    return {**made, "small": rsa.generate_private_key(65537, 1024)}


@pytest.fixture(scope="module")
def keys(pairs: dict[str, Any]) -> crypto.KeyRing:
    return crypto.KeyRing(
        {
            name: crypto.WeChatKey(name, pairs[name].public_key())
            for name in ("PUB_KEY_ID_1", "PUB_KEY_ID_2")
        }
    )


def signature(
    pairs: dict[str, Any],
    owner: str = "PUB_KEY_ID_1",
    text: bytes = ANSWER.text(),
    scheme: Any = PKCS1,
    algorithm: Any = SHA256,
) -> str:
    return b64encode(pairs[owner].sign(text, scheme, algorithm)).decode()


def explained(keys: crypto.KeyRing, made: str, answer: Answer = ANSWER) -> str:
    key = keys.find("PUB_KEY_ID_1")
    assert key is not None
    found = reason(answer, made, key, keys)
    assert found.id in REASONS
    for secret in (made, "oSECRET"):
        assert secret not in found.says
    return found.id


PSS = padding.PSS(padding.MGF1(SHA256), 32)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("answer_of_another_key", {"owner": "PUB_KEY_ID_2"}),
        ("answer_of_unknown_key", {"owner": "stranger"}),
        ("answer_length", {"owner": "small"}),
        ("answer_pss", {"scheme": PSS}),
        ("answer_hash", {"algorithm": hashes.SHA1()}),
        ("answer_altered", {"text": b"something else"}),
        (
            "answer_rewritten",
            {"text": b'1717225200\nn0nce\n{"openid": "oSECRET", "a": 1}\n'},
        ),
        ("answer_line_ends", {"text": ANSWER.text() + b"\n"}),
    ],
)
def test_reason_is_named(
    pairs: dict[str, Any], keys: crypto.KeyRing, name: str, how: dict[str, Any]
) -> None:
    assert explained(keys, signature(pairs, **how)) == name


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("answer_probe", "WECHATPAY/SIGNTEST/abcdef"),
        ("answer_not_base64", "not base64!"),
        ("answer_not_base64", "签名"),
        ("answer_length", "QUFB"),
    ],
)
def test_what_is_no_signature_is_named(
    keys: crypto.KeyRing, name: str, made: str
) -> None:
    assert explained(keys, made) == name


@pytest.mark.parametrize(
    ("name", "owner"),
    [("answer_spelling", "PUB_KEY_ID_1"), ("answer_of_unknown_key", "stranger")],
)
def test_another_spelling_of_a_signature_is_named_where_it_is_all(
    pairs: dict[str, Any], keys: crypto.KeyRing, name: str, owner: str
) -> None:
    raw = pairs[owner].sign(ANSWER.text(), PKCS1, SHA256)
    made = urlsafe_b64encode(raw).decode().rstrip("=")
    assert explained(keys, made) == name


def test_body_that_is_gone_is_named(
    pairs: dict[str, Any], keys: crypto.KeyRing
) -> None:
    gone = ANSWER._replace(body=b"")
    key = keys.find("PUB_KEY_ID_1")
    assert key is not None
    assert reason(gone, signature(pairs), key, keys).id == "answer_without_body"


def test_error_of_a_check_says_why(pairs: dict[str, Any], keys: crypto.KeyRing) -> None:
    headers = {
        "Wechatpay-Timestamp": "1717225200",
        "Wechatpay-Nonce": "n0nce",
        "Wechatpay-Serial": "PUB_KEY_ID_1",
        "Wechatpay-Signature": signature(pairs),
    }
    check(headers, BODY, keys, 1717225200)
    with pytest.raises(InvalidSignature, match="outer white space of the body") as told:
        check(headers, BODY + b"\n", keys, 1717225200)
    assert "oSECRET" not in str(told.value)
