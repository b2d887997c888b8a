"""What key files hold: PEM, DER and PKCS#12, read into :class:`Loaded`.

Nothing here raises. These frames hold keys in the clear, so what is wrong with them
leaves as text, and ``load`` raises from a frame that holds none.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    pkcs12,
)

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.S)
_BOM = b"\xef\xbb\xbf"
#: How bare base64 begins: of a DER sequence, and of a whole PEM file.
_BASE64 = (b"M", b"LS0tLS1CRUdJTi")
_PUBLIC = ("PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE", "X509 CERTIFICATE")


class Loaded(NamedTuple):
    """What was found in the material, at most one of each kind."""

    private_key: RSAPrivateKey | None = None
    certificate: x509.Certificate | None = None
    public_key: RSAPublicKey | None = None


def parse(data: bytes, password: bytes | None) -> Loaded | str:
    """What *data* holds, or what is wrong with it, in words."""
    if not data.strip():
        return "it is empty"
    if b"-----BEGIN " in data:
        return _from_pem(data, password)
    return _from_der(data, password)


def bare_base64(raw: bytes) -> bytes | None:
    """What bare base64 encodes, line breaks and a BOM aside; else ``None``."""
    joined = b"".join(_plain(raw).removeprefix(_BOM).split())
    if not joined.startswith(_BASE64):
        return None
    try:
        return b64decode(joined, validate=True)
    except binascii.Error:
        return None


def is_pkcs12(data: bytes) -> bool:
    """A PFX is a sequence that opens with version 3 (RFC 7292, section 4)."""
    return data[:1] == b"\x30" and b"\x02\x01\x03" in data[2:8]


def _plain(text: bytes) -> bytes:
    """Line breaks that an environment variable or JSON carries as two characters."""
    return text.replace(b"\\r", b"").replace(b"\\n", b"\n")


def _from_pem(text: bytes, password: bytes | None) -> Loaded | str:
    """Read every block, as bags and chains have several; the first of a kind counts."""
    private = certificate = public = None
    other: list[str] = []
    for match in _PEM.finditer(_plain(text)):
        label = match[1].decode()
        found: Loaded | str
        if label != "OPENSSH PRIVATE KEY" and label.endswith("PRIVATE KEY"):
            found = (
                _private(load_pem_private_key, _tidy(match), password)
                or "the private key is damaged: it cannot be parsed"
            )
        elif label in _PUBLIC:
            found = _from_der(bare_base64(match[2]) or b"", None)
        else:
            other.append(label)
            continue
        if isinstance(found, str):
            return found
        private = private or found.private_key
        certificate = certificate or found.certificate
        public = public or found.public_key
    if private or certificate or public:
        return Loaded(private, certificate, public)
    if other:
        return (
            f"the PEM text holds {', '.join(other)}; an RSA key in PKCS#1 or PKCS#8, "
            "or a certificate, is expected"
        )
    return "the PEM text is cut off: there is no complete BEGIN ... END block"


def _tidy(match: re.Match[bytes]) -> bytes:
    """One PEM block with blank lines and stray spaces gone, headers kept."""
    lines = match[2].splitlines()
    head = [line.strip() for line in lines if b":" in line]
    rest = b"".join(b"".join(line.split()) for line in lines if b":" not in line)
    rows = [rest[at : at + 64] for at in range(0, len(rest), 64)]
    body = [*head, b"", *rows] if head else rows
    begin, end = b"-----BEGIN %b-----" % match[1], b"-----END %b-----" % match[1]
    return b"\n".join([begin, *body, end, b""])


def _from_der(data: bytes, password: bytes | None) -> Loaded | str:
    if is_pkcs12(data):
        return _from_pkcs12(data, password)
    found = (
        _certificate(data)
        or _public(data)
        or _request(data)
        or _private(load_der_private_key, data, password)
    )
    return found or (
        "this is no key and no certificate that can be read; it may be cut off"
    )


def _certificate(data: bytes) -> Loaded | None:
    try:
        return Loaded(certificate=x509.load_der_x509_certificate(data))
    except (ValueError, x509.InvalidVersion):
        return None


def _public(data: bytes) -> Loaded | str | None:
    try:
        key = load_der_public_key(data)
    except ValueError:
        return None
    except Exception:  # UnsupportedAlgorithm (SM2), and what future versions raise
        return "the public key has a form that is not supported; RSA is expected"
    if isinstance(key, RSAPublicKey):
        return Loaded(public_key=key)
    return f"the public key is {_algorithm(key)}; RSA is expected"


def _request(data: bytes) -> str | None:
    try:
        x509.load_der_x509_csr(data)
    except (ValueError, x509.InvalidVersion):
        return None
    return "this is a certificate request; a key or certificate is expected"


def _private(
    loader: Callable[..., Any], data: bytes, password: bytes | None
) -> Loaded | str | None:
    """The key, what is wrong with it, or ``None`` where it cannot be parsed at all."""
    try:
        key = loader(data, password)
    except TypeError:
        if password is None:
            return "the private key is encrypted; give (material, password)"
        return _private(loader, data, None)  # a password that is not needed
    except ValueError:
        # A wrong password may decrypt to something that merely looks damaged.
        if password is not None:
            return "the password does not open this private key, or the key is damaged"
        return None
    except Exception:  # UnsupportedAlgorithm, and what future versions raise
        return "the private key has a form that is not supported; RSA is expected"
    if isinstance(key, RSAPrivateKey):
        return Loaded(private_key=key)
    return f"the private key is {_algorithm(key)}; RSA is expected"


def _from_pkcs12(data: bytes, password: bytes | None) -> Loaded | str:
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(data, password)
    except Exception:  # ValueError for a password, others for forms not supported
        if password is None:
            return (
                "the PKCS#12 file has a password (usually the mchid), or is damaged; "
                "give (material, password)"
            )
        return (
            "the password does not open this PKCS#12 file (it is usually the mchid), "
            "or the file is damaged"
        )
    if key is not None and not isinstance(key, RSAPrivateKey):
        return f"the private key is {_algorithm(key)}; RSA is expected"
    if key is None and others:
        certificate = others[0]  # without a key none of them is its own
    if key is None and certificate is None:
        return "the PKCS#12 file holds no key and no certificate"
    return Loaded(private_key=key, certificate=certificate)


def _algorithm(key: object) -> str:
    """``ECPublicKey`` -> ``EC``."""
    return type(key).__name__.removesuffix("PublicKey").removesuffix("PrivateKey")
