"""Where notifications go: callables, WSGI and ASGI applications, loopback servers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from sandbox.receivers import EVENT, URL, opened, trigger

from wechatpay_chain import Headers, Request, Response, WeChatPay
from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.sandbox.notices import courier, posting
from wechatpay_chain.sandbox.notices.applications import Reaction


def only(gateway: Gateway) -> Any:
    (notice,) = gateway.outbox
    return notice


class WSGIApplication:
    """Answers what it is told, and keeps the request as it would have come."""

    def __init__(self, status: str = "200 OK", **headers: str) -> None:
        self.status = status
        self.headers = headers
        self.seen: list[Request] = []
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        names = {
            name[5:].replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        length = int(environ["CONTENT_LENGTH"])
        self.seen.append(
            Request(
                environ["REQUEST_METHOD"],
                f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}"
                f"{environ['PATH_INFO']}",
                Headers(names),
                environ["wsgi.input"].read(length),
            )
        )
        start_response(self.status, list(self.headers.items()))
        return self

    def __iter__(self) -> Iterator[bytes]:
        yield b"part one, "
        yield b"part two"

    def close(self) -> None:
        self.closed += 1


class ASGIApplication:
    """The same for ASGI."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.seen: list[Request] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        headers = Headers(
            (name.decode(), value.decode()) for name, value in scope["headers"]
        )
        url = f"{scope['scheme']}://{headers['host']}{scope['path']}"
        self.seen.append(Request(scope["method"], url, headers, body))
        await asyncio.sleep(0)
        await send(
            {
                "type": "http.response.start",
                "status": self.status,
                "headers": [(b"location", b"/login")],
            }
        )
        await send(
            {"type": "http.response.body", "body": b"part one, ", "more_body": True}
        )
        await send({"type": "http.response.body", "body": b"part two"})


@pytest.mark.parametrize("make", [WSGIApplication, ASGIApplication])
def test_application_gets_the_request_without_a_port(
    gateway: Gateway, make: Callable[[], Any]
) -> None:
    application = make()
    gateway.deliver_to(application)
    trigger(gateway, url="https://merchant.example/pay/通知")
    (request,) = application.seen
    assert opened(gateway, request)["plain"] == {"echo_message": "你好"}
    assert request.method == "POST"
    assert request.headers["Content-Type" if make is ASGIApplication else "Host"]
    (attempt,) = only(gateway).attempts
    assert (attempt.good, attempt.status) == (True, 200)
    assert attempt.body == "part one, part two"


def test_wsgi_answer_is_closed(gateway: Gateway) -> None:
    application = WSGIApplication()
    gateway.deliver_to(application)
    trigger(gateway)
    assert application.closed == 1


@pytest.mark.parametrize(
    "application",
    [WSGIApplication("302 Found", Location="/login"), ASGIApplication(302)],
    ids=["wsgi", "asgi"],
)
def test_redirect_of_an_application_is_seen(gateway: Gateway, application: Any) -> None:
    gateway.deliver_to(application)
    trigger(gateway)
    assert only(gateway).attempts[0].verdict == "redirected to /login"


async def silent(scope: Any, receive: Any, send: Any) -> None:
    await receive()


async def failing(scope: Any, receive: Any, send: Any) -> None:
    raise LookupError("no such order")


async def late(scope: Any, receive: Any, send: Any) -> None:
    raise asyncio.TimeoutError


def broken(environ: Any, start_response: Any) -> Any:
    raise LookupError("no such order")


@pytest.mark.parametrize(
    ("application", "verdict"),
    [
        (silent, "it never sent http.response.start"),
        (lambda environ, start_response: [], "it never called start_response"),
        (lambda request: "ok", "it returned str, no Response, status or None"),
        (failing, "it raised LookupError"),
        (late, "timed out"),
        (broken, "it raised LookupError"),
    ],
)
def test_application_that_fails_is_no_crash(
    gateway: Gateway, application: Any, verdict: str
) -> None:
    gateway.deliver_to(application)
    trigger(gateway)
    (attempt,) = only(gateway).attempts
    assert (attempt.good, attempt.verdict) == (False, verdict)


