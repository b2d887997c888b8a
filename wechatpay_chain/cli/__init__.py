"""``wxpay``, the command line. The commands are loaded when they run."""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Run ``wxpay``; exits with 0, or with another status and one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that has no Chinese shows marks for it instead of failing.
            stream.reconfigure(errors="replace")
    try:
        from .program import program
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write(
            "wxpay: click is missing; run: pip install 'wechatpay-chain[cli]'\n"
        )
        raise SystemExit(1) from None
    program(prog_name="wxpay")
