"""Keys load from every form that people have, and only from those."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from textwrap import indent, wrap
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import PublicFormat
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
    wechat_key,
)

from wechatpay_chain.crypto import load_private_key, load_public_key
from wechatpay_chain.errors import ConfigurationError

PASSWORD = "correct horse"
SPKI_DER = public(DER)
PKCS1_PUBLIC = PublicFormat.PKCS1


def as_base64(data: bytes) -> str:
    return b64encode(data).decode()


def bag_attributes(pem: bytes) -> bytes:
    """What ``openssl pkcs12 -nodes`` writes: attributes, certificate, key."""
    head = "Bag Attributes\n    localKeyID: 01 5F\n    friendlyName: 商户\n".encode()
    cert = certificate(merchant_key()).public_bytes(PEM)
    return head + cert + head + b"Key Attributes: <No Attributes>\n" + pem


def blank_lines(pem: bytes) -> bytes:
    return b"\n\n" + pem.replace(b"\n", b"\n\n") + b"\n"


#: Accidents of editors, environments and consoles that change no key.
ACCIDENTS: dict[str, Callable[[bytes], str | bytes]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "text": bytes.decode,
    "bom in bytes": lambda pem: b"\xef\xbb\xbf" + pem,
    "bom in text": lambda pem: "\ufeff" + pem.decode(),
    "crlf": lambda pem: pem.replace(b"\n", b"\r\n"),
    "literal \\n": lambda pem: pem.decode().replace("\n", "\\n"),
    "literal \\r\\n": lambda pem: pem.decode().replace("\n", "\\r\\n"),
    "blank lines": blank_lines,
    "leading text": lambda pem: b"-- the key --\nsubject=/CN=x\n" + pem + b"\nbye",
    "indented": lambda pem: indent(pem.decode(), "    "),
    "trailing spaces": lambda pem: pem.replace(b"\n", b"  \n"),
    "no final line break": lambda pem: pem.rstrip(),
    "whole file in base64": lambda pem: as_base64(pem),
}

#: Bare base64 as consoles and environments carry it.
BASE64: dict[str, Callable[[bytes], str | bytes]] = {
    "text": as_base64,
    "bytes": b64encode,
    "wrapped": lambda der: "\n".join(wrap(as_base64(der), 64)) + "\n",
    "wrapped crlf": lambda der: "\r\n".join(wrap(as_base64(der), 76)),
    "literal \\n": lambda der: "\\n".join(wrap(as_base64(der), 64)),
    "bom": lambda der: "\ufeff" + as_base64(der),
}

#: How a file is named.
NAMES: dict[str, Callable[[Path], Any]] = {
    "path": lambda path: path,
    "text": str,
    "url": lambda path: path.as_uri(),
    "url with host": lambda path: "file://localhost" + quote(str(path)),
    "url without slashes": lambda path: "file:" + quote(os.path.relpath(path)),
    "home": lambda path: f"~/{path.name}",
    "path in home": lambda path: Path("~", path.name),
    "relative": lambda path: os.path.relpath(path),
}


def same_private(material: Any, password: Any = None) -> bool:
    loaded = load_private_key(material, password)
    return loaded.private_numbers() == merchant_key().private_numbers()


def same_public(material: Any, password: Any = None) -> bool:
    loaded = load_public_key(material, password)
    return loaded.key.public_numbers() == wechat_key().public_key().public_numbers()


PRIVATE_PEM = {
    "pkcs8": (private(), None),
    "pkcs1": (private(form=PKCS1), None),
    "pkcs8 encrypted": (private(password=PASSWORD.encode()), PASSWORD),
    "pkcs1 encrypted": (private(form=PKCS1, password=PASSWORD.encode()), PASSWORD),
}
PUBLIC_PEM = {
    "spki": public(),
    "pkcs1": public(form=PKCS1_PUBLIC),
    "x509": certificate(wechat_key()).public_bytes(PEM),
    "x509 by its old name": certificate(wechat_key())
    .public_bytes(PEM)
    .replace(b"CERTIFICATE", b"X509 CERTIFICATE"),
}
PRIVATE_DER = {
    "pkcs8": (private(DER), None),
    "pkcs1": (private(DER, PKCS1), None),
    "pkcs8 encrypted": (private(DER, PKCS8, PASSWORD.encode()), PASSWORD),
    "pkcs12": (p12(), MCHID),
    "pkcs12 open": (p12(None), None),
}
PUBLIC_DER = {
    "spki": SPKI_DER,
    "pkcs1": public(DER, PKCS1_PUBLIC),
    "x509": certificate(wechat_key()).public_bytes(DER),
    "pkcs12": p12(None, 1, wechat_key(), with_key=False),
}


@pytest.mark.parametrize("accident", ACCIDENTS)
@pytest.mark.parametrize("form", PRIVATE_PEM)
def test_a_private_pem_loads_through_every_accident(form: str, accident: str) -> None:
    pem, password = PRIVATE_PEM[form]
    assert same_private(ACCIDENTS[accident](pem), password)


@pytest.mark.parametrize("accident", ACCIDENTS)
@pytest.mark.parametrize("form", PUBLIC_PEM)
def test_a_public_pem_loads_through_every_accident(form: str, accident: str) -> None:
    assert same_public(ACCIDENTS[accident](PUBLIC_PEM[form]))


@pytest.mark.parametrize("pem", [private(), private(form=PKCS1)], ids=["8", "1"])
def test_a_pem_whose_line_breaks_became_spaces_loads(pem: bytes) -> None:
    assert same_private(pem.decode().replace("\n", " "))


@pytest.mark.parametrize("form", PRIVATE_DER)
def test_a_private_der_loads(form: str) -> None:
    assert same_private(*PRIVATE_DER[form])


@pytest.mark.parametrize("form", PUBLIC_DER)
def test_a_public_der_loads(form: str) -> None:
    assert same_public(PUBLIC_DER[form])


@pytest.mark.parametrize("dress", BASE64)
@pytest.mark.parametrize("form", PRIVATE_DER)
def test_bare_base64_of_a_private_key_loads(form: str, dress: str) -> None:
    der, password = PRIVATE_DER[form]
    assert same_private(BASE64[dress](der), password)


@pytest.mark.parametrize("dress", BASE64)
@pytest.mark.parametrize("form", PUBLIC_DER)
def test_bare_base64_of_a_public_key_loads(form: str, dress: str) -> None:
    assert same_public(BASE64[dress](PUBLIC_DER[form]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "content",
    [private(), private(DER), b64encode(private(DER)), b"\xef\xbb\xbf" + private()],
    ids=["pem", "der", "base64", "bom"],
)
def test_a_file_loads_by_any_name(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / "密钥 100%#1.pem"
    path.write_bytes(content)
    assert same_private(NAMES[name](path))


@pytest.mark.parametrize("name", NAMES)
def test_a_public_key_loads_by_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "pub key.pem"
    path.write_bytes(public())
    assert same_public(NAMES[name](path))


def test_a_drive_letter_in_a_url_is_no_folder() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read C:/keys/key\.pem: "):
        load_private_key("file:///C:/keys/key.pem")


@pytest.mark.parametrize(
    "password", [PASSWORD, PASSWORD.encode()], ids=["text", "bytes"]
)
@pytest.mark.parametrize("pair", [tuple, list])
def test_material_and_password_come_as_a_pair(pair: Any, password: Any) -> None:
    assert same_private(pair((private(password=PASSWORD.encode()), password)))


def test_a_password_that_is_not_needed_does_no_harm() -> None:
    assert same_private(private(), "unused")
    assert same_private(private(DER), "unused")


def test_an_empty_password_is_none() -> None:
    assert same_private(private(), "")


def test_key_objects_load_as_they_are() -> None:
    key, cert = wechat_key().public_key(), certificate(wechat_key())
    assert load_private_key(merchant_key()) is merchant_key()
    assert load_public_key(key).key is key
    assert load_public_key(cert).certificate is cert


def test_only_a_certificate_tells_its_serial() -> None:
    cert = certificate(wechat_key(), 0xABC)
    assert load_public_key(cert).serial == "ABC".zfill(40)
    assert load_public_key(public()).serial is None


def test_the_first_key_of_a_file_counts() -> None:
    mine = certificate(wechat_key(), 1).public_bytes(PEM)
    issuer = certificate(merchant_key(), 2).public_bytes(PEM)
    assert load_public_key(mine + issuer).serial == "1".zfill(40)


def test_a_block_of_parameters_beside_the_key_is_passed_over() -> None:
    stray = (
        b"-----BEGIN DH PARAMETERS-----\nMAYCAQUCAQI=\n-----END DH PARAMETERS-----\n"
    )
    assert same_private(stray + private())


def test_a_private_key_is_found_beside_its_certificate() -> None:
    assert same_private(bag_attributes(private()))
