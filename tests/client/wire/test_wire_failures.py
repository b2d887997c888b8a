"""Each way in which an exchange breaks gives one error, with its cause and outcome."""

from __future__ import annotations

import asyncio
import pickle
import socket
from typing import Any

import aiohttp
import pytest
import urllib3
from wire_server import Last, Pieces, Reset, Silence, http, reset

from wechatpay_chain import (
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    MissingHeaders,
    ReadError,
    ReadTimeout,
    TransportError,
    WriteError,
)
from wechatpay_chain.middleware import Retry

#: What the HTTP libraries raise; ``__cause__`` is one of these.
FOREIGN = (
    urllib3.exceptions.HTTPError,
    aiohttp.ClientError,
    asyncio.TimeoutError,
    OSError,
)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def fails(
    call: Any, kind: type[Exception], verb: Any, *args: Any, **options: Any
) -> Any:
    """The error of a call that must fail, after the checks that hold for all."""
    with pytest.raises(kind) as caught:
        call(verb, *args, **options)
    error = caught.value
    assert isinstance(error, TransportError)
    assert error.request is not None
    assert error.request.method in str(error.request)
    cause = error.__cause__
    assert isinstance(cause, FOREIGN)
    assert type(cause).__module__.partition(".")[0] != "wechatpay_chain"
    assert " 0x" not in str(error)
    assert str(error).isprintable()
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    return error


def test_refused_is_not_sent(client_of: Any, call: Any) -> None:
    client = client_of(f"http://127.0.0.1:{closed_port()}")
    error = fails(call, ConnectError, client.v3.a.post, {"a": 1})
    assert type(error) is ConnectError
    assert error.outcome == "not_sent"


