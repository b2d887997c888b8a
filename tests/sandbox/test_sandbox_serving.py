"""The door over HTTP: what arrives is what was sent, and time is real."""

from __future__ import annotations

import builtins
import contextlib
import gc
import json
import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from wechatpay_chain import ConfigurationError, Request, WeChatPay
from wechatpay_chain.sandbox import Clock, Gateway
from wechatpay_chain.sandbox.doors.asgi import Application
from wechatpay_chain.sandbox.doors.serving import Server
from wechatpay_chain.sandbox.faults.lines import Played

PATIENCE = 20.0


class Recorder(Gateway):
    """A gateway that keeps the requests it was given."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.requests: list[Request] = []

    def play(self, request: Request) -> Played:
        self.requests.append(request)
        return super().play(request)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(seed=1, body_limit=1000)


@pytest.fixture
def server(recorder: Recorder) -> Iterator[Server]:
    with recorder.serve() as server:
        yield server


class Wire:
    """A socket to the server, and answers read from it."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        self.stream = self.socket.makefile("rb")

    def send(self, *parts: bytes) -> None:
        for part in parts:
            self.socket.sendall(part)

    def answer(self, *, bodiless: bool = False) -> tuple[int, dict[str, str], bytes]:
        status = int(self.stream.readline().split(b" ")[1])
        headers = {}
        while (line := self.stream.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().strip().partition(": ")
            headers[name.lower()] = value
        length = 0 if bodiless else int(headers.get("content-length", "0"))
        return status, headers, self.stream.read(length)

    def close(self) -> None:
        self.stream.close()
        self.socket.close()


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    with contextlib.closing(Wire(server)) as wire:
        yield wire


@pytest.fixture
def client(call: Any, recorder: Recorder, server: Server) -> Iterator[WeChatPay]:
    client = WeChatPay(**recorder.credentials, base_url=server.base_url)
    yield client
    call.close(client)


def head(line: str, **headers: str) -> bytes:
    fields = {"Host": "localhost", **headers}
    lines = [line, *(f"{k.replace('_', '-')}: {v}" for k, v in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def test_an_order_lives_its_life_over_http(
    call: Any, client: WeChatPay, recorder: Recorder
) -> None:
    for partner in (False, True):
        body = recorder.given.create_body(partner=partner)
        number = body["out_order_no"]
        v3 = client.v3.payscore
        orders = v3.partner.serviceorder if partner else v3.serviceorder
        assert call(orders.post, body).verified
        recorder.user.confirm(number)
        who = {"appid": recorder.appid}
        if partner:
            who = {"service_id": recorder.service_id, "sub_mchid": recorder.sub_mchid}
        cancel = {"reason": "用户投诉", **who}
        reply = call(orders._out_order_no_.cancel.post, cancel, out_order_no=number)
        assert reply.verified
        assert reply.status_code == (204 if partner else 200)
        assert recorder.orders[number].state == "REVOKED"


@pytest.mark.parametrize(
    "target",
    ["/v3/x", "/v3/x?", "/v3/x??", "/v3/x?a=%3d&b=%3D", "/v3/%e4%bd%a0%2F..%7c", "/"],
)
def test_the_target_arrives_to_the_byte(
    wire: Wire, recorder: Recorder, target: str
) -> None:
    wire.send(head(f"GET {target} HTTP/1.1"))
    status, _, _ = wire.answer()
    assert status == 401
    assert recorder.requests[0].target == target


def test_another_asgi_server_gives_the_target_in_parts(recorder: Recorder) -> None:
    sent: list[Any] = []
    scope = {"type": "http", "method": "GET", "headers": [], "raw_path": b"/v3/%7e"}

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    for query in (b"", b"a=1"):
        application = Application(recorder, "http://localhost")
        with contextlib.suppress(StopIteration):
            application({**scope, "query_string": query}, receive, send).send(None)
    assert [one.target for one in recorder.requests] == ["/v3/%7e", "/v3/%7e?a=1"]
    assert [one.get("status") for one in sent] == [401, None, 401, None]


def test_a_chunked_body_is_read(wire: Wire, recorder: Recorder) -> None:
    wire.send(head("POST /v3/x HTTP/1.1", Transfer_Encoding="chunked"))
    wire.send(b'4\r\n{"a"\r\n', b"3\r\n:1}\r\n", b"0\r\n\r\n")
    assert wire.answer()[0] == 401
    assert recorder.requests[0].body == b'{"a":1}'


def test_headers_arrive_by_any_case_and_repeated(
    wire: Wire, recorder: Recorder
) -> None:
    wire.send(head("GET / HTTP/1.1", X_ONE="1", x_one="2"))
    wire.answer()
    assert recorder.requests[0].headers["X-One"] == "1, 2"


def test_a_body_above_the_limit_is_refused_and_not_gathered(
    wire: Wire, recorder: Recorder
) -> None:
    wire.send(head("POST /v3/x HTTP/1.1", Content_Length="300000"))
    wire.send(*[b"x" * 1000] * 300)
    status, _, content = wire.answer()
    assert status == 413
    assert json.loads(content)["code"] == "PARAM_ERROR"
    assert len(recorder.requests[0].body) < 300000


def test_a_connection_serves_many_requests(wire: Wire) -> None:
    for _ in range(3):
        wire.send(head("GET /v3/x HTTP/1.1"))
        status, headers, content = wire.answer()
        assert status == 401
        assert len(content) == int(headers["content-length"]) > 0
    wire.send(head("GET /v3/x HTTP/1.1", Connection="close"))
    wire.answer()
    assert wire.stream.read() == b""


def test_answers_do_not_wait_for_acknowledgements(server: Server, wire: Wire) -> None:
    wire.send(head("GET /v3/x HTTP/1.1"))
    wire.answer()
    (connection,) = server._runner.server_state.connections
    sock = connection.transport.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_head_has_headers_and_no_body(wire: Wire) -> None:
    wire.send(head("HEAD /v3/x HTTP/1.1"))
    status, headers, _ = wire.answer(bodiless=True)
    assert status == 401
    assert int(headers["content-length"]) > 0
    wire.send(head("GET /v3/x HTTP/1.1"))
    assert wire.answer()[0] == 401  # and not the body of the first


def test_what_is_no_http_is_400(wire: Wire) -> None:
    wire.send(b"nonsense\r\n\r\n")
    assert wire.answer()[0] == 400


def test_a_client_that_hangs_up_early_harms_nobody(
    server: Server, recorder: Recorder
) -> None:
    first = Wire(server)
    first.send(head("POST /v3/x HTTP/1.1", Content_Length="100"), b"half")
    first.close()
    with contextlib.closing(Wire(server)) as second:
        second.send(head("GET /v3/x HTTP/1.1"))
        assert second.answer()[0] == 401
    assert [one.method for one in recorder.requests] == ["GET"]


def test_time_is_real_plus_what_was_advanced() -> None:
    gateway = Gateway(seed=1)
    gateway.advance(hours=1)
    before = time.time()
    with gateway.serve() as server, contextlib.closing(Wire(server)) as wire:
        assert before + 3600 <= gateway.clock() <= time.time() + 3600
        gateway.advance(hours=1)
        wire.send(head("GET /v3/x HTTP/1.1"))
        date = parsedate_to_datetime(wire.answer()[1]["date"]).timestamp()
        assert int(before) + 7200 <= date <= time.time() + 7200


def test_a_clock_that_runs_is_left_alone() -> None:
    gateway = Gateway(seed=1, clock=Clock(source=lambda: 5.0))
    with gateway.serve():
        assert gateway.clock() == 5.0


def test_what_exists_comes_along_to_the_present() -> None:
    gateway = Gateway(seed=1)
    number = gateway.given.order()
    with gateway.serve():
        gateway.settle()
        assert gateway.orders[number].state == "CREATED"
        assert abs(gateway.orders[number].created_at - time.time()) < 3600
        gateway.advance(days=30)
        assert gateway.orders[number].state == "EXPIRED"


def test_certificates_are_valid_at_the_present() -> None:
    gateway = Gateway(seed=1, mode="certificate", clock=Clock(0.0))
    with gateway.serve() as server:
        with WeChatPay(**gateway.credentials, base_url=server.base_url) as client:
            assert client.v3.security.echo.post({"echo_message": "hi"}).verified
            key = client.keys.find(gateway.certificate_serial)
        assert key is not None
        assert key.since is not None
        assert key.since.timestamp() < time.time() < key.expiry


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "sandbox.example"])
def test_other_machines_are_let_in_only_where_it_is_asked_for(host: str) -> None:
    with pytest.raises(ConfigurationError, match="remote=True"):
        Gateway(seed=1).serve(host)


def test_other_machines_may_be_asked_for() -> None:
    with Gateway(seed=1).serve("0.0.0.0", remote=True) as server:
        wire = Wire(server)
        wire.close()


def test_localhost_is_this_machine() -> None:
    with Gateway(seed=1).serve("localhost") as server:
        assert server.base_url == f"http://localhost:{server.port}"


def test_a_port_may_be_chosen_and_is_free_after_close() -> None:
    gateway = Gateway(seed=1)
    with gateway.serve() as first:
        port = first.port
    with gateway.serve(port=port) as second:
        assert second.port == port
        with pytest.raises(OSError, match="in use"):
            gateway.serve(port=port)


def test_close_ends_thread_and_connections(recorder: Recorder) -> None:
    before = set(threading.enumerate())
    server = recorder.serve()
    with contextlib.closing(Wire(server)) as wire:
        wire.send(head("GET /v3/x HTTP/1.1"))
        wire.answer()
        server.close()
        assert wire.stream.read() == b""
        server.close()
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        Wire(server)


def test_who_comes_while_it_closes_is_sent_away() -> None:
    for _ in range(5):
        with Gateway(seed=1).serve() as server:
            wire = Wire(server)
        with contextlib.suppress(ConnectionResetError):
            assert wire.stream.read() == b""
        wire.close()
        gc.collect()  # what is left open warns


def test_two_gateways_are_served_at_once() -> None:
    with Gateway(seed=1).serve() as one, Gateway(seed=2).serve() as other:
        assert one.port != other.port


def test_requests_leave_no_trace_in_the_logs(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        wire.send(head("GET /v3/secret HTTP/1.1"))
        wire.answer()
    assert "secret" not in caplog.text


def test_a_door_that_cannot_open_says_why(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no loop today")

    monkeypatch.setattr("uvicorn.Server.startup", broken)
    with pytest.raises(RuntimeError, match="no loop today"):
        recorder.serve()


def test_without_the_extra_the_error_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.partition(".")[0] == "uvicorn":
            raise ImportError(name)
        return load(name, *args)

    monkeypatch.delitem(sys.modules, "wechatpay_chain.sandbox.doors.serving")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigurationError, match=r"wechatpay-chain\[sandbox\]"):
        Gateway(seed=1).serve()


def test_a_new_platform_certificate_signs_and_the_old_stays_listed(call: Any) -> None:
    gateway = Gateway(seed=1, mode="certificate")
    client = gateway.client()
    echo = client.v3.security.echo
    first = call(echo.post, {"echo_message": "hi"})
    assert first.serial == gateway.certificate_serial
    serial = gateway.rotate_certificate()
    assert serial == gateway.certificate_serial != first.serial
    gateway.advance(minutes=2)
    second = call(echo.post, {"echo_message": "hi"})
    assert second.verified
    assert second.serial == serial
    listed = call(client.v3.certificates.get)["data"]
    assert [entry["serial_no"] for entry in listed] == [first.serial, serial]
    call.close(client)


def test_nothing_runs_in_a_circle_while_something_is_due_later(
    recorder: Recorder, server: Server
) -> None:
    settle, looks = recorder.courier.settle, 0

    def counting() -> float:
        nonlocal looks
        looks += 1
        return settle()

    setattr(recorder.courier, "settle", counting)  # noqa: B010 - a method, to checkers
    recorder.given.order()  # expires in 30 days
    calls = 20
    with contextlib.closing(Wire(server)) as wire:
        for _ in range(calls):
            wire.send(head("GET /v3/x HTTP/1.1"))
            wire.answer()
    server.close()
    assert looks <= calls + 5


def test_a_snapshot_from_before_comes_along_to_the_present() -> None:
    gateway = Gateway(seed=1)
    number = gateway.given.order(state="CREATED")
    before = gateway.snapshot()
    with gateway.serve():
        gateway.restore(before)
        gateway.advance(days=29)
        assert gateway.orders[number].state == "CREATED"
        gateway.advance(days=2)
        assert gateway.orders[number].state == "EXPIRED"
