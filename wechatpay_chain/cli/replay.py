"""``wxpay replay``: sends recorded calls to a running sandbox once more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..sandbox.recording.recorder import VOLATILE, Report, load, replay
from .remote import Sandbox, base_url_option


@click.command("replay")
@click.argument("what", metavar="NUMBER|FILE")
@click.option(
    "--ignore",
    multiple=True,
    metavar="PATTERN",
    help="A place in answers that may differ, as in '*/attach'.",
)
@click.option(
    "--with-time",
    is_flag=True,
    help="Advance the sandbox's time as it passed then; it stays so.",
)
@base_url_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(
    what: str,
    ignore: tuple[str, ...],
    with_time: bool,
    base_url: str | None,
    as_json: bool,
) -> None:
    """Send calls once more, signed anew, and say which answers differ.

    NUMBER is that of a call in wxpay logs tail, FILE what wxpay logs save wrote. The
    calls come one right after the other; what depends on the time between them, such as
    a refund that has arrived, is the same only with --with-time.

    Exits 0 if all answers were the same, 1 if not, 2 if this was not used rightly.
    """
    with Sandbox(base_url) as sandbox:
        entries = _entries(sandbox, what)
        ignored = (*VOLATILE, *ignore)
        report = replay(entries, sandbox, ignore=ignored, time=with_time)
    click.echo(_as_json(report) if as_json else str(report))
    raise SystemExit(0 if report.same else 1)


def _entries(sandbox: Sandbox, what: str) -> list[Mapping[str, Any]]:
    if what.isascii() and what.isdecimal():
        return list(sandbox.get("recording", number=what)["entries"])
    if not Path(what).is_file():
        raise click.UsageError(f"{what[:64]} is neither a number nor a file")
    try:
        return list(load(what))
    except ValueError as error:
        raise click.UsageError(f"{what}: {error}") from None


def _as_json(report: Report) -> str:
    data = {
        "same": report.same,
        "compared": report.compared,
        "skipped": report.skipped,
        "differences": [one._asdict() for one in report.differences],
    }
    return json.dumps(data, ensure_ascii=False)
