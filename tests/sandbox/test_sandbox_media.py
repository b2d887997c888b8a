"""Uploads that a product takes: sizes, types, and images that can be had again."""

from __future__ import annotations

import re
from typing import Any

import pytest

from wechatpay_chain import APIError, Headers
from wechatpay_chain.middleware.multipart import build
from wechatpay_chain.sandbox import Gateway

MB = 1024 * 1024
PAPER, VIDEO = "v3/merchant/media/upload", "v3/merchant/media/video_upload"
FAVOR, IMAGE = (
    "v3/marketing/favor/media/image-upload",
    "v3/merchant-service/images/upload",
)
PNG = b"\x89PNG\r\n\x1a\n--\r\nnot the end\x00\xff"


@pytest.mark.parametrize(
    ("path", "name", "member"),
    [
        (PAPER, "licence.png", "media_id"),
        (PAPER, "contract.PDF", "media_id"),
        (VIDEO, "shop.mp4", "media_id"),
        (FAVOR, "coupon.jpg", "media_url"),
        (IMAGE, "proof.bmp", "media_id"),
    ],
)
def test_an_upload_answers_where_the_file_is(
    gateway: Gateway, call: Any, path: str, name: str, member: str
) -> None:
    post = gateway.client()[path].post
    first = call(post, files={"file": (name, PNG)})
    second = call(post, files={"file": (name, PNG)})
    assert first.verified
    assert first.headers["Wechatpay-Sandbox"] == "stateful"
    assert first[member] != second[member]
    assert first[member].startswith("https://") is (member == "media_url")


@pytest.mark.parametrize(
    ("path", "name", "size"),
    [
        (PAPER, "a.png", 5 * MB),
        (PAPER, "a.pdf", 15 * MB // 2),
        (VIDEO, "a.mov", 5 * MB),
        (FAVOR, "a.jpeg", 2 * MB),
        (IMAGE, "a.jpg", 2 * MB),
    ],
)
def test_a_file_may_be_as_large_as_is_documented(
    hand: Any, outcome: Any, path: str, name: str, size: int
) -> None:
    assert upload(hand, path, name, b"x" * size).status_code == 200
    for content in (b"x" * (size + 1), b""):
        response = upload(hand, path, name, content)
        assert outcome(response) == (400, "PARAM_ERROR", "parameters")


@pytest.mark.parametrize(
    ("path", "name"),
    [(PAPER, "a.gif"), (PAPER, "png"), (VIDEO, "a.png"), (FAVOR, "a.pdf")],
)
def test_a_file_of_another_type_is_refused(
    gateway: Gateway, call: Any, path: str, name: str
) -> None:
    with pytest.raises(APIError) as caught:
        call(gateway.client()[path].post, files={"file": (name, PNG)})
    (problem,) = caught.value.detail["sandbox"]["problems"]
    assert problem["field"] == "/filename"
    assert "a file of the type" in problem["issue"]


def test_a_hash_of_other_bytes_is_refused(hand: Any, outcome: Any) -> None:
    response = upload(hand, PAPER, "a.png", PNG, sha256="0" * 64)
    assert outcome(response) == (400, "PARAM_ERROR", "parameters")


def test_the_meta_part_is_what_is_signed(hand: Any, outcome: Any) -> None:
    response = upload(hand, PAPER, "a.png", PNG, whole=True)
    assert response.status_code == 401


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.png", "image/png"), ("a.JPG", "image/jpeg"), ("a.bmp", "image/bmp")],
)
def test_an_image_comes_back_as_it_went_and_unsigned(
    gateway: Gateway, call: Any, name: str, kind: str
) -> None:
    client = gateway.client()
    number = call(client[IMAGE].post, files={"file": (name, PNG)})["media_id"]
    images = client.v3.merchantService.images._media_id_
    reply = call(images.get, media_id=number)
    assert reply.content == PNG
    assert reply.headers["Content-Type"] == kind
    assert not reply.verified
    assert "Wechatpay-Signature" not in reply.headers


def test_nobody_else_has_the_image_nor_one_that_was_never_sent(
    gateway: Gateway, call: Any
) -> None:
    client = gateway.client()
    image = call(client[IMAGE].post, files={"file": ("a.png", PNG)})["media_id"]
    paper = call(client[PAPER].post, files={"file": ("a.png", PNG)})["media_id"]
    other = gateway.client(**gateway.enrol("1900000002"))
    for who, number in ((other, image), (client, paper), (client, "none")):
        get = who.v3.merchantService.images._media_id_.get
        with pytest.raises(APIError) as caught:
            call(get, media_id=number)
        assert caught.value.detail["sandbox"]["id"] == "media_unknown"


def test_without_a_file_there_is_nothing_to_take(hand: Any, outcome: Any) -> None:
    hand.gateway.validation.mode = "off"
    response = upload(hand, PAPER, "a.png", PNG, part=b"meta2")
    assert outcome(response) == (400, "PARAM_ERROR", "parameters")


def upload(
    hand: Any,
    path: str,
    name: str,
    content: bytes,
    *,
    whole: bool = False,
    part: bytes = b"",
    **meta: str,
) -> Any:
    """The answer to an upload made by hand; *whole*: all of the body is signed."""
    made = build({"file": (name, content)}, meta)
    body = made.body
    if part:  # a field, where a file should be
        field = rb'name="file"; filename="[^"]+"'
        body = re.sub(field, b'name="' + part + b'"', body)
    headers = {"Content-Type": made.content_type}
    signed = body if whole else made.meta
    request = hand.request("POST", f"/{path}", signed, headers=headers)
    return hand.gateway.handle(
        request.replace(body=body, headers=Headers(request.headers))
    )
