"""Wrong keys, serials and numbers fail at construction, and say how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from key_material import (
    KEYS,
    MCHID,
    PEM,
    PUBLIC_KEY_ID,
    SERIAL,
    certificate,
    merchant_key,
    options,
    p12,
    private,
    public,
    refusal,
    settings,
    short_key,
    wechat_key,
)

from wechatpay_chain import WeChatPay
from wechatpay_chain.crypto import KeyRing, WeChatKey
from wechatpay_chain.errors import ConfigurationError

OWN = certificate(merchant_key(), int(SERIAL, 16)).public_bytes(PEM)
CERT = certificate(wechat_key(), 0xABCDEF12)
CERT_SERIAL = "ABCDEF12".zfill(40)


# Who the merchant is


@pytest.mark.parametrize("value", [MCHID, int(MCHID)])
def test_mchid_is_text_or_number(value: Any) -> None:
    assert WeChatPay(**options(mchid=value)).mchid == MCHID


@pytest.mark.parametrize(
    ("value", "got"),
    [
        ("mch1900007291", "'mch1900007291'"),
        ("1900007291 ", "'1900007291 '"),
        ("1900007291\n", r"'1900007291\n'"),
        ("１９００", "'１９００'"),
        ("-5", "'-5'"),
        (-5, "'-5'"),
        (True, "bool"),
        (1.5, "float"),
        (KEYS["apiv3_key"], "32 characters"),
        (private().decode(), "1708 characters"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_mchid_is_digits(value: Any, got: str) -> None:
    assert str(refusal(mchid=value)) == (
        f"mchid: the merchant number (商户号) is digits only, got {got}"
    )


@pytest.mark.parametrize("spelling", [SERIAL, SERIAL.lower()])
def test_the_serial_is_sent_in_upper_case(spelling: str) -> None:
    assert settings(serial=spelling).serial == SERIAL


@pytest.mark.parametrize(
    ("value", "got"),
    [
        ("51:57:F0:9E", "'51:57:F0:9E'"),
        ("5157", "'5157'"),
        (SERIAL + "0", "41 characters"),
        (SERIAL + "\n", "41 characters"),
        ("Z" * 40, repr("Z" * 40)),
        (int(SERIAL, 16), "int"),
        (KEYS["apiv3_key"], "32 characters"),
        (private().decode(), "1708 characters"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_the_serial_is_hexadecimal(value: Any, got: str) -> None:
    assert str(refusal(serial=value)) == (
        "serial: the hexadecimal serial of the merchant API certificate expected "
        f"(40 characters, without colons), got {got}"
    )


def test_the_id_of_wechats_key_is_no_serial() -> None:
    assert str(refusal(serial=PUBLIC_KEY_ID)) == (
        f"serial: '{PUBLIC_KEY_ID}' is the id of WeChat's public key; give the serial "
        "of the merchant API certificate (商户API证书序列号)"
    )


@pytest.mark.parametrize("spelling", [SERIAL, SERIAL.lower()])
def test_the_serial_is_not_found_in_certs(spelling: str) -> None:
    assert str(refusal(certs={spelling: public()})) == (
        f"certs: {spelling} is serial, the merchant's own certificate; certs holds "
        "WeChat Pay's (微信支付公钥 or 平台证书)"
    )


P12_FORMS: dict[str, Callable[[Path], Any]] = {
    "bytes": lambda path: p12(),
    "path": lambda path: path,
    "text": str,
    "password": lambda path: (path, MCHID),
    "other password": lambda path: (p12(b"other"), "other"),
}


@pytest.mark.parametrize(
    "form", ["bytes", "path", "text", "password", "other password"]
)
@pytest.mark.parametrize("option", ["private_key", "merchant"])
def test_a_pkcs12_file_opens_with_the_mchid(
    tmp_path: Path, option: str, form: str
) -> None:
    path = tmp_path / "apiclient_cert.p12"
    path.write_bytes(p12())
    found = settings(**{option: P12_FORMS[form](path)})
    assert found.private_key.private_numbers() == merchant_key().private_numbers()
    assert found.mutual is (option == "merchant")


def test_the_certificate_beside_the_key_has_the_serial() -> None:
    assert str(refusal(private_key=p12(serial=0xABC))) == (
        f"serial: {SERIAL} is given, but private_key comes with the certificate "
        f"{'ABC'.zfill(40)}; one of them is of another certificate"
    )
    beside = private() + CERT.public_bytes(PEM)
    assert f"with the certificate {CERT_SERIAL};" in str(refusal(private_key=beside))
    assert settings(private_key=private() + OWN).serial == SERIAL


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (public(), "this is a public key, not a private key; use the file "),
        (OWN, "this is a certificate, not a private key; use the file "),
        (short_key(), "the RSA key has 1024 bits, WeChat Pay takes 2048"),
        ((private(password=b"x"), "y"), "the password does not open this private key"),
        (p12(b"other"), "the password does not open this PKCS#12 file"),
        (Path("/nowhere/apiclient_key.pem"), "cannot read /nowhere/apiclient_key.pem"),
    ],
    ids=["public", "certificate", "short", "password", "pkcs12", "missing"],
)
def test_the_private_key_is_one(value: Any, text: str) -> None:
    assert str(refusal(private_key=value)).startswith(f"private_key: {text}")


@pytest.mark.parametrize("name", ["mchid", "serial", "private_key"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_option_is_named(name: str, value: Any) -> None:
    assert str(refusal(**{name: value})) == f"{name}: this option is required"
    given = options()
    del given[name]
    with pytest.raises(ConfigurationError, match=f"^{name}: this option is required$"):
        WeChatPay(**given)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("api_v3_key", "apiv3_key"),
        ("private_keys", "private_key"),
        ("mch_id", "mchid"),
        ("zzzzzz", None),
    ],
)
def test_an_unknown_option_suggests_one(name: str, hint: str | None) -> None:
    text = str(refusal(**{name: "x"}))
    assert text.startswith(f"unknown option {name!r}")
    assert (f"did you mean {hint!r}?" in text) is (hint is not None)


# WeChat's keys


def test_certificates_are_filed_with_their_dates() -> None:
    keys = WeChatPay(**options(certs={CERT_SERIAL.lstrip("0"): CERT})).keys
    key = keys.find(CERT_SERIAL)
    assert key is not None
    assert (key.since, key.until) == (
        CERT.not_valid_before_utc,
        CERT.not_valid_after_utc,
    )


def test_a_ring_is_taken_as_it_is() -> None:
    ring = KeyRing({PUBLIC_KEY_ID: WeChatKey(PUBLIC_KEY_ID, wechat_key().public_key())})
    assert WeChatPay(**options(certs=ring)).keys is ring


@pytest.mark.parametrize(
    ("certs", "text"),
    [
        ("pub_key.pem", "certs: a mapping of id to key expected, got str"),
        (5, "certs: a mapping of id to key expected, got int"),
        ({5: public()}, "certs: an id must be text, got 5"),
        ({"": public()}, "certs: an id must be text, got ''"),
        (
            {PUBLIC_KEY_ID: private()},
            f"certs['{PUBLIC_KEY_ID}']: this holds a private key; a public key or "
            "certificate of WeChat Pay is expected (pub_key.pem or "
            "wechatpay_<serial>.pem)",
        ),
        ({PUBLIC_KEY_ID: None}, f"certs['{PUBLIC_KEY_ID}']: NoneType is not key"),
        (
            {PUBLIC_KEY_ID: OWN},
            f"certs['{PUBLIC_KEY_ID}']: this is the public half of private_key, the "
            "merchant's own; give WeChat Pay's public key or certificate",
        ),
        (
            {PUBLIC_KEY_ID: merchant_key().public_key()},
            f"certs['{PUBLIC_KEY_ID}']: this is the public half of private_key",
        ),
        (
            {PUBLIC_KEY_ID: CERT},
            f"certs['{PUBLIC_KEY_ID}']: this certificate has the serial {CERT_SERIAL}; "
            "file it under that",
        ),
        (
            {"ABCDEF13": CERT},
            f"certs['ABCDEF13']: this certificate has the serial {CERT_SERIAL}",
        ),
    ],
)
def test_certs_hold_wechats_keys_by_their_ids(certs: Any, text: str) -> None:
    assert str(refusal(certs=certs)).startswith(text)


@pytest.mark.parametrize("certs", [None, {}])
def test_without_any_key_nothing_could_be_verified(certs: Any) -> None:
    assert str(refusal(certs=certs, apiv3_key=None)) == (
        "certs: without certs there is nothing to verify answers with; give "
        "certs={'PUB_KEY_ID_...': Path('pub_key.pem')}, or apiv3_key to download "
        "the platform certificates"
    )
    assert len(WeChatPay(**options(certs=certs)).keys) == 0


SYMMETRIC = {
    "apiv3_key": "the APIv3 key (APIv3密钥)",
    "secret": "the APIv2 key (APIv2密钥)",
}
SPACE = "; it has white space around it, a line break perhaps"


@pytest.mark.parametrize("name", SYMMETRIC)
@pytest.mark.parametrize(
    ("value", "size", "hint"),
    [
        ("", 0, ""),
        ("x" * 31, 31, ""),
        ("x" * 33, 33, ""),
        ("密" * 32, 96, ""),
        ("\ud800" * 32, 96, ""),
        ("x" * 32 + "\n", 33, SPACE),
        (b" " + b"x" * 32, 33, SPACE),
    ],
    ids=["empty", "short", "long", "chinese", "surrogate", "newline", "space"],
)
def test_a_symmetric_key_has_32_bytes(
    name: str, value: Any, size: int, hint: str
) -> None:
    assert str(refusal(**{name: value})) == (
        f"{name}: {SYMMETRIC[name]} has 32 bytes, this one has {size}{hint}"
    )


@pytest.mark.parametrize("name", SYMMETRIC)
def test_a_symmetric_key_is_text_or_bytes(name: str) -> None:
    assert str(refusal(**{name: 32})) == f"{name}: text or bytes expected, got int"
    for value in ("x" * 32, b"x" * 32):
        assert getattr(settings(**{name: value}), name).reveal() == b"x" * 32


# The client certificate


def test_merchant_is_certificate_and_key_in_any_form(tmp_path: Path) -> None:
    cert, key = tmp_path / "apiclient_cert.pem", tmp_path / "apiclient_key.pem"
    cert.write_bytes(OWN)
    key.write_bytes(private())
    encrypted = (private(password=b"x"), "x")
    for value in (
        (cert, key),
        [str(cert), str(key)],
        OWN + private(),
        (OWN, encrypted),
    ):
        assert settings(merchant=value).mutual


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            (OWN, wechat_key()),
            "merchant: the private key is not the certificate's",
        ),
        (
            (private(), OWN),
            "merchant: (certificate, private key) expected, or a .p12 with its "
            "password",
        ),
        (OWN, "merchant: (certificate, private key) expected, or a .p12 with its "),
        (p12(with_key=False), "merchant: (certificate, private key) expected"),
        ((p12(), "wrong"), "merchant: the password does not open this PKCS#12 file"),
        ("nowhere.p12", "merchant: no such file: nowhere.p12"),
        (5, "merchant: int is not key material"),
        (
            (certificate(short_key()), merchant_key()),
            "merchant: the RSA key has 1024 bits",
        ),
    ],
    # The bytes of a key, new in every process, must not stand in the name of a test.
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_merchant_is_a_certificate_with_its_key(value: Any, text: str) -> None:
    assert str(refusal(merchant=value)).startswith(text)
