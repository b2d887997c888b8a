"""Ways to get the last line wrong: the body, to the byte, as it is sent."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Iterator
from hashlib import md5, sha1, sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode

from .._shapes import mapping
from .json_mistakes import JSON_MISTAKES, LONG, made_of
from .request_parts import Mistake, Parts

_BOM = b"\xef\xbb\xbf"
#: What stands for nothing where somebody makes text of it.
_PLACEHOLDERS = (
    *(b"{}", b"null", b"[]", b"None", b'""', b"undefined", b" ", b"b''", b"''"),
    *(b"false", b"nil", b"<nil>", b"Array", b"[object Object]"),
)
#: What stands for any object in the same way.
_NAMELESS = (b"[object Object]", b"Array", b"Object", b"undefined", b"null")
#: Window bits of zlib for gzip and zlib with their headers.
_UNPACKED = 47


def _form(value: Any) -> str:
    return urlencode(mapping(value) or {})


def _quoted(parts: Parts) -> Iterator[bytes]:
    if len(parts.body) <= LONG:
        text = parts.body.decode("utf-8", "replace")
        yield json.dumps(text).encode()
        yield json.dumps(text, ensure_ascii=False).encode()


def _in_gbk(parts: Parts) -> Iterator[bytes]:
    if len(parts.body) <= LONG:
        yield parts.body.decode("utf-8", "replace").encode("gb18030", "replace")


def _placeholders(parts: Parts) -> Iterator[bytes]:
    if not parts.body:
        yield from _PLACEHOLDERS


def _query(parts: Parts) -> Iterator[bytes]:
    """A GET whose parameters were signed as if they were its body."""
    if parts.query and len(parts.query) <= LONG:
        yield parts.query.encode("utf-8", "surrogatepass")
        fields = dict(parse_qsl(parts.query, keep_blank_values=True))
        numbers = {name: _number(one) for name, one in fields.items()}
        for made in (fields, numbers):
            for separators in ((",", ":"), (", ", ": ")):
                text = json.dumps(made, ensure_ascii=False, separators=separators)
                yield text.encode("utf-8", "replace")


def _number(text: str) -> str | int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else text


def _written_bytes(parts: Parts) -> Iterator[bytes]:
    if len(parts.body) <= LONG:
        yield repr(parts.body).encode()


def _of_objects(parts: Parts) -> Iterator[bytes]:
    if parts.body:
        yield from _NAMELESS
        yield from made_of(_java_map, _go_map)(parts)


def _java_map(value: Any) -> str:
    pairs = (mapping(value) or {}).items()
    return "{" + ", ".join(f"{name}={one}" for name, one in pairs) + "}"


def _go_map(value: Any) -> str:
    pairs = sorted((mapping(value) or {}).items())
    return "map[" + " ".join(f"{name}:{one}" for name, one in pairs) + "]"


def _from_gbk(parts: Parts) -> Iterator[bytes]:
    """A body that was sent in GBK, and signed as UTF-8."""
    if not _is_utf8(parts.body) and len(parts.body) <= LONG:
        yield parts.body.decode("gb18030", "replace").encode()


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lossy(parts: Parts) -> Iterator[bytes]:
    if not parts.body.isascii() and len(parts.body) <= LONG:
        text = parts.body.decode("utf-8", "replace")
        yield from (text.encode("latin-1", how) for how in ("replace", "ignore"))
        yield from (text.encode("ascii", how) for how in ("replace", "ignore"))
        yield text.encode("utf-16-le", "replace")


def _read_as_latin(parts: Parts) -> Iterator[bytes]:
    if not parts.body.isascii() and len(parts.body) <= LONG:
        yield parts.body.decode("latin-1").encode()
        yield parts.body.decode("cp1252", "replace").encode()


def _unpacked(parts: Parts) -> Iterator[bytes]:
    try:
        yield zlib.decompressobj(_UNPACKED).decompress(parts.body, LONG)
    except zlib.error:
        return


def _ends(parts: Parts) -> Iterator[bytes]:
    body = parts.body
    if not body:
        return  # then it is a matter of the lines
    yield body + b"\n"
    yield body + b"\r\n"
    yield body.rstrip(b"\r\n")
    yield body.strip()
    yield body.replace(b"\r\n", b"\n")
    yield body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _bom(parts: Parts) -> Iterator[bytes]:
    yield _BOM + parts.body
    yield parts.body.removeprefix(_BOM)


def _hashes(parts: Parts) -> Iterator[bytes]:
    for hash_of in (sha256, md5, sha1):
        made = hash_of(parts.body, usedforsecurity=False)
        yield made.hexdigest().encode()
        yield made.hexdigest().upper().encode()
        yield b64encode(made.digest())


BODY_MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        "body_left_out",
        "body",
        "body: left out of the signed text, {sent} were sent",
        lambda _: [b""],
    ),
    Mistake(
        "body_multipart",
        "body",
        "body: the whole multipart body of {signed} was signed, where only the JSON "
        "text of its part meta ({sent}) counts",
        lambda parts: [parts.whole],
    ),
    # A change of few bytes before one of all: the same text may come of both.
    Mistake(
        "body_line_ends",
        "body",
        "body: {signed} were signed and {sent} sent, which differ in line ends or "
        "outer white space",
        _ends,
    ),
    Mistake(
        "body_bom",
        "body",
        "body: a byte order mark (BOM) is in one of {signed} signed and {sent} sent",
        _bom,
    ),
    *JSON_MISTAKES,
    Mistake(
        "body_placeholder",
        "body",
        "body: none was sent, and a text of {signed} was signed in its place; without "
        "a body the last line is empty",
        _placeholders,
    ),
    Mistake(
        "body_of_query",
        "body",
        "body: the query was signed as if it were the body, {signed}; {sent} were sent",
        _query,
    ),
    Mistake(
        "body_python",
        "body",
        "body: the text of a Python object (str or repr) was signed, {signed}, not the "
        "JSON of {sent} that was sent",
        made_of(str),
    ),
    Mistake(
        "body_python",
        "body",
        "body: the text of Python bytes (b'...') was signed, {signed}, not the {sent} "
        "that were sent",
        _written_bytes,
    ),
    Mistake(
        "body_object",
        "body",
        "body: the name or text of an object was signed, {signed}, such as [object "
        "Object] or {{a=1}}, not the JSON of {sent} that was sent",
        _of_objects,
    ),
    Mistake(
        "body_form",
        "body",
        "body: the fields were signed as a form (a=1&b=2), {signed}, not as the JSON "
        "of {sent} that was sent",
        made_of(_form),
    ),
    Mistake(
        "body_json_twice",
        "body",
        "body: the JSON was encoded twice, as a string in quotes, for the signature: "
        "{signed}, where {sent} were sent",
        _quoted,
    ),
    Mistake(
        "body_gbk",
        "body",
        "body: signed in the encoding GBK, {signed}; {sent} were sent, UTF-8 counts",
        _in_gbk,
    ),
    Mistake(
        "body_sent_in_gbk",
        "body",
        "body: sent in the encoding GBK, {sent}, and signed in UTF-8, {signed}; send "
        "UTF-8",
        _from_gbk,
    ),
    Mistake(
        "body_encoding",
        "body",
        "body: signed in an encoding that is not UTF-8, {signed}, such as Latin-1, "
        "ASCII or UTF-16; {sent} were sent",
        _lossy,
    ),
    Mistake(
        "body_misread",
        "body",
        "body: UTF-8 was read as Latin-1, and signed as UTF-8 once more, {signed}; "
        "{sent} were sent",
        _read_as_latin,
    ),
    Mistake(
        "body_compressed",
        "body",
        "body: {signed} were signed before they were compressed; the {sent} sent count",
        _unpacked,
    ),
    Mistake(
        "body_hash",
        "body",
        "body: a hash of the body was signed in its place; the {sent} sent count "
        "themselves",
        _hashes,
    ),
    Mistake(
        "body_base64",
        "body",
        "body: signed in base64, {signed}; the {sent} sent count as they are",
        lambda parts: [b64encode(parts.body)],
    ),
)
