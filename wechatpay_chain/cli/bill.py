"""``wxpay bill``: a bill (账单), downloaded, unzipped and proven."""

from __future__ import annotations

import json
from pathlib import Path
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
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file: CSV in UTF-8, as WeChat Pay makes it.",
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
    out: Path,
    bill_type: Any,
    account_type: Any,
    sub_mchid: str | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Download the bill of DATE, a day in Beijing such as 2024-06-01.

    It is written unzipped, when its SHA-1 has been checked against the one that WeChat
    Pay has signed; before that there is no file. Its totals are printed.
    """
    if (kind == "trade" and account_type) or (kind == "fundflow" and bill_type):
        raise click.UsageError(
            "--bill-type is of trade bills, --account-type of fund flow bills"
        )
    with account.endings("bill", as_json=as_json), account.client(config) as client:
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
        _print(bill, out, as_json)


def _print(bill: Bill[Any], out: Path, as_json: bool) -> None:
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
    click.echo(f"{out}  {size(length)}, SHA-1 {bill.sha1[0]}")
    if totals:
        click.echo(table(list(totals.items())))
