"""Is this request the merchant's? The order of checks is that of protocol section 4.

Header present, scheme, five parameters, timestamp window, merchant and serial, a nonce
that is fresh, then the signature. Whatever fails is 401 ``SIGN_ERROR`` in the
documented shape, and says in ``detail.sandbox`` which mistake it was.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from ... import crypto
from ..._messages import Request
from ...crypto.header import Claim, Malformed, nearest
from ...crypto.header import check_form as check_header
from ...crypto.header import parse as read_header
from ...crypto.request_parts import Parts
from ...middleware import evidence
from ..refusals import Internal, Refusal
from ..world import Merchant, World, rfc3339
from . import diagnosis
from .diagnosis import Mistake
from .nonces import Nonces
from .signing import WeChatKeys

#: Seconds that a timestamp may be away from the gateway's clock (protocol section 3).
WINDOW = 300

#: A client may send here, in base64, the text that it signed, to have it compared.
TOLD = "Wechatpay-Sandbox-Signed"


class Authenticator:
    """Knows the merchants and WeChat's own keys, and checks requests against them."""

    def __init__(self, world: World, wechat: WeChatKeys) -> None:
        self._world = world
        #: WeChat Pay's own keys, to recognise them where they do not belong.
        self._wechat = wechat
        #: What was accepted. Forget it where time is turned back.
        self.nonces: Nonces = Nonces()

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
            if self.nonces.seen(claim.mchid, claim.timestamp, claim.nonce_str):
                raise _replayed(claim)
            self._check_signature(request, claim, merchant)
            self._remember(claim)
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
                hint=nearest(claim.mchid, merchants),
            )
        given = crypto.normal_serial(claim.serial_no)
        if given == crypto.normal_serial(merchant.serial):
            return merchant
        facts: dict[str, Any] = {
            "field": "serial_no",
            "value": claim.serial_no,
            "mchid": merchant.mchid,
            "expected": merchant.serial,
        }
        if crypto.normal_serial(merchant.serial) in _respelt(claim.serial_no):
            raise Mistake("serial_spelling", **facts)
        if given in map(crypto.normal_serial, self._wechat.public):
            raise Mistake("serial_of_wechat", **facts)
        for other in list(merchants.values()):
            if given == crypto.normal_serial(other.serial):
                raise Mistake("serial_of_another_merchant", owner=other.mchid, **facts)
        raise Mistake("serial_unknown", **facts)

    def _remember(self, claim: Claim) -> None:
        """Note the nonce; another thread may have been faster with the same one."""
        oldest = int(self._world.clock()) - WINDOW
        if not self.nonces.add(
            claim.mchid, claim.timestamp, claim.nonce_str, oldest=oldest
        ):
            raise _replayed(claim)

    def _check_signature(
        self, request: Request, claim: Claim, merchant: Merchant
    ) -> None:
        received, key = parts(request, claim), merchant.public_key
        if crypto.verify(received.text(), claim.signature, key):
            return
        expected = diagnosis.Expected(
            merchant.mchid,
            merchant.serial,
            key,
            received,
            tuple(self.nonces.recent(merchant.mchid)),
            _told(request),
        )
        diagnosis.check(claim.signature, expected, self._others(merchant))

    def _others(self, merchant: Merchant) -> dict[str, RSAPublicKey]:
        known = {
            f"merchant {other.mchid}": other.public_key
            for other in list(self._world.merchants.values())
            if other is not merchant
        }
        known.update(
            (f"WeChat Pay ({serial})", key)
            for serial, key in self._wechat.public.items()
        )
        return known


def parse(header: str | None) -> Claim:
    """The parameters of an ``Authorization`` header. Raises :class:`Mistake`."""
    try:
        return read_header(header)
    except Malformed as error:
        raise Mistake(error.identifier, field=error.field, **error.facts) from None


def check_form(claim: Claim) -> None:
    """Refuse a timestamp or nonce that can be none. Raises :class:`Mistake`."""
    try:
        check_header(claim)
    except Malformed as error:
        raise Mistake(error.identifier, field=error.field, **error.facts) from None


def parts(request: Request, claim: Claim) -> Parts:
    """The parts of the text that *request* should have been signed over.

    They are taken from what was received, and from nothing that a client in the same
    process says beside it.
    """
    return evidence.parts(request.replace(signing_body=None), claim)


def rebuilt(request: Request, claim: Claim) -> bytes:
    """The text that *request* should have been signed over, from what was received."""
    return parts(request, claim).text()


def _respelt(serial: str) -> Iterator[str]:
    """What *serial* may mean: openssl writes colons or 0x, Java a decimal number."""
    digits = re.sub("[: -]", "", serial.strip().lower()).removeprefix("0x")
    yield crypto.normal_serial(digits)
    if re.fullmatch("[0-9]{1,60}", serial):
        yield crypto.normal_serial(f"{int(serial):X}")


def _replayed(claim: Claim) -> Mistake:
    return Mistake(
        "nonce_replayed",
        field="nonce_str",
        value=claim.nonce_str,
        timestamp=claim.timestamp,
    )


def _told(request: Request) -> bytes | None:
    """The text that the client says it signed, where it says so."""
    try:
        return b64decode(request.headers.get(TOLD, ""), validate=True) or None
    except ValueError:  # binascii.Error is one
        return None


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
