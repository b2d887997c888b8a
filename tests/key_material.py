"""Keys and certificates for tests, in every form people have; made once per process."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    pkcs12,
)

from wechatpay_chain import WeChatPay
from wechatpay_chain.errors import ConfigurationError

KEYS: dict[str, str] = json.loads(
    (Path(__file__).parent / "vectors" / "documented.json").read_text("utf-8")
)["keys"]

MCHID = KEYS["mchid"]
SERIAL = KEYS["merchant_serial_no"]
PUBLIC_KEY_ID = KEYS["platform_public_key_id"]
DER, PEM = Encoding.DER, Encoding.PEM
PKCS1, PKCS8 = PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8


@cache
def merchant_key() -> rsa.RSAPrivateKey:
    """The merchant's key of the documented vectors."""
    key = load_der_private_key(
        b64decode(KEYS["merchant_private_key_pkcs8_der_base64"]), None
    )
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@cache
def wechat_key() -> rsa.RSAPrivateKey:
    """The private half of WeChat's public key, to sign answers with."""
    key = load_der_private_key(
        b64decode(KEYS["platform_public_key_private_pkcs8_der_base64"]), None
    )
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@cache
def short_key() -> rsa.RSAPrivateKey:
    """An RSA key too short for WeChat Pay."""
    return rsa.generate_private_key(65537, 1024)


def private(
    encoding: Encoding = PEM,
    form: PrivateFormat = PKCS8,
    password: bytes | None = None,
    key: Any = None,
) -> bytes:
    """A private key, the merchant's by default, in one of its serial forms."""
    secrecy: KeySerializationEncryption = NoEncryption()
    if password is not None:
        secrecy = BestAvailableEncryption(password)
    made: bytes = (key or merchant_key()).private_bytes(encoding, form, secrecy)
    return made


def public(
    encoding: Encoding = PEM,
    form: PublicFormat = PublicFormat.SubjectPublicKeyInfo,
    key: Any = None,
) -> bytes:
    """A public key, WeChat's by default, in one of its serial forms."""
    made: bytes = (key or wechat_key()).public_key().public_bytes(encoding, form)
    return made


@cache
def certificate(key: Any, serial: int = 0x5157F09E) -> x509.Certificate:
    """A self-signed certificate of *key*."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    start = datetime(2024, 1, 1, tzinfo=timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .sign(merchant_key(), hashes.SHA256())
    )


def request(key: Any = None) -> x509.CertificateSigningRequest:
    """A certificate request, which people mistake for the certificate."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(name)
        .sign(key or merchant_key(), hashes.SHA256())
    )


@cache
def p12(
    password: bytes | None = MCHID.encode(),
    serial: int = int(SERIAL, 16),
    key: Any = None,
    *,
    with_key: bool = True,
    with_certificate: bool = True,
) -> bytes:
    """A PKCS#12 file as the merchant console makes it."""
    key = key or merchant_key()
    secrecy: KeySerializationEncryption = NoEncryption()
    if password is not None:
        secrecy = (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(1000)
            .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
            .build(password)
        )
    return pkcs12.serialize_key_and_certificates(
        b"test",
        key if with_key else None,
        certificate(key, serial) if with_certificate else None,
        None,
        secrecy,
    )


def options(**changes: Any) -> dict[str, Any]:
    """The options of a client that the documented keys give; ``None`` takes one out."""
    base = {
        "mchid": MCHID,
        "serial": SERIAL,
        "private_key": merchant_key(),
        "certs": {PUBLIC_KEY_ID: KEYS["platform_public_key_pem"]},
        "apiv3_key": KEYS["apiv3_key"],
        "secret": KEYS["apiv2_key"],
    }
    return {**base, **changes}


def refusal(**changes: Any) -> ConfigurationError:
    """What a client says of an option that was changed."""
    with pytest.raises(ConfigurationError) as caught:
        WeChatPay(**options(**changes))
    return caught.value


def settings(**changes: Any) -> Any:
    """What a client makes of its options."""
    return WeChatPay(**options(**changes))._settings
