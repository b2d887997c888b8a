"""Ways to sign wrongly, each named by the error: at the sandbox, and at a bare stub.

The stub answers what is documented of a 401 and nothing else, so that no name
comes from a hint of the sandbox's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any

import pytest
from wrong_signers import Stub, by_hand, inside, listing, plain
from wrong_ways import KEY_WORDS, WAYS

from wechatpay_chain import (
    AsyncMemoryTransport,
    MemoryTransport,
    Request,
    Response,
    Unauthorized,
    WeChatPay,
    middleware,
)
from wechatpay_chain.sandbox import Gateway


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(seed=1)


@pytest.fixture
def stub(gateway: Gateway) -> Stub:
    return Stub(gateway)


@pytest.fixture
def at_stub(gateway: Gateway, stub: Stub) -> WeChatPay:
    """A client of *stub*."""
    return gateway.client(
        transport=MemoryTransport(stub), async_transport=AsyncMemoryTransport(stub)
    )


def explanation(client: WeChatPay, call: Any, send: Callable[..., Any]) -> str:
    with pytest.raises(Unauthorized) as caught:
        send(client, call)
    error = caught.value
    assert error.explanation is not None
    assert error.explanation in str(error)
    assert error.outcome == "refused"
    return error.explanation


@pytest.mark.parametrize("where", ["sandbox", "stub"])
@pytest.mark.parametrize("name", WAYS)
def test_mistake_is_named(
    gateway: Gateway, at_stub: WeChatPay, call: Any, name: str, where: str
) -> None:
    way = WAYS[name]
    client = at_stub if where == "stub" else gateway.client()
    client = way.how(client, gateway) or client
    text = explanation(client, call, way.send)
    for word in way.says:
        assert word in text
    for word in way.never:
        assert word not in text, text
    assert "用户投诉" not in text
    assert "500001" not in text
    assert "\n" not in text


def test_the_right_way_is_accepted(gateway: Gateway, call: Any) -> None:
    """What the table changes one thing of is right in all else."""
    client = gateway.client()
    by_hand()(client, gateway)
    assert call(client.v3.security.echo.post, {"echo_message": "hi"}).verified


class TestClock:
    def moved(self, at_stub: WeChatPay, gateway: Gateway, by: int) -> WeChatPay:
        return at_stub.with_options(clock=lambda: gateway.clock() + by)

    @pytest.mark.parametrize(
        ("by", "skew"), [(-400, "400 s behind"), (301, "301 s ahead of")]
    )
    def test_wrong_clock_shows_both_times(
        self, gateway, stub, at_stub, call, by: int, skew: str
    ) -> None:
        stub.headers["Date"] = formatdate(gateway.clock(), usegmt=True)
        text = explanation(self.moved(at_stub, gateway, by), call, plain)
        assert f"is {skew} 2024-06-01 07:00:00Z by the answer's Date" in text
        ours = {-400: "2024-06-01 06:53:20Z", 301: "2024-06-01 07:05:01Z"}[by]
        assert f"the local clock says {ours}: set the clock by NTP" in text
        assert "do not belong together" not in text

    @pytest.mark.parametrize("by", [-300, 300])
    def test_300_seconds_are_near_enough(
        self, gateway, stub, at_stub, call, by: int
    ) -> None:
        stub.headers["Date"] = formatdate(gateway.clock(), usegmt=True)
        text = explanation(self.moved(at_stub, gateway, by), call, plain)
        assert "NTP" not in text

    def test_time_zone_is_suspected(self, gateway, stub, at_stub, call) -> None:
        stub.headers["Date"] = formatdate(gateway.clock(), usegmt=True)
        text = explanation(self.moved(at_stub, gateway, 8 * 3600), call, plain)
        assert "28800 s ahead of" in text
        assert "8 h: a time zone?" in text

    def test_old_timestamp_is_told_from_a_wrong_clock(
        self, gateway, stub, at_stub, call
    ) -> None:
        by_hand(late=400)(at_stub, gateway)
        stub.headers["Date"] = formatdate(gateway.clock(), usegmt=True)
        text = explanation(at_stub, call, plain)
        assert "400 s behind 2024-06-01 07:00:00Z by the answer's Date" in text
        assert "the local clock, 2024-06-01 07:00:00Z, is right" in text
        assert "sign anew for each attempt" in text
        assert "NTP" not in text

    def test_old_timestamp_is_seen_without_a_date(self, gateway, at_stub, call) -> None:
        by_hand(late=400)(at_stub, gateway)
        text = explanation(at_stub, call, plain)
        assert "400 s behind 2024-06-01 07:00:00Z by the local clock" in text

    def test_clock_comes_before_what_is_wrong_beside_it(
        self, gateway, stub, at_stub, call
    ) -> None:
        by_hand(lambda g: g.text(target=g.path), late=400)(at_stub, gateway)
        text = explanation(at_stub, call, listing)
        assert text.startswith("timestamp 1717224800, 2024-06-01 06:53:20Z, is 400 s")
        assert "query: left out" in text

    def test_rebuilt_timestamp_serves_where_there_is_no_date(
        self, stub, at_stub, call
    ) -> None:
        text = "GET\n/v3/x\n1717226200\n"
        stub.information = {"truncated_sign_message": text}
        text = explanation(at_stub, call, plain)
        assert "1000 s behind 2024-06-01 07:16:40Z by the text WeChat rebuilt" in text
        assert "timestamp: 1717226200 there, 1717225200 here" in text

    @pytest.mark.parametrize("issue", ["timestamp expired", "时间戳过期"])
    def test_without_a_date_it_is_what_wechat_says(
        self, stub, at_stub, call, issue: str
    ) -> None:
        stub.issue = ("timestamp", issue)
        text = explanation(at_stub, call, plain)
        assert f"WeChat says of timestamp: {issue}" in text
        assert "the local clock says 2024-06-01 07:00:00Z: set the clock by NTP" in text
        assert "do not belong together" not in text

    def test_sandbox_says_by_how_much(self, gateway, call) -> None:
        client = gateway.client(clock=lambda: gateway.clock() - 400)
        text = explanation(client, call, plain)
        assert "400 s behind, more than the 300 s allowed" in text
        assert "the local clock says 2024-06-01 06:53:20Z: set the clock by NTP" in text


class TestOnTheWay:
    """The request was signed as it was sent, and arrived as another."""

    @pytest.mark.parametrize(
        ("information", "says"),
        [
            ({"url": "/v3/x?b=1+2&a=x%2Fy"}, "query: 'b=1+2&a=x%2Fy' there, 'b=1%202"),
            ({"method": "POST"}, "method: POST there, GET here"),
            ({"url": "/pay/v3/x?b=1%202&a=x%2Fy"}, "url: '/pay/v3/x"),
            ({"sign_message_length": 74}, "body: 3 bytes there, 0 bytes here"),
        ],
    )
    def test_what_changed_is_named(
        self, gateway, stub, at_stub, call, information: dict[str, Any], says: str
    ) -> None:
        by_hand()(at_stub, gateway)
        stub.information = information
        text = explanation(at_stub, call, listing)
        assert text.startswith("the text WeChat rebuilt differs in ")
        assert says in text
        assert "something on the way" in text
        for word in KEY_WORDS:
            assert word not in text


def test_issue_that_names_the_serial_is_told(stub, at_stub, call) -> None:
    stub.issue = ("serial_no", "serial_no is not valid")
    text = explanation(at_stub, call, plain)
    assert text.startswith("WeChat says of serial_no: serial_no is not valid; ")
    assert "do not belong together" in text


def test_issue_of_the_serial_is_told_beside_a_wrong_text(
    gateway, stub, at_stub, call
) -> None:
    by_hand(lambda g: g.text(target=g.path))(at_stub, gateway)
    stub.issue = ("signature", "商户证书序列号有误")
    text = explanation(at_stub, call, listing)
    assert "query: left out" in text
    assert text.endswith("WeChat says of signature: 商户证书序列号有误")


def test_issue_about_something_else_is_told(stub, at_stub, call) -> None:
    stub.issue = ("authorization", "format\nis bad")
    text = explanation(at_stub, call, plain)
    assert text.startswith("WeChat says of authorization: format is bad; the text is ")


def test_page_of_a_proxy_blames_no_key(gateway, call) -> None:
    def page(request: Request) -> Response:
        return Response(401, {"Content-Type": "text/html"}, b"<h1>")  # type: ignore

    client = gateway.client(
        transport=MemoryTransport(page), async_transport=AsyncMemoryTransport(page)
    )
    with pytest.raises(Unauthorized) as caught:
        plain(client, call)
    assert "a proxy or gateway on the way" in str(caught.value.explanation)


def test_response_tells_what_went_out_from_what_was_signed(
    gateway: Gateway, call: Any
) -> None:
    client = gateway.client()
    inside(lambda r: r.replace(url=r.url + "?a=1"))(client, gateway)
    seen: list[Response] = []

    @middleware
    def look(request: Request) -> Iterator[Any]:
        response = yield request
        seen.append(response)
        return response

    client.stack.push(look)
    client.stack.remove("raise_errors")
    plain(client, call)
    response = seen[0]
    assert response.request is not None
    assert response.signed is not None
    assert response.request.target == "/v3/x?a=1"
    assert response.signed.target == "/v3/x"
    assert "Authorization" in response.signed.headers
