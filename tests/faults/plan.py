"""How large a campaign is, and how patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Plan:
    """How much is done, and how patiently."""

    seed: int = 1
    #: In each of the two phases.
    calls: int = 20_000
    threads: int = 16
    tasks: int = 256
    timeout: tuple[float, float] = (1.0, 1.0)
    attempts: int = 3
    #: Seconds for a call, and what it may take beyond them on a busy machine, beside
    #: what the event loop is late.
    deadline: float = 4.0
    grace: float = 1.0
    #: Seconds within which the tasks begin: hundreds at once would block the loop.
    ramp: float = 1.0
    #: Share of the orders whose calls are not repeated, so that every fault shows.
    hasty: float = 0.3
    #: How many times as fast as real time the clocks of client and gateway go.
    speed: float = 30.0
    #: Whether memory is measured; it says nothing where little is done.
    memory: bool = True
    #: Layers to put into the client, outermost; for a campaign that has to fail.
    layers: Sequence[Callable[..., Any]] = ()
