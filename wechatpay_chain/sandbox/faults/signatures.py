"""Wrong signatures of WeChat Pay's, on answers and on notifications alike.

Each takes a message that is signed as it should be and spoils one thing (protocol
section 5); what was not signed stays as it is.
"""

from __future__ import annotations

from ..._messages import Headers, Request, Response
from ..notices.envelope import PROBE, Signature
from ..signatures.signing import WeChatKeys

BAD = "bad"
MISSING = "missing"
UNKNOWN = "unknown"
EXPIRED = "expired"
SWITCHED = "switched"
PROBED = "probe"

#: What can be wrong with a signature.
WAYS: dict[str, str] = {
    BAD: "it is of another text",
    MISSING: "the header is not there",
    UNKNOWN: "the serial is of no key that anybody has",
    EXPIRED: "it holds, but was made 301 s ago",
    SWITCHED: "the other kind of WeChat Pay's keys made it",
    PROBED: f"it begins with {PROBE} (签名探测)",
}

#: One second more than is accepted (protocol section 5).
TOO_OLD = 301

_HEADERS = ("Timestamp", "Nonce", "Serial", "Signature")


def spoil(
    way: str, message: Request | Response, keys: WeChatKeys, now: float
) -> Headers:
    """The headers of *message*, with its signature wrong in this way."""
    headers = message.headers
    missing = [f"Wechatpay-{name}" not in headers for name in _HEADERS]
    if any(missing):
        return headers
    body = message.body if isinstance(message, Request) else message.content
    signature = headers["Wechatpay-Signature"]
    if way == MISSING:
        return headers.without("Wechatpay-Signature")
    if way == UNKNOWN:
        serial = headers["Wechatpay-Serial"]
        # Real ones begin with 0 and 5.
        other = "PUB_KEY_ID_9" if serial.startswith("PUB_KEY_ID_") else "0"
        return headers.merge({"Wechatpay-Serial": other + serial[len(other) :]})
    if way == PROBED:
        return headers.merge({"Wechatpay-Signature": PROBE + signature})
    if way == BAD:
        return headers.merge(_resigned(headers, keys, body + b" "))
    if way == EXPIRED:
        return headers.merge(_resigned(headers, keys, body, int(now) - TOO_OLD))
    return headers.merge(_resigned(headers, keys, body, switched=True))


def resigned(message: Response, keys: WeChatKeys) -> Headers:
    """The headers of a *message* whose body was changed, signed again."""
    headers = message.headers
    if "Wechatpay-Signature" not in headers:
        return headers
    return headers.merge(_resigned(headers, keys, message.content))


def _resigned(
    headers: Headers,
    keys: WeChatKeys,
    body: bytes,
    timestamp: int | None = None,
    *,
    switched: bool = False,
) -> dict[str, str]:
    serial = headers["Wechatpay-Serial"]
    if switched:
        public = serial != keys.public_key_id
        serial = keys.public_key_id if public else keys.certificate_serial
    key = keys.find(serial)
    assert key is not None
    at = headers["Wechatpay-Timestamp"] if timestamp is None else str(timestamp)
    return Signature(serial, key, at, headers["Wechatpay-Nonce"]).headers(body)
