"""Requests and answers that somebody saved: as raw HTTP, as JSON, or as curl's words.

Pure, but for the files that a curl command names. Raises :class:`Unreadable`.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, NamedTuple

from .._messages import Headers
from .._shapes import mapping, sequence
from . import curl
from .curl import Unreadable

_REQUEST_LINE = re.compile(r"([A-Za-z]+) +(\S+)(?: +HTTP/[0-9.]+)?")
_STATUS_LINE = re.compile(r"HTTP/[0-9.]+ +([0-9]{3})\b.*")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
#: What may be kept of a 401, beside the request.
_TOLD = ("detail", "sign_information")
_BLANK = re.compile(rb"\r?\n\r?\n")


class Saved(NamedTuple):
    """A request, or an answer or notification; what is not known of it is empty."""

    headers: Headers
    body: bytes
    #: Of a request.
    method: str = ""
    #: Absolute, of a request.
    url: str = ""
    #: Of an answer.
    status: int = 0
    #: Whether it is certain where the body ends: a file may have got a line end more.
    sized: bool = True
    #: What was answered, where it was saved beside the request.
    answer: Saved | None = None

    def __repr__(self) -> str:
        return f"<Saved {self.method or self.status}>"


def read(data: bytes) -> Saved:
    """What *data* holds: raw HTTP, a JSON object, or a curl command."""
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise Unreadable("there is nothing in it")
    if start.startswith(b"{"):
        return _from_json(start)
    if re.match(rb"(?:\$ +)?curl(?:\.exe)?\s", start):
        return _from_curl(start.decode("utf-8", "surrogateescape"))
    return _from_http(start)


def _from_http(data: bytes) -> Saved:
    blank = _BLANK.search(data)
    head, body = (data, b"") if blank is None else _halves(data, blank)
    first, *rest = head.decode("utf-8", "surrogateescape").splitlines()
    request, status = _REQUEST_LINE.fullmatch(first), _STATUS_LINE.fullmatch(first)
    if request is None and status is None:
        rest.insert(0, first)  # headers alone
    headers = Headers(_headers(rest))
    body, sized = _cut(body, headers.get("Content-Length", ""))
    if request is None:
        code = int(status[1]) if status is not None else 0
        return Saved(headers, body, status=code, sized=sized)
    url = request[2]
    if url.startswith("/"):
        url = f"https://{headers.get('Host', 'api.mch.weixin.qq.com')}{url}"
    return Saved(headers, body, request[1], _absolute(url), sized=sized)


def _halves(data: bytes, blank: re.Match[bytes]) -> tuple[bytes, bytes]:
    return data[: blank.start()], data[blank.end() :]


def _headers(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        found = _HEADER.fullmatch(line)
        if found is None:
            raise Unreadable(
                "neither raw HTTP nor JSON nor a curl command: a header 'Name: value' "
                f"expected, got a line of {len(line)} characters"
            )
        yield found[1], found[2]


def _cut(body: bytes, length: str) -> tuple[bytes, bool]:
    """The body as long as it should be, and whether its end is certain."""
    if length.isdecimal() and len(length) < 12 and int(length) <= len(body):
        return body[: int(length)], True
    return body, not body.endswith(b"\n")


def _from_json(data: bytes) -> Saved:
    try:
        given = mapping(json.loads(data.decode("utf-8")))
    except (ValueError, RecursionError):
        given = None
    if given is None:
        raise Unreadable("it begins like JSON, and is none")
    request = mapping(given.get("request")) or given
    answer = mapping(given.get("response"))
    found = _member(request)
    if answer is not None:
        found = found._replace(answer=_answer(answer))
    told = {name: given[name] for name in _TOLD if name in given}
    if told:
        found = found._replace(answer=_answer(told))
    return found


def _member(given: Any) -> Saved:
    headers = Headers(_header_members(given.get("headers")))
    method, url = given.get("method", ""), given.get("url", "")
    status = given.get("status", given.get("status_code", 0))
    if not isinstance(method, str) or not isinstance(url, str):
        raise Unreadable("method and url: texts expected")
    if url.startswith("/"):
        url = f"https://{headers.get('Host', 'api.mch.weixin.qq.com')}{url}"
    code = status if isinstance(status, int) else 0
    return Saved(
        headers, _body(given), method, _absolute(url) if url else "", status=code
    )


def _answer(given: Any) -> Saved:
    """An answer, or the JSON of its body alone."""
    if "headers" in given or "body" in given:
        body = given.get("body")
        # Of a refused request no signature is checked: its JSON will do.
        text = body if isinstance(body, str) else json.dumps(body)
        return _member({**given, "body": text})
    return Saved(Headers(), json.dumps(given).encode(), status=401)


def _body(given: Any) -> bytes:
    packed, body = given.get("body_base64"), given.get("body")
    if isinstance(packed, str):
        try:
            return b64decode(packed, validate=True)
        except ValueError:
            raise Unreadable("body_base64: this is not base64") from None
    if body is None:
        return b""
    if not isinstance(body, str):
        raise Unreadable(
            "body: a text expected, exactly as it was sent; written anew, the same "
            "JSON has another signature"
        )
    return body.encode("utf-8", "surrogatepass")


def _header_members(given: object) -> Iterator[tuple[str, str]]:
    """Headers as an object, as pairs, or as browsers export them."""
    named = mapping(given)
    listed = list(named.items()) if named is not None else sequence(given) or ()
    for one in listed:
        fields, pair = mapping(one), sequence(one)
        if fields is not None:
            pair = (fields.get("name"), fields.get("value"))
        name, value = pair if pair is not None and len(pair) == 2 else (None, None)
        several = sequence(value)
        if several is not None and several:
            value = several[0]
        if not isinstance(name, str) or not isinstance(value, str):
            raise Unreadable("headers: names with texts expected")
        yield name, value


def _from_curl(text: str) -> Saved:
    made = curl.read(text)
    headers = Headers(_headers(made.headers))
    return Saved(headers, made.body, made.method, _absolute(made.url))


def _absolute(url: str) -> str:
    if not re.match("https?://[^/]", url):
        raise Unreadable("url: https://... expected")
    return url
