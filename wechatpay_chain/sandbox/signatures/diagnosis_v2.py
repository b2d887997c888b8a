"""Why an APIv2 sign (签名) did not match (protocol section 16).

A hash gives nothing back: keys, algorithms and texts are tried, one and two at a time.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping

from ...crypto.field_mistakes import ALGORITHMS, names, search
from ...crypto.message import fields_message
from .diagnosis import Mistake, visible

#: What ``sign_type`` may be; MD5 where there is none.
SIGN_TYPES = ("MD5", "HMAC-SHA256")

#: Every mistake by its fixed id; ``mistakes`` beside it says how the sign was made.
MISTAKES_V2: dict[str, str] = {
    "sign_missing": "the request has no sign",
    "sign_type_unknown": "sign_type {value!r} is neither MD5 nor HMAC-SHA256",
    "sign_malformed": (
        "the sign is not {size} hexadecimal digits, as {type} gives them"
    ),
    "wrong_sign": "the sign does not match{what}",
}

_UNKNOWN = (
    ", and no mistake that is known explains it: another key, or another text, than "
    "'expected' was signed"
)


def check(
    fields: Mapping[str, str],
    merchant_secret: str,
    others: Mapping[str, str],
    *,
    default: str = "MD5",
) -> None:
    """Return where the ``sign`` of *fields* holds, else raise the :class:`Mistake`.

    *fields* are in the order of sending, ``sign`` among them; *others* are the keys
    that can be named, by what they are: ``"the APIv3 key of this merchant"``. *default*
    is the algorithm without ``sign_type``.
    """
    sign, kind = fields.get("sign", ""), fields.get("sign_type") or default
    if not sign:
        raise _mistake("sign_missing")
    if kind not in SIGN_TYPES:
        raise _mistake("sign_type_unknown", "sign_type", value=kind[:64])
    text = fields_message(fields)
    joint = "&" if text else ""
    whole = f"{text}{joint}key={merchant_secret}"
    right = ALGORITHMS[kind](whole.encode("utf-8", "replace"), merchant_secret.encode())
    if hmac.compare_digest(right.upper().encode(), sign.encode("utf-8", "replace")):
        return
    if not re.fullmatch("[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}", sign):
        raise _mistake("sign_malformed", size=len(right), type=kind)
    found = search(fields, sign, kind, merchant_secret, others)
    what = _UNKNOWN
    if found is not None:
        what = ": " + "; ".join(change.says for change in found)
    mistake = _mistake("wrong_sign", what=what)
    mistake.more = {
        "expected": visible(f"{text}{joint}key=".encode("utf-8", "replace")) + "***",
        "mistakes": names(found or ()),
    }
    raise mistake


def _mistake(identifier: str, field: str = "sign", **facts: object) -> Mistake:
    return Mistake(identifier, field=field, table=MISTAKES_V2, **facts)
