"""Work beside the event loop: it comes back to whoever waits, and to nobody else."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator

import pytest

from wechatpay_chain._offload import CHUNK, Offload


@pytest.fixture
def offload() -> Iterator[Offload]:
    made = Offload()
    yield made
    made.close()


def thread(value: int) -> tuple[int, str]:
    return value, threading.current_thread().name


@pytest.mark.parametrize("jobs", [1, CHUNK, CHUNK + 1, 5 * CHUNK])
def test_each_caller_gets_its_own_result(offload: Offload, jobs: int) -> None:
    async def main() -> list[tuple[int, str]]:
        return await asyncio.gather(
            *[offload.submit(thread, (number,)) for number in range(jobs)]
        )

    results = asyncio.run(main())
    assert [value for value, _ in results] == list(range(jobs))
    assert all(name.startswith("wechatpay-sign") for _, name in results)


def test_one_that_fails_does_not_spoil_its_chunk(offload: Offload) -> None:
    async def main() -> list[object]:
        texts = ["1", "x", "3"]
        futures = [offload.submit(int, (text,)) for text in texts]
        return await asyncio.gather(*futures, return_exceptions=True)

    one, two, three = asyncio.run(main())
    assert (one, three) == (1, 3)
    assert isinstance(two, ValueError)


def test_who_was_cancelled_gets_nothing_and_the_others_all(offload: Offload) -> None:
    async def main() -> int:
        first, second = offload.submit(int, ("1",)), offload.submit(int, ("2",))
        first.cancel()
        return await second

    assert asyncio.run(main()) == 2


def test_where_no_thread_is_to_be_had_the_loop_does_it(
    offload: Offload, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def main() -> list[int]:
        jobs = [offload.submit(int, (str(number),)) for number in range(CHUNK + 1)]
        return await asyncio.wait_for(asyncio.gather(*jobs), 30)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert asyncio.run(main()) == list(range(CHUNK + 1))


def test_two_loops_share_it(offload: Offload) -> None:
    async def main() -> int:
        return await offload.submit(int, ("7",))

    assert [asyncio.run(main()), asyncio.run(main())] == [7, 7]


def test_a_loop_that_ended_is_not_waited_for(offload: Offload) -> None:
    go, done = threading.Event(), threading.Event()

    def slow() -> None:
        assert go.wait(10)

    async def main() -> None:
        offload.submit(slow, ()).cancel()
        await asyncio.sleep(0)  # the turn in which it is handed over

    asyncio.run(main())
    go.set()

    async def after() -> None:
        await offload.submit(done.set, ())

    asyncio.run(after())  # the thread is alive
    assert done.is_set()


def test_a_fork_takes_threads_of_its_own(
    offload: Offload, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> int:
        return await offload.submit(int, ("1",))

    assert asyncio.run(main()) == 1
    parents = offload._threads
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert asyncio.run(main()) == 1
    assert offload._threads is not parents
    assert parents is not None
    parents.shutdown()


def test_closing_twice_is_allowed(offload: Offload) -> None:
    offload.close()
    offload.close()


def test_the_threads_of_a_parent_process_are_not_ended(
    monkeypatch: pytest.MonkeyPatch, offload: Offload
) -> None:
    async def main() -> None:
        await offload.submit(thread, (1,))

    asyncio.run(main())
    threads = offload._threads
    assert threads is not None
    with monkeypatch.context() as forked:
        forked.setattr(os, "getpid", lambda: -1)
        offload.close()
    assert threads.submit(thread, 1).result()[0] == 1  # it still takes work
    threads.shutdown()
