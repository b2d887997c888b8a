"""Faults in how notifications are carried: twice, late, out of order, never."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..checks import given
from ..notices.notices import Notice
from ..notices.outbox import Outbox
from ..state.tables import key
from .fault import Carriage

#: Copies of one notification: WeChat Pay sends a few, and each is a request.
MANY = 100


@dataclass(frozen=True)
class Duplicated(Carriage):
    """It comes *copies* times more at once, as from several servers; at most 100."""

    kind: ClassVar[str] = "duplicated"
    copies: int = 1

    def __post_init__(self) -> None:
        given.whole("copies", self.copies, least=1, most=MANY)

    def plan(self, outbox: Outbox, notice: Notice) -> None:
        """The attempt, and its copies."""
        outbox.enter(key(notice.id, "try"))
        for copy in range(self.copies):
            outbox.enter(key(notice.id, "copy", str(copy)))


@dataclass(frozen=True)
class Delayed(Carriage):
    """It comes *seconds* late."""

    kind: ClassVar[str] = "delayed"
    seconds: float = 60.0

    def __post_init__(self) -> None:
        given.number("seconds", self.seconds)

    def plan(self, outbox: Outbox, notice: Notice) -> None:
        """The attempt, later."""
        outbox.later(key(notice.id, "try"), self.seconds)


@dataclass(frozen=True)
class Reordered(Carriage):
    """It comes after the notification that follows it."""

    kind: ClassVar[str] = "reordered"

    def plan(self, outbox: Outbox, notice: Notice) -> None:
        """The attempt, held until another one is due."""
        outbox.hold(key(notice.id, "try"))


@dataclass(frozen=True)
class Never(Carriage):
    """It does not come: delivery is never guaranteed."""

    kind: ClassVar[str] = "never"

    def plan(self, outbox: Outbox, notice: Notice) -> None:
        """Nothing."""
        outbox.withhold(notice)
