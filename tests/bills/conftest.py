"""A server of bills for each test, and a client of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bill_server import BillServer

from wechatpay_chain import WeChatPay


@pytest.fixture
def server(request: pytest.FixtureRequest) -> BillServer:
    call = request.getfixturevalue("call") if "call" in request.fixturenames else None
    return BillServer(call.mode if call else "sync")


@pytest.fixture
def client(server: BillServer) -> WeChatPay:
    return server.client()


@pytest.fixture
def rows(call: Any) -> Callable[[Any], list[Any]]:
    """All rows of a bill, in the mode of the test."""

    def listed(bill: Any) -> list[Any]:
        if call.mode == "sync":
            return list(bill)

        async def awaited() -> list[Any]:
            return [row async for row in bill]

        found: list[Any] = call.wait(awaited())
        return found

    return listed
