"""Example answers: what the catalogue says an answer holds, filled in.

Inputs come back where the answer has a member of their name that they fit into, numbers
come from the gateway's own source, times from its clock; the rest is made up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from ... import crypto
from ..._shapes import mapping, sequence
from ...catalogue.examples.samples import Code, sample
from ...catalogue.model import Field, Operation
from ...catalogue.paging import layout
from ...catalogue.schema import check_value
from ...crypto.aes import AEAD
from ..routing import Call
from ..world import World, compact, rfc3339

#: Names of the number of all items.
_TOTALS = frozenset({"total_count", "total_num", "total"})
#: Members that are another one of the same object again, unless they are given.
_TWINS = {
    "payer_total": "total",
    "payer_refund": "refund",
    "payer_currency": "currency",
    "settlement_total": "total",
    "settlement_refund": "refund",
}
#: What would send a walk over pages on for ever.
_NEXT = frozenset({"next_page_token", "next_token"})
_FAILURE = re.compile(r"fail|error|reject|abnormal|wrong")
_NUMBERS = ("_id", "_no", "_token", "_sn", "_billno", "_code")


class Example:
    """Makes the answer of one call; with no *operation* what a notification tells."""

    def __init__(self, operation: Operation | None, call: Call, world: World) -> None:
        self._call = call
        self._world = world
        body = call.plain_body
        given = {**call.plain_query, **body, **call.path}
        #: Inputs by name: what a member of any depth may repeat.
        self._inputs = {
            name: value
            for name, value in given.items()
            if isinstance(value, (str, int, float))
        }
        self._body = body
        pages = None if operation is None else layout(operation)
        self._beyond = False
        if pages is not None and pages.style != "token":
            first = 0 if pages.style == "offset" else 1
            at = str((body if pages.in_body else call.query).get(pages.start, first))
            self._beyond = at.isdecimal() and int(at) > first
        self._list = None if pages is None else pages.items

    def make(self, field: Field) -> Any:
        """The answer that *field* describes."""
        return self._value(field, "", "", self._body)

    def _value(self, field: Field, name: str, place: str, given: Any) -> Any:
        """A value for *field*; *given* is what stands at its place in the body."""
        if field.options:
            return self._value(field.options[0], name, place, given)
        if field.content is not None and field.content_kind == "json":
            inner = self._value(field.content, name, place, None)
            return json.dumps(inner, ensure_ascii=False)
        if field.type == "object":
            return self._object(field, place, mapping(given) or {})
        if field.type == "array":
            return self._array(field, name, place, sequence(given) or ())
        value = self._scalar(field, name, place, given)
        if field.encrypted == "rsa-merchant":
            return crypto.encrypt_oaep(str(value), self._call.merchant.public_key)
        return value

    def _object(
        self, field: Field, place: str, given: Mapping[Any, Any]
    ) -> dict[str, Any]:
        members = {
            name: one
            for name, one in (field.fields or {}).items()
            if one.required or not _is_left_out(name, one)
        }
        made = {
            name: self._value(
                one, name, f"{place}.{name}" if place else name, given.get(name)
            )
            for name, one in members.items()
        }
        for name, twin in _TWINS.items():
            if name in made and twin in made and name not in given:
                made[name] = made[twin]
        self._count(made, members)
        if any(one.encrypted == "aes-gcm" for one in members.values()):
            self._seal(made, members)
        return made

    def _count(self, made: dict[str, Any], members: Mapping[str, Field]) -> None:
        """Let a total say how many items there are."""
        lists = [name for name, one in members.items() if one.type == "array"]
        if not lists:
            return
        listed = made["data" if "data" in lists else lists[0]]
        for name in _TOTALS & made.keys():
            if members[name].type == "integer":
                # A page beyond the end is a page of a list of one item.
                made[name] = max(len(listed), int(self._beyond))

    def _seal(self, made: dict[str, Any], members: Mapping[str, Field]) -> None:
        """Encrypt under the APIv3 key what goes by nonce and associated data."""
        nonce = self._world.ids.nonce("example")[:12]
        made.update(algorithm=AEAD, nonce=nonce, associated_data="example")
        for name, one in members.items():
            if one.encrypted == "aes-gcm":
                key = self._call.merchant.apiv3_key
                text = str(made[name]).encode()
                made[name] = crypto.encrypt_gcm(text, key, nonce, "example")

    def _array(self, field: Field, name: str, place: str, given: Any) -> list[Any]:
        if self._beyond and self._list == tuple(place.split(".")):
            return []
        item = field.items or Field("string")
        low = max(1, field.shortest or 1)
        items = [*given] if low <= len(given) <= (field.longest or 1000) else [None]
        made = [self._value(item, name, f"{place}[]", one) for one in items]
        return made + [made[-1]] * (low - len(made))

    def _scalar(self, field: Field, name: str, place: str, given: Any) -> Any:
        for value in self._candidates(field, name, given):
            fitted = _fitted(field, value)
            if fitted is not None:
                return fitted
        made = sample(field, name, place)
        if isinstance(made, Code):  # an expression for a hash or a file's name
            text = sha256(name.encode()).hexdigest() if "name" not in name else "a.png"
            return text[: field.longest]
        return made

    def _candidates(self, field: Field, name: str, given: Any) -> Iterator[Any]:
        """What may stand for *field*, best first."""
        yield given
        yield self._inputs.get(name)
        yield self._own(name)
        now = self._world.clock()
        if field.format == "rfc3339":
            yield rfc3339(now)
        elif field.format == "yyyyMMddHHmmss":
            yield compact(now)
        elif field.format == "date":
            yield rfc3339(now)[:10]
        free = field.type == "string" and not (field.enum or field.pattern)
        if name == "transaction_id":
            yield self._world.ids.transaction_id(now)
        elif free and name.endswith(_NUMBERS) and not name.endswith("_url"):
            number = self._world.ids.example(name)
            yield number[-field.longest :] if field.longest else number

    def _own(self, name: str) -> str | None:
        """What belongs to the merchant that asks."""
        merchant = self._call.merchant
        if name in ("mchid", "sp_mchid", "mch_id", "combine_mchid"):
            return merchant.mchid
        if name in ("appid", "sp_appid", "combine_appid"):
            return min(merchant.appids, default=None)
        if name in ("sub_mchid", "sub_mch_id"):
            return min(merchant.sub_mchids, default=None)
        return None


def _is_left_out(name: str, field: Field) -> bool:
    """What an example does better without, where it may."""
    return bool(
        field.deprecated
        or field.unsure
        or name in _NEXT
        or "$" in name
        # What a success does not have.
        or (field.type in ("string", "object") and _FAILURE.search(name))
    )


def _fitted(field: Field, value: Any) -> Any:
    """*value* as *field* has it, or ``None`` where it does not fit."""
    if isinstance(value, str) and field.type == "integer" and field.format is None:
        # A query has digits for a number.
        digits = value.isascii() and value.isdecimal() and len(value) < 19
        value = int(value) if digits else None
    elif isinstance(value, str) and field.type == "boolean":
        value = {"true": True, "false": False}.get(value)
    if value is None or value == "" or next(check_value(field, value, ""), None):
        return None
    return value
