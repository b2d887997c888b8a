"""APIv2 signatures: MD5 and HMAC-SHA256 over sorted fields (protocol section 16)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import md5

from .._secret import Secret, key_bytes
from .message import fields_message


def sign_md5(fields: Mapping[str, object], secret: str | bytes | Secret[bytes]) -> str:
    """MD5 over the sorted fields and the APIv2 key: 32 upper-case hex characters."""
    secret = key_bytes(secret)
    return (
        md5(_keyed(fields, secret).reveal(), usedforsecurity=False).hexdigest().upper()
    )


def sign_hmac(fields: Mapping[str, object], secret: str | bytes | Secret[bytes]) -> str:
    """HMAC-SHA256 over the same text: 64 upper-case hex characters."""
    secret = key_bytes(secret)
    text = _keyed(fields, secret)
    return hmac.new(secret.reveal(), text.reveal(), "sha256").hexdigest().upper()


def verify_fields(
    fields: Mapping[str, str], secret: str | bytes | Secret[bytes]
) -> bool:
    """Whether the ``sign`` among *fields* holds; its length tells MD5 from HMAC."""
    secret = key_bytes(secret)
    received = str(fields.get("sign", ""))
    made = (sign_hmac if len(received) == 64 else sign_md5)(fields, secret)
    return hmac.compare_digest(made.encode(), received.encode())


def _keyed(fields: Mapping[str, object], secret: Secret[bytes]) -> Secret[bytes]:
    text = fields_message(fields)
    joint = "&" if text else ""
    return Secret(f"{text}{joint}key=".encode() + secret.reveal())
