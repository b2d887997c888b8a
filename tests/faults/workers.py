"""Threads and tasks: they tell stories, make the calls, and note what came of them."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from ledger import View
from merchant import Shop
from plan import Plan
from shop import Ask, Confirm, Pause, Result, story

from wechatpay_chain import NotFound, RateLimited, WeChatPayError

#: Seconds between two looks at how late the event loop is.
BEAT = 0.05
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Phase:
    """Threads or tasks: what their calls came to."""

    def __init__(self, name: str, plan: Plan) -> None:
        self.name = name
        self.plan = plan
        #: Calls that are still to be made.
        self.budget = plan.calls
        self.lock = threading.Lock()
        self.views: list[View] = []
        self.outcomes: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        #: Calls that said that nothing was done.
        self.claims: dict[str, dict[str, str]] = {"not_sent": {}, "refused": {}}
        self.longest = 0.0
        #: Seconds that the event loop was late at most: it is busy, not the client.
        self.lag = 0.0
        self.seconds = 0.0
        self.memory: list[int] = []
        self.problems: list[str] = []
        self.left_over = 0
        self._numbers = itertools.count(1)

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return sum(self.outcomes.values())

    @property
    def growth(self) -> int | None:
        """Bytes that the process grew by from the middle to the end."""
        return self.memory[1] - self.memory[0] if len(self.memory) == 2 else None

    def rngs(self, workers: int) -> list[random.Random]:
        """What each of so many workers decides by."""
        seed = f"{self.plan.seed}/{self.name}"
        return [random.Random(f"{seed}/{number}") for number in range(workers)]

    def open(self, rng: random.Random) -> View | None:
        """A new order, while there are calls to be made."""
        with self.lock:
            if self.budget <= 0:
                return None
            number = f"{self.name}{next(self._numbers):08d}"
            view = View(number, rng.random() < 0.5, rng.random() < self.plan.hasty)
            self.views.append(view)
            return view

    def begin(self) -> tuple[str, bool]:
        """The id of a new call, and whether it is the one in the middle."""
        with self.lock:
            self.budget -= 1
            return f"{self.name}-{self.budget}", self.budget == self.plan.calls // 2

    def note(self, call: str, seconds: float, result: Result) -> None:
        """Count a call that has ended."""
        with self.lock:
            self.outcomes[result.outcome] += 1
            self.longest = max(self.longest, seconds)
            if result.outcome in self.claims and not result.absent:
                self.claims[result.outcome][call] = sys.intern(result.error)

    def wrong(self, text: str) -> None:
        """Note a violation."""
        with self.lock:
            self.problems.append(text)


class Threads(Phase):
    """Calls from threads."""

    def run(self, shop: Shop) -> None:
        """Make all calls."""
        rngs = self.rngs(self.plan.threads)
        workers = [
            threading.Thread(target=self._work, args=(shop, rng)) for rng in rngs
        ]
        started = time.monotonic()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.seconds = time.monotonic() - started
        self.memory.append(resident())

    def _work(self, shop: Shop, rng: random.Random) -> None:
        try:
            while view := self.open(rng):
                self._tell(shop, view, rng)
        except Exception as error:
            self.wrong(f"a worker ended: {error!r}")

    def _tell(self, shop: Shop, view: View, rng: random.Random) -> None:
        tale, result = story(view, rng), None
        with suppress(StopIteration):
            while True:
                act = tale.send(result)
                result = None
                if isinstance(act, Ask):
                    result = self._call(shop, act)
                elif isinstance(act, Confirm):
                    shop.far.ask("confirm", number=act.order.number)
                elif isinstance(act, Pause):
                    time.sleep(act.seconds)

    def _call(self, shop: Shop, ask: Ask) -> Result:
        call, middle = self.begin()
        if middle:
            self.memory.append(resident())
            shop.far.ask("turn", switched=True)
        verb, arguments, options = shop.verb(ask, call, awaited=False)
        started = time.monotonic()
        try:
            reply = verb(*arguments, **options)
        except Exception as error:
            seconds = time.monotonic() - started
            result = explain(self, ask, error)
        else:
            seconds = time.monotonic() - started
            result = judge(self, ask, reply)
        self.note(call, seconds, result)
        return result


class Tasks(Phase):
    """Calls from the tasks of one event loop."""

    def run(self, shop: Shop) -> None:
        """Make all calls, and close the client."""
        asyncio.run(self._run(shop))

    async def _run(self, shop: Shop) -> None:
        started = time.monotonic()
        rngs = self.rngs(self.plan.tasks)
        heart = asyncio.ensure_future(self._beat())
        await asyncio.gather(*(self._enter(shop, rng) for rng in rngs))
        heart.cancel()
        await asyncio.wait([heart])
        self.seconds = time.monotonic() - started
        self.memory.append(resident())
        await shop.client.aclose()
        self.left_over = len(asyncio.all_tasks()) - 1

    async def _beat(self) -> None:
        while True:
            started = time.monotonic()
            await asyncio.sleep(BEAT)
            self.lag = max(self.lag, time.monotonic() - started - BEAT)

    async def _enter(self, shop: Shop, rng: random.Random) -> None:
        await asyncio.sleep(rng.uniform(0, self.plan.ramp))
        await self._work(shop, rng)

    async def _work(self, shop: Shop, rng: random.Random) -> None:
        try:
            while view := self.open(rng):
                await self._tell(shop, view, rng)
        except Exception as error:
            self.wrong(f"a worker ended: {error!r}")

    async def _tell(self, shop: Shop, view: View, rng: random.Random) -> None:
        tale, result = story(view, rng), None
        with suppress(StopIteration):
            while True:
                act = tale.send(result)
                result = None
                if isinstance(act, Ask):
                    result = await self._call(shop, act)
                elif isinstance(act, Confirm):
                    number = act.order.number
                    await asyncio.to_thread(shop.far.ask, "confirm", number=number)
                elif isinstance(act, Pause):
                    await asyncio.sleep(act.seconds)

    async def _call(self, shop: Shop, ask: Ask) -> Result:
        call, middle = self.begin()
        if middle:
            self.memory.append(resident())
            await asyncio.to_thread(shop.far.ask, "turn", switched=False)
        verb, arguments, options = shop.verb(ask, call, awaited=True)
        started = time.monotonic()
        try:
            reply = await verb(*arguments, **options)
        except Exception as error:
            seconds = time.monotonic() - started
            result = explain(self, ask, error)
        else:
            seconds = time.monotonic() - started
            result = judge(self, ask, reply)
        self.note(call, seconds, result)
        return result


def judge(phase: Phase, ask: Ask, reply: Any) -> Result:
    """What a reply says, after a look at whether it answers this call."""
    data = reply.data if isinstance(reply.data, dict) else None
    if not reply.verified:
        phase.wrong(f"{ask.order.number}: an answer that is not verified")
    number = ask.order.number if data is None else data.get("out_order_no")
    if number != ask.order.number:
        phase.wrong(f"{ask.order.number}: got the answer of {number}")
    return Result("ok", data)


def explain(phase: Phase, ask: Ask, error: Exception) -> Result:
    """What an error says, after a look at whether it may."""
    what = f"{ask.order.number}: {ask.kind}"
    with phase.lock:
        phase.errors[type(error).__name__] += 1
    if not isinstance(error, WeChatPayError):
        phase.wrong(f"{what} raised {error!r}")
        return Result("unknown")
    absent = ask.kind == "query" and isinstance(error, NotFound)
    absent = absent and error.is_code("ORDER_NOT_EXIST")
    outcome = error.outcome or "none"
    if outcome == "none":
        phase.wrong(f"{what} raised an error without an outcome: {error}")
    if outcome == "refused" and not (absent or isinstance(error, RateLimited)):
        phase.wrong(f"{what} was refused: {error}")
    return Result(outcome, None, absent, str(error))


def resident() -> int:
    """Bytes of memory that this process takes; 0 where unknown."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
    return 0
