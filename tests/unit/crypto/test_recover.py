"""A signature gives away its spelling, its key, its hash and the digest."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode, encodebytes, urlsafe_b64encode
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from wechatpay_chain import crypto
from wechatpay_chain.crypto import pss, recover

TEXT = b"GET\n/v3/x\n1717225200\nN0\n\n"
PKCS1 = padding.PKCS1v15()
HASHES: dict[str, Any] = {
    "SHA-256": hashes.SHA256(),
    "SHA-1": hashes.SHA1(),
    "MD5": hashes.MD5(),
    "SHA-512": hashes.SHA512(),
    "SHA-384": hashes.SHA384(),
    "SHA-224": hashes.SHA224(),
}


@pytest.fixture(scope="module")
def key(vectors: dict[str, Any]) -> Any:
    material = vectors["keys"]["merchant_private_key_pkcs8_der_base64"]
    return crypto.load_private_key(material)


@pytest.fixture(scope="module")
def stranger() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed(key: Any, text: bytes = TEXT, name: str = "SHA-256") -> bytes:
    made: bytes = key.sign(text, PKCS1, HASHES[name])
    return made


def bare(key: Any, content: bytes) -> bytes:
    """A PKCS#1 v1.5 signature whose padding holds *content* and no DigestInfo."""
    numbers = key.private_numbers()
    size = (key.key_size + 7) // 8
    filled = b"\x00\x01" + b"\xff" * (size - len(content) - 3) + b"\x00" + content
    value = pow(int.from_bytes(filled, "big"), numbers.d, numbers.public_numbers.n)
    return value.to_bytes(size, "big")


def test_documented_signatures_give_back_their_digests(
    vectors: dict[str, Any], key: Any
) -> None:
    for vector in vectors["request_sign"]:
        reading = recover.read(vector["signature"], key.public_key())
        assert (reading.spelling, reading.opened) == ("base64", True)
        assert (reading.hash, reading.digest.hex()) == (
            "SHA-256",
            vector["message_sha256"],
        )
        assert reading.holds(vector["message"].encode())
        assert not reading.holds(vector["message"].encode() + b"\n")


@pytest.mark.parametrize("name", HASHES)
def test_hash_is_named(key: Any, name: str) -> None:
    made = b64encode(signed(key, name=name)).decode()
    reading = recover.read(made, key.public_key())
    assert reading.hash == name
    assert reading.holds(TEXT)
    assert not reading.holds(b"another")


@pytest.mark.parametrize("name", ["sha256", "sha1", "md5"])
def test_digest_without_the_name_of_a_hash_is_told_by_its_length(
    key: Any, name: str
) -> None:
    made = b64encode(bare(key, hashlib.new(name, TEXT).digest())).decode()
    reading = recover.read(made, key.public_key())
    assert (reading.opened, reading.hash) == (True, "")
    assert reading.holds(TEXT)
    assert not reading.holds(b"another")


def test_text_that_was_not_hashed_is_found(key: Any) -> None:
    reading = recover.read(b64encode(bare(key, TEXT)).decode(), key.public_key())
    assert reading.holds(TEXT)
    assert not reading.holds(b"another")


def test_another_key_does_not_open_it(key: Any, stranger: Any) -> None:
    reading = recover.read(b64encode(signed(stranger)).decode(), key.public_key())
    assert (reading.spelling, reading.opened) == ("base64", False)
    assert not reading.holds(TEXT)


