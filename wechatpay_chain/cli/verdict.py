"""What is wrong with a saved request or answer: findings, by the same search as ever.

``explain`` prints what these functions return. Pure: time, keys and texts are given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .. import crypto
from .._messages import Request, Response
from .._shapes import mapping
from ..crypto import header
from ..crypto.answer_mistakes import Answer
from ..crypto.header import Claim, Malformed
from ..crypto.request_parts import Parts, without_openids
from ..crypto.rsa import SCHEME
from ..errors import ClockSkew, MissingHeaders, SignatureError, UnknownSerial
from ..middleware import checking, clocks, comparing, evidence, verifying
from ..middleware.explaining_answers import reason
from ..sandbox.signatures import authentication, diagnosis
from .saved import Saved

#: What is found here, beside what the sandbox names in requests, by its fixed id.
FINDINGS: dict[str, str] = {
    "serial_other": "serial_no is {value}, the key at hand is that of {expected}",
    "mchid_other": "mchid is {value}, the configuration is that of {expected}",
    "changed_on_the_way": (
        "the text WeChat Pay rebuilt differs in {clauses}: something on the way, a "
        "proxy perhaps, changed the request"
    ),
}

#: What may be wrong with an answer before its signature is looked at, by its fixed id.
ANSWER_FINDINGS: dict[str, str] = {
    "headers_missing": "one or more of the four signature headers are absent",
    "signature_type_unknown": "Wechatpay-Signature-Type is another than ours",
    "timestamp_malformed": "Wechatpay-Timestamp is not Unix seconds",
    "clock_skew": "Wechatpay-Timestamp is more than 300 s from the clock",
    "serial_unknown": "no key at hand has the id that Wechatpay-Serial names",
    "statement_altered": "the statement's plain text has another SHA-1 than was signed",
}


class Finding(NamedTuple):
    """One thing that is wrong."""

    #: Fixed: scripts rely on it.
    id: str
    message: str


@dataclass
class Verdict:
    """Whether a signature holds, and what is wrong."""

    subject: str
    findings: list[Finding] = field(default_factory=list[Finding])
    #: What is good to know and no mistake.
    notes: list[str] = field(default_factory=list[str])
    #: Texts and ids of ``detail.sandbox``.
    more: dict[str, Any] = field(default_factory=dict[str, Any])

    def add(self, identifier: str, **facts: str) -> None:
        """Note one of :data:`FINDINGS`."""
        message = FINDINGS[identifier].format(**facts)
        self.findings.append(Finding(identifier, message))

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


class Signer(NamedTuple):
    """Whose signature is expected on requests; what is empty is not known."""

    public_key: RSAPublicKey
    mchid: str
    serial: str
    #: Keys that may have been taken by mistake, by what they are.
    others: Mapping[str, RSAPublicKey]

    def __repr__(self) -> str:
        return f"<Signer {self.mchid}>"


def of_request(saved: Saved, signer: Signer, *, show_body: bool) -> Verdict:
    """Why the signature of a request is refused."""
    verdict = _of_request(saved, signer, show_body)
    if not saved.sized and not verdict.holds:
        # A file ends in a line end that was not sent.
        cut = saved._replace(body=_without_end(saved.body), sized=True)
        return _of_request(cut, signer, show_body)
    return verdict


def _of_request(saved: Saved, signer: Signer, show_body: bool) -> Verdict:
    verdict = Verdict(f"{saved.method} {without_openids(saved.url)}")
    request = Request(saved.method, saved.url, saved.headers, saved.body)
    try:
        claim = header.parse(request.headers.get("Authorization"))
        header.check_form(claim)
    except Malformed as error:
        verdict.findings.append(Finding(error.identifier, str(error)))
        return verdict
    if not (request.method + request.target).isascii():
        sentence = diagnosis.MISTAKES["url_not_ascii"]
        verdict.findings.append(Finding("url_not_ascii", sentence))
        return verdict
    parts = authentication.parts(request, claim)
    _compare_owner(verdict, claim, signer)
    _check_signature(verdict, claim, signer, parts, show_body)
    if saved.answer is not None:
        _compare_answer(verdict, claim, parts, saved.answer)
    return verdict


def _compare_owner(verdict: Verdict, claim: Claim, signer: Signer) -> None:
    """Whether the request names who the configuration says that we are."""
    serial = claim.serial_no
    if serial.startswith(crypto.PUBLIC_KEY_ID):
        text = diagnosis.MISTAKES["serial_of_wechat"]
        expected = signer.serial or "apiclient_cert.pem"
        sentence = text.format(value=serial[:64], expected=expected)
        verdict.findings.append(Finding("serial_of_wechat", sentence))
    elif signer.serial and not _same(serial, signer.serial):
        verdict.add("serial_other", value=serial[:64], expected=signer.serial)
    if signer.mchid and claim.mchid != signer.mchid:
        verdict.add("mchid_other", value=claim.mchid[:64], expected=signer.mchid)


def _same(one: str, other: str) -> bool:
    return crypto.normal_serial(one) == crypto.normal_serial(other)


def _check_signature(
    verdict: Verdict, claim: Claim, signer: Signer, parts: Parts, show_body: bool
) -> None:
    expected = diagnosis.Expected(
        claim.mchid[:64], claim.serial_no[:64], signer.public_key, parts
    )
    try:
        diagnosis.check(claim.signature, expected, signer.others)
    except diagnosis.Mistake as mistake:
        verdict.findings.append(Finding(mistake.identifier, mistake.sentence))
        verdict.more = _shown(mistake.more, parts, show_body)


def _shown(more: dict[str, Any], parts: Parts, show_body: bool) -> dict[str, Any]:
    """Of the texts what may be shown: no body, and no openid, unless asked for."""
    if show_body or "expected" not in more:
        return more
    size = f"({len(parts.body)} bytes)".encode() if parts.body else b""
    shown = dict(more)
    shown["expected"] = without_openids(
        diagnosis.visible(parts._replace(body=size).text())
    )
    shown.pop("differences", None)
    if parts.body:  # the signed text has it in any of its forms
        shown.pop("signed", None)
    elif "signed" in shown:
        shown["signed"] = without_openids(shown["signed"])
    return shown


def _compare_answer(
    verdict: Verdict, claim: Claim, parts: Parts, answer: Saved
) -> None:
    """What the refusal tells of the clock, and of the text that WeChat Pay rebuilt."""
    date = clocks.sent_at(answer.headers)
    then = int(claim.timestamp)
    if date is not None and not clocks.within(then, date):
        text = clocks.stale_timestamp(then, date, date, "the answer's Date")
        verdict.findings.insert(0, Finding("timestamp_expired", str(text)))
    try:
        told = mapping(json.loads(answer.body)) or {}
    except (ValueError, RecursionError):
        told = {}
    detail = told.get("detail", told)
    there = evidence.rebuilt(detail)
    clauses = [] if there is None else comparing.sent_and_rebuilt(parts, there)
    if clauses:
        verdict.add("changed_on_the_way", clauses="; ".join(clauses))
    complaint = evidence.complaint(detail)
    if complaint is not None:
        field_name, issue = complaint
        verdict.notes.append(f"WeChat Pay says of {field_name or 'it'}: {issue}")
    if verdict.holds and answer.status == 401:
        verdict.notes.append(
            "text and key are right, so serial_no, mchid and that key may not belong "
            "together: compare with apiclient_cert.pem and the merchant console"
        )


def of_answer(saved: Saved, keys: crypto.KeyRing, *, now: float | None) -> Verdict:
    """Why the signature of an answer or a notification does not hold.

    *now* is the local time, in Unix seconds; without it the clock is that of ``Date``.
    """
    verdict = _of_answer(saved, keys, now)
    if not saved.sized and not verdict.holds:
        cut = saved._replace(body=_without_end(saved.body), sized=True)
        return _of_answer(cut, keys, now)
    return verdict


def _of_answer(saved: Saved, keys: crypto.KeyRing, now: float | None) -> Verdict:
    headers = saved.headers
    kind = f"answer {saved.status}" if saved.status else "answer or notification"
    verdict = Verdict(kind)
    if now is None:
        date = clocks.sent_at(headers)
        then = clocks.unix(headers.get("Wechatpay-Timestamp"))
        now = date if date is not None else then or 0
    body = saved.body
    try:
        if "Wechatpay-Statement-Sha1" in headers:
            body = verifying._statement(Response(200, headers), body)
    except SignatureError as error:
        verdict.findings.append(Finding("statement_altered", str(error)))
        return verdict
    try:
        checking.check(headers, body, keys, now)
    except SignatureError as error:
        verdict.findings.append(_finding(error, headers, body, keys))
    return verdict


def _finding(
    error: SignatureError, headers: Mapping[str, str], body: bytes, keys: crypto.KeyRing
) -> Finding:
    known = (
        (MissingHeaders, "headers_missing"),
        (ClockSkew, "clock_skew"),
        (UnknownSerial, "serial_unknown"),
    )
    for kind, identifier in known:
        if isinstance(error, kind):
            return Finding(identifier, str(error))
    if headers.get("Wechatpay-Signature-Type", SCHEME) != SCHEME:
        return Finding("signature_type_unknown", str(error))
    timestamp = headers.get("Wechatpay-Timestamp", "")
    if clocks.unix(timestamp) is None:
        return Finding("timestamp_malformed", str(error))
    key = keys.find(headers.get("Wechatpay-Serial", ""))
    assert key is not None  # or it would be an UnknownSerial
    answer = Answer(timestamp, headers.get("Wechatpay-Nonce", ""), body)
    found = reason(answer, headers.get("Wechatpay-Signature", ""), key, keys)
    return Finding(found.id, found.says)


def _without_end(body: bytes) -> bytes:
    """*body* less the one line end that an editor puts at the end of a file."""
    return body.removesuffix(b"\n").removesuffix(b"\r")
