"""What an attempt to deliver came to, and what to do about it (protocol section 9)."""

from __future__ import annotations

from typing import NamedTuple

from ..v2 import envelope as v2_envelope
from .applications import TIMEOUT, Reaction

#: Attempts whose signature is wrong on purpose: good is what refuses them.
WRONG = {"probe", "check"}


class Verdict(NamedTuple):
    """Whether the merchant answered as it should, in a word, and how to mend it."""

    good: bool
    word: str
    hint: str = ""


_NOT_SENT = (
    "notifications go to this machine only; give the gateway your handler: "
    "gateway.deliver_to(app)"
)
_LATE = (
    "no answer within {:.0f} s{}: check the signature, store the notification, answer, "
    "and do the work afterwards"
)
_PRESSED = f", after none within {TIMEOUT:.0f} s before"
_LOGIN = (
    "redirects are not followed: a login, a trailing slash or an http address stands "
    "before the handler; notify_url is to answer itself, without login or cookies"
)
_TRUSTING = (
    "it said yes to a wrong signature: verify every notification before anything else, "
    "also one that came before, and answer 4xx or 5xx where it does not hold"
)
_MISSING = "no handler there: notify_url and the route of the handler differ"
_DENIED = (
    "the handler refused: is a login, a CSRF check or a filter of addresses before it, "
    "or does it verify with another key, clock or body than it was sent?"
)
_BROKEN = "the handler failed; see its own log"
_UNSAID = (
    "it answered 2xx without <return_code>SUCCESS</return_code>, which APIv2 takes for "
    "a failure"
)
_MUTE = (
    "the server took it, and ended without an answer in HTTP: did it fail, or does it "
    "speak TLS where http is addressed, or the other way round? see its own log"
)
_SILENT = "nobody answered there: is the server running, on this port?"


def judge(reaction: Reaction, kind: str, *, xml: bool = False) -> Verdict:
    """What *reaction* to an attempt of *kind* is worth; *xml*: one of APIv2."""
    if not reaction.sent:
        return Verdict(False, f"not sent: {reaction.error}", _NOT_SENT)
    if reaction.timed_out:
        pressed = _PRESSED if reaction.limit < TIMEOUT else ""
        return Verdict(False, "timed out", _LATE.format(reaction.limit, pressed))
    status = reaction.status
    if status is None:
        return Verdict(False, reaction.error, _MUTE if reaction.reached else _SILENT)
    if 300 <= status < 400:
        where = f" to {reaction.location[:64]}" if reaction.location else ""
        return Verdict(False, f"redirected{where}", _LOGIN)
    accepted = 200 <= status < 300
    unsaid = accepted and xml and not v2_envelope.accepted(reaction.body)
    accepted = accepted and not unsaid
    if kind in WRONG:
        if accepted:
            return Verdict(False, "accepted a wrong signature", _TRUSTING)
        return Verdict(True, "refused, as it should")
    if unsaid:
        return Verdict(False, f"answered {status} without SUCCESS", _UNSAID)
    return Verdict(True, "ok") if accepted else _refused(status, reaction)


def _refused(status: int, reaction: Reaction) -> Verdict:
    word = reaction.error or f"answered {status}"
    if status in (404, 405):
        return Verdict(False, word, _MISSING)
    return Verdict(False, word, _DENIED if 400 <= status < 500 else _BROKEN)
