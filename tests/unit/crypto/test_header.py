"""``Authorization`` is read by name, and every way to be no good has an id."""

from __future__ import annotations

import pytest

from wechatpay_chain.crypto import authorization
from wechatpay_chain.crypto.header import (
    MALFORMED,
    Claim,
    Malformed,
    check_form,
    nearest,
    parse,
)

GOOD = authorization(
    mchid="1900000001",
    serial="5A",
    timestamp="1717225200",
    nonce="N0",
    signature="aa==",
)
SCHEME = "WECHATPAY2-SHA256-RSA2048"


def test_parameters_come_in_any_order() -> None:
    rest = GOOD.partition(" ")[2].split(",")
    for text in (GOOD, f"{SCHEME} " + " , ".join(reversed(rest))):
        assert parse(text) == Claim("1900000001", "N0", "aa==", "1717225200", "5A")


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        (None, "authorization_missing"),
        (" ", "authorization_missing"),
        ("Bearer x", "scheme_unknown"),
        (SCHEME, "scheme_unknown"),
        (f"{SCHEME} ", "parameter_missing"),
        (f"{SCHEME} nonsense", "parameters_malformed"),
        (GOOD + ",", "parameters_malformed"),
        (GOOD + ', "', "parameters_malformed"),
        (GOOD.replace('"5A"', "5A"), "parameter_unquoted"),
        (GOOD.replace("serial_no", "serial"), "parameter_unknown"),
        (GOOD + ',mchid="1"', "parameter_repeated"),
        (GOOD.replace('"5A"', '""'), "parameter_empty"),
    ],
)
def test_what_cannot_be_read_is_named(text: str | None, identifier: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(text)
    assert caught.value.identifier == identifier
    assert str(caught.value)


@pytest.mark.parametrize(
    ("changes", "identifier"),
    [
        ({"timestamp": "1717225200123"}, "timestamp_milliseconds"),
        ({"timestamp": "now"}, "timestamp_malformed"),
        ({"timestamp": "٠" * 10}, "timestamp_malformed"),
        ({"nonce_str": "a-b"}, "nonce_malformed"),
        ({"nonce_str": "a" * 33}, "nonce_malformed"),
    ],
)
def test_values_that_can_be_none_are_named(
    changes: dict[str, str], identifier: str
) -> None:
    check_form(parse(GOOD))
    with pytest.raises(Malformed) as caught:
        check_form(parse(GOOD)._replace(**changes))
    assert caught.value.identifier == identifier


def test_every_id_has_a_test() -> None:
    marks = [
        *test_what_cannot_be_read_is_named.pytestmark,  # type: ignore[attr-defined]
        *test_values_that_can_be_none_are_named.pytestmark,  # type: ignore[attr-defined]
    ]
    assert {case[1] for mark in marks for case in mark.args[1]} == MALFORMED.keys()


@pytest.mark.parametrize(
    "text",
    [
        f"{SCHEME}signature=SECRETSECRET",
        f"{SCHEME} ;signature=SECRETSECRET",
        f'{SCHEME} signature="SECRETSECRET',
        f'{SCHEME} mchid="1";signature="SECRETSECRET"',
    ],
)
def test_no_signature_is_shown(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(text)
    assert "SECRET" not in str(caught.value)
    assert "aa==" not in repr(parse(GOOD))


def test_nearest_name_is_offered() -> None:
    assert nearest("mchidd", ["mchid", "nonce_str"]) == "; did you mean mchid?"
    assert nearest("zzz", ["mchid"]) == ""
