"""``limit``: ``asyncio.timeout`` that holds on Python 3.10 too."""

from __future__ import annotations

import asyncio
import sys

if sys.version_info >= (3, 11):
    from asyncio import timeout as limit
else:
    #: Seconds after which a cancellation that was not heard is repeated.
    _AGAIN = 0.01

    class limit:
        """What is awaited within ends after *delay* seconds with ``TimeoutError``.

        Tasks of Python 3.10 do not count their cancellations: where a timeout within
        is over in the same moment, it takes the one cancellation for its own, and what
        is within may go on. So the cancellation is repeated until it is heard.
        """

        def __init__(self, delay: float) -> None:
            self._delay = delay
            self._over = False

        async def __aenter__(self) -> None:
            self._loop = asyncio.get_running_loop()
            self._task = asyncio.current_task()
            self._timer = self._loop.call_later(self._delay, self._end)

        def _end(self) -> None:
            self._over = True
            assert self._task is not None
            self._task.cancel()
            self._timer = self._loop.call_later(_AGAIN, self._end)

        async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
            self._timer.cancel()
            if self._over and kind is asyncio.CancelledError:
                raise asyncio.TimeoutError