async def coroutine(request: Request) -> Response:
    await asyncio.sleep(0)
    return Response(204)


def test_coroutine_function_is_awaited(gateway: Gateway) -> None:
    gateway.deliver_to(coroutine)
    trigger(gateway)
    assert only(gateway).attempts[0].status == 204


@pytest.mark.parametrize("handler", [coroutine, ASGIApplication()])
def test_awaited_call_notifies_an_asynchronous_handler(
    gateway: Gateway, call: Any, handler: Any
) -> None:
    gateway.deliver_to(handler)
    body = {"echo_message": "hi", "notify_url": URL}
    call(gateway.client().v3.security.echo.post, body)
    assert gateway.outbox.delivered(EVENT).once()


def test_longest_prefix_wins_and_none_takes_it_away(gateway: Gateway) -> None:
    told: list[str] = []
    gateway.deliver_to(lambda request: told.append("any"))
    gateway.deliver_to(lambda request: told.append("shop"), "https://shop.example/")
    gateway.deliver_to(lambda request: told.append("a"), "https://shop.example/a/")
    for url in ("https://shop.example/a/b", "https://shop.example/b", URL):
        trigger(gateway, url=url)
    assert told == ["a", "shop", "any"]
    gateway.deliver_to(None, "https://shop.example/")
    trigger(gateway, url="https://shop.example/b")
    gateway.deliver_to(None)
    trigger(gateway)
    assert told == ["a", "shop", "any", "any"]
    assert str(list(gateway.outbox)[-1].status) == "not sent"


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        ("https://api.mch.weixin.qq.com/", ValueError),
        ("ftp://127.0.0.1/", ValueError),
        ("http://127.0.0.1:99999/", ValueError),
        ("", ValueError),
        (1, TypeError),
    ],
)
def test_other_handlers_are_refused(
    gateway: Gateway, handler: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        gateway.deliver_to(handler)


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1/notify",
        "http://localhost.example/notify",
        "http://0.0.0.0/notify",
        "http://[::2]/notify",
        "file:///etc/passwd",
        "http://[",
        "notify",
    ],
)
def test_only_loopback_urls_are_sent_to(gateway: Gateway, url: str) -> None:
    with gateway.lock:
        gateway.outbox.post(
            EVENT, {}, mchid=gateway.mchid, url=url, original_type="x", summary="x"
        )
    (attempt,) = only(gateway).attempts
    assert attempt.verdict.startswith("not sent")
    assert attempt.status is None


# Over HTTP.


class Merchant:
    """A merchant's server on the loopback, in a thread."""

    def __init__(self, status: int = 200, **headers: str) -> None:
        self.seen: list[Request] = []
        merchant = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = Headers(self.headers.items())
                merchant.seen.append(Request("POST", self.path, headers, body))
                self.send_response(status)
                for name, value in headers_sent.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"told")

            def log_message(self, *args: Any) -> None:
                """Nothing."""

        headers_sent = headers
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/notify"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def __enter__(self) -> Merchant:
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_loopback_url_is_posted_to(gateway: Gateway) -> None:
    with Merchant() as merchant:
        trigger(gateway, url=merchant.url)
    (request,) = merchant.seen
    assert opened(gateway, request)["plain"] == {"echo_message": "你好"}
    (attempt,) = only(gateway).attempts
    assert (attempt.good, attempt.status, attempt.body) == (True, 200, "told")


def test_notifications_are_forwarded_to_a_loopback_url(gateway: Gateway) -> None:
    with Merchant() as merchant:
        gateway.deliver_to(merchant.url)
        trigger(gateway)
    assert opened(gateway, merchant.seen[0])["plain"] == {"echo_message": "你好"}
    assert gateway.outbox.delivered(EVENT).once()


