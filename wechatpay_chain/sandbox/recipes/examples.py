"""Notifications of what the sandbox has no behaviour for: the catalogue's examples.

Each is sealed, signed and delivered as every other, and says that it is an example:
in its summary, and in the header ``Wechatpay-Sandbox`` of the request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ... import catalogue
from ..._shapes import mapping
from ...catalogue.model import Field
from ..examples.answers import Example
from ..notices.notices import Notice
from ..routing import Call
from .kinds import unknown

if TYPE_CHECKING:
    from ..gateway import Gateway

#: What the summary (回调摘要) begins with.
MARK = "示例"


def post(
    gateway: Gateway, event_type: str, given: Mapping[str, Any], notify_url: str
) -> Notice:
    """Enter the example of *event_type*; *given* are members of its resource.

    Raises ``ValueError`` for one that it does not have.
    """
    message = catalogue.messages()[event_type]
    told = catalogue.messages()[message.moved_to] if message.moved_to else message
    field = told.resource or Field("object")
    names = sorted(set(_names(field)))
    for name in given:
        if name not in names:
            raise ValueError(unknown(name, [*names, "notify_url"], event_type))
    with gateway.lock:
        call = Call(gateway.merchant, body=given, plain_body=given)
        resource = mapping(Example(None, call, gateway.world).make(field)) or {}
        return gateway.outbox.post(
            event_type,
            resource,
            mchid=gateway.mchid,
            url=notify_url,
            original_type=next(iter(told.original_type), "example"),
            summary=f"{MARK}：{told.title or event_type}",
            example=True,
        )


def _names(field: Field) -> Iterator[str]:
    """The names of all members, at any depth."""
    for name, one in (field.fields or {}).items():
        yield name
        yield from _names(one)
    for inner in (*field.options, field.items, field.content):
        if inner is not None:
            yield from _names(inner)
