"""A reply is a ``requests.Response`` in both modes, and more."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Any

import pytest
import requests

from wechatpay_chain import Reply

DATA = {"order_id": "15646546545165651651", "名": [1, {"a": None}]}


@pytest.fixture
def reply(call, server, client) -> Any:
    server.will(server.signed(DATA))
    return call(client.v3.x.post, {"a": 1}, params={"b": 2})


def test_it_is_both(reply) -> None:
    assert isinstance(reply, requests.Response)
    assert isinstance(reply, Reply)


def test_it_says_what_was_decoded_and_verified(server, reply) -> None:
    assert reply.data == DATA
    assert reply["order_id"] == DATA["order_id"]
    assert "order_id" in reply
    assert "other" not in reply
    assert reply.request_id == "08D8AECBB20610BC0318B0-0"
    assert reply.verified is True
    assert reply.serial == server.public_key_id


def test_all_of_the_response_works(server, reply) -> None:
    assert reply.status_code == 200
    assert reply.ok
    assert bool(reply)
    assert reply.reason == "OK"
    assert reply.json() == DATA
    assert reply.text == reply.content.decode()
    assert b"".join(reply.iter_content(3)) == reply.content
    assert "".join(reply.iter_lines(decode_unicode=True)) == reply.text
    assert reply.headers["content-TYPE"] == "application/json"
    assert reply.headers["wechatpay-serial"] == server.public_key_id
    assert reply.encoding == "utf-8"
    assert reply.apparent_encoding
    assert reply.url == "https://api.mch.weixin.qq.com/v3/x?b=2"
    assert reply.history == []
    assert reply.elapsed.total_seconds() >= 0
    assert not reply.is_redirect
    assert list(reply.cookies) == []
    assert reply.links == {}
    assert reply.raise_for_status() is None
    assert reply.raw.read() == b""


def test_the_request_is_the_one_that_was_sent(server, reply) -> None:
    sent = reply.request
    assert isinstance(sent, requests.PreparedRequest)
    assert (sent.method, sent.url) == ("POST", reply.url)
    assert sent.body == b'{"a":1}'
    assert sent.headers["authorization"] == server.request.headers["Authorization"]


def test_it_is_shown_without_data(server, reply) -> None:
    assert repr(reply) == f"<Reply 200 verified by {server.public_key_id}>"
    assert str(reply) == f"{reply}" == repr(reply)
    assert f"{reply:>90}".endswith(f" {reply!r}")


def test_completion_knows_both(reply) -> None:
    names = dir(reply)
    assert {"data", "verified", "serial", "request_id", "save"} <= set(names)
    assert {"status_code", "json", "iter_content"} <= set(names)


@pytest.mark.parametrize(
    "again",
    [
        copy.copy,
        copy.deepcopy,
        *[lambda r, p=p: pickle.loads(pickle.dumps(r, p)) for p in range(6)],
    ],
    ids=["copy", "deepcopy", *[f"pickle-{number}" for number in range(6)]],
)
def test_a_copy_says_the_same(reply, again) -> None:
    made = again(reply)
    assert made is not reply
    assert isinstance(made, Reply)
    assert isinstance(made, requests.Response)
    for name in ("data", "verified", "serial", "request_id", "status_code", "content"):
        assert getattr(made, name) == getattr(reply, name)
    assert made.headers == reply.headers
    assert made.request.url == reply.request.url
    assert (made.text, made.json(), repr(made)) == (reply.text, DATA, repr(reply))


def test_a_deep_copy_is_on_its_own(reply) -> None:
    made = copy.deepcopy(reply)
    made.data["order_id"] = "changed"
    made.headers["Request-ID"] = "changed"
    assert reply["order_id"] == DATA["order_id"]
    assert reply.request_id != "changed"


@pytest.mark.parametrize("content", [b"", None])
def test_without_data_an_item_is_a_type_error(call, server, client, content) -> None:
    server.will(server.signed(status=204))
    reply = call(client.v3.x.post)
    assert (reply.data, reply.content, reply.text) == (None, b"", "")
    assert "order_id" not in reply
    with pytest.raises(TypeError, match="this 204 answer has no data"):
        reply["order_id"]


def test_a_missing_name_is_a_key_error(reply) -> None:
    with pytest.raises(KeyError, match="order"):
        reply["order"]


def test_a_list_is_indexed(call, server, client) -> None:
    server.will(server.signed([1, 2]))
    reply = call(client.v3.x.get)
    assert reply[1] == 2
    assert 2 in reply


def test_an_unverified_reply_says_so(call, server, client) -> None:
    server.will(server.plain(200, content=b"csv", Content_Type="text/csv"))
    reply = call(client.v3.billdownload.file.get)
    assert repr(reply) == "<Reply 200 not verified>"
    assert (reply.verified, reply.serial) == (False, None)


def test_as_a_context_manager_it_binds_itself(call, reply) -> None:
    with reply as bound:
        assert bound is reply

    async def awaited() -> None:
        async with reply as bound:
            assert bound is reply

    if call.mode == "async":
        call.wait(awaited())


class TestStreams:
    URL = "v3/billdownload/file"

    def opened(self, call: Any, server: Any, client: Any, **options: Any) -> Any:
        server.will(server.stream(b"one,two,three"))
        return call(client[self.URL].get, stream=True, **options)

    def test_come_piece_by_piece(self, call, server, client) -> None:
        reply = self.opened(call, server, client)
        assert server.streams[0].reads == 0
        assert reply.data is None

        async def awaited() -> list[bytes]:
            return [piece async for piece in reply.aiter_content(4)]

        if call.mode == "async":
            pieces = call.wait(awaited())
        else:
            pieces = list(reply.iter_content(4))
        assert len(pieces) > 1
        assert b"".join(pieces) == b"one,two,three"

    def test_a_closed_stream_is_not_an_empty_file(self, call, server, client) -> None:
        server.will(server.stream(b"one,two,three"))
        reply = call(client[self.URL].get, stream=True)
        reply.close()
        with pytest.raises(RuntimeError, match="closed before it was read"):
            _ = reply.content

        async def pieces() -> list[bytes]:
            return [piece async for piece in reply.aiter_content()]

        with pytest.raises(RuntimeError, match="closed before it was read"):
            asyncio.run(pieces())

    def test_a_sync_stream_is_read_as_a_whole(self, server, client) -> None:
        server.will(server.stream(b"one,two,three"))
        reply = client[self.URL].get(stream=True)
        assert reply.content == b"one,two,three"
        assert reply.raw.read() == b""

    def test_a_sync_stream_has_raw_bytes(self, server, client) -> None:
        server.will(server.stream(b"one,two,three"))
        reply = client[self.URL].get(stream=True)
        assert reply.raw.read() == b"one,two,three"
        assert list(reply.raw.stream(4)) == []

    def test_a_copy_of_a_sync_stream_has_read_it(self, server, client) -> None:
        server.will(server.stream(b"one,two,three"))
        reply = client[self.URL].get(stream=True)
        assert copy.deepcopy(reply).content == b"one,two,three"
        assert reply.content == b"one,two,three"

    @pytest.mark.parametrize("use", [lambda r: r.content, lambda r: r.raw.read()])
    def test_reading_an_awaited_stream_without_await_says_how(
        self, call, server, client, use
    ) -> None:
        reply = self.opened(call, server, client)
        if call.mode == "async":
            with pytest.raises(RuntimeError, match="aiter_content"):
                use(reply)
            assert server.streams[0].reads == 0
        else:
            assert use(reply) == b"one,two,three"

    @pytest.mark.parametrize("how", ["close", "with", "async with", "raw"])
    def test_closing_lets_go_of_the_connection(
        self, call, server, client, how: str
    ) -> None:
        reply = self.opened(call, server, client)

        async def awaited() -> None:
            async with reply:
                pass

        if how == "close":
            reply.close()
        elif how == "raw":
            reply.raw.close()
            reply.raw.close()
        elif how == "async with" and call.mode == "async":
            call.wait(awaited())
        else:
            with reply:
                pass
        assert server.streams[0].closed
        reply.close()

    def test_a_read_body_is_iterated_in_both_modes(self, call, reply) -> None:
        async def awaited() -> bytes:
            return b"".join([piece async for piece in reply.aiter_content(3)])

        if call.mode == "async":
            whole = call.wait(awaited())
        else:
            whole = b"".join(reply.iter_content(3))
        assert whole == reply.content

    def test_a_json_answer_is_read_and_verified_all_the_same(
        self, call, server, client
    ) -> None:
        signed = server.signed(DATA)
        server.will(server.stream(signed.content, signed))
        reply = call(client.v3.x.get, stream=True)
        assert (reply.data, reply.verified) == (DATA, True)
        assert reply.content == signed.content

    def test_without_stream_a_file_is_read_at_once(self, call, server, client) -> None:
        server.will(server.stream(b"csv"))
        reply = call(client[self.URL].get)
        assert reply.content == b"csv"
        assert reply.data is None
