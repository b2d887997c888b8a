"""Asking for a bill: what the signed answer says of its files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .._secret import Secret
from .._shapes import mapping, sequence
from ..crypto import decrypt_oaep
from ..errors import DecodeError, EncodeError
from ..middleware.signing import is_home
from .transfer import Part

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: AES-256, and the algorithm by its name in the documents.
_KEY_SIZE = 32
AEAD = "AEAD_AES_256_GCM"


def day(given: object) -> str:
    """The day of a bill as WeChat Pay has it. Raises ``EncodeError``.

    >>> day(date(2024, 6, 1))
    '2024-06-01'
    """
    if isinstance(given, datetime):
        raise EncodeError(
            "date: a bill is that of a day in Beijing; give a date, not a datetime"
        )
    if isinstance(given, date):
        return given.isoformat()
    if isinstance(given, str) and _DAY.fullmatch(given):
        try:
            return date.fromisoformat(given).isoformat()
        except ValueError:
            pass
    raise EncodeError(
        f"date: a date, or text such as '2024-06-01', expected, got {given!r:.64}"
    )


def parts(data: object, private_key: RSAPrivateKey) -> tuple[Part, ...]:
    """The files that an answer names, in order. Raises ``DecodeError``."""
    answer = mapping(data)
    if answer is None:
        raise DecodeError("the answer names no bill: it has no JSON object")
    listed = sequence(answer.get("download_bill_list"))
    if listed is None and "download_bill_count" in answer:
        listed = ()
    if listed is None:
        return (_part(answer, private_key),)
    count = answer.get("download_bill_count")
    if isinstance(count, int) and count != len(listed):
        raise DecodeError(f"the answer counts {count} files and lists {len(listed)}")
    return tuple(_part(one, private_key) for one in _sorted(listed))


def _sorted(listed: Sequence[Any]) -> Sequence[Any]:
    numbers = [(mapping(one) or {}).get("bill_sequence") for one in listed]
    if not all(isinstance(number, int) for number in numbers):
        return listed
    return sorted(listed, key=lambda one: one["bill_sequence"])


def _part(given: object, private_key: RSAPrivateKey) -> Part:
    one = mapping(given) or {}
    url, kind, value = map(one.get, ("download_url", "hash_type", "hash_value"))
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise DecodeError("the answer has no download_url")
    if kind != "SHA1" or not isinstance(value, str):
        raise DecodeError(f"hash_type: SHA1 expected, the answer has {kind!r:.64}")
    sealed = one.get("encrypt_key")
    if sealed is None:
        return Part(url, value.lower())
    nonce = one.get("nonce")
    if not isinstance(sealed, str) or not isinstance(nonce, str):
        raise DecodeError("encrypt_key and nonce: text expected")
    return Part(url, value.lower(), _key(sealed, private_key), nonce.encode())


def _key(text: str, private_key: RSAPrivateKey) -> Secret[bytes]:
    """The key of a file; a client may have opened it already, as any sensitive field.

    Raises ``DecryptionError``.
    """
    if len(text.encode()) != _KEY_SIZE:
        text = decrypt_oaep(text, private_key)
    sealed = Secret(text.encode())
    del text  # tracebacks can show local variables
    if len(sealed.reveal()) != _KEY_SIZE:
        raise DecodeError(
            f"encrypt_key: {_KEY_SIZE} bytes expected, {len(sealed.reveal())} came out"
        )
    return sealed


def check_origin(origin: str, base_url: str) -> None:
    """Refuse to send a signature to another host than WeChat Pay's, or the client's.

    Raises ``DecodeError``.
    """
    scheme, _, host = origin.partition("://")
    ours = urlsplit(base_url)
    if (scheme, host) == (ours.scheme, ours.netloc):
        return
    if is_home(scheme, host):
        return
    raise DecodeError(
        f"download_url is at {origin:.64}, which is neither WeChat Pay's nor the "
        "client's base_url: nothing is sent there"
    )


def query(**given: Any) -> Mapping[str, Any]:
    """What was given of a query."""
    return {name: value for name, value in given.items() if value is not None}
