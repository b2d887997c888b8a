"""The fault campaign: does the money add up when everything goes wrong?

    python tests/faults/run.py --seed N ... [--calls 20000] [--threads 16] [--tasks 256]

A gateway and a faulty proxy run in a process of their own; thousands of calls from
threads, then from tasks, go through them over sockets. At the end the client's view of
every order is compared with the gateway's ledger. Exits 1 with a list of what is wrong,
if anything is. What it does, and a report, stand in docs/reliability.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from functools import partial

from campaign import run
from fault_report import Summary, markdown, summary, text
from plan import Plan

#: Violations that are listed of each seed.
SHOWN = 50


def main() -> int:
    """Run one campaign for each seed and print their report."""
    options = _options()
    sizes = {name: getattr(options, name) for name in ("calls", "threads", "tasks")}
    # A process for each, so that none grows into what another has left.
    processes = multiprocessing.get_context("spawn")
    with processes.Pool(1, maxtasksperchild=1) as pool:
        found = pool.map(partial(_campaign, sizes), options.seed, chunksize=1)
    print((markdown if options.markdown else text)(found))
    for one in found:
        for violation in one.violations[:SHOWN]:
            print(f"VIOLATION, seed {one.seed}: {violation}", file=sys.stderr)
        if one.violations[SHOWN:]:
            print(f"and {len(one.violations) - SHOWN} more", file=sys.stderr)
    return 1 if any(one.violations for one in found) else 0


def _campaign(sizes: dict[str, int], seed: int) -> Summary:
    return summary(run(Plan(seed=seed, **sizes)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, nargs="+", required=True)
    parser.add_argument("--calls", type=int, default=20_000, help="in each phase")
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--tasks", type=int, default=256)
    parser.add_argument("--markdown", action="store_true", help="tables for the docs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
