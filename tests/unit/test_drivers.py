"""Both drivers perform the same commands, and let go of what they opened."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import pytest

from wechatpay_chain import (
    BadRequest,
    ConfigurationError,
    ConnectError,
    DecodeError,
    ReadTimeout,
    Request,
    Response,
    TransportError,
    WeChatPayError,
    around,
    call,
    close,
    compute,
    fetch,
    read,
    send,
    sleep,
)
from wechatpay_chain._drivers import (
    OFFLOAD_CORES,
    OFFLOAD_FROM,
    AsyncDriver,
    SyncDriver,
)
from wechatpay_chain._flow import Entry, layer_name
from wechatpay_chain.middleware import Body

REQUEST = Request("GET", "http://localhost/v3/x")


class Stream:
    """An open body that counts its readers and remembers that it was closed."""

    def __init__(self, content: bytes | Exception = b"body") -> None:
        self.content = content
        self.reads = 0
        self.closed = False

    def read(self) -> bytes:
        self.reads += 1
        if isinstance(self.content, Exception):
            raise self.content
        return self.content

    def chunks(self, size: int) -> Iterator[bytes]:
        yield self.read()

    def close(self) -> None:
        self.closed = True


class AsyncStream(Stream):
    async def aread(self) -> bytes:
        return self.read()

    async def achunks(self, size: int) -> AsyncIterator[bytes]:
        yield self.read()


class Transport:
    """Plays answers in turn: a status, a response, or an exception to raise."""

    def __init__(self, stream: type[Stream], answers: tuple[Any, ...]) -> None:
        self._stream = stream
        self._answers = list(answers)
        self.sent: list[Request] = []
        self.slept: list[float] = []
        self.streams: list[Stream] = []

    def open(self, request: Request) -> Response:
        self.sent.append(request)
        answer = self._answers.pop(0) if self._answers else 200
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Response):
            return answer
        status, content = answer if isinstance(answer, tuple) else (answer, b"body")
        self.streams.append(self._stream(content))
        return Response(status, body=Body(None, self.streams[-1]))

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def close(self) -> None:
        """Nothing is open."""


class AsyncTransport(Transport):
    async def open(self, request: Request) -> Response:  # type: ignore[override]
        return super().open(request)

    async def sleep(self, seconds: float) -> None:  # type: ignore[override]
        super().sleep(seconds)

    async def aclose(self) -> None:
        """Nothing is open."""


class Drive:
    """Runs layers through the driver of one mode."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.transport: Any = None

    def __call__(
        self, *layers: Callable[..., Any], answers: tuple[Any, ...] = (), **changes: Any
    ) -> Response:
        entries = [Entry(layer_name(layer), layer) for layer in layers]
        request = REQUEST.replace(**changes)
        if self.mode == "sync":
            self.transport = Transport(Stream, answers)
            return SyncDriver(self.transport).run(entries, request)
        self.transport = AsyncTransport(AsyncStream, answers)
        return asyncio.run(AsyncDriver(self.transport).run(entries, request))


@pytest.fixture(params=["sync", "async"])
def drive(request: pytest.FixtureRequest) -> Drive:
    return Drive(request.param)


def passing(request):
    return (yield from send(request))


def test_the_body_is_read_for_the_caller(drive: Drive) -> None:
    response = drive(passing)
    assert response.content == b"body"
    assert response.body.stream is None
    assert response.request == REQUEST


def test_a_streamed_body_is_left_open(drive: Drive) -> None:
    response = drive(passing, stream=True)
    (stream,) = drive.transport.streams
    assert response.body.stream is stream
    assert (stream.reads, stream.closed) == (0, False)


def test_a_streamed_body_that_a_layer_read_is_whole(drive: Drive) -> None:
    def reads(request):
        response = yield from send(request)
        assert (yield from read(response)) == b"body"
        return response

    assert drive(reads, stream=True).content == b"body"


def test_reading_twice_reads_the_wire_once(drive: Drive) -> None:
    def reads(request):
        response = yield from send(request)
        first = yield from read(response)
        return response.replace(data=[first, (yield from read(response))])

    assert drive(reads).data == [b"body", b"body"]
    assert drive.transport.streams[0].reads == 1


