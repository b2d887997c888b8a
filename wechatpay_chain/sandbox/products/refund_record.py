"""One refund (退款单) as a record: what was asked for, and what happened.

It changes state in one way only: :meth:`Refund.happen`, which asks the table. No
request is read here, so that APIv3 and APIv2 can share one record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..lifecycles.trades import REFUND, RefundEvent, RefundState
from ..state.tables import key


class RefundStep(NamedTuple):
    """One thing that happened to a refund."""

    at: float
    event: RefundEvent
    before: RefundState | None
    after: RefundState
    #: The notification that goes out.
    emits: str | None = None


@dataclass(eq=False)
class Refund:
    """One refund. Read it freely; acts go through the gateway."""

    mchid: str
    out_refund_no: str
    #: Which API asked for it: ``"v3"`` or ``"v2"``.
    door: str
    transaction_id: str
    out_trade_no: str
    #: What goes back, and what was paid, in fen.
    amount: int
    total: int
    created_at: float
    #: The call as it was made, to know a repetition by.
    request: dict[str, Any] = field(repr=False)
    sub_mchid: str | None = None
    notify_url: str | None = None
    #: The number that WeChat Pay gives.
    refund_id: str = ""
    arrived_at: float | None = None
    #: The call for a second way, after the first one failed.
    second_way: dict[str, Any] | None = field(default=None, repr=False)
    steps: list[RefundStep] = field(default_factory=list[RefundStep])
    #: How often it is still to be looked at before the money arrives.
    looks: int = 0

    @property
    def key(self) -> str:
        """Where it stands in its table."""
        return key(self.mchid, self.out_refund_no)

    @property
    def state(self) -> RefundState:
        """Where it stands."""
        return self.steps[-1].after

    @property
    def history(self) -> list[RefundState]:
        """The states it went through, the present one last."""
        return [step.after for step in self.steps if step.before is not step.after]

    def happen(self, event: RefundEvent, at: float, *, same: bool = False) -> bool:
        """Take *event* through the table; whether the state may have changed.

        ``False`` for an identical repetition. Raises :class:`Refusal`.
        """
        before = self.steps[-1].after if self.steps else None
        found = REFUND.cell(before, event)
        after = REFUND.follow(before, event, same=same)
        if found.to is None:
            return False
        self.steps.append(RefundStep(at, event, before, after, found.emits))
        return True

    def age(self, seconds: float) -> None:
        """Make it as if everything had happened *seconds* earlier."""
        self.created_at -= seconds
        if self.arrived_at is not None:
            self.arrived_at -= seconds
        self.steps = [step._replace(at=step.at - seconds) for step in self.steps]

    def __repr__(self) -> str:
        return f"<Refund {self.out_refund_no} {self.state}>"
