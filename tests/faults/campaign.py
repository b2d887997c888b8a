"""One campaign: thousands of calls through the faults, and what is wrong afterwards."""

from __future__ import annotations

import gc
import os
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from far_side import FarSide
from ledger import Entry, compare
from merchant import Shop
from plan import Plan
from workers import Phase, Tasks, Threads

#: Bytes that a phase may grow by in its second half.
GROWTH = 5 * 1000 * 1000


@dataclass
class Outcome:
    """All that a campaign found."""

    plan: Plan
    phases: list[Phase]
    counts: dict[str, Any]
    attempts: Counter[str]
    descriptors: tuple[int, int] | None
    violations: list[str] = field(default_factory=list[str])


def run(plan: Plan) -> Outcome:
    """Carry out *plan*."""
    with FarSide(plan.seed, speed=plan.speed) as far:
        gc.collect()
        before, active = descriptors(), threading.active_count()
        shop = Shop(plan, far)
        threads, tasks = Threads("T", plan), Tasks("A", plan)
        threads.run(shop)
        tasks.run(shop)
        after = descriptors()
        outcome = Outcome(
            plan,
            [threads, tasks],
            far.ask("counts"),
            shop.wire.counts,
            None if before is None or after is None else (before, after),
        )
        outcome.violations = violations(outcome, far)
        if threading.active_count() != active:
            outcome.violations.append("threads are left over")
        return outcome


def violations(outcome: Outcome, far: FarSide) -> list[str]:
    """Everything that should not be."""
    ledger = [Entry(*row) for row in far.ask("ledger")]
    views = [view for phase in outcome.phases for view in phase.views]
    found = compare(views, ledger)
    for phase in outcome.phases:
        found += phase.problems
        found += _claims(phase, far)
        found += limits(phase)
    if outcome.descriptors and outcome.descriptors[1] > outcome.descriptors[0]:
        before, after = outcome.descriptors
        found.append(f"{after - before} file descriptors are left open")
    return found


def _claims(phase: Phase, far: FarSide) -> list[str]:
    """What ended ``not_sent`` must not have arrived, ``refused`` have done nothing."""
    not_sent, refused = phase.claims["not_sent"], phase.claims["refused"]
    sent = far.ask("received", calls=list(not_sent))
    done = far.ask("applied", calls=list(refused))
    return [
        *(f"call {call}: not_sent, and it arrived: {not_sent[call]}" for call in sent),
        *(f"call {call}: refused, and it was done: {refused[call]}" for call in done),
    ]


def limits(phase: Phase) -> list[str]:
    """Time, memory or tasks that went beyond what is allowed."""
    plan = phase.plan
    found = []
    if phase.longest > plan.deadline + plan.grace + phase.lag:
        found.append(
            f"{phase.name}: a call took {phase.longest:.1f} s, its deadline is "
            f"{plan.deadline} s"
        )
    if phase.left_over:
        found.append(f"{phase.name}: {phase.left_over} tasks are left on the loop")
    if plan.memory and phase.growth is not None and phase.growth > GROWTH:
        found.append(f"{phase.name}: grew by {phase.growth / 1e6:.1f} MB at the end")
    return found


def descriptors() -> int | None:
    """How many files and sockets this process has open; ``None`` where unknown."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        with suppress(OSError):
            return len(os.listdir(folder))
    return None
