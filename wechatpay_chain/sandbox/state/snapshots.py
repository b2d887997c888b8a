"""A world at one moment, to be put back: for tests that share a scene, for resets."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from ..checks.given import shown
from ..world import World
from .agenda import Job


@dataclass(frozen=True)
class Snapshot:
    """Everything that a call can change, shared with nobody."""

    #: The fingerprint of the gateway it is of: see :meth:`.Registry.fingerprint`.
    whose: str = field(repr=False)
    #: How far the clock had been advanced.
    ahead: float
    #: How far it had jumped to the present when it began to run.
    jumped: float
    tables: dict[str, dict[str, Any]] = field(repr=False)
    jobs: tuple[Job, ...] = field(repr=False)
    counts: dict[str, int] = field(repr=False)


def take(world: World, whose: str) -> Snapshot:
    """The present state of *world*, which is *whose*."""
    return Snapshot(
        whose,
        world.clock.ahead,
        world.clock.jumped,
        {table.name: table.copy() for table in world.tables},
        tuple(world.agenda.jobs),
        dict(world.ids.counts),
    )


def _check(snapshot: object, whose: str) -> None:
    if not isinstance(snapshot, Snapshot):
        raise TypeError(
            "snapshot: what gateway.snapshot() returned expected, got "
            f"{shown(snapshot)}"
        )
    if snapshot.whose != whose:
        raise ValueError(
            "snapshot: it is of a gateway with another seed or other keys, whose "
            "numbers and signatures mean nothing here"
        )


def put_back(world: World, snapshot: Snapshot, whose: str) -> None:
    """Make *world*, which is *whose*, as it was; *snapshot* can be used again.

    Before anything changes, raises ``TypeError`` for what is no snapshot, and
    ``ValueError`` for one of another gateway.
    """
    _check(snapshot, whose)
    for table in world.tables:
        # A table gives out its records themselves: these are copies of the copies.
        table.replace(deepcopy(snapshot.tables.get(table.name, {})))
    world.agenda.replace(snapshot.jobs)
    world.ids.counts = dict(snapshot.counts)
    world.clock.ahead = snapshot.ahead
