"""One download at a time, for all threads and tasks of a client, in both modes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import Any

import pytest

from wechatpay_chain import (
    APIError,
    AsyncMemoryTransport,
    ConnectError,
    MemoryTransport,
    Request,
    Response,
    Retry,
    TransportError,
    UnknownSerial,
    WeChatPayError,
    _drivers,
)

#: No wait of a test lasts longer, whatever goes wrong.
PATIENCE = 20.0


class Waiting:
    """Counts the calls that wait for a download; ``all`` is set when it is so many."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.expected = 0
        self.count = 0
        self.all = threading.Event()
        self._then: Callable[[], object] | None = None
        self._lock = threading.Lock()
        wrap = asyncio.wrap_future

        def blocking(futures: Any, seconds: float) -> Any:
            self._arrived()
            return wait_for(futures, seconds)

        def awaited(future: Any) -> Any:
            self._arrived()
            return wrap(future)

        monkeypatch.setattr(_drivers, "wait", blocking)
        monkeypatch.setattr(asyncio, "wrap_future", awaited)

    def expect(self, count: int, then: Callable[[], object] | None = None) -> None:
        self.expected, self._then = count, then

    def _arrived(self) -> None:
        with self._lock:
            self.count += 1
            if self.count == self.expected:
                self.all.set()
                if self._then is not None:
                    self._then()


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    return Waiting(monkeypatch)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


def held(gateway: Any, waiting: Waiting, count: int) -> None:
    """Let the next download end only when *count* others wait for it."""
    answer = gateway.listed
    waiting.expect(count)

    def listed(request: Request) -> Response:
        assert waiting.all.wait(PATIENCE)
        result = answer(request) if callable(answer) else answer
        made: Response = gateway.server.signed(result)
        return made

    gateway.listed = listed


def awaited(server: Any, hold: Callable[[], Awaitable[object]]) -> AsyncMemoryTransport:
    """A transport on which downloads wait for *hold*."""

    async def handler(request: Request) -> Response:
        if request.path == "/v3/certificates":
            await hold()
        response: Response = server(request)
        return response

    return AsyncMemoryTransport(handler)


def failure(error: BaseException) -> Callable[[Request], Any]:
    def fails(request: Request) -> Any:
        raise error

    return fails


async def settled(calls: list[Any], after: Callable[[], object]) -> list[Any]:
    """The results of *calls*; *after* is called when all of them have begun."""

    async def last() -> None:
        after()

    results = await asyncio.gather(*calls, last(), return_exceptions=True)
    return results[:-1]


