"""Notifications (回调通知) on their way: what is to be told, to whom, and each attempt.

Protocol section 9. Products post what happened; when it goes out is decided here, how
it is sealed in ``envelope``, and the sending itself is the courier's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Protocol, overload

from ..state.tables import Table, key
from .notices import Attempt, Notice, Status, schedule

if TYPE_CHECKING:
    from ..faults.fault import Carriage
    from ..world import World

#: The job that makes an attempt due.
_JOB = "outbox.send"


class Carrier(Protocol):
    """Who does the sending."""

    def send_now(self, notice: Notice, kind: str) -> Attempt:
        """Make one attempt at once, beside the schedule."""
        ...

    def drain(self) -> int:
        """Let time pass until nothing is pending; how many attempts that were."""
        ...


class Plans(Protocol):
    """Who says whether a fault happens to a notification."""

    def carriage(self, event_type: str) -> Carriage | None:
        """The fault in how a notification of this type is carried."""
        ...


class Found(Sequence[Notice]):
    """Some notifications, in order: ``outbox.delivered("REFUND.SUCCESS").once()``."""

    def __init__(self, notices: list[Notice]) -> None:
        self._notices = notices

    def once(self) -> bool:
        """Whether it is exactly one."""
        return len(self) == 1

    def never(self) -> bool:
        """Whether there is none."""
        return not self._notices

    @overload
    def __getitem__(self, at: int) -> Notice: ...
    @overload
    def __getitem__(self, at: slice) -> list[Notice]: ...
    def __getitem__(self, at: int | slice) -> Notice | list[Notice]:
        return self._notices[at]

    def __len__(self) -> int:
        return len(self._notices)

    def __repr__(self) -> str:
        shown = ", ".join(f"{one.event_type} {one.status}" for one in self._notices)
        return f"<{len(self)} notifications: {shown}>"


class Outbox:
    """All notifications of a gateway, ``gateway.outbox``.

    What is posted goes out as soon as the gateway is free; it is repeated by the clock.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._notices: Table[Notice] = world.tables.table("outbox.notices", Notice)
        #: What is due: ``"<id>/<kind>/<count>"``, in order.
        self._ready: Table[str] = world.tables.table("outbox.ready", str)
        #: What a fault holds back until another one went out.
        self._held: Table[str] = world.tables.table("outbox.held", str)
        #: What of it is being sent; it stays there until that is over.
        self._under_way: str | None = None
        self._carrier: Carrier | None = None
        self._plans: Plans | None = None
        world.agenda.serve(_JOB, lambda job, _due: self.enter(job))

    def connect(self, carrier: Carrier, plans: Plans) -> None:
        """Have *carrier* send, and ask *plans* for faults."""
        self._carrier, self._plans = carrier, plans

    # For products.

    def post(
        self,
        event_type: str,
        resource: Mapping[str, Any],
        *,
        mchid: str,
        url: str,
        original_type: str,
        summary: str,
        associated_data: str | None = None,
        example: bool = False,
    ) -> Notice:
        """Enter a notification; it goes out by the clock."""
        notice = Notice(
            self._world.ids.notification_id(),
            event_type,
            original_type,
            mchid,
            url,
            self._world.clock(),
            summary,
            dict(resource),
            original_type if associated_data is None else associated_data,
            example=example,
        )
        self._notices.put(notice.id, notice)
        fault = self._plans.carriage(event_type) if self._plans else None
        if fault is None:
            self.enter(key(notice.id, "try"))
        else:
            fault.plan(self, notice)
        return notice

    # For faults and the courier.

    def enter(self, job: str) -> None:
        """Make an attempt due, and whatever was to come after it."""
        self._ready.put(job, job)
        for held in self._held:
            self._held.delete(held)
            self._ready.put(held, held)

    def later(self, job: str, seconds: float) -> None:
        """Make an attempt due in *seconds*."""
        self._world.agenda.add(self._world.clock() + seconds, _JOB, job)

    def hold(self, job: str) -> None:
        """Make an attempt due once another one is."""
        self._held.put(job, job)

    def withhold(self, notice: Notice) -> None:
        """Do not send it by itself."""
        notice.status = Status.WITHHELD

    @property
    def due(self) -> bool:
        """Whether anything is to be sent now, beside what is being sent."""
        return len(self._ready) > (self._under_way in self._ready)

    def take(self) -> tuple[Notice, str] | None:
        """The next attempt that is due: the notification, and of which kind.

        Whoever makes it says :meth:`finish` when it is over. Until it is noted it
        counts as due in snapshots and state files, so that none of them loses it.
        """
        for job in self._ready:
            number, kind, *_ = job.split("/")
            notice = self._notices.get(number)
            # It may have arrived meanwhile, sent once more by hand.
            if notice and (kind != "try" or notice.status is Status.PENDING):
                self._under_way = job
                return notice, kind
            self._ready.delete(job)
        return None

    def finish(self) -> None:
        """What was taken is no longer under way."""
        self._under_way = None

    def note(self, notice: Notice, attempt: Attempt) -> bool:
        """Record an attempt, and enter the next one of the schedule where it failed.

        ``False`` where the world was put back meanwhile: an attempt that was made for
        another *notice*, if of the same number, is nothing of what there is now.
        """
        if self._notices.peek(notice.id) is not notice:
            return False
        taken = self._under_way or ""
        if f"{taken}/".startswith(key(notice.id, attempt.kind, "")):
            self._ready.delete(taken)
        self._record(notice, attempt)
        return True

    def _record(self, notice: Notice, attempt: Attempt) -> None:
        notice.attempts.append(attempt)
        self._notices.put(notice.id, notice)
        if attempt.verdict.startswith("not sent"):
            notice.status = Status.NOT_SENT
        elif attempt.good and attempt.kind in ("try", "copy", "resend"):
            notice.status = Status.DELIVERED
        if attempt.kind != "try":
            return
        notice.tries += 1
        if notice.status is Status.PENDING:
            pauses = schedule(notice.event_type)
            if notice.tries > len(pauses):
                notice.status = Status.FAILED
            else:
                # From when it was made, not from now: a slow answer delays nothing.
                due = attempt.at + pauses[notice.tries - 1]
                self._world.agenda.add(due, _JOB, key(notice.id, "try"))

    # For tests.

    @property
    def pending(self) -> Found:
        """What is still to be sent, or to be sent again."""
        return Found([one for one in self._notices if one.status is Status.PENDING])

    def posted(self, event_type: str = "*") -> Found:
        """All of this type; ``"REFUND.*"`` is a pattern."""
        return Found([one for one in self if fnmatchcase(one.event_type, event_type)])

    def delivered(self, event_type: str = "*") -> Found:
        """Those of this type that the merchant said yes to."""
        found = self.posted(event_type)
        return Found([one for one in found if one.status is Status.DELIVERED])

    def resend(self, notice: Notice | str) -> Attempt:
        """Send it once more, now; where it arrives, nothing is left to repeat."""
        return self._sender.send_now(self[notice], "resend")

    def probe(self, notice: Notice | str | None = None) -> Attempt:
        """Send a signature probe (签名探测): a wrong signature, which is to be refused.

        By default of the latest notification.
        """
        if notice is None:
            if not len(self):
                raise LookupError("there is no notification yet that could be probed")
            notice = list(self)[-1]
        return self._sender.send_now(self[notice], "probe")

    def drain(self) -> int:
        """Let time pass until nothing is pending; how many attempts that took."""
        return self._sender.drain()

    @property
    def _sender(self) -> Carrier:
        if self._carrier is None:
            raise RuntimeError("this outbox belongs to no gateway")
        return self._carrier

    def __getitem__(self, notice: Notice | str) -> Notice:
        number = notice if isinstance(notice, str) else notice.id
        found = self._notices.get(number)
        if found is None:
            raise KeyError(f"there is no notification {number!r}")
        return found

    def __iter__(self) -> Iterator[Notice]:
        return iter(self._notices)

    def __len__(self) -> int:
        return len(self._notices)

    def __repr__(self) -> str:
        return f"<Outbox {len(self)}>"
