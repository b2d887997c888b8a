"""What a flow may yield, and :func:`compose`, which makes one flow of many layers.

A layer is a generator function: it yields a request, receives the response, returns the
response. Here is no I/O: whatever is not a request inward rises to a driver.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Generator, Sequence
from types import GeneratorType
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from ._messages import Request, Response
from .errors import LayerError

T = TypeVar("T")

#: A flow that ends in a ``T``; ``yield from`` of a helper needs it for exact types.
Flow = Generator[Any, Any, T]
#: A flow that yields plain requests only: ``return (yield request)`` is exact under it.
Step = Generator[Request, Response, Response]
#: A layer: anything that, called with a request, gives such a flow.
Layer = Callable[[Request], Flow[Response]]


class Entry(NamedTuple):
    """One layer and the name it goes by in its stack."""

    name: str
    layer: Layer


class Command:
    """Work that a flow asks its driver for."""

    __slots__ = ()


class Sleep(Command):
    """Wait *seconds*."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds: float = seconds


class Read(Command):
    """Buffer the whole body of *response*; the flow receives the bytes."""

    __slots__ = ("response",)

    def __init__(self, response: Response) -> None:
        self.response: Response = response


class Close(Command):
    """Let go of *response* without reading the rest."""

    __slots__ = ("response",)

    def __init__(self, response: Response) -> None:
        self.response: Response = response


class Fetch(Command):
    """Send another request through the whole stack, less the layers in *without*.

    *without* must name the layer that asks, or it would meet itself.
    """

    __slots__ = ("request", "without")

    def __init__(self, request: Request, without: Collection[str] = ()) -> None:
        if isinstance(without, str):
            raise LayerError(f"fetch: without= is a set of names, not {without!r}")
        self.request: Request = request
        self.without: frozenset[str] = frozenset(without)


class Call(Command):
    """Call the user's own function, awaited where it is a coroutine function."""

    __slots__ = ("arguments", "function")

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.function: Callable[..., Any] = function
        self.arguments: tuple[Any, ...] = arguments


class Compute(Command):
    """Run a pure function that may take long; a driver chooses the thread."""

    __slots__ = ("arguments", "function")

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.function: Callable[..., Any] = function
        self.arguments: tuple[Any, ...] = arguments


class Work(Protocol):
    """What a flow may wait for: a ``concurrent.futures.Future``."""

    # Not by its name, for which every checker would read the package multiprocessing.

    def done(self) -> bool:
        """Whether it has come to an end."""
        ...

    def result(self, timeout: float | None = None) -> Any:
        """What it ended with; raises the error that it ended with."""
        ...


class Wait(Command):
    """Wait until *future* is done, however it ends, and for at most *seconds*."""

    __slots__ = ("future", "seconds")

    def __init__(self, future: Work, seconds: float) -> None:
        self.future: Work = future
        self.seconds: float = seconds


class Delegate(Command):
    """Hand *request* to a guest of ``@around``, the inner layers as ``call_next``."""

    __slots__ = ("guest", "inner", "request")

    def __init__(self, guest: Callable[..., Any], request: Request) -> None:
        self.guest = guest
        self.request: Request = request
        #: Set by :func:`compose`, which alone knows what is further in.
        self.inner: Sequence[Entry] = ()


def send(request: Request) -> Flow[Response]:
    """Send *request* inward; every inner layer runs afresh, each time."""
    response: Response = yield request
    return response


def sleep(seconds: float) -> Flow[None]:
    """Wait *seconds*; under a virtual clock no time passes."""
    yield Sleep(seconds)


def read(response: Response) -> Flow[bytes]:
    """The whole body, read from the wire on the first call."""
    content: bytes = yield Read(response)
    return content


def close(response: Response) -> Flow[None]:
    """Let go of a response that will not be returned."""
    yield Close(response)


def fetch(request: Request, *, without: Collection[str] = ()) -> Flow[Response]:
    """Send a nested request through the stack less the layers named."""
    response: Response = yield Fetch(request, without)
    return response


