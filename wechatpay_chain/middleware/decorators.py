"""``@middleware`` and ``@around``: how a user's function becomes a layer.

``wrapt`` does the wrapping, so functions, methods, class and static methods and
callable objects keep their signature and bind as they did.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

import wrapt

from .._flow import Delegate, Flow, Layer, layer_name, start
from .._messages import Request, Response

F = TypeVar("F", bound=Callable[..., Any])

S = TypeVar("S")
#: What a guest calls to go on, and what a coroutine guest awaits.
Next = Callable[[Request], Response]
AwaitedNext = Callable[[Request], Coroutine[Any, Any, Response]]


class Host(Protocol):
    """What ``around(name=...)`` gives: it takes the same guests as :func:`around`."""

    @overload
    def __call__(self, function: Callable[[Request, Next], Response], /) -> Layer: ...
    @overload
    def __call__(
        self, function: Callable[[Request, AwaitedNext], Awaitable[Response]], /
    ) -> Layer: ...
    @overload
    def __call__(
        self, function: Callable[[S, Request, Next], Response], /
    ) -> Callable[[S, Request], Flow[Response]]: ...
    @overload
    def __call__(
        self, function: Callable[[S, Request, AwaitedNext], Awaitable[Response]], /
    ) -> Callable[[S, Request], Flow[Response]]: ...


if TYPE_CHECKING:  # wrapt has no types of its own

    class _Bound:
        _self_parent: _Layer

    class _Named:
        def __init__(self, wrapped: Any, wrapper: Any) -> None: ...

else:
    _Bound = wrapt.BoundFunctionWrapper
    _Named = wrapt.FunctionWrapper


class _BoundLayer(_Bound):
    @property
    def name(self) -> str:
        return self._self_parent.name


class _Layer(_Named):
    __bound_function_wrapper__ = _BoundLayer

    def __init__(self, wrapped: Any, wrapper: Any, name: str | None) -> None:
        super().__init__(wrapped, wrapper)
        self._self_name: str = name or layer_name(getattr(wrapped, "__func__", wrapped))

    @property
    def name(self) -> str:
        """The name that the layer has in a stack."""
        return self._self_name


@overload
def middleware(function: F, /) -> F: ...
@overload
def middleware(*, name: str) -> Callable[[F], F]: ...
def middleware(function: Any = None, /, *, name: str | None = None) -> Any:
    """Make a layer of a generator function that yields the request it sends inward.

    >>> @middleware
    ... def stamp(request):
    ...     return (yield request.with_header("X-Stamp", "1"))
    >>> stamp.name
    'stamp'

    A call that does not give a generator is a ``TypeError`` naming the layer.
    """
    if function is None:
        return partial(_Layer, wrapper=_checked(name), name=name)
    return _Layer(function, _checked(name), name)


@overload
def around(function: Callable[[Request, Next], Response], /) -> Layer: ...
@overload
def around(
    function: Callable[[Request, AwaitedNext], Awaitable[Response]], /
) -> Layer: ...
@overload
def around(
    function: Callable[[S, Request, Next], Response], /
) -> Callable[[S, Request], Flow[Response]]: ...
@overload
def around(
    function: Callable[[S, Request, AwaitedNext], Awaitable[Response]], /
) -> Callable[[S, Request], Flow[Response]]: ...
@overload
def around(*, name: str) -> Host: ...
def around(function: Any = None, /, *, name: str | None = None) -> Any:
    """Admit a guest of the form ``f(request, call_next)``, or ``async def`` of it.

    A plain guest serves ``post`` and its kin, a coroutine guest ``post_async``; the
    wrong kind raises ``TypeError`` before anything is sent. Write a generator with
    ``@middleware`` to serve both.
    """
    if function is None:
        return partial(_Layer, wrapper=_hosted, name=name)
    return _Layer(function, _hosted, name)


def _checked(name: str | None) -> Callable[..., Flow[Response]]:
    def run(
        wrapped: Layer, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Flow[Response]:
        del instance, kwargs
        return start(*_bound(wrapped, args), name or layer_name(wrapped))

    return run


def _hosted(
    wrapped: Callable[..., Any],
    instance: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Flow[Response]:
    del instance, kwargs
    return _invite(*_bound(wrapped, args))


def _bound(
    wrapped: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[Callable[..., Any], Request]:
    """The callable that takes a request, and the request.

    From Python 3.13 on ``@classmethod`` around a layer hands over the class.
    """
    if len(args) == 1:
        return wrapped, args[0]
    *owner, request = args
    return partial(wrapped, *owner), request


def _invite(guest: Callable[..., Any], request: Request) -> Flow[Response]:
    response: Response = yield Delegate(guest, request)
    return response
