"""What WeChat Pay is to be answered (protocol sections 9 and 16). No framework here."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from ..errors import NotificationError
from ..middleware import json_body, xml_body

_JSON = "application/json"
_XML = "text/xml; charset=utf-8"

#: What whoever posted is told. It may be anybody: no more than the kind of mistake.
_REASONS = {
    400: "the notification cannot be read",
    401: "the signature is refused",
}
_FAILED = "the notification was not handled"


class Answer(NamedTuple):
    """An HTTP answer, for any framework to send."""

    status_code: int
    body: bytes
    #: ``Content-Type`` where there is a body, else nothing.
    headers: dict[str, str]


def accept(version: Literal["v2", "v3"] = "v3", data: Any = None) -> Answer:
    """Make the answer that ends it: 204, with *data* 200, on APIv2 ``SUCCESS``."""
    if version == "v2":
        body = xml_body.dump({"return_code": "SUCCESS", "return_msg": "OK"})
        return Answer(200, body, {"Content-Type": _XML})
    if data is None:
        return Answer(204, b"", {})
    return Answer(200, json_body.dump(data), {"Content-Type": _JSON})


def refuse(
    error: BaseException | None = None, version: Literal["v2", "v3"] = "v3"
) -> Answer:
    """Make the answer after which WeChat Pay sends it again.

    Its status is that of a ``NotificationError``, and 500 for anything else: a handler
    that failed. *version* counts for the latter only.

    >>> refuse(KeyError("x")).status_code
    500
    """
    status = 500
    if isinstance(error, NotificationError):
        status, version = error.status_code, error.version
    reason = _REASONS.get(status, _FAILED)
    if version == "v2":
        body = xml_body.dump({"return_code": "FAIL", "return_msg": reason})
        return Answer(status, body, {"Content-Type": _XML})
    body = json_body.dump({"code": "FAIL", "message": reason})
    return Answer(status, body, {"Content-Type": _JSON})
