"""Measure the client against hand-written floors, on this machine, in one run.

    python tests/benchmarks/run.py [--quick] [--markdown] [--only NAME ...]

Nothing here is a test: no result fails a build. What the columns mean, and how the
floors are defined, stands in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Collection
from contextlib import ExitStack
from typing import NamedTuple

from account import Account
from importing import importing
from lookups import lookups
from measure import Effort
from network import Where, awaited, threaded
from pieces import pieces
from report import Row, load, machine, table
from server import NoServer, serving


class Race(NamedTuple):
    """The contenders called one way."""

    title: str
    run: Callable[[str, Where, int, Effort], list[Row]]
    tls: bool
    #: Threads or tasks.
    count: int


RACES = {
    "http": Race("HTTP, 1 thread", threaded, False, 1),
    "tls": Race("TLS, 1 thread", threaded, True, 1),
    "http-threads": Race("HTTP, 8 threads", threaded, False, 8),
    "tls-threads": Race("TLS, 8 threads", threaded, True, 8),
    "http-async": Race("HTTP, 1 task", awaited, False, 1),
    "tls-async": Race("TLS, 1 task", awaited, True, 1),
    "http-tasks": Race("HTTP, 64 tasks", awaited, False, 64),
    "tls-tasks": Race("TLS, 64 tasks", awaited, True, 64),
}
NAMES = (*RACES, "parts", "catalogue", "import")

FULL = {"race": Effort(15, 0.3), "parts": Effort(15, 0.05), "import": Effort(41, 0)}
QUICK = {"race": Effort(5, 0.1), "parts": Effort(5, 0.02), "import": Effort(9, 0)}


def main() -> int:
    """Run what was asked for and print one table."""
    options = _options()
    _clean_environment()
    # A plain kill must end the server too: it unwinds like Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        _run(options.only or NAMES, QUICK if options.quick else FULL, options.markdown)
    except NoServer as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the server is stopped", file=sys.stderr)
        return 130
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer, shorter rounds")
    parser.add_argument("--markdown", action="store_true", help="a Markdown table")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=NAMES,
        metavar="NAME",
        help=f"measure these only: {', '.join(NAMES)}",
    )
    return parser.parse_args()


def _clean_environment() -> None:
    """The loopback needs no proxy, and a floor would go through one."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.endswith("CA_BUNDLE"):
            del os.environ[name]


def _run(names: Collection[str], efforts: dict[str, Effort], markdown: bool) -> None:
    account = Account()
    rows: list[Row] = []
    words = [load()]
    version = None
    with ExitStack() as stack:
        chosen = [race for name, race in RACES.items() if name in names]
        if chosen:
            server = stack.enter_context(serving(account))
            version = server.version
        for race in chosen:
            _progress(race.title)
            where = account, server.tls if race.tls else server.http, server.ca
            rows += race.run(race.title, where, race.count, efforts["race"])
    if "parts" in names:
        _progress("parts")
        rows += pieces(account, efforts["parts"])
    if "catalogue" in names:
        _progress("catalogue")
        rows += lookups(efforts["parts"])
    if "import" in names:
        _progress("import")
        more, word = importing(efforts["import"])
        rows += more
        words.append(word)
    _progress("")
    rounds = ", ".join(
        f"{effort.rounds} rounds of {name}" for name, effort in efforts.items()
    )
    words[0] += f" before, {load()} after; {rounds}"
    print(machine(version), *words, "", table(rows, markdown=markdown), sep="\n")


def _progress(title: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{title}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
