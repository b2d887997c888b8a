"""Layers of every shape fit into a stack: no checker has anything to say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from wechatpay_chain import (
    Flow,
    Request,
    Response,
    Stack,
    Step,
    WeChatPay,
    around,
    middleware,
    send,
)


@middleware
def flow(request: Request) -> Flow[Response]:
    """A generator that uses the helpers."""
    return (yield from send(request))


@middleware(name="named")
def step(request: Request) -> Step:
    """One that yields requests only."""
    return (yield request.with_header("X-Trace", "1"))


@around
def guest(request: Request, call_next: Callable[[Request], Response]) -> Response:
    """The familiar shape, for plain verbs."""
    return call_next(request)


@around
async def awaited(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """The same for awaited ones."""
    return await call_next(request)


@around(name="other")
def named(request: Request, call_next: Callable[[Request], Response]) -> Response:
    """One under a name of its own."""
    return call_next(request)


@around(name="another")
async def coroutine(
    request: Request, call_next: Callable[[Request], Coroutine[Any, Any, Response]]
) -> Response:
    """The same, awaited."""
    return await call_next(request)


class Layers:
    """What a class holds binds as it did."""

    @middleware
    def flow(self, request: Request) -> Flow[Response]:
        """A method."""
        return (yield from send(request))

    @around
    def guest(
        self, request: Request, call_next: Callable[[Request], Response]
    ) -> Response:
        """A guest that is a method."""
        return call_next(request)

    @around
    async def awaited(
        self, request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """The same, awaited."""
        return await call_next(request)

    @around(name="tagged")
    def named(
        self, request: Request, call_next: Callable[[Request], Response]
    ) -> Response:
        """One under a name of its own."""
        return call_next(request)


def stacked(client: WeChatPay, layers: Layers) -> Stack:
    """They go where a layer goes: into the stack, a list, and one call."""
    client.stack.push(flow).before("sign", step).after("encode", guest)
    client.stack.replace("sign", awaited).push(named).push(coroutine)
    client.stack.push(layers.flow).push(layers.guest).push(layers.named)
    client.v3.certificates.get(middleware=[flow, guest, layers.awaited])
    return client.with_options(middleware=[named, layers.guest]).stack
