"""Keys in each form that ``openssl`` writes are loaded."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain import crypto

PASSWORD = "mot de passe 1900007291"
ENCRYPTED = ("-passout", f"pass:{PASSWORD}")
PRIVATE: dict[str, tuple[tuple[str, ...], str | None]] = {
    "PKCS#1 PEM": (("rsa", "-traditional"), None),
    "PKCS#8 PEM": (("pkcs8", "-topk8", "-nocrypt"), None),
    "PKCS#1 DER": (("rsa", "-traditional", "-outform", "DER"), None),
    "PKCS#8 DER": (("pkcs8", "-topk8", "-nocrypt", "-outform", "DER"), None),
    "encrypted PKCS#1": (("rsa", "-traditional", "-aes256", *ENCRYPTED), PASSWORD),
    "encrypted PKCS#1, DES": (("rsa", "-traditional", "-des3", *ENCRYPTED), PASSWORD),
    "encrypted PKCS#8": (("pkcs8", "-topk8", "-v2", "aes256", *ENCRYPTED), PASSWORD),
    "encrypted PKCS#8, DES": (("pkcs8", "-topk8", "-v2", "des3", *ENCRYPTED), PASSWORD),
    "encrypted PKCS#8 DER": (
        ("pkcs8", "-topk8", "-v2", "aes256", "-outform", "DER", *ENCRYPTED),
        PASSWORD,
    ),
}

_VERSION = subprocess.run(["openssl", "version"], capture_output=True, check=False)
if b"LibreSSL" not in _VERSION.stdout:  # which has no scrypt in PKCS#8
    PRIVATE["encrypted PKCS#8, scrypt"] = (
        ("pkcs8", "-topk8", "-scrypt", *ENCRYPTED),
        PASSWORD,
    )


def same(one: Any, other: Any) -> bool:
    return bool(one.private_numbers() == other.private_numbers())


@pytest.mark.parametrize(("form", "password"), PRIVATE.values(), ids=PRIVATE)
@pytest.mark.parametrize("handed", ["path", "path text", "URL", "bytes", "text"])
def test_each_private_key_of_openssl_is_loaded(
    openssl: Any,
    pair: Any,
    tmp_path: Path,
    form: tuple[str, ...],
    password: str | None,
    handed: str,
) -> None:
    content = openssl(*form, "-in", pair.private)
    path = tmp_path / "key"
    path.write_bytes(content)
    material: Any = {
        "path": path,
        "path text": str(path),
        "URL": path.as_uri(),
        "bytes": content,
        "text": content.decode()
        if content.startswith(b"-----")
        else b64encode(content).decode(),
    }[handed]
    assert same(crypto.load_private_key(material, password), pair.our_private)
    if password is not None:
        assert same(crypto.load_private_key((material, password)), pair.our_private)


P12 = {
    "modern": (),
    "legacy": ("-legacy",),
    "RC2 and SHA-1, as the console of old": (
        "-legacy",
        *("-certpbe", "PBE-SHA1-RC2-40", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"),
    ),
    "DES": ("-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES"),
}


@pytest.fixture
def certificate(openssl: Any, pair: Any, tmp_path: Path) -> Path:
    path = tmp_path / "certificate.pem"
    openssl(
        *("req", "-x509", "-new", "-key", pair.private, "-days", "2", "-out", path),
        *("-subj", "/CN=1900007291", "-set_serial", "0x0A1B2C"),
    )
    return path


@pytest.mark.parametrize("options", P12.values(), ids=P12)
@pytest.mark.parametrize("handed", ["path", "bytes", "base64"])
def test_each_p12_of_openssl_is_loaded(
    openssl: Any,
    pair: Any,
    certificate: Path,
    tmp_path: Path,
    options: tuple[str, ...],
    handed: str,
) -> None:
    path = tmp_path / "apiclient_cert.p12"
    openssl(
        *("pkcs12", "-export", "-inkey", pair.private, "-in", certificate),
        *("-out", path, "-passout", "pass:1900007291", *options),
    )
    content = path.read_bytes()
    forms: dict[str, Any] = {
        "path": path,
        "bytes": content,
        "base64": b64encode(content).decode(),
    }
    loaded = crypto.load_private_key(forms[handed], "1900007291")
    assert same(loaded, pair.our_private)


PUBLIC = {
    "SPKI PEM": ("rsa", "-pubout"),
    "SPKI DER": ("rsa", "-pubout", "-outform", "DER"),
    "PKCS#1 PEM": ("rsa", "-RSAPublicKey_out"),
    "PKCS#1 DER": ("rsa", "-RSAPublicKey_out", "-outform", "DER"),
}


@pytest.mark.parametrize("form", PUBLIC.values(), ids=PUBLIC)
@pytest.mark.parametrize("handed", ["bytes", "base64"])
def test_each_public_key_of_openssl_is_loaded(
    openssl: Any, pair: Any, form: tuple[str, ...], handed: str
) -> None:
    content = openssl(*form, "-in", pair.private)
    material: Any = content
    if handed == "base64" and not content.startswith(b"-----"):
        material = b64encode(content).decode()
    found = crypto.load_public_key(material)
    assert found.key.public_numbers() == pair.our_public.public_numbers()
    assert found.serial is None


@pytest.mark.parametrize("form", ["PEM", "DER", "text"])
def test_each_certificate_of_openssl_is_loaded(
    openssl: Any, pair: Any, certificate: Path, form: str
) -> None:
    options = {"PEM": (), "DER": ("-outform", "DER"), "text": ("-text",)}[form]
    content = openssl("x509", "-in", certificate, *options)
    found = crypto.load_public_key(content)
    assert found.key.public_numbers() == pair.our_public.public_numbers()
    shown = openssl("x509", "-in", certificate, "-noout", "-serial").decode()
    assert found.serial == shown.strip().partition("=")[2].zfill(40)


def test_bags_with_attributes_are_read(
    openssl: Any, pair: Any, certificate: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.p12"
    openssl(
        *("pkcs12", "-export", "-inkey", pair.private, "-in", certificate),
        *("-name", "微信支付", "-out", path, "-passout", "pass:x"),
    )
    bags = openssl("pkcs12", "-in", path, "-passin", "pass:x", "-nodes")
    assert b"Bag Attributes" in bags
    assert same(crypto.load_private_key(bags), pair.our_private)
