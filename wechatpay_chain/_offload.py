"""Pure work beside the event loop: handed over in batches, not call by call.

RSA releases the GIL, so on a second core it runs while the loop goes on. To hand over
one signature costs half as much as making it; so what many tasks ask for in one turn of
the loop goes over together, in chunks, and comes back in chunks.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakKeyDictionary

#: Jobs that go over and come back together: enough to make the hand-over cheap, few
#: enough that the loop has results to work on while the next are made.
CHUNK = 4

Job = tuple["asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]


class Offload:
    """Threads that compute for any number of event loops."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._process = os.getpid()
        self._waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, list[Job]] = (
            WeakKeyDictionary()
        )

    def submit(
        self, function: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> asyncio.Future[Any]:
        """A future of the running loop for ``function(*arguments)``."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        waiting = self._waiting.setdefault(loop, [])
        waiting.append((future, function, arguments))
        if len(waiting) == 1:
            loop.call_soon(self._hand_over, loop)
        return future

    def close(self) -> None:
        """End the threads, once they have done what they were given."""
        threads, self._threads = self._threads, None
        # Those of a parent process it has not got, and may not have their lock.
        if threads is not None and self._process == os.getpid():
            threads.shutdown(wait=False)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        jobs = self._waiting.pop(loop)
        for at in range(0, len(jobs), CHUNK):
            chunk = jobs[at : at + CHUNK]
            try:
                self._pool().submit(_work, loop, chunk)
            except RuntimeError:
                # No thread to be had: the process has its fill of them, it ends, or
                # another thread closes this client.
                _work(loop, chunk)

    def _pool(self) -> ThreadPoolExecutor:
        if self._threads is None or self._process != os.getpid():
            self._process = os.getpid()  # a fork leaves the threads behind
            # One thread fewer than cores: the loop needs its own.
            workers = max(1, (os.cpu_count() or 2) - 1)
            self._threads = ThreadPoolExecutor(workers, "wechatpay-sign")
        return self._threads


def _work(loop: asyncio.AbstractEventLoop, jobs: list[Job]) -> None:
    """In a thread: do the jobs and give all results back in one turn of the loop."""
    results: list[tuple[asyncio.Future[Any], Any, Exception | None]] = []
    for future, function, arguments in jobs:
        try:
            results.append((future, function(*arguments), None))
        except Exception as error:
            results.append((future, None, error))
    try:
        loop.call_soon_threadsafe(_deliver, results)
    except RuntimeError:
        return  # the loop has ended, and with it whoever waited


def _deliver(
    results: list[tuple[asyncio.Future[Any], Any, Exception | None]],
) -> None:
    for future, value, error in results:
        if future.done():
            continue  # cancelled meanwhile
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
