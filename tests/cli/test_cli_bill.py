"""``wxpay bill``: a bill on the disk, proven, with progress where somebody looks."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain.bills import FundRow, TradeRow, read


@pytest.fixture
def day(desk: Any) -> str:
    """A day in Beijing on which a thousand payments were made."""
    now = datetime.fromtimestamp(desk.gateway.clock(), timezone(timedelta(hours=8)))
    found = (now - timedelta(days=2)).date().isoformat()
    desk.gateway.given.bill(found, rows=1000)
    return found


@pytest.mark.parametrize(("kind", "row"), [("trade", TradeRow), ("fundflow", FundRow)])
def test_a_bill_is_saved(desk, day, tmp_path: Path, kind: str, row: Any) -> None:
    out = tmp_path / "bill.csv"
    result = desk.run("bill", kind, day, "--out", str(out))
    assert result.exit_code == 0, result.output
    assert len([*read(out, row)]) == 1000
    first, *totals = result.stdout.splitlines()
    assert first.startswith(f"{out}  ")
    assert "SHA-1" in first
    assert any(line.split()[-1] == "1000" for line in totals)
    assert result.stderr == ""


def test_json_tells_of_the_file(desk, day, tmp_path: Path) -> None:
    out = tmp_path / "bill.csv"
    result = desk.run("bill", "trade", day, "--out", str(out), "--json")
    told = json.loads(result.stdout)
    assert told["file"] == str(out)
    assert told["bytes"] == out.stat().st_size
    assert len(told["sha1"]) == 40
    assert told["summary"]["总交易单数"] == "1000"


def test_a_dash_is_stdout_when_the_bill_is_proven(
    desk, day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = desk.run("bill", "trade", day, "--out", "-")
    assert result.exit_code == 0, result.output
    Path("copy.csv").write_bytes(result.stdout_bytes)
    assert len([*read("copy.csv", TradeRow)]) == 1000
    assert result.stderr.startswith("stdout  ")
    assert "总交易单数" in result.stderr
    assert sorted(os.listdir()) == ["copy.csv", "merchant"]
    both = desk.run("bill", "trade", day, "--out", "-", "--json")
    assert (both.exit_code, both.stdout) == (2, "")


def test_no_bill_is_a_refusal_and_no_file(desk, tmp_path: Path) -> None:
    out = tmp_path / "bill.csv"
    result = desk.run("bill", "trade", "2001-01-01", "--out", str(out))
    assert result.exit_code == 1
    assert result.stderr.startswith("wxpay bill: HTTP 400")
    assert os.listdir(tmp_path) == ["merchant"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("trade", "yesterday"), "date: a date, or text such as '2024-06-01'"),
        (("trade", "2024-06-01", "--account-type", "FEES"), "of fund flow bills"),
        (("fundflow", "2024-06-01", "--bill-type", "ALL"), "of trade bills"),
        (("other", "2024-06-01"), "is not one of"),
    ],
)
def test_what_is_used_wrongly_is_status_2(desk, tmp_path, arguments, reason) -> None:
    result = desk.run("bill", *arguments, "--out", str(tmp_path / "x"))
    assert result.exit_code == 2
    assert reason in result.stderr


def test_a_folder_that_is_not_there_is_named(desk, day, tmp_path: Path) -> None:
    result = desk.run("bill", "trade", day, "--out", str(tmp_path / "no" / "x.csv"))
    assert result.exit_code == 2
    assert "No such file or directory" in result.stderr


# In a terminal, and in a pipe.


def program(desk: Any, *arguments: str) -> list[str]:
    config = str(desk.folder / "wechatpay.toml")
    return [sys.executable, "-m", "wechatpay_chain", *arguments, "--config", config]


def in_terminal(arguments: list[str]) -> tuple[int, str]:
    """What somebody sees who runs the program in a terminal."""
    leader, follower = pty.openpty()
    done = subprocess.Popen(
        arguments, stdin=follower, stdout=follower, stderr=follower, close_fds=True
    )
    os.close(follower)
    seen = b""
    while True:
        try:
            seen += (part := os.read(leader, 65536))
        except OSError:  # Linux, when the program has ended
            break
        if not part:
            break
    os.close(leader)
    return done.wait(30), seen.decode()


def test_a_terminal_shows_progress(desk, day, tmp_path: Path) -> None:
    out = tmp_path / "bill.csv"
    status, seen = in_terminal(program(desk, "bill", "trade", day, "--out", str(out)))
    assert status == 0, seen
    assert "\r\x1b[Kbill.csv  " in seen
    assert "100 %" in seen


def test_a_pipe_has_no_progress_and_no_colour(desk, day, tmp_path: Path) -> None:
    out = tmp_path / "bill.csv"
    done = subprocess.run(
        program(desk, "bill", "trade", day, "--out", str(out)), capture_output=True
    )
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout + done.stderr
    assert done.stderr == b""


def test_a_terminal_shows_the_doctor_in_colour_and_json_in_lines(desk) -> None:
    status, seen = in_terminal(program(desk, "doctor"))
    assert status == 0, seen
    assert "\x1b[32m" in seen
    assert "check" in seen.splitlines()[0]
    body = '{"echo_message": "hi"}'
    status, seen = in_terminal(program(desk, "req", "v3/security/echo", "-d", body))
    assert seen.splitlines() == ["{", '  "echo_message": "hi"', "}"]


def test_a_pipe_has_the_doctor_plain(desk) -> None:
    done = subprocess.run(program(desk, "doctor"), capture_output=True)
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    assert done.stdout.splitlines()[0].split()[0] == b"right"
