"""Every endpoint that no product serves: checked by the catalogue, answered by example.

An answer is signed like any other and says ``Wechatpay-Sandbox: example``: nothing was
done, and the next call will know nothing of it.
"""

from __future__ import annotations

from ...catalogue.model import Field, Operation
from ..checks import catalogued
from ..routing import Answer, Call, Route
from ..signatures.signing import Download
from ..world import World
from .answers import Example

#: What ``Wechatpay-Sandbox`` says of an example.
KIND = "example"

#: The smallest picture: one transparent pixel, as PNG.
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
_PAGE = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_TABLE = "交易时间,商户号,金额\r\n`2030-01-01 12:00:00,`1900000001,`1.00\r\n".encode()


class Fallback:
    """Makes routes of operations: ``Router(routes, fallback.route)``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def route(self, operation: Operation) -> Route:
        """The route that answers *operation* by example."""

        def behave(call: Call) -> Answer:
            return self._answer(operation, call)

        return catalogued.of(operation, behave, kind=KIND)

    def _answer(self, operation: Operation, call: Call) -> Answer:
        status, field = _success(operation)
        if field is None:
            return Answer(status)
        if field.type == "file":
            return Answer(status, _file(operation))
        return Answer(status, Example(operation, call, self._world).make(field))


def _success(operation: Operation) -> tuple[int, Field | None]:
    for status, field in operation.answers.items():
        if status < 300:
            return status, field
    return 204, None


def _file(operation: Operation) -> Download:
    """A file of the kind that is asked for."""
    template = operation.template
    if template.endswith("/statements"):
        return Download(_TABLE, "text/csv; charset=utf-8", statement=True)
    if "/images/" in template:
        return Download(_PIXEL, "image/png")
    if "bill" in template:
        return Download(_TABLE, "text/plain; charset=utf-8")
    return Download(_PAGE, "application/pdf")
