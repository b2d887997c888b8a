"""Uploads: ``multipart/form-data`` with a signed ``meta`` part (section 15)."""

from __future__ import annotations

import mimetypes
import os
import re
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, cast

from .._shapes import binary, mapping, sequence
from ..errors import EncodeError
from . import json_body

#: What would break out of a part's header, or has no UTF-8.
_UNFIT = re.compile('["\\\\/\x00-\x1f\ud800-\udfff]')


_MB = 1024 * 1024
#: The most bytes that a route takes, of pictures and films, and of documents: the
#: largest number that its documents give. What is larger is not read, nor sent.
LIMITS: dict[str, tuple[float, float]] = {
    "/v3/merchant/media/upload": (5 * _MB, 7.5 * _MB),
    "/v3/merchant/media/video_upload": (5 * _MB, 5 * _MB),
}

_FORMS = "a path, a file object with a name, or a (name, bytes) pair"


class Upload(NamedTuple):
    """A multipart body, its content type, and the ``meta`` text that is signed."""

    body: bytes
    content_type: str
    meta: bytes


def build(
    files: object, extra: object, boundary: str | None = None, *, route: str = ""
) -> Upload:
    """Build the body of ``files={"file": (name, bytes)}``; *extra* adds to ``meta``.

    The file may be a path or an open file as well. *route* is where it goes, which may
    have a limit. Raises ``EncodeError``.
    """
    field, name, data = _file(files, route)
    more = mapping({} if extra is None else extra)
    if more is None:
        raise EncodeError(f"json: meta members expected, got {type(extra).__name__}")
    members = {"filename": name, "sha256": sha256(data).hexdigest(), **more}
    meta = json_body.dump(members, "meta")
    boundary = boundary or _boundary()
    body = b"".join(
        (
            _part(boundary, "meta", meta, kind="application/json"),
            _part(boundary, field, data, name, _type(name)),
            _end(boundary),
        )
    )
    return Upload(body, f"multipart/form-data; boundary={boundary}", meta)


def build_form(files: object, fields: Mapping[str, str]) -> Upload:
    """The same for APIv2, which has no ``meta``: *fields* are parts of their own.

    Raises ``EncodeError``.
    """
    field, name, data = _file(files, "")
    boundary = _boundary()
    parts = [_part(boundary, one, text.encode()) for one, text in fields.items()]
    parts.append(_part(boundary, field, data, name, _type(name)))
    body = b"".join((*parts, _end(boundary)))
    return Upload(body, f"multipart/form-data; boundary={boundary}", b"")


def _boundary() -> str:
    return f"wechatpay-{secrets.token_hex(16)}"


def _type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _part(
    boundary: str, field: str, data: bytes, name: str | None = None, kind: str = ""
) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"'
    if name is not None:
        head += f'; filename="{name}"'
    if kind:
        head += f"\r\nContent-Type: {kind}"
    return head.encode() + b"\r\n\r\n" + data + b"\r\n"


def _end(boundary: str) -> bytes:
    return f"--{boundary}--\r\n".encode()


def _file(files: Any, route: str) -> tuple[str, str, bytes]:
    """Field, file name and content."""
    given = mapping(files) or {}
    if len(given) != 1:
        raise EncodeError('files: one file expected, files={"file": (name, bytes)}')
    ((field, value),) = given.items()
    if not isinstance(field, str):
        raise EncodeError(f"files[{field!r}]: {_FORMS} expected")
    name, content = _named(value)
    if not isinstance(name, str):
        raise EncodeError(f"files[{field!r}]: {_FORMS} expected")
    if not name or _UNFIT.search(f"{field}{name}"):
        raise EncodeError(f"files[{field!r}]: the file name {name!r} cannot be sent")
    return field, name, _read(field, name, content, route)


def _named(value: Any) -> tuple[object, object]:
    """The name that a file goes by, and what holds its bytes."""
    pair = sequence(value)
    if pair is not None:
        return (pair[0], pair[1]) if len(pair) == 2 else (None, None)
    if isinstance(value, (str, os.PathLike)):
        path = Path(os.fsdecode(cast("os.PathLike[str]", value))).expanduser()
        return path.name, path
    name = getattr(value, "name", None)  # of an open file; a descriptor has a number
    return (os.path.basename(name) if isinstance(name, str) else None), value


def _read(field: str, name: str, source: Any, route: str) -> bytes:
    """The content, unless it is larger than *route* takes."""
    pictures, documents = LIMITS.get(route, (None, None))
    limit = documents if name.lower().endswith(".pdf") else pictures
    try:
        if isinstance(source, os.PathLike):
            path = Path(os.fsdecode(cast("os.PathLike[str]", source))).expanduser()
            _check_size(field, path.stat().st_size, limit)
            source = path.read_bytes()
        elif hasattr(source, "read"):
            source = source.read()
    except OSError as error:
        raise EncodeError(
            f"files[{field!r}]: cannot read {name}: {error.strerror}"
        ) from error
    content = binary(source)
    if content is None:
        raise EncodeError(f"files[{field!r}]: {_FORMS} expected")
    _check_size(field, len(content), limit)
    return content


def _check_size(field: str, size: int, limit: float | None) -> None:
    if limit is not None and size > limit:
        raise EncodeError(
            f"files[{field!r}]: {size} bytes, this endpoint takes at most "
            f"{limit / _MB:g} MB"
        )
