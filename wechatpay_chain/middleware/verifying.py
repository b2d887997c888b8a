"""The layer ``verify``: is this answer WeChat Pay's? (protocol sections 5 and 6)

It sees bytes before ``decode`` parses them. Only 2xx answers are signed for our
purpose; what WeChat leaves unsigned is listed here and nowhere else.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import re
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime, timezone

from .. import crypto
from .._flow import Flow, read, send
from .._messages import Request, Response
from ..crypto.rsa import SCHEME
from ..errors import ClockSkew, InvalidSignature, MissingHeaders, UnknownSerial
from .certificates import Certificates

#: Seconds that the two clocks may be apart; 300 is still accepted (section 5, rule 2).
CLOCK_WINDOW = 300

#: Routes whose answers carry no signature (section 5, "Not signed").
UNSIGNED = re.compile(
    r"""^(?:
      /v3/billdownload/file
    | /v3/(?:global/)?merchant-service/images/(?!upload$)[^/]+
    | /v3/transferdownload/(?:elecvoucherfile|signfile)
    | /v3/new-tax-control-fapiao/download
    )$""",
    re.X,
)

#: Routes whose signature covers a hash of the plain body (section 5, overseas).
STATEMENTS = frozenset({"/hk/v3/statements", "/v3/global/statements"})

_NAMES = ("Timestamp", "Nonce", "Serial", "Signature")


class Verifier:
    """Checks the four headers, clock, serial and signature, in that order."""

    name = "verify"

    def __init__(
        self,
        *,
        keys: crypto.KeyRing,
        clock: Callable[[], float],
        certificates: Certificates | None = None,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._certificates = certificates

    def __call__(self, request: Request) -> Flow[Response]:
        if self._certificates is not None:
            yield from self._certificates.ensure(request)
        response = yield from send(request)
        if not response.ok or is_unsigned(request):
            return response
        content = yield from read(response)
        serial = response.headers.get("Wechatpay-Serial")
        if self._certificates is not None and serial and serial not in self._keys:
            yield from self._certificates.refresh(request, serial)
        covered = content
        if request.route in STATEMENTS:
            covered = _statement(response, content)
        check(response.headers, covered, self._keys, self._clock())
        return response.replace(verified=True, serial=serial)


def is_unsigned(request: Request) -> bool:
    """Whether WeChat leaves the success answer of this route unsigned."""
    return UNSIGNED.match(request.route) is not None


def check(
    headers: Mapping[str, str], body: bytes, keys: crypto.KeyRing, now: float
) -> None:
    """Raise the ``SignatureError`` that fits, or return: the message is WeChat's.

    *headers* compare without regard to case; *now* is in Unix seconds. An answer that
    fails may still have been carried out, hence the outcome ``"unknown"``.
    """
    missing = [f"Wechatpay-{n}" for n in _NAMES if not headers.get(f"Wechatpay-{n}")]
    serial = headers.get("Wechatpay-Serial")
    timestamp = headers.get("Wechatpay-Timestamp")
    if missing or serial is None or timestamp is None:
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
    _check_clock(timestamp, serial, now)
    key = _find(keys, serial, timestamp, now)
    message = crypto.response_message(timestamp, headers["Wechatpay-Nonce"], body)
    if not crypto.verify(message, headers["Wechatpay-Signature"], key.public_key):
        raise InvalidSignature(
            f"the signature by {serial} does not match the answer; treat it as not "
            "received: query, or repeat with the same number",
            serial=serial,
            timestamp=timestamp,
            outcome="unknown",
        )


def _check_clock(timestamp: str, serial: str, now: float) -> None:
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise InvalidSignature(
            f"Wechatpay-Timestamp {timestamp!r} is not Unix seconds",
            serial=serial,
            timestamp=timestamp,
            outcome="unknown",
        )
    skew = int(now) - int(timestamp)
    if abs(skew) > CLOCK_WINDOW:
        raise ClockSkew(
            f"WeChat's time is {_utc(int(timestamp))}, the local clock says "
            f"{_utc(int(now))}: {abs(skew)} s {'ahead' if skew > 0 else 'behind'}, "
            f"more than the {CLOCK_WINDOW} s allowed; set the clock by NTP",
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
        f"({', '.join(keys) or 'none'}); add it to certs",
        serial=serial,
        timestamp=timestamp,
        outcome="unknown",
    )


def _statement(response: Response, content: bytes) -> bytes:
    """The text signed for an overseas statement, after checking that the hash holds."""
    sha1 = response.headers.get("Wechatpay-Statement-Sha1", "")
    plain = content
    if content[:2] == b"\x1f\x8b":
        try:
            plain = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            plain = b""
    made = hashlib.sha1(plain, usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(made, sha1.lower()):
        raise InvalidSignature(
            f"the statement's SHA-1 is {made}, Wechatpay-Statement-Sha1 says {sha1!r}",
            serial=response.headers.get("Wechatpay-Serial"),
            timestamp=response.headers.get("Wechatpay-Timestamp"),
            outcome="unknown",
        )
    return crypto.statement_body(sha1)


def _utc(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime(
            "%Y-%m-%d %H:%M:%SZ"
        )
    except (OverflowError, OSError, ValueError):
        return f"{seconds} s"
