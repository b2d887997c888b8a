"""``within``: a time limit that takes no cancellation of others for its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

#: Seconds after which a cancellation that was not heard is repeated.
_AGAIN = 0.01


async def within(
    seconds: float, work: Coroutine[Any, Any, T], drop: Callable[[T], object]
) -> T:
    """What *work* ends with; ``asyncio.TimeoutError`` where it takes longer.

    Tasks of Python 3.10 do not count their cancellations: of two timeouts, or of one
    and the caller's, that come in the same moment, one takes the other for its own. So
    *work* has a task to itself, which only we cancel, until it is heard. *drop* lets go
    of what it ended with where the caller was cancelled.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    stopped = False
    try:
        while not task.done():
            try:
                await asyncio.wait([task], timeout=_AGAIN if stopped else seconds)
            except asyncio.CancelledError as error:
                cancelled = error
            if not task.done():
                stopped = task.cancel()
        if cancelled is not None:
            if not task.cancelled() and task.exception() is None:
                drop(task.result())
            raise cancelled
        if stopped and task.cancelled():
            raise asyncio.TimeoutError
        return task.result()
    finally:
        task.cancel()  # where this is closed, not cancelled
        cancelled = None  # it would keep this frame, and this frame it