def test_a_response_without_a_stream_reads_as_empty(drive: Drive) -> None:
    def reads(request):
        response = yield from send(request)
        yield from close(response)
        return response.replace(data=(yield from read(response)))

    assert drive(reads).data == b""
    assert drive.transport.streams[0].closed


def test_sleeping_is_the_transports_work(drive: Drive) -> None:
    def waits(request):
        yield from sleep(1.5)
        return (yield from send(request))

    drive(waits)
    assert drive.transport.slept == [1.5]


def test_all_but_the_returned_response_are_closed(drive: Drive) -> None:
    def thrice(request):
        first = yield from send(request)
        yield from send(request)
        yield from send(request)
        return first.replace(data="first")

    def keeps(request):
        yield request
        yield request
        return (yield request)

    for layer, count in [(thrice, 3), (keeps, 3)]:
        drive(layer, stream=True)
        streams = drive.transport.streams
        assert len(streams) == count
        assert all(stream.closed for stream in streams[:-1])
    assert not streams[-1].closed


@pytest.mark.parametrize("error", [RuntimeError("own"), BadRequest("x"), ValueError()])
def test_an_error_of_a_layer_closes_what_was_opened(
    drive: Drive, error: Exception
) -> None:
    def fails(request):
        yield from send(request)
        raise error

    with pytest.raises(type(error)) as caught:
        drive(passing, fails)
    assert caught.value is error
    assert drive.transport.streams[0].closed


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_closes_what_was_opened_and_passes(
    drive: Drive, end: type[BaseException]
) -> None:
    seen: list[str] = []

    def greedy(request):
        try:
            yield from send(request)
            yield from compute(interrupt)
        except BaseException as error:
            seen.append(type(error).__name__)
            return Response(200)
        finally:
            seen.append("finally")

    def interrupt() -> None:
        raise end

    with pytest.raises(end):
        drive(greedy)
    assert seen == ["GeneratorExit", "finally"]
    assert drive.transport.streams[0].closed


def test_cancelling_a_task_closes_what_was_opened() -> None:
    seen: list[str] = []

    class Slow(AsyncTransport):
        async def sleep(self, seconds: float) -> None:  # type: ignore[override]
            waiting.set()
            await asyncio.Event().wait()

    def lingers(request):
        try:
            yield from send(request)
            yield from sleep(1)
        except BaseException as error:
            seen.append(type(error).__name__)
            return Response(200)
        finally:
            seen.append("finally")

    async def main() -> None:
        task = asyncio.create_task(
            AsyncDriver(transport).run([Entry("lingers", lingers)], REQUEST)
        )
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    waiting = asyncio.Event()
    transport = Slow(AsyncStream, ())
    asyncio.run(main())
    assert seen == ["GeneratorExit", "finally"]
    assert transport.streams[0].closed


def test_a_transport_error_is_thrown_into_the_innermost_layer(drive: Drive) -> None:
    def again(request):
        try:
            return (yield from send(request))
        except ConnectError:
            return (yield from send(request))

    assert drive(passing, again, answers=(ConnectError("no"), 200)).status_code == 200
    assert len(drive.transport.sent) == 2


def test_an_error_while_reading_is_thrown_into_the_layer_that_reads(
    drive: Drive,
) -> None:
    def reads(request):
        response = yield from send(request)
        try:
            yield from read(response)
        except ReadTimeout as error:
            return Response(502, data=str(error))
        return response

    assert drive(reads, answers=((200, ReadTimeout("late")),)).data == "late"


def test_calls_and_computations_give_their_result(drive: Drive) -> None:
    def layer(request):
        total = yield from compute(sum, [1, 2])
        text = yield from call("-".join, "ab")
        response = yield from send(request)
        return response.replace(data=(total, text))

    assert drive(layer).data == (3, "a-b")


def test_an_error_of_a_call_is_thrown_into_the_layer(drive: Drive) -> None:
    def layer(request):
        for helper in (call, compute):
            try:
                yield from helper(int, "x")
            except ValueError:
                continue
        return (yield from send(request))

    assert drive(layer).status_code == 200


async def later(value: int) -> int:
    await asyncio.sleep(0)
    return value


