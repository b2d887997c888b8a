"""Connections are kept, and let go before WeChat Pay lets go of them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import aiohttp.connector
import pytest
from wire_server import Last, http

from wechatpay_chain import APIError
from wechatpay_chain.transports import on_requests


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that lets the monotonic clocks of both transports jump."""
    passed = [0.0]
    real = on_requests.time.monotonic

    def monotonic() -> float:
        return real() + passed[0]

    monkeypatch.setattr(on_requests, "time", SimpleNamespace(monotonic=monotonic))
    monkeypatch.setattr(aiohttp.connector, "monotonic", monotonic)

    def jump(seconds: float) -> None:
        passed[0] += seconds

    return jump


def test_calls_one_after_the_other_share_a_connection(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    server = serve(lambda _: keys.signed(200, {"a": 1}))
    client = client_of(server)
    for _ in range(5):
        call(client.v3.a.post, {"a": 1})
        call(client.v3.b.get)
    assert len(server.requests) == 10
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        http(204),
        http(404, b'{"code":"ORDER_NOT_EXIST"}'),
        http(500),
        http(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"}),
        http(400, b"2\r\n{}\r\n0\r\n\r\n", {"Transfer-Encoding": "chunked"}),
    ],
    ids=["204", "404", "500", "502", "chunked"],
)
def test_a_connection_is_kept_after_an_error_answer(
    serve: Any, client_of: Any, keys: Any, call: Any, answer: bytes
) -> None:
    server = serve(answer, lambda _: keys.signed(204))
    client = client_of(server)
    node = client.v3.billdownload.file if b" 204 " in answer else client.v3.a
    if b" 204 " in answer:
        call(node.get)
    else:
        with pytest.raises(APIError):
            call(node.get)
    call(client.v3.a.get)
    assert server.connections == 1


def test_a_client_of_with_options_shares_the_connection(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    server = serve(lambda _: keys.signed(204))
    client = client_of(server)
    call(client.v3.a.get)
    call(client.with_options(timeout=5).v3.a.get)
    assert server.connections == 1


def test_a_connection_closed_while_idle_is_replaced(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    server = serve(
        lambda _: Last(keys.signed(204)),
        lambda _: keys.signed(200, {"a": 1}),
    )
    client = client_of(server)
    call(client.v3.a.post, {"a": 1})
    server.wait_closed(0)
    if call.mode == "async":
        # A loop that runs sees the end of the connection; let this one look.
        call.wait(_look())
    assert call(client.v3.a.post, {"a": 1})["a"] == 1
    assert server.connections == 2


async def _look() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("seconds", "connections"), [(6.5, 1), (7.5, 2)])
def test_an_idle_connection_retires_at_seven_seconds(
    serve: Any,
    client_of: Any,
    keys: Any,
    call: Any,
    pass_time: Any,
    seconds: float,
    connections: int,
) -> None:
    server = serve(lambda _: keys.signed(204))
    client = client_of(server)
    call(client.v3.a.get)
    pass_time(seconds)
    call(client.v3.a.get)
    assert server.connections == connections


def test_use_keeps_a_connection_young(
    serve: Any, client_of: Any, keys: Any, call: Any, pass_time: Any
) -> None:
    server = serve(lambda _: keys.signed(204))
    client = client_of(server)
    for _ in range(4):
        call(client.v3.a.get)
        pass_time(5)
    assert server.connections == 1


def test_closing_the_client_closes_its_connection(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    server = serve(lambda _: keys.signed(204))
    client = client_of(server)
    call(client.v3.a.get)
    call.close(client)
    server.wait_closed(0)
