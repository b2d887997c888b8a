"""The gateway as an ASGI application on a loop that others need as well."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from sandbox.receivers import EVENT

from wechatpay_chain import Request
from wechatpay_chain.sandbox import Gateway


async def ask(
    gateway: Gateway, request: Request, sent: list[Any] | None = None
) -> list[Any]:
    """What the application sends in answer, which goes into *sent*."""
    sent = [] if sent is None else sent

    async def receive() -> Any:
        return {"type": "http.request", "body": request.body}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": request.method,
        "raw_path": request.path.encode(),
        "query_string": b"",
        "headers": [
            (name.lower().encode(), value.encode())
            for name, value in request.headers.pairs()
        ],
    }
    await gateway.asgi()(scope, receive, send)
    return sent


def echo(hand: Any, url: str) -> Request:
    body = json.dumps({"echo_message": "hi", "notify_url": url}).encode()
    request: Request = hand.request("POST", "/v3/security/echo", body)
    return request


def test_a_merchant_on_the_same_loop_can_answer(gateway: Gateway, hand: Any) -> None:
    heard: list[bytes] = []

    async def merchant(reader: Any, writer: Any) -> None:
        heard.append(await reader.readline())
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    async def main() -> list[Any]:
        server = await asyncio.start_server(merchant, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        sent = await ask(gateway, echo(hand, f"http://127.0.0.1:{port}/notify"))
        server.close()
        return sent

    sent = asyncio.run(main())
    assert sent[0]["status"] == 200
    assert heard == [b"POST /notify HTTP/1.1\r\n"]
    assert gateway.outbox.delivered(EVENT).once()


def test_the_answer_goes_out_before_the_merchant_is_told(
    gateway: Gateway, hand: Any
) -> None:
    sent: list[Any] = []
    at: list[list[str]] = []
    gateway.deliver_to(lambda _: at.append([one["type"] for one in sent]))
    asyncio.run(ask(gateway, echo(hand, "https://merchant.example/notify"), sent))
    assert at == [["http.response.start", "http.response.body"]]


def test_a_merchant_that_fails_harms_no_answer(gateway: Gateway, hand: Any) -> None:
    def broken(request: Request) -> int:
        raise RuntimeError("no")

    gateway.deliver_to(broken)
    sent = asyncio.run(ask(gateway, echo(hand, "https://merchant.example/notify")))
    assert [one["type"] for one in sent] == [
        "http.response.start",
        "http.response.body",
    ]
    assert len(gateway.outbox.pending) == 1
