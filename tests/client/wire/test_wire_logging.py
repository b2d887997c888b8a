"""What anybody logs at DEBUG of a real exchange: the HTTP libraries as well as we."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from log_lines import Collector, collecting
from wire_server import Last, Reset, http
from wire_tls import Authority

from wechatpay_chain import WeChatPayError

OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
ORDER = "ORDER20240601PRIVATE"
BODY = "text-of-a-body"
PASSWORD = "password-of-nobody"
PRIVATE = (OPENID, ORDER, BODY, PASSWORD, "WECHATPAY2", "Authorization", "nonce_str")

ANSWERS: dict[str, Any] = {
    "success": lambda keys: keys.signed(200, {"openid": OPENID}),
    "empty": lambda keys: keys.signed(204),
    "refused": lambda keys: http(400, b'{"code":"X","message":"text-of-a-body"}'),
    "unsigned": lambda keys: http(200, b'{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}'),
    "no HTTP": lambda keys: Last(b"text-of-a-body\r\n\r\n"),
    "cut off": lambda keys: Last(
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + BODY.encode()
    ),
    "reset": lambda keys: Reset,
}


@pytest.fixture
def everything() -> Iterator[Collector]:
    yield from collecting(logging.DEBUG, "")


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_exchange_shows_nothing_secret(
    serve: Any,
    client_of: Any,
    keys: Any,
    call: Any,
    everything: Collector,
    answer: str,
) -> None:
    server = serve(lambda _: ANSWERS[answer](keys))
    node = client_of(server).v3.payscore.serviceorder._out_order_no_.cancel
    try:
        call(node.post, {"openid": OPENID}, params={"a": BODY}, out_order_no=ORDER)
        failed = False
    except WeChatPayError:
        failed = True
    assert failed is (answer not in ("success", "empty"))
    assert len(everything.attempts()) == 1
    assert [needle for needle in PRIVATE if needle in everything.text] == []
    assert server.last.header("Authorization") not in everything.text


@pytest.mark.parametrize("status", [407, 502])
def test_a_proxy_over_tls_shows_nothing_secret(
    serve: Any,
    client_of: Any,
    call: Any,
    everything: Collector,
    authority: Authority,
    status: int,
) -> None:
    proxy = serve(lambda _: http(status, BODY.encode()))
    client = client_of(
        "https://127.0.0.1:1",
        proxies=f"http://shop:{PASSWORD}@127.0.0.1:{proxy.port}",
        verify=str(authority.bundle),
    )
    with pytest.raises(WeChatPayError):
        call(client[f"v3/users/{OPENID}"].get, {"a": ORDER})
    (record,) = everything.attempts()
    assert record.template == "v3/users/{...}"
    assert record.error == "ConnectError"
    assert proxy.last.header("Proxy-Authorization") not in everything.text
    assert [needle for needle in PRIVATE if needle in everything.text] == []
