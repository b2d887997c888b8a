"""Whose answer is this? (signature headers, clock, keys, routes that are not signed)"""

from __future__ import annotations

import gzip
from hashlib import sha1
from typing import Any

import pytest

from wechatpay_chain import (
    APIError,
    ClockSkew,
    InvalidSignature,
    MissingHeaders,
    SignatureError,
    UnknownSerial,
)

SCHEME = "WECHATPAY2-SHA256-RSA2048"


@pytest.fixture
def client(make) -> Any:
    """A client that asks once."""
    return make(retry=1)


@pytest.fixture
def both_kinds(server, make) -> Any:
    """A client that asks once and holds the public key and both certificates."""
    keys = server.keys
    return make(
        retry=1,
        certs={
            server.old_serial: keys["platform_cert_old_pem"],
            server.public_key_id: keys["platform_public_key_pem"],
            server.new_serial.lower(): keys["platform_cert_new_pem"],
        },
    )


def test_the_documented_answers(call, server, both_kinds, vectors) -> None:
    for case in vectors["response_verify"]:
        overseas = case["name"].startswith("overseas")
        node = both_kinds["v3/global/statements" if overseas else "v3/x"]
        server.now = float(case["evaluate_at"])
        status = 200 if case["body"] else 204
        content = case["body"].encode()
        server.will(server.plain(status, content=content, **case["headers"]))
        if case["valid"]:
            reply = call(node.get)
            assert reply.verified
            assert reply.serial == case["headers"]["Wechatpay-Serial"]
            assert reply.content == content
        else:
            with pytest.raises(SignatureError) as caught:
                call(node.get)
            assert caught.value.outcome == "unknown"
            assert caught.value.serial == case["headers"]["Wechatpay-Serial"]
            assert caught.value.timestamp == case["headers"]["Wechatpay-Timestamp"]


@pytest.mark.parametrize("name", ["Timestamp", "Nonce", "Serial", "Signature"])
@pytest.mark.parametrize("value", [None, ""])
def test_each_of_the_four_headers_is_needed(
    call, server, client, name: str, value: str | None
) -> None:
    header = f"Wechatpay-{name}"
    server.will(server.signed({"a": 1}, headers={header: value}))
    with pytest.raises(MissingHeaders, match=f"{header} missing") as caught:
        call(client.v3.x.get)
    assert caught.value.outcome == "unknown"
    assert caught.value.request == ("GET", "https://api.mch.weixin.qq.com/v3/x")


def test_every_missing_header_is_named(call, server, client) -> None:
    server.will(server.plain(200, {"a": 1}))
    with pytest.raises(MissingHeaders) as caught:
        call(client.v3.x.get)
    for name in ("Timestamp", "Nonce", "Serial", "Signature"):
        assert f"Wechatpay-{name}" in str(caught.value)
    assert (caught.value.serial, caught.value.timestamp) == (None, None)


@pytest.mark.parametrize("skew", [0, 299, 300, -300])
def test_a_clock_within_300_whole_seconds_is_accepted(
    call, server, client, skew: int
) -> None:
    server.will(server.signed({"a": 1}, at=server.now - skew))
    server.now += 0.9
    assert call(client.v3.x.get).verified


@pytest.mark.parametrize(
    ("skew", "word"), [(301, "301 s ahead"), (-301, "301 s behind"), (9e8, "ahead")]
)
def test_a_clock_further_off_is_refused_both_ways(
    call, server, client, skew: float, word: str
) -> None:
    server.will(server.signed({"a": 1}, at=server.now - skew))
    with pytest.raises(ClockSkew, match=word) as caught:
        call(client.v3.x.get)
    assert caught.value.outcome == "unknown"
    assert "set the clock by NTP" in str(caught.value)


@pytest.mark.parametrize(
    "timestamp", ["now", "1e9", "-5", " 1717225200", "17" * 20, "٣"]
)
def test_a_timestamp_that_is_none_is_invalid(
    call, server, client, timestamp: str
) -> None:
    answer = server.signed({"a": 1}, headers={"Wechatpay-Timestamp": timestamp})
    server.will(answer)
    with pytest.raises(InvalidSignature, match="is not Unix seconds"):
        call(client.v3.x.get)


def test_a_far_timestamp_is_shown_all_the_same(call, server, client) -> None:
    server.will(
        server.signed({"a": 1}, headers={"Wechatpay-Timestamp": "999999999999"})
    )
    with pytest.raises(ClockSkew, match="999999999999 s"):
        call(client.v3.x.get)


def test_an_absent_signature_type_is_the_usual_one(call, server, client) -> None:
    server.will(server.signed({"a": 1}, headers={"Wechatpay-Signature-Type": None}))
    assert call(client.v3.x.get).verified


@pytest.mark.parametrize("kind", ["WECHATPAY2-SM2-WITH-SM3", "", SCHEME.lower()])
def test_an_unknown_signature_type_is_invalid(call, server, client, kind: str) -> None:
    server.will(server.signed({"a": 1}, headers={"Wechatpay-Signature-Type": kind}))
    with pytest.raises(InvalidSignature, match="unknown signature type"):
        call(client.v3.x.get)


