"""Is a message WeChat Pay's? The check of headers, clock, serial and signature.

For responses and notifications alike (protocol section 5); pure, no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .. import crypto
from ..crypto.answer_mistakes import Answer
from ..crypto.rsa import SCHEME
from ..errors import (
    ClockSkew,
    InvalidSignature,
    MissingHeaders,
    Outcome,
    UnknownSerial,
)
from .clocks import CLOCK_WINDOW as CLOCK_WINDOW
from .clocks import sent_at, stale_answer, unix, within
from .explaining_answers import reason

_NAMES = (
    "Wechatpay-Timestamp",
    "Wechatpay-Nonce",
    "Wechatpay-Serial",
    "Wechatpay-Signature",
)


class Subject(NamedTuple):
    """What is checked, in the words of messages."""

    name: str
    #: Where one without a signature may come from.
    unsigned: str
    #: What to do about one whose signature does not match.
    mismatch: str
    #: What is known of the operation that it answers.
    outcome: Outcome | None


#: An answer that fails may still have been carried out.
ANSWER = Subject(
    "answer",
    "it may come from a proxy, or from a host that is not WeChat Pay's",
    "treat it as not received: query, or repeat with the same number",
    "unknown",
)


def check(
    headers: Mapping[str, str],
    body: bytes,
    keys: crypto.KeyRing,
    now: float,
    subject: Subject = ANSWER,
) -> None:
    """Raise the ``SignatureError`` that fits, or return: the message is WeChat's.

    *headers* compare without regard to case; *now* is in Unix seconds.
    """
    timestamp, nonce, serial, signature = map(headers.get, _NAMES)
    if not (timestamp and nonce and serial and signature):
        missing = [name for name in _NAMES if not headers.get(name)]
        raise MissingHeaders(
            f"the {subject.name} is not signed: {', '.join(missing)} missing; "
            f"{subject.unsigned}",
            serial=serial,
            timestamp=timestamp,
            outcome=subject.outcome,
        )
    kind = headers.get("Wechatpay-Signature-Type", SCHEME)
    if kind != SCHEME:
        raise InvalidSignature(
            f"unknown signature type {kind!r}; {SCHEME} is expected",
            serial=serial,
            timestamp=timestamp,
            outcome=subject.outcome,
        )
    _check_clock(headers, timestamp, serial, now, subject)
    key = _find(keys, serial, timestamp, now, subject)
    message = crypto.response_message(timestamp, nonce, body)
    if not crypto.verify(message, signature, key.public_key):
        why = reason(Answer(timestamp, nonce, body), signature, key, keys)
        raise InvalidSignature(
            f"the signature by {serial} does not match the {subject.name}: "
            f"{why.says}; {subject.mismatch}",
            serial=serial,
            timestamp=timestamp,
            outcome=subject.outcome,
        )


def _check_clock(
    headers: Mapping[str, str],
    timestamp: str,
    serial: str,
    now: float,
    subject: Subject,
) -> None:
    then = unix(timestamp)
    if then is None:
        raise InvalidSignature(
            f"Wechatpay-Timestamp {timestamp!r} is not Unix seconds",
            serial=serial,
            timestamp=timestamp,
            outcome=subject.outcome,
        )
    if not within(then, int(now)):
        raise ClockSkew(
            stale_answer(then, int(now), sent_at(headers)),
            serial=serial,
            timestamp=timestamp,
            outcome=subject.outcome,
        )


def _find(
    keys: crypto.KeyRing, serial: str, timestamp: str, now: float, subject: Subject
) -> crypto.WeChatKey:
    key = keys.find(serial)
    if key is not None and (key.until is None or now < key.until.timestamp()):
        return key
    state = "is not among the keys at hand" if key is None else "has expired"
    raise UnknownSerial(
        f"the {subject.name} is signed by {serial}, which {state} "
        f"({', '.join(keys) or 'none'}); add it to certs; where certificates are "
        "downloaded, that is tried at most once a minute",
        serial=serial,
        timestamp=timestamp,
        outcome=subject.outcome,
    )
