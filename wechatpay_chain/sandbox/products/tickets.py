"""Tickets: opaque texts that stand for something for an hour.

The ``package`` of an order, the token of a pre-authorisation (payscore section 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..state.tables import Table
from ..world import World

#: Seconds that a ticket is good for.
LIFETIME = 3600


@dataclass
class Ticket:
    """What one stands for, and until when."""

    #: The key of the record.
    of: str
    expires_at: float


class Tickets:
    """The tickets of one kind, of one gateway."""

    def __init__(self, world: World, kind: str) -> None:
        self._world = world
        self._kind = kind
        self._tickets: Table[Ticket] = world.tables.table(f"payscore.{kind}s", Ticket)

    def issue(self, of: str) -> str:
        """A fresh ticket for the record of that key."""
        text = self._world.ids.token(self._kind)
        self._tickets.put(text, Ticket(of, self._world.clock() + LIFETIME))
        return text

    def redeem(self, text: str) -> str:
        """The key of the record. Raises ``ValueError`` for one that is not good."""
        ticket = self._tickets.peek(text)
        if ticket is None:
            raise ValueError(f"no such {self._kind} was given out")
        if ticket.expires_at <= self._world.clock():
            raise ValueError(
                f"this {self._kind} has expired; the same call gives another one"
            )
        return ticket.of

    def age(self, seconds: float) -> None:
        """Make it as if all had been issued *seconds* earlier."""
        for ticket in self._tickets:
            ticket.expires_at -= seconds