@pytest.mark.parametrize("serial", ["PUB_KEY_ID_9", "00AB", "nonsense", "é"])
def test_an_unknown_serial_fails_and_nothing_is_downloaded(
    call, server, client, serial: str
) -> None:
    server.will(server.signed({"a": 1}, headers={"Wechatpay-Serial": serial}))
    with pytest.raises(UnknownSerial, match="not among the keys") as caught:
        call(client.v3.x.get)
    assert caught.value.serial == serial
    assert caught.value.outcome == "unknown"
    assert server.public_key_id in str(caught.value)
    assert len(server.requests) == 1


def test_several_keys_live_at_once_chosen_by_serial(call, server, both_kinds) -> None:
    for serial in (server.new_serial, server.public_key_id, server.old_serial):
        server.will(server.signed({"a": 1}, serial=serial))
        assert call(both_kinds.v3.x.get).serial == serial
    swapped = {"Wechatpay-Serial": server.new_serial}
    server.will(server.signed({"a": 1}, serial=server.old_serial, headers=swapped))
    with pytest.raises(InvalidSignature):
        call(both_kinds.v3.x.get)


def test_an_expired_certificate_is_refused(call, server, make) -> None:
    pem = server.keys["platform_cert_old_pem"]
    client = make(certs={server.old_serial: pem})
    server.signs_with = server.old_serial
    assert call(client.v3.x.get).verified
    server.now = 1748736000 + 1  # 2025-06-01, the end of its validity
    with pytest.raises(UnknownSerial, match="has expired"):
        call(client.v3.x.get)


def test_serials_compare_without_case(call, server, make) -> None:
    client = make(
        certs={server.new_serial.lower(): server.keys["platform_cert_new_pem"]}
    )
    for serial in (server.new_serial, server.new_serial.lower()):
        headers = {"Wechatpay-Serial": serial}
        server.will(server.signed({}, serial=server.new_serial, headers=headers))
        assert call(client.v3.x.get).serial == serial


def test_204_is_verified_over_the_empty_body(call, server, client) -> None:
    server.will(server.signed(status=204), server.plain(204))
    reply = call(client.v3.x.post, {})
    assert (reply.status_code, reply.data, reply.verified) == (204, None, True)
    with pytest.raises(MissingHeaders):
        call(client.v3.x.post, {})


@pytest.mark.parametrize(
    "signature",
    [
        "WECHATPAY/SIGNTEST/YlCHRpPJdE5M+6n61brHGnzWpboJrF",
        "not base64!",
        "AAAA",
        "=",
        "é",
        "\udc80",
    ],
)
def test_a_probe_is_an_invalid_signature_and_nothing_else(
    call, server, client, signature: str
) -> None:
    server.will(server.signed({"a": 1}, headers={"Wechatpay-Signature": signature}))
    with pytest.raises(InvalidSignature) as caught:
        call(client.v3.x.get)
    assert caught.value.outcome == "unknown"
    assert len(server.requests) == 1


@pytest.mark.parametrize("nonce", ["other", "\udc80", "支付"])
def test_a_changed_nonce_is_an_invalid_signature(call, server, client, nonce) -> None:
    server.will(server.signed({"a": 1}, headers={"Wechatpay-Nonce": nonce}))
    with pytest.raises(InvalidSignature):
        call(client.v3.x.get)


@pytest.mark.parametrize("content", [b'{"a":2}', b'{"a": 1} ', b""])
def test_the_bytes_as_received_are_verified(call, server, client, content) -> None:
    server.will(server.signed(content=content, covers=b'{"a": 1}'))
    with pytest.raises(InvalidSignature):
        call(client.v3.x.get)


class TestUnsigned:
    @pytest.mark.parametrize(
        "path",
        [
            "v3/billdownload/file?token=abc&tartype=gzip",
            "v3/merchant-service/images/ChsyMDgyMDIwMQ%3D%3D",
            "v3/merchant-service/images/uploads",
            "v3/global/merchant-service/images/abc",
            "v3/transferdownload/elecvoucherfile?token=abc",
            "v3/transferdownload/signfile?token=abc",
            "v3/new-tax-control-fapiao/download?token=abc",
        ],
    )
    def test_each_route_is_taken_as_it_comes(self, call, server, client, path) -> None:
        server.will(server.plain(200, content=b"\x00raw", Content_Type="image/png"))
        reply = call(client["{+path}"].get, path={"path": path})
        assert (reply.content, reply.data) == (b"\x00raw", None)
        assert not reply.verified
        assert reply.serial is None

    def test_below_a_base_with_a_path_too(self, call, server, make) -> None:
        client = make(base_url="http://127.0.0.1:9/gate")
        server.will(server.plain(200, content=b"raw"))
        assert call(client.v3.billdownload.file.get, {"token": "t"}).content == b"raw"

    @pytest.mark.parametrize(
        "path",
        [
            "v3/merchant-service/images/upload",
            "v3/global/merchant-service/images/upload",
            "v3/billdownload/files",
            "v3/billdownload/file/more",
            "v3/merchant-service/images/a/b",
            "v3/x?next=/v3/billdownload/file",
            "gate/v3/billdownload/file",
        ],
    )
    def test_its_neighbours_are_verified(self, call, server, client, path) -> None:
        server.will(server.plain(200, {"media_id": "x"}))
        with pytest.raises(MissingHeaders):
            call(client["{+path}"].post, {}, path={"path": path})

    def test_a_value_cannot_make_a_route_unsigned(self, call, server, client) -> None:
        server.will(server.plain(200, {"a": 1}))
        with pytest.raises(MissingHeaders):
            call(client["v3/{no}"].get, no="billdownload/file")