def call(function: Callable[..., Any], *arguments: Any) -> Flow[Any]:
    """Call *function*, which may do I/O of its own; awaited if it is a coroutine."""
    return (yield Call(function, *arguments))


def compute(function: Callable[..., T], *arguments: Any) -> Flow[T]:
    """Run a pure *function*, off the event loop where that pays."""
    result: T = yield Compute(function, *arguments)
    return result


def layer_name(layer: object) -> str:
    """The name of a layer: its own ``name``, else its function's or class's."""
    name = getattr(layer, "name", None) or getattr(layer, "__name__", None)
    return name if isinstance(name, str) else type(layer).__name__


def start(layer: Layer, request: Request, name: str | None = None) -> Flow[Response]:
    """Call a layer and make sure that a generator came of it."""
    return _flow_of(layer(request), name or layer_name(layer))


def _flow_of(flow: object, name: str) -> Flow[Response]:
    # The plain type first: the abstract one takes three times as long to tell.
    if type(flow) is GeneratorType or isinstance(flow, Generator):
        return cast("Flow[Response]", flow)
    kind = type(flow).__name__
    if isinstance(flow, Coroutine):
        flow.close()  # it would warn that it was never awaited
    raise LayerError(
        f"layer {name!r} returned {kind}; a middleware is a generator "
        "function (response = yield from send(request)); for the form "
        "f(request, call_next) use @around"
    )


def compose(entries: Sequence[Entry], request: Request) -> Flow[Response]:
    """One flow out of layers, outermost first. Only a driver sees what it yields.

    Errors are thrown into the layer that waits for the answer; only ``Exception`` is,
    so that cancellation and Ctrl-C pass every layer. The layers that were entered stand
    in a list, not in nested generators: a command then costs the same at any depth.
    """
    flows: list[Flow[Response]] = []
    held: list[Response | None] = []  # what each of them was given last
    command: object = request
    value: Any = None
    error: Exception | None = None
    try:
        while True:
            # What the innermost flow asked for: a value for it, or an error.
            error = None
            try:
                # The exact type first: it is quicker to tell, and nearly always right.
                if type(command) is Request or isinstance(command, Request):
                    if held and held[-1] is not None:
                        # It was neither returned nor closed, and is superseded.
                        yield Close(held[-1])
                        held[-1] = None
                    if len(flows) < len(entries):
                        name, layer = entries[len(flows)]
                        flows.append(_flow_of(layer(command), name))
                        held.append(None)
                        value = None
                    else:
                        value = yield command
                        if held:
                            held[-1] = value
                elif isinstance(command, Command):
                    if isinstance(command, Delegate):
                        command.inner = entries[len(flows) :]
                    value = yield command
                else:
                    name = entries[len(flows) - 1].name
                    raise _strange(name, "yielded", command, "a Request or a command")
            except Exception as caught:
                error = caught
            # It goes to that flow; one that ends hands its own outward.
            while flows:
                flow = flows[-1]
                try:
                    command = flow.send(value) if error is None else flow.throw(error)
                    break
                except StopIteration as done:
                    value, error = done.value, None
                except Exception as raised:
                    error = raised
                del flows[-1], held[-1]
                if error is None and not isinstance(value, Response):
                    name = entries[len(flows)].name
                    error = _strange(name, "returned", value, "the response")
                elif held and error is None:
                    held[-1] = value
            else:
                if error is not None:
                    raise error
                return cast(Response, value)
    finally:
        error = None  # it would keep this frame, and this frame it
        _unwind(flows)


def _unwind(flows: list[Flow[Response]]) -> None:
    """Close what is still open, innermost first, whatever one of them raises."""
    if flows:
        try:
            flows.pop().close()
        finally:
            _unwind(flows)


def _strange(name: str, did: str, value: object, expected: str) -> LayerError:
    return LayerError(f"layer {name!r} {did} {type(value).__name__}, not {expected}")
