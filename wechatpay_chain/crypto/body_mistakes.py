"""Ways to get the last line wrong: the body, to the byte, as it is sent."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, urlencode

from .._shapes import mapping
from .request_parts import Mistake, Parts

#: A longer body is not written anew: that would take longer than an error may.
_LONG = 1 << 18
_BOM = b"\xef\xbb\xbf"

#: How JSON may be laid out: what is said of it, and the options of the encoder.
_LAYOUTS: dict[str, tuple[str, dict[str, Any]]] = {
    "compact": ("without spaces", {"separators": (",", ":")}),
    "spaced": ("with spaces", {"separators": (", ", ": ")}),
    "indent2": ("indented", {"indent": 2}),
    "indent4": ("indented", {"indent": 4}),
}


def load(body: bytes) -> Any:
    """The JSON of *body*. Raises ``ValueError`` where it is none, or is long."""
    if len(body) > _LONG:
        raise ValueError("too long")
    try:
        return json.loads(body.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _made_of(make: Callable[[Any], str]) -> Callable[[Parts], Iterator[bytes]]:
    """What *make* writes of the JSON of a body, where that is JSON."""

    def values(parts: Parts) -> Iterator[bytes]:
        try:
            yield make(load(parts.body)).encode()
        except (ValueError, TypeError, RecursionError):
            return

    return values


def _ways() -> Iterator[tuple[bool, bool, bool, str]]:
    """Slashes escaped, members sorted, ASCII only, and the layout."""
    off_and_on = (False, True)
    yield from product(off_and_on, off_and_on, off_and_on, _LAYOUTS)


def writers() -> Iterator[Callable[[Any], str]]:
    """Every way in which JSON is written that is known here."""
    for slashes, ordered, ascii_only, layout in _ways():
        _, options = _LAYOUTS[layout]
        made = {**options, "sort_keys": ordered, "ensure_ascii": ascii_only}
        yield _writer(made, slashes)


def _rewritten() -> Iterator[Mistake]:
    """The same JSON, written otherwise: by layout, alphabet, order and slashes."""
    for slashes, ordered, ascii_only, layout in _ways():
        says, options = _LAYOUTS[layout]
        made = {**options, "sort_keys": ordered, "ensure_ascii": ascii_only}
        words, name = [says], [layout]
        for on, word, short in (
            (ascii_only, r"non-ASCII escaped as \u", "ascii"),
            (ordered, "members sorted", "sorted"),
            (slashes, r"slashes escaped as \/", "slashes"),
        ):
            if on:
                words.append(word)
                name.append(short)
        yield Mistake(
            "_".join(["body_json", *name]),
            "body",
            "body: the same JSON was written anew for the signature ("
            + ", ".join(words)
            + "), {signed} were signed and {sent} sent",
            _made_of(_writer(made, slashes)),
        )


def _writer(options: dict[str, Any], slashes: bool) -> Callable[[Any], str]:
    def write(value: Any) -> str:
        text = json.dumps(value, **options)
        return text.replace("/", r"\/") if slashes else text

    return write


def _form(value: Any) -> str:
    return urlencode(mapping(value) or {})


def _without_nulls(value: Any) -> str:
    fields = mapping(value) or {}
    kept = {name: one for name, one in fields.items() if one is not None}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def _quoted(parts: Parts) -> Iterator[bytes]:
    if len(parts.body) <= _LONG:
        text = parts.body.decode("utf-8", "replace")
        yield json.dumps(text).encode()
        yield json.dumps(text, ensure_ascii=False).encode()


def _in_gbk(parts: Parts) -> Iterator[bytes]:
    if len(parts.body) <= _LONG:
        yield parts.body.decode("utf-8", "replace").encode("gb18030", "replace")


def _placeholders(parts: Parts) -> Iterator[bytes]:
    if not parts.body:
        yield from (b"{}", b"null", b"[]", b"None", b'""', b"undefined", b" ")


def _query(parts: Parts) -> Iterator[bytes]:
    """A GET whose parameters were signed as if they were its body."""
    if parts.query and len(parts.query) <= _LONG:
        yield parts.query.encode("utf-8", "surrogatepass")
        fields = dict(parse_qsl(parts.query, keep_blank_values=True))
        for separators in ((",", ":"), (", ", ": ")):
            text = json.dumps(fields, ensure_ascii=False, separators=separators)
            yield text.encode("utf-8", "replace")


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
    *_rewritten(),
    Mistake(
        "body_line_ends",
        "body",
        "body: {signed} were signed and {sent} sent, which differ in line ends or "
        "outer white space",
        _ends,
    ),
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
        _made_of(str),
    ),
    Mistake(
        "body_form",
        "body",
        "body: the fields were signed as a form (a=1&b=2), {signed}, not as the JSON "
        "of {sent} that was sent",
        _made_of(_form),
    ),
    Mistake(
        "body_json_twice",
        "body",
        "body: the JSON was encoded twice, as a string in quotes, for the signature: "
        "{signed}, where {sent} were sent",
        _quoted,
    ),
    Mistake(
        "body_without_nulls",
        "body",
        "body: members that are null were left out of the signed text, {signed}; "
        "{sent} were sent",
        _made_of(_without_nulls),
    ),
    Mistake(
        "body_bom",
        "body",
        "body: a byte order mark (BOM) is in one of {signed} signed and {sent} sent",
        _bom,
    ),
    Mistake(
        "body_gbk",
        "body",
        "body: signed in the encoding GBK, {signed}; {sent} were sent, UTF-8 counts",
        _in_gbk,
    ),
    Mistake(
        "body_hash",
        "body",
        "body: a hash of the body was signed in its place; the {sent} sent count "
        "themselves",
        lambda parts: [
            sha256(parts.body).hexdigest().encode(),
            sha256(parts.body).hexdigest().upper().encode(),
        ],
    ),
    Mistake(
        "body_base64",
        "body",
        "body: signed in base64, {signed}; the {sent} sent count as they are",
        lambda parts: [b64encode(parts.body)],
    ),
)
