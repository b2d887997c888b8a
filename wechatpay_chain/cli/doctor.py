"""``wxpay doctor``: what is wrong with a configuration, and how to mend it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import click

from ..client import WeChatPay
from ..errors import WeChatPayError
from . import account, calling
from .checkup import Checkup
from .findings import Finding, of_error
from .tables import table

_COLOURS = {"right": "green", "unsure": "yellow", "wrong": "red"}


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Send nothing.")
@account.config_option
@account.json_option
def command(offline: bool, config: str | None, as_json: bool) -> None:
    """Check the configuration: keys, certificate, serial, clock, one signed call.

    Each mistake is named, with what to do about it. The call is v3/security/echo, which
    changes nothing. Exits 0 where nothing is wrong, else 1.
    """
    with account.endings("doctor"):
        found = examine(config, offline=offline)
    if as_json:
        told = {"healthy": healthy(found), "findings": [f._asdict() for f in found]}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _print(found)
    raise SystemExit(0 if healthy(found) else 1)


def healthy(found: Sequence[Finding]) -> bool:
    """Whether nothing is wrong."""
    return all(one.state != "wrong" for one in found)


def examine(config: str | None, *, offline: bool = False) -> list[Finding]:
    """All findings; the call is made where nothing stands against it."""
    try:
        options = account.options(config)
    except WeChatPayError as error:
        return [of_error(error, "configuration_unreadable")]
    except OSError as error:
        where = f"{error.filename}: {error.strerror}"
        return [Finding("configuration_unreadable", "wrong", where)]
    clock = options.reveal().get("clock") or time.time
    found = Checkup(options, clock()).run()
    if not healthy(found):
        return found
    try:
        WeChatPay._of(options).close()  # what it refuses itself, whatever was looked at
        return found if offline else [*found, *calling.call(options)]
    except WeChatPayError as error:
        return [*found, of_error(error, "configuration_wrong")]


def _print(found: Sequence[Finding]) -> None:
    rows = [
        (click.style(one.state, fg=_COLOURS[one.state], bold=True), one.id, one.found)
        for one in found
    ]
    click.echo(table(rows, ("", "check", "found")))
    wrong = [one for one in found if one.mend]
    if wrong:
        click.echo("\nWhat to do")
        for one in wrong:
            click.echo(f"  {click.style(one.id, bold=True)}: {one.mend}")
    elif healthy(found):
        click.echo("\nAll is well.")
