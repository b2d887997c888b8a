"""``Notification``: what WeChat Pay said, verified and decrypted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from .answers import Answer, accept

if TYPE_CHECKING:
    from ..types.notifications import ResourceOf

#: The generation of the API that a notification belongs to.
Version = Literal["v2", "v3"]


@dataclass(frozen=True, repr=False)
class Notification:
    """One notification (回调通知), proven to be WeChat Pay's. Frozen.

    Two are equal if they came in the same bytes. An event is sent again until it is
    accepted, each time in other bytes: what stays is :attr:`id`.
    """

    #: The same each time that this event is sent. With :attr:`mchid`, what to tell
    #: duplicates by. APIv2 has none but for PayScore: there it is made of the type
    #: and the business number, at most 96 characters.
    id: str
    #: ``"TRANSACTION.SUCCESS"`` and so on; of APIv2 ``"V2.TRANSACTION.SUCCESS"``.
    event_type: str
    #: What was decrypted, parsed: of APIv3 JSON, of APIv2 the fields.
    resource: Any = field(compare=False)
    #: When it happened; ``None`` where the message does not say so.
    create_time: datetime | None = None
    #: One line for people.
    summary: str = ""
    #: ``"payscore"``, ``"refund"``, ...: what :attr:`resource` is.
    original_type: str | None = None
    #: The merchant number (商户号) of the client that read it.
    mchid: str = ""
    #: ``"v3"`` for JSON, ``"v2"`` for XML.
    version: Version = "v3"
    #: The WeChat key that signed; ``None`` on APIv2.
    serial: str | None = None
    #: ``Request-ID`` of the attempt, for WeChat Pay's support.
    request_id: str | None = None
    #: What stands around the resource, parsed. Of a refund of APIv2 nothing of it is
    #: signed, the merchant number included.
    envelope: Mapping[str, Any] = field(default_factory=dict[str, Any], compare=False)
    #: The body as it came.
    raw: bytes = b""

    @property
    def resource_of(self) -> ResourceOf:
        """Return the resource with the type that it has for *event_type*.

        ``resource_of("PAYSCORE.USER_PAID")``. Raises ``ValueError`` where this is
        another event.
        """
        return self._resource_of

    def _resource_of(self, event_type: str, /) -> Any:
        if event_type != self.event_type:
            raise ValueError(f"the event is {self.event_type}, not {event_type[:64]!r}")
        return self.resource

    def accept(self, data: Any = None) -> Answer:
        """Make the answer after which WeChat Pay stops sending this event.

        A few events expect data in the answer: *data*, which is sent as JSON.
        """
        return accept(self.version, data)

    def __repr__(self) -> str:
        # The resource names users and sums: it is for the program, not for the log.
        return f"<Notification {self.id} {self.event_type}>"
