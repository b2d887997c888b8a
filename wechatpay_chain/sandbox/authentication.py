"""Is this request the merchant's? The order of checks is that of protocol section 4.

Header present, scheme, five parameters, timestamp window, merchant and serial, then the
signature. Whatever fails is 401 ``SIGN_ERROR`` in the documented shape, and says in
``detail.sandbox`` which mistake it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .. import crypto
from .._messages import Request
from ..crypto.rsa import SCHEME
from . import diagnosis
from .diagnosis import Mistake
from .refusals import Internal, Refusal
from .world import Merchant, World, rfc3339

#: Seconds that a timestamp may be away from the gateway's clock (protocol section 3).
WINDOW = 300

_NAMES = ("mchid", "nonce_str", "signature", "timestamp", "serial_no")
#: Spaces after a comma are tolerated, as protocol section 4 allows.
_PARAMETER = re.compile(r' *([A-Za-z_]+)="([^"]*)" *(?:,|$)')
_UNQUOTED = re.compile(r" *([A-Za-z_]+)=(?!\")")


class Claim(NamedTuple):
    """What a request says of itself: the five parameters."""

    mchid: str
    nonce_str: str
    signature: str
    timestamp: str
    serial_no: str


class Authenticator:
    """Knows the merchants and WeChat's own keys, and checks requests against them."""

    def __init__(self, world: World, wechat_keys: Mapping[str, RSAPublicKey]) -> None:
        self._world = world
        #: WeChat Pay's public keys by id, to recognise them where they do not belong.
        self._wechat_keys = wechat_keys

    def check(self, request: Request) -> Merchant:
        """The merchant that signed *request*. Raises :class:`Refusal`, a 401."""
        claim: Claim | None = None
        try:
            if not (request.method.isascii() and request.target.isascii()):
                raise Mistake("url_not_ascii")
            claim = parse(request.headers.get("Authorization"))
            check_form(claim)
            self._check_time(claim)
            merchant = self._find(claim)
            self._check_signature(request, claim, merchant)
        except Mistake as mistake:
            raise _refusal(request, claim, mistake) from None
        return merchant

    def _check_time(self, claim: Claim) -> None:
        now, then = int(self._world.clock()), int(claim.timestamp)
        if abs(now - then) > WINDOW:
            raise Mistake(
                "timestamp_expired",
                field="timestamp",
                value=claim.timestamp,
                theirs=rfc3339(then),
                ours=rfc3339(now),
                skew=abs(now - then),
                side="behind" if then < now else "ahead",
                window=WINDOW,
            )

    def _find(self, claim: Claim) -> Merchant:
        merchants = self._world.merchants
        merchant = merchants.get(claim.mchid)
        if merchant is None:
            raise Mistake(
                "merchant_unknown",
                field="mchid",
                value=claim.mchid,
                hint=_nearest(claim.mchid, merchants),
            )
        given = crypto.normal_serial(claim.serial_no)
        if given == crypto.normal_serial(merchant.serial):
            return merchant
        facts = {
            "field": "serial_no",
            "value": claim.serial_no,
            "mchid": merchant.mchid,
            "expected": merchant.serial,
        }
        if given in map(crypto.normal_serial, self._wechat_keys):
            raise Mistake("serial_of_wechat", **facts)
        for other in list(merchants.values()):
            if given == crypto.normal_serial(other.serial):
                raise Mistake("serial_of_another_merchant", owner=other.mchid, **facts)
        raise Mistake("serial_unknown", **facts)

    def _check_signature(
        self, request: Request, claim: Claim, merchant: Merchant
    ) -> None:
        expected = diagnosis.Expected(
            merchant.mchid,
            merchant.serial,
            merchant.public_key,
            rebuilt(request, claim),
        )
        diagnosis.check(claim.signature, expected, self._others(merchant))

    def _others(self, merchant: Merchant) -> dict[str, RSAPublicKey]:
        known = {
            f"merchant {other.mchid}": other.public_key
            for other in list(self._world.merchants.values())
            if other is not merchant
        }
        known.update(
            (f"WeChat Pay ({serial})", key) for serial, key in self._wechat_keys.items()
        )
        return known


