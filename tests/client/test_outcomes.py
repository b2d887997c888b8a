"""What is known of the operation when a call sends more than one request."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import (
    AsyncMemoryTransport,
    DecryptionError,
    LayerError,
    MemoryTransport,
    NotFound,
    WeChatPayError,
    fetch,
    middleware,
    send,
)
from wechatpay_chain.errors import ConfigurationError


@pytest.fixture
def client(make) -> Any:
    return make(retry=1)


def asks_after(request: Any) -> Any:
    """Sends, then asks for something that is not there."""
    yield from send(request)
    question = request.replace(
        method="GET", url=request.url + "/more", payload=None, body=b""
    )
    yield from fetch(question, without={"asks_after"})


def test_a_refused_question_says_nothing_of_what_was_sent_before(
    call, server, client
) -> None:
    missing = server.plain(404, {"code": "ORDER_NOT_EXIST", "message": "x"})
    server.will({}, missing)
    with pytest.raises(NotFound) as caught:
        call(client.v3.x.post, {"a": 1}, middleware=[middleware(asks_after)])
    assert caught.value.outcome == "unknown"
    assert len(server.requests) == 2


def test_a_refused_question_before_anything_is_sent_is_refused(
    call, server, client
) -> None:
    @middleware
    def asks_first(request):
        question = request.replace(method="GET", payload=None, body=b"")
        yield from fetch(question, without={"asks_first"})

    server.will(server.plain(404, {"code": "ORDER_NOT_EXIST", "message": "x"}))
    with pytest.raises(NotFound) as caught:
        call(client.v3.x.post, {"a": 1}, middleware=[asks_first])
    assert caught.value.outcome == "refused"


@pytest.mark.parametrize(
    ("method", "outcome"), [("POST", "unknown"), ("GET", "not_sent")]
)
def test_what_a_fetch_changed_is_remembered(
    call, server, client, method: str, outcome: str
) -> None:
    @middleware
    def fetches(request):
        yield from fetch(request.replace(method=method), without={"fetches"})
        raise DecryptionError("later")

    with pytest.raises(DecryptionError) as caught:
        call(client.v3.x.post, {"a": 1}, middleware=[fetches])
    assert caught.value.outcome == outcome


def test_a_layer_that_forgets_the_response_leaves_the_outcome_open(
    call, server, client
) -> None:
    @middleware
    def forgets(request):
        yield from send(request)

    with pytest.raises(LayerError, match="'forgets' returned NoneType") as caught:
        call(client.v3.x.post, {"a": 1}, middleware=[forgets])
    assert isinstance(caught.value, (WeChatPayError, TypeError))
    assert caught.value.outcome == "unknown"
    assert caught.value.request.url == server.request.url


def test_a_layer_that_fails_before_sending_sent_nothing(call, server, client) -> None:
    @middleware
    def yields_text(request):
        yield "text"

    with pytest.raises(LayerError, match="'yields_text' yielded str") as caught:
        call(client.v3.x.post, {"a": 1}, middleware=[yields_text])
    assert caught.value.outcome == "not_sent"
    assert server.requests == []


@pytest.mark.parametrize(
    ("without", "reason"),
    [({"meets_itsef"}, "a layer meets itself"), ("meets_itself", "a set of names")],
)
def test_a_fetch_that_meets_itself_is_named(
    call, server, client, without: Any, reason: str
) -> None:
    @middleware
    def meets_itself(request):
        return (yield from fetch(request, without=without))

    with pytest.raises(LayerError, match=reason) as caught:
        call(client.v3.x.post, {"a": 1}, middleware=[meets_itself])
    assert caught.value.outcome == "not_sent"
    assert server.requests == []


def test_a_memory_transport_for_one_mode_keeps_the_other_off_the_network(
    call, server, make, vectors
) -> None:
    other = "async_transport" if call.mode == "sync" else "transport"
    lone: dict[str, Any] = {"transport": None, "async_transport": None}
    kind = MemoryTransport if other == "transport" else AsyncMemoryTransport
    lone[other] = kind(server)
    client = make(**lone)
    with pytest.raises(ConfigurationError, match="memory transport") as caught:
        call(client.v3.x.post, {"a": 1})
    assert caught.value.outcome == "not_sent"


@pytest.mark.parametrize("name", ["timeout", "mchid", "stack", "base_url"])
def test_options_of_a_client_are_not_set_afterwards(client, name: str) -> None:
    with pytest.raises(AttributeError, match=r"with_options\("):
        setattr(client, name, 1)
