"""Uploads: ``multipart/form-data`` whose part ``meta`` is signed (protocol section 15).

Parsed as the bytes came, since the hash in ``meta`` is that of the bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..._messages import Request
from ..._shapes import mapping
from ...catalogue.model import Field, Operation
from ..refusals import Problem, parameters
from ..routing import File
from .parsing import parse_json

_BOUNDARY = re.compile(r'(?i)\bboundary="?([^";,]+)')
_NAME = re.compile(rb'(?i)[; ]name="?([^";\r\n]*)')
_FILE = re.compile(rb'(?i)[; ]filename="?([^";\r\n]*)')

#: Members of ``meta`` that hold a hash of the file, and the hash where none is named.
_HASHES = {
    "sha256": "sha256",
    "file_digest": "sha256",
    "digest": "sha256",
    "media_hash": "md5",
}
#: Members that name the hash; one of these names is a slip of the documents'.
_ALGORITHMS = ("digest_algorithm", "digest_alogrithm")


class Parts(NamedTuple):
    """What an upload holds."""

    meta: Mapping[str, Any]
    files: Mapping[str, File]


def meta_of(operation: Operation) -> Field:
    """What ``meta`` of an upload holds."""
    parts = (operation.body or Field()).fields or {}
    return parts.get("meta", Field()).content or Field("object")


def parse(request: Request) -> Parts:
    """The parts of an upload. Raises :class:`Refusal` for what is none."""
    meta: Any = None
    files: dict[str, File] = {}
    for name, filename, content in _parts(request):
        if name == "meta":
            meta = content
        elif filename is not None:
            files[name] = File(filename, content)
    if meta is None:
        raise _refused("/meta", "the part meta is required, and missing")
    members = mapping(parse_json(meta))
    if members is None:
        raise _refused("/meta", "a JSON object expected")
    return Parts(members, files)


def form(request: Request) -> tuple[dict[str, str], dict[str, File]]:
    """Fields and files of an upload of APIv2, which has no ``meta``.

    Raises :class:`Refusal` for what is none.
    """
    fields: dict[str, str] = {}
    files: dict[str, File] = {}
    for name, filename, content in _parts(request):
        if filename is None:
            fields[name] = _text(content)
        else:
            files[name] = File(filename, content)
    return fields, files


def _parts(request: Request) -> Iterator[tuple[str, str | None, bytes]]:
    """Name, file name and content of each part."""
    kind = request.headers.get("Content-Type", "")
    found = _BOUNDARY.search(kind)
    if found is None or not kind.lower().startswith("multipart/form-data"):
        issue = "multipart/form-data with a boundary expected"
        raise _refused("Content-Type", issue, "header")
    for head, content in _split(request.body, found[1]):
        name, filename = _NAME.search(head), _FILE.search(head)
        if name is None:
            raise _refused("/", "a part without a name")
        file = None if filename is None else _text(filename[1])
        yield _text(name[1]), file, content


def _refused(field: str, issue: str, location: str = "body") -> Exception:
    return parameters([Problem(field, issue, location=location)])


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _split(body: bytes, boundary: str) -> Iterator[tuple[bytes, bytes]]:
    """Head and content of each part: a boundary stands at the beginning of a line."""
    mark = b"\r\n--" + boundary.encode("utf-8", "replace")
    for part in (b"\r\n" + body).split(mark)[1:]:
        if part.startswith(b"--"):
            return
        head, gap, content = part.partition(b"\r\n\r\n")
        if gap:
            yield head, content


def problems(operation: Operation, given: Parts) -> Iterator[Problem]:
    """What is wrong with the file, and with what ``meta`` says of it."""
    parts = (operation.body or Field()).fields or {}
    wanted = next((name for name, one in parts.items() if one.type == "file"), "file")
    file = given.files.get(wanted)
    if file is None:
        got = ", ".join(given.files) or "no file"
        issue = f"a file in the part {wanted} expected, got {got}"
        yield Problem(f"/{wanted}", issue, rule="file", got=got, expected=wanted)
        return
    yield from _hash_problems(given.meta, file)
    name = given.meta.get("filename")
    if isinstance(name, str) and name != file.name:
        issue = f"the file goes by the name {file.name!r:.64}, and meta says another"
        yield Problem("/filename", issue, name, rule="file", sure=False)


def _hash_problems(meta: Mapping[str, Any], file: File) -> Iterator[Problem]:
    named = str(next((meta[one] for one in _ALGORITHMS if one in meta), ""))
    for name, usual in _HASHES.items():
        value = meta.get(name)
        if not isinstance(value, str):
            continue
        algorithm = usual
        if named and name == "digest":
            algorithm = named.lower().rpartition("_")[2].replace("-", "")
        made = _digest(algorithm, file.content)
        if made is not None and made != value.lower():
            issue = f"the {algorithm.upper()} of the file is {made}"
            yield Problem(f"/{name}", issue, value, rule="file", expected=made)


def _digest(algorithm: str, content: bytes) -> str | None:
    """The hash in lower hex; ``None`` for one that cannot be made here, such as SM3."""
    if algorithm not in ("md5", "sha1", "sha256"):
        return None
    return hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
