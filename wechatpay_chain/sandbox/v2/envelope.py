"""Notifications of APIv2: XML with a ``sign``, or with a part sealed under the key.

Protocol section 16: a refund's is not signed, its ``req_info`` is AES-256-ECB.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ... import crypto
from ..._messages import Headers, Request, Response
from ...middleware import xml_body
from ..notices.notices import Notice
from ..world import Merchant, World
from .answers import flat

#: What types of notifications begin with; APIv2 itself names none.
PREFIX = "V2."

_INFO = "req_info"
_SIGN = re.compile(rb"(<(sign|req_info)><!\[CDATA\[)([0-9A-Za-z+/=])", flags=re.ASCII)
_YES = re.compile(rb"<return_code>\s*(?:<!\[CDATA\[)?\s*SUCCESS\b")


def seal(notice: Notice, world: World) -> Request:
    """The request that delivers *notice*."""
    merchant = world.merchants[notice.mchid]
    body = _body(notice.resource, merchant, world.ids.nonce("notification v2"))
    headers = {
        "Content-Type": "text/xml",
        "Accept": "*/*",
        "User-Agent": "Mozilla/4.0",
        "Request-ID": world.ids.request_id(0),
    }
    return Request("POST", notice.url, Headers(headers), body)


def _body(resource: Mapping[str, Any], merchant: Merchant, nonce: str) -> bytes:
    fields: dict[str, Any] = {**resource, "nonce_str": nonce}
    info = fields.pop(_INFO, None)
    sent = flat(fields)
    if info is not None:
        inner = xml_body.dump(flat(info)).decode()
        # Its root has another name than that of the message.
        plain = f"<root>{inner.removeprefix('<xml>').removesuffix('</xml>')}</root>"
        return xml_body.dump(
            {**sent, _INFO: crypto.encrypt_ecb(plain, merchant.secret)}
        )
    hmac = sent.get("sign_type") == "HMAC-SHA256"
    make = crypto.sign_hmac if hmac else crypto.sign_md5
    return xml_body.dump({**sent, "sign": make(sent, merchant.secret)})


def is_xml(message: Request | Response) -> bool:
    """Whether *message* is one of APIv2."""
    return message.headers.get("Content-Type", "").startswith("text/xml")


def spoiled(request: Request) -> Request:
    """*request* with another sign, or with something else sealed."""
    return request.replace(body=otherwise(request.body))


def otherwise(body: bytes) -> bytes:
    """*body* with one character of its sign, or of what is sealed, changed."""

    def other(match: re.Match[bytes]) -> bytes:
        return match[1] + (b"B" if match[3] == b"A" else b"A")

    return _SIGN.sub(other, body)


def accepted(body: bytes) -> bool:
    """Whether the answer to a notification says yes: ``return_code`` ``SUCCESS``."""
    return _YES.search(body) is not None
