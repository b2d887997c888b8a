"""Why a signature did not match, from the signature alone.

With a public key, PKCS#1 v1.5 gives back the digest that was signed. So a wrong key is
told from a wrong text with certainty: under a wrong key the padding does not open.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .. import crypto
from ..crypto.header import MALFORMED
from ..crypto.recover import recover

#: What precedes a SHA-256 digest in a PKCS#1 v1.5 signature (RFC 8017, 9.2 note 1).
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
#: As much of a text as a report repeats.
_SHOWN = 4000

#: Every mistake by its fixed id: what stands in ``detail.sandbox``.
MISTAKES: dict[str, str] = {
    **MALFORMED,
    "timestamp_expired": (
        "timestamp {value} is {theirs}, the gateway's clock says {ours}: {skew} s "
        "{side}, more than the {window} s allowed"
    ),
    "merchant_unknown": "mchid {value!r} is not known here{hint}",
    "serial_of_wechat": (
        "serial_no {value} is a key of WeChat Pay; give the serial of the merchant API "
        "certificate, {expected}"
    ),
    "serial_of_another_merchant": (
        "serial_no {value} is the certificate of merchant {owner}, not of {mchid}"
    ),
    "serial_unknown": (
        "serial_no {value!r} is no certificate of merchant {mchid}; it has {expected}"
    ),
    "url_not_ascii": "the request line is not ASCII: percent-encode the URL",
    "signature_not_base64": "the signature is not standard base64 with padding",
    "signature_length": "the signature has {size} bytes, this key makes {expected}",
    "another_key": (
        "signed with the private key of {owner}; serial_no {serial} belongs to the key "
        "of merchant {mchid}"
    ),
    "wrong_key": (
        "signed with an unknown private key: not with that of certificate {serial}"
    ),
    "wrong_hash": "the key is right, but the hash is not SHA-256",
    "wrong_message": (
        "the key is right, the text is not: what was signed is not what was received; "
        "compare with 'expected'"
    ),
}


class Mistake(Exception):
    """A request that is not authentic, with the id of what is wrong with it."""

    def __init__(self, identifier: str, *, field: str = "authorization", **facts: Any):
        self.identifier = identifier
        #: The parameter that is wrong.
        self.field = field
        self.sentence: str = MISTAKES[identifier].format(**facts)
        #: Further members of ``detail.sandbox``.
        self.more: dict[str, Any] = {}
        super().__init__(f"{identifier}: {self.sentence}")


class Expected(NamedTuple):
    """Whose signature is expected, and over what."""

    mchid: str
    serial: str
    public_key: RSAPublicKey
    message: bytes


def check(
    signature: str, expected: Expected, others: Mapping[str, RSAPublicKey]
) -> None:
    """Return where *signature* holds, else raise the :class:`Mistake` that it shows.

    *others* are the keys whose owner can be named, by owner.
    """
    if crypto.verify(expected.message, signature, expected.public_key):
        return
    try:
        raw = b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise Mistake("signature_not_base64", field="signature") from None
    size = (expected.public_key.key_size + 7) // 8
    if len(raw) != size:
        raise Mistake(
            "signature_length", field="signature", size=len(raw), expected=size
        )
    opened = recover(raw, expected.public_key)
    if opened is None:
        raise _wrong_key(raw, expected, others)
    if not opened.startswith(_SHA256):
        raise Mistake("wrong_hash", field="signature")
    raise _wrong_message(opened[len(_SHA256) :], expected)


def visible(text: bytes) -> str:
    """*text* on one line, each LF shown as ``⏎``."""
    shown = text[:_SHOWN].decode("utf-8", "backslashreplace").replace("\n", "⏎")
    return shown if len(text) <= _SHOWN else f"{shown}… ({len(text)} bytes)"


def _wrong_key(
    raw: bytes, expected: Expected, others: Mapping[str, RSAPublicKey]
) -> Mistake:
    for owner, public_key in others.items():
        if recover(raw, public_key) is not None:
            return Mistake(
                "another_key",
                field="signature",
                owner=owner,
                serial=expected.serial,
                mchid=expected.mchid,
            )
    return Mistake("wrong_key", field="signature", serial=expected.serial)


def _wrong_message(digest: bytes, expected: Expected) -> Mistake:
    mistake = Mistake("wrong_message", field="signature")
    mistake.more = {
        "expected": visible(expected.message),
        "expected_sha256": sha256(expected.message).hexdigest(),
        "signed_sha256": digest.hex(),
    }
    return mistake
