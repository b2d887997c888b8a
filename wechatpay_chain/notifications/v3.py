"""Notifications of APIv3: the envelope, and the resource in it (protocol section 9).

Only bytes that were verified come here. What fails names the place, never a value: an
error holds no plaintext, and neither do the frames that it went through.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from .._secret import Secret
from .._shapes import mapping
from ..crypto.aes import AEAD, decrypt_gcm, decrypt_verified
from ..errors import ConfigurationError, DecodeError
from ..middleware import json_body
from .message import Message
from .notification import Notification

#: The zone of times without one: WeChat Pay's.
_BEIJING = timezone(timedelta(hours=8))


def read(message: Message, mchid: str, apiv3_key: Secret[bytes] | None) -> Notification:
    """The notification in a verified *message*.

    Raises ``DecodeError``, ``DecryptionError`` or ``ConfigurationError``.
    """
    envelope = mapping(parsed(message.body))
    if envelope is None:
        raise DecodeError("the body is not a JSON object")
    resource = mapping(envelope.get("resource"))
    if resource is None:
        raise DecodeError("the notification has no resource")
    algorithm = resource.get("algorithm")
    if algorithm != AEAD:
        raise DecodeError(f"resource.algorithm: {AEAD} expected")
    original_type = resource.get("original_type")
    summary = envelope.get("summary")
    return Notification(
        _text(envelope, "id"),
        _text(envelope, "event_type"),
        opened(resource, apiv3_key),
        moment(envelope.get("create_time")),
        summary if isinstance(summary, str) else "",
        original_type if isinstance(original_type, str) else None,
        mchid,
        "v3",
        message.headers["Wechatpay-Serial"],
        message.headers.get("Request-ID"),
        envelope,
        message.body,
    )


def opened(
    resource: Mapping[str, Any], apiv3_key: Secret[bytes] | None, *, signed: bool = True
) -> Any:
    """The plaintext of a *resource*, parsed; *signed* where its signature holds."""
    if apiv3_key is None:
        raise ConfigurationError(
            "notifications are sealed with the APIv3 key (APIv3密钥): pass apiv3_key="
        )
    ciphertext, nonce = _text(resource, "ciphertext"), _text(resource, "nonce")
    # Empty and missing are the same; what it is, only the message says (section 8).
    associated = resource.get("associated_data") or ""
    if not isinstance(associated, str):
        raise DecodeError("associated_data: text expected")
    decrypt = decrypt_verified if signed else decrypt_gcm
    # In one expression: no local variable holds the plaintext.
    data = parsed(decrypt(ciphertext, apiv3_key, nonce, associated))
    if data is None:
        raise DecodeError("the resource opens, but is not JSON")
    return data


def parsed(content: bytes) -> Any:
    """The JSON in *content*; ``None`` where there is none.

    An error of the parser holds the whole text, and must not be anybody's cause.
    """
    try:
        return json_body.load(content)
    except ValueError:
        return None


def moment(value: object) -> datetime | None:
    """A time as WeChat Pay writes it, or ``None``: no event is lost for its time."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == 14 and value.isdecimal():  # 20240601150000, of APIv2
            found = datetime.strptime(value, "%Y%m%d%H%M%S")
        else:
            # Python 3.10 knows no Z.
            found = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=_BEIJING)


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise DecodeError(f"{name}: text expected")
    return value
