"""Ways to get the lines wrong: method, timestamp, nonce, and how all are joined."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

from .request_parts import LINES, Mistake, Parts

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
#: Seconds by which two readings of a clock within one request mostly differ.
_NEAR = (-1, 1, -2, 2)
#: By which they may, and whole hours of time zones.
_SECONDS = [
    sign * seconds
    for seconds in (*range(3, 31), 3600, 25200, 28800, 32400)
    for sign in (-1, 1)
]
#: What a template text in a program may stand behind.
_INDENTS = (b"\t", b"\t\t", *(b" " * width for width in (1, 2, 4, 6, 8, 10, 12, 16)))

_Join = Callable[[Parts], bytes]


def _seconds_off(by: Iterable[int]) -> Callable[[Parts], Iterator[str]]:
    def values(parts: Parts) -> Iterator[str]:
        if re.fullmatch("[0-9]{1,12}", parts.timestamp):
            yield from (str(int(parts.timestamp) + seconds) for seconds in by)

    return values


def _milliseconds(parts: Parts) -> Iterator[str]:
    yield from (f"{parts.timestamp}{rest:03d}" for rest in range(1, 1000))


def _hyphens(parts: Parts) -> Iterator[str]:
    nonce = parts.nonce
    if len(nonce) == 32:
        yield "-".join((nonce[:8], nonce[8:12], nonce[12:16], nonce[16:20], nonce[20:]))


def _joined(by: bytes, end: bytes) -> _Join:
    return lambda parts: by.join(parts.lines()) + end


def _picked(*order: int) -> _Join:
    """Some of the lines, in that order."""

    def join(parts: Parts) -> bytes:
        lines = parts.lines()
        return b"".join(lines[at] + b"\n" for at in order)

    return join


def _indented(indent: bytes, end: bytes = b"") -> _Join:
    """As ``_joined``, with *indent* before all lines but the first."""
    return lambda parts: (b"\n" + indent).join(parts.lines()) + b"\n" + end


def _lines(identifier: str, says: str, *joins: _Join, wide: bool = False) -> Mistake:
    return Mistake(identifier, LINES, f"lines: {says}", lambda _: joins, wide)


METHOD_MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        "method_case",
        "method",
        "method: {signed} was signed, {sent} was sent; the case counts",
        lambda parts: [parts.method.lower(), parts.method.title()],
    ),
    Mistake(
        "method_other",
        "method",
        "method: {signed} was signed, {sent} was sent",
        lambda _: [*_METHODS, ""],
    ),
)

TIME_MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        "timestamp_other",
        "timestamp",
        "timestamp: {signed} was signed, {sent} is in the header",
        _seconds_off(_NEAR),
    ),
    Mistake(
        "timestamp_other",
        "timestamp",
        "timestamp: {signed} was signed, {sent} is in the header",
        _seconds_off(_SECONDS),
        wide=True,
    ),
    Mistake(
        "timestamp_left_out",
        "timestamp",
        "timestamp: left out of the signed text, {sent} is in the header",
        lambda _: [""],
    ),
    Mistake(
        "timestamp_signed_in_milliseconds",
        "timestamp",
        "timestamp: {signed} was signed, with milliseconds; {sent} is in the header",
        lambda parts: [f"{parts.timestamp}000"],
    ),
    Mistake(
        "timestamp_signed_in_milliseconds",
        "timestamp",
        "timestamp: {signed} was signed, with milliseconds; {sent} is in the header",
        _milliseconds,
        wide=True,
    ),
    Mistake(
        "nonce_left_out",
        "nonce",
        "nonce: left out of the signed text, {sent} is in the header",
        lambda _: [""],
    ),
    Mistake(
        "nonce_case",
        "nonce",
        "nonce: {signed} was signed, {sent} is in the header; the case counts",
        lambda parts: [parts.nonce.lower(), parts.nonce.upper()],
    ),
    Mistake(
        "nonce_hyphens",
        "nonce",
        "nonce: {signed} was signed with hyphens, {sent} is in the header",
        _hyphens,
    ),
)

LINE_MISTAKES: tuple[Mistake, ...] = (
    _lines(
        "last_lf_missing",
        "the LF after the last one is missing in the signed text; a body, an empty one "
        "too, is followed by LF",
        _joined(b"\n", b""),
    ),
    _lines(
        "lf_added",
        "one LF too many is at the end of the signed text",
        _joined(b"\n", b"\n\n"),
    ),
    _lines(
        "lf_first",
        "an LF stands before the first one in the signed text",
        lambda parts: b"\n" + parts.text(),
    ),
    _lines(
        "lf_doubled",
        "each ends in two LF in the signed text",
        _joined(b"\n\n", b"\n\n"),
        _joined(b"\n\n", b"\n"),
        _joined(b"\n\n", b""),
    ),
    _lines(
        "body_line_missing",
        "the last one, the body, is missing in the signed text",
        _picked(0, 1, 2, 3),
        lambda parts: b"\n".join(parts.lines()[:4]),
    ),
    _lines(
        "lines_left_out",
        "timestamp or nonce, or both, are missing in the signed text; a request has "
        "five lines",
        _picked(0, 1, 4),
        _picked(0, 1, 2, 4),
        _picked(0, 1, 3, 4),
    ),
    _lines(
        "lines_indented",
        "white space stands before or after them in the signed text, as of a text "
        "that is set in the lines of a program",
        *(_indented(indent) for indent in _INDENTS),
        *(_indented(indent, end=indent) for indent in _INDENTS),
        *(_joined(indent + b"\n", indent + b"\n") for indent in (b" ", b"\t")),
        wide=True,
    ),
    _lines(
        "lines_bom",
        "a byte order mark (BOM) stands before the first one in the signed text",
        lambda parts: b"\xef\xbb\xbf" + parts.text(),
    ),
    _lines(
        "crlf",
        "they end in CRLF in the signed text; LF alone is right",
        _joined(b"\r\n", b"\r\n"),
        _joined(b"\r\n", b""),
    ),
    _lines(
        "cr",
        "they end in CR in the signed text; LF is right",
        _joined(b"\r", b"\r"),
        _joined(b"\r", b""),
    ),
    _lines(
        "backslash_n",
        r"a backslash and the letter n stand where LF should, in the signed text",
        _joined(rb"\n", rb"\n"),
        _joined(rb"\n", b""),
    ),
    _lines(
        "lf_missing",
        "they are joined without LF in the signed text",
        _joined(b"", b""),
        _joined(b" ", b""),
        _joined(b"&", b""),
        _joined(b",", b""),
    ),
    _lines(
        "nonce_before_timestamp",
        "nonce and timestamp have changed places in the signed text",
        _picked(0, 1, 3, 2, 4),
    ),
    _lines(
        "url_before_method",
        "method and url have changed places in the signed text",
        _picked(1, 0, 2, 3, 4),
    ),
    _lines(
        "answer_lines",
        "the three of an answer (timestamp, nonce, body) were signed; a request has "
        "five, which begin with method and url",
        _picked(2, 3, 4),
    ),
    _lines(
        "hashed_twice",
        "a hash of the text was signed as if it were the text; signing hashes by "
        "itself, once",
        lambda parts: sha256(parts.text()).hexdigest().encode(),
        lambda parts: sha256(parts.text()).hexdigest().upper().encode(),
        lambda parts: sha256(parts.text()).digest(),
    ),
)
