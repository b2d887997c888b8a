"""The gateway behind the servers of others: WSGI, and ASGI on any server."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any
from wsgiref.validate import validator

import pytest

from wechatpay_chain.sandbox import Gateway


def environ(target: str = "/v3/x", **changes: Any) -> dict[str, Any]:
    path, _, query = target.partition("?")
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **changes,
    }


def ask(application: Any, given: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    told: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        told.append((status, dict(headers)))
        return lambda _: None

    body = application(given, start)
    try:
        content = b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    return (*told[0], content)


def test_it_keeps_to_the_standard(gateway: Gateway) -> None:
    status, headers, content = ask(validator(gateway.wsgi()), environ())
    assert status == "401 Unauthorized"
    assert int(headers["Content-Length"]) == len(content) > 0
    assert headers["Date"]


def test_a_signed_call_is_answered(gateway: Gateway, hand: Any) -> None:
    body = json.dumps({"echo_message": "hi"}).encode()
    request = hand.request("POST", "/v3/security/echo", body)
    given = environ(
        "/v3/security/echo",
        REQUEST_METHOD="POST",
        CONTENT_TYPE="application/json",
        CONTENT_LENGTH=str(len(body)),
        HTTP_AUTHORIZATION=request.headers["Authorization"],
        **{"wsgi.input": io.BytesIO(body)},
    )
    status, headers, content = ask(gateway.wsgi(), given)
    assert status == "200 OK"
    assert json.loads(content) == {"echo_message": "hi"}
    assert headers["Wechatpay-Signature"]


def test_a_partners_cancel_has_no_body_and_no_length(
    gateway: Gateway, hand: Any
) -> None:
    number = gateway.given.order(partner=True)
    target = f"/v3/payscore/partner/serviceorder/{number}/cancel"
    data = {
        "service_id": gateway.service_id,
        "sub_mchid": gateway.sub_mchid,
        "reason": "x",
    }
    body = json.dumps(data).encode()
    request = hand.request("POST", target, body)
    given = environ(
        target,
        REQUEST_METHOD="POST",
        CONTENT_TYPE="application/json",
        CONTENT_LENGTH=str(len(body)),
        HTTP_AUTHORIZATION=request.headers["Authorization"],
        **{"wsgi.input": io.BytesIO(body)},
    )
    status, headers, content = ask(gateway.wsgi(), given)
    assert (status, content) == ("204 No Content", b"")
    assert "Content-Length" not in headers


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({}, "/v3/x"),
        ({"QUERY_STRING": "a=%3d"}, "/v3/x?a=%3d"),
        ({"PATH_INFO": "/v3/\xe4\xbd\xa0 b"}, "/v3/%E4%BD%A0%20b"),
        ({"SCRIPT_NAME": "/pay"}, "/pay/v3/x"),
        ({"RAW_URI": "/v3/x?"}, "/v3/x?"),
        ({"REQUEST_URI": "/v3/%78?b"}, "/v3/%78?b"),
        ({"REQUEST_URI": "http://localhost/v3/x?a=http://b"}, "/v3/x?a=http://b"),
        ({"REQUEST_URI": "http://localhost"}, "/"),
        ({"REQUEST_URI": "/v3/x?a=http://b"}, "/v3/x?a=http://b"),
    ],
)
def test_the_target_arrives_as_exactly_as_the_server_tells_it(
    gateway: Gateway, changes: dict[str, Any], target: str
) -> None:
    ask(gateway.wsgi(), environ(**changes))
    assert gateway.journal[1].request.target == target


@pytest.mark.parametrize(
    ("changes", "read"),
    [
        ({"CONTENT_LENGTH": "4"}, 4),
        ({"CONTENT_LENGTH": ""}, 0),
        ({"CONTENT_LENGTH": "nonsense"}, 0),
        ({"CONTENT_LENGTH": "99"}, 12),
        ({"wsgi.input_terminated": True}, 12),
        ({"CONTENT_LENGTH": "2000000"}, 21),
        ({"wsgi.input_terminated": True}, 21),
    ],
)
def test_of_a_body_no_more_is_read_than_can_be_taken(
    changes: dict[str, Any], read: int
) -> None:
    gateway = Gateway(seed=1, body_limit=20)
    stream = io.BytesIO(b"x" * (12 if read <= 12 else 2_000_000))
    given = environ(REQUEST_METHOD="POST", **{"wsgi.input": stream, **changes})
    status, _, _ = ask(gateway.wsgi(), given)
    assert stream.tell() == read
    assert status.startswith("413" if read > 20 else "401")


def test_the_control_api_is_open_where_it_is_asked_for(gateway: Gateway) -> None:
    assert ask(gateway.wsgi(), environ("/_sandbox/clock"))[0] == "404 Not Found"
    status, _, content = ask(gateway.wsgi(control=True), environ("/_sandbox/clock"))
    assert status == "200 OK"
    assert json.loads(content)["now"] == gateway.clock()


def drive(application: Any, scope: dict[str, Any], *messages: Any) -> list[Any]:
    """What an ASGI application sends when it receives *messages*."""
    sent: list[Any] = []
    waiting = list(messages)

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    return sent


def test_an_asgi_server_may_start_and_end_it(gateway: Gateway) -> None:
    sent = drive(
        gateway.asgi(),
        {"type": "lifespan"},
        {"type": "lifespan.startup"},
        {"type": "lifespan.shutdown"},
    )
    assert [one["type"] for one in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


def test_a_web_socket_is_not_opened(gateway: Gateway) -> None:
    sent = drive(gateway.asgi(), {"type": "websocket"})
    assert sent == [{"type": "websocket.close"}]


@pytest.mark.parametrize(("control", "status"), [(True, 200), (False, 404)])
def test_an_asgi_server_may_have_the_control_api(
    gateway: Gateway, control: bool, status: int
) -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "raw_path": b"/_sandbox/clock",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    sent = drive(gateway.asgi(control=control), scope, {"type": "http.request"})
    assert sent[0]["status"] == status
