"""Why WeChat Pay refused a signature: the mistake by its name, and what to do next.

A 401 ``SIGN_ERROR`` says little (protocol section 4). But the client knows what it
signed, what went out, what WeChat shows of its own text, and, by the public half of its
key, which digest the signature holds. No body, key or signature is part of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .. import crypto
from .._messages import Request, Response
from .._shapes import mapping
from ..crypto import candidates, header, json_mistakes, recover
from ..crypto.header import Claim, Malformed
from ..crypto.recover import Reading
from ..crypto.request_parts import Parts, shown
from . import clocks, comparing, evidence
from .account import Account
from .evidence import Rebuilt

#: What WeChat says where it is about whose key it is, and where it is about time.
_IDENTITY = re.compile("(?i)serial|mchid|mch_id|merchant|certificate|商户|证书")
_TIME = re.compile("(?i)timestamp|expire|clock|时间")

#: What to do about a part that was signed otherwise than it was sent.
_MEND = {
    "method": "sign the method as it is sent, in upper case",
    "prefix": "sign path and query as on the request line, without scheme and host",
    "path": "sign path and query as on the request line, byte for byte",
    "query": "sign path and query as on the request line, byte for byte",
    "timestamp": "take one timestamp, for the text and for the header",
    "nonce": "take one nonce, for the text and for the header",
    "body": "sign the very bytes that are sent",
    "lines": "sign METHOD, URL, TIMESTAMP, NONCE and BODY, each followed by one LF",
}


class Case(NamedTuple):
    """A refused request, with all that is known of it."""

    request: Request
    #: What its ``Authorization`` says.
    claim: Claim
    sent: Parts
    reading: Reading
    there: Rebuilt | None
    response: Response
    account: Account

    def __repr__(self) -> str:
        return f"<Case {self.request.sent()}>"


def explain(response: Response, account: Account | None) -> str | None:
    """What was wrong, where, and what to do, in one line; ``None`` if nothing is known.

    Never raises, whatever the answer or the request holds.
    """
    request = response.request or response.signed
    if request is None or account is None:
        return None
    given = request.headers.get("Authorization")
    try:
        claim = header.parse(given)
        header.check_form(claim)
    except Malformed as error:
        return _malformed(error, response.signed)
    detail = (mapping(response.data) or {}).get("detail")
    case = Case(
        request,
        claim,
        evidence.parts(request, claim),
        recover.read(claim.signature, account.public_key()),
        evidence.rebuilt(detail),
        response,
        account,
    )
    found = [text for text in (_clock(case), _key_of_wechat(case)) if text]
    found += _changed_inside(case) or _signature(case)
    found += _changed_outside(case)
    if not found:
        return _beside_the_text(case, detail)
    return "; ".join([*found, *filter(_IDENTITY.search, _complaint(detail))])


def _malformed(error: Malformed, signed: Request | None) -> str:
    if signed is not None and error.identifier == "authorization_missing":
        return (
            "Authorization was signed but not sent: a layer further in than 'sign' "
            "takes it away"
        )
    more = ""
    if error.identifier == "authorization_missing":
        more = "; is a layer 'sign' in the stack?"
    return f"Authorization: {error}{more}"


def _clock(case: Case) -> str | None:
    """The timestamp against WeChat's time, by ``Date`` or by the text it rebuilt."""
    date, source = clocks.sent_at(case.response.headers), "the answer's Date"
    if date is None and case.there is not None:
        date, source = clocks.unix(case.there.timestamp), "the text WeChat rebuilt"
        if case.there.timestamp == case.claim.timestamp:
            date = None  # WeChat repeats ours, which says nothing of its clock
    ours, local = int(case.claim.timestamp), int(case.account.clock())
    return clocks.stale_timestamp(ours, local, date, source)


def _key_of_wechat(case: Case) -> str | None:
    serial = case.claim.serial_no
    if not serial.startswith(crypto.PUBLIC_KEY_ID) and serial not in case.account.keys:
        return None
    return (
        f"serial_no {serial[:64]} is a key of WeChat Pay's, which verifies answers; "
        "give the serial of the merchant API certificate (apiclient_cert.pem)"
    )


def _changed_inside(case: Case) -> list[str]:
    """What was changed after it was signed, where the layer ``sign`` could note it."""
    signed = case.response.signed
    if signed is None:
        return []
    try:
        claim = header.parse(signed.headers.get("Authorization"))
    except Malformed:
        return []  # not a signature of ours
    before = evidence.parts(signed, claim)
    clauses = comparing.signed_and_sent(before, case.sent)
    for name in ("mchid", "serial_no"):
        was, now = getattr(claim, name), getattr(case.claim, name)
        if was != now:
            clauses.append(f"{name}: {was[:64]} was signed, {now[:64]} was sent")
    if clauses and case.reading.holds(before.text()):
        return [
            "; ".join(clauses) + ": a layer further in than 'sign' changed it after it "
            "was signed; put that layer further out (stack.before('sign', ...))"
        ]
    return []


