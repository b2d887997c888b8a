"""The verbs: what is signed and sent, and what is refused before."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from wechatpay_chain import (
    ConfigurationError,
    EncodeError,
    TemplateError,
    WeChatPay,
    WeChatPayError,
)

CANCEL = "v3/payscore/serviceorder/{out_order_no}/cancel"
BODY = {"appid": "wxd678efh567hg6787", "service_id": "500001", "reason": "用户投诉"}


@pytest.fixture
def node(client: WeChatPay) -> Any:
    return client.v3.payscore.serviceorder._out_order_no_.cancel


@pytest.mark.parametrize(
    ("verb", "method"),
    [
        ("get", "GET"),
        ("post", "POST"),
        ("put", "PUT"),
        ("patch", "PATCH"),
        ("delete", "DELETE"),
    ],
)
def test_each_verb_sends_its_method_signed(call, server, client, verb, method) -> None:
    reply = call(getattr(client.v3.tomorrow, verb))
    assert server.request.method == method
    assert server.request.url == "https://api.mch.weixin.qq.com/v3/tomorrow"
    assert server.request.body == b""
    assert reply.status_code == 200
    assert reply.verified


def test_the_documented_signatures_are_made(call, server, make, vectors) -> None:
    for case in vectors["request_sign"]:
        if case["name"] == "post_json_ascii_escaped_cancel":
            continue  # another serialisation of the same object; ours is UTF-8
        client = make(nonce=lambda case=case: case["nonce_str"])
        url = case["canonical_url"]
        body = json.loads(case["body"]) if case["body"] else None
        verb = client["{+url}"].post if body else client["{+url}"].get
        server.will(server.signed({}))
        call(verb, body, url=url)
        sent = server.request
        assert sent.target == url
        assert sent.body.decode() == case["body"]
        assert server.message(sent).decode() == case["message"]
        assert server.parameters(sent)["signature"] == case["signature"]


def test_the_documented_value_is_encoded_as_one_segment(
    call, server, make, vectors
) -> None:
    cases = {case["name"]: case for case in vectors["request_sign"]}
    path = cases["post_path_param_percent_encoded"]
    client = make(nonce=lambda: path["nonce_str"])
    call(client[CANCEL].post, json.loads(path["body"]), out_order_no="ORD|20240601*01")
    assert server.message(server.request).decode() == path["message"]

    query = cases["get_query_needing_percent_encoding"]
    client = make(nonce=lambda: query["nonce_str"])
    params = {
        "out_order_no": "A|B*C_1-2",
        "service_id": "2002000000000558128851361561536",
        "appid": "wxd678efh567hg6787",
    }
    call(client.v3.payscore.serviceorder.get, params)
    assert server.message(server.request).decode() == query["message"]


def test_positional_argument_is_body_or_query(call, server, client) -> None:
    for verb in ("post", "put", "patch"):
        call(getattr(client.v3.x, verb), {"a": 1})
        assert server.request.body == b'{"a":1}'
        assert server.request.target == "/v3/x"
    for verb in ("get", "delete"):
        call(getattr(client.v3.x, verb), {"a": 1})
        assert server.request.body == b""
        assert server.request.target == "/v3/x?a=1"


def test_body_and_query_go_together(call, server, client) -> None:
    call(client.v3.x.post, {"a": 1}, params={"b": 2})
    assert (server.request.target, server.request.body) == ("/v3/x?b=2", b'{"a":1}')
    call(client.v3.x.delete, {"b": 2}, json={"a": 1})
    assert (server.request.target, server.request.body) == ("/v3/x?b=2", b'{"a":1}')
    call(client["v3/x?c=3"].get, {"b": 2})
    assert server.request.target == "/v3/x?c=3&b=2"
    call(client["v3/x?c=3"].get, {})
    assert server.request.target == "/v3/x?c=3"


@pytest.mark.parametrize("verb", ["post", "put", "patch"])
@pytest.mark.parametrize("body", [{}, [], "", 0, False])
def test_an_empty_value_is_a_body_all_the_same(
    call, server, client, verb: str, body: Any
) -> None:
    call(getattr(client.v3.x, verb), json=body)
    assert json.loads(server.request.body) == body
    assert server.request.headers["Content-Type"] == "application/json"


def test_no_body_at_all_is_allowed(call, server, client) -> None:
    call(client.v3.x.post)
    assert server.request.body == b""
    assert "Content-Type" not in server.request.headers


def test_json_is_utf8_without_spaces(call, server, node) -> None:
    call(node.post, BODY, out_order_no="1")
    assert (
        server.request.body
        == (
            '{"appid":"wxd678efh567hg6787","service_id":"500001","reason":"用户投诉"}'
        ).encode()
    )


def test_calling_a_node_is_post(server, client) -> None:
    client.v3.x({"a": 1})
    client.v3.x(json={})
    client["v3/{no}"]({"a": 1}, no="7")
    assert [request.method for request in server.requests] == ["POST"] * 3
    assert [request.body for request in server.requests] == [
        b'{"a":1}',
        b"{}",
        b'{"a":1}',
    ]


@pytest.mark.parametrize("options", [{}, {"json": None}, {"params": {"a": 1}}])
def test_calling_a_node_demands_a_body(server, client, options: Any) -> None:
    with pytest.raises(TypeError, match="v3/x posts, and needs a body"):
        client.v3.x(**options)
    assert server.requests == []


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, r"missing out_order_no; call it with out_order_no=\.\.\."),
        ({"out_oder_no": "1"}, "unknown keyword 'out_oder_no' - did you mean 'out_ord"),
        ({"out_order_no": "1", "jsn": {}}, "'jsn' - did you mean 'json'"),
        ({"out_order_no": ""}, "out_order_no is empty"),
        ({"out_order_no": "."}, "'.', a dot segment"),
        ({"out_order_no": ".."}, "'..', a dot segment"),
        ({"out_order_no": True}, "must be str or int, got bool"),
        ({"out_order_no": 1.5}, "must be str or int, got float"),
        ({"out_order_no": None}, "must be str or int, got NoneType"),
        ({"out_order_no": "1", "path": {"out_order_no": "2"}}, "out_order_no given tw"),
        ({"path": "1"}, "path= is a mapping"),
        ({"path": {"other": "1"}}, "unknown keyword 'other'"),
    ],
)
def test_a_wrong_placeholder_is_refused_before_anything_is_sent(
    call, server, node, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(TemplateError, match=reason) as caught:
        call(node.post, BODY, **values)
    assert isinstance(caught.value, TypeError)
    assert caught.value.outcome == "not_sent"
    assert CANCEL in str(caught.value)
    assert server.requests == []


def test_placeholders_that_collide_with_options_come_by_path(
    call, server, client
) -> None:
    node = client["v3/{json}/{path}/{body}/{no}"]
    call(node.post, {"a": 1}, path={"json": "j", "path": 7}, body="b", no="n")
    assert server.request.target == "/v3/j/7/b/n"
    with pytest.raises(TemplateError, match="missing json"):
        call(client["v3/{json}"].post, json="j")


def test_a_value_cannot_leave_its_segment(call, server, node) -> None:
    call(node.post, BODY, out_order_no="../../v3/pay?x=1#y")
    assert server.request.target == (
        "/v3/payscore/serviceorder/..%2F..%2Fv3%2Fpay%3Fx%3D1%23y/cancel"
    )


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"json": {}, "data": b""}, r"POST: the body is given twice \(json, data\)"),
        ({"json": {}, "xml": {}}, "json, xml"),
        ({"xml": {}, "data": b"x"}, "xml, data"),
        ({"body": {}, "json": {}}, "json, argument"),
        ({"body": {}, "data": b"x"}, "data, argument"),
        ({"body": {}, "xml": {}}, "xml, argument"),
        ({"data": b"x", "files": {"file": ("a", b"b")}}, "data, files"),
        ({"xml": {}, "files": {"file": ("a", b"b")}}, "xml, files"),
        ({"body": {}, "json": {}, "files": {"f": ("a", b"b")}}, "argument, files"),
    ],
)
def test_a_body_given_twice_is_a_type_error(
    call, server, client, options: dict[str, Any], reason: str
) -> None:
    given = {name: value for name, value in options.items() if name != "body"}
    with pytest.raises(TypeError, match=reason) as caught:
        call(client.v3.x.post, options.get("body"), **given)
    assert isinstance(caught.value, EncodeError)
    assert server.requests == []


@pytest.mark.parametrize("verb", ["get", "delete"])
def test_a_query_given_twice_is_a_type_error(call, server, client, verb: str) -> None:
    with pytest.raises(TypeError, match=f"{verb.upper()}: the query is given twice"):
        call(getattr(client.v3.x, verb), {"a": 1}, params={"b": 1})
    assert server.requests == []


@pytest.mark.parametrize(
    "params", ["a=1", 5, {"a": 1.5}, {"a": {}}, {1: "a"}, ["a"], {"a": "\ud800"}]
)
def test_a_query_that_cannot_be_is_refused(call, server, client, params: Any) -> None:
    with pytest.raises(EncodeError, match="params"):
        call(client.v3.x.get, params)
    assert server.requests == []


def _circular() -> dict[str, Any]:
    value: dict[str, Any] = {"a": {}}
    value["a"]["b"] = [value]
    return value


def _deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"amount": float("nan")}, "json.amount: JSON has no nan"),
        ({"a": [1, {"b": float("inf")}]}, r"json.a\[1\].b: JSON has no inf"),
        ({"a": Decimal("1.5")}, "json.a: JSON cannot hold a Decimal"),
        ({"a": datetime(2024, 6, 1)}, "json.a: JSON cannot hold a datetime"),
        ({"a": date(2024, 6, 1)}, "json.a: JSON cannot hold a date"),
        ({"a": (1, b"x")}, r"json.a\[1\]: JSON cannot hold a bytes"),
        ({"a": {1, 2}}, "json.a: JSON cannot hold a set"),
        ({"a": object()}, "json.a: JSON cannot hold a object"),
        ({"a": "\ud83d"}, "json.a: a lone surrogate has no UTF-8"),
        ({"\ud83d": 1}, r"json.'\\ud83d': a lone surrogate"),
        ({("a",): 1}, "json: a name must be text, got tuple"),
        (_circular(), r"json.a.b\[0\]: refers to itself"),
        (_deep(), "nested too deeply"),
        ({float("nan"): 1}, "json: "),
    ],
)
def test_a_body_that_is_no_json_is_refused_with_name_and_place(
    call, server, client, body: Any, reason: str
) -> None:
    with pytest.raises(EncodeError, match=reason) as caught:
        call(client.v3.x.post, body)
    assert caught.value.outcome == "not_sent"
    assert caught.value.request == ("POST", "https://api.mch.weixin.qq.com/v3/x")
    assert server.requests == []


@pytest.mark.parametrize(
    ("data", "content", "kind"),
    [
        (b"raw", b"raw", None),
        (bytearray(b"raw"), b"raw", None),
        (memoryview(b"raw"), b"raw", None),
        ("支付", "支付".encode(), "text/plain; charset=utf-8"),
        ({"a": "1 2", "b": [1, 2]}, b"a=1+2&b=1&b=2", None),
    ],
)
def test_data_goes_as_it_is(
    call, server, client, data: Any, content: bytes, kind: str | None
) -> None:
    call(client.v3.x.post, data=data)
    assert server.request.body == content
    if isinstance(data, dict):
        kind = "application/x-www-form-urlencoded"
    assert server.request.headers.get("Content-Type") == kind


@pytest.mark.parametrize("data", [5, object(), "\ud800", {"a": "\ud800"}, ["a"]])
def test_data_that_is_no_bytes_is_refused(call, server, client, data: Any) -> None:
    with pytest.raises(EncodeError, match="data: "):
        call(client.v3.x.post, data=data)
    assert server.requests == []


def test_xml_has_no_place_below_v3(call, server, client) -> None:
    with pytest.raises(EncodeError, match="paths below v2/ take XML fields"):
        call(client.v3.x.post, xml={"a": 1})
    assert server.requests == []


class TestHeaders:
    def test_the_defaults(self, call, server, make) -> None:
        client = make(accept_language="en", user_agent="shop/1.0")
        call(client.v3.x.get)
        headers = server.request.headers
        assert headers["Accept"] == "application/json"
        assert headers["User-Agent"] == "shop/1.0"
        assert headers["Accept-Language"] == "en"
        assert headers["Wechatpay-Serial"] == server.public_key_id

    def test_the_callers_win(self, call, server, client) -> None:
        given = {
            "accept": "*/*",
            "USER-AGENT": "mine",
            "Content-Type": "application/vnd.shop+json",
            "wechatpay-serial": "PUB_KEY_ID_9",
            "X-Own": "1",
        }
        server.will(server.signed({}))
        call(client.v3.x.post, {"a": 1}, headers=given)
        assert given.items() <= dict(server.request.headers.pairs()).items()
        names = [name.lower() for name in server.request.headers]
        assert len(set(names)) == len(names)

    @pytest.mark.parametrize("name", ["Authorization", "authorization"])
    def test_but_not_authorization(self, call, server, client, name: str) -> None:
        call(client.v3.x.get, headers={name: "mine"})
        assert server.parameters(server.request)["mchid"] == server.keys["mchid"]

    def test_pairs_are_accepted(self, call, server, client) -> None:
        call(client.v3.x.get, headers=[("X-A", "1"), ("X-A", "2")])
        assert server.request.headers["x-a"] == "1, 2"

    @pytest.mark.parametrize(
        ("headers", "reason"),
        [
            ({"X-A": "a\r\nX-B: b"}, "cannot stand in a header"),
            ({"X-A": "a\n"}, "cannot stand in a header"),
            ({"X-A": "a\0"}, "cannot stand in a header"),
            ({"X-A": "支付"}, "cannot stand in a header"),
            ({"X-A\r\n": "a"}, "cannot be a header name"),
            ({"X A": "a"}, "cannot be a header name"),
            ({"": "a"}, "cannot be a header name"),
            ({"X-A": 5}, "text expected, got int"),
            ({"X-A": None}, "text expected, got NoneType"),
            ({"X-A": b"a"}, "text expected, got bytes"),
            ({5: "a"}, r"headers\[5\]: text expected"),
            ("X-A: a", "a mapping or a list of pairs expected, got str"),
            (5, "got int"),
            (["X-A"], r"a \(name, value\) pair"),
            ([("X-A", "a", "b")], r"a \(name, value\) pair"),
            ({"Content-Length": "5"}, "the transport's own"),
            ({"transfer-encoding": "chunked"}, "the transport's own"),
            ({"Connection": "close"}, "the transport's own"),
            ({"HOST": "other"}, "the transport's own"),
        ],
    )
    def test_what_would_break_the_request_is_refused(
        self, call, server, client, headers: Any, reason: str
    ) -> None:
        with pytest.raises(EncodeError, match=reason) as caught:
            call(client.v3.x.get, headers=headers)
        assert caught.value.outcome == "not_sent"
        assert server.requests == []


class TestTimeouts:
    @pytest.mark.parametrize(
        ("timeout", "seconds"),
        [(3, (3.0, 3.0)), ((1, 2.5), (1.0, 2.5)), ([1, 2], (1, 2))],
    )
    def test_reach_the_transport(self, call, server, client, timeout, seconds) -> None:
        call(client.v3.x.get, timeout=timeout)
        assert server.request.timeout == seconds

    @pytest.mark.parametrize(
        "timeout",
        [0, -1, "5", float("nan"), float("inf"), (1,), (1, 2, 3), (1, None), True, []],
    )
    def test_that_never_end_are_refused(self, call, server, client, timeout) -> None:
        with pytest.raises(ConfigurationError, match="timeout: seconds above 0"):
            call(client.v3.x.get, timeout=timeout)
        assert server.requests == []


class TestBaseURL:
    def test_a_path_in_it_is_signed(self, call, server, make) -> None:
        client = make(base_url="https://gate.example/wx/")
        call(client.v3.x.get, {"a": 1})
        assert server.request.url == "https://gate.example/wx/v3/x?a=1"
        assert server.message(server.request).startswith(b"GET\n/wx/v3/x?a=1\n")

    def test_of_one_call(self, call, server, client) -> None:
        call(client.v3.x.get, base_url="http://127.0.0.1:8080")
        assert server.request.url == "http://127.0.0.1:8080/v3/x"
        call(client.v3.x.get)
        assert server.request.url == "https://api.mch.weixin.qq.com/v3/x"

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://h",
            "h/v3",
            "",
            "https://",
            "https://u:p@h",
            "https://h?a=1",
            "https://h:0",
            "https://h:port",
            "https://[::1",
            "https://h/a b",
            "https://h/支付",
            "//h",
            5,
            [],
        ],
    )
    def test_that_is_none_is_refused(self, call, server, client, url: Any) -> None:
        with pytest.raises(ConfigurationError, match="base_url"):
            call(client.v3.x.get, base_url=url)
        assert server.requests == []


@pytest.mark.parametrize("middleware", [lambda request: request, len])
def test_one_layer_is_no_list_of_layers(call, server, client, middleware) -> None:
    with pytest.raises(EncodeError, match="a list of layers expected"):
        call(client.v3.x.get, middleware=middleware)
    assert server.requests == []


def test_every_refusal_is_of_one_root(server, client) -> None:
    for options in ({"no": 1}, {"json": {1, 2}}, {"timeout": 0}, {"params": 5}):
        with pytest.raises(WeChatPayError):
            client.v3.x.post(**options)
    assert server.requests == []
