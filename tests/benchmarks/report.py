"""One table: what was measured, ratios first, and how it stands to its target."""

from __future__ import annotations

import os
import platform
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from measure import Result, cpu_ratio, speed_ratio

HEADINGS = ("", "speed", "CPU", "calls/s", "µs CPU/call", "target")
LIBRARIES = ("requests", "urllib3", "aiohttp", "cryptography", "wrapt")


@dataclass(frozen=True)
class Target:
    """A bound on a ratio to the floor (speed, CPU, time), or on microseconds of CPU."""

    kind: str
    bound: float
    at_least: bool = False

    def judge(self, value: float) -> str:
        """The bound, and whether *value* keeps it."""
        met = value >= self.bound if self.at_least else value <= self.bound
        sign = "≥" if self.at_least else "≤"
        verdict = "met" if met else "MISSED"
        return f"{self.kind} {value:.2f} {sign} {self.bound:g}: {verdict}"


@dataclass(frozen=True)
class Row:
    """One contender, with its ratios to the floor where it has one."""

    title: str
    result: Result
    floor: Result | None = None
    targets: tuple[Target, ...] = ()

    def cells(self) -> tuple[str, ...]:
        """The texts of one line of the table."""
        microseconds = self.result.cpu_per_call * 1e6
        known = {"µs": microseconds}
        speed = cpu = ""
        if self.floor is self.result:
            speed = cpu = "1"
        elif self.floor is not None:
            faster = speed_ratio(self.result, self.floor)
            dearer = cpu_ratio(self.result, self.floor)
            known["speed"], known["time"] = faster.middle, 1 / faster.middle
            known["CPU"] = dearer.middle
            speed, cpu = str(faster), str(dearer)
        rate = self.result.rate
        return (
            f"{self.title}: {self.result.name}" if self.title else self.result.name,
            speed,
            cpu,
            f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}",
            f"{microseconds:,.0f}" if microseconds >= 100 else f"{microseconds:.1f}",
            ", ".join(target.judge(known[target.kind]) for target in self.targets),
        )


def against_floor(
    title: str, results: Sequence[Result], targets: dict[str, tuple[Target, ...]]
) -> list[Row]:
    """Rows of one race, whose first contender is the floor; targets by contender."""
    return [Row(title, r, results[0], targets.get(r.name, ())) for r in results]


def table(rows: Iterable[Row], *, markdown: bool) -> str:
    """The table as text, or as Markdown."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    padded = [
        [
            cell.ljust(width) if at in (0, 5) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths))
        ]
        for line in lines
    ]
    if not markdown:
        return "\n".join("  ".join(line).rstrip() for line in padded)
    rule = [
        "-" * w if at in (0, 5) else "-" * (w - 1) + ":" for at, w in enumerate(widths)
    ]
    return "\n".join(
        f"| {' | '.join(line)} |" for line in (padded[0], rule, *padded[1:])
    )


def machine(nginx: str | None = None) -> str:
    """What it was measured on."""
    libraries = [f"{name} {version(name)}" for name in LIBRARIES]
    if nginx:
        libraries.append(f"nginx {nginx}")
    return "\n".join(
        (
            f"{date.today()}, {os.cpu_count()} cores, {_processor()}, "
            f"{platform.system()} {platform.release().partition('-')[0]}",
            f"{platform.python_implementation()} {platform.python_version()}, "
            f"{ssl.OPENSSL_VERSION}; {', '.join(libraries)}",
        )
    )


def load() -> str:
    """What else the machine is doing."""
    return f"load average {os.getloadavg()[0]:.1f} over the last minute"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
