"""A file that was downloaded goes to the disk whole, or not at all."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain import ReadError, Response

URL = "v3/billdownload/file?token=x"
CONTENT = b"one,two,three"


@pytest.fixture
def reply(call, server, client) -> Any:
    server.will(server.stream(CONTENT))
    return call(client[URL].get, stream=True)


def test_a_stream_is_saved_and_closed(call, server, reply, tmp_path: Path) -> None:
    path = tmp_path / "bill.csv"
    call(reply.save, path)
    assert path.read_bytes() == CONTENT
    assert server.streams[0].closed
    assert os.listdir(tmp_path) == ["bill.csv"]


def test_what_is_in_memory_is_saved_too(call, server, client, tmp_path: Path) -> None:
    server.will(Response(200, {"Content-Type": "text/csv"}, CONTENT))
    call(call(client[URL].get).save, str(tmp_path / "bill.csv"))
    assert (tmp_path / "bill.csv").read_bytes() == CONTENT


@pytest.mark.parametrize("length", ["13", None, "nonsense"])
def test_progress_is_told_as_it_arrives(
    call, server, client, tmp_path: Path, length: str | None
) -> None:
    headers = {"Content-Type": "text/csv"}
    if length is not None:
        headers["Content-Length"] = length
    server.will(server.stream(CONTENT, Response(200, headers)))
    told: list[Any] = []
    reply = call(client[URL].get, stream=True)
    call(reply.save, tmp_path / "x", progress=lambda *now: told.append(now))
    total = 13 if length == "13" else None
    assert told == [(4, total), (8, total), (12, total), (13, total)]


def test_a_stream_that_breaks_leaves_the_old_file(
    call, server, reply, tmp_path: Path
) -> None:
    path = tmp_path / "bill.csv"
    path.write_bytes(b"old")
    pieces = server.streams[0]._pieces

    class Broken(list[bytes]):
        def pop(self, at: int = 0) -> bytes:
            if len(self) == 1:
                raise ReadError("cut off")
            return super().pop(at)

    server.streams[0]._pieces = Broken(pieces)
    with pytest.raises(ReadError):
        call(reply.save, path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["bill.csv"]


def test_a_new_file_has_the_permissions_that_the_user_masks(
    call, reply, tmp_path: Path
) -> None:
    before = os.umask(0o027)
    try:
        call(reply.save, tmp_path / "x")
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


def test_a_folder_that_is_not_there_is_an_error_of_the_system(
    call, reply, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        call(reply.save, tmp_path / "no" / "x")
    assert caught.value.filename == str(tmp_path / "no" / "x")


def test_what_is_no_file_is_not_replaced(call, reply, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # as a device is
    for place, kind in ((tmp_path, IsADirectoryError), ("pipe", FileExistsError)):
        with pytest.raises(kind) as caught:
            call(reply.save, tmp_path / place)
        assert caught.value.filename == str(tmp_path / place)
    assert (tmp_path / "pipe").is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


@pytest.mark.parametrize("old", [b"old", None])
def test_a_link_stays_and_what_it_leads_to_is_written(
    call, reply, tmp_path: Path, old: bytes | None
) -> None:
    target = tmp_path / "shelf" / "bill.csv"
    target.parent.mkdir()
    if old is not None:
        target.write_bytes(old)
        target.chmod(0o600)
    (tmp_path / "books").symlink_to("shelf")  # a folder by a link, too
    (tmp_path / "middle").symlink_to(tmp_path / "books" / "bill.csv")
    link = tmp_path / "link"
    link.symlink_to("middle")
    call(reply.save, link)
    assert link.is_symlink()
    assert (tmp_path / "middle").is_symlink()
    assert not target.is_symlink()
    assert target.read_bytes() == CONTENT
    assert old is None or target.stat().st_mode & 0o777 == 0o600
    assert os.listdir(target.parent) == ["bill.csv"]


@pytest.mark.parametrize("way", ["{}", "middle", "folder/{}"])
def test_a_link_to_a_descriptor_is_refused(
    call, reply, tmp_path: Path, way: str
) -> None:
    # By its number this is a regular file, as stdout is with "> file".
    with open(tmp_path / "stdout", "wb") as file:
        number = str(file.fileno())
        (tmp_path / number).symlink_to(f"/dev/fd/{number}")
        (tmp_path / "middle").symlink_to(number)
        (tmp_path / "folder").symlink_to("/dev/fd")
        link = tmp_path / way.format(number)
        with pytest.raises(FileExistsError, match="not a regular file") as caught:
            call(reply.save, link)
    assert caught.value.filename == str(link)
    assert (tmp_path / number).is_symlink()
    assert (tmp_path / "stdout").read_bytes() == b""


def test_links_in_a_circle_are_an_error_of_the_system(
    call, reply, tmp_path: Path
) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(OSError, match="links") as caught:
        call(reply.save, tmp_path / "one")
    assert caught.value.errno == errno.ELOOP


class FullDisk(io.RawIOBase):
    """Takes nothing any more."""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_keeps_nothing(
    call, reply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_full_disk(number: int, mode: str) -> Any:
        os.close(number)
        return io.BufferedWriter(FullDisk())  # fails when it is flushed, and closed

    monkeypatch.setattr(os, "fdopen", on_full_disk)
    with pytest.raises(OSError, match="No space left"):
        call(reply.save, tmp_path / "bill.csv")
    assert os.listdir(tmp_path) == []
