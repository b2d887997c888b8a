"""The call over a socket: plain and TLS, one thread and eight, one task and many."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from account import ANSWER
from clients import ON_A_THREAD, ON_THE_LOOP, AsyncChain, Chain
from floors import AiohttpFloor, RequestsFloor, WireFloor
from measure import Contender, Effort, race
from report import Row, Target, against_floor

#: Account, base URL, and the CA to trust: what every contender is built of.
Where = tuple[Any, str, str]

SYNC = (("requests floor", RequestsFloor), ("chain", Chain), ("wire floor", WireFloor))
FASTER = Target("speed", 1.25, at_least=True)
CHEAPER = Target("CPU", 0.80)
NEAR = Target("speed", 0.90, at_least=True)


def threaded(title: str, where: Where, threads: int, effort: Effort) -> list[Row]:
    """Race the sync contenders with that many threads."""
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        contenders = []
        for name, kind in SYNC:
            made = kind(*where)
            stack.callback(made.close)
            _check(name, made.call())
            contenders.append(Contender(name, _in_threads(made.call, pool, threads)))
        results = race(contenders, effort, step=threads)
    targets = (FASTER, CHEAPER) if threads == 1 else (FASTER,)
    return against_floor(title, results, {"chain": targets})


def _in_threads(
    call: Callable[[], Any], pool: ThreadPoolExecutor, threads: int
) -> Callable[[int], None]:
    def repeat(times: int) -> None:
        for _ in range(times):
            call()

    def spread(times: int) -> None:
        for _ in pool.map(repeat, [times // threads] * threads):
            pass

    return repeat if threads == 1 else spread


def awaited(title: str, where: Where, tasks: int, effort: Effort) -> list[Row]:
    """Race the async contenders with that many tasks on one event loop."""
    with _event_loop() as loop, ExitStack() as stack:
        contenders = []
        for name, made in loop.run_until_complete(_async_contenders(where)):
            stack.callback(lambda made=made: loop.run_until_complete(made.close()))
            _check(name, loop.run_until_complete(made.call()))
            contenders.append(Contender(name, _in_tasks(made.call, loop, tasks)))
        results = race(contenders, effort, step=tasks)
    return against_floor(title, results, {"chain": (NEAR,)})


async def _async_contenders(where: Where) -> list[tuple[str, Any]]:
    chains = {
        "chain": AsyncChain(*where),
        "chain, signing on the loop": AsyncChain(*where, ON_THE_LOOP),
        "chain, signing on a thread": AsyncChain(*where, ON_A_THREAD),
    }
    for chain in chains.values():
        await chain.start()
    return [("aiohttp floor", AiohttpFloor(*where)), *chains.items()]


def _in_tasks(
    call: Callable[[], Coroutine[Any, Any, Any]],
    loop: asyncio.AbstractEventLoop,
    tasks: int,
) -> Callable[[int], None]:
    async def repeat(times: int) -> None:
        for _ in range(times):
            await call()

    async def spread(times: int) -> None:
        await asyncio.gather(*(repeat(times // tasks) for _ in range(tasks)))

    return lambda times: loop.run_until_complete(spread(times))


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One loop for all contenders; what Ctrl-C left running on it is cancelled."""
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.run_until_complete(_cancel_all())
        loop.close()


async def _cancel_all() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _check(name: str, data: Any) -> None:
    """Whoever does less than the whole call is no contender."""
    if data != json.loads(ANSWER):
        raise RuntimeError(f"{name} did not return the answer: {data!r}")
