"""``@middleware`` and ``@around`` keep what they wrap."""

from __future__ import annotations

import inspect
from types import MethodType
from typing import Any

import pytest

from wechatpay_chain import Request, Response, around, middleware
from wechatpay_chain._flow import Delegate, layer_name

REQUEST = Request("GET", "http://localhost/v3/x")


@middleware
def stamp(request: Request) -> Any:
    """Stamp it."""
    return (yield request)


@around
def guest(request: Request, call_next: Any) -> Any:
    """Be a guest."""
    return call_next(request)


def test_the_function_keeps_its_face() -> None:
    assert (stamp.__name__, stamp.__doc__) == ("stamp", "Stamp it.")
    assert list(inspect.signature(stamp).parameters) == ["request"]
    assert list(inspect.signature(guest).parameters) == ["request", "call_next"]
    assert stamp.__module__ == __name__
    assert inspect.isgeneratorfunction(stamp)


def test_it_goes_by_the_functions_name_or_the_one_given() -> None:
    assert stamp.name == layer_name(stamp) == "stamp"
    assert middleware(name="other")(stamp.__wrapped__).name == "other"
    assert around(name="visitor")(guest.__wrapped__).name == "visitor"


class Holder:
    @middleware(name="own")
    def method(self, request: Request) -> Any:
        return (yield request)

    @middleware
    @classmethod
    def of_class(cls, request: Request) -> Any:
        return (yield request)

    @around
    def visits(self, request: Request, call_next: Any) -> Any:
        return call_next(request)


def test_a_layer_takes_the_class_that_classmethod_hands_over() -> None:
    """As it does from Python 3.13 on; before, the layer is bound itself."""

    @middleware
    def of_class(cls: type, request: Request) -> Any:
        return (yield request.with_header("X-Class", cls.__name__))

    @around
    def visits(cls: type, request: Request, call_next: Any) -> Any:
        return call_next(request.with_header("X-Class", cls.__name__))

    flow = MethodType(of_class, Holder)(REQUEST)
    assert next(flow).headers["X-Class"] == "Holder"
    flow = MethodType(visits, Holder)(REQUEST)
    delegate = next(flow)
    assert isinstance(delegate, Delegate)
    assert delegate.guest(REQUEST, lambda one: one).headers["X-Class"] == "Holder"


def test_a_bound_layer_has_the_name_of_its_function() -> None:
    assert Holder().method.name == Holder.method.name == "own"
    assert Holder.of_class.name == "of_class"
    assert Holder().visits.name == "visits"


def test_each_call_gives_a_fresh_flow() -> None:
    assert stamp(REQUEST) is not stamp(REQUEST)
    assert next(stamp(REQUEST)) is REQUEST


def test_a_guest_becomes_one_command() -> None:
    flow = guest(REQUEST)
    command = next(flow)
    assert isinstance(command, Delegate)
    assert (command.request, command.inner) == (REQUEST, ())
    with pytest.raises(StopIteration) as done:
        flow.send(Response(204))
    assert done.value.value.status_code == 204


def test_a_bound_guest_keeps_its_object() -> None:
    holder = Holder()
    command = next(holder.visits(REQUEST))
    assert command.guest.__self__ is holder


@pytest.mark.parametrize("result", [None, [], "x", 5])
def test_what_gives_no_generator_is_refused_when_called(result: Any) -> None:
    @middleware(name="odd")
    def plain(request: Request) -> Any:
        return result

    kind = type(result).__name__
    with pytest.raises(TypeError, match=f"layer 'odd' returned {kind}"):
        plain(REQUEST)
