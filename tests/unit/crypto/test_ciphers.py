"""AES and RSA encryption: what is sealed opens again, and nothing else opens."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from key_material import merchant_key, private, wechat_key
from leaks import failure, leaked, rendered

from wechatpay_chain._secret import Secret
from wechatpay_chain.crypto import (
    decrypt_ecb,
    decrypt_gcm,
    decrypt_oaep,
    encrypt_ecb,
    encrypt_gcm,
    encrypt_oaep,
    oaep_limit,
    sign,
    verify,
)
from wechatpay_chain.errors import DecryptionError

KEY = "Zq3t6w9zC4FcJaNdRgUkXp2s5v8yB1ED"
SECRET = "192006250b4c09247ec02edce69f6a2d"
NONCE = "fdasflkja484"

TAG = (
    "the AES-GCM tag does not match: wrong APIv3 key, changed ciphertext, "
    "or wrong associated_data"
)
NOT_BASE64 = "the ciphertext is not base64"
BAD_NONCE = "the AES-GCM nonce has a length that cannot be"
CLOSED = "req_info does not open: wrong APIv2 key or changed text"
OAEP_CLOSED = (
    "the RSA ciphertext does not open: it was not made for this merchant key, "
    "or it was changed"
)


@pytest.mark.parametrize(
    "key", [KEY, KEY.encode(), Secret(KEY.encode())], ids=["text", "bytes", "sealed"]
)
@pytest.mark.parametrize("data", ["", "certificate", b"payscore", None])
@pytest.mark.parametrize("nonce", [NONCE, b"8 bytes.", "sixteen bytes..."])
def test_gcm_opens_what_it_sealed(key: Any, data: Any, nonce: Any) -> None:
    sealed = encrypt_gcm("用户", key, nonce, data)
    assert decrypt_gcm(sealed, key, nonce, data) == "用户".encode()


def test_gcm_takes_missing_associated_data_for_empty() -> None:
    assert decrypt_gcm(encrypt_gcm("x", KEY, NONCE), KEY, NONCE, None) == b"x"


def swapped(text: str) -> str:
    """The same base64 with another first byte inside."""
    raw = b64decode(text)
    return b64encode(bytes([raw[0] ^ 1]) + raw[1:]).decode()


SEALED = encrypt_gcm("plain", KEY, NONCE, "aad")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"associated_data": "other"}, TAG),
        ({"associated_data": ""}, TAG),
        ({"nonce": "fdasflkja485"}, TAG),
        ({"key": KEY[::-1]}, TAG),
        ({"ciphertext": swapped(SEALED)}, TAG),
        ({"ciphertext": SEALED[:-24]}, TAG),
        ({"ciphertext": ""}, TAG),
        ({"ciphertext": SEALED[:-1]}, NOT_BASE64),
        ({"ciphertext": SEALED + "\n"}, NOT_BASE64),
        ({"ciphertext": "密文"}, NOT_BASE64),
        ({"nonce": ""}, BAD_NONCE),
        ({"nonce": "short"}, BAD_NONCE),
    ],
)
def test_gcm_opens_nothing_else(changes: dict[str, str], problem: str) -> None:
    right = {
        "ciphertext": SEALED,
        "key": KEY,
        "nonce": NONCE,
        "associated_data": "aad",
    }
    with pytest.raises(DecryptionError) as caught:
        decrypt_gcm(**{**right, **changes})
    assert str(caught.value) == problem


@pytest.mark.parametrize("key", ["", KEY[:-1], KEY + "\n", "密" * 32])
def test_gcm_takes_keys_of_32_bytes_only(key: str) -> None:
    text = rf"^the APIv3 key must be 32 bytes, this one has {len(key.encode())}$"
    with pytest.raises(ValueError, match=text):
        encrypt_gcm("x", key, NONCE)
    with pytest.raises(ValueError, match=text):
        decrypt_gcm(SEALED, key, NONCE, "aad")


@settings(deadline=None)
@given(text=st.text())
def test_ecb_opens_what_it_sealed(text: str) -> None:
    sealed = encrypt_ecb(text, SECRET)
    assert len(b64decode(sealed)) % 16 == 0
    assert decrypt_ecb(sealed, Secret(SECRET.encode())) == text.encode()


@pytest.mark.parametrize(
    ("ciphertext", "secret"),
    [
        # PKCS#7 padding proves little; these fail by it for this very key and text.
        (encrypt_ecb("plain", SECRET), SECRET[::-1]),
        (swapped(encrypt_ecb("plain", SECRET)), SECRET),
        (encrypt_ecb("plain", SECRET)[:-4], SECRET),
        ("", SECRET),
        ("not base64", SECRET),
        ("密文", SECRET),
    ],
    ids=["key", "changed", "cut off", "empty", "no base64", "no ascii"],
)
def test_ecb_opens_nothing_else(ciphertext: str, secret: str) -> None:
    with pytest.raises(DecryptionError) as caught:
        decrypt_ecb(ciphertext, secret)
    assert str(caught.value) == CLOSED


@pytest.mark.parametrize("plain", ["", "张三", "x" * 214, b"bytes"])
def test_oaep_opens_what_it_sealed(plain: Any) -> None:
    sealed = encrypt_oaep(plain, merchant_key().public_key())
    text = plain if isinstance(plain, str) else plain.decode()
    assert decrypt_oaep(sealed, merchant_key()) == text


def test_oaep_is_random() -> None:
    key = merchant_key().public_key()
    assert encrypt_oaep("张三", key) != encrypt_oaep("张三", key)


def test_oaep_counts_bytes_and_not_characters() -> None:
    key = merchant_key().public_key()
    assert oaep_limit(key) == 214
    encrypt_oaep("密" * 71, key)
    with pytest.raises(ValueError, match=r"^a sensitive field may have 214 bytes in"):
        encrypt_oaep("密" * 72, key)


def test_only_text_and_bytes_are_sealed() -> None:
    number: Any = 6222020200
    with pytest.raises(TypeError, match=r"^str or bytes expected, got int$"):
        encrypt_oaep(number, merchant_key().public_key())


def test_what_is_too_long_is_not_repeated() -> None:
    with pytest.raises(ValueError, match=r"this one has 220$") as caught:
        encrypt_oaep("6222020200" * 22, merchant_key().public_key())
    assert "6222" not in str(caught.value)


FOREIGN = encrypt_oaep("张三", wechat_key().public_key())
BINARY = encrypt_oaep(b"\xff\xfe", merchant_key().public_key())


@pytest.mark.parametrize(
    "ciphertext",
    [FOREIGN, BINARY, swapped(FOREIGN), FOREIGN[:-4], "", "not base64", "密文"],
    ids=["key", "no utf-8", "changed", "cut off", "empty", "no base64", "no ascii"],
)
def test_oaep_failures_are_all_alike(ciphertext: str) -> None:
    with pytest.raises(DecryptionError) as caught:
        decrypt_oaep(ciphertext, merchant_key())
    assert str(caught.value) == OAEP_CLOSED
    assert caught.value.__context__ is None  # which would tell them apart


@pytest.mark.parametrize("message", ["用户投诉", "用户投诉".encode()])
def test_text_is_signed_as_utf_8(message: Any) -> None:
    signature = sign(message, merchant_key())
    assert "\n" not in signature
    assert verify("用户投诉", signature, merchant_key().public_key())


SIGNATURE = sign("message", merchant_key())


@pytest.mark.parametrize(
    "signature",
    [
        sign("messagE", merchant_key()),
        sign("message", wechat_key()),
        swapped(SIGNATURE),
        SIGNATURE[:-4],
        SIGNATURE + "\n",
        SIGNATURE.rstrip("="),
        "WECHATPAY/SIGNTEST/" + SIGNATURE,
        "",
        "签名",
    ],
)
def test_any_other_signature_is_false_and_no_error(signature: str) -> None:
    assert verify("message", SIGNATURE, merchant_key().public_key())
    assert not verify("message", signature, merchant_key().public_key())


@pytest.mark.parametrize(
    "action",
    [
        lambda key: sign("x", key),
        lambda key: decrypt_oaep("", key),
        lambda key: verify("x", "", key),
        lambda key: encrypt_oaep("x", key),
        lambda key: oaep_limit(key),
    ],
    ids=["sign", "decrypt_oaep", "verify", "encrypt_oaep", "oaep_limit"],
)
@pytest.mark.parametrize("material", [private(), private().decode()], ids=type)
def test_a_key_that_is_not_loaded_is_refused_and_not_shown(
    action: Any, material: Any
) -> None:
    error = failure(lambda: action(material))
    assert isinstance(error, TypeError)
    kind = type(material).__name__
    assert str(error) in (
        f"a loaded RSA private key expected, got {kind}: use "
        "crypto.load_private_key(...)",
        f"a loaded RSA public key expected, got {kind}: use "
        "crypto.load_public_key(...).key",
    )
    assert not leaked(rendered(error))


def test_one_half_of_a_key_is_not_the_other() -> None:
    with pytest.raises(TypeError, match=r"^a loaded RSA private key expected, got "):
        sign("x", wechat_key().public_key())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^a loaded RSA public key expected, got "):
        encrypt_oaep("x", merchant_key())  # type: ignore[arg-type]
