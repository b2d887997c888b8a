"""What campaigns found, as text for a terminal and as tables for the documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from campaign import Outcome
from workers import Phase

_Table = list[tuple[str, ...]]


class Summary(NamedTuple):
    """The figures of one campaign, by name; plain data, to go between processes."""

    seed: int
    #: A title and its figures, for threads and for tasks.
    phases: list[tuple[str, dict[str, str]]]
    totals: dict[str, str]
    faults: dict[str, str]
    errors: dict[str, str]
    violations: list[str]


def summary(outcome: Outcome) -> Summary:
    """The figures of *outcome*."""
    plan, (threads, tasks) = outcome.plan, outcome.phases
    return Summary(
        plan.seed,
        [
            (f"{plan.threads} threads", _figures(threads)),
            (f"{plan.tasks} tasks", _figures(tasks)),
        ],
        _totals(outcome),
        {
            f"{place}: {kind}": f"{number:,}"
            for place in ("proxy", "gateway")
            for kind, number in outcome.counts[place].items()
        },
        _errors(outcome),
        outcome.violations,
    )


def text(summaries: Sequence[Summary]) -> str:
    """For a terminal."""
    return "\n\n".join(map(_aligned, _tables(summaries)))


def markdown(summaries: Sequence[Summary]) -> str:
    """For docs/reliability.md."""
    return "\n\n".join(map(_ruled, _tables(summaries)))


def _tables(summaries: Sequence[Summary]) -> list[_Table]:
    phases = [
        (f"seed {one.seed}, {title}", figures)
        for one in summaries
        for title, figures in one.phases
    ]
    tables = [_table("of the calls", phases)]
    for title, name in (
        ("of both phases", "totals"),
        ("faults, by place", "faults"),
        ("calls that failed, by error", "errors"),
    ):
        columns = [(f"seed {one.seed}", getattr(one, name)) for one in summaries]
        tables.append(_table(title, columns))
    return tables


def _figures(phase: Phase) -> dict[str, str]:
    absent = phase.outcomes["refused"] - len(phase.claims["refused"])
    unknowns = sum(view.unknowns for view in phase.views)
    resolved = sum(view.resolved for view in phase.views)
    return {
        "calls": f"{phase.calls:,}",
        "orders": f"{len(phase.views):,}",
        "ended ok": f"{phase.outcomes['ok']:,}",
        "ended not_sent": f"{phase.outcomes['not_sent']:,}",
        "ended refused": f"{phase.outcomes['refused']:,}",
        "of these, no such order": f"{absent:,}",
        "ended unknown": f"{phase.outcomes['unknown']:,}",
        "of these, changing an order": f"{unknowns:,}",
        "of these, resolved by a query": f"{resolved:,}",
        "longest call, s": f"{phase.longest:.2f}",
        "longest delay of the event loop, s": f"{phase.lag:.2f}" if phase.lag else "",
        "memory in the second half, MB": _growth(phase),
        "duration, s": f"{phase.seconds:.0f}",
    }


def _totals(outcome: Outcome) -> dict[str, str]:
    attempts, counts = outcome.attempts, outcome.counts
    before, after = outcome.descriptors or ("n/a", "n/a")
    return {
        "attempts by the client": f"{attempts['attempts']:,}",
        "of these, repeats": f"{attempts['repeats']:,}",
        "of these, to the backup host": f"{attempts['to the backup']:,}",
        "of these, certificate downloads": f"{attempts['downloads']:,}",
        "exchanges at the proxy": f"{counts['exchanges']:,}",
        "connections at the proxy": f"{counts['connections']:,}",
        "files open, before and after": f"{before}, {after}",
        "violations": f"{len(outcome.violations):,}",
    }


def _errors(outcome: Outcome) -> dict[str, str]:
    found: Counter[str] = Counter()
    for phase in outcome.phases:
        found.update(phase.errors)
    return {name: f"{number:,}" for name, number in found.most_common()}


def _growth(phase: Phase) -> str:
    if phase.growth is None or not phase.memory[0]:
        return "n/a"
    return f"{phase.growth / 1e6:+.1f}"


def _table(title: str, columns: Sequence[tuple[str, dict[str, str]]]) -> _Table:
    names = dict.fromkeys(name for _, figures in columns for name in figures)
    table: _Table = [(title, *(head for head, _ in columns))]
    table += [
        (name, *(figures.get(name, "0") for _, figures in columns)) for name in names
    ]
    return table


def _aligned(table: _Table) -> str:
    widths = [max(map(len, column)) for column in zip(*table)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in table
    )


def _ruled(table: _Table) -> str:
    first, *rest = table
    rule = "| --- |" + " ---: |" * (len(first) - 1)
    return "\n".join([_line(first), rule, *map(_line, rest)])


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
