"""Merchant API certificates at hand, by which a configuration can be judged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from .. import _key_options as keys
from .._secret import Secret
from .._shapes import sequence
from ..crypto.load import load
from ..errors import ConfigurationError

#: What the merchant console calls the certificate, in the folder of the key.
_CERTIFICATE = "apiclient_cert.pem"


def file_of(options: Secret[dict[str, Any]], name: str) -> Path | None:
    """The file that an option names, where it names one that exists."""
    sealed: Secret[Any] = Secret(options.reveal().get(name))
    items = sequence(sealed.reveal())
    if items:
        sealed = Secret(items[0])
    del items
    if not isinstance(sealed.reveal(), (str, os.PathLike)):
        return None
    with suppress(OSError, ValueError):  # what is too long for a name is a key
        path = Path(os.path.expanduser(sealed.reveal()))
        return path if path.is_file() else None
    return None


def certificates(
    options: Secret[dict[str, Any]], mchid: str | None
) -> Iterator[tuple[str, x509.Certificate]]:
    """Where each certificate of the merchant is: in options, and beside the key."""
    given = options.reveal()
    places = [(name, Secret(given[name])) for name in ("private_key", "merchant")
              if given.get(name)]  # fmt: skip
    key = file_of(options, "private_key")
    beside = key.with_name(_CERTIFICATE) if key else None
    if beside is not None and beside.is_file():
        places.append((str(beside), Secret(beside)))
    seen: set[bytes] = set()
    for name, sealed in places:
        found = _found(sealed, mchid)
        if found is not None and found.fingerprint(SHA256()) not in seen:
            seen.add(found.fingerprint(SHA256()))
            yield name, found


def _found(material: Secret[Any], mchid: str | None) -> x509.Certificate | None:
    """The certificate among *material*, if there is one that can be read."""
    with suppress(ConfigurationError):
        return load(*keys._pair(material, mchid or "")).certificate
    return None


def owner_of(certificate: x509.Certificate) -> str | None:
    """The merchant number in a certificate's subject."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    owner = str(names[0].value) if names else ""
    return owner if owner.isdecimal() else None
