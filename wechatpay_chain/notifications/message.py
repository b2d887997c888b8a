"""A notification as it came: its signature headers and its bytes, from any framework.

Header shapes end here: what goes further is a plain dict with names as WeChat Pay
writes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from .._shapes import binary, sequence

#: The headers that count (protocol section 5), and ``Date``, which explains a skew.
_NAMES = (
    "Wechatpay-Timestamp",
    "Wechatpay-Nonce",
    "Wechatpay-Serial",
    "Wechatpay-Signature",
    "Wechatpay-Signature-Type",
    "Request-ID",
    "Date",
)
#: Characters beyond which a header is none of WeChat Pay's. A signature has 344, and
#: 684 under a key of 4,096 bits.
_LONGEST = 1024


def _spellings() -> dict[Any, str]:
    """Each name in lower case, as WeChat writes it, in WSGI's way, and as bytes."""
    out: dict[Any, str] = {}
    for name in _NAMES:
        wsgi = "HTTP_" + name.upper().replace("-", "_")
        for text in (name, name.lower(), name.upper(), wsgi, wsgi.lower()):
            out[text] = out[text.encode()] = name
    return out


_SPELLINGS = _spellings()
#: Most names of an environ are ruled out by how long they are.
_LENGTHS = frozenset(map(len, _SPELLINGS))


class Message:
    """What was posted, for one attempt to read it."""

    __slots__ = ("body", "headers")

    def __init__(self, headers: object, body: object) -> None:
        self.headers: dict[str, str] = _headers(headers)
        self.body: bytes = _body(body)

    @property
    def is_xml(self) -> bool:
        """Whether this is a notification of APIv2.

        Those carry no header of a signature. One that does is held to the rules of
        APIv3, whatever its body looks like.
        """
        if "Wechatpay-Signature" in self.headers:
            return False
        return self.body[:256].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"

    @property
    def strange(self) -> str | None:
        """A header that could not have come from WeChat Pay, by name.

        Errors and logs name some of the values, and anybody can post to us.
        """
        for name, value in self.headers.items():
            if len(value) > _LONGEST or not value.isprintable():
                return name
        return None

    def __repr__(self) -> str:
        # The body of APIv2 names a user.
        return f"<Message, {len(self.body)} bytes>"


def _headers(headers: object) -> dict[str, str]:
    """The headers that count; of one that is given twice, both."""
    out: dict[str, str] = {}
    for pair in _pairs(headers):
        if len(pair) != 2:
            raise TypeError("headers: each item of the list is a (name, value) pair")
        name, value = pair
        known = _SPELLINGS.get(name)
        if known is None:
            if not isinstance(name, (str, bytes)) or len(name) not in _LENGTHS:
                continue
            known = _SPELLINGS.get(name.lower())
            if known is None:
                continue
        if value is None:
            continue  # picked out by get(), and not there
        text = _text(known, value)
        # No two of WeChat's headers are the same: joined, they verify nothing.
        out[known] = f"{out[known]}, {text}" if known in out else text
    return out


def _pairs(headers: object) -> Iterable[Any]:
    """Name and value of each, from a mapping or a list, by what it can do.

    Not by its class: the headers of http.server and of Flask are no ``Mapping``.
    """
    given = cast(Any, headers)
    if hasattr(given, "items"):
        return cast("Iterable[Any]", given.items())
    if isinstance(headers, (str, bytes)) or not hasattr(given, "__iter__"):
        raise TypeError(
            "headers: a mapping, a WSGI environ or a list of pairs expected, got "
            f"{type(headers).__name__}"
        )
    return cast("Iterable[Any]", given)


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    several = sequence(value)
    if several is None:
        raise TypeError(f"headers: {name} is text, not {type(value).__name__}")
    return ", ".join(_text(name, one) for one in several)


def _body(body: object) -> bytes:
    if isinstance(body, str):
        # A text that is no Unicode verifies nothing, and needs no error of its own.
        return body.encode("utf-8", "surrogatepass")
    data = binary(body)
    if data is None:
        raise TypeError(
            "body: the bytes of the request as they came expected, got "
            f"{type(body).__name__}; parsed JSON cannot be verified"
        )
    return data
