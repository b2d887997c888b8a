"""Derived clients, and the end of a client."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from wechatpay_chain import (
    AsyncMemoryTransport,
    ConfigurationError,
    ConnectError,
    MemoryTransport,
    ReadTimeout,
    ServerError,
    WeChatPay,
    fetch,
    send,
)


class Counted(MemoryTransport):
    closed = 0

    def close(self) -> None:
        self.closed += 1


class AsyncCounted(AsyncMemoryTransport):
    closed = 0

    async def aclose(self) -> None:
        self.closed += 1


@pytest.fixture
def transports(server) -> dict[str, Any]:
    return {"transport": Counted(server), "async_transport": AsyncCounted(server)}


def mark(request):
    return (yield from send(request.with_header("X-Mark", "1")))


class TestDerived:
    def test_changes_only_what_it_is_told(self, call, server, client) -> None:
        derived = client.with_options(timeout=1, base_url="http://127.0.0.1:9")
        call(derived.v3.x.get)
        assert server.request.url == "http://127.0.0.1:9/v3/x"
        assert server.request.timeout == (1.0, 1.0)
        call(client.v3.x.get)
        assert server.request.url == "https://api.mch.weixin.qq.com/v3/x"
        assert server.request.timeout == (5.0, 30.0)
        assert isinstance(derived, WeChatPay)
        assert derived.keys is client.keys

    def test_keeps_the_layers_that_were_added(self, call, server, client) -> None:
        client.stack.push(mark).remove("retry")
        derived = client.with_options(accept_language="en")
        assert derived.stack.names == client.stack.names
        call(derived.v3.x.get)
        assert server.request.headers["X-Mark"] == "1"
        assert server.request.headers["Accept-Language"] == "en"

    def test_keeps_a_layer_that_was_replaced(self, call, server, client) -> None:
        client.stack.replace("decode", mark)
        derived = client.with_options(retry=1)
        assert call(derived.v3.x.get).data is None

    def test_middleware_adds_to_them(self, call, server, make) -> None:
        client = make(middleware=[mark])

        def more(request):
            return (yield from send(request.with_header("X-More", "1")))

        derived = client.with_options(middleware=[more])
        call(derived.v3.x.get)
        assert {"X-Mark", "X-More"} <= set(server.request.headers)
        assert derived.stack.names[:2] == ("more", "mark")
        call(derived.with_options(timeout=3).v3.x.get)
        assert {"X-Mark", "X-More"} <= set(server.request.headers)

    def test_does_not_leak_back(self, call, server, client) -> None:
        derived = client.with_options()
        derived.stack.push(mark)
        derived.xml_stack.remove("retry")
        client.stack.remove("retry")
        assert "mark" not in client.stack
        assert "retry" in client.xml_stack
        assert "retry" in derived.stack

    def test_signs_as_its_own_merchant(self, call, server, client) -> None:
        server.strict = False
        derived = client.with_options(mchid="1900000001")
        call(derived.v3.x.get)
        assert server.parameters(server.request)["mchid"] == "1900000001"
        assert (client.mchid, derived.mchid) == (server.keys["mchid"], "1900000001")

    def test_a_wrong_option_is_refused(self, client) -> None:
        with pytest.raises(ConfigurationError, match="did you mean 'timeout'"):
            client.with_options(timeot=1)
        with pytest.raises(ConfigurationError, match="mchid"):
            client.with_options(mchid="x")

    def test_shares_the_pool(self, call, server, make, transports) -> None:
        client = make(**transports)
        derived = client.with_options(timeout=1)
        call(derived.v3.x.get)
        call.close(derived)
        assert all(transport.closed == 0 for transport in transports.values())
        assert call(client.v3.x.get).verified
        call.close(client)
        assert transports["transport"].closed == 1

    def test_another_transport_is_its_own(self, call, server, make, transports) -> None:
        client = make()
        derived = client.with_options(**transports)
        call(derived.v3.x.get)
        call.close(derived)
        assert transports["transport"].closed == 1
        assert transports["async_transport"].closed == (call.mode == "async")
        assert call(client.v3.x.get).verified


class TestClosed:
    def test_a_closed_client_raises(self, call, server, client) -> None:
        node = client.v3.x
        call(node.get)
        call.close(client)
        for verb in (node.get, node.post, client["v3/y"].delete):
            with pytest.raises(ConfigurationError, match="closed; build a new one"):
                call(verb)
        assert len(server.requests) == 1

    def test_closing_twice_is_allowed(self, call, client) -> None:
        call.close(client)
        call.close(client)

    def test_closing_an_unused_client_is_allowed(self, call, make, transports) -> None:
        call.close(make(**transports))

    def test_one_client_serves_both_modes(self, server, client) -> None:
        assert client.v3.x.get().verified
        assert asyncio.run(client.v3.x.get_async()).verified
        assert asyncio.run(client.v3.x.get_async()).verified
        asyncio.run(client.aclose())
        with pytest.raises(ConfigurationError):
            client.v3.x.get()

    def test_with_closes_it(self, server, make, transports) -> None:
        with make(**transports) as client:
            assert isinstance(client, WeChatPay)
            client.v3.x.get()
        assert transports["transport"].closed == 1
        with pytest.raises(ConfigurationError):
            client.v3.x.get()

    def test_async_with_closes_both(self, server, make, transports) -> None:
        async def main() -> WeChatPay:
            async with make(**transports) as client:
                await client.v3.x.get_async()
                client.v3.x.get()
                return client

        client = asyncio.run(main())
        assert (
            transports["transport"].closed == transports["async_transport"].closed == 1
        )
        with pytest.raises(ConfigurationError):
            asyncio.run(client.v3.x.get_async())


class TestUnderWay:
    """What becomes of a call during which its client is closed."""

    @pytest.fixture
    def closing(self, server: Any, make: Any) -> WeChatPay:
        """A client that is closed while it pauses between two attempts."""
        made: WeChatPay = make(
            retry=3,
            transport=MemoryTransport(server, sleep=lambda _: made.close()),
            async_transport=AsyncMemoryTransport(server, sleep=lambda _: made.close()),
        )
        return made

    def answer(self, server: Any, client: WeChatPay, what: Any) -> Any:
        """*what* as an answer before which *client* is closed."""

        def late(request: Any) -> Any:
            client.close()
            if isinstance(what, Exception):
                raise what
            return server.plain(what, {"code": "SYSTEM_ERROR"})

        return late

    def test_an_answer_that_comes_is_returned(self, call, server, make) -> None:
        client = make(retry=3)

        def late(request: Any) -> Any:
            client.close()
            return server.signed({"a": 1})

        server.will(late)
        assert call(client.v3.x.get).data == {"a": 1}

    @pytest.mark.parametrize(
        ("what", "error"), [(503, ServerError), (ReadTimeout("late"), ReadTimeout)]
    )
    def test_nothing_is_repeated(self, call, server, make, what, error: Any) -> None:
        client = make(retry=3)
        server.will(self.answer(server, client, what))
        with pytest.raises(error) as caught:
            call(client.v3.x.get)
        assert caught.value.outcome == "unknown"
        assert len(server.requests) == 1

    @pytest.mark.parametrize(
        ("what", "error"), [(503, ServerError), (ReadTimeout("late"), ReadTimeout)]
    )
    def test_a_pause_ends_in_what_came_before_it(
        self, call, server, closing, what, error: Any
    ) -> None:
        lost = isinstance(what, Exception)
        server.will(what if lost else server.plain(what, {"code": "SYSTEM_ERROR"}))
        with pytest.raises(error) as caught:
            call(closing.v3.x.get)
        assert caught.value.outcome == "unknown"
        assert len(server.requests) == 1

    @pytest.mark.parametrize("sent", [0, 1])
    def test_no_other_layer_sends_anything_either(
        self, call, server, make, sent: int
    ) -> None:
        client = make()

        def stubborn(request):
            for _ in range(sent):
                yield from send(request)
            client.close()
            return (yield from send(request))

        with pytest.raises(ConfigurationError, match="closed while") as caught:
            call(client.v3.x.post, {}, middleware=[stubborn])
        assert caught.value.outcome == ("unknown" if sent else "not_sent")
        assert len(server.requests) == sent

    def test_nor_does_a_request_beside_it(self, call, server, make) -> None:
        client = make()

        def asks(request):
            client.close()
            return (yield from fetch(request, without={"asks"}))

        with pytest.raises(ConfigurationError, match="closed while"):
            call(client.v3.x.get, middleware=[asks])
        assert server.requests == []

    def test_a_derived_client_ends_with_the_pool(self, call, server, make) -> None:
        client = make(retry=3)
        derived = client.with_options(timeout=1)
        server.will(self.answer(server, client, 503))
        with pytest.raises(ServerError):
            call(derived.v3.x.get)
        with pytest.raises(ConfigurationError, match="closed; build a new one"):
            call(derived.v3.x.get)
        assert len(server.requests) == 1

    def test_a_derived_client_ends_alone(self, call, server, make) -> None:
        client = make(retry=3)
        derived = client.with_options(timeout=1)
        server.will(self.answer(server, derived, 503))
        with pytest.raises(ServerError):
            call(derived.v3.x.get)
        assert len(server.requests) == 1
        assert call(client.v3.x.get).verified

    def test_connections_that_it_opened_meanwhile_are_closed(
        self, server, make, transports
    ) -> None:
        client = make(**transports)
        server.will(lambda request: client.close() or server.signed({}))
        assert client.v3.x.get().verified
        assert transports["transport"].closed == 2

    def test_its_answer_is_worth_more_than_how_they_close(self, server, make) -> None:
        class Strict(Counted):
            def close(self) -> None:
                super().close()
                if self.closed > 1:
                    raise OSError("closed already")

        client = make(transport=Strict(server))
        server.will(lambda request: client.close() or server.signed({}))
        assert client.v3.x.get().verified


def test_a_handler_in_memory_may_be_a_coroutine_function(server, make) -> None:
    async def handler(request: Any) -> Any:
        await asyncio.sleep(0)
        return server(request)

    client = make(async_transport=AsyncMemoryTransport(handler))
    assert asyncio.run(client.v3.x.get_async()).verified


def test_in_memory_no_time_passes(call, server, make) -> None:
    client = make(
        transport=MemoryTransport(server), async_transport=AsyncMemoryTransport(server)
    )
    server.will(ConnectError("no route"), ConnectError("no route"))
    assert call(client.v3.x.get).verified


def test_calls_of_many_tasks_do_not_meet(server, client) -> None:
    async def main() -> list[Any]:
        async def one(number: int) -> Any:
            reply = await client.v3.x._no_.post_async({"n": number}, no=number)
            return reply["no"]

        return await asyncio.gather(*(one(number) for number in range(40)))

    server.otherwise = lambda request: server.signed(
        {"no": int(request.target.rpartition("/")[2])}
    )
    assert asyncio.run(main()) == list(range(40))
