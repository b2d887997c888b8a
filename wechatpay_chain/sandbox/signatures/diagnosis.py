"""Why a signature did not match, from the signature alone.

With a public key, PKCS#1 v1.5 gives back the digest that was signed. So a wrong key is
told from a wrong text with certainty, and a wrong text is found by its digest among
the texts that are signed by mistake (``crypto.candidates``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from ... import catalogue, crypto
from ...crypto import candidates, recover
from ...crypto import request_parts as text_parts
from ...crypto.header import MALFORMED
from ...crypto.recover import Reading
from ...crypto.request_parts import Parts

#: As much of a text as a report repeats.
_SHOWN = 4000
#: As much of a line as a difference shows.
_CUT = 64

#: Every mistake by its fixed id: what stands in ``detail.sandbox``.
MISTAKES: dict[str, str] = {
    **MALFORMED,
    "timestamp_expired": (
        "timestamp {value} is {theirs}, the gateway's clock says {ours}: {skew} s "
        "{side}, more than the {window} s allowed"
    ),
    "merchant_unknown": "mchid {value!r} is not known here{hint}",
    "serial_of_wechat": (
        "serial_no {value} is a key of WeChat Pay; give the serial of the merchant API "
        "certificate, {expected}"
    ),
    "serial_of_another_merchant": (
        "serial_no {value} is the certificate of merchant {owner}, not of {mchid}"
    ),
    "serial_spelling": (
        "serial_no {value!r} is {expected} in another spelling; give its hexadecimal "
        "digits alone"
    ),
    "serial_unknown": (
        "serial_no {value!r} is no certificate of merchant {mchid}; it has {expected}"
    ),
    "nonce_replayed": (
        "nonce_str {value} came before, with the same timestamp {timestamp}; take a "
        "fresh nonce, and sign anew, for each attempt"
    ),
    "url_not_ascii": "the request line is not ASCII: percent-encode the URL",
    "signature_not_base64": "the signature is not standard base64 with padding",
    "signature_spelling": (
        "the signature is spelt in {spelling}; give standard base64, with its padding, "
        "in one line"
    ),
    "signature_length": "the signature has {size} bytes, this key makes {expected}",
    "signature_pss": (
        "the signature has PSS padding; RSASSA-PKCS1-v1_5 with SHA-256 is expected"
    ),
    "another_key": (
        "signed with the private key of {owner}; serial_no {serial} belongs to the key "
        "of merchant {mchid}"
    ),
    "wrong_key": (
        "signed with an unknown private key: not with that of certificate {serial}"
    ),
    "wrong_hash": (
        "the key is right, but the signature names {hash} as its hash; SHA-256 is "
        "expected"
    ),
    "wrong_message": "the key is right, another text was signed{what}",
}

_UNKNOWN = (
    ", and no mistake that is known explains it: what was signed is not what was "
    "received; compare with 'expected'. A nonce made twice, once for the text and once "
    "for the header, or a body that was changed in between, is not found by a search"
)


class Mistake(Exception):
    """A request that is not authentic, with the id of what is wrong with it."""

    def __init__(
        self,
        identifier: str,
        *,
        field: str = "authorization",
        table: Mapping[str, str] = MISTAKES,
        **facts: Any,
    ) -> None:
        self.identifier = identifier
        #: The parameter that is wrong.
        self.field = field
        self.sentence: str = table[identifier].format(**facts)
        #: Further members of ``detail.sandbox``.
        self.more: dict[str, Any] = {}
        super().__init__(f"{identifier}: {self.sentence}")


class Expected(NamedTuple):
    """Whose signature is expected, and over what."""

    mchid: str
    serial: str
    public_key: RSAPublicKey
    parts: Parts
    #: Nonces that the merchant used before, one of which may have been signed again.
    nonces: tuple[str, ...] = ()
    #: The text that was signed, in the signer's own words.
    told: bytes | None = None

    def __repr__(self) -> str:
        return f"<Expected of {self.mchid}>"


def check(
    signature: str, expected: Expected, others: Mapping[str, RSAPublicKey]
) -> None:
    """Return where *signature* holds, else raise the :class:`Mistake` that it shows.

    *others* are the keys whose owner can be named, by owner.
    """
    if crypto.verify(expected.parts.text(), signature, expected.public_key):
        return
    reading = recover.read(signature, expected.public_key)
    if not reading.opened:
        raise _not_opened(reading, expected, others)
    found = [*_forms(reading)]
    names = [mistake.identifier for mistake in found]
    more: dict[str, Any] = {}
    if not reading.holds(expected.parts.text()):
        message = _wrong_message(reading, expected)
        found.append(message)
        names += message.more["mistakes"]
        more = message.more
    # One sentence for all, under the id of the first: what to mend comes in order.
    first = found[0]
    first.sentence = "; ".join(mistake.sentence for mistake in found)
    first.more = {**more, "mistakes": names}
    raise first


def visible(text: bytes) -> str:
    """*text* on one line, each LF shown as ``⏎``."""
    shown = text[:_SHOWN].decode("utf-8", "backslashreplace").replace("\n", "⏎")
    return shown if len(text) <= _SHOWN else f"{shown}… ({len(text)} bytes)"


def differences(expected: bytes, signed: bytes) -> list[str]:
    """Line by line, in what two texts differ; the fifth line is all the rest."""
    names = ("method", "url", "timestamp", "nonce", "body")
    pairs = zip(names, _five(expected), _five(signed))
    return [
        f"{name}: {_at(right, wrong)} expected, {_at(wrong, right)} signed"
        for name, right, wrong in pairs
        if right != wrong
    ]


def _five(text: bytes) -> list[bytes]:
    lines = text.split(b"\n", 4)
    return lines + [b""] * (5 - len(lines))


def _at(line: bytes, other: bytes) -> str:
    """*line* from a little before it differs from *other*."""
    same = 0
    for one, two in zip(line, other):
        if one != two:
            break
        same += 1
    start = max(0, same - _CUT // 4)
    cut = line[start : start + _CUT].decode("utf-8", "backslashreplace")
    before = "…" if start else ""
    after = "…" if len(line) > start + _CUT else ""
    return f"{before}{cut!r}{after}"


def _not_opened(
    reading: Reading, expected: Expected, others: Mapping[str, RSAPublicKey]
) -> Mistake:
    """The padding did not open: another key, or no signature."""
    size = (expected.public_key.key_size + 7) // 8
    owner = _owner(reading.raw, others)
    if owner is not None:
        return Mistake(
            "another_key",
            field="signature",
            owner=owner,
            serial=expected.serial,
            mchid=expected.mchid,
        )
    if not reading.spelling:
        return Mistake("signature_not_base64", field="signature")
    if len(reading.raw) != size:
        return Mistake(
            "signature_length",
            field="signature",
            size=len(reading.raw),
            expected=size,
        )
    return Mistake("wrong_key", field="signature", serial=expected.serial)


def _owner(raw: bytes, others: Mapping[str, RSAPublicKey]) -> str | None:
    for owner, public_key in others.items():
        if recover.recover(raw, public_key) is not None:
            return owner
    return None


def _forms(reading: Reading) -> Iterator[Mistake]:
    """What is wrong with a signature of the right key, whatever it is over."""
    if reading.spelling != "base64":
        yield Mistake(
            "signature_spelling", field="signature", spelling=reading.spelling
        )
    if reading.pss is not None:
        yield Mistake("signature_pss", field="signature")
    if reading.hash != "SHA-256":
        name = reading.hash or "nothing"
        yield Mistake("wrong_hash", field="signature", hash=name)


def _wrong_message(reading: Reading, expected: Expected) -> Mistake:
    parts = _with_template(expected.parts)
    right = parts.text()
    table = (*candidates.TABLE, earlier_nonces(expected.nonces))
    found = candidates.search(parts, reading.holds, table=table)
    more: dict[str, Any] = {
        "expected": visible(right),
        "expected_sha256": sha256(right).hexdigest(),
        **({"signed_sha256": reading.digest.hex()} if reading.digest else {}),
        "mistakes": [],
    }
    signed = expected.told
    if found is not None:
        signed, what = found.text, ": " + "; ".join(found.clauses(parts))
        more["mistakes"] = list(found.ids)
    elif signed is None:
        what = _UNKNOWN
    elif reading.holds(signed):
        what = ", the one that was told: " + "; ".join(differences(right, signed))
    else:
        signed, what = None, f"{_UNKNOWN}; the text that was told is not it either"
    if signed is not None:
        more["signed"] = visible(signed)
        more["differences"] = differences(right, signed)
    mistake = Mistake("wrong_message", field="signature", what=what)
    mistake.more = more
    return mistake


def earlier_nonces(nonces: tuple[str, ...]) -> text_parts.Mistake:
    """The mistake of signing one of *nonces*, which were used before."""
    return text_parts.Mistake(
        "nonce_of_earlier_request",
        "nonce",
        "nonce: {signed}, of an earlier request, was signed; {sent} is in the header",
        lambda _: nonces,
    )


def _with_template(parts: Parts) -> Parts:
    """The parts with the template of the endpoint, where nobody told it."""
    if parts.template:
        return parts
    known = catalogue.at(parts.path.removeprefix("/"))
    operation = known.get(parts.method) or next(iter(known.values()), None)
    return parts if operation is None else parts._replace(template=operation.template)
