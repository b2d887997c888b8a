"""Connections are kept, and let go before WeChat Pay lets go of them."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any

import pytest
from wire_server import Silence, http

from wechatpay_chain import APIError, ReadError, WeChatPay


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


@pytest.mark.parametrize("number", [64, 256])
def test_calls_at_once_take_a_connection_each_and_no_more(
    serve: Any, client_of: Any, keys: Any, call: Any, together: Any, number: int
) -> None:
    server = serve(together(number, lambda _: keys.signed(204)))
    node = client_of(server).v3.a
    for _ in range(2):
        assert len(together.run(call, node.get, number)) == number
    assert len(server.requests) == 2 * number
    assert server.connections == number


def test_those_that_nobody_takes_again_retire_too(
    serve: Any, client_of: Any, keys: Any, call: Any, together: Any, pass_time: Any
) -> None:
    server = serve(together(8, lambda _: keys.signed(204)))
    node = client_of(server).v3.a
    together.run(call, node.get, 8)
    together.release()
    pass_time(7.5)
    call(node.get)
    for number in range(8):
        server.wait_closed(number)
    call(node.get)
    assert server.connections == 9


def test_a_closed_client_leaves_nothing_open(
    serve: Any, client_of: Any, keys: Any, call: Any, together: Any
) -> None:
    server = serve(together(8, lambda _: keys.signed(204)))
    before = len(os.listdir("/dev/fd"))
    client = client_of(server)
    together.run(call, client.v3.a.get, 8)
    call.close(client)
    for number in range(8):
        server.wait_closed(number)
    # The poller of the server's close, and this listing, come and go.
    assert len(os.listdir("/dev/fd")) <= before


def test_a_call_that_is_under_way_when_the_client_closes_gives_its_connection_up(
    serve: Any, settings: Any, keys: Any
) -> None:
    client: WeChatPay

    def answer(_: Any) -> bytes:
        client.close()
        signed: bytes = keys.signed(204)
        return signed

    server = serve(answer)
    client = WeChatPay(**settings(server))
    assert client.v3.a.get().status_code == 204
    server.wait_closed(0)


def test_an_awaited_call_under_way_is_cut_off_and_opens_no_other_connection(
    serve: Any, settings: Any
) -> None:
    async def main() -> None:
        loop, there = asyncio.get_running_loop(), asyncio.Event()

        def answer(_: Any) -> Any:
            loop.call_soon_threadsafe(there.set)
            return Silence

        server = serve(answer)
        client = WeChatPay(**settings(server, retry=5))
        call = asyncio.create_task(client.v3.a.get_async())
        await there.wait()
        await client.aclose()
        with pytest.raises(ReadError) as caught:
            await call
        assert caught.value.outcome == "unknown"
        await asyncio.to_thread(server.wait_closed, 0)
        assert len(server.requests) == server.connections == 1

    asyncio.run(main())


def test_the_next_address_is_tried_where_one_refuses(
    serve: Any, client_of: Any, keys: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(lambda _: keys.signed(204))
    found = socket.getaddrinfo("127.0.0.1", server.port, type=socket.SOCK_STREAM)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        gone = sock.getsockname()
    refusing = [(*entry[:4], gone) for entry in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: refusing + found)
    client = client_of(f"http://pay.invalid:{server.port}")
    assert call(client.v3.a.get).status_code == 204
    assert server.last.header("Host") == f"pay.invalid:{server.port}"
