"""``wxpay logs``: what a running sandbox was asked, and what it answered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from .remote import Sandbox, base_url_option
from .waiting import until_ended

#: Seconds between looks.
_LOOK = 0.2
#: As many exchanges are looked at; a journal keeps no more.
_MANY = 1000
_STATUS = re.compile(r"[1-5](?:xx|[0-9]{2})")

Wanted = Callable[[Mapping[str, Any]], bool]


@click.group("logs")
def command() -> None:
    """Look at the calls that a running sandbox got."""


@command.command("tail")
@click.option("--status", help="A status: 404, or 4xx for all of these.")
@click.option("--path", help="A part of the path or the query.")
@click.option("--merchant", help="A merchant number.")
@click.option("--verdict", help="A verdict by its id, or refused: all but ok.")
@click.option(
    "-n",
    "last",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many past calls to print first.",
)
@click.option("--once", is_flag=True, help="Print past calls only, and end.")
@base_url_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def tail(
    status: str | None,
    path: str | None,
    merchant: str | None,
    verdict: str | None,
    last: int,
    once: bool,
    base_url: str | None,
    as_json: bool,
) -> None:
    """Print a line for each call, until Ctrl-C."""
    wanted = _wanted(status, path, merchant, verdict)
    with until_ended() as over, Sandbox(base_url) as sandbox:
        following = _Following(sandbox)
        seen = list(following.new())
        _look_for(verdict, seen, once)
        past = [one for one in seen if wanted(one)]
        for one in past[max(0, len(past) - last) :]:
            click.echo(_shown(one, as_json))
        while not once and not over.wait(_LOOK):
            for one in following.new():
                if wanted(one):
                    click.echo(_shown(one, as_json))


@command.command("save")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@base_url_option
def save(file: Path, base_url: str | None) -> None:
    """Write the calls into FILE, for wxpay replay."""
    from ..sandbox.recording.recorder import lines

    with Sandbox(base_url) as sandbox:
        entries = sandbox.get("recording")["entries"]
    file.write_text(lines(entries), encoding="utf-8")
    click.echo(f"{len(entries) - 1} entries in {file}")


class _Following:
    """Each exchange once, as soon as it is over."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        #: Up to here all is known.
        self._floor = 0
        self._seen: set[int] = set()

    def new(self) -> Iterator[Mapping[str, Any]]:
        """What is over since the last look."""
        found = self._sandbox.get("journal", after=self._floor, limit=_MANY)
        exchanges = found["exchanges"]
        for one in exchanges:
            if one["over"] and one["number"] not in self._seen:
                self._seen.add(one["number"])
                yield one
        waiting = [one["number"] for one in exchanges if not one["over"]]
        if waiting:
            self._floor = min(waiting) - 1
        elif exchanges:
            self._floor = exchanges[-1]["number"]
        # Those up to the floor never come again: a long watch keeps few numbers.
        self._seen = {number for number in self._seen if number > self._floor}


def _wanted(
    status: str | None, path: str | None, merchant: str | None, verdict: str | None
) -> Wanted:
    if status is not None and not _STATUS.fullmatch(status):
        raise click.UsageError(f"--status: 404 or 4xx expected, got {status[:64]!r}")
    pattern = None if status is None else re.compile(status.replace("x", "[0-9]"))

    def wanted(one: Mapping[str, Any]) -> bool:
        refused = verdict == "refused" and one["verdict"] != "ok"
        return (
            (pattern is None or pattern.fullmatch(str(one["status"])) is not None)
            and (path is None or path in one["target"])
            and merchant in (None, one["mchid"])
            and (refused or verdict in (None, one["verdict"]))
        )

    return wanted


def _look_for(
    verdict: str | None, seen: Sequence[Mapping[str, Any]], once: bool
) -> None:
    """Say it where no call has *verdict*: it may be misspelt, or still to come."""
    there = sorted({str(one["verdict"]) for one in seen})
    if not there or verdict in (None, "ok", "refused", *there):
        return
    told = f"--verdict: no call has {str(verdict)[:64]!r}; there are {', '.join(there)}"
    if once:
        raise click.UsageError(told)
    click.echo(f"wxpay logs: {told}, so far", err=True)


def _shown(one: Mapping[str, Any], as_json: bool) -> str:
    if as_json:
        return json.dumps(one, ensure_ascii=False)
    status = one["status"]
    good = status is not None and status < 400
    shown = click.style(
        "---" if status is None else str(status), fg="green" if good else "red"
    )
    time = one["time"][11:19]
    fault = f", fault {one['fault']}" if one["fault"] else ""
    who = one["mchid"] or "-"
    return (
        f"{one['number']:>4}  {time}  {shown}  {one['method']:<6}  {one['target']}  "
        f"{who}  {one['verdict']}{fault}"
    )
