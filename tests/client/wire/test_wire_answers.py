"""Answers that arrive whole: in odd pieces, as pages, unsigned, as something else."""

from __future__ import annotations

from typing import Any

import pytest
from wire_server import Pieces, http

from wechatpay_chain import (
    APIError,
    DecodeError,
    MissingHeaders,
    ReadTimeout,
    ServerError,
)
from wechatpay_chain.middleware import Retry


def test_a_trickled_answer_arrives_whole(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    def trickle(_: Any) -> Pieces:
        answer = keys.signed(200, {"reason": "用户投诉"})
        return Pieces(tuple(bytes([byte]) for byte in answer))

    reply = call(client_of(serve(trickle)).v3.a.get)
    assert reply.verified
    assert reply["reason"] == "用户投诉"


def test_a_chunked_answer_is_verified_over_its_content(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    def chunked(_: Any) -> bytes:
        head, _, body = keys.signed(200, {"a": 1}).partition(b"\r\n\r\n")
        lines = [x for x in head.split(b"\r\n") if not x.startswith(b"Content-Length")]
        lines.append(b"Transfer-Encoding: chunked")
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
        return b"\r\n".join(lines) + b"\r\n\r\n" + chunks

    reply = call(client_of(serve(chunked)).v3.a.get)
    assert reply.verified
    assert reply.data == {"a": 1}


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_html_error_page_is_a_server_error(
    serve: Any, client_of: Any, call: Any, status: int
) -> None:
    page = http(status, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"})
    server = serve(page)
    with pytest.raises(ServerError, match="text/html") as caught:
        call(client_of(server, retry=Retry(3, first=0)).v3.a.post, {"a": 1})
    assert caught.value.outcome == "unknown"
    assert caught.value.response.content == b"<html>Bad Gateway</html>"
    assert len(server.requests) == 1


def test_an_unsigned_success_is_refused_and_unknown(
    serve: Any, client_of: Any, call: Any
) -> None:
    server = serve(http(200, b"{}", {"Content-Type": "application/json"}))
    with pytest.raises(MissingHeaders) as caught:
        call(client_of(server).v3.a.post, {})
    assert caught.value.outcome == "unknown"


def test_a_signed_page_that_is_not_json_is_a_decode_error(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    html = {"Content-Type": "text/html"}
    server = serve(lambda _: keys.signed(200, b"<html>", html))
    with pytest.raises(DecodeError) as caught:
        call(client_of(server).v3.a.post, {})
    assert caught.value.outcome == "unknown"


def test_an_informational_answer_comes_before_the_real_one(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    server = serve(lambda _: b"HTTP/1.1 100 Continue\r\n\r\n" + keys.signed(204))
    assert call(client_of(server).v3.a.post, {}).status_code == 204


def test_a_401_tells_that_nothing_was_done(
    serve: Any, client_of: Any, call: Any
) -> None:
    body = b'{"code":"SIGN_ERROR","message":"x"}'
    with pytest.raises(APIError) as caught:
        call(client_of(serve(http(401, body))).v3.a.post, {})
    assert caught.value.is_code("SIGN_ERROR")
    assert caught.value.outcome == "refused"


INFORMATIONAL = {
    "100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "102": b"HTTP/1.1 102 Processing\r\n\r\n",
    "103": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
}


@pytest.mark.parametrize("head", INFORMATIONAL.values(), ids=INFORMATIONAL)
@pytest.mark.parametrize("apart", [False, True], ids=["together", "apart"])
def test_an_informational_answer_is_not_the_answer(
    serve: Any, client_of: Any, keys: Any, call: Any, head: bytes, apart: bool
) -> None:
    def answer(item: Any) -> Any:
        final = keys.signed(200, {"of": item.target})
        return Pieces((head, head, final)) if apart else head + head + final

    server = serve(answer)
    client = client_of(server)
    for name in ("a", "b"):
        reply = call(client.v3[name].post, {})
        assert reply.verified
        assert reply["of"] == f"/v3/{name}"
    assert server.connections == 1


@pytest.mark.parametrize("head", INFORMATIONAL.values(), ids=INFORMATIONAL)
def test_after_an_informational_answer_the_read_timeout_goes_on(
    serve: Any, client_of: Any, call: Any, head: bytes
) -> None:
    client = client_of(serve(head), timeout=(5, 0.3), retry=Retry(1, deadline=3))
    with pytest.raises(ReadTimeout, match=r"no answer within 0\.3 s"):
        call(client.v3.a.get)


def test_a_connection_that_speaks_another_protocol_is_not_used_again(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    upgrade = b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: y\r\n\r\n"
    server = serve(upgrade, lambda _: keys.signed(204))
    client = client_of(server)
    with pytest.raises(APIError) as caught:
        call(client.v3.a.post, {})
    assert caught.value.outcome == "unknown"
    assert call(client.v3.a.post, {}).verified
    assert server.connections == 2