class TestOverseasStatement:
    CSV = "交易时间,商户号\r\n`2024-06-01,`1900007291\r\n".encode()

    def answer(self, server: Any, content: bytes, digest: str) -> Any:
        return server.signed(
            content=content,
            covers=b'{"sha1":"%b"}' % digest.encode("utf-8", "replace"),
            headers={"Wechatpay-Statement-Sha1": digest, "Content-Type": "text/csv"},
        )

    @pytest.mark.parametrize("path", ["hk/v3/statements", "v3/global/statements"])
    @pytest.mark.parametrize("pack", [bytes, gzip.compress])
    def test_its_hash_is_signed(self, call, server, client, path, pack) -> None:
        content = pack(self.CSV)
        server.will(self.answer(server, content, sha1(self.CSV).hexdigest()))
        reply = call(client[path].get, {"date": "20240601"})
        assert reply.verified
        assert (reply.content, reply.data) == (content, None)

    @pytest.mark.parametrize(
        "content",
        [
            CSV + b"x",
            gzip.compress(CSV + b"x"),
            gzip.compress(CSV)[:-4],
            gzip.compress(CSV)[:20],
            b"\x1f\x8b\x08\x00broken",
            b"\x1f\x8b",
            b"",
        ],
        ids=["plain", "gzip", "no tail", "cut", "broken", "mark only", "empty"],
    )
    def test_another_content_is_refused(self, call, server, client, content) -> None:
        server.will(self.answer(server, content, sha1(self.CSV).hexdigest()))
        with pytest.raises(InvalidSignature, match="the statement's SHA-1") as caught:
            call(client.v3.global_.statements.get)
        assert caught.value.outcome == "unknown"
        assert caught.value.serial == server.public_key_id

    @pytest.mark.parametrize("digest", ["", "é", "\udc80", "0" * 40])
    def test_another_hash_is_refused(self, call, server, client, digest) -> None:
        server.will(self.answer(server, self.CSV, digest))
        with pytest.raises(InvalidSignature):
            call(client.v3.global_.statements.get)

    def test_a_hash_that_was_not_signed_is_refused(self, call, server, client) -> None:
        answer = self.answer(server, b"forged", sha1(self.CSV).hexdigest())
        forged = {"Wechatpay-Statement-Sha1": sha1(b"forged").hexdigest()}
        server.will(answer.replace(headers=answer.headers.merge(forged)))
        with pytest.raises(InvalidSignature, match="does not match"):
            call(client.v3.global_.statements.get)

    def test_the_hash_counts_only_on_these_routes(self, call, server, client) -> None:
        server.will(self.answer(server, self.CSV, sha1(self.CSV).hexdigest()))
        with pytest.raises(InvalidSignature):
            call(client.v3.statements.get)


@pytest.mark.parametrize("status", [302, 400, 401, 404, 429, 500, 502])
def test_an_error_answer_is_not_verified(call, server, client, status: int) -> None:
    wrong = {"Wechatpay-Signature": "WECHATPAY/SIGNTEST/x"}
    server.will(server.signed({"code": "X"}, status=status, headers=wrong))
    with pytest.raises(APIError) as caught:
        call(client.v3.x.get)
    assert caught.value.status_code == status
    assert not caught.value.response.verified


class TestRequestHeader:
    def test_names_the_public_key_on_every_request(
        self, call, server, both_kinds
    ) -> None:
        call(both_kinds.v3.x.get)
        call(both_kinds.v3.x.post, {})
        call(both_kinds.v3.x.post, files={"file": ("a.png", b"x")})
        assert [r.headers["Wechatpay-Serial"] for r in server.requests] == [
            server.public_key_id
        ] * 3

    def test_names_nothing_in_certificate_mode(self, call, server, make) -> None:
        client = make(certs={server.new_serial: server.keys["platform_cert_new_pem"]})
        server.signs_with = server.new_serial
        call(client.v3.x.get)
        assert "Wechatpay-Serial" not in server.request.headers
        call(client.v3.x.get, headers={"Wechatpay-Serial": server.new_serial})
        assert server.request.headers["Wechatpay-Serial"] == server.new_serial
