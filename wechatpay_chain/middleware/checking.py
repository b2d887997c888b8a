"""Is a message WeChat Pay's? The check of headers, clock, serial and signature.

For responses and notifications alike (protocol section 5); pure, no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping

from .. import crypto
from ..crypto.rsa import SCHEME
from ..errors import ClockSkew, InvalidSignature, MissingHeaders, UnknownSerial
from .clocks import CLOCK_WINDOW as CLOCK_WINDOW
from .clocks import sent_at, stale_answer, unix, within

_NAMES = (
    "Wechatpay-Timestamp",
    "Wechatpay-Nonce",
    "Wechatpay-Serial",
    "Wechatpay-Signature",
)


def check(
    headers: Mapping[str, str], body: bytes, keys: crypto.KeyRing, now: float
) -> None:
    """Raise the ``SignatureError`` that fits, or return: the message is WeChat's.

    *headers* compare without regard to case; *now* is in Unix seconds. An answer that
    fails may still have been carried out, hence the outcome ``"unknown"``.
    """
    timestamp, nonce, serial, signature = map(headers.get, _NAMES)
    if not (timestamp and nonce and serial and signature):
        missing = [name for name in _NAMES if not headers.get(name)]
        raise MissingHeaders(
            f"the answer is not signed: {', '.join(missing)} missing; it may come from "
            "a proxy, or from a host that is not WeChat Pay's",
            serial=serial,
            timestamp=timestamp,
            outcome="unknown",
        )
    kind = headers.get("Wechatpay-Signature-Type", SCHEME)
    if kind != SCHEME:
        raise InvalidSignature(
            f"unknown signature type {kind!r}; {SCHEME} is expected",
            serial=serial,
            timestamp=timestamp,
            outcome="unknown",
        )
    _check_clock(headers, timestamp, serial, now)
    key = _find(keys, serial, timestamp, now)
    message = crypto.response_message(timestamp, nonce, body)
    if not crypto.verify(message, signature, key.public_key):
        raise InvalidSignature(
            f"the signature by {serial} does not match the answer; treat it as not "
            "received: query, or repeat with the same number",
            serial=serial,
            timestamp=timestamp,
            outcome="unknown",
        )


def _check_clock(
    headers: Mapping[str, str], timestamp: str, serial: str, now: float
) -> None:
    then = unix(timestamp)
    if then is None:
        raise InvalidSignature(
            f"Wechatpay-Timestamp {timestamp!r} is not Unix seconds",
            serial=serial,
            timestamp=timestamp,
            outcome="unknown",
        )
    if not within(then, int(now)):
        raise ClockSkew(
            stale_answer(then, int(now), sent_at(headers)),
            serial=serial,
            timestamp=timestamp,
            outcome="unknown",
        )


def _find(
    keys: crypto.KeyRing, serial: str, timestamp: str, now: float
) -> crypto.WeChatKey:
    key = keys.find(serial)
    if key is not None and (key.until is None or now < key.until.timestamp()):
        return key
    state = "is not among the keys at hand" if key is None else "has expired"
    raise UnknownSerial(
        f"the answer is signed by {serial}, which {state} "
        f"({', '.join(keys) or 'none'}); add it to certs; "
        "downloaded certificates are asked for again a minute after the last time",
        serial=serial,
        timestamp=timestamp,
        outcome="unknown",
    )
