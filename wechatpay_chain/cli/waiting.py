"""Waiting until somebody ends it: Ctrl-C and the like are an end, not an error."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

#: SIGHUP is what is left of a terminal that was closed; Windows has none.
_ENDS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
]


@contextmanager
def until_ended() -> Generator[threading.Event, None, None]:
    """An event that Ctrl-C, SIGTERM and a closed terminal set, as long as this lasts.

    What nohup has ignored stays so.
    """
    over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        over.set()

    ignored = getattr(signal, "SIGHUP", None), signal.SIG_IGN
    before = {
        number: signal.signal(number, end)
        for number in _ENDS
        if (number, signal.getsignal(number)) != ignored
    }
    try:
        yield over
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
