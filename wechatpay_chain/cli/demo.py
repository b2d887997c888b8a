"""``wxpay demo``: the main job on the embedded sandbox, shown step by step."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from unicodedata import east_asian_width

import click

from ..sandbox import Gateway
from .story import MODES, ROLES, Failed, Step, Teller, wire

#: Columns of a terminal that the output fits into.
WIDTH = 100
_INDENT = " " * 17

_TITLES = {
    "direct": "A direct merchant (普通商户). Its cancel answers 200 with five fields.",
    "partner": "A partner (服务商) of a sub-merchant. Its cancel answers 204, empty.",
}


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(as_json: bool) -> None:
    """Create, confirm, cancel and query a PayScore order on the built-in sandbox.

    As a direct merchant and as a partner, sync and async, with real RSA signatures both
    ways. Needs no account and no network. Exits 0 only if everything held.
    """
    gateway = Gateway(seed=1)
    try:
        if as_json:
            click.echo(json.dumps(_collect(gateway), ensure_ascii=False, indent=2))
        else:
            _show(gateway)
    except Failed as error:
        raise click.ClickException(f"demo: {error}") from error


def _collect(gateway: Gateway) -> dict[str, Any]:
    """Every run with its steps, for machines."""
    runs: list[dict[str, Any]] = []
    for role, mode, number in _runs():
        steps: list[Step] = []
        Teller(gateway, steps.append).play(role, mode, number)
        runs.append(
            {
                "role": role,
                "mode": mode,
                "out_order_no": number,
                "steps": [step.as_dict() for step in steps],
            }
        )
    return {
        "ok": True,
        "mchid": gateway.mchid,
        "public_key_id": gateway.public_key_id,
        "runs": runs,
    }


def _show(gateway: Gateway) -> None:
    """Print each step as it happens."""
    click.echo("wxpay demo: one PayScore order (支付分订单) each way, on the sandbox\n")
    click.echo(
        f"  merchant        {gateway.mchid}, signs with {gateway.merchant.serial}"
    )
    click.echo(f"  WeChat Pay      signs with {gateway.public_key_id}")
    click.echo("  wire            memory: real bytes, real RSA; no network, no money\n")
    signed = 0

    def show(step: Step) -> None:
        nonlocal signed
        signed += step.signed is not None
        click.echo("\n".join(_lines(step)))

    for role, mode, number in _runs():
        click.echo(f"{_rule(f'{role}, {mode}')}\n")
        if mode == MODES[0]:
            click.echo(f"  {_TITLES[role]}\n")
        Teller(gateway, show).play(role, mode, number)
    click.echo(f"{_rule('all of it held')}\n")
    click.echo(
        f"  {signed} calls signed, {signed} answers verified, "
        f"{len(gateway.orders)} orders cancelled"
    )


def _runs() -> Iterator[tuple[str, str, str]]:
    for role in ROLES:
        for mode in MODES:
            yield role, mode, f"DEMO-{role}-{mode}".upper()


def _rule(title: str) -> str:
    return f"── {title} ".ljust(WIDTH, "─")


def _lines(step: Step) -> Iterator[str]:
    shown = wire(step.state)
    state = step.state if shown == step.state else f"{step.state} ({shown})"
    if step.signed is None:
        yield f"  {step.name:<15}in the app; the order is {state}"
    else:
        yield f"  {step.name:<15}{step.call}"
        for line in visible(step.signed, WIDTH - len(_INDENT) - 2):
            yield f"{_INDENT}│ {line}"
        verdict = f"verified by {step.serial}" if step.verified else "not verified"
        yield f"{_INDENT}{step.status}, {step.body}, {verdict}"
        yield f"{_INDENT}the order is {state}"
    yield ""


def visible(message: str, width: int) -> Iterator[str]:
    """The lines of a signed text with their LF shown, cut to *width* columns.

    >>> list(visible("GET\\n/v3\\n", 80))
    ['GET⏎', '/v3⏎']
    """
    for line in message.split("\n")[:-1]:
        row = ""
        for piece in _PIECE.findall(f"{line}⏎"):
            if row and columns(row + piece) > width:
                yield row
                row = ""
            row += piece
        yield row


#: Where a long line may be cut: after a comma, before another parameter.
_PIECE = re.compile(r"&?[^,&]+,?|[,&]")


def columns(text: str) -> int:
    """How wide *text* is on a terminal: Chinese characters take two columns.

    >>> columns("reason=用户")
    11
    """
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)