class Later:
    async def __call__(self, value: int) -> int:
        return await later(value)


@pytest.mark.parametrize(
    "function",
    [later, Later(), partial(later), partial(partial(Later())), lambda n: later(n)],
)
def test_a_coroutine_function_is_awaited_or_refused(function: Any) -> None:
    def layer(request):
        value = yield from call(function, 7)
        response = yield from send(request)
        return response.replace(data=value)

    assert Drive("async")(layer).data == 7
    drive = Drive("sync")
    with pytest.raises(TypeError, match="is a coroutine function and this call is not"):
        drive(layer)
    assert drive.transport.sent == []


class TestFetch:
    def test_goes_through_the_stack_less_the_layers_named(self, drive: Drive) -> None:
        def marks(request):
            return (yield request.with_header("X-Mark", "1"))

        def asks(request):
            if request.method == "GET":
                nested = yield from fetch(
                    REQUEST.replace(method="POST"), without={"asks", "unknown"}
                )
                assert nested.content == b"nested"
            return (yield from send(request))

        def outer(request):
            return (yield request.with_header("X-Outer", "1"))

        drive(outer, asks, marks, answers=((200, b"nested"), 200))
        nested, sent = drive.transport.sent
        assert (nested.method, sent.method) == ("POST", "GET")
        assert list(nested.headers) == ["X-Outer", "X-Mark"]

    def test_closes_what_it_opened(self, drive: Drive) -> None:
        def twice(request):
            if request.method == "POST":
                yield from send(request)
            return (yield from send(request))

        def asks(request):
            yield from fetch(REQUEST.replace(method="POST"), without={"asks"})
            return (yield from send(request))

        drive(asks, twice, answers=(500, 200, 200))
        first, second, _ = drive.transport.streams
        assert first.closed
        assert second.reads == 1

    def test_an_error_is_thrown_into_the_layer_that_asked(self, drive: Drive) -> None:
        def asks(request):
            try:
                yield from fetch(REQUEST, without={"asks"})
            except TransportError:
                return (yield from send(request))
            raise AssertionError("the error was lost")

        drive(asks, answers=(ReadTimeout("late"), 200))
        assert len(drive.transport.sent) == 2

    def test_its_outcome_is_not_that_of_the_call(self, drive: Drive) -> None:
        def asks(request):
            response = yield from fetch(REQUEST, without={"asks"})
            raise WeChatPayError(f"stopped after {response.status_code}")

        with pytest.raises(WeChatPayError) as caught:
            drive(asks)
        assert caught.value.outcome == "not_sent"


def raising(error: Exception, *, sends: bool = True) -> Callable[..., Any]:
    def layer(request):
        if sends:
            yield from send(request)
        raise error

    return layer


#: An answer that says by its code that nothing was done; unread it does not say so.
REFUSED = Response(404, body=Body(b'{"code": "ORDER_NOT_EXIST"}'))


@pytest.mark.parametrize(
    ("answers", "layer", "outcome"),
    [
        ((200,), raising(WeChatPayError("x")), "unknown"),
        ((404,), raising(WeChatPayError("x")), "unknown"),
        ((REFUSED,), raising(WeChatPayError("x")), "not_sent"),
        ((500,), raising(WeChatPayError("x")), "unknown"),
        ((302,), raising(WeChatPayError("x")), "unknown"),
        ((), raising(WeChatPayError("x"), sends=False), "not_sent"),
        ((404,), raising(BadRequest("x", outcome="refused")), "refused"),
        ((200,), raising(DecodeError("x")), "unknown"),
        ((ConnectError("x"),), passing, "not_sent"),
        ((ReadTimeout("x"),), passing, "unknown"),
        ((RuntimeError("x"),), raising(WeChatPayError("y")), None),
    ],
)
def test_an_error_learns_its_request_and_outcome(
    drive: Drive, answers: tuple[Any, ...], layer: Any, outcome: str | None
) -> None:
    with pytest.raises((WeChatPayError, RuntimeError)) as caught:
        drive(layer, answers=answers)
    assert getattr(caught.value, "outcome", None) == outcome
    if outcome is not None:
        assert caught.value.request == ("GET", "http://localhost/v3/x")


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (ReadTimeout("x"), ConnectError("x"), "unknown"),
        (ReadTimeout("x"), 404, "unknown"),
        (500, ConnectError("x"), "unknown"),
        (500, 404, "unknown"),
        (200, 404, "unknown"),
        (ConnectError("x"), 404, "refused"),
        (404, ConnectError("x"), "unknown"),
        (REFUSED, ConnectError("x"), "not_sent"),
        (ConnectError("x"), ConnectError("x"), "not_sent"),
        (ConnectError("x"), ReadTimeout("x"), "unknown"),
    ],
)
def test_an_earlier_attempt_in_doubt_leaves_the_whole_call_in_doubt(
    drive: Drive, first: Any, second: Any, outcome: str
) -> None:
    def again(request):
        with contextlib.suppress(TransportError):
            yield from send(request)
        response = yield from send(request)
        raise BadRequest("x", status_code=response.status_code, outcome="refused")

    with pytest.raises(WeChatPayError) as caught:
        drive(again, answers=(first, second))
    assert caught.value.outcome == outcome