def test_redirect_over_http_is_not_followed(gateway: Gateway) -> None:
    with Merchant() as other, Merchant(302, Location=other.url) as merchant:
        trigger(gateway, url=merchant.url)
    assert len(merchant.seen) == 1
    assert other.seen == []
    assert only(gateway).attempts[0].verdict.startswith("redirected to http://127")


def test_server_that_is_not_there_is_a_failure(gateway: Gateway) -> None:
    with Merchant() as merchant:
        pass
    trigger(gateway, url=merchant.url)
    (attempt,) = only(gateway).attempts
    assert attempt.verdict == "no answer: ConnectionRefusedError"
    assert "is the server running" in attempt.hint
    assert gateway.outbox.pending


class Listener:
    """A server on the loopback that answers whoever connects as *answer* does."""

    def __init__(self, answer: Callable[[socket.socket], object]) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/notify?a=1"
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            self._answer(connection)

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *exc: object) -> None:
        self._thread.join()
        self._socket.close()


@pytest.mark.parametrize("written", [b"", b"\x16\x03\x01 no HTTP\r\n\r\n"])
def test_server_that_answers_no_http_is_told_from_one_that_is_not_there(
    gateway: Gateway, written: bytes
) -> None:
    def answer(connection: socket.socket) -> None:
        while not connection.recv(65536).endswith(b"}"):
            pass
        connection.sendall(written)

    with Listener(answer) as listener:
        gateway.deliver_to(listener.url)
        trigger(gateway)
    (attempt,) = only(gateway).attempts
    assert attempt.verdict.startswith("no answer: ")
    assert attempt.hint.startswith("the server took it, and ended without an answer")


