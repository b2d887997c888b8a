"""One loader for private keys and one for public ones, in every form people have.

A path, ``file://`` URL, PEM text or bytes, DER, bare base64, PKCS#1, PKCS#8, SPKI,
X.509 certificate, PKCS#12 with password, encrypted PEM, or a ``cryptography`` object.
What does not fit is named for what it is. Material is sealed at the door, and problems
travel as values until only sealed frames are left, so no traceback shows a key.
"""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple, cast
from urllib.parse import unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from .._secret import Secret, seal
from .._shapes import binary, sequence
from ..errors import ConfigurationError
from .forms import Loaded, bare_base64, parse
from .forms import is_pkcs12 as _is_pkcs12
from .keys import serial_text

#: Below this, signatures are not accepted by WeChat Pay (protocol section 1).
MINIMUM_BITS = 2048

#: Suffixes by which a text is a file's name and not a damaged key.
_SUFFIXES = re.compile(r".+\.(?:pem|key|p8|p12|pfx|crt|cer|der|txt)", re.I)


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
    sealed, secret = split(material, password)
    del material, password
    return private_half(load(sealed, secret, name=name), name)


def load_public_key(
    material: object, password: str | bytes | None = None, *, name: str = "public key"
) -> PublicMaterial:
    """Load one of WeChat's public keys, bare or in its certificate, from any form.

    Raises ``ConfigurationError``.
    """
    sealed, secret = split(material, password)
    del material, password
    loaded = load(sealed, secret, name=name)
    if loaded.private_key is not None:
        raise ConfigurationError(
            f"{name}: this holds a private key; a public key or certificate of "
            "WeChat Pay is expected (pub_key.pem or wechatpay_<serial>.pem)"
        )
    if loaded.certificate is not None:
        key = certified_key(loaded.certificate, name)
        return PublicMaterial(key, loaded.certificate)
    assert loaded.public_key is not None
    return PublicMaterial(loaded.public_key, None)


def load(material: Secret[Any], password: Secret[Any], *, name: str = "key") -> Loaded:
    """Find out what *material* is and load it, or say what is wrong with it."""
    found = _attempt(material, password)
    if isinstance(found, str):
        raise ConfigurationError(f"{name}: {found}")
    key = found.private_key or found.public_key
    if key is not None:
        _check_size(key, name)
    return found


def private_half(loaded: Loaded, name: str) -> RSAPrivateKey:
    """The private key among what was loaded, or say what is there in its place."""
    if loaded.private_key is None:
        kind = "a certificate" if loaded.certificate else "a public key"
        raise ConfigurationError(
            f"{name}: this is {kind}, not a private key; use the file apiclient_key.pem"
        )
    return loaded.private_key


def certified_key(certificate: x509.Certificate, name: str) -> RSAPublicKey:
    """The RSA key that *certificate* certifies. Raises ``ConfigurationError``."""
    try:
        key = certificate.public_key()
    except Exception:  # UnsupportedAlgorithm (SM2), ValueError for nonsense
        key = None
    if not isinstance(key, RSAPublicKey):
        raise ConfigurationError(f"{name}: the certificate's key is not RSA")
    _check_size(key, name)
    return key


def is_pkcs12(material: Secret[Any]) -> bool:
    """Whether *material* is a PKCS#12 file or its bytes."""
    data = _bytes(material.reveal())
    return isinstance(data, bytes) and _is_pkcs12(data)


def split(material: object, password: object = None) -> tuple[Secret[Any], Secret[Any]]:
    """Seal material and password, which may come as a pair."""
    pair = sequence(material)
    if pair is not None and len(pair) == 2:
        return seal(pair[0]), seal(pair[1])
    return seal(material), seal(password)


def _check_size(key: RSAPrivateKey | RSAPublicKey, name: str) -> None:
    if key.key_size < MINIMUM_BITS:
        raise ConfigurationError(
            f"{name}: the RSA key has {key.key_size} bits, WeChat Pay takes "
            f"{MINIMUM_BITS}"
        )


def _attempt(material: Secret[Any], password: Secret[Any]) -> Loaded | str:
    """What the material holds, or what is wrong with it, in words. Never raises."""
    value: object = material.reveal()
    if isinstance(value, RSAPrivateKey):
        return Loaded(private_key=value)
    if isinstance(value, RSAPublicKey):
        return Loaded(public_key=value)
    if isinstance(value, x509.Certificate):
        return Loaded(certificate=value)
    secret: object = password.reveal()
    if isinstance(secret, str):
        secret = secret.encode("utf-8", "surrogatepass")
    if secret is not None and not isinstance(secret, bytes):
        return f"the password must be text or bytes, not {type(secret).__name__}"
    data = _bytes(value)
    return data if isinstance(data, str) else parse(data, secret or None)


def _bytes(value: object) -> bytes | str:
    """The bytes that *value* means, or what is wrong with it. Never raises."""
    if isinstance(value, os.PathLike):
        return _read(os.fsdecode(cast("os.PathLike[str]", value)))
    if isinstance(value, str):
        if value.startswith("file:"):
            return _from_url(value)
        if "-----BEGIN " not in value and os.path.exists(os.path.expanduser(value)):
            return _read(value)
        raw = value.encode("utf-8", "surrogatepass")
    else:
        found = binary(value)
        if found is None:
            return (
                f"{type(value).__name__} is not key material; give a path, PEM, DER, "
                "base64 or an RSA key object of cryptography"
            )
        raw = found
    decoded = bare_base64(raw)
    if decoded is not None:
        return decoded
    if not isinstance(value, str) or "-----BEGIN " in value or not value.strip():
        return raw
    if is_name(value):
        return f"no such file: {value}"
    return "this is neither a file that exists, nor PEM, nor base64"


def _from_url(url: str) -> bytes | str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "this file URL cannot be read; file:///path is expected"
    if parts.netloc not in ("", "localhost"):
        return "a file URL has three slashes before an absolute path: file:///path"
    path = unquote(parts.path)
    # file:///C:/keys is the path C:/keys.
    return _read(path[1:] if re.match(r"/[A-Za-z]:/", path) else path)


def _read(name: str) -> bytes | str:
    try:
        with open(os.path.expanduser(name), "rb") as file:
            data = file.read()
    except OSError as error:
        # What exists is no damaged key.
        named = is_name(name) or os.path.exists(os.path.expanduser(name))
        shown = name if named else "the file"
        return f"cannot read {shown}: {error.strerror or 'unreadable'}"
    except ValueError:  # a NUL byte, a lone surrogate
        return "this path cannot be opened on this system"
    return bare_base64(data) or data


def is_name(text: str) -> bool:
    """Whether a message may repeat *text*: the name of a file, not a damaged key."""
    if len(text) > 255 or "\n" in text or "-----" in text:
        return False
    if _SUFFIXES.fullmatch(text):
        return True
    folder = os.path.dirname(os.path.expanduser(text))
    # Base64 may begin with a slash, so the root folder proves nothing.
    return len(folder) > 1 and os.path.isdir(folder)
