"""What may have become of an answer or notification since WeChat Pay signed it.

Its signature gives back the digest of the text that WeChat signed. A body that is made
of the one at hand, and has that digest, is the one that was sent, with certainty.
"""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from .json_mistakes import load, writers
from .message import response_message

_BOM = b"\xef\xbb\xbf"
#: A longer body is not taken apart; nor does one grow longer when it is unpacked.
_LONG = 1 << 18
#: How Python writes bytes. No parser of Python is let at what comes from outside.
_BYTES = re.compile(rb"b(['\"])(.*)\1", re.S)
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.S)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
#: Window bits of zlib for gzip with its header.
_GZIP = 31


class Answer(NamedTuple):
    """What is at hand of an answer or notification: the three parts of its text."""

    timestamp: str
    nonce: str
    body: bytes

    def text(self) -> bytes:
        """The text that WeChat Pay should have signed (protocol section 5)."""
        return response_message(self.timestamp, self.nonce, self.body)

    def __repr__(self) -> str:
        return f"<Answer of {len(self.body)} bytes>"


class AnswerMistake(NamedTuple):
    """A way in which an answer is altered before it is verified."""

    #: Fixed: tests and tools rely on it.
    id: str
    #: A clause that names it; ``{sent}`` and ``{here}`` are lengths of bodies.
    says: str
    #: What WeChat Pay may have sent, made of what is at hand.
    values: Callable[[Answer], Iterable[Answer]]

    def clause(self, there: Answer, here: Answer) -> str:
        """The clause, for what was sent from *there* and is *here*."""
        return self.says.format(sent=len(there.body), here=len(here.body))


def search(answer: Answer, holds: Callable[[bytes], bool]) -> AnswerFound | None:
    """What WeChat Pay sent, and how it was altered; ``None`` where it is not known."""
    for mistake in ANSWER_MISTAKES:
        for there in mistake.values(answer):
            if there != answer and holds(there.text()):
                return AnswerFound(mistake, there)
    return None


class AnswerFound(NamedTuple):
    """A mistake, and the answer as it was before."""

    mistake: AnswerMistake
    there: Answer

    def __repr__(self) -> str:
        return f"<AnswerFound {self.mistake.id}>"


def _bodies(
    make: Callable[[bytes], Iterable[bytes | str]],
) -> Callable[[Answer], Iterator[Answer]]:
    """Answers with what *make* makes of the body, where it makes anything of it."""

    def values(answer: Answer) -> Iterator[Answer]:
        if len(answer.body) > _LONG:
            return
        try:
            bodies = [*make(answer.body)]
        except (ValueError, RecursionError, zlib.error):
            return
        for body in bodies:
            data = body.encode("utf-8", "replace") if isinstance(body, str) else body
            yield answer._replace(body=data)

    return values


def _rewritten(body: bytes) -> list[str]:
    value = load(body)
    return [write(value) for write in writers()]


def _ends(body: bytes) -> list[bytes]:
    unix = body.replace(b"\r\n", b"\n")
    return [
        body.rstrip(b"\r\n"),
        body.strip(),
        body + b"\n",
        body + b"\r\n",
        unix,
        unix.replace(b"\n", b"\r\n"),
    ]


def _bom(body: bytes) -> list[bytes]:
    return [body.removeprefix(_BOM), _BOM + body]


def _misread(body: bytes) -> Iterator[bytes]:
    """UTF-8 that was read as something else, or written as something else."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:  # of a generator: nobody around it would catch this
        yield body.decode("gb18030", "replace").encode()
        yield body.decode("cp1252", "replace").encode()
        return
    for name in ("latin-1", "cp1252", "gb18030"):
        try:
            yield text.encode(name)
        except UnicodeEncodeError:
            continue


def _of_text(body: bytes) -> list[bytes | str]:
    """The bytes or text that a Python literal or a JSON string writes."""
    written = _BYTES.fullmatch(body.strip())
    if written is not None:
        return [_ESCAPE.sub(_unescaped, written[2])]
    return [json.loads(body)] if body.lstrip().startswith(b'"') else []


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes.fromhex(found[1].decode("ascii"))
    return _ESCAPES.get(found[2], found[2])


def _unpacked(body: bytes) -> list[bytes]:
    return [zlib.decompressobj(_GZIP).decompress(body, _LONG)]


def _of_base64(body: bytes) -> list[bytes]:
    return [b64decode(body, validate=True)]


def _in_base64(body: bytes) -> list[bytes]:
    return [b64encode(body)]


def _placeholder(body: bytes) -> list[bytes]:
    return [b""] if body.strip() in (b"{}", b"null", b"[]", b'""', b"None") else []


def _object(body: bytes) -> list[bytes]:
    return [] if body else [b"{}", b"[]", b"null"]


def _nonces(answer: Answer) -> Iterator[Answer]:
    for nonce in (answer.nonce.strip(), answer.nonce.lower(), answer.nonce.upper()):
        yield answer._replace(nonce=nonce)


def _timestamps(answer: Answer) -> Iterator[Answer]:
    if answer.timestamp.isdecimal() and len(answer.timestamp) == 13:
        yield answer._replace(timestamp=answer.timestamp[:-3])


#: Every mistake that is looked for, the likely ones first.
ANSWER_MISTAKES: tuple[AnswerMistake, ...] = (
    AnswerMistake(
        "answer_line_ends",
        "line ends or outer white space of the body were changed: WeChat Pay sent "
        "{sent} bytes, {here} are here",
        _bodies(_ends),
    ),
    AnswerMistake(
        "answer_bom",
        "a byte order mark (BOM) was added to the body, or taken from it",
        _bodies(_bom),
    ),
    AnswerMistake(
        "answer_rewritten",
        "the body is the same JSON written anew: WeChat Pay sent {sent} bytes, {here} "
        "are here; verify the bytes as they came, before they are parsed",
        _bodies(_rewritten),
    ),
    AnswerMistake(
        "answer_empty",
        "WeChat Pay sent no body, {here} bytes were put in its place",
        _bodies(_placeholder),
    ),
    AnswerMistake(
        "answer_body_lost",
        "the body was lost on the way: WeChat Pay sent {sent} bytes",
        _bodies(_object),
    ),
    AnswerMistake(
        "answer_misread",
        "the body was read or written in another encoding than UTF-8: WeChat Pay sent "
        "{sent} bytes, {here} are here",
        _bodies(_misread),
    ),
    AnswerMistake(
        "answer_quoted",
        "the body is here as a text in quotes, as of str(bytes) or JSON in JSON: "
        "WeChat Pay sent {sent} bytes, {here} are here",
        _bodies(_of_text),
    ),
    AnswerMistake(
        "answer_base64",
        "the body is in base64, as of an API gateway: WeChat Pay "
        "sent {sent} bytes, {here} are here",
        _bodies(_of_base64),
    ),
    AnswerMistake(
        "answer_base64_undone",
        "the body was taken for base64, and decoded: WeChat Pay sent {sent} bytes, "
        "{here} are here",
        _bodies(_in_base64),
    ),
    AnswerMistake(
        "answer_compressed",
        "the body is still compressed (gzip): undo the Content-Encoding first",
        _bodies(_unpacked),
    ),
    AnswerMistake(
        "answer_nonce",
        "Wechatpay-Nonce was changed in case or white space",
        _nonces,
    ),
    AnswerMistake(
        "answer_timestamp",
        "Wechatpay-Timestamp was given milliseconds",
        _timestamps,
    ),
)
