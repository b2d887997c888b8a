"""A limit ends what it bounds, and no cancellation of the caller's is lost to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from wechatpay_chain.transports.limit import within


class Steps:
    """Work that goes on as often as it is told to, and then ends as it is told to."""

    def __init__(self, deaf: int = 0, end: Callable[[], str] | None = None) -> None:
        self.started = asyncio.Event()
        self.released = asyncio.Event()
        #: How many cancellations it takes for its own, as timeouts of Python 3.10 do.
        self.deaf = deaf
        self.end = end
        self.dropped: list[str] = []

    async def work(self) -> str:
        self.started.set()
        while True:
            try:
                await self.released.wait()
                return "made"
            except asyncio.CancelledError:
                if self.end is not None:
                    return self.end()
                if not self.deaf:
                    raise
                self.deaf -= 1

    def within(self, seconds: float) -> Coroutine[Any, Any, str]:
        return within(seconds, self.work(), self.dropped.append)


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Run *main*, after which no task may be left."""

    async def checked() -> None:
        await main()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(checked())


def fail() -> str:
    raise OSError("no route")


def test_what_is_in_time_comes_back() -> None:
    async def main() -> None:
        steps = Steps()
        steps.released.set()
        assert await steps.within(30) == "made"
        assert steps.dropped == []

    run(main)


@pytest.mark.parametrize("deaf", [0, 1, 3])
def test_what_is_late_ends_however_often_it_must_be_told(deaf: int) -> None:
    async def main() -> None:
        steps = Steps(deaf)
        with pytest.raises(asyncio.TimeoutError):
            await steps.within(0.001)
        assert steps.deaf == 0

    run(main)


def test_what_is_made_at_the_last_moment_is_taken() -> None:
    async def main() -> None:
        assert await Steps(end=lambda: "late").within(0.001) == "late"

    run(main)


def test_an_error_of_the_work_is_its_own() -> None:
    async def main() -> None:
        with pytest.raises(OSError, match="no route"):
            await Steps(end=fail).within(0.001)

    run(main)


@pytest.mark.parametrize("deaf", [0, 1, 3])
@pytest.mark.parametrize("seconds", [0.001, 30])
def test_who_is_cancelled_is_cancelled(deaf: int, seconds: float) -> None:
    async def main() -> None:
        steps = Steps(deaf)
        task = asyncio.ensure_future(steps.within(seconds))
        await steps.started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert steps.deaf == 0

    run(main)


def test_who_is_cancelled_when_time_is_up_is_cancelled() -> None:
    async def main() -> None:
        def both() -> str:
            # Told that time is up: the caller's own comes before anybody else runs.
            task.cancel()
            raise asyncio.TimeoutError

        task = asyncio.ensure_future(Steps(end=both).within(0.001))
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main)


@pytest.mark.parametrize("end", [lambda: "late", fail], ids=["made", "failed"])
def test_who_is_cancelled_gets_nothing_and_leaves_nothing(
    end: Callable[[], str],
) -> None:
    async def main() -> None:
        steps = Steps(end=end)
        task = asyncio.ensure_future(steps.within(30))
        await steps.started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert steps.dropped == (["late"] if end is not fail else [])

    run(main)
