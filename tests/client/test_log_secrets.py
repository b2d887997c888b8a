"""Nothing secret is logged at DEBUG, by anybody, whatever happens to a call."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from leaks import (
    APIV2_KEY,
    APIV3_KEY,
    P12_PASSWORD,
    PROXY_PASSWORD,
    leaked,
    secret_options,
)
from log_lines import Collector, certificate, collecting, lines, xml

from wechatpay_chain import (
    ConnectError,
    ReadTimeout,
    Request,
    Retry,
    WeChatPay,
    WeChatPayError,
)


@pytest.fixture
def everything() -> Iterator[Collector]:
    """What anybody logs at DEBUG, the HTTP libraries included."""
    yield from collecting(logging.DEBUG, "")


OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
ORDER = "ORDER20240601PRIVATE"
QUERY = "query-of-nobody"
BODY = "text-of-a-body"
NUMBER = "4200000001202406019876543210"
PRIVATE = (OPENID, ORDER, QUERY, BODY, NUMBER, P12_PASSWORD, PROXY_PASSWORD)
#: By which a credential would be told, whoever logs it.
WORDS = ("WECHATPAY2-SHA256-RSA2048", "Proxy-Authorization", "nonce_str", "CDATA")


def seen(server: Any) -> Iterator[str]:
    """Every signature that went either way, the whole and its first half."""
    for request in server.requests:
        text = request.headers.get("Authorization", "")
        if text:
            yield from (text, server.parameters(request)["signature"][:40])


def assert_silent(log: Collector, server: Any) -> None:
    text = log.text
    assert text
    assert not leaked(text)
    assert [needle for needle in (*PRIVATE, *WORDS) if needle in text] == []
    assert [needle for needle in seen(server) if needle in text] == []
    for request in server.requests:
        assert not request.body or request.body.decode() not in text


def allowed(fails: bool) -> AbstractContextManager[Any]:
    """A call that must fail, or must not."""
    return pytest.raises(WeChatPayError) if fails else nullcontext()


Answers = Callable[[Any], list[Any]]
#: What a server does to a call: each of its answers in turn.
FAULTS: dict[str, Answers] = {
    "success": lambda server: [{"openid": OPENID, "text": BODY}],
    "204": lambda server: [server.signed(None, status=204)],
    "refused": lambda server: [
        server.plain(400, {"code": "PARAM_ERROR", "message": BODY, "detail": OPENID})
    ],
    "sign error": lambda server: [
        server.plain(401, {"code": "SIGN_ERROR", "message": BODY, "detail": {"a": 1}})
    ],
    "busy, then well": lambda server: [
        server.plain(503, {"code": "SYSTEM_ERROR", "message": BODY}),
        {"openid": OPENID},
    ],
    "too often": lambda server: [
        server.plain(429, {"code": "FREQUENCY_LIMITED"}, Retry_After="3600")
    ],
    "a page": lambda server: [server.plain(502, content=b"<p>" + BODY.encode())] * 3,
    "a redirect": lambda server: [server.plain(302, Location=f"https://x/{OPENID}")],
    "wrong signature": lambda server: [
        server.signed({"openid": OPENID}, covers=b"another") for _ in range(3)
    ],
    "no signature": lambda server: [
        server.plain(200, {"openid": OPENID}) for _ in range(3)
    ],
    "clock": lambda server: [server.signed({}, at=server.now - 900)],
    "not JSON": lambda server: [server.signed(content=BODY.encode())],
    "no connection": lambda server: [ConnectError(f"to {OPENID}")] * 3,
    "no answer": lambda server: [ReadTimeout(f"of {OPENID}")] * 3,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_secret_of_a_call_is_logged(
    call: Any, server: Any, make: Any, everything: Collector, fault: str
) -> None:
    server.will(*FAULTS[fault](server))
    client = make(apiv3_key=APIV3_KEY, secret=APIV2_KEY, retry=Retry(2, jitter=float))
    node = client.v3.payscore.serviceorder._out_order_no_.cancel
    with allowed(fault not in ("success", "204", "busy, then well")):
        call(
            node.post,
            {"openid": OPENID, "reason": BODY},
            params={"text": QUERY},
            headers={"X-Own": BODY},
            out_order_no=ORDER,
        )
    assert everything.attempts()
    assert_silent(everything, server)


@pytest.mark.parametrize("fault", FAULTS)
def test_no_segment_that_was_filled_by_hand_is_logged(
    call: Any, server: Any, client: WeChatPay, everything: Collector, fault: str
) -> None:
    server.will(*FAULTS[fault](server))
    path = f"v3/marketing/favor/users/{OPENID}/coupons/{NUMBER}?text={QUERY}"
    with allowed(fault not in ("success", "204", "busy, then well")):
        call(client[path].get)
    assert {record.template for record in everything.attempts()} == {
        "v3/marketing/favor/users/{...}/coupons/{...}"
    }
    assert_silent(everything, server)


@pytest.mark.parametrize("listed", ["right", "incomplete", "none"])
def test_no_secret_of_a_certificate_download_is_logged(
    call: Any, server: Any, make: Any, everything: Collector, listed: str
) -> None:
    server.signs_with = server.new_serial
    lists = {"right": [certificate(server)], "incomplete": [{}], "none": []}
    server.will(server.signed({"data": lists[listed]}), {"openid": OPENID})
    client = make(certs=None, apiv3_key=APIV3_KEY)
    with allowed(listed != "right"):
        call(client.v3.x._out_trade_no_.post, {"a": BODY}, out_trade_no=ORDER)
    assert_silent(everything, server)


def test_no_secret_of_apiv2_is_logged(
    call: Any, server: Any, make: Any, everything: Collector
) -> None:
    server.strict = False
    client = make(secret=APIV2_KEY, retry=1)
    success = {"return_code": "SUCCESS", "result_code": "SUCCESS", "openid": OPENID}
    failure = {**success, "result_code": "FAIL", "err_code": "ORDERPAID"}
    fields = {"out_trade_no": ORDER, "openid": OPENID, "body": BODY}
    server.will(
        xml(success), xml(failure), xml({**success, "a": "b"}).replace(status_code=500)
    )
    call(client.v2.pay.unifiedorder.post, fields)
    for _ in range(2):
        with pytest.raises(WeChatPayError):
            call(client.v2.pay.unifiedorder.post, fields)
    assert len(everything.attempts()) == 3
    assert_silent(everything, server)


@pytest.mark.parametrize("path", ["v3/x/{out_trade_no}", "v2/x/{out_trade_no}"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_password_of_a_proxy_is_logged(
    call: Any, server: Any, everything: Collector, path: str, scheme: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]  # nobody listens there any more
    client = WeChatPay(
        **secret_options(
            proxies=f"http://user:{PROXY_PASSWORD}@127.0.0.1:{port}",
            base_url=f"{scheme}://127.0.0.1:1",
            retry=1,
        )
    )
    with pytest.raises(ConnectError):
        call(client[path].post, {"openid": OPENID}, out_trade_no=ORDER)
    call.close(client)
    assert lines(everything) == [("WARNING", 1, "ConnectError")]
    assert_silent(everything, server)


def test_the_search_finds_what_it_looks_for(
    call: Any, server: Any, client: WeChatPay, everything: Collector
) -> None:
    """A layer that logs what it should not is found by each of the searches."""

    def careless(request: Request) -> Any:
        logging.getLogger("careless").debug("%s", dict(request.headers), extra={"b": 1})
        return (yield request)

    client.stack.after("sign", careless)
    call(client.v3.x.get)
    with pytest.raises(AssertionError):
        assert_silent(everything, server)
    everything.texts[:] = [APIV3_KEY]
    with pytest.raises(AssertionError):
        assert_silent(everything, server)
