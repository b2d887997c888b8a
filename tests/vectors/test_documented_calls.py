"""The documented messages and signatures, through a client, in both modes."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from base64 import b64decode
from typing import Any
from urllib.parse import urlsplit

import pytest
from documented import (
    KEYS,
    MERCHANT,
    PUBLIC,
    REFUSALS,
    VECTORS,
    named,
    parameters,
)

from wechatpay_chain import WeChatPay, crypto
from wechatpay_chain.errors import (
    APIError,
    SignatureError,
)
from wechatpay_chain.middleware import Headers, Request, Response
from wechatpay_chain.transports.memory import AsyncMemoryTransport, MemoryTransport


class World:
    """A client at the moment of the vectors; the answer is set by the test."""

    def __init__(self, **options: Any) -> None:
        self.now = 1717225200.0
        self.nonce = "unset"
        self.requests: list[Request] = []
        self.answer = Response(204)
        self.client = WeChatPay(
            mchid=KEYS["mchid"],
            serial=KEYS["merchant_serial_no"],
            private_key=MERCHANT,
            certs=PUBLIC,
            apiv3_key=KEYS["apiv3_key"],
            secret=KEYS["apiv2_key"],
            clock=lambda: self.now,
            nonce=lambda: self.nonce,
            transport=MemoryTransport(self.receive),
            async_transport=AsyncMemoryTransport(self.receive),
            **{"retry": 1, **options},
        )

    def receive(self, request: Request) -> Response:
        self.requests.append(request)
        return self.answer

    def answers(self, vector: dict[str, Any], status: int) -> None:
        kind = "application/json" if vector["body"].startswith("{") else "text/csv"
        headers = {**vector["headers"], "Content-Type": kind}
        self.answer = Response(status, Headers(headers), vector["body"].encode())


def authorized(request: Request) -> dict[str, str]:
    return parameters(request.headers["Authorization"])


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    "vector",
    # The answer of a bill download is not signed: see below.
    [v for v in VECTORS["request_sign"] if v["name"] != "bill_download"],
    ids=lambda v: v["name"],
)
def test_a_client_signs_the_bytes_it_sends(
    world: World, call: Any, vector: dict[str, str]
) -> None:
    world.nonce = vector["nonce_str"]
    node = world.client["{+target}"]
    options: dict[str, Any] = {"target": vector["canonical_url"][1:]}
    if vector["body"]:
        # As bytes, so that both spellings of the same object are what they are.
        options["data"] = vector["body"].encode()
        options["headers"] = {"Content-Type": "application/json"}
    with pytest.raises(SignatureError):  # the answer here is not signed
        call(node.post if vector["method"] == "POST" else node.get, **options)
    (request,) = world.requests
    assert request.target == vector["canonical_url"]
    assert request.body == vector["body"].encode()
    assert authorized(request) == parameters(vector["authorization"])


def test_a_client_writes_json_as_raw_utf_8(world: World, call: Any) -> None:
    (vector,) = [
        v for v in VECTORS["request_sign"] if v["name"] == "post_json_utf8_cancel"
    ]
    world.nonce = vector["nonce_str"]
    cancel = world.client.v3.payscore.serviceorder._out_order_no_.cancel
    with pytest.raises(SignatureError):
        call(
            cancel.post, json.loads(vector["body"]), out_order_no="2304203423948239423"
        )
    (request,) = world.requests
    assert request.body == vector["body"].encode()
    assert authorized(request) == parameters(vector["authorization"])


def test_a_client_signs_the_meta_part_of_an_upload(world: World, call: Any) -> None:
    vector = VECTORS["media_upload"]
    world.nonce = vector["nonce_str"]
    content = b64decode(vector["file_base64"])
    assert hashlib.sha256(content).hexdigest() == vector["file_sha256"]
    with pytest.raises(SignatureError):
        call(
            world.client.v3.merchant.media.upload.post,
            files={"file": ("file_test.png", content)},
        )
    (request,) = world.requests
    assert request.target == vector["canonical_url"]
    assert request.signing_body == vector["meta"].encode()
    assert authorized(request) == parameters(vector["authorization"])
    assert vector["meta"].encode() in request.body
    assert content in request.body


@named("response_verify")
def test_a_client_judges_responses_as_documented(
    world: World, call: Any, vector: dict[str, Any]
) -> None:
    world.now = float(vector["evaluate_at"])
    world.answers(vector, 200 if vector["body"] else 204)
    is_statement = "Wechatpay-Statement-Sha1" in vector["headers"]
    path = "v3/global/statements" if is_statement else "v3/payscore/serviceorder"
    node = world.client[path]
    if vector["valid"]:
        reply = call(node.get)
        assert reply.verified
        assert reply.serial == vector["headers"]["Wechatpay-Serial"]
        assert reply.request_id == vector["headers"]["Request-ID"]
        assert reply.content == vector["body"].encode()
    else:
        with pytest.raises(REFUSALS[vector["name"]]) as caught:
            call(node.get)
        assert caught.value.outcome == "unknown"
        assert caught.value.request is not None


def test_a_client_downloads_the_platform_certificates(call: Any) -> None:
    vector = VECTORS["certificates"]
    world = World()
    client = world.client.with_options(certs=crypto.KeyRing())
    world.answers(vector, 200)
    reply = call(client.v3.certificates.get)
    assert set(client.keys) == set(vector["expected"])
    assert reply.verified
    assert reply.serial == vector["headers"]["Wechatpay-Serial"]


def test_a_client_signs_fields_as_published(world: World, call: Any) -> None:
    vector = VECTORS["v2_sign"][1]
    fields = {**vector["params"], "sign_type": "HMAC-SHA256"}
    refusal = b"<xml><return_code>FAIL</return_code></xml>"
    world.answer = Response(200, Headers({"Content-Type": "text/xml"}), refusal)
    with pytest.raises(APIError):
        call(world.client.v2.pay.unifiedorder.post, fields)
    (request,) = world.requests
    sent = dict(re.findall(r"<(\w+)>(?:<!\[CDATA\[)?([^<\]]*)", request.body.decode()))
    assert sent.pop("sign") == crypto.sign_hmac(fields, KEYS["apiv2_key"])
    assert {name: sent[name] for name in fields} == fields


def test_the_hash_of_a_bill_is_that_of_the_plain_csv() -> None:
    vector = VECTORS["bill"]
    plain = gzip.decompress(b64decode(vector["gzip_body_base64"]))
    assert plain.decode() == vector["plain_csv"]
    answer = vector["apply_response"]
    assert hashlib.sha1(plain).hexdigest() == answer["hash_value"]


def test_a_client_downloads_a_bill_unverified(world: World, call: Any) -> None:
    vector = VECTORS["bill"]
    (signed,) = [v for v in VECTORS["request_sign"] if v["name"] == "bill_download"]
    world.nonce = signed["nonce_str"]
    packed = b64decode(vector["gzip_body_base64"])
    world.answer = Response(200, Headers({"Content-Type": "text/plain"}), packed)
    url = urlsplit(vector["apply_response"]["download_url"])
    node = world.client["{+target}"]
    reply = call(node.get, target=f"{url.path}?{url.query}"[1:])
    assert reply.content == packed
    assert not reply.verified
    (request,) = world.requests
    assert authorized(request) == parameters(signed["authorization"])