def test_an_error_keeps_the_request_it_has(drive: Drive) -> None:
    other = REQUEST.replace(url="http://localhost/v3/other")
    error = ReadTimeout("x", request=other.sent())
    with pytest.raises(ReadTimeout) as caught:
        drive(passing, answers=(error,))
    assert caught.value.request == other.sent()


def test_the_request_of_an_answer_is_the_one_that_went_out(drive: Drive) -> None:
    def marks(request):
        return (yield request.with_header("X-Mark", "1"))

    response = drive(marks)
    assert response.request is drive.transport.sent[0]
    given = Response(204, request=REQUEST)
    assert drive(marks, answers=(given,)).request is REQUEST


class TestGuests:
    @staticmethod
    def guest(mode: str, body: Callable[[Request, Any], Any]) -> Any:
        """A guest for *mode* that steps *body*, a generator awaiting each yield."""
        if mode == "sync":

            @around
            def guest(request, call_next):
                return body(request, call_next)

            return guest

        @around
        async def guest(request, call_next):
            answer = body(request, call_next)
            return await answer if asyncio.iscoroutine(answer) else answer

        return guest

    def test_has_the_inner_layers_as_call_next(self, drive: Drive) -> None:
        def marks(request):
            return (yield request.with_header("X-Mark", "1"))

        guest = self.guest(drive.mode, lambda request, call_next: call_next(request))
        assert drive(passing, guest, marks).content == b"body"
        assert "X-Mark" in drive.transport.sent[0].headers

    def test_may_answer_by_itself(self, drive: Drive) -> None:
        guest = self.guest(drive.mode, lambda request, call_next: Response(204))
        assert drive(guest).status_code == 204
        assert drive.transport.sent == []

    def test_leaves_a_streamed_body_unread(self, drive: Drive) -> None:
        guest = self.guest(drive.mode, lambda request, call_next: call_next(request))
        drive(guest, stream=True)
        assert drive.transport.streams[0].reads == 0

    def test_that_returns_nothing_is_named(self, drive: Drive) -> None:
        guest = self.guest(drive.mode, lambda request, call_next: None)
        with pytest.raises(TypeError, match="layer 'guest' returned NoneType"):
            drive(guest)

    @pytest.mark.parametrize(
        ("mode", "reason"),
        [
            ("sync", "'guest' is a coroutine function and this call is not awaited"),
            ("async", "'guest' is a plain function and this call is awaited"),
        ],
    )
    def test_of_the_wrong_kind_is_refused_before_anything_is_sent(
        self, mode: str, reason: str
    ) -> None:
        other = "async" if mode == "sync" else "sync"
        drive = Drive(mode)
        with pytest.raises(TypeError, match=reason):
            drive(passing, self.guest(other, lambda r, n: n(r)), passing)
        assert drive.transport.sent == []

    def test_may_be_an_object_or_a_partial(self) -> None:
        class Host:
            async def __call__(self, label, request, call_next):
                return (await call_next(request)).replace(data=label)

        def plain(label, request, call_next):
            return call_next(request).replace(data=label)

        awaited = around(name="host")(partial(partial(Host(), "a")))
        called = around(name="plain")(partial(plain, "b"))
        assert Drive("async")(awaited).data == "a"
        assert Drive("sync")(called).data == "b"
        with pytest.raises(TypeError, match="the guest 'partial' is a coroutine"):
            Drive("sync")(awaited)
        with pytest.raises(TypeError, match="is a plain function"):
            Drive("async")(called)

    def test_sees_the_error_of_an_inner_layer(self, drive: Drive) -> None:
        if drive.mode == "sync":

            @around
            def guest(request, call_next):
                try:
                    return call_next(request)
                except ReadTimeout:
                    return Response(503)
        else:

            @around
            async def guest(request, call_next):
                try:
                    return await call_next(request)
                except ReadTimeout:
                    return Response(503)

        response = drive(guest, answers=(ReadTimeout("late"),))
        assert response.status_code == 503


