"""``wxpay``, the command line. The commands are loaded when they run."""

from __future__ import annotations

import gc
import io
import os
import sys
from contextlib import suppress

#: 128 and SIGPIPE, as other programs end when whoever read them has seen enough.
_UNREAD = 141


def main() -> None:
    """Run ``wxpay``; exits with 0, or with another status and why on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that has no Chinese shows marks for it instead of failing.
            stream.reconfigure(errors="replace")
    # What is loaded stays: to look through it again and again for garbage takes a third
    # of the time until a command begins. The command itself runs with it on.
    gc.disable()
    try:
        from .program import Unread, program
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write(
            "wxpay: click is missing; run: pip install 'wechatpay-chain[cli]'\n"
        )
        raise SystemExit(1) from None
    try:
        program(prog_name="wxpay")
    except Unread:
        _abandon_output()
        raise SystemExit(_UNREAD) from None
    except OSError as error:
        _abandon_output()
        where = error.filename or "output"
        with suppress(OSError):
            sys.stderr.write(f"wxpay: {where}: {error.strerror}\n")
        raise SystemExit(1) from None


def _abandon_output() -> None:
    """Let what is still buffered go nowhere, or Python fails on it once more."""
    with suppress(OSError):  # a stream without a descriptor has nothing to lose
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