class TestFirstUse:
    def test_sixteen_threads_download_once(
        self, server, downloading, gateway, waiting, threads
    ) -> None:
        client = downloading()
        held(gateway, waiting, 15)
        replies = list(threads.map(lambda _: client.v3.x.get(), range(16)))
        assert all(reply.verified for reply in replies)
        assert gateway.downloads == 1
        assert len(server.requests) == 17

    def test_sixty_four_tasks_download_once(self, server, downloading, gateway) -> None:
        async def main() -> list[Any]:
            begun = asyncio.Event()
            client = downloading(async_transport=awaited(server, begun.wait))
            return await settled(
                [client.v3.x.get_async() for _ in range(64)], begun.set
            )

        assert all(reply.verified for reply in asyncio.run(main()))
        assert gateway.downloads == 1
        assert len(server.requests) == 65

    @pytest.mark.parametrize("leader", ["thread", "task"])
    def test_threads_and_tasks_wait_for_each_other(
        self, server, downloading, gateway, waiting, threads, leader: str
    ) -> None:
        async def main() -> list[Any]:
            loop = asyncio.get_running_loop()
            under_way, gone = asyncio.Event(), asyncio.Event()

            async def hold() -> None:
                under_way.set()
                await gone.wait()

            def listed(request: Request) -> Response:
                loop.call_soon_threadsafe(under_way.set)
                assert waiting.all.wait(PATIENCE)
                made: Response = server.signed(answer)
                return made

            answer, gateway.listed = gateway.listed, listed
            waiting.expect(19, lambda: loop.call_soon_threadsafe(gone.set))
            client = downloading(async_transport=awaited(server, hold))

            def thread() -> Any:
                return loop.run_in_executor(threads, client.v3.x.get)

            def task() -> Any:
                return asyncio.ensure_future(client.v3.x.get_async())

            first = {"thread": thread, "task": task}[leader]()
            await under_way.wait()
            others = [thread() for _ in range(3)] + [task() for _ in range(16)]
            return list(await asyncio.gather(first, *others))

        assert all(reply.verified for reply in asyncio.run(main()))
        assert gateway.downloads == 1

    def test_a_failure_is_shared_by_all_who_waited_for_it(
        self, server, downloading, gateway, waiting, threads
    ) -> None:
        cause = OSError("no route")
        error = ConnectError("refused")
        error.__cause__ = cause
        client = downloading(backup_url=None)
        good = gateway.listed

        def listed(request: Request) -> Response:
            assert waiting.all.wait(PATIENCE)
            raise error

        gateway.listed = listed
        waiting.expect(15)

        def fails(no: int) -> WeChatPayError:
            with pytest.raises(ConnectError, match="refused") as caught:
                client["v3/x/{no}"].post({}, no=no)
            return caught.value

        errors = list(threads.map(fails, range(16)))
        assert gateway.downloads == len(server.requests) == 1
        assert len(set(map(id, errors))) == 16
        for error_of_one in errors:
            assert error_of_one.outcome == "not_sent"
            assert error_of_one.__cause__ is cause
        paths = [one.request.url.rpartition("/")[2] for one in errors if one.request]
        assert sorted(paths) == sorted(map(str, range(16)))
        gateway.listed = good
        assert client.v3.x.get().verified

    def test_a_failure_is_shared_by_tasks(self, server, downloading, gateway) -> None:
        gateway.listed = lambda request: server.plain(403, {"code": "NO_AUTH"})

        async def main() -> list[Any]:
            begun = asyncio.Event()
            client = downloading(async_transport=awaited(server, begun.wait))
            return await settled([client.v3.x.get_async() for _ in range(8)], begun.set)

        errors = asyncio.run(main())
        assert {type(error).__name__ for error in errors} == {"Forbidden"}
        assert all(isinstance(error, APIError) for error in errors)
        assert gateway.downloads == 1

    def test_a_failure_that_is_none_of_ours_is_met_by_each(
        self, downloading, gateway, waiting, threads
    ) -> None:
        gate = iter([True])

        def listed(request: Request) -> Response:
            assert not next(gate, False) or waiting.all.wait(PATIENCE)
            raise LookupError("a layer's own")

        gateway.listed = listed
        waiting.expect(3)
        client = downloading()

        def fails(_: int) -> None:
            with pytest.raises(LookupError, match="a layer's own"):
                client.v3.x.get()

        list(threads.map(fails, range(4)))
        assert gateway.downloads == 4

    def test_a_task_that_is_cancelled_hands_over(
        self, server, downloading, gateway
    ) -> None:
        async def main() -> list[Any]:
            begun, never = asyncio.Event(), asyncio.Event()
            holds = iter([never.wait])

            async def hold() -> None:
                begun.set()
                await next(holds, begun.wait)()

            client = downloading(async_transport=awaited(server, hold))
            leader = asyncio.ensure_future(client.v3.x.get_async())
            await begun.wait()
            return (await settled([client.v3.x.get_async()], leader.cancel)) + [leader]

        reply, leader = asyncio.run(main())
        assert leader.cancelled()
        assert reply.verified
        assert gateway.downloads == 1

    def test_a_thread_that_is_interrupted_hands_over(
        self, server, downloading, gateway, waiting, threads
    ) -> None:
        good = gateway.listed

        def listed(request: Request) -> Response:
            assert waiting.all.wait(PATIENCE)
            gateway.listed = good
            raise KeyboardInterrupt

        gateway.listed = listed
        waiting.expect(3)
        client = downloading()

        def attempt(_: int) -> bool:
            try:
                return bool(client.v3.x.get().verified)
            except KeyboardInterrupt:
                return False

        results = list(threads.map(attempt, range(4)))
        assert sorted(results) == [False, True, True, True]
        assert gateway.downloads == 2

    def test_a_call_that_stands_in_the_way_of_its_leader_downloads_by_itself(
        self, server, downloading, gateway, monkeypatch
    ) -> None:
        waited: list[float] = []
        monkeypatch.setattr(_drivers, "wait", lambda _, seconds: waited.append(seconds))

        async def main() -> None:
            begun, blocked = asyncio.Event(), asyncio.Event()

            async def hold() -> None:
                begun.set()
                await blocked.wait()

            client = downloading(async_transport=awaited(server, hold))
            leader = asyncio.ensure_future(client.v3.x.get_async())
            await begun.wait()
            assert client.v3.x.get().verified  # on the loop's own thread
            blocked.set()
            assert (await leader).verified

        asyncio.run(main())
        assert waited == [15]
        assert gateway.downloads == 2


