"""What holds for every template, every value, every query and every body."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from key_material import options

from wechatpay_chain import WeChatPay, expression
from wechatpay_chain._uri import expand, parse, query
from wechatpay_chain.middleware import json_body

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = TEXT.filter(lambda text: text not in ("", ".", ".."))
NAMES = st.from_regex(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", fullmatch=True)


def _fits(text: str) -> bool:
    return unquote(text) not in ("", ".", "..") and "\\" not in unquote(text)


LITERALS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/?#{}\\"), min_size=1
).filter(lambda text: _fits(text) and "://" not in text)
WORDS = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]*", fullmatch=True)
SEGMENTS = st.one_of(
    LITERALS,
    WORDS,
    st.sampled_from(["get", "delete", "import", "None", "paginate_async", "chain"]),
)


@st.composite
def templates(draw: st.DrawFn) -> str:
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    parts = [draw(SEGMENTS) for _ in range(draw(st.integers(0, 4)))]
    for name in names:
        place = draw(st.integers(0, len(parts)))
        plus = draw(st.sampled_from(["", "+"]))
        parts.insert(place, f"{{{plus}{name}}}")
    root = draw(st.sampled_from(["v3", "v2", "hk/v3", "v9"]))
    return "/".join([root, *parts]) + draw(st.sampled_from(["", "/", "?a=1", "?b=/c"]))


@pytest.fixture(scope="module")
def client() -> WeChatPay:
    return WeChatPay(**options())


@settings(deadline=None)
@given(templates())
def test_an_expression_evaluates_to_its_template(
    client: WeChatPay, template: str
) -> None:
    node = eval(expression(template), {"client": client})
    assert str(node) == template
    assert node == client[template]


@settings(deadline=None)
@given(templates())
def test_items_segment_by_segment_give_the_same_node(
    client: WeChatPay, template: str
) -> None:
    path, mark, rest = template.partition("?")
    *segments, last = path.rstrip("/").split("/")
    node: Any = client
    for text in segments:
        node = node[text]
    slash = "/" if path.endswith("/") else ""
    assert node[f"{last}{slash}{mark}{rest}"] == client[template]


@settings(deadline=None)
@given(VALUES)
def test_no_value_leaves_its_segment_and_all_come_back(value: str) -> None:
    path = expand(parse("v3/{no}/cancel"), {"no": value})
    before, segment, after = path.split("/")
    assert (before, after) == ("v3", "cancel")
    assert unquote(segment, errors="strict") == value
    parts = urlsplit(f"https://api.mch.weixin.qq.com/{path}")
    assert (parts.path, parts.query, parts.fragment) == (f"/{path}", "", "")
    assert path.isascii()
    assert path.isprintable()


@settings(deadline=None)
@given(st.integers())
def test_whole_numbers_come_back(value: int) -> None:
    assert int(expand(parse("{no}"), {"no": value})) == value


@settings(deadline=None)
@given(st.lists(st.tuples(TEXT.filter(bool), TEXT)))
def test_a_query_comes_back(pairs: list[tuple[str, str]]) -> None:
    text = query(pairs)
    assert parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)) == pairs
    assert "+" not in text
    assert " " not in text


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@settings(deadline=None)
@given(JSON)
def test_a_body_is_what_its_bytes_say(value: Any) -> None:
    content = json_body.dump(value)
    assert json.loads(content) == value
    assert json_body.load(content) == value
