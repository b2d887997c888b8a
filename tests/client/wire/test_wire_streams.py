"""A download that is streamed: read whole, read in part, let go, or never looked at."""

from __future__ import annotations

import gc
import hashlib
from typing import Any

import pytest
from wire_server import Last, Pieces, Silence, http

from wechatpay_chain import ReadError, ReadTimeout

#: More than the socket's buffers hold, so that a server notices who stops reading.
CONTENT = b"\r\n".join(b"`%d,`1.00" % number for number in range(1_500_000))


@pytest.fixture
def bill(serve: Any, keys: Any) -> Any:
    """A server whose bills are large; all else is a signed 204."""
    body = http(200, CONTENT, {"Content-Type": "application/octet-stream"})
    return serve(
        lambda received: (
            body if received.target.startswith("/v3/billdownload") else keys.signed(204)
        )
    )


def start(call: Any, client: Any, **options: Any) -> Any:
    return call(
        client.v3.billdownload.file.get,
        {"token": "t%3d"},
        stream=True,
        **options,
    )


def pieces(call: Any, reply: Any, size: int = 65536, limit: int = 1 << 30) -> Any:
    """The chunks of the body in the way of the mode, at most *limit* of them."""
    if call.mode == "sync":
        out = []
        for chunk in reply.iter_content(size):
            out.append(chunk)
            if len(out) == limit:
                break
        return out

    async def collect() -> list[bytes]:
        found = []
        async for chunk in reply.aiter_content(size):
            found.append(chunk)
            if len(found) == limit:
                break
        return found

    return call.wait(collect())


def settle(call: Any) -> None:
    """Let the loop, where there is one, do what closing has left to it."""

    async def turn() -> None:
        pass

    if call.mode == "async":
        call.wait(turn())


def test_a_body_read_whole_gives_its_connection_back(
    bill: Any, client_of: Any, keys: Any, call: Any
) -> None:
    client = client_of(bill)
    reply = start(call, client)
    digest = hashlib.sha256()
    for piece in pieces(call, reply):
        assert 0 < len(piece) <= 65536
        digest.update(piece)
    assert digest.digest() == hashlib.sha256(CONTENT).digest()
    keys.check(bill.last)
    assert not reply.verified
    assert reply.data is None
    call(client.v3.a.get)
    assert bill.connections == 1


def test_a_reply_closed_early_closes_its_connection(
    bill: Any, client_of: Any, call: Any
) -> None:
    client = client_of(bill)
    with start(call, client) as reply:
        assert pieces(call, reply, 1000, limit=1) == [CONTENT[:1000]]
    settle(call)
    bill.wait_closed(0)
    assert call(client.v3.a.get).verified
    assert bill.connections == 2


def test_closing_works_while_an_iterator_is_held(
    bill: Any, client_of: Any, call: Any
) -> None:
    reply = start(call, client_of(bill))
    if call.mode == "sync":
        iterator = reply.iter_content(1000)
        first = next(iterator)
    else:
        iterator = reply.aiter_content(1000)
        first = call.wait(iterator.__anext__())
    assert first == CONTENT[:1000]
    reply.close()
    settle(call)
    bill.wait_closed(0)
    del iterator


def test_a_reply_closed_unread_closes_its_connection(
    bill: Any, client_of: Any, call: Any
) -> None:
    reply = start(call, client_of(bill))
    reply.close()
    reply.close()
    settle(call)
    bill.wait_closed(0)


def test_a_reply_dropped_unread_leaks_nothing(
    bill: Any, client_of: Any, call: Any
) -> None:
    # A leak is a ResourceWarning, and a warning is an error in these tests.
    client = client_of(bill)
    start(call, client)
    gc.collect()
    call.close(client)
    gc.collect()
    bill.wait_closed(0)


def test_without_stream_the_body_is_read(bill: Any, client_of: Any, call: Any) -> None:
    client = client_of(bill)
    reply = call(client.v3.billdownload.file.get)
    assert reply.content == CONTENT
    assert b"".join(pieces(call, reply)) == CONTENT
    call(client.v3.a.get)
    assert bill.connections == 1


def test_a_streamed_reply_has_its_content_on_demand(
    bill: Any, client_of: Any, call: Any
) -> None:
    client = client_of(bill)
    reply = start(call, client)
    if call.mode == "sync":
        assert reply.content == CONTENT
    else:
        with pytest.raises(RuntimeError, match="aiter_content"):
            reply.content
        assert b"".join(pieces(call, reply)) == CONTENT


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Last(http(200, b"abc", {"Content-Length": "9"})), ReadError),
        (
            lambda _: Pieces((http(200, b"abc", {"Content-Length": "9"}),)),
            ReadTimeout,
        ),
    ],
    ids=["cut off", "stalled"],
)
def test_a_stream_that_breaks_raises_our_errors(
    serve: Any, client_of: Any, call: Any, answer: Any, kind: type[Exception]
) -> None:
    server = serve(answer, Silence)
    reply = start(call, client_of(server), timeout=(5, 0.5))
    with pytest.raises(kind) as caught:
        pieces(call, reply)
    assert caught.value.__cause__ is not None
    assert caught.value.request.url.endswith("/v3/billdownload/file?token=t%253d")


def test_an_error_answer_to_a_stream_is_read_and_raised(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    body = '{"code":"NO_STATEMENT_EXIST","message":"账单文件不存在"}'.encode()
    server = serve(http(400, body), lambda _: keys.signed(204))
    client = client_of(server)
    with pytest.raises(Exception, match="NO_STATEMENT_EXIST") as caught:
        start(call, client)
    assert caught.value.outcome == "refused"
    call(client.v3.a.get)
    assert server.connections == 1
