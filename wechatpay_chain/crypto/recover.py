"""What a signature gives away: how it is spelt, whose key made it, and over what.

With the public key, PKCS#1 v1.5 gives back the digest that was signed. So a wrong key
is told from a wrong text with certainty: under another key the padding does not open.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

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

_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)


#: Ways to spell bytes, and how to make standard base64 of each; the first that fits.
_SPELLINGS: dict[str, Callable[[str], str]] = {
    "base64": str,
    "base64 without padding": _padded,
    "base64url": lambda text: _padded(text.translate(_URLSAFE)),
    "percent-encoded base64": unquote,
    "base64 with spaces for +": lambda text: text.replace(" ", "+"),
}


class Reading(NamedTuple):
    """What could be read of a signature."""

    #: How it is spelt: ``"base64"`` is right, ``""`` is nothing that can be read.
    spelling: str
    raw: bytes
    #: Whether the key opened the padding: otherwise another key made it, or it is PSS.
    opened: bool = False
    #: The hash that the signature names, ``""`` where it names none.
    hash: str = ""
    #: The digest that was signed; all that was signed where no hash is named.
    digest: bytes = b""

    def holds(self, text: bytes) -> bool:
        """Whether it is over *text*, by the hash that it names."""
        if not self.opened:
            return False
        name = self.hash or _SIZES.get(len(self.digest))
        if name is None:
            return self.digest == text  # signed without a hash
        made = hashlib.new(name.replace("-", ""), text, usedforsecurity=False)
        return made.digest() == self.digest

    def __repr__(self) -> str:
        return f"<Reading of {self.spelling or 'nothing'}>"


def read(signature: str, public_key: RSAPublicKey) -> Reading:
    """Read *signature*, however it is spelt. Never raises for what it may be."""
    spelling, raw = _decode(signature)
    content = recover(raw, public_key)
    if content is None:
        return Reading(spelling, raw)
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


def is_pss(raw: bytes, text: bytes, public_key: RSAPublicKey) -> bool:
    """Whether *raw* is a PSS signature of *text*, which WeChat Pay does not take."""
    try:
        public_key.verify(raw, text, _PSS, hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _decode(signature: str) -> tuple[str, bytes]:
    if _HEX.fullmatch(signature):  # which is base64 too, of something longer
        return "hex", bytes.fromhex(signature)
    for name, standard in _SPELLINGS.items():
        try:
            return name, b64decode(standard(signature), validate=True)
        except ValueError:  # binascii.Error is one
            continue
    return "", b""
