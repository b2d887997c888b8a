"""One loader for private keys and one for public ones, in every form people have.

A path, ``file://`` URL, PEM text or bytes, DER, bare base64, PKCS#1, PKCS#8, SPKI,
X.509 certificate, PKCS#12 with password, encrypted PEM, or a ``cryptography`` object.
What does not fit is named for what it is. Material is sealed at the door, and problems
travel as values until only sealed frames are left, so no traceback shows a key.
"""

from __future__ import annotations

import binascii
import os
import re
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Union, cast
from urllib.parse import unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    pkcs12,
)

from .._secret import Secret, seal
from .._shapes import sequence
from ..errors import ConfigurationError
from .keys import serial_text

Material = Union[str, bytes, "os.PathLike[str]"]

#: Below this, signatures are not accepted by WeChat Pay (protocol section 1).
MINIMUM_BITS = 2048

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.S)


class Loaded(NamedTuple):
    """What was found in the material, at most one of each kind."""

    private_key: RSAPrivateKey | None = None
    certificate: x509.Certificate | None = None
    public_key: RSAPublicKey | None = None


class PublicMaterial(NamedTuple):
    """A public key, and the certificate that it came in, if it did."""

    key: RSAPublicKey
    certificate: x509.Certificate | None

    @property
    def serial(self) -> str | None:
        """The certificate's serial as WeChat writes it."""
        if self.certificate is None:
            return None
        return serial_text(self.certificate.serial_number)


def load_private_key(
    material: object, password: str | bytes | None = None, *, name: str = "private_key"
) -> RSAPrivateKey:
    """Load the merchant's RSA private key from any form; ``(material, password)`` too.

    *name* is what messages call it. Raises ``ConfigurationError``.
    """
    sealed, secret = _split(material, password)
    del material, password
    loaded = load(sealed, secret, name=name)
    if loaded.private_key is None:
        raise ConfigurationError(
            f"{name}: this is {_kind(loaded)}, not a private key; "
            "use the file apiclient_key.pem"
        )
    return loaded.private_key


def load_public_key(
    material: object, password: str | bytes | None = None, *, name: str = "public key"
) -> PublicMaterial:
    """Load one of WeChat's public keys, bare or in its certificate, from any form.

    Raises ``ConfigurationError``.
    """
    sealed, secret = _split(material, password)
    del material, password
    loaded = load(sealed, secret, name=name)
    if loaded.private_key is not None:
        raise ConfigurationError(
            f"{name}: this holds a private key; a public key or certificate of "
            "WeChat Pay is expected (pub_key.pem or wechatpay_<serial>.pem)"
        )
    if loaded.certificate is not None:
        return PublicMaterial(
            _certified_key(loaded.certificate, name), loaded.certificate
        )
    assert loaded.public_key is not None
    return PublicMaterial(loaded.public_key, None)


def load(material: Secret[Any], password: Secret[Any], *, name: str = "key") -> Loaded:
    """Find out what *material* is and load it, or say what is wrong with it."""
    found = _attempt(material, password)
    if isinstance(found, str):
        raise ConfigurationError(f"{name}: {found}")
    key = found.private_key or found.public_key
    if key is not None and key.key_size < MINIMUM_BITS:
        raise ConfigurationError(
            f"{name}: the RSA key has {key.key_size} bits, WeChat Pay takes "
            f"{MINIMUM_BITS}"
        )
    return found


def _split(material: object, password: object) -> tuple[Secret[Any], Secret[Any]]:
    pair = sequence(material)
    if pair is not None and len(pair) == 2:
        return seal(pair[0]), seal(pair[1])
    return seal(material), seal(password)


def _certified_key(certificate: x509.Certificate, name: str) -> RSAPublicKey:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise ConfigurationError(f"{name}: the certificate's key is not RSA")
    return key


def _kind(loaded: Loaded) -> str:
    return "a certificate" if loaded.certificate else "a public key"


def _attempt(material: Secret[Any], password: Secret[Any]) -> Loaded | str:
    """What the material holds, or what is wrong with it, in words."""
    value = material.reveal()
    if isinstance(value, RSAPrivateKey):
        return Loaded(private_key=value)
    if isinstance(value, RSAPublicKey):
        return Loaded(public_key=value)
    if isinstance(value, x509.Certificate):
        return Loaded(certificate=value)
    if isinstance(value, Loaded):
        return value
    data = _bytes(value)
    if isinstance(data, str):
        return data
    secret = password.reveal()
    if isinstance(secret, str):
        secret = secret.encode()
    if secret is not None and not isinstance(secret, bytes):
        return f"the password must be text or bytes, not {type(secret).__name__}"
    # Typographic accidents first: a BOM, CRLF, and \n written as two characters.
    text = data.removeprefix(b"\xef\xbb\xbf").replace(b"\\n", b"\n")
    if b"-----BEGIN " in text:
        return _from_pem(text.replace(b"\r", b""), secret)
    return _from_der(data, secret)


