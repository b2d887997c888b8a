"""``wxpay`` as a person at a terminal has it: what the screen shows, and Ctrl-C.

In a pseudo-terminal, which is everywhere, and in tmux where it is installed: a whole
terminal, drawn and typed into.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, NamedTuple

import pytest

#: Real seconds after which something has gone wrong, and between two looks.
PATIENCE, LOOK = 30, 0.02
CTRL_C = b"\x03"


class Shown(NamedTuple):
    status: int
    screen: str


class Tmux:
    """A session of a server of its own, 120 columns by 50 lines."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = str(folder / "tmux")

    def _ask(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-f", "/dev/null", "-S", self._socket, *arguments],
            capture_output=True,
            check=True,
            text=True,
            timeout=PATIENCE,
        )
        return done.stdout

    def show(self, arguments: list[str], *, until: str = "") -> Shown:
        """Run *arguments*; press Ctrl-C once *until* is on the screen."""
        status = self._folder / "status"
        line = (
            f"{shlex.join(arguments)}; echo $? >{shlex.quote(str(status))}; "
            "tmux wait-for -S over; exec cat"  # so that the screen stays
        )
        self._ask("new-session", "-d", "-x", "120", "-y", "50", f"trap : INT; {line}")
        try:
            if until:
                self._wait_for(until)
                self._ask("send-keys", "C-c")
            self._ask("wait-for", "over")
            return Shown(int(status.read_text()), self._screen())
        finally:
            self._ask("kill-server")

    def _screen(self) -> str:
        return self._ask("capture-pane", "-p")

    def _wait_for(self, text: str) -> None:
        given_up = monotonic() + PATIENCE
        while text not in self._screen():
            assert monotonic() < given_up, self._screen()
            Event().wait(LOOK)


#: Runs a program in a pseudo-terminal that is its own, so that Ctrl-C is its signal.
SPAWN = """
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
"""


class Pty:
    """A pseudo-terminal: all that was written, in order."""

    def __init__(self, folder: Path) -> None:
        del folder

    def show(self, arguments: list[str], *, until: str = "") -> Shown:
        """Run *arguments*; press Ctrl-C once *until* was written."""
        seen = b""
        with subprocess.Popen(
            [sys.executable, "-c", SPAWN, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as running:
            assert running.stdin is not None
            assert running.stdout is not None
            while part := os.read(running.stdout.fileno(), 65536):
                seen += part
                if until and until.encode() in seen:
                    running.stdin.write(CTRL_C)
                    running.stdin.flush()
                    until = ""
            return Shown(running.wait(PATIENCE), seen.decode())


@pytest.fixture(params=[Pty, *([Tmux] if shutil.which("tmux") else [])])
def terminal(request: Any, tmp_path: Path) -> Pty | Tmux:
    return request.param(tmp_path)


def program(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "wechatpay_chain", *arguments]


def test_the_doctor_draws_a_table(desk: Any, terminal: Any) -> None:
    config = str(desk.folder / "wechatpay.toml")
    shown = terminal.show(program("doctor", "--config", config))
    assert shown.status == 0, shown.screen
    rows = [line for line in shown.screen.splitlines() if "right" in line]
    assert len(rows) >= 5, shown.screen


def test_a_bill_ends_with_its_summary(desk: Any, terminal: Any, tmp_path: Path) -> None:
    now = datetime.fromtimestamp(desk.gateway.clock(), timezone(timedelta(hours=8)))
    day = (now - timedelta(days=2)).date().isoformat()
    desk.gateway.given.bill(day, rows=2000)
    config, out = str(desk.folder / "wechatpay.toml"), tmp_path / "bill.csv"
    arguments = ("bill", "trade", day, "--out", str(out), "--config", config)
    shown = terminal.show(program(*arguments))
    assert shown.status == 0, shown.screen
    assert "bill.csv" in shown.screen
    assert "SHA-1" in shown.screen
    assert out.stat().st_size > 100_000


def test_ctrl_c_ends_the_sandbox_without_a_traceback(terminal: Any) -> None:
    shown = terminal.show(program("sandbox"), until="ready at")
    assert shown.status == 0, shown.screen
    assert "Traceback" not in shown.screen
