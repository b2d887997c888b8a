"""What is signed is what goes over the wire, to the byte, on both transports."""

from __future__ import annotations

import json
from typing import Any

import pytest

CASES = {
    "escaped tilde": ("v3/a%7Eb", {}, "/v3/a%7Eb"),
    "lower-case escape": ("v3/a?x=%3d", {}, "/v3/a?x=%3d"),
    "lower-case escape in the path": ("v3/a%2fb%e7", {}, "/v3/a%2fb%e7"),
    "space in the path": ("v3/a b", {}, "/v3/a%20b"),
    "space in a placeholder": ("v3/{no}", {"no": "a b"}, "/v3/a%20b"),
    "space in the query": ("v3/a", {"params": {"x": "a b"}}, "/v3/a?x=a%20b"),
    "plus in the query": ("v3/a", {"params": {"x": "a+b"}}, "/v3/a?x=a%2Bb"),
    "plus as it is given": ("v3/a?x=a+b", {}, "/v3/a?x=a+b"),
    "bare question mark": ("v3/a?", {}, "/v3/a?"),
    "question mark in the query": ("v3/a?x=1?2", {}, "/v3/a?x=1?2"),
    "Chinese in the path": ("v3/用户", {}, "/v3/%E7%94%A8%E6%88%B7"),
    "Chinese in a placeholder": ("v3/{no}", {"no": "单号"}, "/v3/%E5%8D%95%E5%8F%B7"),
    "Chinese in the query": (
        "v3/a",
        {"params": {"名": "值"}},
        "/v3/a?%E5%90%8D=%E5%80%BC",
    ),
    "reserved characters": ("v3/a;b,c/(d)'e!$&=:@*~", {}, "/v3/a;b,c/(d)'e!$&=:@*~"),
    "escapes in a placeholder": ("v3/{no}", {"no": "a/b%20|*"}, "/v3/a%2Fb%2520%7C*"),
    "reserved expansion": ("{+url}", {"url": "v3/a%3d?b=C/d"}, "/v3/a%3d?b=C/d"),
    "repeated names": ("v3/a", {"params": [("x", 1), ("x", 2)]}, "/v3/a?x=1&x=2"),
    "list of values": ("v3/a", {"params": {"x": ["b", "a"]}}, "/v3/a?x=b&x=a"),
    "query on a query": ("v3/a?x=1", {"params": {"y": 2}}, "/v3/a?x=1&y=2"),
    "empty value": ("v3/a", {"params": {"x": ""}}, "/v3/a?x="),
    "trailing slash": ("v3/a/", {}, "/v3/a/"),
    "unsorted query": ("v3/a?b=1&a=2&&c", {}, "/v3/a?b=1&a=2&&c"),
}


