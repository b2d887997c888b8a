"""What the outbox keeps: notifications (回调通知), and each attempt to deliver one.

Records only, and when the next attempt is due (protocol section 9).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

#: Seconds before each retry: 15 s, 15 s, 30 s, 3 m, 10 m, 20 m, 30 m three times, 60 m,
#: 3 h three times, 6 h twice: 15 retries within 24 h 4 m (protocol section 9).
SCHEDULE: tuple[int, ...] = (
    *(15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600),
    *(10800, 10800, 10800, 21600, 21600),
)
#: Of the events of sign plans: 11 attempts, one a minute (payscore section 8).
PLAN_SCHEDULE: tuple[int, ...] = (60,) * 10
PLAN_EVENTS = {"PAYSCORE.USER_SIGN_PLAN", "PAYSCORE.USER_CANCEL_SIGN_PLAN"}


def schedule(event_type: str) -> tuple[int, ...]:
    """Seconds before each retry of a notification of this type."""
    return PLAN_SCHEDULE if event_type in PLAN_EVENTS else SCHEDULE


class Status(str, Enum):
    """Where a notification stands."""

    #: It is still to be sent, or to be sent again.
    PENDING = "pending"
    #: The merchant said 2xx in time.
    DELIVERED = "delivered"
    #: Every attempt failed.
    FAILED = "failed"
    #: It had nowhere to go: not loopback, and nothing was given to deliver to.
    NOT_SENT = "not sent"
    #: A fault keeps it back, for now or for ever.
    WITHHELD = "withheld"

    def __str__(self) -> str:
        return self.value


@dataclass
class Attempt:
    """One attempt to deliver, and what came of it."""

    #: Unix seconds by the gateway's clock.
    at: float
    #: ``"try"``, ``"copy"``, ``"resend"``; ``"probe"`` and ``"check"`` have a wrong
    #: signature, and are to be refused.
    kind: str
    url: str
    #: The WeChat key that signed.
    serial: str
    #: HTTP status; ``None`` where there was no answer.
    status: int | None
    #: How long the answer took, by the gateway's clock or the real one.
    seconds: float
    #: The beginning of the answer's body.
    body: str = field(repr=False)
    #: Whether it was answered as it should be.
    good: bool
    #: Such as ``"ok"``, ``"timed out"``, ``"redirected"``, ``"not sent"``.
    verdict: str
    #: What to do about it.
    hint: str = ""


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
    resource: dict[str, Any] = field(repr=False)
    #: What the seal covers beside it; often the original type.
    associated_data: str = ""
    status: Status = Status.PENDING
    #: How many attempts of the schedule were made.
    tries: int = 0
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    #: Whether nothing happened, and this is the catalogue's example of it.
    example: bool = False

    @property
    def hint(self) -> str:
        """The latest hint about how the merchant answers, or ``""``."""
        for attempt in reversed(self.attempts):
            if attempt.hint:
                return attempt.hint
        return ""
