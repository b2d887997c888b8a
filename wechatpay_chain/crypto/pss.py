"""What a PSS signature gives away: hash and salt, so that texts can be tried on it.

WeChat Pay makes and takes RSASSA-PKCS1-v1_5 only. PSS gives no digest back, but its
salt (RFC 8017, 9.1.2), and with that the text that was signed is found all the same.
"""

from __future__ import annotations

import hashlib
from itertools import product
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

#: The last byte of what PSS encodes.
_TRAILER = 0xBC
#: Hashes by the names of :mod:`hashlib`; the likely ones first.
_HASHES = {"sha256": "SHA-256", "sha1": "SHA-1", "sha512": "SHA-512"}


class Salted(NamedTuple):
    """A PSS signature, opened."""

    #: As in ``"SHA-256"``.
    hash: str
    salt: bytes
    #: The hash over the salted digest.
    seal: bytes

    def holds(self, text: bytes) -> bool:
        """Whether it is over *text*."""
        name = self.hash.replace("-", "")
        digest = _hash(name, text)
        return _hash(name, bytes(8) + digest + self.salt) == self.seal

    def __repr__(self) -> str:
        return f"<Salted {self.hash}>"


def opened(raw: bytes, public_key: RSAPublicKey) -> Salted | None:
    """What *raw* holds; ``None`` where it is not PSS by the key of *public_key*."""
    numbers = public_key.public_numbers()
    value = int.from_bytes(raw, "big")
    if len(raw) != (public_key.key_size + 7) // 8 or value >= numbers.n:
        return None
    bits = public_key.key_size - 1
    encoded = pow(value, numbers.e, numbers.n).to_bytes((bits + 7) // 8 + 1, "big")
    encoded = encoded[-((bits + 7) // 8) :]
    if encoded[-1] != _TRAILER:
        return None
    # Java's default is a mask by SHA-1, whatever the hash.
    for name, mask in product(_HASHES, _HASHES):
        found = _unmasked(encoded, bits, name, mask)
        if found is not None:
            return found
    return None


def _unmasked(encoded: bytes, bits: int, name: str, mask: str) -> Salted | None:
    size = hashlib.new(name).digest_size
    masked, seal = encoded[: -size - 1], encoded[-size - 1 : -1]
    stream = _stream(seal, len(masked), mask)
    block = bytearray(one ^ other for one, other in zip(masked, stream))
    block[0] &= 0xFF >> (8 * len(encoded) - bits)
    zeros, one, salt = bytes(block).partition(b"\x01")
    # The longest salt leaves no zeros, which a stranger's signature may show by chance:
    # so that much is believed of the one combination that libraries make by default.
    if one and not any(zeros) and (zeros or name == mask == "sha256"):
        return Salted(_HASHES[name], salt, seal)
    return None


def _stream(seed: bytes, size: int, name: str) -> bytes:
    """The mask MGF1 (RFC 8017, B.2.1)."""
    made = b""
    while len(made) < size:
        number = len(made) // hashlib.new(name).digest_size
        made += _hash(name, seed + number.to_bytes(4, "big"))
    return made[:size]


def _hash(name: str, data: bytes) -> bytes:
    return hashlib.new(name, data, usedforsecurity=False).digest()