@pytest.mark.parametrize(
    ("spell", "spelling"),
    [
        (b64encode, "base64"),
        (lambda raw: b64encode(raw).rstrip(b"="), "base64 without padding"),
        (urlsafe_b64encode, "base64url"),
        (lambda raw: urlsafe_b64encode(raw).rstrip(b"="), "base64url"),
        (lambda raw: raw.hex().encode(), "hex"),
        (lambda raw: raw.hex().upper().encode(), "hex"),
        (lambda raw: quote(b64encode(raw), safe="").encode(), "percent-encoded base64"),
        (lambda raw: b64encode(raw).replace(b"+", b" "), "base64 with spaces for +"),
        (encodebytes, "base64 of several lines"),
        (lambda raw: b64encode(raw) + rb"\n", "base64 of several lines"),
        (
            lambda raw: str(b64encode(raw)).encode(),
            "b'...', as str() writes bytes",
        ),
        (lambda raw: b64encode(b64encode(raw)), "base64 made twice"),
        (lambda raw: b64encode(raw.hex().encode()), "base64 of hex"),
    ],
)
def test_spelling_is_named_and_read(key: Any, spell: Any, spelling: str) -> None:
    raw = signed(key)
    assert b"+" in b64encode(raw)  # without one, the spellings of base64 are the same
    reading = recover.read(spell(raw).decode(), key.public_key())
    assert (reading.spelling, reading.raw) == (spelling, raw)
    assert reading.holds(TEXT)


@pytest.mark.parametrize("text", ["签名", "!", "a", "WECHATPAY/SIGNTEST/a b$"])
def test_what_spells_nothing_has_no_spelling(key: Any, text: str) -> None:
    assert recover.read(text, key.public_key()) == recover.Reading("", b"")


@given(st.text())
def test_reading_never_raises(vectors: dict[str, Any], text: str) -> None:
    public = crypto.load_public_key(vectors["keys"]["merchant_public_key_pem"]).key
    assert not recover.read(text, public).holds(TEXT)


@pytest.mark.parametrize("salt", [0, 20, 32, padding.PSS.MAX_LENGTH])
def test_pss_is_recognised_and_tells_a_text(key: Any, salt: Any) -> None:
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
    raw = key.sign(TEXT, scheme, hashes.SHA256())
    reading = recover.read(b64encode(raw).decode(), key.public_key())
    assert reading.pss is not None
    assert (reading.opened, reading.hash) == (True, "SHA-256")
    assert reading.holds(TEXT)
    assert not reading.holds(b"another")
    assert repr(reading.pss) == "<Salted SHA-256>"


@pytest.mark.parametrize(
    ("name", "mask"), [("SHA-1", "SHA-1"), ("SHA-256", "SHA-1"), ("SHA-512", "SHA-512")]
)
def test_hash_of_pss_is_named_whatever_the_mask(key: Any, name: str, mask: str) -> None:
    scheme = padding.PSS(padding.MGF1(HASHES[mask]), 20)
    raw = key.sign(TEXT, scheme, HASHES[name])
    reading = recover.read(b64encode(raw).decode(), key.public_key())
    assert reading.hash == name
    assert reading.holds(TEXT)


def test_what_is_not_pss_is_not_taken_for_it(key: Any, stranger: Any) -> None:
    public = key.public_key()
    assert pss.opened(signed(key), public) is None
    assert pss.opened(signed(stranger), public) is None
    assert pss.opened(b"short", public) is None
    assert pss.opened(b"\xff" * 256, public) is None
    ends_alike = pow(0xBC, key.private_numbers().d, public.public_numbers().n)
    assert pss.opened(ends_alike.to_bytes(256, "big"), public) is None


def test_pss_of_another_key_is_not_opened(key: Any, stranger: Any) -> None:
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    raw = stranger.sign(TEXT, scheme, hashes.SHA256())
    assert not recover.read(b64encode(raw).decode(), key.public_key()).opened


def test_bytes_in_reverse_order_are_told(key: Any) -> None:
    made = b64encode(signed(key)[::-1]).decode()
    reading = recover.read(made, key.public_key())
    assert reading.spelling == "base64, of its bytes in reverse order"
    assert reading.holds(TEXT)


@pytest.mark.parametrize("raw", [b"", b"short", b"\x00" * 256, b"\xff" * 256])
def test_what_is_no_signature_recovers_nothing(key: Any, raw: bytes) -> None:
    assert recover.recover(raw, key.public_key()) is None


def test_digest_is_what_an_unrelated_tool_computes(key: Any) -> None:
    content = recover.recover(signed(key), key.public_key())
    assert content is not None
    assert content.endswith(hashlib.sha256(TEXT).digest())
    assert b64decode(b64encode(content))[:1] == b"\x30"  # a DER sequence
