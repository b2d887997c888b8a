"""The table of mistakes: ids are fixed, and each is found by what shows it."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wechatpay_chain import crypto
from wechatpay_chain.crypto.candidates import TABLE, candidates, search
from wechatpay_chain.crypto.request_parts import Parts, shown, without_openids

BODY = '{"b":"用户/投诉","a":[1,2.5,null],"none":null,"s":"x","o":{}}'
META = b'{"filename":"a.png"}'

PARTS = Parts(
    "POST",
    "/v3/x/Ab%7C1*2/cancel",
    "b=1%202&a=%E6%88%B7",
    "1717225200",
    "0123456789abcdefABCDEF0123456789",
    BODY.encode(),
    origin="https://api.mch.weixin.qq.com",
    fragment="top",
    whole=b"--b\r\n...",
    template="v3/x/{no}/cancel",
)
EMPTY = PARTS._replace(body=b"", query=None, path="/", method="GET", whole=b"")


def holds(text: bytes) -> Any:
    """What a signature over *text* holds."""
    digest = hashlib.sha256(text).digest()
    return lambda candidate: hashlib.sha256(candidate).digest() == digest


def found(parts: Parts, text: bytes) -> tuple[str, ...] | None:
    candidate = search(parts, holds(text))
    return None if candidate is None else candidate.ids


def test_right_text_is_that_of_the_protocol() -> None:
    assert PARTS.text() == crypto.request_message(
        "POST", PARTS.target, PARTS.timestamp, PARTS.nonce, PARTS.body
    )
    assert PARTS.target == "/v3/x/Ab%7C1*2/cancel?b=1%202&a=%E6%88%B7"
    assert EMPTY.target == "/"


#: A text that shows each mistake, as changes of the parts, or as a whole.
SHOWS: dict[str, Any] = {
    "query_left_out": {"query": None},
    "host_prefix": {"prefix": "https://api.mch.weixin.qq.com"},
    "path_decoded": {"path": "/v3/x/Ab|1*2/cancel"},
    "path_encoded_twice": {"path": "/v3/x/Ab%257C1*2/cancel"},
    "path_template": {"path": "/v3/x/{no}/cancel"},
    "path_encoded_otherwise": {"path": "/v3/x/Ab%7c1*2/cancel"},
    "path_without_slash": {"path": "v3/x/Ab%7C1*2/cancel"},
    "path_trailing_slash": {"path": "/v3/x/Ab%7C1*2/cancel/"},
    "path_beginning_left_out": {"path": "/x/Ab%7C1*2/cancel"},
    "path_lower_case": {"path": "/v3/x/ab%7c1*2/cancel"},
    "path_left_out": {"path": ""},
    "fragment_included": {"query": "b=1%202&a=%E6%88%B7#top"},
    "path_slash_doubled": {"path": "//v3/x/Ab%7C1*2/cancel"},
    "query_reordered_and_decoded": {"query": "a=户&b=1 2"},
    "query_ampersand_escaped": {"query": "b=1%202&amp;a=%E6%88%B7"},
    "url_encoded_whole": PARTS._replace(
        path="/v3/x/Ab%257C1%2A2/cancel%3Fb%3D1%25202%26a%3D%25E6%2588%25B7", query=None
    ).text(),
    "query_mark_only": {"query": ""},
    "query_decoded": {"query": "b=1 2&a=户"},
    "query_plus": {"query": "b=1+2&a=%E6%88%B7"},
    "query_encoded_otherwise": {"query": "b=1%202&a=%e6%88%b7"},
    "query_encoded_twice": {"query": "b=1%25202&a=%25E6%2588%25B7"},
    "query_reordered": {"query": "a=%E6%88%B7&b=1%202"},
    "query_shortened": {"query": "a=%E6%88%B7"},
    "body_left_out": {"body": b""},
    "body_multipart": {"body": b"--b\r\n..."},
    "body_line_ends": {"body": BODY.encode() + b"\n"},
    "body_of_query": {"body": b"b=1%202&a=%E6%88%B7"},
    "body_python": {"body": str(json.loads(BODY)).encode()},
    "body_form": {
        "body": b"b=%E7%94%A8%E6%88%B7%2F%E6%8A%95%E8%AF%89"
        b"&a=%5B1%2C+2.5%2C+None%5D&none=None&s=x&o=%7B%7D"
    },
    "body_json_twice": {"body": json.dumps(BODY, ensure_ascii=False).encode()},
    "body_without_nulls": {"body": BODY.replace('"none":null,', "").encode()},
    "body_json_upper_escapes": {
        "body": BODY.replace("用户", r"\u7528\u6237")
        .replace("投诉", r"\u6295\u8BC9")
        .encode()
    },
    "body_json_layout": {
        "body": json.dumps(json.loads(BODY), ensure_ascii=False, indent="\t").encode()
    },
    "body_json_numbers": {"body": BODY.replace("[1,", "[1.0,").encode()},
    "body_json_empty_arrays": {"body": BODY.replace("{}", "[]").encode()},
    "body_object": {"body": b"[object Object]"},
    "body_encoding": {"body": BODY.encode("latin-1", "replace")},
    "body_misread": {"body": BODY.encode().decode("latin-1").encode()},
    "body_bom": {"body": b"\xef\xbb\xbf" + BODY.encode()},
    "body_gbk": {"body": BODY.encode("gbk")},
    "body_hash": {"body": hashlib.sha256(BODY.encode()).hexdigest().encode()},
    "body_base64": {
        "body": b"eyJiIjoi55So5oi3L+aKleiviSIsImEiOlsxLDIuNSxudWxsXSwibm9uZSI6bnVsbCwi"
        b"cyI6IngiLCJvIjp7fX0="
    },
    "method_case": {"method": "post"},
    "method_other": {"method": "PUT"},
    "timestamp_other": {"timestamp": "1717225203"},
    "timestamp_left_out": {"timestamp": ""},
    "timestamp_signed_in_milliseconds": {"timestamp": "1717225200999"},
    "nonce_left_out": {"nonce": ""},
    "nonce_case": {"nonce": "0123456789abcdefabcdef0123456789"},
    "nonce_hyphens": {"nonce": "01234567-89ab-cdef-ABCD-EF0123456789"},
    "last_lf_missing": PARTS.text()[:-1],
    "body_line_missing": PARTS.text().rpartition(BODY.encode())[0],
    "lf_first": b"\n" + PARTS.text(),
    "lf_doubled": PARTS.text().replace(b"\n", b"\n\n"),
    "lines_left_out": PARTS.text().replace(PARTS.nonce.encode() + b"\n", b""),
    "lines_indented": PARTS.text()[:-1].replace(b"\n", b"\n    ") + b"\n",
    "lines_bom": b"\xef\xbb\xbf" + PARTS.text(),
    "cr": PARTS.text().replace(b"\n", b"\r"),
    "crlf": PARTS.text().replace(b"\n", b"\r\n"),
    "backslash_n": PARTS.text().replace(b"\n", rb"\n"),
    "lf_missing": PARTS.text().replace(b"\n", b""),
    "nonce_before_timestamp": PARTS._replace(
        timestamp=PARTS.nonce, nonce=PARTS.timestamp
    ).text(),
    "url_before_method": PARTS.text().replace(
        f"POST\n{PARTS.target}\n".encode(), f"{PARTS.target}\nPOST\n".encode()
    ),
    "answer_lines": crypto.response_message(PARTS.timestamp, PARTS.nonce, BODY),
    "hashed_twice": hashlib.sha256(PARTS.text()).digest(),
}
for slashes in (False, True):
    for ordered in (False, True):
        for escaped in (False, True):
            for layout, options in {
                "compact": {"separators": (",", ":")},
                "spaced": {},
                "indent2": {"indent": 2},
                "indent4": {"indent": 4},
            }.items():
                switches = {"ascii": escaped, "sorted": ordered, "slashes": slashes}
                names = ["body_json", layout, *(n for n, on in switches.items() if on)]
                text = json.dumps(
                    json.loads(BODY), ensure_ascii=escaped, sort_keys=ordered, **options
                )
                text = text.replace("/", r"\/") if slashes else text
                SHOWS["_".join(names)] = {"body": text.encode()}
del SHOWS["body_json_compact"]  # which is how it was sent: see below

#: Those that show elsewhere than in PARTS.
ELSEWHERE = {
    "body_json_compact",
    "body_json_html",
    "body_placeholder",
    "body_sent_in_gbk",
    "body_compressed",
    "lf_added",
}


@pytest.mark.parametrize("identifier", SHOWS)
def test_each_mistake_is_found_by_its_id(identifier: str) -> None:
    shows = SHOWS[identifier]
    text = shows if isinstance(shows, bytes) else PARTS._replace(**shows).text()
    assert text != PARTS.text()
    assert found(PARTS, text) == (identifier,)


@pytest.mark.parametrize(
    ("parts", "changes", "identifier"),
    [
        (EMPTY, {"body": b"{}"}, "body_placeholder"),
        (
            EMPTY._replace(body=b'{"a": 1}'),
            {"body": b'{"a":1}'},
            "body_json_compact",
        ),
        (EMPTY, {"body": b"\n"}, "lf_added"),
        (EMPTY, {"path": "/#top"}, "fragment_included"),
        (EMPTY._replace(path="/a%2fb"), {"path": "/a%2Fb"}, "path_encoded_otherwise"),
        (EMPTY._replace(path="/a%20b"), {"path": "/a b"}, "path_decoded"),
        (PARTS, {"prefix": "api.mch.weixin.qq.com"}, "host_prefix"),
        (PARTS, {"query": "b=1%202"}, "query_shortened"),
        (PARTS, {"body": b'{"b": "1 2", "a": "\xe6\x88\xb7"}'}, "body_of_query"),
        (
            EMPTY._replace(body=b"\xef\xbb\xbf{}"),
            {"body": b"{}"},
            "body_bom",
        ),
        (EMPTY._replace(body=b'{"a":1}\n'), {"body": b'{"a":1}'}, "body_line_ends"),
        (
            EMPTY._replace(body='{"a":"户"}'.encode("gbk")),
            {"body": '{"a":"户"}'.encode()},
            "body_sent_in_gbk",
        ),
        (
            EMPTY._replace(body=gzip.compress(b'{"a":1}')),
            {"body": b'{"a":1}'},
            "body_compressed",
        ),
        (
            EMPTY._replace(body=b'{"a":"<&>"}'),
            {"body": rb'{"a":"\u003c\u0026\u003e"}'},
            "body_json_html",
        ),
        (
            EMPTY._replace(body=b"""{"a":"b='c'"}"""),
            {"body": rb'{"a":"b\u003d\u0027c\u0027"}'},
            "body_json_html",
        ),
        (EMPTY._replace(body=b"[1.0]"), {"body": b"[1]"}, "body_json_numbers"),
        (
            EMPTY._replace(body=b'{"a":{"b":null}}'),
            {"body": b'{"a": {}}'},
            "body_without_nulls",
        ),
        (EMPTY._replace(body=b'{"a":1}'), {"body": b"""b'{"a":1}'"""}, "body_python"),
        (EMPTY._replace(body=b'{"a":1}'), {"body": b"{a=1}"}, "body_object"),
        (
            EMPTY._replace(body=b'{"b":1,"a":2}'),
            {"body": b"map[a:2 b:1]"},
            "body_object",
        ),
        (
            EMPTY._replace(body=b'{"a":1}'),
            {"body": hashlib.md5(b'{"a":1}').hexdigest().encode()},
            "body_hash",
        ),
        (EMPTY, {"prefix": "http://api2.mch.weixin.qq.com"}, "host_prefix"),
        (
            EMPTY._replace(query="t=1+08:00"),
            {"query": "t=1%2B08%3A00"},
            "query_encoded_otherwise",
        ),
        (
            EMPTY._replace(query="n=%E6%88%B7"),
            {"query": "n=%BB%A7"},
            "query_encoded_otherwise",
        ),
        (EMPTY._replace(query="n=5"), {"body": b'{"n":5}'}, "body_of_query"),
        (EMPTY, {"timestamp": "1717225200000"}, "timestamp_signed_in_milliseconds"),
    ],
)
def test_mistakes_that_show_in_another_request(
    parts: Parts, changes: dict[str, Any], identifier: str
) -> None:
    assert found(parts, parts._replace(**changes).text()) == (identifier,)


def test_every_id_of_the_table_has_a_test() -> None:
    ids = [mistake.id for mistake in TABLE]
    assert set(ids) == SHOWS.keys() | ELSEWHERE
    twice = {one for one in ids if ids.count(one) > 1}
    # In the query, or in the path without one; the likely values also beside another
    # mistake; a dictionary, and bytes.
    assert twice == {
        "fragment_included",
        "timestamp_other",
        "timestamp_signed_in_milliseconds",
        "body_python",
    }


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        (
            {"timestamp": "1717225201", "body": b""},
            ("body_left_out", "timestamp_other"),
        ),
        (
            {"timestamp": "1717225200000", "query": None},
            ("query_left_out", "timestamp_signed_in_milliseconds"),
        ),
        (
            {"query": None, "body": BODY.replace("[1,", "[1.0,").encode()},
            ("query_left_out", "body_json_numbers"),
        ),
    ],
)
def test_two_mistakes_of_one_program_are_found(
    changes: dict[str, Any], names: tuple[str, ...]
) -> None:
    assert found(PARTS, PARTS._replace(**changes).text()) == names


def test_two_mistakes_are_found_together() -> None:
    changes = {"query": None, "body": json.dumps(json.loads(BODY)).encode()}
    candidate = search(PARTS, holds(PARTS._replace(**changes).text()))
    assert candidate is not None
    assert candidate.ids == ("query_left_out", "body_json_spaced_ascii")
    clauses = candidate.clauses(PARTS)
    assert [clause.partition(":")[0] for clause in clauses] == ["query", "body"]
    assert "query_left_out" in repr(candidate)
    assert "query_left_out" in repr(candidate.changes[0])


def test_clauses_go_in_the_order_of_the_lines() -> None:
    text = PARTS._replace(method="post", query=None).text()
    candidate = search(PARTS, holds(text))
    assert candidate is not None
    words = [clause.partition(":")[0] for clause in candidate.clauses(PARTS)]
    assert words == ["method", "query"]


def test_one_mistake_is_tried_before_two() -> None:
    sizes = [len(candidate.changes) for candidate in candidates(PARTS)]
    assert sizes == sorted(sizes)
    assert len(sizes) > 3000
    assert all(len(c.changes) == 1 for c in candidates(PARTS, pairs=False))


def test_two_changes_are_never_of_one_part() -> None:
    for candidate in candidates(EMPTY):
        parts = [change.mistake.part for change in candidate.changes]
        assert len(set(parts)) == len(parts)


@pytest.mark.parametrize("parts", [PARTS, EMPTY])
def test_right_text_is_no_candidate(parts: Parts) -> None:
    assert search(parts, lambda text: text == parts.text()) is None


def test_search_gives_up_after_so_many_bytes() -> None:
    seen: list[int] = []
    assert search(PARTS, lambda text: bool(seen.append(len(text))), 10_000) is None
    assert sum(seen[:-1]) <= 10_000 < sum(seen)


def test_long_body_is_not_written_anew() -> None:
    body = json.dumps({"a": "x" * (1 << 18)}, separators=(",", ":")).encode()
    parts = PARTS._replace(body=body, whole=body)
    values = {
        change.mistake.id
        for candidate in candidates(parts, pairs=False)
        for change in candidate.changes
    }
    assert not {one for one in values if one.startswith("body_json")}
    assert not values & {"body_gbk", "body_json_twice", "body_python"}
    assert "body_left_out" in values


@pytest.mark.parametrize(
    "query", ["a=1" + "&a=1" * 40, "&".join(f"a{n}=1" for n in range(2000)), "&&", "="]
)
def test_long_and_strange_queries_are_survived(query: str) -> None:
    parts = EMPTY._replace(query=query)
    assert found(parts, parts._replace(query=None).text()) == ("query_left_out",)
    assert search(parts, lambda text: False, 1 << 20) is None


texts = st.text(max_size=30)
anything = st.builds(
    Parts,
    texts,
    texts,
    st.none() | texts,
    texts,
    texts,
    st.binary(max_size=40) | st.just(b"[" * 2000) | st.just(b'"\\ud800"'),
    origin=texts,
    fragment=texts,
    whole=st.binary(max_size=10),
    template=texts,
)


@given(anything)
@settings(max_examples=50, deadline=None)
def test_search_never_raises(parts: Parts) -> None:
    def no(text: bytes) -> bool:
        assert isinstance(text, bytes)
        return False

    assert search(parts, no, 1 << 18) is None
    few = tuple(mistake for mistake in TABLE if not mistake.wide)
    for candidate in candidates(parts, few, pairs=False):
        assert all(isinstance(clause, str) for clause in candidate.clauses(parts))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "none"),
        (b"secret", "6 bytes"),
        ("a=1", "'a=1'"),
        ("a=1&openid=oUpF8&b=2", "'a=1&openid=...&b=2'"),
        ("sub_openid=oUpF8", "'sub_openid=...'"),
        ("/v3/openid/oUpF8/x", "'/v3/openid/.../x'"),
        ("x" * 200, repr("x" * 120 + "...")),
    ],
)
def test_what_a_sentence_may_show(value: Any, expected: str) -> None:
    assert shown(value) == expected


def test_repr_of_parts_shows_no_body() -> None:
    assert repr(PARTS) == "<Parts of POST '/v3/x/Ab%7C1*2/cancel'>"


def test_openid_ends_where_its_line_does() -> None:
    text = "GET⏎/v3/x?sub_openid=oSECRET-1⏎1717225200⏎N0⏎"
    assert without_openids(text) == "GET⏎/v3/x?sub_openid=...⏎1717225200⏎N0⏎"
    assert without_openids("openid=oSECRET\nN0") == "openid=...\nN0"