class TestComputing:
    @staticmethod
    def names(calls: int, offload_from: int | None) -> list[str]:
        """The threads in which *calls* at once computed."""

        def layer(request):
            yield from sleep(0)
            name = yield from compute(lambda: threading.current_thread().name)
            response = yield from send(request)
            return response.replace(data=name)

        class Together(AsyncTransport):
            waiting = 0

            async def sleep(self, seconds: float) -> None:  # type: ignore[override]
                self.waiting += 1
                if self.waiting == calls:
                    together.set()
                await together.wait()

        async def main() -> list[Response]:
            runs = [driver.run([Entry("layer", layer)], REQUEST) for _ in range(calls)]
            try:
                return await asyncio.gather(*runs)
            finally:
                driver.close()

        together = asyncio.Event()
        driver = AsyncDriver(Together(AsyncStream, ()), offload_from=offload_from)
        return [response.data for response in asyncio.run(main())]

    def test_few_calls_compute_on_the_loop(self) -> None:
        own = threading.current_thread().name
        assert self.names(calls=3, offload_from=4) == [own] * 3

    def test_many_calls_compute_beside_the_loop(self) -> None:
        names = self.names(calls=4, offload_from=4)
        assert any(name.startswith("wechatpay-sign") for name in names)

    def test_an_error_comes_back_from_the_thread(self) -> None:
        def layer(request):
            try:
                yield from compute(int, "x")
            except ValueError:
                return (yield from send(request))

        async def main() -> Response:
            return await driver.run([Entry("layer", layer)], REQUEST)

        driver = AsyncDriver(AsyncTransport(AsyncStream, ()), offload_from=1)
        try:
            assert asyncio.run(main()).status_code == 200
        finally:
            driver.close()

    def test_threads_end_with_a_call_that_outlasts_its_client(self) -> None:
        closed = threading.Event()

        def layer(request):
            closed.set()
            driver.close()
            threads.append((yield from compute(threading.current_thread)))
            return (yield from send(request))

        threads: list[Any] = []
        driver = AsyncDriver(
            AsyncTransport(AsyncStream, ()), offload_from=1, closed=closed.is_set
        )
        with pytest.raises(ConfigurationError, match="closed while"):
            asyncio.run(driver.run([Entry("layer", layer)], REQUEST))
        threads[0].join(60)
        assert not threads[0].is_alive()

    def test_closing_twice_is_allowed(self) -> None:
        driver = AsyncDriver(AsyncTransport(AsyncStream, ()))
        driver.close()
        driver.close()

    @pytest.mark.parametrize(
        ("calls", "cores", "beside"),
        [
            (OFFLOAD_FROM - 1, OFFLOAD_CORES, False),
            (OFFLOAD_FROM, OFFLOAD_CORES, True),
            (4 * OFFLOAD_FROM, OFFLOAD_CORES - 1, False),
            (4 * OFFLOAD_FROM, None, False),
        ],
    )
    def test_many_calls_compute_beside_the_loop_where_there_are_cores_to_spare(
        self,
        monkeypatch: pytest.MonkeyPatch,
        calls: int,
        cores: int | None,
        beside: bool,
    ) -> None:
        monkeypatch.setattr(os, "cpu_count", lambda: cores)
        own = threading.current_thread().name
        names = self.names(calls=calls, offload_from=None)
        assert any(name != own for name in names) is beside
