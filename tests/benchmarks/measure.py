"""How contenders are compared: in turns, round after round, by medians.

A B C A B C: what the rest of the machine does falls on all of them alike. A ratio is
the median of the ratios of each round, so that a slow round counts against nobody.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from time import perf_counter, process_time


@dataclass(frozen=True)
class Effort:
    """How long to measure: *rounds*, in each of which the first runs for *seconds*."""

    rounds: int
    seconds: float


@dataclass(frozen=True)
class Contender:
    """Something that makes calls: ``run(n)`` returns when *n* of them are done."""

    name: str
    run: Callable[[int], None]


@dataclass
class Result:
    """What one contender did in each round."""

    name: str
    #: Wall-clock and CPU seconds of one call, all threads of the process together.
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Calls per second."""
        return 1 / median(self.wall)

    @property
    def cpu_per_call(self) -> float:
        """Seconds of CPU per call."""
        return median(self.cpu)


@dataclass(frozen=True)
class Ratio:
    """A median, and the range that half of the rounds lie in."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.low:.2f}-{self.high:.2f})"


def speed_ratio(result: Result, floor: Result) -> Ratio:
    """Calls per second, times the floor's."""
    return _ratio([f / r for r, f in zip(result.wall, floor.wall)])


def cpu_ratio(result: Result, floor: Result) -> Ratio:
    """CPU per call, times the floor's."""
    return _ratio([r / f for r, f in zip(result.cpu, floor.cpu)])


def _ratio(values: list[float]) -> Ratio:
    if len(values) < 2:
        return Ratio(values[0], values[0], values[0])
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return Ratio(middle, low, high)


def race(
    contenders: Sequence[Contender], effort: Effort, *, step: int = 1
) -> list[Result]:
    """Let all run in turns, the first for its time in each round, the others as often.

    The number of calls is a multiple of *step*, the number of threads or tasks.
    """
    for contender in contenders:
        contender.run(10 * step)  # connections, caches, lazy imports
    trial = _timed(contenders[0], 20 * step)[0]
    calls = max(1, round(effort.seconds / trial / step)) * step
    results = [Result(contender.name) for contender in contenders]
    for _ in range(effort.rounds):
        for contender, result in zip(contenders, results):
            contender.run(2 * step)
            wall, cpu = _timed(contender, calls)
            result.wall.append(wall)
            result.cpu.append(cpu)
    return results


def _timed(contender: Contender, calls: int) -> tuple[float, float]:
    """Wall-clock and CPU seconds of one call."""
    gc.collect()
    started, used = perf_counter(), process_time()
    contender.run(calls)
    return (perf_counter() - started) / calls, (process_time() - used) / calls