def _signature(case: Case) -> list[str]:
    """What the signature itself gives away; nothing where it is over the right text."""
    reading, key = case.reading, case.account.public_key()
    size = (key.key_size + 7) // 8
    if not reading.spelling:
        return ["the signature is not base64; give standard base64, in one line"]
    if len(reading.raw) != size:
        return [
            f"the signature has {len(reading.raw)} bytes, the RSA key of this client "
            f"makes {size}: sign with SHA-256 and that key (RSASSA-PKCS1-v1_5)"
        ]
    found: list[str] = []
    if reading.spelling != "base64":
        found.append(
            f"the signature is spelt in {reading.spelling}; give standard base64, "
            "with its padding, in one line"
        )
    if not reading.opened:
        found.append(
            "the signature was not made with the private key of this client, another "
            f"key made it: sign with the key of certificate {case.account.serial}"
        )
        return found
    if reading.pss is not None:
        found.append(
            "the signature has PSS padding; RSASSA-PKCS1-v1_5 with SHA-256 is expected"
        )
    if reading.hash != "SHA-256":
        found.append(
            f"the signature names {reading.hash or 'no hash'} in its DigestInfo; "
            "RSASSA-PKCS1-v1_5 with SHA-256 is expected"
        )
    if not reading.holds(case.sent.text()):
        found.append(_wrong_text(case))
    return found


def _wrong_text(case: Case) -> str:
    """The key is right, the text is not: which text was it?"""
    sent = case.sent
    found = candidates.search(sent, case.reading.holds)
    if found is None:
        return (
            "the key is right, but the text that was signed is not the one that was "
            f"sent, and no mistake that is known explains it; {len(sent.text())} bytes "
            f"are to be signed: {shown(sent.method)}, {shown(sent.target)}, "
            f"{sent.timestamp}, {shown(sent.nonce)} and the body of "
            f"{shown(sent.body)}, each followed by one LF"
        )
    mend = dict.fromkeys(_MEND[change.mistake.part] for change in found.changes)
    return (
        "the key is right, the text that was signed is not the one that was sent: "
        f"{'; '.join(found.clauses(sent))}; {', and '.join(mend)}"
    )


def _changed_outside(case: Case) -> list[str]:
    if case.there is None:
        return []
    clauses = comparing.sent_and_rebuilt(case.sent, case.there)
    if not clauses:
        return []
    return [
        f"the text WeChat rebuilt differs in {'; '.join(clauses)}: something on the "
        "way, a proxy perhaps, changed the request"
    ]


def _beside_the_text(case: Case, detail: object) -> str:
    """The text is right and the key made it: what is left is whose key it is."""
    if not isinstance((mapping(case.response.data) or {}).get("code"), str):
        return (
            "the signature is right for this key, and the answer has no code of WeChat "
            "Pay's: a proxy or gateway on the way may have refused the request"
        )
    says = _complaint(detail)
    if not says or _IDENTITY.search(says[0]):
        return "; ".join([*says, *_identity(case)])
    says.append("the text is right, and the key of this client signed it")
    if _TIME.search(says[0]):
        local = clocks.utc(int(case.account.clock()))
        says.append(f"the local clock says {local}: set the clock by NTP")
    return "; ".join(says)


def _complaint(detail: object) -> list[str]:
    """What WeChat says beside ``sign not match``."""
    told = evidence.complaint(detail)
    return [] if told is None else [f"WeChat says of {told[0] or 'it'}: {told[1]}"]


def _identity(case: Case) -> Iterator[str]:
    claim, account = case.claim, case.account
    if case.there is None:
        # Nobody can tell what arrived.
        yield (
            "WeChat did not show the text it rebuilt: either something on the way, a "
            "proxy perhaps, changed the request, or what follows"
        )
    yield (
        "the text is right and the key of this client signed it, so that key, "
        f"serial_no and mchid do not belong together: serial_no {claim.serial_no[:64]} "
        "is not the certificate of this private key, or it does not belong to mchid "
        f"{claim.mchid[:32]}"
    )
    if crypto.normal_serial(claim.serial_no) != crypto.normal_serial(account.serial):
        yield f"the client is set to serial {account.serial}"
    if claim.mchid != account.mchid:
        yield f"the client is set to mchid {account.mchid}"
    if not re.fullmatch("[0-9A-Fa-f]{1,40}", claim.serial_no):
        yield "a certificate's serial_no has at most 40 hex digits and nothing else"
    if claim.mchid in _sub_merchants(case.sent):
        yield (
            f"mchid {claim.mchid[:32]} is the sub_mchid of this request, where a "
            "partner (服务商) signs with its own number"
        )
    yield "compare with apiclient_cert.pem and the merchant console"


def _sub_merchants(sent: Parts) -> list[object]:
    """Every ``sub_mchid`` that the request names itself."""
    found = re.findall("(?:^|&)sub_mchid=([0-9]+)", sent.query or "")
    try:
        fields = mapping(json_mistakes.load(sent.body)) or {}
    except ValueError:
        return found
    return [fields.get("sub_mchid"), *found]
