"""``wxpay bill``: a bill (账单), downloaded, unzipped and proven."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from .._saving import check_place
from ..bills import Bill
from . import account
from .tables import Meter, size, table


@click.command("bill")
@click.argument("kind", type=click.Choice(["trade", "fundflow"]))
@click.argument("date")
@click.option(
    "--out",
    "told",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, allow_dash=True),
    help="The file: CSV in UTF-8, as WeChat Pay makes it; - is stdout.",
)
@click.option(
    "--bill-type",
    type=click.Choice(["ALL", "SUCCESS", "REFUND"]),
    help="Of a trade bill: all rows, payments, or refunds.",
)
@click.option(
    "--account-type",
    type=click.Choice(["BASIC", "OPERATION", "FEES"]),
    help="Which account, of a fund flow bill.",
)
@click.option("--sub-mchid", help="One sub-merchant's bill, for partners.")
@account.config_option
@account.json_option
def command(
    kind: str,
    date: str,
    told: str,
    bill_type: Any,
    account_type: Any,
    sub_mchid: str | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Download the bill of DATE, a day in Beijing such as 2024-06-01.

    It is written unzipped, when its SHA-1 has been checked against the one that WeChat
    Pay has signed; before that there is no file. Its totals are printed, with --out -
    on stderr.
    """
    if (kind == "trade" and account_type) or (kind == "fundflow" and bill_type):
        raise click.UsageError(
            "--bill-type is of trade bills, --account-type of fund flow bills"
        )
    place = account.place(told)
    if place is None and as_json:
        raise click.UsageError("stdout is either for the bill or for --json")
    ended = account.endings("bill", as_json=as_json)
    with ended, account.client(config) as client, _file(place) as out:
        check_place(out)
        bill: Bill[Any]
        if kind == "trade":
            bill = client.bills.trade(date, bill_type=bill_type, sub_mchid=sub_mchid)
        else:
            bill = client.bills.fundflow(
                date, account_type=account_type, sub_mchid=sub_mchid
            )
        meter = Meter(out.name)
        try:
            bill.save(out, progress=meter)
        finally:
            meter.end()
        if place is None:
            with out.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        _print(bill, out, as_json, to_stderr=place is None)


@contextmanager
def _file(place: Path | None) -> Generator[Path, None, None]:
    """*place*, or for stdout a file beside it: what is not proven goes nowhere."""
    if place is not None:
        yield place
        return
    with TemporaryDirectory(prefix="wxpay-bill-") as folder:
        yield Path(folder, "bill.csv")


def _print(bill: Bill[Any], out: Path, as_json: bool, *, to_stderr: bool) -> None:
    totals = dict(bill.summary or {})
    length = out.stat().st_size
    if as_json:
        facts = {
            "file": str(out),
            "bytes": length,
            "sha1": bill.sha1[0],
            "summary": totals,
        }
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    name = "stdout" if to_stderr else out
    click.echo(f"{name}  {size(length)}, SHA-1 {bill.sha1[0]}", err=to_stderr)
    if totals:
        click.echo(table(list(totals.items())), err=to_stderr)
