"""Notifications (回调通知) on their way: what is to be told, to whom, and each attempt.

Protocol section 9. Products post what happened; sealing and sending is done here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .tables import Table

if TYPE_CHECKING:
    from .world import World


@dataclass(eq=False)
class Notice:
    """One notification."""

    id: str
    event_type: str
    original_type: str
    #: The merchant whose APIv3 key it is sealed under.
    mchid: str
    url: str
    created_at: float
    summary: str
    #: The plaintext of the resource (通知数据).
    resource: Mapping[str, Any] = field(repr=False)


class Outbox:
    """All notifications of a gateway."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._notices: Table[Notice] = world.tables.table("outbox.notices", Notice)

    def post(
        self,
        event_type: str,
        resource: Mapping[str, Any],
        *,
        mchid: str,
        url: str,
        original_type: str,
        summary: str,
    ) -> Notice:
        """Enter a notification; it goes out by the clock."""
        now = self._world.clock()
        number = self._world.ids.notification_id()
        notice = Notice(
            number, event_type, original_type, mchid, url, now, summary, dict(resource)
        )
        self._notices.put(number, notice)
        return notice

    def __iter__(self) -> Iterator[Notice]:
        return iter(self._notices)

    def __len__(self) -> int:
        return len(self._notices)

    def __repr__(self) -> str:
        return f"<Outbox {len(self)}>"
