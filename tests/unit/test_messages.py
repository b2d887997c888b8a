"""Requests, responses and headers are values."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from wechatpay_chain import Headers, Request, Response
from wechatpay_chain.catalogue import find
from wechatpay_chain.middleware import Body


class TestHeaders:
    def test_names_compare_without_case_and_keep_their_spelling(self) -> None:
        headers = Headers({"Content-Type": "a"})
        assert headers["CONTENT-TYPE"] == headers.get("content-type") == "a"
        assert "cOntent-type" in headers
        assert 5 not in headers
        assert list(headers) == ["Content-Type"]
        assert len(headers) == 1
        with pytest.raises(KeyError):
            headers["x"]

    def test_a_repeated_name_is_one_list(self) -> None:
        headers = Headers([("X-A", "1"), ("x-a", "2")])
        assert list(headers.pairs()) == [("x-a", "1, 2")]

    def test_changes_give_new_headers(self) -> None:
        headers = Headers({"A": "1", "B": "2"})
        assert dict(headers.merge({"a": "3"})) == {"a": "3", "B": "2"}
        assert dict(headers.merge([("C", "4")]).without("A", "b")) == {"C": "4"}
        assert dict(headers) == {"A": "1", "B": "2"}

    def test_equal_as_mappings(self) -> None:
        assert Headers({"A": "1"}) == Headers([("A", "1")]) == {"A": "1"}

    def test_shown_without_values(self) -> None:
        shown = repr(Headers({"Authorization": "signature"}))
        assert shown == "<Headers Authorization>"


@pytest.mark.parametrize(
    ("url", "target", "path"),
    [
        ("http://h/v3/x?a=1", "/v3/x?a=1", "/v3/x"),
        ("http://h/", "/", "/"),
        ("http://h", "/", "/"),
        ("https://h:1/a?b=/c", "/a?b=/c", "/a"),
    ],
)
def test_the_target_is_path_and_query(url: str, target: str, path: str) -> None:
    request = Request("GET", url)
    assert (request.target, request.path) == (target, path)


@pytest.mark.parametrize(
    ("url", "base", "route"),
    [
        ("http://h/gate/v3/x?a=1", "http://h/gate", "/v3/x"),
        ("http://h/gate", "http://h/gate", "/"),
        ("http://h/v3/x", "http://other", "/v3/x"),
        ("http://h/v3/x", "", "/v3/x"),
    ],
)
def test_the_route_is_the_path_below_the_base(url: str, base: str, route: str) -> None:
    assert Request("GET", url, base_url=base).route == route


def test_a_request_is_changed_by_copying() -> None:
    request = Request("POST", "http://h/v3/x", body=b"a", signing_body=b"b")
    changed = request.with_header("X", "1").with_headers({"Y": "2"})
    assert dict(changed.headers) == {"X": "1", "Y": "2"}
    assert dict(request.headers) == {}
    assert request.replace(method="PUT").method == "PUT"
    with pytest.raises(FrozenInstanceError):
        request.method = "GET"  # type: ignore[misc]


def test_headers_may_be_given_as_a_mapping() -> None:
    request = Request("GET", "http://h/", {"A": "1"})  # type: ignore[arg-type]
    assert request.with_header("b", "2").headers["B"] == "2"
    changed = request.replace(headers={**request.headers, "C": "3"})
    assert changed.with_header("D", "4").headers["c"] == "3"
    response = Response(200).replace(headers={"A": "1"}, body=b"hi")
    assert (response.headers["a"], response.content) == ("1", b"hi")


@pytest.mark.parametrize("value", [Request("GET", "http://h/"), Response(200)])
def test_an_unknown_field_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="has no field bdy, urls"):
        value.replace(urls="", bdy=b"")


def test_another_body_drops_what_was_signed_in_its_place() -> None:
    request = Request("POST", "http://h/v3/x", body=b"a", signing_body=b"b")
    plain = request.with_body(b"c")
    assert (plain.body, plain.signing_body) == (b"c", None)
    assert "Content-Type" not in plain.headers
    assert request.with_body(b"c", "a/b").headers["Content-Type"] == "a/b"


def test_what_is_shown_of_a_request_is_no_secret() -> None:
    request = Request("GET", "http://h/v3/x", Headers({"Authorization": "s"}), b"body")
    assert repr(request) == "<Request GET http://h/v3/x>"
    assert str(request.sent()) == "GET http://h/v3/x"


@pytest.mark.parametrize("status", [199, 200, 204, 299, 300, 404, 500])
def test_ok_is_2xx(status: int) -> None:
    assert Response(status).ok is (200 <= status < 300)


@pytest.mark.parametrize("body", [b"hi", bytearray(b"hi"), Body(b"hi")])
def test_a_response_is_easily_made(body: Any) -> None:
    response = Response(200, {"Request-ID": "7"}, body)
    assert response.content == b"hi"
    assert response.headers["request-id"] == response.request_id == "7"
    assert repr(response) == "<Response 200>"


def test_an_unread_body_says_how_to_read_it() -> None:
    with pytest.raises(RuntimeError, match="yield from read"):
        Response(200, body=Body(None)).content


def test_a_copy_shares_its_body() -> None:
    response = Response(200, body=Body(None))
    copy = response.replace(data=1)
    response.body.content = b"read"
    assert copy.content == b"read"


def test_another_method_or_template_is_another_operation() -> None:
    operation = find("POST", "v3/pay/transactions/native")
    request = Request("POST", "https://h/v3/x", operation=operation, params={"a": 1})
    assert request.replace(url="https://h/v3/y").operation is operation
    for changes in ({"method": "GET"}, {"template": "v3/certificates"}):
        other = request.replace(**changes)
        assert other.operation is None
        assert other.params is None
    given = request.replace(template="v3/y", operation=operation)
    assert given.operation is operation
