"""What is left open fails the suite, also where only the garbage collector sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3] / "pyproject.toml"

LEAKS = {
    "socket": "socket.socket()",
    "event loop": "asyncio.new_event_loop()",
    "session": "asyncio.run(session())",
    "coroutine": "session()",
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_leak_is_a_failure(tmp_path: Path, leak: str) -> None:
    path = tmp_path / "test_leaking.py"
    path.write_text(
        "import asyncio, gc, socket, aiohttp\n"
        "async def session():\n"
        "    aiohttp.ClientSession()\n"
        "def test_leak():\n"
        f"    {leak}\n"
        "    gc.collect()\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            PROJECT,
            "-n0",
            "--rootdir",
            tmp_path,
            path,
        ],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "Warning" in done.stdout
