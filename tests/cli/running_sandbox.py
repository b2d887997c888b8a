"""A sandbox in a process of its own, and ``wxpay`` in others: what a user has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO, Any

import pytest
import requests

#: Real seconds after which something has gone wrong.
PATIENCE = 30


class Lines:
    """The lines of a stream, as they come."""

    def __init__(self, stream: IO[str]) -> None:
        self._lines: list[str] = []
        self._come = threading.Condition()
        self._stream = stream
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        for line in self._stream:
            with self._come:
                self._lines.append(line.rstrip("\n"))
                self._come.notify_all()

    def take(self, count: int = 1) -> list[str]:
        """The next lines, which may still have to come."""
        with self._come:
            arrived = self._come.wait_for(lambda: len(self._lines) >= count, PATIENCE)
            assert arrived, f"{count} lines expected, got {self._lines}"
            taken, self._lines = self._lines[:count], self._lines[count:]
        return taken


class Process:
    """``wxpay`` as it runs until somebody ends it."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wechatpay_chain", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.out = Lines(self.process.stdout)
        self.err = Lines(self.process.stderr)

    def end(self, signal: int) -> int:
        """Send *signal*; the exit status."""
        self.process.send_signal(signal)
        return self.wait()

    def wait(self) -> int:
        """The exit status, once it has ended."""
        status = self.process.wait(PATIENCE)
        for lines, stream in (
            (self.out, self.process.stdout),
            (self.err, self.process.stderr),
        ):
            lines.thread.join(PATIENCE)
            assert stream is not None
            stream.close()
        return status

    def stop(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.wait()


@pytest.fixture(scope="module")
def ready() -> Iterator[dict[str, Any]]:
    """The ready line of a sandbox that runs for the tests of this module."""
    process = Process("sandbox", "--json")
    try:
        yield json.loads(process.out.take()[0])
    finally:
        process.stop()


class Control:
    """The control API, by which tests set their scenes."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def get(self, path: str) -> Any:
        return self._ask("GET", path)

    def post(self, path: str, **given: Any) -> Any:
        return self._ask("POST", path, json=given)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        with requests.Session() as session:
            url = f"{self.base_url}/_sandbox/{path}"
            answer = session.request(method, url, timeout=PATIENCE, **options)
            assert answer.ok, answer.text
            return answer.json()


@pytest.fixture
def control(ready: dict[str, Any]) -> Control:
    """A sandbox in which nothing has happened."""
    found = Control(ready["base_url"])
    found.post("reset")
    return found


class Wxpay:
    """Runs ``wxpay`` against the sandbox of the module."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._running: list[Process] = []

    def __call__(
        self, *arguments: str, status: int = 0, where: str | None = None
    ) -> str:
        """Run to the end, and check the exit status; what it printed, or said."""
        url = ("--base-url", where or self.base_url)
        done = subprocess.run(
            [sys.executable, "-m", "wechatpay_chain", *arguments, *url],
            capture_output=True,
            timeout=PATIENCE,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == status, (out, err)
        assert "Traceback" not in err
        return err if status and not out else out

    def start(self, *arguments: str) -> Process:
        """Run until it is ended, at the latest with the test."""
        self._running.append(Process(*arguments, "--base-url", self.base_url))
        return self._running[-1]

    def stop(self) -> None:
        for process in self._running:
            process.stop()


@pytest.fixture
def wxpay(control: Control) -> Iterator[Wxpay]:
    """``wxpay``, for the sandbox of the module."""
    runner = Wxpay(control.base_url)
    try:
        yield runner
    finally:
        runner.stop()
