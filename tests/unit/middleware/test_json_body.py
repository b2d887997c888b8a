"""JSON bodies: exact bytes, and a name and place for what does not fit."""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import Any

import pytest

from wechatpay_chain import EncodeError
from wechatpay_chain.middleware import json_body


class Word(str, enum.Enum):
    A = "a"


class Number(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ({"a": [1, 2.5, True, None, "x"]}, b'{"a":[1,2.5,true,null,"x"]}'),
        ({"b": 1, "a": 2}, b'{"b":1,"a":2}'),
        ("支付\n\u2028", '"支付\\n\u2028"'.encode()),
        ((1, (2,)), b"[1,[2]]"),
        ({1: "a", None: "b", 2.5: "c"}, b'{"1":"a","null":"b","2.5":"c"}'),
        ({"a": Word.A, "b": Number.ONE}, b'{"a":"a","b":1}'),
        (None, b"null"),
    ],
)
def test_the_bytes(value: Any, content: bytes) -> None:
    assert json_body.dump(value) == content


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "json: JSON has no nan"),
        ({"ok": [1.5, None, "x"], "bad": 1j}, "json.bad: JSON cannot hold a complex"),
        ({"a": [{}, {"b": [0, b""]}]}, r"json.a\[1\].b\[1\]: JSON cannot hold a bytes"),
        ({"a": {2: {3: set()}}}, "json.a.2.3: JSON cannot hold a set"),
        ({"ok": "支付", "bad": "\udc80"}, "json.bad: a lone surrogate"),
        (MappingProxyType({"a": 1}), "json: Object of type mappingproxy"),
        ({"ok": MappingProxyType({"a": 1})}, "json: Object of type mappingproxy"),
        ({b"a": 1}, "json: a name must be text, got bytes"),
    ],
)
def test_what_does_not_fit_is_named_and_not_shown(value: Any, reason: str) -> None:
    with pytest.raises(EncodeError, match=reason) as caught:
        json_body.dump(value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_the_same_object_twice_is_no_circle() -> None:
    part = {"a": 1}
    assert json_body.dump([part, part]) == b'[{"a":1},{"a":1}]'


def test_another_name_may_head_the_place() -> None:
    with pytest.raises(EncodeError, match=r"meta\.a: "):
        json_body.dump({"a": b""}, "meta")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"nan", b"NaN", b"Infinity", b"[1,]", b"\xff", b"{'a':1}", b"1 2"],
)
def test_what_is_no_json_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is json's own
        json_body.load(content)


def test_a_byte_order_mark_is_tolerated() -> None:
    assert json_body.load(b"\xef\xbb\xbf{}") == {}
