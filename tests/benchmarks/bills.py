"""Measure a large bill: asked of the sandbox over HTTP, and read to its last row.

    python tests/benchmarks/bills.py [--megabytes N]

The floor is the csv module on the plain file. The sandbox runs in a process of its own,
so that memory and CPU are those of the client alone. Nothing here is a test: no result
fails a build.
"""

from __future__ import annotations

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from report import load, machine

from wechatpay_chain import WeChatPay
from wechatpay_chain.bills import TradeRow, read
from wechatpay_chain.cli import outfit
from wechatpay_chain.sandbox import Gateway

DAY, SMALL_DAY = "2024-05-30", "2024-05-29"
#: At which the sandbox stands: some days later.
MOMENT = 1717225200
#: Rows of the bill that warms everything up.
SMALL = 5000
#: What is to be reached: megabytes of growth, and times the csv module.
GROWTH, TIMES = 32, 2.0


class Measured(NamedTuple):
    """One way through the bill."""

    name: str
    rows: int
    cpu: float
    wall: float

    def line(self, floor: Measured) -> str:
        """One line of the table."""
        return (
            f"{self.name:<34}{self.rows:>10}{self.wall:>9.1f} s{self.cpu:>9.1f} s"
            f"{self.rows / self.cpu:>12,.0f}{self.cpu / floor.cpu:>8.2f}"
        )


def measured(name: str, function: Callable[[], int]) -> Measured:
    """Run *function*, which counts rows."""
    wall, cpu = time.perf_counter(), time.process_time()
    rows = function()
    return Measured(name, rows, time.process_time() - cpu, time.perf_counter() - wall)


def peak() -> float:
    """The most memory that this process has had, in megabytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def serve(folder: Path, rows: int) -> None:
    """Be the sandbox, until stdin ends."""
    gateway = Gateway(seed=1, clock=lambda: MOMENT)
    gateway.given.bill(SMALL_DAY, rows=SMALL)
    gateway.given.bill(DAY, rows=rows)
    with gateway.serve() as server:
        outfit.write(gateway, server.base_url, folder)
        print("ready", flush=True)
        sys.stdin.read()


@contextmanager
def sandbox(folder: Path, rows: int) -> Iterator[WeChatPay]:
    """A client of a sandbox in another process, whose bill has *rows*."""
    command = [sys.executable, __file__, "--serve", str(folder), str(rows)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        made = WeChatPay.from_file(folder / "wechatpay.toml")
        # It writes and zips the whole bill before the first byte goes out.
        with made.with_options(clock=lambda: MOMENT, timeout=3600, retry=1) as client:
            yield client
        made.close()
        assert process.stdin is not None
        process.stdin.close()


def count(rows: Iterator[object]) -> int:
    """How many there are."""
    return sum(1 for _ in rows)


def typed(path: Path) -> int:
    """Go through the rows as a reconciliation does: numbers, state, money in fen."""
    number, total = 0, 0
    for row in read(path, TradeRow):
        if row.trade_state and row.transaction_id:
            total += row.total.fen
        number += 1
    return number


def plain(path: Path) -> int:
    """The floor."""
    with path.open(encoding="utf-8", newline="") as file:
        return count(csv.reader(file)) - 3


def width(folder: Path) -> float:
    """The bytes that a row of the sandbox's bill takes."""
    with sandbox(folder, 1) as client:
        path = folder / "small.csv"
        client.bills.trade(SMALL_DAY).save(path)
        return path.stat().st_size / SMALL


def main() -> int:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=1000, help="of the plain bill")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(Path(options.serve[0]), int(options.serve[1]))
        return 0
    before = load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = int(options.megabytes * 1e6 / width(folder / "small"))
        with sandbox(folder / "large", rows) as client:
            count(iter(client.bills.trade(SMALL_DAY)))  # what is loaded once
            low = peak()
            bill = client.bills.trade(DAY)
            found = [measured("for row in bill", lambda: count(iter(bill)))]
            grown = peak() - low
            path = folder / "bill.csv"
            bill.save(path)
        floor = measured("csv module, plain file", lambda: plain(path))
        found += [
            measured("bills.read, plain file", lambda: count(read(path, TradeRow))),
            measured("the same, three attributes a row", lambda: typed(path)),
        ]
        size = path.stat().st_size / 1e6
    print(machine(), f"{before} before, {load()} after", "", sep="\n")
    print(f"{'':<34}{'rows':>10}{'wall':>11}{'CPU':>11}{'rows/CPU s':>12}{'times':>8}")
    for one in (floor, *found):
        print(one.line(floor))
    print(
        f"\n{size:,.0f} MB, unzipped and hashed as it came: memory grew by {grown:.1f}"
    )
    print(f"MB (at most {GROWTH}), {found[0].cpu / floor.cpu:.2f} times the csv module")
    print(f"(at most {TIMES:g}). Wall includes the time in which the sandbox makes it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
