"""Example values for fields, made up: from their names, formats and limits.

The names of the sandbox's default world are used where it has them, so that examples of
what the sandbox serves run there as they stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from ..model import Field, Operation
from ..stub_calls import _EITHER, ADDED


class Code(str):
    """An example value that is an expression of the program, not text."""

    __slots__ = ()


_EXAMPLES = files(__name__.rpartition(".")[0]) / "optional.json"

_TIME = "2030-01-01T12:00:00+08:00"
_COMPACT = "20300101120000"
_DAY = "2030-01-01"
#: Of a bill: it is over.
_PAST = "2024-05-31"
_OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
_SUB_MCHID = "1900000109"
_APPID = "wxd678efh567hg6787"
_SERVICE = "2002000000000558128851361561536"

#: By place: the end of the path of a field.
_PLACES: Mapping[str, Any] = {
    "time_range.start_time": "OnAccept",
    "time_range.end_time": _COMPACT,
    "risk_fund.name": "DEPOSIT",
    "risk_fund.amount": 10000,
    "detail.paid_time": _COMPACT,
    "h5_info.type": "Wap",
    "receivers[].type": "MERCHANT_ID",
    "receivers[].account": _SUB_MCHID,
}

#: By name, where the name alone says what it is.
_NAMES: Mapping[str, Any] = {
    "Idempotency-Key": "REQUEST-0001",
    "account": _SUB_MCHID,
    "account_number": "6222000000000000000",
    "account_bank": "工商银行",
    "address": "示例市示例路1号",
    "amount": 100,
    "appid": _APPID,
    "app_id": _APPID,
    "attach": "order=1",
    "auth_code": "130000000000000000",
    "bank_address_code": "110000",
    "bank_type": "ICBC_DEBIT",
    "bill_date": _PAST,
    "body": "示例商品",
    "count": 1,
    "currency": "CNY",
    "desc": "示例",
    "description": "示例商品",
    "device_ip": "203.0.113.7",
    "email": "name@example.com",
    "contact_email": "name@example.com",
    "digest": Code("sha256(content).hexdigest()"),
    "file_digest": Code("sha256(content).hexdigest()"),
    "media_hash": Code("md5(content).hexdigest()"),
    "fee_type": "CNY",
    "file_name": Code("photo.name"),
    "filename": Code("photo.name"),
    "limit": 20,
    "mch_id": "1900000001",
    "mchid": "1900000001",
    "message": "示例",
    "nonce_str": "5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
    "offset": 0,
    "openid": _OPENID,
    "page_size": 20,
    "plate_number": "粤A00000",
    "prepaid_time": _COMPACT,
    "reason": "用户投诉",
    "service_id": _SERVICE,
    "service_introduction": "共享充电宝",
    "sha256": Code("sha256(content).hexdigest()"),
    "sp_appid": _APPID,
    "sp_mchid": "1900000001",
    "combine_mch_id": "1900000001",
    "sub_appid": "wx0000000000000002",
    "sub_mch_id": _SUB_MCHID,
    "sub_mchid": _SUB_MCHID,
    "timestamp": "1893470400",
    "transaction_id": "4200000000203001010000000001",
    "upload_time": _TIME,
    "version": "1.0",
}

#: By the end of the name, in this order.
_ENDINGS: tuple[tuple[str, Any], ...] = (
    ("appid", _APPID),
    ("mchid", _SUB_MCHID),
    ("mch_id", _SUB_MCHID),
    ("openid", _OPENID),
    ("notify_url", "https://example.com/notify"),
    ("url", "https://example.com/page"),
    ("_ip", "203.0.113.7"),
    ("clientip", "203.0.113.7"),
    ("phone", "13900000000"),
    ("mobile", "13900000000"),
    ("tel", "13900000000"),
    ("phone_number", "13900000000"),
    ("id_card_number", "00000019900101000X"),
    ("currency", "CNY"),
    ("user_name", "张三"),
    ("real_name", "张三"),
    ("contact_name", "张三"),
    ("amount", 100),
    ("fee", 100),
    ("price", 100),
    ("total", 100),
    ("_date", _DAY),
    ("_day", _DAY),
    ("date", _DAY),
    ("_time", _TIME),
    ("remark", "示例备注"),
)

#: By the format of a field.
_FORMATS: Mapping[str | None, Any] = {
    "rfc3339": _TIME,
    "date": _DAY,
    "yyyyMMddHHmmss": _COMPACT,
    "mm/yy": "01/30",
    "MediaId": "MEDIA-0001",
    "MediaUrl": "https://example.com/picture.png",
    "url": "https://example.com/page",
    "numeric": "1001",
}

#: By the pattern of a field: the few that there are.
_PATTERNS: Mapping[str | None, str] = {
    r"[0-9]{6}": "090000",
    r"\d{8}|\d{14}|OnAccept": "OnAccept",
    r"\d{8}|\d{14}": _COMPACT,
}

_NUMBER = re.compile(r"(?:out_)?(.+?)_(?:no|id|code|sn|number|serial|ssn|billno)")


def sample(
    field: Field, name: str = "", place: str = "", also: frozenset[str] = frozenset()
) -> Any:
    """An example value of *field*, with what is required in it, and *also* by place.

    *name* is its own name, *place* its path from the root of the body.
    """
    if field.options:
        return sample(field.options[0], name, place, also)
    if field.content is not None:
        return _content(field.content_kind, sample(field.content, name, place, also))
    if field.type == "object":
        return members(field, place, also)
    if field.type == "array":
        item = sample(field.items or Field("string"), name, f"{place}[]", also)
        return [item] * max(1, field.shortest or 1)
    if field.enum:
        return field.enum[0] if field.default is None else field.default
    if field.type == "boolean":
        return True
    return _scalar(field, name, place)


def members(
    field: Field, place: str = "", also: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The required members of an object, and *also*; the first one where none is."""
    given = field.fields or {}
    places = {name: f"{place}.{name}" if place else name for name in given}
    names = [n for n, inner in given.items() if inner.required or places[n] in also]
    return {
        name: sample(given[name], name, places[name], also)
        for name in names or list(given)[:1]
    }


