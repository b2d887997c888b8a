"""A door for a plain ``requests.Session``, and so for every SDK that stands on one."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from ..._messages import Headers, Request, Response
from ...errors import ConnectError, ConnectTimeout, ReadTimeout, TransportError
from .reasons import reason

if TYPE_CHECKING:
    from ..gateway import Gateway

#: How requests calls what may break on a line; the first that fits counts.
_FAILURES: tuple[tuple[type[TransportError], type[requests.RequestException]], ...] = (
    (ConnectTimeout, requests.ConnectTimeout),
    (ConnectError, requests.ConnectionError),
    (ReadTimeout, requests.ReadTimeout),
    (TransportError, requests.ConnectionError),
)


class Adapter(HTTPAdapter):
    """Mount it: ``session.mount("https://api.mch.weixin.qq.com", adapter)``."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._gateway = gateway

    def send(
        self,
        request: requests.PreparedRequest,
        *_args: Any,
        **_kwargs: Any,
    ) -> requests.Response:
        """Answer from the gateway; timeouts, proxies and TLS mean nothing here."""
        try:
            response = self._gateway.handle(_received(request))
        except TransportError as error:
            kind = next(theirs for ours, theirs in _FAILURES if isinstance(error, ours))
            raise kind(str(error), request=request) from error
        return self.build_response(request, _raw(response))


def _received(request: requests.PreparedRequest) -> Request:
    """What would have arrived."""
    headers = Headers(
        (name, value.decode("latin-1") if isinstance(value, bytes) else value)
        for name, value in (request.headers or {}).items()
    )
    return Request(str(request.method), str(request.url), headers, _bytes(request.body))


def _bytes(body: Any) -> bytes:
    """The body, which may be text, a file or a generator to be sent in chunks."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode("utf-8")
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)
    if hasattr(body, "read"):
        return _bytes(body.read())
    parts: Iterable[Any] = body
    return b"".join(_bytes(part) for part in parts)


def _raw(response: Response) -> HTTPResponse:
    """The same as urllib3 would have read it from a socket."""
    return HTTPResponse(
        body=BytesIO(response.content),
        headers=HTTPHeaderDict(response.headers),
        status=response.status_code,
        reason=reason(response.status_code),
        preload_content=False,
    )
