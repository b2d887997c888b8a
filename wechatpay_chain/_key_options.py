"""The options that are or hold keys: who the merchant is, and whose word counts.

Whatever may be or hold a key stays sealed, so that a failure here shows none, even in a
traceback that prints local variables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from . import crypto
from ._secret import Secret, key_bytes, seal
from ._shapes import mapping, sequence
from ._uri import suggest
from .crypto.load import certified_key, is_pkcs12, load, private_half, split
from .errors import ConfigurationError
from .transports.settings import ClientCertificate


class Given:
    """The options as given; hands out those that may hold a key sealed."""

    def __init__(self, options: Secret[dict[str, Any]], names: Collection[str]) -> None:
        self._options = options
        for name in options.reveal():
            if name not in names:
                raise ConfigurationError(
                    f"unknown option {name!r}{suggest(name, names)}"
                )
        for name in ("mchid", "serial", "private_key"):
            if options.reveal().get(name) in (None, ""):
                raise ConfigurationError(f"{name}: this option is required")

    def get(self, name: str, default: Any = None) -> Any:
        """The value of an option that is no key."""
        value = self._options.reveal().get(name)
        return default if value is None else value

    def sealed(self, name: str) -> Secret[Any] | None:
        """The sealed value of an option; ``None`` where it was not given."""
        value = self._options.reveal().get(name)
        return None if value is None else Secret(value)

    def need(self, name: str) -> Secret[Any]:
        """The sealed value of an option that was checked to be there."""
        return Secret(self._options.reveal()[name])


def check_mchid(given: Given) -> str:
    """The merchant number as text."""
    sealed = given.need("mchid")
    if isinstance(sealed.reveal(), int) and not isinstance(sealed.reveal(), bool):
        sealed = Secret(str(sealed.reveal()))
    if not _fits(r"[0-9]{1,32}", sealed):
        raise ConfigurationError(
            f"mchid: the merchant number (商户号) is digits only, got {_shown(sealed)}"
        )
    return str(sealed.reveal())


def check_private_key(given: Given, mchid: str) -> tuple[RSAPrivateKey, str | None]:
    """The key, and the serial of the certificate beside it in a .p12 or PEM."""
    loaded = load(*_pair(given.need("private_key"), mchid), name="private_key")
    key = private_half(loaded, "private_key")
    if loaded.certificate is None:
        return key, None
    return key, crypto.serial_text(loaded.certificate.serial_number)


def check_serial(given: Given, beside: str | None) -> str:
    """The serial in upper case; *beside* is that of the certificate with the key."""
    sealed = given.need("serial")
    if _fits(rf"{crypto.PUBLIC_KEY_ID}.*", sealed):
        raise ConfigurationError(
            f"serial: {_shown(sealed)} is the id of WeChat's public key; give the "
            "serial of the merchant API certificate (商户API证书序列号)"
        )
    if not _fits(r"[0-9A-Fa-f]{8,40}", sealed):
        raise ConfigurationError(
            "serial: the hexadecimal serial of the merchant API certificate expected "
            f"(40 characters, without colons), got {_shown(sealed)}"
        )
    serial = str(sealed.reveal()).upper()
    if beside and crypto.normal_serial(beside) != crypto.normal_serial(serial):
        raise ConfigurationError(
            f"serial: {serial} is given, but private_key comes with the certificate "
            f"{beside}; one of them is of another certificate"
        )
    return serial


def check_keys(
    given: Given,
    serial: str,
    private_key: RSAPrivateKey,
    clock: Callable[[], float],
) -> crypto.KeyRing:
    """WeChat's keys by id; an empty ring where none were given."""
    sealed = given.sealed("certs")
    if sealed is None:
        return crypto.KeyRing(clock=clock)
    if isinstance(sealed.reveal(), crypto.KeyRing):
        ring: crypto.KeyRing = sealed.reveal()
        return ring
    if mapping(sealed.reveal()) is None:
        kind = type(sealed.reveal()).__name__
        raise ConfigurationError(f"certs: a mapping of id to key expected, got {kind}")
    ring = crypto.KeyRing(clock=clock)
    for name in sealed.reveal():
        material = Secret(sealed.reveal()[name])
        ring.update(_wechat_key(name, material, serial, private_key))
    return ring


