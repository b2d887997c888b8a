"""A gateway as a WSGI application: for the servers and test clients that speak it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from ..._messages import Headers, Request, Response
from ..control.api import Control
from .reasons import reason

if TYPE_CHECKING:
    from ..gateway import Gateway

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]

#: Where servers put the target as it came: gunicorn, then uWSGI and werkzeug. WSGI
#: itself has the path only decoded, and no bare ``?``.
_TARGETS = ("RAW_URI", "REQUEST_URI")
#: What may stand unquoted in a path (RFC 3986, 3.3).
_PATH = "/!$&'()*+,;=:@~"


class WSGI:
    """The application."""

    def __init__(self, gateway: Gateway, *, control: bool = False) -> None:
        self._gateway = gateway
        self._control = Control(gateway, enabled=control)

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer one request."""
        request = self._request(environ)
        if self._control.owns(request):
            response = self._control.handle(request)
        else:
            response = self._gateway.handle(request)
        status = f"{response.status_code} {reason(response.status_code)}"
        start_response(status, self._headers(response))
        return [response.content]

    def _request(self, environ: Environ) -> Request:
        url = self._gateway.base_url + _target(environ)
        body = _body(environ, self._gateway.body_limit)
        return Request(environ["REQUEST_METHOD"], url, _headers(environ), body)

    def _headers(self, response: Response) -> list[tuple[str, str]]:
        # By the gateway's clock, which may be ahead.
        date = formatdate(self._gateway.clock(), usegmt=True)
        headers = response.headers.merge({"Date": date})
        if response.status_code == 204:  # has none (RFC 9110, 8.6)
            headers = headers.without("Content-Length")
        return list(headers.pairs())


def _target(environ: Environ) -> str:
    for name in _TARGETS:
        if name in environ:
            return _origin_form(str(environ[name]))
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    target = quote(path.encode("latin-1"), safe=_PATH)
    query = environ.get("QUERY_STRING", "")
    return f"{target}?{query}" if query else target


def _origin_form(target: str) -> str:
    """*target* less scheme and host, where a server has it as a URL."""
    if "://" not in target.partition("?")[0]:
        return target
    parts = urlsplit(target)
    return target[target.index(parts.netloc) + len(parts.netloc) :] or "/"


def _headers(environ: Environ) -> Headers:
    found = {
        name[5:].replace("_", "-").title(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            found[name.replace("_", "-").title()] = str(environ[name])
    return Headers(found)


def _body(environ: Environ, limit: int) -> bytes:
    """The body; of one that is too large, enough for the gateway to say so."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH") or "0"
    if environ.get("wsgi.input_terminated"):  # the server ends it, chunked ones too
        wanted = limit + 1
    elif length.isdecimal():
        wanted = min(int(length), limit + 1)
    else:
        wanted = 0
    parts: list[bytes] = []
    while wanted > 0:
        part: bytes = stream.read(wanted)
        if not part:
            break
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)
