"""``wxpay trigger``: has an event happen in a running sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from .remote import Sandbox, base_url_option


@click.command("trigger")
@click.argument("event", required=False)
@click.option(
    "--set",
    "values",
    multiple=True,
    metavar="NAME=VALUE",
    help="A value that the recipe takes, or notify_url.",
)
@click.option("--list", "listed", is_flag=True, help="List the events.")
@base_url_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(
    event: str | None,
    values: tuple[str, ...],
    listed: bool,
    base_url: str | None,
    as_json: bool,
) -> None:
    """Have EVENT happen in a running sandbox: payscore.paid, or REFUND.SUCCESS.

    A recipe makes the calls and lets the user act. What the sandbox has no behaviour
    for is sent as an example, and says so.
    """
    given = _values(values)
    if (event is None) is not listed:
        raise click.UsageError("an EVENT expected, or --list")
    with Sandbox(base_url) as sandbox:
        if event is None:
            found = sandbox.get("recipes")
            shown = _list(found)
        else:
            found = sandbox.post("trigger", event=event, values=given)
            shown = _done(found)
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else shown)


def _values(given: tuple[str, ...]) -> dict[str, str]:
    values: dict[str, str] = {}
    for one in given:
        name, mark, value = one.partition("=")
        if not mark or not name:
            raise click.UsageError(f"--set: NAME=VALUE expected, got {one[:64]!r}")
        values[name] = value
    return values


def _done(found: Mapping[str, Any]) -> str:
    kind = " (an example, nothing happened)" if found["example"] else ""
    made = ", ".join(f"{name} {value}" for name, value in found["made"].items())
    lines = [f"{found['name']}{kind}" + (f": {made}" if made else "")]
    lines += [f"  {one['event_type']}  {one['id']}" for one in found["notifications"]]
    return "\n".join(lines)


def _list(found: Mapping[str, Any]) -> str:
    lines: list[str] = []
    for one in found["recipes"]:
        lines.append(f"{one['name']:<22}  {one['about']}")
        takes = ", ".join([*one["takes"], "notify_url"])
        lines.append(f"{'':<22}  --set {takes}")
    return "\n".join([*lines, "", "as examples:", *found["examples"]])
