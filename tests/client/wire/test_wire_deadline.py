"""An exchange ends at its deadline, whatever keeps it going; a stream may last."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

import pytest
from wire_server import PATIENCE, Trickle, http
from wire_tls import Authority

from wechatpay_chain import ConnectTimeout, ReadTimeout, TransportError
from wechatpay_chain.middleware import Retry

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

#: Nowhere is there a gap for which the read timeout could end it.
TRICKLES = {
    "status line": Trickle(b"HTTP/1.1 200 ", b"O"),
    "header": Trickle(OK + b"X: ", b"x"),
    "headers": Trickle(OK, b"X: x\r\n"),
    "informational answers": Trickle(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": Trickle(http(200, b"", {"Content-Length": "99999"}), b"x"),
    "body without a length": Trickle(OK + b"\r\n", b"x"),
    "chunk size": Trickle(CHUNKED, b"0"),
    "chunk": Trickle(CHUNKED + b"ffff\r\n", b"x"),
    "chunks": Trickle(CHUNKED, b"1\r\nx\r\n"),
    "error body": Trickle(
        b"HTTP/1.1 500 X\r\nContent-Length: 99999\r\n\r\n", b"x"
    ),
}  # fmt: skip


def short(**options: Any) -> dict[str, Any]:
    """Options of a client that has no more time for a call than for a gap."""
    return {"timeout": 0.4, "retry": Retry(3, first=0, deadline=0.4), **options}


@pytest.mark.parametrize("trickle", TRICKLES.values(), ids=TRICKLES)
def test_a_trickle_ends_at_the_deadline(
    serve: Any, client_of: Any, call: Any, trickle: Trickle
) -> None:
    server = serve(trickle)
    with pytest.raises(ReadTimeout, match=r"by the deadline, 0\.4 s") as caught:
        call(client_of(server, **short()).v3.a.get)
    assert caught.value.outcome == "unknown"
    assert not caught.value.stale
    assert len(server.requests) == 1
    server.wait_closed(0)


@pytest.mark.parametrize("name", ["header", "body"])
def test_a_trickle_over_tls_ends_too(
    serve: Any, client_of: Any, call: Any, authority: Authority, name: str
) -> None:
    server = serve(TRICKLES[name], tls=authority.server())
    client = client_of(server, verify=str(authority.bundle), **short())
    with pytest.raises(ReadTimeout, match="by the deadline"):
        call(client.v3.a.get)


def test_a_trickle_on_a_kept_connection_ends_too(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    server = serve(
        lambda _: keys.signed(204), TRICKLES["body"], lambda _: keys.signed(204)
    )
    client = client_of(server)
    call(client.v3.a.get)
    hasty = client.with_options(**short())  # on the same connections
    with pytest.raises(ReadTimeout, match="by the deadline"):
        call(hasty.v3.a.get)
    assert call(client.v3.a.get).status_code == 204
    assert server.connections == 2


def test_the_head_of_a_stream_has_the_deadline(
    serve: Any, client_of: Any, call: Any
) -> None:
    server = serve(TRICKLES["header"])
    node = client_of(server, **short()).v3.billdownload.file
    with pytest.raises(ReadTimeout, match="by the deadline"):
        call(node.get, {"token": "t"}, stream=True)


def test_an_error_answer_to_a_stream_has_the_deadline(
    serve: Any, client_of: Any, call: Any
) -> None:
    server = serve(TRICKLES["error body"])
    node = client_of(server, **short()).v3.billdownload.file
    with pytest.raises(ReadTimeout, match="by the deadline"):
        call(node.get, {"token": "t"}, stream=True)


def test_a_stream_may_last(
    serve: Any, client_of: Any, call: Any, pass_time: Any
) -> None:
    server = serve(http(200, b"", {"Content-Length": "5"}))
    client = client_of(server, timeout=30, retry=Retry(1, deadline=60))
    reply = call(client.v3.billdownload.file.get, stream=True)
    if call.mode == "sync":
        pieces = reply.iter_content(1)
        read = pieces.__next__
    else:
        pieces = reply.aiter_content(1)
        read = pieces.__anext__
    with server.connection(0) as sock:
        for piece in (b"a", b"b", b"c", b"d", b"e"):
            pass_time(25)
            sock.sendall(piece)
            assert call.wait(read()) == piece
    reply.close()


def test_the_next_exchange_has_a_deadline_of_its_own(
    serve: Any, client_of: Any, keys: Any, call: Any, pass_time: Any
) -> None:
    server = serve(lambda _: keys.signed(204))
    client = client_of(server, retry=Retry(1, deadline=5))
    for _ in range(4):
        assert call(client.v3.a.get).status_code == 204
        pass_time(3)
    assert server.connections == 1


@pytest.mark.parametrize("attempts", [1, 3])
def test_connecting_ends_at_the_deadline(
    client_of: Any, call: Any, attempts: int
) -> None:
    # The server never answers the handshake: TLS belongs to connecting.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        base = f"https://127.0.0.1:{silent.getsockname()[1]}"
        retry = Retry(attempts, first=0, deadline=0.3)
        client = client_of(base, timeout=0.3, retry=retry)
        with pytest.raises(ConnectTimeout, match=r"by the deadline, 0\.3 s") as caught:
            call(client.v3.a.post, {"a": 1})
    assert caught.value.outcome == "not_sent"


def test_a_proxy_that_trickles_ends_at_the_deadline(
    serve: Any, client_of: Any, call: Any
) -> None:
    proxy = serve(Trickle(b"HTTP/1.1 200 OK\r\n", b"X: x\r\n"))
    client = client_of("https://127.0.0.1:9", proxies=proxy.base_url, **short())
    with pytest.raises(ConnectTimeout, match="by the deadline") as caught:
        call(client.v3.a.post, {})
    assert caught.value.outcome == "not_sent"


def test_a_proxy_that_trickles_ends_with_the_time_to_connect(
    serve: Any, client_of: Any, call: Any
) -> None:
    proxy = serve(Trickle(b"HTTP/1.1 200 OK\r\n", b"X: x\r\n"))
    client = client_of("https://127.0.0.1:9", proxies=proxy.base_url, timeout=(0.2, 30))
    with pytest.raises(ConnectTimeout, match=r"within 0\.2 s"):
        call(client.v3.a.post, {})


@pytest.mark.parametrize("busy", [0, 0.4], ids=["", "busy"])
def test_many_addresses_share_the_time_to_connect(
    client_of: Any, call: Any, monkeypatch: pytest.MonkeyPatch, busy: float
) -> None:
    with contextlib.ExitStack() as stack:
        # A queue of connections that is full takes no more: the kernel drops them.
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = full.getsockname()
        for _ in range(4):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(address)
        loopback = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
        tried: list[Any] = []
        connect = socket.socket.connect

        def counted(self: socket.socket, to: Any) -> None:
            tried.append(to)
            if len(tried) == 2:  # all timeouts are over when the loop looks again
                time.sleep(busy)
            connect(self, to)

        monkeypatch.setattr(socket.socket, "connect", counted)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: loopback * 50)
        client = client_of(f"http://pay.invalid:{address[1]}", timeout=(0.2, 30))
        with pytest.raises(ConnectTimeout, match=r"within 0\.2 s") as caught:
            call(client.v3.a.post, {})
    assert caught.value.outcome == "not_sent"
    assert 1 <= len(tried) < 10


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_an_upload_that_is_taken_slowly_ends_at_the_deadline(
    client_of: Any, call: Any, authority: Authority, secure: bool, deaf: Any
) -> None:
    base, options = deaf(authority if secure else None)
    client = client_of(base, timeout=30, retry=Retry(1, deadline=0.4), **options)

    def shorten(request: Any) -> Any:
        # The layer retry gives large bodies time of their own.
        return (yield request.replace(deadline=0.4))

    client.stack.after("sign", shorten)
    files = {"file": ("a.png", bytes(8 << 20))}
    with pytest.raises(TransportError, match="by the deadline") as caught:
        call(client["v3/not/in/any/catalogue"].post, files=files)
    assert caught.value.outcome == "unknown"


@pytest.fixture
def deaf() -> Any:
    """Start a server that takes a request slowly, and never the whole of it."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def start(authority: Authority | None) -> tuple[str, dict[str, Any]]:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]

        def serve() -> None:
            with listener:
                sock, _ = listener.accept()
                if authority is not None:
                    sock = authority.server().wrap_socket(sock, server_side=True)
                with sock:
                    while not over.wait(0.02):
                        sock.recv(2000)

        threads.append(threading.Thread(target=serve, daemon=True))
        threads[0].start()
        if authority is None:
            return f"http://127.0.0.1:{port}", {}
        return f"https://127.0.0.1:{port}", {"verify": str(authority.bundle)}

    yield start
    over.set()
    threads[0].join(PATIENCE)
