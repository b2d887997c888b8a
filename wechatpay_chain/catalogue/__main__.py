"""``python -m wechatpay_chain.catalogue``: check the data, and what derives from it.

With ``--write``, bring data files and generated files into their form first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import check, operations, stubs


def main(arguments: Sequence[str] | None = None) -> int:
    """Check; the status for the shell: 0, or 1 if anything is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m wechatpay_chain.catalogue",
        description="Check the data of the catalogue, and what is generated from it.",
    )
    parser.add_argument(
        "--write", action="store_true", help="bring the files into their form first"
    )
    write = parser.parse_args(arguments).write
    if write:
        for name in check.rewrite():
            sys.stdout.write(f"{name}: rewritten\n")
    problems = check.check()
    if problems:
        sys.stderr.write("".join(f"{problem}\n" for problem in problems))
        return 1
    if stubs.main([] if write else ["--check"]):
        return 1
    sys.stdout.write(f"{sum(1 for _ in operations())} endpoints: all right\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
