"""The contract of a layer, with flows stepped by hand: no driver, no loop, no clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from wechatpay_chain import (
    Call,
    Close,
    Compute,
    Fetch,
    Read,
    ReadTimeout,
    Request,
    Response,
    Sleep,
    around,
    call,
    close,
    compute,
    fetch,
    middleware,
    read,
    send,
    sleep,
)
from wechatpay_chain._flow import Delegate, Entry, compose, layer_name
from wechatpay_chain.middleware import Body

REQUEST = Request("GET", "http://localhost/v3/x")
OK = Response(200)


def entries(*layers: Callable[..., Any]) -> list[Entry]:
    return [Entry(layer_name(layer), layer) for layer in layers]


def start(*layers: Callable[..., Any]) -> tuple[Any, Any]:
    flow = compose(entries(*layers), REQUEST)
    return flow, next(flow)


def finish(flow: Any, value: Any) -> Any:
    with pytest.raises(StopIteration) as done:
        flow.send(value)
    return done.value.value


def passing(request):
    return (yield from send(request))


def test_without_layers_the_driver_sees_the_request() -> None:
    flow, command = start()
    assert command is REQUEST
    assert finish(flow, OK) is OK


def test_requests_go_inward_and_answers_outward_in_order() -> None:
    seen: list[str] = []

    def layer(name: str) -> Callable[..., Any]:
        def run(request):
            seen.append(f"{name} in")
            response = yield request.with_header(f"X-{name}", "1")
            seen.append(f"{name} out")
            return response.replace(data=[*(response.data or []), name])

        return run

    flow, command = start(layer("a"), layer("b"))
    assert list(command.headers) == ["X-a", "X-b"]
    assert finish(flow, OK).data == ["b", "a"]
    assert seen == ["a in", "b in", "b out", "a out"]


@pytest.mark.parametrize(
    ("helper", "kind"),
    [
        (lambda: sleep(1.5), Sleep),
        (lambda: read(OK), Read),
        (lambda: close(OK), Close),
        (lambda: fetch(REQUEST, without={"a"}), Fetch),
        (lambda: call(len, "abc"), Call),
        (lambda: compute(len, "abc"), Compute),
        (lambda: send(REQUEST), Request),
    ],
)
def test_a_helper_yields_its_command_and_hands_back_the_answer(
    helper: Callable[[], Any], kind: type
) -> None:
    flow = helper()
    assert type(next(flow)) is kind
    answer = object()
    with pytest.raises(StopIteration) as done:
        flow.send(answer)
    expected = None if kind in (Sleep, Close) else answer
    assert done.value.value is expected


def test_commands_carry_what_they_were_given() -> None:
    assert Sleep(2).seconds == 2
    assert Read(OK).response is OK
    assert Close(OK).response is OK
    fetched = Fetch(REQUEST, ["a", "b"])
    assert (fetched.request, fetched.without) == (REQUEST, {"a", "b"})
    assert Fetch(REQUEST).without == frozenset()
    for kind in (Call, Compute):
        command = kind(max, 1, 2)
        assert command.function(*command.arguments) == 2


def test_commands_rise_through_every_layer_to_the_driver() -> None:
    def waits(request):
        yield from sleep(0.25)
        return (yield from send(request))

    flow, command = start(passing, passing, waits)
    assert isinstance(command, Sleep)
    assert command.seconds == 0.25
    assert flow.send(None) is REQUEST


def test_sending_again_runs_every_inner_layer_afresh() -> None:
    runs: list[str] = []

    def twice(request):
        yield from send(request)
        return (yield from send(request))

    def inner(request):
        runs.append("start")
        return (yield request)

    flow, _ = start(twice, inner)
    command = flow.send(Response(500))
    while not isinstance(command, Request):
        command = flow.send(None)
    assert finish(flow, OK) is OK
    assert runs == ["start", "start"]


def test_an_answer_that_is_superseded_is_closed_first() -> None:
    def twice(request):
        yield request
        return (yield request)

    first = Response(500, body=Body(None))
    flow, _ = start(twice, passing)
    command = flow.send(first)
    assert isinstance(command, Close)
    assert command.response is first
    assert flow.send(None) is REQUEST
    assert finish(flow, OK) is OK


def test_a_failed_attempt_leaves_nothing_to_close() -> None:
    def again(request):
        try:
            return (yield request)
        except ReadTimeout:
            return (yield request)

    flow, _ = start(again)
    assert flow.throw(ReadTimeout("late")) is REQUEST
    assert finish(flow, OK) is OK


def test_an_error_crosses_the_layers_outward() -> None:
    crossed: list[str] = []

    def layer(name: str) -> Callable[..., Any]:
        def run(request):
            try:
                return (yield request)
            except ReadTimeout as error:
                crossed.append(name)
                raise RuntimeError(name) from error

        return run

    def translates_back(request):
        try:
            return (yield request)
        except RuntimeError as error:
            crossed.append(f"outer saw {error}")
            raise error.__cause__ from None

    flow, _ = start(translates_back, layer("inner"))
    with pytest.raises(ReadTimeout):
        flow.throw(ReadTimeout("late"))
    assert crossed == ["inner", "outer saw inner"]


def test_an_error_may_be_turned_into_an_answer() -> None:
    def calm(request):
        try:
            return (yield request)
        except ReadTimeout:
            return Response(503)

    flow, _ = start(calm, passing)
    with pytest.raises(StopIteration) as done:
        flow.throw(ReadTimeout("late"))
    assert done.value.value.status_code == 503


def test_an_error_of_a_command_is_thrown_into_the_layer_that_asked() -> None:
    def reads(request):
        response = yield from send(request)
        try:
            yield from read(response)
        except ReadTimeout:
            return response.replace(data="unread")
        return response

    flow, _ = start(passing, reads, passing)
    assert isinstance(flow.send(OK), Read)
    with pytest.raises(StopIteration) as done:
        flow.throw(ReadTimeout("late"))
    assert done.value.value.data == "unread"


@pytest.mark.parametrize(
    "end", [KeyboardInterrupt(), asyncio.CancelledError(), SystemExit()]
)
def test_no_layer_can_swallow_cancellation(end: BaseException) -> None:
    seen: list[str] = []

    def greedy(request):
        try:
            return (yield request)
        except BaseException as error:
            seen.append(type(error).__name__)
            return OK
        finally:
            seen.append("finally")

    flow, _ = start(greedy, passing, greedy)
    with pytest.raises(type(end)):
        flow.throw(end)
    # All that reaches a layer is that it is closed.
    assert seen == ["GeneratorExit", "finally"] * 2


def test_closing_a_flow_runs_every_finally() -> None:
    seen: list[str] = []

    def tidy(request):
        try:
            return (yield request)
        finally:
            seen.append("finally")

    flow, _ = start(tidy, passing, tidy)
    flow.close()
    assert seen == ["finally", "finally"]


def test_a_layer_may_answer_without_sending() -> None:
    def cached(request):
        if request.method != "GET":
            yield request
        return OK

    flow = compose(entries(passing, cached, passing), REQUEST)
    with pytest.raises(StopIteration) as done:
        next(flow)
    assert done.value.value is OK


def returns_nothing(request):
    yield request


def returns_text(request):
    yield request
    return "text"


def yields_none(request):
    yield


def yields_text(request):
    return (yield "text")


def plain(request):
    return None


async def coroutine(request):
    return OK


async def async_generator(request):
    yield request


class Silent:
    def __call__(self, request):
        return [request]


@pytest.mark.parametrize(
    ("layer", "name", "reason"),
    [
        (returns_nothing, "returns_nothing", "returned NoneType, not the response"),
        (returns_text, "returns_text", "returned str, not the response"),
        (yields_none, "yields_none", "yielded NoneType, not a Request or a command"),
        (yields_text, "yields_text", "yielded str, not a Request or a command"),
        (plain, "plain", "returned NoneType; a middleware is a generator function"),
        (coroutine, "coroutine", "returned coroutine; .*use @around"),
        (async_generator, "async_generator", "returned async_generator"),
        (Silent(), "Silent", "returned list"),
        (middleware(plain), "plain", "returned NoneType"),
        (middleware(name="x")(coroutine), "x", "returned coroutine"),
    ],
)
def test_a_layer_that_breaks_the_contract_is_named(
    layer: Any, name: str, reason: str
) -> None:
    def run() -> None:
        flow = compose(entries(passing, layer), REQUEST)
        next(flow)
        flow.send(OK)

    with pytest.raises(TypeError, match=f"layer '{name}' {reason}"):
        run()


def test_a_layer_may_handle_its_own_wrong_yield() -> None:
    def careless(request):
        try:
            yield "text"
        except TypeError:
            return (yield request)

    flow, command = start(careless)
    assert command is REQUEST
    assert finish(flow, OK) is OK


def test_a_guest_is_delegated_with_the_layers_further_in() -> None:
    @around
    def guest(request, call_next):
        return call_next(request)

    flow, command = start(passing, guest, passing, returns_nothing)
    assert isinstance(command, Delegate)
    assert command.request is REQUEST
    assert [entry.name for entry in command.inner] == ["passing", "returns_nothing"]
    assert command.guest(REQUEST, lambda request: OK) is OK
    assert finish(flow, OK) is OK


def test_a_guest_that_returns_nothing_is_named() -> None:
    @around
    def forgetful(request, call_next):
        call_next(request)

    flow, _ = start(forgetful)
    with pytest.raises(TypeError, match="layer 'forgetful' returned NoneType"):
        flow.send(None)


class Named:
    name = "own"

    def __call__(self, request):
        return (yield request)

    def method(self, request):
        return (yield request)


class Misnamed(Named):
    name = 5  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (passing, "passing"),
        (Named(), "own"),
        (Misnamed(), "Misnamed"),
        (Silent(), "Silent"),
        (Named().method, "method"),
        (middleware(passing), "passing"),
        (middleware(name="other")(passing), "other"),
        (around(name="guest")(lambda request, call_next: OK), "guest"),
    ],
)
def test_the_name_of_a_layer(layer: Any, name: str) -> None:
    assert layer_name(layer) == name