def test_a_name_that_does_not_resolve_is_not_sent(
    client_of: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    client = client_of("http://pay.invalid")
    error = fails(call, ConnectError, client.v3.a.post, {"a": 1})
    assert type(error) is ConnectError
    assert error.outcome == "not_sent"
    assert "not known" in str(error)


def test_connecting_too_long_is_a_connect_timeout(
    client_of: Any, serve: Any, call: Any, keys: Any
) -> None:
    # The server never answers the handshake: TLS belongs to connecting.
    silent = socket.create_server(("127.0.0.1", 0))
    with silent:
        client = client_of(
            f"https://127.0.0.1:{silent.getsockname()[1]}", timeout=(0.2, 10)
        )
        error = fails(call, ConnectTimeout, client.v3.a.post, {"a": 1})
    assert error.outcome == "not_sent"
    assert "0.2 s" in str(error)


def test_reset_before_the_request_was_read_is_unknown(
    serve: Any, client_of: Any, call: Any
) -> None:
    server = serve(greet=reset)
    error = fails(
        call, (ReadError, WriteError, ConnectError), client_of(server).v3.a.post, {}
    )
    # The kernel may tell of the reset while connecting, then nothing was sent.
    assert (error.outcome == "not_sent") == isinstance(error, ConnectError)


def tries(verb: str) -> int:
    """How often ``Retry(3)`` sends a request without a number of the caller's own."""
    return 3 if verb == "get" else 1


def assert_signed_each(server: Any, keys: Any) -> None:
    """A library that repeats on its own would repeat the signature."""
    nonces = {keys.check(item)["nonce_str"] for item in server.requests}
    assert len(nonces) == len(server.requests)


@pytest.mark.parametrize("answer", [Reset, Last()], ids=["reset", "closed"])
@pytest.mark.parametrize("verb", ["get", "put", "delete", "post"])
def test_no_answer_is_unknown_and_only_get_is_repeated(
    serve: Any, client_of: Any, keys: Any, call: Any, verb: str, answer: Any
) -> None:
    server = serve(answer)
    node = client_of(server, retry=Retry(3, first=0)).v3.a
    error = fails(call, (ReadError, WriteError), getattr(node, verb))
    assert error.outcome == "unknown"
    assert len(server.requests) == server.connections == tries(verb)
    assert_signed_each(server, keys)


BROKEN = {
    "shorter than its length": Last(http(200, b"{}", {"Content-Length": "10"})),
    "broken chunk size": Last(
        http(200, b"zz\r\n{}\r\n", {"Transfer-Encoding": "chunked"})
    ),
    "chunk cut off": Last(http(200, b"a\r\n{}", {"Transfer-Encoding": "chunked"})),
    "no last chunk": Last(http(200, b"2\r\n{}\r\n", {"Transfer-Encoding": "chunked"})),
    "not HTTP": Last(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "status line alone": Last(b"HTTP/1.1 404 Not Found\r\n"),
    "header cut off": Last(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "head cut off": Last(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"),
    "noise": Last(bytes(range(256)) * 8),
    "damaged gzip": Last(http(200, b"nonsense", {"Content-Encoding": "gzip"})),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("verb", ["get", "post"])
def test_a_damaged_answer_is_a_read_error(
    serve: Any, client_of: Any, call: Any, answer: Any, verb: str
) -> None:
    server = serve(answer)
    node = client_of(server, retry=Retry(3, first=0)).v3.a
    error = fails(call, ReadError, getattr(node, verb))
    assert error.outcome == "unknown"
    assert len(server.requests) == tries(verb)


@pytest.mark.parametrize(
    "answer",
    [
        http(200, b"{}", {"Content-Length": "many"}),
        http(200, b"{}", {"Content-Length": "-2"}),
    ],
    ids=["no number", "below zero"],
)
def test_a_length_that_libraries_read_differently_is_no_success(
    serve: Any, client_of: Any, call: Any, answer: bytes
) -> None:
    server = serve(Last(answer))
    with pytest.raises((ReadError, MissingHeaders)) as caught:
        call(client_of(server, retry=Retry(3, first=0)).v3.a.post, {})
    assert caught.value.outcome == "unknown"
    assert len(server.requests) == 1


@pytest.mark.parametrize("verb", ["get", "post"])
def test_a_server_that_is_silent_is_a_read_timeout(
    serve: Any, client_of: Any, call: Any, verb: str
) -> None:
    server = serve(Silence)
    node = client_of(server, retry=Retry(3, first=0)).v3.a
    error = fails(call, ReadTimeout, getattr(node, verb), timeout=(5, 0.2))
    assert error.outcome == "unknown"
    assert "0.2 s" in str(error)
    assert len(server.requests) == tries(verb)


def test_a_body_that_stops_is_a_read_timeout(
    serve: Any, client_of: Any, call: Any
) -> None:
    def half(_: Any) -> Any:
        return Pieces((http(200, b"{", {"Content-Length": "2"}),))

    server = serve(half, Silence)
    error = fails(call, ReadTimeout, client_of(server, timeout=(5, 0.2)).v3.a.get)
    assert error.outcome == "unknown"


def test_an_upload_that_is_not_taken_ends(
    client_of: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Accepted by the kernel, read by nobody: the buffers fill, and the sending stalls.
    monkeypatch.setattr("wechatpay_chain.transports.on_aiohttp.SLOWEST", 1 << 30)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        client = client_of(
            f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=(1, 0.2)
        )
        node = client["v3/not/in/any/catalogue"]
        files = {"file": ("a.png", bytes(16 << 20))}
        error = fails(call, TransportError, node.post, files=files)
    assert error.outcome == "unknown"


def test_a_connection_refused_is_tried_again_whatever_the_method(
    serve: Any, client_of: Any, keys: Any, call: Any, refuse: Any
) -> None:
    server = serve(lambda _: keys.signed(204))
    refuse[server.port] = 2
    client = client_of(server, retry=Retry(3, first=0))
    assert call(client.v3.a.post, {}).status_code == 204
    assert refuse == {server.port: 0}
    assert server.connections == 1


def test_a_layer_that_builds_a_bad_header_is_told_and_nothing_is_sent(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    server = serve(lambda _: keys.signed(204))
    client = client_of(server)

    def smuggle(request: Any) -> Any:
        return (yield request.with_header("X-Mine", "a\r\nHost: elsewhere"))

    client.stack.after("sign", smuggle)
    with pytest.raises(ConfigurationError, match="cannot be sent") as caught:
        call(client.v3.a.post, {})
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.outcome == "not_sent"
    client.stack.remove("smuggle")
    call(client.v3.a.post, {})
    assert len(server.requests) == 1
