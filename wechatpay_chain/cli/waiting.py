"""Waiting until somebody ends it: Ctrl-C and SIGTERM are an end, not an error."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def until_ended() -> Generator[threading.Event, None, None]:
    """An event that Ctrl-C and SIGTERM set, as long as this lasts."""
    over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        over.set()

    before = {
        number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield over
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
