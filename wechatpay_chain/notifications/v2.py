"""Notifications of APIv2: XML, with a ``sign`` or a sealed part (protocol section 16).

They carry no time, so that an old one cannot be told from a new one: whoever handles
them goes by :attr:`Notification.id`. WeChat Pay names no type either but for PayScore;
it is made here of what the message holds, with ``V2.`` before it, for its resource is
another one than that of the same event in APIv3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from .. import crypto
from .._secret import Secret
from ..errors import ConfigurationError, DecodeError, InvalidSignature, MissingHeaders
from ..middleware import xml_body
from . import v3
from .message import Message
from .notification import Notification


class _Kind(NamedTuple):
    """A kind of message: the field that tells it, its name, and what goes into both."""

    mark: str
    name: str
    #: The field that has the last part of the type.
    state: str
    #: The field that has the business number.
    number: str


#: The first that fits counts: a combined order has the fields of others too.
_KINDS = (
    _Kind("refund_status", "REFUND", "refund_status", "refund_id"),
    _Kind("combine_out_trade_no", "COMBINE", "result_code", "combine_out_trade_no"),
    _Kind("transaction_id", "TRANSACTION", "result_code", "transaction_id"),
    _Kind("change_type", "CONTRACT", "change_type", "contract_id"),
    _Kind("plate_number", "VEHICLE", "vehicle_event_type", ""),
    _Kind("event_code", "RISK", "event_code", ""),
)
_OTHER = _Kind("", "OTHER", "result_code", "")


def read(
    message: Message,
    mchid: str,
    secret: Secret[bytes] | None,
    apiv3_key: Secret[bytes] | None,
) -> Notification:
    """The notification in *message*, its ``sign`` checked or its ``req_info`` opened.

    Raises ``SignatureError``, ``DecodeError``, ``DecryptionError`` or
    ``ConfigurationError``.
    """
    # Sealed, for it names a user, and tracebacks can show local variables.
    fields = _fields(message.body, "xml")
    if fields is None:
        raise DecodeError("the body is not a flat <xml> document")
    if secret is None:
        raise ConfigurationError(
            "notifications of APIv2 need its key: pass secret= (32 characters)"
        )
    _check(fields, secret)
    if "event_ciphertext" in fields.reveal():
        return _event(message, mchid, fields, apiv3_key)
    resource = fields
    if "req_info" in fields.reveal():
        resource = _refund(fields.reveal()["req_info"], secret)
    return _plain(message, mchid, fields.reveal(), resource.reveal())


def _plain(
    message: Message,
    mchid: str,
    fields: dict[str, str],
    resource: dict[str, str],
) -> Notification:
    """Of fields that are named in the protocol, and by nothing in themselves."""
    kind = next((one for one in _KINDS if resource.get(one.mark)), _OTHER)
    parts = ["V2", kind.name, resource.get(kind.state)]
    event_type = ".".join(filter(None, parts))[:_LONGEST]
    number = resource.get(kind.number) or _digest(resource)
    return Notification(
        f"{event_type}:{number[:_LONGEST]}",
        event_type,
        resource,
        original_type=kind.name.lower(),
        mchid=mchid,
        version="v2",
        request_id=message.headers.get("Request-ID"),
        envelope=fields,
        raw=message.body,
    )


#: Characters of the type, and of the number, in an id.
_LONGEST = 47


def _check(fields: Secret[dict[str, str]], secret: Secret[bytes]) -> None:
    """Who cannot seal ``req_info`` cannot have sent it: a refund is not signed."""
    if "sign" not in fields.reveal():
        if "req_info" in fields.reveal():
            return
        raise MissingHeaders("the notification carries no sign, and no req_info")
    if not crypto.verify_fields(fields.reveal(), secret):
        raise InvalidSignature(
            "the sign of the notification does not match: if all are refused, check "
            "the APIv2 key (secret)"
        )


def _event(
    message: Message,
    mchid: str,
    fields: Secret[dict[str, str]],
    apiv3_key: Secret[bytes] | None,
) -> Notification:
    """PayScore before APIv3: signed as APIv2, sealed as APIv3."""
    sealed = {
        name.removeprefix("event_"): value
        for name, value in fields.reveal().items()
        if name.startswith("event_")
    }
    event_type = f"V2.{sealed.get('type') or 'OTHER'}"[:_LONGEST]
    number = sealed.get("id") or _digest(fields.reveal())
    return Notification(
        f"{event_type}:{number[:_LONGEST]}",
        event_type,
        v3.opened(sealed, apiv3_key, signed="sign" in fields.reveal()),
        v3.moment(sealed.get("create_time")),
        original_type="payscore",
        mchid=mchid,
        version="v2",
        request_id=message.headers.get("Request-ID"),
        envelope=fields.reveal(),
        raw=message.body,
    )


def _refund(req_info: str, secret: Secret[bytes]) -> Secret[dict[str, str]]:
    # In one expression: no local variable holds the plaintext.
    opened = _fields(crypto.decrypt_ecb(req_info, secret), "root")
    if opened is None:
        raise DecodeError("req_info opens, but is not a flat <root> document")
    return opened


def _fields(content: bytes, root: str) -> Secret[dict[str, str]] | None:
    """The fields of *content*; an error of the parser could hold some of it."""
    try:
        return Secret(xml_body.load(content, root))
    except ValueError:
        return None


def _digest(fields: Mapping[str, str]) -> str:
    """What stays the same when a message without a number is sent again."""
    kept = {name: fields[name] for name in fields if name != "nonce_str"}
    text = crypto.fields_message(kept)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
