"""What is no usable key is named for what it is, and never repeated."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.hazmat.primitives.serialization import PrivateFormat
from key_material import (
    DER,
    MCHID,
    PEM,
    PKCS1,
    PKCS8,
    certificate,
    merchant_key,
    p12,
    private,
    public,
    request,
    short_key,
    wechat_key,
)

from wechatpay_chain.crypto import load_private_key, load_public_key
from wechatpay_chain.errors import ConfigurationError

PASSWORD = b"correct horse"
#: What cryptography before 47 makes of an algorithm that it does not know.
UNREAD = "this is no key and no certificate that can be read; it may be cut off"
SPARE = "; an RSA key in PKCS#1 or PKCS#8, or a certificate, is expected"
UNREADABLE = "this is no key and no certificate that can be read; it may be cut off"
NEITHER = "this is neither a file that exists, nor PEM, nor base64"
ENCRYPTED = "the private key is encrypted; give (material, password)"
WRONG = "the password does not open this private key, or the key is damaged"
P12_CLOSED = (
    "the PKCS#12 file has a password (usually the mchid), or is damaged; "
    "give (material, password)"
)
P12_WRONG = (
    "the password does not open this PKCS#12 file (it is usually the mchid), "
    "or the file is damaged"
)
IS_PUBLIC = "this is a public key, not a private key; use the file apiclient_key.pem"
IS_CERT = "this is a certificate, not a private key; use the file apiclient_key.pem"
IS_PRIVATE = (
    "this holds a private key; a public key or certificate of WeChat Pay is expected "
    "(pub_key.pem or wechatpay_<serial>.pem)"
)
NOT_MATERIAL = (
    " is not key material; give a path, PEM, DER, base64 or an RSA key object of "
    "cryptography"
)
REQUEST = "this is a certificate request; a key or certificate is expected"


@cache
def other(kind: str) -> Any:
    """A private key that is not RSA."""
    if kind == "EC":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "DSA":
        return dsa.generate_private_key(1024)
    return ed25519.Ed25519PrivateKey.generate()


def of_object_identifier(der: bytes, old: str, new: str) -> bytes:
    """The same DER under another algorithm, to stand for one that is not supported."""
    assert bytes.fromhex(old) in der
    return der.replace(bytes.fromhex(old), bytes.fromhex(new))


RSA_OID, STRANGE_OID = "06092a864886f70d010101", "06092a864886f70d010177"


def strange(der: bytes) -> bytes:
    return of_object_identifier(der, RSA_OID, STRANGE_OID)


def damaged(pem: bytes) -> bytes:
    """A complete block whose content was overwritten near its beginning."""
    lines = pem.splitlines()
    lines[2:5] = [b"A" * 64] * 3
    return b"\n".join(lines)


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


Case = tuple[Callable[[], Any], Any, str]

PRIVATE: dict[str, Case] = {
    "public key": (public, None, IS_PUBLIC),
    "public key der": (lambda: public(DER), None, IS_PUBLIC),
    "public key object": (lambda: wechat_key().public_key(), None, IS_PUBLIC),
    "certificate": (
        lambda: certificate(merchant_key()).public_bytes(PEM),
        None,
        IS_CERT,
    ),
    "certificate object": (lambda: certificate(merchant_key()), None, IS_CERT),
    "pkcs12 without key": (lambda: p12(None, with_key=False), None, IS_CERT),
    "certificate, key cut off": (
        lambda: certificate(merchant_key()).public_bytes(PEM) + cut(private()),
        None,
        IS_CERT,
    ),
    "ec": (
        lambda: private(key=other("EC")),
        None,
        "the private key is EC; RSA is expected",
    ),
    "ec sec1": (
        lambda: private(form=PKCS1, key=other("EC")),
        None,
        "the private key is EC; RSA is expected",
    ),
    "ec der": (
        lambda: private(DER, key=other("EC")),
        None,
        "the private key is EC; RSA is expected",
    ),
    "dsa": (
        lambda: private(form=PKCS1, key=other("DSA")),
        None,
        "the private key is DSA; RSA is expected",
    ),
    "ed25519": (
        lambda: private(key=other("Ed25519")),
        None,
        "the private key is Ed25519; RSA is expected",
    ),
    "unsupported": (
        lambda: strange(private(DER)),
        None,
        "the private key has a form that is not supported; RSA is expected",
    ),
    "openssh": (
        lambda: private(form=PrivateFormat.OpenSSH),
        None,
        f"the PEM text holds OPENSSH PRIVATE KEY{SPARE}",
    ),
    "two strange blocks": (
        lambda: private(form=PrivateFormat.OpenSSH) + request().public_bytes(PEM),
        None,
        f"the PEM text holds OPENSSH PRIVATE KEY, CERTIFICATE REQUEST{SPARE}",
    ),
    "1024 bits": (
        lambda: private(key=short_key()),
        None,
        "the RSA key has 1024 bits, WeChat Pay takes 2048",
    ),
    "1024 bits object": (
        short_key,
        None,
        "the RSA key has 1024 bits, WeChat Pay takes 2048",
    ),
    "request": (
        lambda: request().public_bytes(PEM),
        None,
        f"the PEM text holds CERTIFICATE REQUEST{SPARE}",
    ),
    "request der": (lambda: request().public_bytes(DER), None, REQUEST),
    "cut off": (
        lambda: cut(private()),
        None,
        "the PEM text is cut off: there is no complete BEGIN ... END block",
    ),
    "cut off text": (
        lambda: cut(private()).decode(),
        None,
        "the PEM text is cut off: there is no complete BEGIN ... END block",
    ),
    "damaged": (
        lambda: damaged(private()),
        None,
        "the private key is damaged: it cannot be parsed",
    ),
    "damaged, password": (
        lambda: damaged(private()),
        "unused",
        "the private key is damaged: it cannot be parsed",
    ),
    "der cut off": (lambda: cut(private(DER)), None, UNREADABLE),
    "encrypted": (lambda: private(password=PASSWORD), None, ENCRYPTED),
    "encrypted, empty password": (lambda: private(password=PASSWORD), "", ENCRYPTED),
    "encrypted pkcs1": (lambda: private(PEM, PKCS1, PASSWORD), None, ENCRYPTED),
    "encrypted der": (lambda: private(DER, PKCS8, PASSWORD), None, ENCRYPTED),
    "wrong password": (lambda: private(password=PASSWORD), "wrong", WRONG),
    "wrong password pkcs1": (lambda: private(PEM, PKCS1, PASSWORD), "wrong", WRONG),
    "wrong password der": (lambda: private(DER, PKCS8, PASSWORD), "wrong", WRONG),
    "long password": (lambda: private(password=PASSWORD), "x" * 2000, WRONG),
    "password in no Unicode": (lambda: private(password=PASSWORD), "\ud800", WRONG),
    "password is a number": (
        lambda: private(password=PASSWORD),
        1234,
        "the password must be text or bytes, not int",
    ),
    "pkcs12 closed": (p12, None, P12_CLOSED),
    "pkcs12 wrong password": (p12, "wrong", P12_WRONG),
    "pkcs12 cut off": (lambda: cut(p12()), MCHID, P12_WRONG),
    "pkcs12 with ec": (
        lambda: p12(None, 1, other("EC")),
        None,
        "the private key is EC; RSA is expected",
    ),
    "empty text": (lambda: "", None, "it is empty"),
    "blank text": (lambda: " \n", None, "it is empty"),
    "empty bytes": (lambda: b"", None, "it is empty"),
    "garbage text": (lambda: "not a key", None, NEITHER),
    "garbage bytes": (lambda: b"\x00\x01\x02", None, UNREADABLE),
    "text in no Unicode": (lambda: "key \ud800", None, NEITHER),
    "none": (lambda: None, None, f"NoneType{NOT_MATERIAL}"),
    "number": (lambda: 5, None, f"int{NOT_MATERIAL}"),
    "ec object": (lambda: other("EC"), None, f"ECPrivateKey{NOT_MATERIAL}"),
    "three": (lambda: ("a", "b", "c"), None, f"tuple{NOT_MATERIAL}"),
    "url with host": (
        lambda: "file://keys/apiclient_key.pem",
        None,
        "a file URL has three slashes before an absolute path: file:///path",
    ),
    "broken url": (
        lambda: "file://[/apiclient_key.pem",
        None,
        "this file URL cannot be read; file:///path is expected",
    ),
    "url with nul": (
        lambda: "file:///a%00b",
        None,
        "this path cannot be opened on this system",
    ),
}

PUBLIC: dict[str, Case] = {
    "private key": (private, None, IS_PRIVATE),
    "private key object": (merchant_key, None, IS_PRIVATE),
    "pkcs12": (p12, MCHID, IS_PRIVATE),
    "private key beside a certificate": (
        lambda: certificate(wechat_key()).public_bytes(PEM) + private(),
        None,
        IS_PRIVATE,
    ),
    "ec": (
        lambda: public(key=other("EC")),
        None,
        "the public key is EC; RSA is expected",
    ),
    "ed25519": (
        lambda: public(DER, key=other("Ed25519")),
        None,
        "the public key is Ed25519; RSA is expected",
    ),
    "unsupported": (
        lambda: strange(public(DER)),
        None,
        "the public key has a form that is not supported; RSA is expected",
    ),
    "certificate of ec": (
        lambda: certificate(other("EC")).public_bytes(PEM),
        None,
        "the certificate's key is not RSA",
    ),
    "certificate of an unsupported key": (
        lambda: strange(certificate(wechat_key()).public_bytes(DER)),
        None,
        "the certificate's key is not RSA",
    ),
    "certificate of no known version": (
        lambda: of_object_identifier(
            certificate(wechat_key()).public_bytes(DER), "a003020102", "a003020107"
        ),
        None,
        UNREADABLE,
    ),
    "request of no known version": (
        lambda: of_object_identifier(request().public_bytes(DER), "020100", "020107"),
        None,
        UNREADABLE,
    ),
    "1024 bits": (
        lambda: public(key=short_key()),
        None,
        "the RSA key has 1024 bits, WeChat Pay takes 2048",
    ),
    "certificate of 1024 bits": (
        lambda: certificate(short_key()).public_bytes(PEM),
        None,
        "the RSA key has 1024 bits, WeChat Pay takes 2048",
    ),
    "request": (
        lambda: request().public_bytes(PEM),
        None,
        f"the PEM text holds CERTIFICATE REQUEST{SPARE}",
    ),
    "certificate cut off": (
        lambda: cut(certificate(wechat_key()).public_bytes(PEM)),
        None,
        "the PEM text is cut off: there is no complete BEGIN ... END block",
    ),
    "certificate damaged": (
        lambda: damaged(certificate(wechat_key()).public_bytes(PEM)),
        None,
        UNREADABLE,
    ),
    "base64 that lost a character": (
        lambda: public().replace(b"M", b"", 1),
        None,
        UNREADABLE,
    ),
    "empty": (lambda: "", None, "it is empty"),
    "garbage": (lambda: "not a key", None, NEITHER),
    "wrong type": (lambda: 5.0, None, f"float{NOT_MATERIAL}"),
}


def texts(case: str, text: str) -> set[str]:
    return {text, UNREAD} if case == "unsupported" else {text}


@pytest.mark.parametrize("case", PRIVATE)
def test_a_private_key_is_refused_by_name(case: str) -> None:
    material, password, text = PRIVATE[case]
    with pytest.raises(ConfigurationError) as caught:
        load_private_key(material(), password)
    assert str(caught.value) in {f"private_key: {found}" for found in texts(case, text)}


@pytest.mark.parametrize("case", PUBLIC)
def test_a_public_key_is_refused_by_name(case: str) -> None:
    material, password, text = PUBLIC[case]
    with pytest.raises(ConfigurationError) as caught:
        load_public_key(material(), password)
    assert str(caught.value) in {f"public key: {found}" for found in texts(case, text)}


@pytest.mark.parametrize("loader", [load_private_key, load_public_key])
def test_messages_call_the_material_as_the_caller_does(loader: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^certs\['X'\]: it is empty$"):
        loader("", name="certs['X']")


def test_a_pkcs12_file_may_hold_nothing() -> None:
    # PFX { version 3, authSafe { data, [0] { OCTET STRING of an empty SEQUENCE } } }:
    # cryptography writes no such file.
    empty = bytes.fromhex("3016020103301106092a864886f70d010701a00404023000")
    with pytest.raises(ConfigurationError) as caught:
        load_private_key(empty)
    assert str(caught.value) == (
        "private_key: the PKCS#12 file holds no key and no certificate"
    )