@pytest.mark.parametrize(
    "written", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"]
)
def test_server_that_goes_on_for_ever_is_shut_off_in_time(written: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(written)
        connection.settimeout(0.02)
        with contextlib.suppress(ConnectionError):  # until the other side goes away
            said = b"?"
            while said:
                try:
                    said = connection.recv(65536)
                except TimeoutError:
                    connection.sendall(b"x")

    request = Request("POST", "http://127.0.0.1/", Headers(), b"{}")
    with Listener(drip) as listener:
        found = posting.post(request.replace(url=listener.url), 0.2)
    assert (found.timed_out, found.status, found.limit) == (True, None, 0.2)


def test_path_and_query_go_out_encoded(gateway: Gateway) -> None:
    with Merchant() as merchant:
        gateway.deliver_to(f"{merchant.url}/通知?a=1&b=%20#x")
        trigger(gateway)
    (request,) = merchant.seen
    assert request.url == "/notify/%E9%80%9A%E7%9F%A5?a=1&b=%20"


# Under serve.


def over(server: Any, gateway: Gateway) -> WeChatPay:
    """A client over HTTP."""
    return WeChatPay(
        **gateway.credentials, base_url=server.base_url, clock=gateway.clock
    )


def test_served_gateway_notifies_by_itself_and_may_be_called_back(
    gateway: Gateway,
) -> None:
    done = threading.Event()
    with gateway.serve() as server:

        def handler(request: Request) -> None:
            if opened(gateway, request)["plain"]["echo_message"] == "first":
                second = {"echo_message": "second", "notify_url": URL}
                client.v3.security.echo.post(second)
            else:
                done.set()

        gateway.deliver_to(handler)
        client = over(server, gateway)
        with client:
            client.v3.security.echo.post({"echo_message": "first", "notify_url": URL})
            assert done.wait(20)
    assert len(gateway.outbox.delivered(EVENT)) == 2


def test_slow_handler_does_not_keep_the_served_gateway(gateway: Gateway) -> None:
    entered, leave = threading.Event(), threading.Event()

    def handler(request: Request) -> None:
        entered.set()
        leave.wait(20)

    gateway.deliver_to(handler)
    with gateway.serve() as server:
        client = over(server, gateway)
        with client:
            client.v3.security.echo.post({"echo_message": "hi", "notify_url": URL})
            assert entered.wait(20)
            reply = client.v3.security.echo.post({"echo_message": "meanwhile"})
            leave.set()
    assert reply.verified
    assert gateway.outbox.delivered(EVENT).once()


def test_served_gateway_retries_when_time_is_advanced(gateway: Gateway) -> None:
    told = threading.Event()
    stamps: list[int] = []

    def handler(request: Request) -> int:
        stamps.append(int(request.headers["Wechatpay-Timestamp"]))
        told.set()
        return 500

    gateway.deliver_to(handler)
    with gateway.serve():
        trigger(gateway)
        assert told.wait(20)
        gateway.advance(days=2)
    assert len(stamps) == 16
    assert abs(stamps[-1] - stamps[0] - (24 * 3600 + 4 * 60)) <= 15
    assert str(only(gateway).status) == "failed"


class Turn:
    """The right to send; says when somebody waits for it."""

    def __init__(self, lock: Any, asked: threading.Event) -> None:
        self._lock = lock
        self._asked = asked
        self.release = lock.release

    def acquire(self, timeout: float = -1) -> bool:
        if threading.current_thread() is threading.main_thread():
            self._asked.set()
        return bool(self._lock.acquire(timeout=timeout))


def test_time_is_advanced_once_the_attempt_under_way_is_over(gateway: Gateway) -> None:
    entered, asked = threading.Event(), threading.Event()
    stamps: list[int] = []

    def handler(request: Request) -> int:
        stamps.append(int(request.headers["Wechatpay-Timestamp"]))
        entered.set()
        asked.wait(20)
        return 500

    gateway.deliver_to(handler)
    sender: Any = gateway.courier
    with gateway.serve():
        trigger(gateway)
        assert entered.wait(20)
        sender._turn = Turn(sender._turn, asked)
        gateway.advance(seconds=20)
        asked.set()
        attempts = list(only(gateway).attempts)
    assert len(attempts) == len(stamps) == 2
    assert abs(stamps[1] - stamps[0] - 15) <= 2


def test_handler_that_waits_for_itself_is_not_waited_for(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "PATIENCE", 0.01)

    def handler(request: Request) -> None:
        other = threading.Thread(target=gateway.advance, args=(6,))
        other.start()
        other.join()

    gateway.deliver_to(handler)
    trigger(gateway)
    assert only(gateway).attempts[0].verdict == "timed out"


def test_server_that_never_answers_is_given_less_time_in_one_advance(
    gateway: Gateway,
) -> None:
    limits: list[float] = []

    def silent(request: Request, limit: float) -> Reaction:
        limits.append(limit)
        good = len(limits) == 5
        return Reaction(200) if good else Reaction(timed_out=True, limit=limit)

    gateway.deliver_to("http://127.0.0.1:1/notify")
    (place,) = gateway.courier._places
    setattr(place.target, "_run", silent)  # noqa: B010 - a method, to checkers
    trigger(gateway)
    assert limits == [5]
    gateway.advance(minutes=1)
    assert limits == [5, 5, 1, 1]
    hints = [attempt.hint for attempt in only(gateway).attempts]
    assert hints[1].startswith("no answer within 5 s: ")
    assert hints[2].startswith("no answer within 1 s, after none within 5 s before: ")
    gateway.advance(hours=1)
    assert limits == [5, 5, 1, 1, 5]


def test_closed_server_leaves_the_sending_to_the_callers_thread(
    gateway: Gateway,
) -> None:
    told: list[str] = []
    gateway.deliver_to(lambda request: told.append(threading.current_thread().name))
    with gateway.serve():
        pass
    trigger(gateway)
    assert told == [threading.current_thread().name]
