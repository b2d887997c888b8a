"""What a signature gives away: how it is spelt, whose key made it, and over what.

With the public key, PKCS#1 v1.5 gives back the digest that was signed. So a wrong key
is told from a wrong text with certainty: under another key the padding does not open.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from . import pss
from .pss import Salted

#: What precedes a digest in a PKCS#1 v1.5 signature (RFC 8017, 9.2 note 1).
_PREFIXES = {
    "SHA-256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "SHA-1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "MD5": bytes.fromhex("3020300c06082a864886f70d020505000410"),
    "SHA-512": bytes.fromhex("3051300d060960864801650304020305000440"),
    "SHA-384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "SHA-224": bytes.fromhex("302d300d06096086480165030402040500041c"),
}
_SIZES = {32: "SHA-256", 20: "SHA-1", 16: "MD5"}

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){32,}")
_URLSAFE = str.maketrans("-_", "+/")
_BREAK = re.compile(r"\s|\\[rn]")
_PYTHON = re.compile(r"b(['\"])(.*)\1")


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)


def _standard(text: str) -> bytes:
    return b64decode(text, validate=True)


def _hex(text: str) -> bytes:
    if not _HEX.fullmatch(text):
        raise ValueError("too short for a signature")
    return bytes.fromhex(text)


def _unquoted(text: str) -> bytes:
    found = _PYTHON.fullmatch(text)
    return _standard(found[2] if found else "=")


#: Ways to spell bytes, and how to read each. Hex first, which is base64 too, of
#: something longer.
_SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "hex": _hex,
    "base64": _standard,
    "base64 without padding": lambda text: _standard(_padded(text)),
    "base64url": lambda text: _standard(_padded(text.translate(_URLSAFE))),
    "percent-encoded base64": lambda text: _standard(unquote(text)),
    "base64 with spaces for +": lambda text: _standard(text.replace(" ", "+")),
    "base64 of several lines": lambda text: _standard(_BREAK.sub("", text)),
    "b'...', as str() writes bytes": _unquoted,
    "base64 made twice": lambda text: _standard(_standard(text).decode("ascii")),
    "base64 of hex": lambda text: _hex(_standard(text).decode("ascii")),
}


class Reading(NamedTuple):
    """What could be read of a signature."""

    #: How it is spelt: ``"base64"`` is right, ``""`` is nothing that can be read.
    spelling: str
    raw: bytes
    #: Whether the key opened the padding: otherwise another key made it.
    opened: bool = False
    #: The hash that the signature names, ``""`` where it names none.
    hash: str = ""
    #: The digest that was signed; all that was signed where no hash is named.
    digest: bytes = b""
    #: Where the padding is that of PSS, which gives no digest back.
    pss: Salted | None = None

    def holds(self, text: bytes) -> bool:
        """Whether it is over *text*, by the hash that it names."""
        if not self.opened:
            return False
        if self.pss is not None:
            return self.pss.holds(text)
        name = self.hash or _SIZES.get(len(self.digest))
        if name is None:
            return self.digest == text  # signed without a hash
        made = hashlib.new(name.replace("-", ""), text, usedforsecurity=False)
        return made.digest() == self.digest

    def __repr__(self) -> str:
        return f"<Reading of {self.spelling or 'nothing'}>"


def read(signature: str, public_key: RSAPublicKey) -> Reading:
    """Read *signature*, however it is spelt. Never raises for what it may be."""
    spelling, raw = _decode(signature, (public_key.key_size + 7) // 8)
    content = recover(raw, public_key)
    if content is None:
        salted = pss.opened(raw, public_key)
        if salted is not None:
            return Reading(spelling, raw, True, salted.hash, pss=salted)
        content = recover(raw[::-1], public_key)
        if content is None:
            return Reading(spelling, raw)
        spelling = f"{spelling}, of its bytes in reverse order"
    for name, prefix in _PREFIXES.items():
        if content.startswith(prefix):
            return Reading(spelling, raw, True, name, content[len(prefix) :])
    return Reading(spelling, raw, True, "", content)


def recover(raw: bytes, public_key: RSAPublicKey) -> bytes | None:
    """What was signed, hash name and digest; ``None`` where it was another key."""
    try:
        return public_key.recover_data_from_signature(raw, padding.PKCS1v15(), None)
    except (InvalidSignature, ValueError):
        return None


def _decode(signature: str, size: int) -> tuple[str, bytes]:
    """How *signature* is spelt, and its bytes: *size* of them, where that can be."""
    found = dict(_readings(signature))
    for name, raw in found.items():
        if len(raw) == size:
            return name, raw
    # Of another length nothing tells how it was meant, but for the plain forms.
    plain = next((name for name in ("hex", "base64") if name in found), "")
    return plain, found.get(plain, b"")


def _readings(signature: str) -> Iterator[tuple[str, bytes]]:
    for name, read_as in _SPELLINGS.items():
        try:
            yield name, read_as(signature)
        except ValueError:  # binascii.Error and UnicodeError are some
            continue
