"""The ``Authorization`` header of a request, read by name (protocol section 4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, NamedTuple

from .rsa import SCHEME

NAMES = ("mchid", "nonce_str", "signature", "timestamp", "serial_no")

#: Spaces after a comma are tolerated, as protocol section 4 allows.
_PARAMETER = re.compile(r' *([A-Za-z_]+)="([^"]*)" *(?:,|$)')
_UNQUOTED = re.compile(r" *([A-Za-z_]+)=(?!\")")

#: Every way in which a header can be no good by itself, by its fixed id.
MALFORMED: dict[str, str] = {
    "authorization_missing": "the request has no header Authorization",
    "scheme_unknown": (
        "the scheme is {scheme!r}; WECHATPAY2-SHA256-RSA2048 and one space are expected"
    ),
    "parameters_malformed": (
        'cannot be read from {rest!r} on; name="value" pairs, joined by commas, '
        "are expected"
    ),
    "parameter_unquoted": "{name} has no double quotes around its value",
    "parameter_unknown": "{name!r} is none of the five parameters{hint}",
    "parameter_repeated": "{name} is given more than once",
    "parameter_missing": "{names} missing; all five parameters are required",
    "parameter_empty": "{name} is empty",
    "timestamp_milliseconds": "timestamp {value} has milliseconds; give whole seconds",
    "timestamp_malformed": "timestamp {value!r} is not Unix seconds in 10 digits",
    "nonce_malformed": (
        "nonce_str {value!r} is not 1 to 32 characters of 0-9, A-Z, a-z"
    ),
}


class Claim(NamedTuple):
    """What a request says of itself: the five parameters."""

    mchid: str
    nonce_str: str
    signature: str
    timestamp: str
    serial_no: str

    def __repr__(self) -> str:
        return f"<Claim of {self.mchid} with {self.serial_no}>"


class Malformed(ValueError):
    """A header that is no good by itself."""

    def __init__(
        self, identifier: str, field: str = "authorization", **facts: Any
    ) -> None:
        self.identifier = identifier
        #: The parameter that is wrong.
        self.field = field
        #: What the sentence of :data:`MALFORMED` names.
        self.facts = facts
        super().__init__(MALFORMED[identifier].format(**facts))


def parse(header: str | None) -> Claim:
    """The parameters of an ``Authorization`` header, by name and in any order.

    Raises :class:`Malformed`.
    """
    if header is None or not header.strip():
        raise Malformed("authorization_missing")
    scheme, space, rest = header.partition(" ")
    if scheme != SCHEME or not space:
        raise Malformed("scheme_unknown", scheme=_start(scheme, 40))
    values = _pairs(rest)
    missing = [name for name in NAMES if name not in values]
    if missing:
        raise Malformed("parameter_missing", missing[0], names=", ".join(missing))
    for name in NAMES:
        if not values[name]:
            raise Malformed("parameter_empty", name, name=name)
    return Claim(**values)


def check_form(claim: Claim) -> None:
    """Refuse a timestamp or nonce that can be none. Raises :class:`Malformed`."""
    if re.fullmatch(r"[0-9]{13}", claim.timestamp):
        raise Malformed("timestamp_milliseconds", "timestamp", value=claim.timestamp)
    if not re.fullmatch(r"[0-9]{10}", claim.timestamp):
        raise Malformed("timestamp_malformed", "timestamp", value=claim.timestamp[:64])
    if not re.fullmatch(r"[0-9A-Za-z]{1,32}", claim.nonce_str):
        raise Malformed("nonce_malformed", "nonce_str", value=claim.nonce_str[:64])


def nearest(name: str, known: Iterable[str]) -> str:
    """``"; did you mean ...?"`` where something known is near, else nothing."""
    near = get_close_matches(name[:64], list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _pairs(rest: str) -> dict[str, str]:
    values: dict[str, str] = {}
    at = 0
    while at < len(rest):
        match = _PARAMETER.match(rest, at)
        if match is None:
            raise _unreadable(rest[at:])
        name, value = match.groups()
        if name not in NAMES:
            hint = nearest(name, NAMES)
            raise Malformed("parameter_unknown", name, name=name[:64], hint=hint)
        if name in values:
            raise Malformed("parameter_repeated", name, name=name)
        values[name] = value
        at = match.end()
    if rest.rstrip().endswith(","):
        raise Malformed("parameters_malformed", rest=",")
    return values


def _unreadable(rest: str) -> Malformed:
    bare = _UNQUOTED.match(rest)
    if bare is not None and bare[1] in NAMES:
        return Malformed("parameter_unquoted", bare[1], name=bare[1])
    return Malformed("parameters_malformed", rest=_start(rest, 16))


def _start(text: str, length: int) -> str:
    """The beginning of *text*, so far that no signature can be in it."""
    return re.split(r"[^\w-]", text.lstrip(), maxsplit=1)[0][:length]
