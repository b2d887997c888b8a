"""The layers ``encode`` and ``decode`` of APIv3.

``encode`` is outside ``retry``, so that the bytes are fixed once; ``decode`` is outside
``verify``, so that only what was verified is parsed.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from .._flow import Flow, read
from .._messages import Headers, Payload, Request, Response
from .._shapes import binary, mapping
from ..errors import DecodeError, EncodeError
from . import json_body, multipart
from .verifying import is_statement, is_unsigned

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
#: Framing belongs to the transport: a wrong one would smuggle a second request.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "host"})

_JSON = "application/json"


class Encoder:
    """Sets the default headers and turns the caller's body into bytes."""

    name = "encode"

    def __init__(self, defaults: Headers) -> None:
        self._defaults = defaults
        self._json_defaults = defaults.merge((("Content-Type", _JSON),))

    def __call__(self, request: Request) -> Flow[Response]:
        given = request.headers
        check_headers(given)
        payload = request.payload
        changes: dict[str, Any]
        if payload is None:
            changes = {"headers": self._defaults.merge(given.pairs())}
        elif payload.kind == "json" and payload.files is None:
            headers = self._json_defaults
            changes = {
                "headers": headers.merge(given.pairs()) if len(given) else headers,
                "body": json_body.dump(payload.value),
                "payload": None,
            }
        else:
            content_type, changes = _encode(payload, request.route)
            headers = self._defaults.merge(given.pairs())
            # The caller's wins, but for an upload: only ours names the boundary.
            free = "Content-Type" not in headers or "signing_body" in changes
            if content_type and free:
                headers = headers.merge((("Content-Type", content_type),))
            changes.update(headers=headers, payload=None)
        response: Response = yield request.replace(**changes)
        return response


def check_headers(headers: Headers) -> None:
    """Refuse what would break out of a header. Raises ``EncodeError``."""
    for name, value in headers.pairs():
        if not _NAME.fullmatch(name):
            raise EncodeError(f"headers: {name!r} cannot be a header name")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise EncodeError(f"headers[{name!r}]: the value cannot stand in a header")
        if name.lower() in _FRAMING:
            raise EncodeError(f"headers[{name!r}]: this header is the transport's own")


def _encode(payload: Payload, route: str) -> tuple[str | None, dict[str, Any]]:
    if payload.files is not None:
        upload = multipart.build(payload.files, payload.value, route=route)
        return upload.content_type, {"body": upload.body, "signing_body": upload.meta}
    return raw(payload.value)


def raw(value: object) -> tuple[str | None, dict[str, Any]]:
    """The body that ``data=`` gives: bytes or text as they are, a mapping as a form."""
    content = binary(value)
    if content is not None:
        return None, {"body": content}
    try:
        if isinstance(value, str):
            return "text/plain; charset=utf-8", {"body": value.encode()}
        fields = mapping(value)
        if fields is not None:
            form = urlencode(fields, doseq=True).encode()
            return "application/x-www-form-urlencoded", {"body": form}
    except UnicodeEncodeError:
        raise EncodeError("data: a lone surrogate has no UTF-8") from None
    raise EncodeError(
        "data: bytes, str or a mapping of form fields expected, got "
        f"{type(value).__name__}"
    )


class Decoder:
    """Parses JSON by content type into ``response.data``; ``None`` for no body."""

    name = "decode"

    def __call__(self, request: Request) -> Flow[Response]:
        response: Response = yield request
        if not response.ok:
            return response.replace(data=json_body.lenient((yield from read(response))))
        if _is_file(request, response):
            return response
        content = response.body.content  # "verify" has read it
        if content is None:
            content = yield from read(response)
        return response.replace(data=_strict(request, response, content))


def _is_file(request: Request, response: Response) -> bool:
    """Whether success is a file, whose bytes the caller takes as they come."""
    if is_unsigned(request) or is_statement(request):
        return True
    kind = response.headers.get("Content-Type", "")
    return not _is_json(kind) and (request.stream or not _wants_json(request))


def _wants_json(request: Request) -> bool:
    return "json" in request.headers.get("Accept", "")


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == _JSON or kind.endswith("+json")


def _strict(request: Request, response: Response, content: bytes) -> Any:
    if not content:
        return None
    kind = response.headers.get("Content-Type", _JSON)
    if not _is_json(kind):
        raise DecodeError(
            f"{request.method} {request.template or request.path}: JSON expected, the "
            f"answer is {kind!r}; for a file pass headers={{'Accept': '*/*'}} or "
            "stream=True"
        )
    try:
        return json_body.load(content)
    except ValueError as error:
        raise DecodeError(
            f"{request.method} {request.template or request.path}: the answer says "
            f"{kind!r} but is not: {error}"
        ) from None
