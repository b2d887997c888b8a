"""Templates, their expansion, and queries."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Any

import pytest

from wechatpay_chain import EncodeError, TemplateError
from wechatpay_chain._uri import expand, from_root, parse, query, suggest


class Word(str, enum.Enum):
    A = "a b"


class Number(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("template", "values", "path"),
    [
        ("v3/x", {}, "v3/x"),
        ("v3/{no}/cancel", {"no": "ORD|20240601*01"}, "v3/ORD%7C20240601*01/cancel"),
        ("v3/{no}", {"no": 7}, "v3/7"),
        ("v3/{no}", {"no": -7}, "v3/-7"),
        ("v3/{no}", {"no": 10**30}, f"v3/1{'0' * 30}"),
        ("v3/{no}", {"no": "a/b"}, "v3/a%2Fb"),
        ("v3/{no}", {"no": "a?b#c d"}, "v3/a%3Fb%23c%20d"),
        ("v3/{no}", {"no": "%2e%2e"}, "v3/%252e%252e"),
        ("v3/{no}", {"no": "..."}, "v3/..."),
        ("v3/{no}", {"no": "支付"}, "v3/%E6%94%AF%E4%BB%98"),
        ("v3/{no}", {"no": "CaSe"}, "v3/CaSe"),
        ("v3/{no}", {"no": "{x}"}, "v3/%7Bx%7D"),
        ("v3/{no}", {"no": Word.A}, "v3/a%20b"),
        ("v3/{no}", {"no": Number.ONE}, "v3/1"),
        ("v3/{a}-{b}", {"a": 1, "b": 2}, "v3/1-2"),
        ("v3/支付 x", {}, "v3/%E6%94%AF%E4%BB%98%20x"),
        ("v3/%7C%", {}, "v3/%7C%25"),
        ("v3/x?a=%2f&b={b}", {"b": "&="}, "v3/x?a=%2f&b=%26%3D"),
        ("v3/x/", {}, "v3/x/"),
        ("{+url}", {"url": "v3/a?token=%7c&t=1"}, "v3/a?token=%7c&t=1"),
        ("{+url}", {"url": "/v3/a"}, "v3/a"),
        ("{+url}", {"url": "v3/a b|c"}, "v3/a%20b%7Cc"),
        ("{+url}", {"url": "v3/x?to=https://example.com/"}, None),
        ("v3/{+rest}/end", {"rest": "a/b"}, "v3/a/b/end"),
        ("{+url}", {"url": "v3/{x}"}, "v3/%7Bx%7D"),
        ("{+url}", {"url": "v3/a#b"}, "v3/a%23b"),
    ],
)
def test_expansion(template: str, values: dict[str, Any], path: str | None) -> None:
    expected = values["url"] if path is None else path
    assert expand(parse(template), values) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "no is empty"),
        (".", "dot segment"),
        ("..", "dot segment"),
        (True, "must be str or int, got bool"),
        (1.5, "must be str or int, got float"),
        (None, "must be str or int, got NoneType"),
        (b"x", "must be str or int, got bytes"),
        (Decimal(1), "must be str or int, got Decimal"),
        (["x"], "must be str or int, got list"),
        ("\ud800", "lone surrogate"),
    ],
)
def test_a_value_that_is_no_segment_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(TemplateError, match=reason) as caught:
        expand(parse("v3/{no}/cancel"), {"no": value})
    assert "v3/{no}/cancel" in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "../x",
        "a/../b",
        "a/%2e%2e/b",
        "a/.",
        "//other.example/x",
        "a//b",
        "https://other.example/x",
        "/",
        "",
        "a\\b",
        "\udfff",
        True,
        None,
    ],
)
def test_reserved_expansion_stays_below_the_base(value: Any) -> None:
    with pytest.raises(TemplateError):
        expand(parse("{+url}"), {"url": value})


def test_a_dot_segment_made_of_two_parts_is_refused() -> None:
    with pytest.raises(TemplateError, match="expands to"):
        expand(parse("v3/.{+x}"), {"x": "./y"})


def test_every_missing_name_is_named() -> None:
    with pytest.raises(TemplateError, match=r"missing a, b; call it with a=\.\.\., b="):
        expand(parse("v3/{a}/{b}/{c}"), {"c": 1})


def test_an_unknown_name_is_answered_with_a_suggestion() -> None:
    with pytest.raises(TemplateError) as caught:
        expand(parse("v3/{out_order_no}"), {"out_oder_no": "1"}, ["json"])
    assert "unknown keyword 'out_oder_no' - did you mean 'out_order_no'?" in str(
        caught.value
    )


def test_options_are_suggested_too() -> None:
    with pytest.raises(TemplateError, match=r"did you mean 'json'\?.*none"):
        expand(parse("v3/x"), {"jsn": {}}, ["json", "params"])


def test_nothing_near_is_not_suggested() -> None:
    assert suggest("zzz", ["json"]) == ""


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({}, ""),
        ({"a": "1", "b": 2}, "a=1&b=2"),
        ({"a": None, "b": ""}, "b="),
        ({"a": True, "b": False}, "a=true&b=false"),
        ({"a": [1, "x", None, True]}, "a=1&a=x&a=true"),
        ({"a": ("x",)}, "a=x"),
        ([("a", "1"), ("a", "2"), ["b", 3]], "a=1&a=2&b=3"),
        ({"a b": "c d+e/f"}, "a%20b=c%20d%2Be%2Ff"),
        ({"no": "A|B*C_1-2"}, "no=A%7CB*C_1-2"),
        ({"名": "值"}, "%E5%90%8D=%E5%80%BC"),
        ({"a": Word.A, "b": Number.ONE}, "a=a%20b&b=1"),
    ],
)
def test_a_query_is_encoded_once(params: Any, text: str) -> None:
    assert query(params) == text


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("https://h", "x/y"),
        ("https://h/hk", "hk/x/y"),
        ("https://h/wx/v3", "v3/x/y"),
        ("https://h/hk/v3", "hk/v3/x/y"),
        ("https://h/global", "x/y"),
        ("https://hk", "x/y"),
        ("https://v3", "x/y"),
    ],
)
def test_a_base_may_hold_the_beginning_of_a_path(base: str, path: str) -> None:
    assert from_root(base, "x/y") == path


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ("a=1", "a mapping or a list of pairs expected, got str"),
        (b"a=1", "got bytes"),
        (5, "got int"),
        ({"a"}, "got set"),
        (["a"], "each item of the list"),
        ([("a", "b", "c")], "each item of the list"),
        ({1: "a"}, "a name must be text, got 1"),
        ({"": "a"}, "a name must be text"),
        ({"a": 1.5}, r"params\['a'\]: str, int or bool expected, got float"),
        ({"a": {"b": 1}}, "got dict"),
        ({"a": [["b"]]}, "got list"),
        ({"a": b"b"}, "got bytes"),
        ({"a": "\ud800"}, r"params\['a'\]: a lone surrogate"),
        ({"\ud800": "a"}, "a lone surrogate"),
    ],
)
def test_a_query_that_cannot_be_is_refused(params: Any, reason: str) -> None:
    with pytest.raises(EncodeError, match=reason):
        query(params)