class TestTime:
    """A call gives to certificates only what it has: half to wait, half to download."""

    @pytest.mark.parametrize(
        ("deadline", "timeout", "expected"),
        [
            (None, (9, 30), (5, 10, 15)),
            (60.0, (9, 30), (5, 10, 15)),
            (60.0, (2, 3), (2, 3, 15)),
            (8.0, (5, 8), (5, 8, 8)),
            (4.0, (5, 4), (4, 4, 4)),
        ],
    )
    def test_of_the_first_download(
        self, call, server, downloading, gateway, deadline, timeout, expected
    ) -> None:
        policy = Retry(1, deadline=deadline, timer=lambda: 0.0)
        client = downloading(retry=policy, timeout=timeout)
        call(client.v3.x.get)
        download = server.requests[0]
        assert (*download.timeout, download.deadline) == expected

    def test_the_call_has_what_is_left(
        self, call, server, downloading, gateway
    ) -> None:
        spent = iter([7.0])
        answer = gateway.listed

        def listed(request: Request) -> Any:
            server.now += next(spent)
            return server.signed(answer)

        gateway.listed = listed
        policy = Retry(1, deadline=10.0, timer=lambda: server.now)
        call(downloading(retry=policy, timeout=(2, 9)).v3.x.get)
        assert server.request.deadline == 3
        assert server.request.timeout == (2, 3)

    def test_with_none_left_the_call_is_not_sent(
        self, call, server, downloading, gateway
    ) -> None:
        answer = gateway.listed

        def listed(request: Request) -> Any:
            server.now += 10
            return server.signed(answer)

        gateway.listed = listed
        policy = Retry(3, deadline=10.0, timer=lambda: server.now)
        with pytest.raises(TransportError, match="no time was left") as caught:
            call(downloading(retry=policy, timeout=5).v3.x.post, {})
        assert caught.value.outcome == "not_sent"
        assert len(server.requests) == 1

    def test_an_answer_that_came_late_is_not_asked_about(
        self, call, server, downloading, gateway
    ) -> None:
        policy = Retry(1, deadline=10.0, timer=lambda: server.now)
        client = downloading(retry=policy, timeout=5)
        call(client.v3.x.get)
        server.now += 12 * 3600 + 1

        def late(serial: str) -> Callable[[Request], Any]:
            def answer(request: Request) -> Any:
                server.now += 10
                return server.signed({}, serial=serial)

            return answer

        server.will(late(server.old_serial), late(server.new_serial))
        with pytest.raises(UnknownSerial):
            call(client.v3.x.get)
        assert call(client.v3.x.get).verified
        assert gateway.downloads == 1


class TestUnknownSerial:
    def test_threads_that_meet_it_at_once_ask_once(
        self, server, downloading, gateway, waiting, threads
    ) -> None:
        client = downloading()
        gateway.lists("old")
        server.signs_with = server.old_serial
        client.v3.x.get()
        server.now += 61
        gateway.lists("new")
        server.signs_with = server.new_serial
        held(gateway, waiting, 15)
        replies = list(threads.map(lambda _: client.v3.x.get(), range(16)))
        assert {reply.serial for reply in replies} == {server.new_serial}
        assert gateway.downloads == 2

    def test_a_failure_leaves_each_to_the_verification(
        self, server, downloading, gateway, waiting, threads, caplog
    ) -> None:
        client = downloading()
        client.v3.x.get()
        server.now += 61
        server.signs_with = server.old_serial
        gateway.listed = failure(ConnectError("refused"))
        held(gateway, waiting, 15)

        def fails(_: int) -> None:
            with pytest.raises(UnknownSerial) as caught:
                client.v3.x.get()
            assert caught.value.outcome == "unknown"

        list(threads.map(fails, range(16)))
        assert gateway.downloads == 2
        assert caplog.text.count("refresh failed") == 1

    def test_a_cancelled_question_does_not_count(
        self, call, server, downloading, gateway
    ) -> None:
        client = downloading()
        call(client.v3.x.get)
        server.now += 61
        server.signs_with = server.old_serial
        gateway.listed = failure(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            call(client.v3.x.get)
        gateway.lists("new", "old")
        assert call(client.v3.x.get).serial == server.old_serial


class TestRenewal:
    def test_others_do_not_wait_for_it(
        self, call, server, downloading, gateway
    ) -> None:
        others: list[Any] = []

        def handler(request: Request) -> Response:
            if request.path == "/v3/certificates" and gateway.downloads:
                others.append(client.v3.other.get())
            response: Response = server(request)
            return response

        async def handler_async(request: Request) -> Response:
            if request.path == "/v3/certificates" and gateway.downloads:
                others.append(await client.v3.other.get_async())
            response: Response = server(request)
            return response

        client = downloading(
            transport=MemoryTransport(handler),
            async_transport=AsyncMemoryTransport(handler_async),
        )
        call(client.v3.x.get)
        server.now += 12 * 3600 + 1
        assert call(client.v3.x.get).verified
        assert [reply.verified for reply in others] == [True]
        assert gateway.downloads == 2