def _bytes(value: object) -> bytes | str:
    """The bytes that *value* means, or what is wrong with it."""
    if isinstance(value, bytes):
        raw = value
    elif isinstance(value, os.PathLike):
        return _read(Path(cast("os.PathLike[str]", value)))
    elif isinstance(value, str):
        if value.startswith("file:"):
            return _read(Path(unquote(urlsplit(value).path)))
        if "-----BEGIN " in value:
            return value.encode()
        if _exists(value):
            return _read(Path(value))
        raw = value.encode()
    else:
        return (
            f"{type(value).__name__} is not key material; give a path, PEM, DER, "
            "base64 or a cryptography key object"
        )
    decoded = _base64(raw)
    if decoded is not None:
        return decoded
    if isinstance(value, bytes):
        return value
    # Short, without a line break: a path that is not there. Else it may be a damaged
    # key, which must not be repeated.
    if len(value) < 200 and "\n" not in value and re.search(r"[./\\~]", value):
        return f"no such file: {value}"
    return "this is neither a file that exists, nor PEM, nor base64"


def _exists(name: str) -> bool:
    try:
        return os.path.isfile(name)
    except ValueError:  # a NUL byte
        return False


def _read(path: Path) -> bytes | str:
    try:
        data = path.expanduser().read_bytes()
    except OSError as error:
        return f"cannot read {path}: {error.strerror or 'unreadable'}"
    except ValueError:
        return "the path holds a NUL byte"
    return _base64(data) or data


def _base64(raw: bytes) -> bytes | None:
    """DER from bare base64, which starts with ``M`` as every DER sequence does."""
    joined = b"".join(raw.removeprefix(b"\xef\xbb\xbf").replace(b"\\n", b"").split())
    if not joined.startswith(b"M"):
        return None
    try:
        return b64decode(joined, validate=True)
    except binascii.Error:
        return None


def _from_pem(text: bytes, password: bytes | None) -> Loaded | str:
    """Read every block, as bags and chains have several; the first of a kind counts."""
    private = certificate = public = None
    other: list[str] = []
    for match in _PEM.finditer(text):
        label = match[1].decode()
        found: Loaded | str
        if label in ("OPENSSH PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY"):
            found = f"this is an {label}; an RSA key in PKCS#1 or PKCS#8 is expected"
        elif label.endswith("PRIVATE KEY"):
            found = _private(load_pem_private_key, _tidy(match), password)
        elif label in ("PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE"):
            found = _from_der(_base64(match[2]) or b"", None)
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
            f"the PEM text holds {', '.join(other)}; a key or certificate is expected"
        )
    return "the PEM text is cut off: there is no complete BEGIN ... END block"


def _tidy(match: re.Match[bytes]) -> bytes:
    """One PEM block with blank lines and indentation gone, headers kept."""
    lines = [line.strip() for line in match[2].split(b"\n")]
    head = [line for line in lines if b":" in line]
    rest = [line for line in lines if line and b":" not in line]
    body = head + ([b""] if head else []) + rest
    begin, end = b"-----BEGIN %b-----" % match[1], b"-----END %b-----" % match[1]
    return b"\n".join([begin, *body, end, b""])


def _private(
    loader: Callable[..., Any], data: bytes, password: bytes | None
) -> Loaded | str:
    try:
        key = loader(data, password)
    except TypeError as error:
        if "not encrypted" not in str(error):
            return "the private key is encrypted; give (material, password)"
        return _private(loader, data, None)  # a password that is not needed
    except ValueError as error:
        if "password" in str(error).lower() or "decrypt" in str(error).lower():
            return "the password does not open this private key"
        return "the private key is damaged: it cannot be parsed"
    except Exception:  # UnsupportedAlgorithm, and what future versions raise
        return "the private key has a form that is not supported; RSA is expected"
    if not isinstance(key, RSAPrivateKey):
        return "the private key is not RSA"
    return Loaded(private_key=key)


def _from_der(data: bytes, password: bytes | None) -> Loaded | str:
    try:
        return Loaded(certificate=x509.load_der_x509_certificate(data))
    except ValueError:
        pass
    try:
        public = load_der_public_key(data)
        if isinstance(public, RSAPublicKey):
            return Loaded(public_key=public)
        return "the public key is not RSA"
    except ValueError:
        pass
    found = _private(load_der_private_key, data, password)
    if not isinstance(found, str) or "damaged" not in found:
        bag = _from_pkcs12(data, password) if isinstance(found, str) else None
        return bag or found
    bag = _from_pkcs12(data, password)
    if bag is not None:
        return bag
    try:
        x509.load_der_x509_csr(data)
    except ValueError:
        return "this is no key and no certificate that can be read; it may be cut off"
    return "this is a certificate request; a key or certificate is expected"


def _from_pkcs12(data: bytes, password: bytes | None) -> Loaded | str | None:
    """The contents of a .p12, or ``None`` where it is none."""
    if not _is_pkcs12(data):
        return None
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates(data, password)
    except ValueError:
        if password is None:
            return (
                "the PKCS#12 file has a password (usually the mchid): give "
                "(material, password)"
            )
        return "the password does not open this PKCS#12 file (it is usually the mchid)"
    if key is not None and not isinstance(key, RSAPrivateKey):
        return "the private key in the PKCS#12 file is not RSA"
    if key is None and certificate is None:
        return "the PKCS#12 file is empty"
    return Loaded(private_key=key, certificate=certificate)


def is_pkcs12(material: Secret[Any]) -> bool:
    """Whether *material* is a PKCS#12 file or its bytes."""
    data = _bytes(material.reveal())
    return isinstance(data, bytes) and _is_pkcs12(data)


def _is_pkcs12(data: bytes) -> bool:
    """A PFX is a sequence that opens with version 3 (RFC 7292, section 4)."""
    return data[:1] == b"\x30" and b"\x02\x01\x03" in data[2:8]
