"""APIv2 signatures over fields: what takes part, and what is compared."""

from __future__ import annotations

import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wechatpay_chain._secret import Secret, key_bytes
from wechatpay_chain.crypto import digest, fields_message, sign_hmac, sign_md5
from wechatpay_chain.crypto import verify_fields as verify

SECRET = "192006250b4c09247ec02edce69f6a2d"
FIELDS = {"mch_id": "10000100", "body": "腾讯充值", "nonce_str": "ibuaiVcKdpRxkhJA"}

names = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1).filter(lambda n: n != "sign")
fields = st.dictionaries(names, st.text(), max_size=6)


@pytest.mark.parametrize("make", [sign_md5, sign_hmac])
@given(given_fields=fields)
def test_a_sign_holds_for_its_fields_and_key(make: Any, given_fields: Any) -> None:
    try:
        signed = {**given_fields, "sign": make(given_fields, SECRET)}
    except UnicodeEncodeError:  # a lone surrogate cannot be signed
        return
    assert verify(signed, SECRET)
    assert not verify(signed, SECRET[::-1])
    assert not verify({**signed, "added": "x"}, SECRET)


@pytest.mark.parametrize("make", [sign_md5, sign_hmac])
def test_order_empty_values_and_an_old_sign_do_not_count(make: Any) -> None:
    shuffled: dict[str, Any] = dict(reversed(FIELDS.items()))
    shuffled.update(attach="", detail=None, sign="OLD")
    assert make(shuffled, SECRET) == make(FIELDS, SECRET)


def test_zero_is_a_value() -> None:
    assert fields_message({"fee": 0, "free": False}) == "fee=0&free=False"


def test_names_sort_by_their_bytes() -> None:
    unsorted = {"b": "1", "B": "2", "a_b": "3", "aB": "4", "ab": "5"}
    assert fields_message(unsorted) == "B=2&aB=4&a_b=3&ab=5&b=1"


def test_without_fields_the_key_alone_is_signed() -> None:
    assert sign_md5({}, "k") == sign_md5({"empty": ""}, b"k")
    assert sign_md5({}, "k") == "4B85A6894E0FDB0B6F6E58870839FDAF"


@pytest.mark.parametrize("make", [sign_md5, sign_hmac])
def test_a_key_comes_as_text_bytes_or_sealed(make: Any) -> None:
    forms = [SECRET, SECRET.encode(), bytearray(SECRET.encode())]
    forms.append(Secret(SECRET.encode()))
    assert len({make(FIELDS, form) for form in forms}) == 1


@pytest.mark.parametrize("key", [None, 5, ["k"]])
def test_what_is_no_key_is_a_type_error(key: Any) -> None:
    # bytes(5) would be five zeros, and anyone could sign with those.
    text = rf"^a key must be text or bytes, not {type(key).__name__}$"
    with pytest.raises(TypeError, match=text):
        sign_md5(FIELDS, key)


def test_a_key_that_is_no_unicode_is_not_repeated() -> None:
    assert key_bytes("\ud800").reveal() == b"\xed\xa0\x80"


@pytest.mark.parametrize(
    "sign",
    [
        "",
        "None",
        "签名",
        sign_md5(FIELDS, SECRET).lower(),
        sign_md5(FIELDS, SECRET)[:-1],
        sign_hmac(FIELDS, SECRET)[:32],
        "0" * 32,
        "0" * 64,
    ],
)
def test_any_other_sign_is_false(sign: str) -> None:
    assert not verify({**FIELDS, "sign": sign}, SECRET)


def test_fields_without_a_sign_do_not_hold() -> None:
    assert not verify(FIELDS, SECRET)


@pytest.mark.parametrize("make", [sign_md5, sign_hmac])
def test_signs_are_compared_in_constant_time(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []

    class Watched:
        new = hmac.new

        @staticmethod
        def compare_digest(one: bytes, other: bytes) -> bool:
            compared.append((one, other))
            return hmac.compare_digest(one, other)

    monkeypatch.setattr(digest, "hmac", Watched)
    sign = make(FIELDS, SECRET)
    assert verify({**FIELDS, "sign": sign}, SECRET)
    assert compared == [(sign.encode(), sign.encode())]
