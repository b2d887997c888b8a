"""Uploads: the file must be the one that the signed ``meta`` describes."""

from __future__ import annotations

import json
from hashlib import md5, sha1, sha256
from typing import Any

import pytest

from wechatpay_chain import crypto
from wechatpay_chain.sandbox import Gateway

UPLOAD = "/v3/marketing/favor/media/image-upload"
BOUNDARY = "b0undary"
#: Everything that a parser of lines would change.
CONTENT = b"\r\n\x00\xff\n--b0undar\r\r\n--\n"
META = {"filename": "a.png", "sha256": sha256(CONTENT).hexdigest()}


def part(head: str, content: bytes) -> bytes:
    return b"--%b\r\n%b\r\n\r\n%b\r\n" % (BOUNDARY.encode(), head.encode(), content)


def form(
    meta: Any = META,
    content: bytes = CONTENT,
    *,
    name: str = "file",
    filename: str = "a.png",
) -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
    return b"".join(
        (
            part(
                'Content-Disposition: form-data; name="meta"', json.dumps(meta).encode()
            ),
            part(f"{head}\r\nContent-Type: image/png", content),
            f"--{BOUNDARY}--\r\n".encode(),
        )
    )


def send(
    hand: Any,
    body: bytes,
    signed: bytes | None = None,
    *,
    target: str = UPLOAD,
    kind: str = f"multipart/form-data; boundary={BOUNDARY}",
) -> Any:
    meta = body.split(b"\r\n\r\n", 1)[-1].split(b"\r\n")[0]
    message = crypto.request_message(
        "POST",
        target,
        str(int(hand.gateway.clock())),
        "n",
        meta if signed is None else signed,
    )
    return hand.gateway.handle(
        hand.request(
            "POST",
            target,
            body,
            headers={"Content-Type": kind},
            message=message,
            nonce="n",
        )
    )


def problems(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 400
    found: list[dict[str, Any]] = json.loads(response.content)["detail"]["sandbox"][
        "problems"
    ]
    return found


def test_a_file_with_its_hash_is_taken(hand: Any) -> None:
    response = send(hand, form())
    assert response.status_code == 200
    assert json.loads(response.content)["media_url"]


def test_the_client_uploads(gateway: Gateway, call: Any) -> None:
    upload = gateway.client().v3.marketing.favor.media.imageUpload.post
    assert call(upload, files={"file": ("图.png", CONTENT)}).verified


def test_another_file_than_meta_describes_is_refused(hand: Any) -> None:
    (problem,) = problems(send(hand, form(content=CONTENT + b"!")))
    assert problem["field"] == "/sha256"
    assert problem["rule"] == "file"
    assert problem["expected"] == sha256(CONTENT + b"!").hexdigest()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (form({}), "/filename"),
        (form({"sha256": META["sha256"]}), "/filename"),
        (form({"filename": "a.png"}), "/sha256"),
        (form({**META, "sha256": 7}), "/sha256"),
        (form({**META, "size": 7}), "/size"),
        (form(name="picture"), "/file"),
        (form(["filename"]), "/meta"),
        (form("no object"), "/meta"),
    ],
)
def test_what_is_wrong_with_an_upload_is_named(
    hand: Any, body: bytes, field: str
) -> None:
    assert problems(send(hand, body))[0]["field"] == field


def test_a_body_without_parts_lacks_meta(hand: Any) -> None:
    (problem,) = problems(send(hand, b"nothing", b"nothing"))
    assert problem["field"] == "/meta"


def test_a_part_without_a_name_is_refused(hand: Any) -> None:
    body = part("Content-Type: text/plain", b"x") + form()
    (problem,) = problems(send(hand, body, json.dumps(META).encode()))
    assert "without a name" in problem["issue"]


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "text/x"])
def test_another_content_type_is_named(hand: Any, kind: str) -> None:
    body = form()
    (problem,) = problems(send(hand, body, body, kind=kind))
    assert (problem["field"], problem["location"]) == ("Content-Type", "header")


def test_another_name_of_the_file_is_noted(hand: Any, gateway: Gateway) -> None:
    assert send(hand, form(filename="b.png")).status_code == 200
    (exchange,) = gateway.journal
    assert exchange.notes == [
        "/filename: the file goes by the name 'b.png', and meta says another"
    ]


FAPIAO = "/v3/new-tax-control-fapiao/fapiao-applications/upload-fapiao-file"
DIGESTS = [
    ("SHA256", sha256(CONTENT).hexdigest(), True),
    ("SHA1", sha1(CONTENT).hexdigest(), True),
    ("MD5", md5(CONTENT).hexdigest(), True),
    ("SHA256", md5(CONTENT).hexdigest(), False),
    ("SM3", "0" * 64, True),
]


@pytest.mark.parametrize(("algorithm", "digest", "holds"), DIGESTS)
def test_the_algorithm_that_meta_names_is_used(
    hand: Any, algorithm: str, digest: str, holds: bool
) -> None:
    hand.gateway.validation.silence(f"POST {FAPIAO}", "/digest_alogrithm", "enum")
    meta = {"file_type": "PDF", "digest_alogrithm": algorithm, "digest": digest}
    response = send(hand, form({**meta, "filename": "a.png"}), target=FAPIAO)
    assert (response.status_code < 300) is holds, response.content


def test_meta_is_what_is_signed(hand: Any) -> None:
    assert send(hand, form(), form()).status_code == 401
