"""A kept connection that the other side has closed is replaced where that is safe."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from wire_server import Last, Reset, Silence
from wire_tls import Authority

from wechatpay_chain import ReadError, ReadTimeout, TransportError, WriteError
from wechatpay_chain.middleware import Retry


def fail(call: Any, verb: Any, *args: Any) -> TransportError:
    with pytest.raises(TransportError) as caught:
        call(verb, *args)
    return caught.value


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_a_server_that_closes_after_each_answer_costs_nothing(
    serve: Any, client_of: Any, keys: Any, call: Any, authority: Authority, secure: bool
) -> None:
    tls = authority.server() if secure else None
    server = serve(lambda _: Last(keys.signed(200, {"a": 1})), tls=tls)
    client = client_of(server, verify=str(authority.bundle))
    for number in range(50):
        # No number of the caller's own: an error here could not be repeated.
        assert call(client.v3.a.post, {"amount": number})["a"] == 1
        # Closed now, and between the calls no event loop has run to see it.
        server.wait_closed(number)
    assert [item.body for item in server.requests] == [
        b'{"amount":%d}' % number for number in range(50)
    ]
    assert server.connections == 50


def test_what_nobody_asked_for_makes_a_connection_useless(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    server = serve(lambda _: keys.signed(204))
    node = client_of(server).v3.a
    call(node.post, {})
    with server.connection(0) as sock:
        sock.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
    assert call(node.post, {}).status_code == 204
    assert server.connections == 2


@pytest.mark.parametrize("end", [None, 30, -1], ids=["whole", "head", "body"])
def test_what_nobody_asked_for_is_no_answer_of_the_next_call(
    serve: Any, client_of: Any, keys: Any, call: Any, end: int | None
) -> None:
    server = serve(lambda item: keys.signed(200, {"of": item.target}))
    client = client_of(server)
    call(client.v3.a.post, {})
    with server.connection(0) as sock:
        sock.sendall(keys.signed(200, {"of": "/v3/a"})[:end])
    if call.loop is not None:  # which reads it meanwhile, and hangs up
        call.wait(asyncio.to_thread(server.wait_closed, 0))
    assert call(client.v3.b.post, {})["of"] == "/v3/b"
    assert server.connections == 2


def test_what_comes_with_the_end_of_an_answer_is_none_of_the_next_call(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    def twice(item: Any) -> bytes:
        # So long that the connection is given back while its end is read.
        answer = keys.signed(200, {"of": item.target, "rest": "x" * 300_000})
        return answer + keys.signed(200, {"of": item.target})

    server = serve(twice)
    client = client_of(server)
    for name in ("a", "b"):
        assert call(client.v3[name].post, {})["of"] == f"/v3/{name}"


def test_every_stale_connection_of_the_pool_is_passed_over(
    serve: Any, client_of: Any, keys: Any, call: Any, together: Any
) -> None:
    server = serve(together(6, lambda _: keys.signed(204)))
    client = client_of(server)
    together.run(call, client.v3.a.post, 6)
    assert server.connections == 6
    server.drop()
    for number in range(6):
        server.wait_closed(number)
    together.release()
    assert call(client.v3.a.post, {}).status_code == 204
    assert server.connections == 7


BREAKS = {"closed": Last(), "reset": Reset}


@pytest.mark.parametrize("answer", BREAKS.values(), ids=BREAKS)
def test_a_repeatable_call_gets_another_connection_and_loses_no_attempt(
    serve: Any, client_of: Any, keys: Any, call: Any, answer: Any
) -> None:
    server = serve(lambda _: keys.signed(204), answer, lambda _: keys.signed(204))
    node = client_of(server, retry=1).v3.a
    call(node.post, {"out_order_no": "0"})
    assert call(node.post, {"out_order_no": "1"}).status_code == 204
    assert [item.connection for item in server.requests] == [0, 0, 1]
    lost, again = server.requests[1:]
    assert lost.body == again.body
    assert keys.check(lost)["nonce_str"] != keys.check(again)["nonce_str"]


@pytest.mark.parametrize("answer", BREAKS.values(), ids=BREAKS)
def test_what_must_not_be_repeated_is_told_as_stale_and_unknown(
    serve: Any, client_of: Any, keys: Any, call: Any, answer: Any
) -> None:
    server = serve(lambda _: keys.signed(204), answer)
    node = client_of(server, retry=Retry(3, first=0)).v3.a
    call(node.post, {})
    error = fail(call, node.post, {})
    assert isinstance(error, (ReadError, WriteError))
    assert error.stale
    assert error.outcome == "unknown"
    assert len(server.requests) == 2


@pytest.mark.parametrize("answer", BREAKS.values(), ids=BREAKS)
def test_over_tls_it_is_told_as_well(
    serve: Any, client_of: Any, keys: Any, call: Any, authority: Authority, answer: Any
) -> None:
    server = serve(lambda _: keys.signed(204), answer, tls=authority.server())
    node = client_of(server, verify=str(authority.bundle)).v3.a
    call(node.post, {})
    assert fail(call, node.post, {}).stale


@pytest.mark.parametrize("answer", BREAKS.values(), ids=BREAKS)
def test_a_fresh_connection_is_never_stale(
    serve: Any, client_of: Any, call: Any, answer: Any
) -> None:
    server = serve(answer)
    error = fail(call, client_of(server).v3.a.get)
    assert not error.stale
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "content", [b"H", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\n", b"\r\n"], ids=repr
)
def test_after_a_byte_of_the_answer_it_is_not_stale(
    serve: Any, client_of: Any, keys: Any, call: Any, content: bytes
) -> None:
    server = serve(lambda _: keys.signed(204), Last(content))
    node = client_of(server).v3.a
    call(node.get)
    assert not fail(call, node.get).stale
    assert len(server.requests) == 2


def test_a_timeout_is_not_stale(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    server = serve(lambda _: keys.signed(204), Silence)
    client = client_of(server)
    call(client.v3.a.get)
    error = fail(call, client.with_options(timeout=(5, 0.2)).v3.a.get)
    assert isinstance(error, ReadTimeout)
    assert not error.stale


def test_stale_connections_do_not_make_a_call_endless(
    serve: Any, client_of: Any, keys: Any, call: Any, together: Any
) -> None:
    # Six connections are in the pool, and each breaks when it is used again.
    answer = together(6, lambda _: keys.signed(204))
    server = serve(*[answer] * 6, Reset)
    node = client_of(server, retry=Retry(2, first=0)).v3.a
    together.run(call, node.get, 6)
    error = fail(call, node.get)
    assert isinstance(error, (ReadError, WriteError))
    # One to three were replaced without being counted, two are the attempts.
    assert 6 + 1 + 2 <= len(server.requests) <= 6 + 3 + 2