def query_of(operation: Operation) -> dict[str, Any]:
    """The example query of *operation*, without a ``sign``.

    Nor what the client adds by itself, where it signs the query (APIv2).
    """
    also = frozenset(_also().get(str(operation), ()))
    # The documents of pages that redirect mark nothing as required.
    found = {
        name: sample(field, name, name)
        for name, field in operation.query.items()
        if field.required or name in also
    } or {
        name: sample(field, name, name)
        for name, field in operation.query.items()
        if operation.redirect
    }
    # A link for the user's browser is no call: there the program adds the rest.
    calls = operation.signs_query and not operation.redirect
    spare = ADDED if calls else {"sign"}
    return {name: value for name, value in found.items() if name not in spare}


def body_of(operation: Operation) -> dict[str, Any] | None:
    """The example body of *operation*; ``None`` where it has none.

    Without what the client adds by itself (APIv2), and with one of two alternatives.
    """
    if operation.body is None:
        return None
    also = frozenset(_also().get(str(operation), ()))
    made = members(operation.body, also=also)
    if operation.encoding != "xml":
        return made
    spare = {second for first, second in _EITHER if first in made and second in made}
    # XML has text and numbers only.
    given = {n: "true" if one is True else one for n, one in made.items()}
    return {n: value for n, value in given.items() if n not in ADDED | spare}


@cache
def _also() -> Mapping[str, list[str]]:
    """Places of optional fields of a sensible example, by operation: by hand."""
    found: Mapping[str, list[str]] = json.loads(_EXAMPLES.read_text("utf-8"))
    return found


def _content(kind: str | None, value: Any) -> str:
    if kind == "urlencoded":
        return urlencode(value)
    return json.dumps(value, ensure_ascii=False)


def _scalar(field: Field, name: str, place: str) -> Any:
    value = _guess(field, name, place)
    if field.type in ("integer", "number"):
        if not isinstance(value, int):
            value = int(value) if str(value).isdecimal() else 1001
        low = value if field.minimum is None else max(value, field.minimum)
        return low if field.maximum is None else min(low, field.maximum)
    if isinstance(value, Code):
        return value
    if value in (_DAY, _PAST) and field.longest == len(_DAY) - 2:
        value = value.replace("-", "")  # the days of APIv2
    return _fitted(str(value), field)


def _guess(field: Field, name: str, place: str) -> Any:
    if field.encrypted == "rsa-bank":
        plain = "张三" if name.endswith("name") else _NAMES["account_number"]
        return Code(f'encrypt_oaep("{plain}", bank_key)')
    if field.pattern in _PATTERNS:
        return _PATTERNS[field.pattern]
    if field.format == "rfc3339":
        return _TIME  # also where most endpoints have another form
    for end, value in _PLACES.items():
        if place == end or place.endswith(f".{end}"):
            return value
    if name in _NAMES:
        known = _NAMES[name]
        # A service of the legacy lists is a number: that long one has no room in it.
        return 500001 if known is _SERVICE and field.type == "integer" else known
    if field.format in _FORMATS:
        return _FORMATS[field.format]
    for end, value in _ENDINGS:
        if name.endswith(end):
            return value
    return _numbered(field, name)


def _numbered(field: Field, name: str) -> Any:
    if field.type in ("integer", "number"):
        return 1001 if name.endswith(("_id", "_no", "_code")) else 1
    match = _NUMBER.fullmatch(name)
    if match:
        return f"{match[1].upper().replace('_', '-')}-0001"
    return field.label or name or "示例"


def _fitted(text: str, field: Field) -> str:
    if field.longest is not None:
        text = text[: field.longest]
    return text.ljust(field.shortest or 0, "0")
