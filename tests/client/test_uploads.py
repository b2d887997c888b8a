"""Uploads: ``meta`` is built and signed, the multipart stream is not."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain import ConnectError, EncodeError

PATH = "v3/merchant/media/upload"


def test_the_documented_upload(call, server, make, vectors) -> None:
    case = vectors["media_upload"]
    client = make(nonce=lambda: case["nonce_str"])
    data = b64decode(case["file_base64"])
    server.will({"media_id": "m1"})
    reply = call(client[PATH].post, files={"file": ("file_test.png", data)})
    assert reply["media_id"] == "m1"
    meta, file = server.parts(server.request)
    assert meta[1].decode() == case["meta"] == case["body"]
    assert "Content-Type: application/json" in meta[0]
    assert 'name="meta"' in meta[0]
    assert file[1] == data
    assert 'name="file"; filename="file_test.png"' in file[0]
    assert "Content-Type: image/png" in file[0]
    assert server.message(server.request).decode() == case["message"]
    assert server.parameters(server.request)["signature"] == case["signature"]


@pytest.mark.parametrize("how", ["json", "argument"])
def test_json_adds_members_to_meta(call, server, client, how: str) -> None:
    extra = {"bank_type": "CMB", "名": 1}
    files = {"file": ("表.pdf", b"%PDF")}
    if how == "json":
        call(client[PATH].post, json=extra, files=files)
    else:
        call(client[PATH].post, extra, files=files)
    assert json.loads(server.parts(server.request)[0][1]) == {
        "filename": "表.pdf",
        "sha256": sha256(b"%PDF").hexdigest(),
        **extra,
    }


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO])
def test_the_file_is_anything_that_holds_bytes(call, server, client, kind) -> None:
    call(client[PATH].post, files={"file": ("a.unknown", kind(b"raw"))})
    head, content = server.parts(server.request)[1]
    assert content == b"raw"
    assert "Content-Type: application/octet-stream" in head


@pytest.mark.parametrize("how", ["text", "path", "open", "named path"])
def test_the_file_is_a_path_or_an_open_file(
    call, server, client, tmp_path: Path, how: str
) -> None:
    path = tmp_path / "shop.jpg"
    path.write_bytes(b"raw")
    with path.open("rb") as file:
        forms = {
            "text": str(path),
            "path": path,
            "open": file,
            "named path": ("shop.jpg", path),
        }
        call(client[PATH].post, files={"file": forms[how]})
    (_, meta), (head, content) = server.parts(server.request)
    assert content == b"raw"
    assert json.loads(meta)["filename"] == "shop.jpg"
    assert 'filename="shop.jpg"' in head
    assert "Content-Type: image/jpeg" in head


MB = 1024 * 1024


@pytest.mark.parametrize(
    ("path", "name", "limit"),
    [
        (PATH, "a.png", 5 * MB),
        (PATH, "a.pdf", 7 * MB + MB // 2),
        ("v3/merchant/media/video_upload", "a.mp4", 5 * MB),
    ],
)
@pytest.mark.parametrize("on_disk", [True, False])
def test_what_is_larger_than_the_endpoint_takes_is_not_sent(
    call, server, client, tmp_path: Path, path: str, name: str, limit: int, on_disk
) -> None:
    def given(size: int) -> Any:
        if not on_disk:
            return name, bytes(size)
        (tmp_path / name).write_bytes(bytes(size))
        return tmp_path / name

    call(client[path].post, files={"file": given(limit)})
    with pytest.raises(EncodeError, match=f"{limit + 1} bytes, this endpoint takes at"):
        call(client[path].post, files={"file": given(limit + 1)})
    assert len(server.requests) == 1


def test_another_endpoint_has_no_limit_that_is_known(call, server, client) -> None:
    files = {"file": ("a.png", bytes(9 * MB))}
    call(client["v3/marketing/favor/media/image-upload"].post, files=files)
    assert len(server.parts(server.request)[1][1]) == 9 * MB


def test_bytes_that_look_like_the_boundary_do_no_harm(call, server, client) -> None:
    data = b"\r\n--wechatpay-\r\n\r\n--\r\n"
    call(client[PATH].post, files={"image": ["a.bin", data]})
    head, content = server.parts(server.request)[1]
    assert content == data
    assert 'name="image"' in head


@pytest.mark.parametrize(
    "given", ["multipart/form-data", "multipart/form-data; boundary=mine", "text/plain"]
)
def test_a_content_type_set_by_hand_does_not_lose_the_boundary(
    call, server, client, given: str
) -> None:
    headers = {"content-type": given}
    call(client[PATH].post, files={"file": ("a.png", b"x")}, headers=headers)
    assert len(server.parts(server.request)) == 2


def test_a_retry_sends_the_same_bytes(call, server, client) -> None:
    server.will(ConnectError("no route"))
    call(client[PATH].post, files={"file": ("a.png", io.BytesIO(b"x"))})
    first, second = server.requests
    assert first.body == second.body
    assert first.headers["Authorization"] != second.headers["Authorization"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "one file expected"),
        ([], "one file expected"),
        ("file", "one file expected"),
        ({"a": ("a", b""), "b": ("b", b"")}, "one file expected"),
        ({"file": b"raw"}, r"files\['file'\]: a path, a file object with a name, or"),
        ({"file": io.BytesIO(b"raw")}, "a path, a file object with a name, or"),
        ({"file": "no/such/file.png"}, "cannot read file.png: No such file"),
        ({"file": Path("/")}, "the file name '' cannot be sent"),
        ({"file": ("a", Path("/"))}, "cannot read a: Is a directory"),
        ({"file": ("a",)}, "pair expected"),
        ({"file": ("a", b"", "image/png")}, "pair expected"),
        ({"file": ("a", "text")}, "pair expected"),
        ({"file": (5, b"")}, "pair expected"),
        ({"file": ("a", io.StringIO("text"))}, "pair expected"),
        ({5: ("a", b"")}, "pair expected"),
        ({"file": ("", b"")}, "the file name '' cannot be sent"),
        ({"file": ('a"b', b"")}, "cannot be sent"),
        ({"file": ("a\r\nb", b"")}, "cannot be sent"),
        ({"file": ("../a", b"")}, "cannot be sent"),
        ({"file": ("a\\b", b"")}, "cannot be sent"),
        ({"file": ("\ud800", b"")}, "cannot be sent"),
        ({'fi"le': ("a", b"")}, "cannot be sent"),
    ],
)
def test_what_is_no_file_is_refused(
    call, server, client, files: Any, reason: str
) -> None:
    with pytest.raises(EncodeError, match=reason):
        call(client[PATH].post, files=files)
    assert server.requests == []


@pytest.mark.parametrize(
    ("extra", "reason"),
    [([1], "json: meta members expected, got list"), ({"a": {1}}, "meta.a: JSON")],
)
def test_what_cannot_be_meta_is_refused(
    call, server, client, extra: Any, reason: str
) -> None:
    with pytest.raises(EncodeError, match=reason):
        call(client[PATH].post, json=extra, files={"file": ("a", b"")})
    assert server.requests == []