def parse(header: str | None) -> Claim:
    """The parameters of an ``Authorization`` header, by name and in any order.

    Raises :class:`Mistake`.
    """
    if header is None or not header.strip():
        raise Mistake("authorization_missing")
    scheme, space, rest = header.partition(" ")
    if scheme != SCHEME or not space:
        raise Mistake("scheme_unknown", scheme=scheme[:64])
    values = _pairs(rest)
    missing = [name for name in _NAMES if name not in values]
    if missing:
        raise Mistake("parameter_missing", field=missing[0], names=", ".join(missing))
    for name in _NAMES:
        if not values[name]:
            raise Mistake("parameter_empty", field=name, name=name)
    return Claim(**values)


def _pairs(rest: str) -> dict[str, str]:
    values: dict[str, str] = {}
    at = 0
    while at < len(rest):
        match = _PARAMETER.match(rest, at)
        if match is None:
            raise _unreadable(rest[at:])
        name, value = match.groups()
        if name not in _NAMES:
            hint = _nearest(name, _NAMES)
            raise Mistake("parameter_unknown", field=name, name=name, hint=hint)
        if name in values:
            raise Mistake("parameter_repeated", field=name, name=name)
        values[name] = value
        at = match.end()
    if rest.rstrip().endswith(","):
        raise Mistake("parameters_malformed", rest=",")
    return values


def _unreadable(rest: str) -> Mistake:
    bare = _UNQUOTED.match(rest)
    if bare is not None and bare[1] in _NAMES:
        return Mistake("parameter_unquoted", field=bare[1], name=bare[1])
    return Mistake("parameters_malformed", rest=rest[:64])


def check_form(claim: Claim) -> None:
    """Refuse a timestamp or nonce that can be none. Raises :class:`Mistake`."""
    if re.fullmatch(r"[0-9]{13}", claim.timestamp):
        raise Mistake(
            "timestamp_milliseconds", field="timestamp", value=claim.timestamp
        )
    if not re.fullmatch(r"[0-9]{10}", claim.timestamp):
        raise Mistake(
            "timestamp_malformed", field="timestamp", value=claim.timestamp[:64]
        )
    if not re.fullmatch(r"[0-9A-Za-z]{1,32}", claim.nonce_str):
        raise Mistake("nonce_malformed", field="nonce_str", value=claim.nonce_str[:64])


def rebuilt(request: Request, claim: Claim) -> bytes:
    """The text that *request* should have been signed over, from what was received."""
    body = request.body if request.signing_body is None else request.signing_body
    return crypto.request_message(
        request.method, request.target, claim.timestamp, claim.nonce_str, body
    )


def _nearest(name: str, known: Any) -> str:
    near = get_close_matches(name[:64], list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _refusal(request: Request, claim: Claim | None, mistake: Mistake) -> Refusal:
    """The 401 in its documented shape (protocol section 4)."""
    is_signature = mistake.field == "signature"
    return Refusal(
        "SIGN_ERROR",
        detail={
            "field": mistake.field,
            "location": "authorization",
            "detail": {"issue": "sign not match" if is_signature else mistake.sentence},
            "sign_information": _information(request, claim),
            "sandbox": {
                "id": mistake.identifier,
                "message": mistake.sentence,
                **mistake.more,
            },
        },
        number=Internal.AUTHORIZATION,
    )


def _information(request: Request, claim: Claim | None) -> dict[str, Any]:
    """The text as the gateway rebuilt it, cut before the nonce."""
    lines = [request.method, request.target]
    length = 0
    if claim is not None:
        lines.append(claim.timestamp)
        if claim.nonce_str.isascii() and claim.timestamp.isascii():
            length = len(rebuilt(request, claim))
    text = "".join(f"{line}\n" for line in lines)
    return {
        "method": request.method,
        "url": request.target,
        "truncated_sign_message": text,
        "sign_message_length": length,
    }
