"""Why the signature of an answer or notification does not hold, as far as it shows.

For the client, for notifications, and for ``wxpay explain --response``. No body, key or
signature is part of a sentence.
"""

from __future__ import annotations

from typing import NamedTuple

from .. import crypto
from ..crypto import recover
from ..crypto.answer_mistakes import ANSWER_MISTAKES, Answer, search

#: How the signature of a probe (签名探测) begins (protocol section 9).
PROBE = "WECHATPAY/SIGNTEST/"

#: Every reason by its fixed id.
REASONS: dict[str, str] = {
    "answer_probe": (
        "this is a signature probe (签名探测) of WeChat Pay's, which is to be refused: "
        "nothing is wrong"
    ),
    "answer_not_base64": "the signature is not base64",
    "answer_spelling": (
        "key and text are right, and the signature is spelt in {spelling} here: WeChat "
        "Pay sends standard base64, so take the header as it came"
    ),
    "answer_length": "the signature has {size} bytes, that key makes {expected}",
    "answer_pss": "the signature has PSS padding, which WeChat Pay does not make",
    "answer_of_another_key": (
        "it was made with {owner}, and Wechatpay-Serial names {serial}: are keys filed "
        "under the wrong id?"
    ),
    "answer_of_unknown_key": (
        "it was not made with the key that is filed under {serial}: another file "
        "belongs there, or it is not WeChat Pay's"
    ),
    "answer_hash": "it names {hash} as its hash; SHA-256 is expected",
    "answer_altered": (
        "the key is right, and it is over another text: timestamp, nonce or body ("
        "{size} bytes here) are not as WeChat Pay sent them; verify the bytes as they "
        "came, before they are parsed"
    ),
    "answer_without_body": (
        "the key is right, and no body is here: a body can be read once, so keep its "
        "bytes where it is read first"
    ),
    **{one.id: f"the key is right: {one.says}" for one in ANSWER_MISTAKES},
}


class Reason(NamedTuple):
    """Why a signature does not hold."""

    #: Fixed: a key of :data:`REASONS`.
    id: str
    says: str


def reason(
    answer: Answer, signature: str, key: crypto.WeChatKey, keys: crypto.KeyRing
) -> Reason:
    """Why *signature*, which does not hold by *key*, is not that of *answer*."""
    if signature.startswith(PROBE):
        return _reason("answer_probe")
    reading = recover.read(signature, key.public_key)
    if not reading.opened:
        return _not_opened(reading, key, keys)
    if reading.pss is not None:
        return _reason("answer_pss")
    if reading.hash != "SHA-256":
        return _reason("answer_hash", hash=reading.hash or "nothing")
    if reading.holds(answer.text()):
        return _reason("answer_spelling", spelling=reading.spelling)
    found = search(answer, reading.holds)
    if found is None and not answer.body:
        return _reason("answer_without_body")
    if found is None:
        return _reason("answer_altered", size=len(answer.body))
    sent, here = len(found.there.body), len(answer.body)
    return _reason(found.mistake.id, sent=sent, here=here)


def _not_opened(
    reading: recover.Reading,
    key: crypto.WeChatKey,
    keys: crypto.KeyRing,
) -> Reason:
    if not reading.spelling:
        return _reason("answer_not_base64")
    size = (key.public_key.key_size + 7) // 8
    if len(reading.raw) != size:
        return _reason("answer_length", size=len(reading.raw), expected=size)
    for other in map(keys.find, keys):
        if other and recover.recover(reading.raw, other.public_key) is not None:
            return _reason(
                "answer_of_another_key", owner=other.serial, serial=key.serial
            )
    return _reason("answer_of_unknown_key", serial=key.serial)


def _reason(identifier: str, **facts: object) -> Reason:
    return Reason(identifier, REASONS[identifier].format(**facts))