@pytest.mark.parametrize(("path", "options", "target"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("verb", ["get", "post"])
def test_the_target_on_the_wire_is_the_signed_one(
    serve: Any,
    client_of: Any,
    keys: Any,
    call: Any,
    verb: str,
    path: str,
    options: dict[str, Any],
    target: str,
) -> None:
    server = serve(lambda _: keys.signed(204))
    reply = call(getattr(client_of(server)[path], verb), **options)
    assert reply.status_code == 204
    assert reply.verified
    assert server.last.line == f"{verb.upper()} {target} HTTP/1.1".encode()
    keys.check(server.last)


BODIES: dict[str, tuple[dict[str, Any], bytes]] = {
    "no body": ({}, b""),
    "empty object": ({"json": {}}, b"{}"),
    "no spaces": ({"json": {"a": 1, "b": [1, 2.5]}}, b'{"a":1,"b":[1,2.5]}'),
    "order of the caller": ({"json": {"b": 1, "a": None}}, b'{"b":1,"a":null}'),
    "Chinese unescaped": ({"json": {"reason": "用户"}}, '{"reason":"用户"}'.encode()),
    "slashes and quotes": ({"json": {"u": 'https://x/"'}}, rb'{"u":"https://x/\""}'),
    "raw bytes": ({"data": b'{ "a" : 1 }\r\n'}, b'{ "a" : 1 }\r\n'),
    "ends in a line feed": ({"data": b'{"a":1}\n'}, b'{"a":1}\n'),
    "raw text": ({"data": "中"}, b"\xe4\xb8\xad"),
    "form": ({"data": {"a": "1 2", "b": "中"}}, b"a=1+2&b=%E4%B8%AD"),
}


@pytest.mark.parametrize("verb", ["post", "put", "patch"])
@pytest.mark.parametrize(("options", "body"), BODIES.values(), ids=BODIES)
def test_the_body_on_the_wire_is_the_signed_one(
    serve: Any,
    client_of: Any,
    keys: Any,
    call: Any,
    verb: str,
    options: dict[str, Any],
    body: bytes,
) -> None:
    server = serve(lambda _: keys.signed(204))
    call(getattr(client_of(server).v3.a, verb), **options)
    assert server.last.body == body
    assert server.last.header("Content-Length") == str(len(body))
    keys.check(server.last)


@pytest.mark.parametrize("verb", ["get", "delete"])
def test_a_query_verb_sends_no_body(
    serve: Any, client_of: Any, keys: Any, call: Any, verb: str
) -> None:
    server = serve(lambda _: keys.signed(200, {"a": 1}))
    reply = call(getattr(client_of(server).v3.a, verb), {"mchid": "1"})
    assert reply["a"] == 1
    assert server.last.line == f"{verb.upper()} /v3/a?mchid=1 HTTP/1.1".encode()
    assert server.last.body == b""
    assert not server.last.all("Transfer-Encoding")
    assert not server.last.all("Content-Type")
    keys.check(server.last)


@pytest.mark.parametrize("path", ["/gateway", "/gateway/", "/a%7Eb/c%3d"])
def test_a_path_in_the_base_url_is_signed_and_sent(
    serve: Any, client_of: Any, keys: Any, call: Any, path: str
) -> None:
    server = serve(lambda _: keys.signed(204))
    call(client_of(server.base_url + path).v3.x.get, params={"q": "1"})
    assert server.last.target == path.rstrip("/") + "/v3/x?q=1"
    keys.check(server.last)


def test_headers_are_sent_once_each_and_name_the_client(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    server = serve(lambda _: keys.signed(204))
    client = client_of(server, user_agent="shop/1 (Linux)", accept_language="zh-CN")
    call(client.v3.a.post, {"a": 1}, headers={"X-Mine": "1"})
    names = [name.lower() for name, _ in server.last.headers]
    assert len(set(names)) == len(names)
    assert server.last.header("Host") == f"127.0.0.1:{server.port}"
    assert server.last.header("User-Agent") == "shop/1 (Linux)"
    assert server.last.header("Accept") == "application/json"
    assert server.last.header("Accept-Language") == "zh-CN"
    assert server.last.header("Content-Type") == "application/json"
    assert server.last.header("X-Mine") == "1"
    assert server.last.header("Wechatpay-Serial") == keys.text("platform_public_key_id")


def test_an_upload_signs_its_meta_part_and_sends_the_file_unchanged(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    server = serve(lambda _: keys.signed(200, {"media_id": "m"}))
    # Larger than any socket buffer, and larger than aiohttp takes as plain bytes.
    content = bytes(range(256)) * 12_000
    node = client_of(server).v3.merchant.media.video_upload
    reply = call(node.post, files={"file": ("影.mp4", content)})
    assert reply["media_id"] == "m"
    assert content in server.last.body
    meta = server.last.body.split(b"\r\n\r\n", 1)[1].split(b"\r\n", 1)[0]
    assert json.loads(meta)["filename"] == "影.mp4"
    keys.check(server.last, meta)


def test_each_call_has_a_nonce_of_its_own(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    server = serve(lambda _: keys.signed(204))
    client = client_of(server)
    for _ in range(5):
        call(client.v3.a.get)
    assert len({keys.check(item)["nonce_str"] for item in server.requests}) == 5


@pytest.mark.parametrize("value", ["caf\xe9", "\xfcber\xff", "plain"])
def test_a_header_value_goes_out_alike_in_both_modes(
    serve: Any, client_of: Any, keys: Any, call: Any, value: str
) -> None:
    server = serve(lambda _: keys.signed(204))
    call(client_of(server).v3.a.post, {}, headers={"X-Name": value})
    # The server reads headers as Latin-1, so one character for each byte.
    assert server.last.header("X-Name").encode("latin-1") == value.encode()
    keys.check(server.last)