def _wechat_key(
    name: object, material: Secret[Any], serial: str, private_key: RSAPrivateKey
) -> crypto.WeChatKey:
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"certs: an id must be text, got {name!r}")
    if crypto.normal_serial(name) == crypto.normal_serial(serial):
        raise ConfigurationError(
            f"certs: {name} is serial, the merchant's own certificate; certs holds "
            "WeChat Pay's (微信支付公钥 or 平台证书)"
        )
    found = crypto.load_public_key(material, name=f"certs[{name!r}]")
    if found.key.public_numbers() == private_key.public_key().public_numbers():
        raise ConfigurationError(
            f"certs[{name!r}]: this is the public half of private_key, the merchant's "
            "own; give WeChat Pay's public key or certificate"
        )
    if found.certificate is None:
        return crypto.WeChatKey(name, found.key)
    if crypto.normal_serial(found.serial or "") != crypto.normal_serial(name):
        raise ConfigurationError(
            f"certs[{name!r}]: this certificate has the serial {found.serial}; file it "
            "under that"
        )
    return crypto.WeChatKey(
        name,
        found.key,
        found.certificate.not_valid_before_utc,
        found.certificate.not_valid_after_utc,
    )


def check_symmetric(given: Given, name: str, title: str) -> Secret[bytes] | None:
    """A key of 32 bytes; ``None`` where it was not given."""
    sealed = given.sealed(name)
    if sealed is None:
        return None
    if not isinstance(sealed.reveal(), (str, bytes)):
        kind = type(sealed.reveal()).__name__
        raise ConfigurationError(f"{name}: text or bytes expected, got {kind}")
    key = key_bytes(sealed.reveal())
    size = len(key.reveal())
    if size == 32:
        return key
    hint = ""
    if len(key.reveal().strip()) == 32:
        hint = "; it has white space around it, a line break perhaps"
    raise ConfigurationError(f"{name}: {title} has 32 bytes, this one has {size}{hint}")


def check_trust(keys: crypto.KeyRing, apiv3_key: Secret[bytes] | None) -> None:
    """Refuse options by which no answer could be verified."""
    if not len(keys) and apiv3_key is None:
        raise ConfigurationError(
            "certs: without certs there is nothing to verify answers with; give "
            "certs={'PUB_KEY_ID_...': Path('pub_key.pem')}, or apiv3_key to download "
            "the platform certificates"
        )


def check_merchant(given: Given, mchid: str) -> ClientCertificate | None:
    """The client certificate for APIv2; ``None`` where it was not given."""
    sealed = given.sealed("merchant")
    if sealed is None:
        return None
    if isinstance(sealed.reveal(), ClientCertificate):
        loaded: ClientCertificate = sealed.reveal()
        return loaded
    first, second = _pair(sealed, mchid)
    if is_pkcs12(first):
        both = load(first, second, name="merchant")
        certificate, key = both.certificate, both.private_key
    else:
        certificate = load(first, Secret(None), name="merchant").certificate
        if second.reveal() is None:
            second = first  # one PEM with both
        key = load(*split(second.reveal()), name="merchant").private_key
    if certificate is None or key is None:
        raise ConfigurationError(
            "merchant: (certificate, private key) expected, or a .p12 with its password"
        )
    if certified_key(certificate, "merchant") != key.public_key():
        raise ConfigurationError("merchant: the private key is not the certificate's")
    return ClientCertificate(certificate, key)


def _pair(sealed: Secret[Any], mchid: str) -> tuple[Secret[Any], Secret[Any]]:
    """Material and password; a .p12 without one is tried with the mchid.

    The mchid is what the merchant console sets as the password.
    """
    if sequence(sealed.reveal()) is not None and len(sealed.reveal()) == 2:
        return seal(sealed.reveal()[0]), seal(sealed.reveal()[1])
    return sealed, Secret(mchid if is_pkcs12(sealed) else None)


def _fits(pattern: str, sealed: Secret[Any]) -> bool:
    return isinstance(sealed.reveal(), str) and bool(
        re.fullmatch(pattern, sealed.reveal(), re.S)
    )


def _shown(sealed: Secret[Any]) -> str:
    """The value where it is short; a long one may be a key in the wrong place."""
    if not isinstance(sealed.reveal(), str):
        return type(sealed.reveal()).__name__
    size = len(sealed.reveal())
    if size < 32 or _fits(
        rf"{crypto.PUBLIC_KEY_ID}[0-9]+|[0-9A-Za-z]{{33,40}}", sealed
    ):
        return repr(sealed.reveal())
    return f"{size} characters"
