"""Uploads: ``multipart/form-data`` with a signed ``meta`` part (section 15)."""

from __future__ import annotations

import mimetypes
import re
import secrets
from hashlib import sha256
from typing import Any, NamedTuple

from .._shapes import binary, mapping, sequence
from ..errors import EncodeError
from . import json_body

#: What would break out of a part's header, or has no UTF-8.
_UNFIT = re.compile('["\\\\/\x00-\x1f\ud800-\udfff]')


class Upload(NamedTuple):
    """A multipart body, its content type, and the ``meta`` text that is signed."""

    body: bytes
    content_type: str
    meta: bytes


def build(files: object, extra: object, boundary: str | None = None) -> Upload:
    """Build the body of ``files={"file": (name, bytes)}``; *extra* adds to ``meta``.

    Raises ``EncodeError``.
    """
    field, name, data = _file(files)
    more = mapping({} if extra is None else extra)
    if more is None:
        raise EncodeError(f"json: meta members expected, got {type(extra).__name__}")
    members = {"filename": name, "sha256": sha256(data).hexdigest(), **more}
    meta = json_body.dump(members, "meta")
    boundary = boundary or f"wechatpay-{secrets.token_hex(16)}"
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    mark = f"--{boundary}\r\n".encode()
    head = f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
    body = b"".join(
        (
            mark,
            b'Content-Disposition: form-data; name="meta"\r\n',
            b"Content-Type: application/json\r\n\r\n",
            meta + b"\r\n",
            mark,
            head.encode(),
            f"Content-Type: {kind}\r\n\r\n".encode(),
            data + b"\r\n",
            f"--{boundary}--\r\n".encode(),
        )
    )
    return Upload(body, f"multipart/form-data; boundary={boundary}", meta)


def _file(files: Any) -> tuple[str, str, bytes]:
    given = mapping(files) or {}
    if len(given) != 1:
        raise EncodeError('files: one file expected, files={"file": (name, bytes)}')
    ((field, value),) = given.items()
    pair = sequence(value)
    if pair is None or len(pair) != 2:
        raise EncodeError(f"files[{field!r}]: a (name, bytes) pair expected")
    name, data = pair
    content = binary(data.read() if hasattr(data, "read") else data)
    if not isinstance(field, str) or not isinstance(name, str) or content is None:
        raise EncodeError(f"files[{field!r}]: a (name, bytes) pair expected")
    if not name or _UNFIT.search(f"{field}{name}"):
        raise EncodeError(f"files[{field!r}]: the file name {name!r} cannot be sent")
    return field, name, content
