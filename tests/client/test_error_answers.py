"""What an error answer becomes, and whether the operation may have happened."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import requests

from wechatpay_chain import (
    APIError,
    BadRequest,
    DecodeError,
    Forbidden,
    NotFound,
    RateLimited,
    Reply,
    ServerError,
    Unauthorized,
    WeChatPayError,
)

#: Status, code, class, outcome: the table of the protocol.
TABLE = [
    (400, "PARAM_ERROR", BadRequest, "refused"),
    (400, "INVALID_REQUEST", BadRequest, "refused"),
    (401, "SIGN_ERROR", Unauthorized, "refused"),
    (403, "NO_AUTH", Forbidden, "refused"),
    (403, "RULE_LIMIT", Forbidden, "refused"),
    (403, "NOT_ENOUGH", Forbidden, "refused"),
    (404, "ORDER_NOT_EXIST", NotFound, "refused"),
    (404, "RESOURCE_NOT_EXISTS", NotFound, "refused"),
    (409, "CONFLICT", APIError, "refused"),
    (429, "FREQUENCY_LIMITED", RateLimited, "refused"),
    (429, "RATELIMIT_EXCEEDED", RateLimited, "refused"),
    (500, "SYSTEM_ERROR", ServerError, "unknown"),
    (500, "BANK_ERROR", ServerError, "unknown"),
    (502, "SERVICE_OFFLINE", ServerError, "unknown"),
    (503, "OVERLOADED", ServerError, "unknown"),
    (504, None, ServerError, "unknown"),
    (302, None, APIError, "unknown"),
    (418, "TEAPOT", APIError, "refused"),
    (418, None, APIError, "unknown"),
    (408, None, APIError, "unknown"),
    (404, None, NotFound, "unknown"),
    (400, "SYSTEM_ERROR", BadRequest, "unknown"),
    (403, "BANKERROR", Forbidden, "unknown"),
    (400, "USERPAYING", BadRequest, "unknown"),
]


@pytest.fixture
def client(make) -> Any:
    """A client that asks once."""
    return make(retry=1)


@pytest.mark.parametrize(("status", "code", "kind", "outcome"), TABLE)
@pytest.mark.parametrize("verb", ["get", "post"])
def test_a_status_has_its_class_and_outcome(
    call, server, client, status, code, kind, outcome, verb
) -> None:
    detail = {"field": "/amount", "value": "x", "issue": "bad", "location": "body"}
    body = {"code": code, "message": "出错", "detail": detail} if code else None
    server.will(server.plain(status, body))
    with pytest.raises(APIError) as caught:
        call(getattr(client.v3.pay.x, verb), {"a": 1})
    error = caught.value
    assert type(error) is kind
    assert isinstance(error, WeChatPayError)
    assert (error.status_code, error.code, error.outcome) == (status, code, outcome)
    assert error.request_id == "08D8-268578704"
    assert error.request.method == verb.upper()
    assert error.request.url.startswith("https://api.mch.weixin.qq.com/v3/pay/x")
    if code:
        assert (error.message, error.detail) == ("出错", detail)
        assert f"HTTP {status} {code} 出错" in str(error)
    assert "[Request-ID 08D8-268578704]" in str(error)
    assert "\n" not in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_2xx_is_no_error(call, server, client, status: int) -> None:
    server.will(server.signed({"a": 1} if status != 204 else None, status=status))
    assert call(client.v3.x.post, {}).status_code == status


@pytest.mark.parametrize("pair", ["ORDERNOTEXIST", "ORDER_NOT_ EXIST", "OrderNotExist"])
def test_codes_compare_without_underscores_and_spaces(
    call, server, client, pair: str
) -> None:
    server.will(server.plain(404, {"code": pair, "message": "x"}))
    with pytest.raises(NotFound) as caught:
        call(client.v3.x.get)
    assert caught.value.code == pair
    assert caught.value.is_code("ORDER_NOT_EXIST")
    assert caught.value.is_code("OTHER", "ORDERNOTEXIST")
    assert not caught.value.is_code("ORDER_NOT_EXISTS")
    assert not caught.value.is_code()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<html><h1>502 Bad Gateway</h1></html>", "text/html"),
        (b"", "text/html"),
        (b"{broken", "application/json"),
        (b'"text"', "application/json"),
        (b"[1]", "application/json"),
        (b'{"code": 5, "message": null}', "application/json"),
        (b'{"code": NaN}', "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 100_000, "application/json"),
    ],
    ids=["html", "empty", "cut", "text", "list", "types", "nan", "bytes", "deep"],
)
@pytest.mark.parametrize("status", [404, 502])
def test_any_error_page_gives_an_api_error(
    call, server, client, content: bytes, kind: str, status: int
) -> None:
    server.will(server.plain(status, content=content, Content_Type=kind))
    with pytest.raises(APIError) as caught:
        call(client.v3.x.get)
    error = caught.value
    assert (error.status_code, error.code, error.detail) == (status, None, None)
    assert error.response.content == content
    assert f"{len(content)} bytes of {kind}, no error code" in str(error)


def test_a_redirect_is_not_followed(call, server, client) -> None:
    server.will(server.plain(302, Location="https://other.example/"))
    with pytest.raises(APIError, match="a redirect, which a signed request never"):
        call(client.v3.x.get)
    assert len(server.requests) == 1


def test_the_whole_reply_is_at_hand(call, server, client) -> None:
    server.will(server.plain(404, {"code": "ORDER_NOT_EXIST", "message": "x"}))
    with pytest.raises(NotFound) as caught:
        call(client.v3.x.get)
    reply = caught.value.response
    assert isinstance(reply, Reply)
    assert isinstance(reply, requests.Response)
    assert reply["code"] == "ORDER_NOT_EXIST"
    assert reply.status_code == 404
    assert not reply
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.code, again.outcome, again.request) == (
        "ORDER_NOT_EXIST",
        "refused",
        caught.value.request,
    )
    assert again.response.data == reply.data


def test_a_streamed_error_is_read(call, server, client) -> None:
    page = server.plain(403, {"code": "NO_AUTH", "message": "x"})
    server.will(server.stream(page.content, page))
    with pytest.raises(Forbidden) as caught:
        call(client.v3.billdownload.file.get, stream=True)
    assert caught.value.code == "NO_AUTH"
    assert server.streams[0].reads == 1


def test_without_decode_an_error_is_an_error_all_the_same(call, server, client) -> None:
    client.stack.remove("decode")
    page = server.plain(403, {"code": "NO_AUTH"})
    server.will(server.stream(page.content, page))
    with pytest.raises(Forbidden) as caught:
        call(client.v3.x.get)
    assert caught.value.response.content == page.content


class TestMalformedSuccess:
    @pytest.mark.parametrize(
        ("content", "kind", "reason"),
        [
            (b"{broken", "application/json", "but is not"),
            (b'{"a": NaN}', "application/json", "NaN is not JSON"),
            (b'{"a": -Infinity}', "application/json", "-Infinity is not JSON"),
            (b"\xff\xfe{}", "application/json; charset=utf-8", "but is not"),
            (b"[" * 100_000, "application/json", "nested too deeply"),
            (b"<html></html>", "text/html", "JSON expected, the answer is 'text/html'"),
            (b'{"a": 1}', "text/plain", "pass headers={'Accept': '\\*/\\*'}"),
        ],
        ids=["cut", "nan", "infinity", "bytes", "deep", "html", "text"],
    )
    def test_is_a_decode_error_of_unknown_outcome(
        self, call, server, client, content: bytes, kind: str, reason: str
    ) -> None:
        server.will(server.signed(content=content, headers={"Content-Type": kind}))
        with pytest.raises(DecodeError, match=reason) as caught:
            call(client.v3.pay._no_.post, {}, no="7")
        assert caught.value.outcome == "unknown"
        assert caught.value.request == (
            "POST",
            "https://api.mch.weixin.qq.com/v3/pay/7",
        )
        assert "POST v3/pay/{no}" in str(caught.value)

    @pytest.mark.parametrize(
        ("kind", "content", "data"),
        [
            ("application/json", b'{"a":1}', {"a": 1}),
            ("Application/JSON; charset=utf-8", b'\xef\xbb\xbf{"a":1}', {"a": 1}),
            ("application/problem+json", b"[1]", [1]),
            (None, b'{"a":1}', {"a": 1}),
            (None, b"", None),
            ("text/html", b"", None),
            ("application/json", b"null", None),
        ],
    )
    def test_what_is_well_formed(
        self, call, server, client, kind: str | None, content: bytes, data: Any
    ) -> None:
        server.will(server.signed(content=content, headers={"Content-Type": kind}))
        assert call(client.v3.x.get).data == data

    def test_a_file_is_asked_for_by_accept_or_stream(
        self, call, server, client
    ) -> None:
        csv = {"content": b"a,b", "headers": {"Content-Type": "text/csv"}}
        server.will(server.signed(**csv), server.signed(**csv))
        for options in ({"headers": {"Accept": "*/*"}}, {"stream": True}):
            reply = call(client.v3.x.get, **options)
            assert (reply.data, reply.content, reply.verified) == (None, b"a,b", True)


class TestSignError:
    def explained(self, call: Any, server: Any, client: Any, change: Any) -> str:
        """The explanation of a 401 after *change* to what the gateway rebuilt."""

        def answer(request: Any) -> Any:
            given = server.parameters(request)
            lines = [request.method, request.target, given["timestamp"]]
            information = {
                "method": request.method,
                "url": request.target,
                "truncated_sign_message": "\n".join([*lines, ""]),
                "sign_message_length": len(server.message(request)),
            }
            change(information)
            detail = {
                "field": "signature",
                "location": "authorization",
                "detail": {"issue": "sign not match"},
                "sign_information": information,
            }
            return server.plain(401, {"code": "SIGN_ERROR", "detail": detail})

        server.will(answer)
        with pytest.raises(Unauthorized) as caught:
            call(client.v3.pay.x.post, {"a": 1}, params={"b": 2})
        assert caught.value.explanation in str(caught.value)
        return str(caught.value.explanation)

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            ({"method": "PUT"}, "method: PUT there, POST here"),
            ({"url": "/v3/pay/y?b=2"}, "url: '/v3/pay/y?b=2' there, '/v3/pay/x?b=2'"),
            ({"url": "/v3/pay/x"}, "query: left out there, 'b=2' here"),
            ({"url": "/v3/pay/x?b=3"}, "query: 'b=3' there, 'b=2' here"),
            ({"sign_message_length": 9}, "body: "),
            (
                {"truncated_sign_message": "POST\n/v3/pay/x?b=2\n1717225201\n"},
                "timestamp: 1717225201 there, 1717225200 here",
            ),
            (
                {"truncated_sign_message": "POST\n/v3/pay/x?b=2\n1717225200\nother"},
                "nonce: 'other' there, ",
            ),
        ],
    )
    def test_names_what_differs(
        self, call, server, client, change: dict[str, Any], text: str
    ) -> None:
        explained = self.explained(call, server, client, lambda i: i.update(change))
        assert explained.startswith("the text WeChat rebuilt differs in ")
        assert text in explained

    def test_counts_the_bytes_of_the_body(self, call, server, client) -> None:
        def longer(information: dict[str, Any]) -> None:
            information["sign_message_length"] += 3

        explained = self.explained(call, server, client, longer)
        assert "body: 10 bytes there, 7 bytes here" in explained

    def test_names_every_difference(self, call, server, client) -> None:
        def change(information: dict[str, Any]) -> None:
            information.update(method="GET", url="/")

        explained = self.explained(call, server, client, change)
        assert "method: GET" in explained
        assert "; url: '/'" in explained

    def test_reads_the_text_where_members_are_missing(
        self, call, server, client
    ) -> None:
        def bare(information: dict[str, Any]) -> None:
            information.clear()
            information["truncated_sign_message"] = "PUT\n/v3/pay/x?b=2\n1717225200\n"

        assert "method: PUT" in self.explained(call, server, client, bare)

    def test_blames_the_key_when_nothing_differs(self, call, server, client) -> None:
        explained = self.explained(call, server, client, lambda information: None)
        assert "key, serial_no and mchid do not belong together" in explained
        assert server.keys["merchant_serial_no"] in explained

    def test_hands_on_what_was_wrong_beside_the_signature(
        self, call, server, client
    ) -> None:
        issue = "timestamp is 400 s off"
        detail = {"field": "timestamp", "issue": issue, "sign_information": {}}
        server.will(server.plain(401, {"code": "SIGN_ERROR", "detail": detail}))
        with pytest.raises(Unauthorized) as caught:
            call(client.v3.x.get)
        assert issue in str(caught.value.explanation)

    @pytest.mark.parametrize("detail", [None, "x", {}, {"detail": {"issue": "x"}}])
    def test_says_what_to_check_when_nothing_is_shown(
        self, call, server, client, detail: Any
    ) -> None:
        server.will(server.plain(401, {"code": "SIGN_ERROR", "detail": detail}))
        with pytest.raises(Unauthorized, match="do not belong together") as caught:
            call(client.v3.x.get)
        assert server.keys["mchid"] in str(caught.value.explanation)
        assert "either something on the way" in str(caught.value.explanation)

    def test_finds_nested_information(self, call, server, client) -> None:
        detail = {"detail": {"sign_information": {"method": "PUT"}}}
        server.will(server.plain(401, {"code": "SIGN_ERROR", "detail": detail}))
        with pytest.raises(Unauthorized, match="method: PUT there, GET here"):
            call(client.v3.x.get)

    def test_asks_for_the_layer_that_signs_where_nothing_was_signed(
        self, call, server, client
    ) -> None:
        server.strict = False
        client.stack.remove("sign")
        server.will(server.plain(401, {"code": "SIGN_ERROR"}))
        with pytest.raises(Unauthorized) as caught:
            call(client.v3.x.get)
        assert "is a layer 'sign' in the stack?" in str(caught.value.explanation)

    @pytest.mark.parametrize(
        "information",
        [{"sign_message_length": "x"}, {"truncated_sign_message": 5}, {"url": None}],
    )
    def test_survives_strange_information(
        self, call, server, client, information: Any
    ) -> None:
        detail = {"sign_information": information}
        server.will(server.plain(401, {"code": "SIGN_ERROR", "detail": detail}))
        with pytest.raises(Unauthorized):
            call(client.v3.x.get)
