"""A transport without a socket: what a handler may return."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from wechatpay_chain import AsyncMemoryTransport, MemoryTransport, Request, Response

REQUEST = Request("GET", "http://localhost/v3/x")


async def answer(request: Request) -> Response:
    return Response(204)


async def forget(request: Request) -> None:
    """Return nothing, as a handler without a ``return``."""


def test_the_answer_of_the_handler_is_the_answer() -> None:
    made = Response(204)
    assert MemoryTransport(lambda request: made).open(REQUEST) is made
    awaited = AsyncMemoryTransport(lambda request: made)
    assert asyncio.run(awaited.open(REQUEST)) is made
    assert asyncio.run(AsyncMemoryTransport(answer).open(REQUEST)).status_code == 204


@pytest.mark.parametrize(("value", "kind"), [(None, "NoneType"), (204, "int")])
def test_a_handler_that_returns_no_response_is_named(value: Any, kind: str) -> None:
    def handler(request: Request) -> Any:
        return value

    with pytest.raises(TypeError, match=f"returned {kind}, not a Response"):
        MemoryTransport(handler).open(REQUEST)
    with pytest.raises(TypeError, match=f"returned {kind}, not a Response"):
        asyncio.run(AsyncMemoryTransport(handler).open(REQUEST))


def test_a_coroutine_goes_to_the_other_transport() -> None:
    handler: Any = answer
    with pytest.raises(TypeError, match="function goes into AsyncMemoryTransport"):
        MemoryTransport(handler).open(REQUEST)
    handler = forget
    with pytest.raises(TypeError, match="returned NoneType"):
        asyncio.run(AsyncMemoryTransport(handler).open(REQUEST))
