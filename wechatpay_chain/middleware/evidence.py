"""What is known once WeChat Pay has answered 401: what was signed, sent and rebuilt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._messages import Request
from .._shapes import mapping
from ..crypto.header import Claim
from ..crypto.request_parts import Parts

#: How deep members of ``detail`` are looked for: real answers sometimes nest them.
_DEPTH = 6
#: As much of WeChat's own text as a message repeats.
_SHOWN = 200
_BOUNDARY = re.compile(r'(?i)\bboundary="?([^";,]+)')


class Rebuilt(NamedTuple):
    """What WeChat shows of the text that it rebuilt; ``""`` or ``None``: not shown."""

    method: str = ""
    target: str = ""
    timestamp: str = ""
    #: The beginning, where the text is not cut before it.
    nonce: str = ""
    length: int | None = None


def rebuilt(detail: object) -> Rebuilt | None:
    """``sign_information``, wherever in *detail* it is (protocol section 4)."""
    for given in _mappings(detail):
        info = mapping(given.get("sign_information"))
        if info is None and "truncated_sign_message" in given:
            info = given
        if info is not None:
            return _rebuilt(info)
    return None


def _rebuilt(info: Mapping[str, Any]) -> Rebuilt:
    lines = (_text(info.get("truncated_sign_message")) + "\n" * 4).split("\n")
    length = info.get("sign_message_length")
    known = isinstance(length, int) and not isinstance(length, bool) and length > 0
    return Rebuilt(
        _text(info.get("method")) or lines[0],
        _text(info.get("url")) or lines[1],
        lines[2],
        lines[3],
        length if known else None,
    )


def complaint(detail: object) -> tuple[str, str] | None:
    """The parameter and the issue that WeChat names; ``None`` for ``sign not match``.

    What is said of the signature is what every 401 says, unless it names another thing.
    """
    for given in _mappings(detail):
        issue = _line(given.get("issue"))
        if issue:
            fields = (_line(outer.get("field")) for outer in _mappings(detail))
            field = next(filter(None, fields), "")
            other = field not in ("", "signature") or _NAMED.search(issue)
            return (field, issue) if other else None
    return None


_NAMED = re.compile(
    r"(?i)serial|mchid|mch_id|merchant|certificate|timestamp|expire|clock|nonce"
    r"|商户|证书|时间"
)


def _mappings(detail: object) -> Iterator[Mapping[Any, Any]]:
    """*detail* and what it nests under that name, outermost first."""
    for _ in range(_DEPTH):
        given = mapping(detail)
        if given is None:
            return
        yield given
        detail = given.get("detail")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _line(value: object) -> str:
    """*value* on one printable line: it is WeChat's text, or a proxy's."""
    text = "".join(char if char.isprintable() else " " for char in _text(value))
    return " ".join(text.split())[:_SHOWN]


def parts(request: Request, claim: Claim) -> Parts:
    """The parts of the text that *request* should have been signed over."""
    target, _, fragment = request.target.partition("#")
    path, mark, query = target.partition("?")
    scheme, _, rest = request.url.partition("://")
    meta = _meta(request)
    body = request.body if meta is None else meta
    return Parts(
        request.method,
        path,
        query if mark else None,
        claim.timestamp,
        claim.nonce_str,
        body,
        origin=f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0]}",
        fragment=fragment,
        whole=request.body,
        template=request.template,
    )


def _meta(request: Request) -> bytes | None:
    """What counts of an upload: its part ``meta``, as it went out (section 15)."""
    kind = request.headers.get("Content-Type", "")
    found = _BOUNDARY.search(kind)
    if found is None or not kind.lower().startswith("multipart/"):
        return request.signing_body
    mark = b"--" + found[1].encode("utf-8", "surrogatepass")
    for part in request.body.split(mark)[1:]:
        head, gap, content = part.partition(b"\r\n\r\n")
        if gap and re.search(rb'\bname="?meta"?', head):
            return content.removesuffix(b"\r\n")
    return request.signing_body
