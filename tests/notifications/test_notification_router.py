"""Which handler an event goes to, and how it is called."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any

import pytest

from wechatpay_chain.notifications import Notification, Router


def event(event_type: str) -> Notification:
    return Notification("EV-1", event_type, {"a": 1})


@pytest.fixture
def router() -> Router:
    """Each handler tells by what it was chosen."""
    made = Router()
    for pattern in ("REFUND.SUCCESS", "REFUND.*", "REFUND.A*", "PAYSCORE.USER_*"):
        made.on(pattern)(lambda _, pattern=pattern: pattern)
    made.default(lambda _: "default")
    return made


@pytest.fixture(params=["sync", "async"])
def dispatch(request: pytest.FixtureRequest) -> Any:
    """Hand an event to a router, in either mode."""

    def run(router: Router, event_type: str) -> Any:
        if request.param == "sync":
            return router.dispatch(event(event_type))
        return asyncio.run(router.dispatch_async(event(event_type)))

    return run


@pytest.mark.parametrize(
    ("event_type", "chosen"),
    [
        ("REFUND.SUCCESS", "REFUND.SUCCESS"),
        ("REFUND.CLOSED", "REFUND.*"),
        ("REFUND.", "REFUND.*"),
        ("REFUND", "default"),
        ("REFUND.ABNORMAL", "REFUND.A*"),
        ("PAYSCORE.USER_PAID", "PAYSCORE.USER_*"),
        ("PAYSCORE.MCH_PREPAY", "default"),
        ("refund.success", "default"),
        ("V2.REFUND.SUCCESS", "default"),
    ],
)
def test_the_closest_pattern_wins(dispatch, router, event_type, chosen) -> None:
    assert dispatch(router, event_type) == chosen


def test_the_order_of_registration_does_not_matter(dispatch) -> None:
    router = Router()
    router.default(lambda _: "default")
    router.on("A.B.*")(lambda _: "long")
    router.on("A.*")(lambda _: "short")
    assert dispatch(router, "A.B.C") == "long"
    assert dispatch(router, "A.X") == "short"


def test_one_handler_may_take_several_events(dispatch) -> None:
    router = Router()

    @router.on("TRANSACTION.SUCCESS", "V2.TRANSACTION.*")
    def paid(notification: Notification) -> str:
        return notification.id

    assert dispatch(router, "TRANSACTION.SUCCESS") == "EV-1"
    assert dispatch(router, "V2.TRANSACTION.SUCCESS") == "EV-1"
    assert paid(event("X")) == "EV-1"  # the function stays what it was


def test_an_event_that_nobody_takes_is_none_of_our_trouble(dispatch, caplog) -> None:
    caplog.set_level(logging.INFO, "wechatpay_chain.notifications")
    assert dispatch(Router(), "TOMORROW.HAPPENED") is None
    assert caplog.messages == ["no handler for TOMORROW.HAPPENED"]


def test_coroutine_functions_are_awaited() -> None:
    router = Router()

    @router.on("A.*")
    async def handle(notification: Notification) -> str:
        await asyncio.sleep(0)
        return notification.event_type

    assert asyncio.run(router.dispatch_async(event("A.B"))) == "A.B"


def test_a_coroutine_function_is_refused_where_nobody_awaits() -> None:
    router = Router()

    @router.default
    async def handle(notification: Notification) -> None:
        raise AssertionError

    with pytest.raises(TypeError, match="'handle' is a coroutine function: use await"):
        router.dispatch(event("A"))


def test_the_name_of_a_handler_without_one_is_its_class() -> None:
    async def handle(extra: int, notification: Notification) -> None: ...

    router = Router()
    router.default(partial(handle, 1))
    with pytest.raises(TypeError, match="'partial' is a coroutine function"):
        router.dispatch(event("A"))


def test_what_a_handler_raises_goes_to_the_caller(dispatch) -> None:
    router = Router()

    @router.default
    def handle(notification: Notification) -> None:
        raise KeyError(notification.id)

    with pytest.raises(KeyError, match="EV-1"):
        dispatch(router, "A")


def test_an_event_has_one_handler() -> None:
    router = Router()
    router.on("A.*")(print)
    with pytest.raises(ValueError, match=r"'A\.\*' has a handler already"):
        router.on("A.*")(repr)
    router.default(print)
    with pytest.raises(ValueError, match="has a handler already"):
        router.default(repr)


@pytest.mark.parametrize(
    "pattern", ["", "A.*.B", "**", "A B", "A.?", "*.SUCCESS", "支付"]
)
def test_a_pattern_that_cannot_fit_is_refused(pattern) -> None:
    with pytest.raises(ValueError, match="an event type expected"):
        Router().on(pattern)


@pytest.mark.parametrize("given", [(), (print,)])
def test_on_needs_the_names_of_events(given) -> None:
    with pytest.raises(TypeError, match="name events"):
        Router().on(*given)


def test_a_router_tells_what_it_takes(router) -> None:
    assert repr(router) == (
        "<Router *, PAYSCORE.USER_*, REFUND.*, REFUND.A*, REFUND.SUCCESS>"
    )
    assert repr(Router()) == "<Router empty>"
    assert router.find("REFUND.CLOSED") is not None
    assert Router().find("REFUND.CLOSED") is None
