"""``wxpay listen``: brings a sandbox's notifications to a server of yours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from .remote import Sandbox, base_url_option
from .waiting import until_ended

#: Seconds between looks.
_LOOK = 0.2
#: As many notifications are looked at.
_MANY = 1000


@click.command("listen")
@click.option(
    "--forward-to", "url", required=True, help="A URL of this machine to deliver to."
)
@click.option("--prefix", default="", help="Only for notify URLs that begin with it.")
@click.option("--verify", is_flag=True, help="Send one with a wrong signature as well.")
@base_url_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(
    url: str, prefix: str, verify: bool, base_url: str | None, as_json: bool
) -> None:
    """Deliver all notifications to a URL, and print a line for each, until Ctrl-C.

    When it ends, notifications go to their own URLs again. If it was killed (kill -9)
    they still go to this URL: start wxpay listen once more and end it, or POST
    {"prefix": ""} (or what --prefix was) to /_sandbox/deliver_to.
    """
    with until_ended() as over, Sandbox(base_url) as sandbox:
        before = {one["id"]: len(one["attempts"]) for one in _all(sandbox)}
        sandbox.post("deliver_to", url=url, prefix=prefix, verify=verify)
        click.echo(f"wxpay listen: to {url}, Ctrl-C ends it", err=True)
        try:
            while not over.is_set():
                for attempt in _new(sandbox, before):
                    click.echo(_shown(attempt, as_json))
                over.wait(_LOOK)
        finally:
            sandbox.post("deliver_to", prefix=prefix)


def _all(sandbox: Sandbox) -> list[Any]:
    return list(sandbox.get("notifications", limit=_MANY)["notifications"])


def _new(sandbox: Sandbox, before: dict[str, int]) -> Iterator[dict[str, Any]]:
    """The attempts since the last look, by their time."""
    found: list[dict[str, Any]] = []
    for one in _all(sandbox):
        known, attempts = before.get(one["id"], 0), one["attempts"]
        before[one["id"]] = len(attempts)
        facts = {name: one[name] for name in ("id", "event_type", "status", "example")}
        for attempt in attempts[known:]:
            found.append({**facts, "attempt": attempt})
    yield from sorted(found, key=lambda one: float(one["attempt"]["at"]))


def _shown(one: Mapping[str, Any], as_json: bool) -> str:
    if as_json:
        return json.dumps(one, ensure_ascii=False)
    attempt = one["attempt"]
    answer = "---" if attempt["status"] is None else str(attempt["status"])
    colour = "green" if attempt["good"] else "red"
    kind = "" if attempt["kind"] == "try" else f" ({attempt['kind']})"
    line = f"{click.style(answer, fg=colour)}  {one['event_type']}{kind}  {one['id']}"
    if attempt["good"]:
        return line
    hint = f": {attempt['hint']}" if attempt["hint"] else ""
    return f"{line}  {attempt['verdict']}{hint}"
