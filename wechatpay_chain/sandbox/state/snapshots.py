"""A world at one moment, to be put back: for tests that share a scene, for resets."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from ..world import World
from .agenda import Job


@dataclass(frozen=True)
class Snapshot:
    """Everything that a call can change, shared with nobody."""

    #: How far the clock had been advanced.
    ahead: float
    tables: dict[str, dict[str, Any]] = field(repr=False)
    jobs: tuple[Job, ...] = field(repr=False)
    counts: dict[str, int] = field(repr=False)


def take(world: World) -> Snapshot:
    """The present state of *world*."""
    return Snapshot(
        world.clock.ahead,
        {table.name: table.copy() for table in world.tables},
        tuple(world.agenda.jobs),
        dict(world.ids.counts),
    )


def put_back(world: World, snapshot: Snapshot) -> None:
    """Make *world* as it was; *snapshot* can be used again."""
    for table in world.tables:
        # A table gives out its records themselves: these are copies of the copies.
        table.replace(deepcopy(snapshot.tables.get(table.name, {})))
    world.agenda.replace(snapshot.jobs)
    world.ids.counts = dict(snapshot.counts)
    world.clock.ahead = snapshot.ahead
