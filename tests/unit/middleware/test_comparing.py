"""In what two versions of a request differ, with names and lengths but no values."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain.crypto.request_parts import Parts
from wechatpay_chain.middleware.comparing import sent_and_rebuilt, signed_and_sent
from wechatpay_chain.middleware.evidence import Rebuilt

PARTS = Parts("POST", "/v3/x", "a=1", "1717225200", "N0nce", b'{"a":"secret"}')


def test_what_is_the_same_has_no_difference() -> None:
    assert signed_and_sent(PARTS, PARTS) == []


@pytest.mark.parametrize(
    ("changes", "clauses"),
    [
        ({"method": "PUT"}, ["method: 'POST' was signed, 'PUT' was sent"]),
        (
            {"timestamp": "1717225201"},
            ["timestamp: '1717225200' was signed, '1717225201' was sent"],
        ),
        ({"nonce": "x"}, ["nonce: 'N0nce' was signed, 'x' was sent"]),
        ({"query": None}, ["query: 'a=1' was signed, none was sent"]),
        ({"query": ""}, ["query: 'a=1' was signed, '' was sent"]),
        ({"path": "/y"}, ["url: '/v3/x?a=1' was signed, '/y?a=1' was sent"]),
        (
            {"method": "PUT", "query": "a=2"},
            [
                "method: 'POST' was signed, 'PUT' was sent",
                "query: 'a=1' was signed, 'a=2' was sent",
            ],
        ),
    ],
)
def test_each_part_has_a_clause(changes: dict[str, Any], clauses: list[str]) -> None:
    assert signed_and_sent(PARTS, PARTS._replace(**changes)) == clauses


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (b'{"a": "secret"}', ", the same JSON written anew"),
        (b'{"a":"SECRET"}', "; 'a' changed"),
        (b'{"a":"secret","b":1}', "; 'b' added"),
        (b"{}", "; 'a' left out"),
        (b'{"b":1,"c":2}', "; 'b', 'c' added; 'a' left out"),
        (b'{"\xe7\x94\xa8":1,"a":"secret"}', r"; '\u7528' added"),
        (
            b'{"a":"secret","1":1,"2":1,"3":1,"4":1,"5":1,"6":1}',
            "; '1', '2', '3', '4', '5' and 1 more added",
        ),
        (b"[1]", ""),
        (b"not JSON", ""),
        (b"", ""),
        (b"[" * 2000, ""),
    ],
)
def test_bodies_differ_by_length_and_names(body: bytes, more: str) -> None:
    (clause,) = signed_and_sent(PARTS, PARTS._replace(body=body))
    assert clause == f"body: 14 bytes were signed, {len(body)} bytes were sent{more}"
    assert "secret" not in clause.lower()


def test_what_wechat_rebuilt_alike_has_no_difference() -> None:
    size = len(PARTS.text())
    there = Rebuilt("POST", "/v3/x?a=1", "1717225200", "N0", size)
    assert sent_and_rebuilt(PARTS, there) == []
    assert sent_and_rebuilt(PARTS, Rebuilt()) == []


def test_length_in_characters_is_no_difference() -> None:
    """Whether bytes or characters are counted is not documented."""
    parts = PARTS._replace(body="用户".encode())
    size = len(parts.text().decode())
    assert sent_and_rebuilt(parts, Rebuilt(length=size)) == []
    assert sent_and_rebuilt(parts, Rebuilt(length=len(parts.text()))) == []
    assert sent_and_rebuilt(parts, Rebuilt(length=size - 1)) != []


@pytest.mark.parametrize(
    ("there", "clause"),
    [
        (Rebuilt("PUT"), "method: PUT there, POST here"),
        (Rebuilt(target="/v3/x"), "query: left out there, 'a=1' here"),
        (Rebuilt(target="/y?a=1"), "url: '/y?a=1' there, '/v3/x?a=1' here"),
        (Rebuilt(timestamp="17"), "timestamp: 17 there, 1717225200 here"),
        (Rebuilt(nonce="x"), "nonce: 'x' there, 'N0nce' here"),
        (Rebuilt(length=50), "body: 17 bytes there, 14 bytes here"),
    ],
)
def test_each_part_that_wechat_rebuilt_otherwise(there: Rebuilt, clause: str) -> None:
    assert sent_and_rebuilt(PARTS, there) == [clause]


def test_length_tells_of_the_body_only_where_all_else_is_the_same() -> None:
    clauses = sent_and_rebuilt(PARTS, Rebuilt("PUT", length=9))
    assert clauses == ["method: PUT there, POST here"]
