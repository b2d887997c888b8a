"""A line for every attempt of a call, in both modes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from leaks import APIV2_KEY, APIV3_KEY
from log_lines import Collector, certificate, collecting, lines, xml

from wechatpay_chain import (
    AsyncMemoryTransport,
    ConnectError,
    ReadTimeout,
    Request,
    Response,
    WeChatPay,
    WeChatPayError,
    around,
    send,
)


@pytest.fixture
def log() -> Iterator[Collector]:
    """What the package logs at INFO."""
    yield from collecting(logging.INFO, "wechatpay_chain")


def test_a_call_is_one_line(call: Any, client: WeChatPay, log: Collector) -> None:
    node = client.v3.payscore.serviceorder._out_order_no_.cancel
    call(node.post, {"reason": "x"}, out_order_no="ORDER-1")
    (record,) = log.records
    assert record.levelno == logging.INFO
    assert record.method == "POST"
    assert record.template == "v3/payscore/serviceorder/{out_order_no}/cancel"
    assert record.request_id == "08D8AECBB20610BC0318B0-0"
    assert (record.status, record.attempt, record.outcome) == (200, 1, "answered")
    assert record.getMessage().startswith(f"POST {record.template}: 200 in ")


def test_each_attempt_is_a_line_with_its_number(
    call: Any, server: Any, client: WeChatPay, log: Collector
) -> None:
    server.will(ConnectError("refused"), ReadTimeout("late"), {"a": 1})
    call(client.v3.certificates.get)
    assert lines(log) == [
        ("WARNING", 1, "ConnectError"),
        ("WARNING", 2, "ReadTimeout"),
        ("INFO", 3, 200),
    ]
    assert [r.outcome for r in log.attempts()] == ["not_sent", "unknown", "answered"]
    retries = [r for r in log.records if r.name == "wechatpay_chain.retry"]
    assert [record.levelname for record in retries] == ["INFO", "INFO"]


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_refusal_is_a_warning(
    call: Any, server: Any, make: Any, log: Collector, status: int
) -> None:
    server.will(server.plain(status, {"code": "X", "message": "PRIVATE"}))
    with pytest.raises(WeChatPayError):
        call(make(retry=1).v3.x.post, {"a": 1})
    assert lines(log) == [("WARNING", 1, status)]
    assert "PRIVATE" not in log.text


def test_a_download_of_certificates_has_its_line(
    call: Any, server: Any, make: Any, log: Collector
) -> None:
    server.signs_with = server.new_serial
    server.will(server.signed({"data": [certificate(server)]}))
    call(make(certs=None, apiv3_key=APIV3_KEY).v3.pay.transactions.native.post, {})
    assert [(r.template, r.status) for r in log.attempts()] == [
        ("v3/certificates", 200),
        ("v3/pay/transactions/native", 200),
    ]


def test_a_call_of_apiv2_has_its_line(
    call: Any, server: Any, make: Any, log: Collector
) -> None:
    server.strict = False
    server.will(xml({"return_code": "FAIL", "return_msg": "no"}))
    with pytest.raises(WeChatPayError):
        call(make(secret=APIV2_KEY).v2.pay.orderquery.post, {"out_trade_no": "1"})
    assert [(r.template, r.status) for r in log.attempts()] == [
        ("v2/pay/orderquery", 200)
    ]


def test_what_a_layer_answers_by_itself_is_no_attempt(
    call: Any, client: WeChatPay, log: Collector
) -> None:
    def cached(request: Request) -> Any:
        return Response(204)
        yield

    call(client.v3.x.get, middleware=[cached])
    assert log.records == []


def test_attempts_of_a_layer_that_sends_twice_have_two_lines(
    call: Any, client: WeChatPay, log: Collector
) -> None:
    def twice(request: Request) -> Any:
        yield from send(request)
        return (yield from send(request.replace(attempt=2)))

    call(client.v3.x.get, middleware=[twice])
    assert lines(log) == [("INFO", 1, 200), ("INFO", 2, 200)]


def test_a_guest_that_sends_two_at_once_gets_the_line_of_each(
    server: Any, make: Any, log: Collector
) -> None:
    async def scene() -> None:
        both = asyncio.Event()

        async def handler(request: Request) -> Response:
            if request.attempt == 1:
                await both.wait()
            both.set()
            return server(request)

        @around
        async def hedge(request: Request, call_next: Any) -> Response:
            first, second = request, request.replace(attempt=2)
            _, answer = await asyncio.gather(call_next(first), call_next(second))
            return answer

        client = make(async_transport=AsyncMemoryTransport(handler))
        await client.v3.x.get_async(
            middleware=client.stack.copy().after("retry", hedge)
        )

    asyncio.run(scene())
    assert lines(log) == [("INFO", 2, 200), ("INFO", 1, 200)]


def test_a_cancelled_attempt_has_its_line(make: Any, log: Collector) -> None:
    async def scene() -> None:
        entered = asyncio.Event()

        async def never(request: Request) -> Response:
            entered.set()
            await asyncio.Event().wait()
            raise AssertionError

        client = make(async_transport=AsyncMemoryTransport(never))
        task = asyncio.ensure_future(client.v3.x.post_async({"a": 1}))
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())
    assert lines(log) == [("WARNING", 1, "abandoned")]
    assert log.records[0].outcome == "unknown"


def test_an_attempt_broken_off_by_ctrl_c_has_its_line(
    call: Any, server: Any, client: WeChatPay, log: Collector
) -> None:
    server.will(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        call(client.v3.x.get)
    assert lines(log) == [("WARNING", 1, "abandoned")]


def test_without_a_level_a_success_makes_no_record(
    call: Any, client: WeChatPay, log: Collector
) -> None:
    logging.getLogger("wechatpay_chain").setLevel(logging.NOTSET)
    assert logging.getLogger().level == logging.WARNING
    call(client.v3.x.get)
    assert log.records == []
