"""WSGI and ASGI applications, called in this process: no socket and no port.

One request, one reaction. The lifespan of an ASGI application is not run.
"""

from __future__ import annotations

import asyncio
import contextvars
import io
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlsplit

from ..._messages import Headers, Request

#: Seconds within which a merchant is to answer (protocol section 9).
TIMEOUT = 5.0
#: As much of an answer is kept.
FIRST_BYTES = 256
#: What stands in a path as it is (RFC 3986, 3.3), escapes included.
_PATH = "/%!$&'()*+,;=:@~"


class NoAnswer(Exception):
    """A handler ended without an answer that can be one. The text holds none of its."""


class Reaction(NamedTuple):
    """What a merchant did with a notification."""

    status: int | None = None
    body: bytes = b""
    #: Where a redirect leads.
    location: str = ""
    #: Why there is no answer.
    error: str = ""
    timed_out: bool = False
    #: Seconds that there were for it.
    limit: float = TIMEOUT
    #: Where there is no answer: whether anybody was there to give one.
    reached: bool = False
    #: Whether it went out at all.
    sent: bool = True
    #: Real seconds that it took.
    seconds: float = 0.0


async def awaited(answer: Awaitable[Any]) -> Any:
    """A coroutine of whatever can be awaited."""
    return await answer


def wait(begin: Callable[[], Awaitable[Any]]) -> Any:
    """Run a coroutine to its end, in a thread with a loop of its own.

    The thread at hand may have a loop that runs, and no loop runs inside another.
    """
    result: list[Any] = []
    failure: list[BaseException] = []

    async def main() -> Any:
        return await asyncio.wait_for(begin(), TIMEOUT)

    def run() -> None:
        try:
            result.append(asyncio.run(main()))
        except asyncio.TimeoutError:  # another class than TimeoutError until 3.11
            failure.append(TimeoutError())
        except BaseException as error:
            failure.append(error)

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), daemon=True)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]


def wsgi(handler: Callable[..., Any], request: Request) -> Reaction:
    """Call a WSGI application."""
    heads: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _error: Any = None
    ) -> Callable[[bytes], None]:
        heads.append((status, headers))
        return written.append

    chunks = handler(_environ(request), start_response)
    try:
        written.extend(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    if not heads:
        raise NoAnswer("it never called start_response")
    status, headers = heads[-1]
    location = Headers(headers).get("Location", "")
    return Reaction(int(status[:3]), b"".join(written)[:FIRST_BYTES], location)


def _environ(request: Request) -> dict[str, Any]:
    parts = urlsplit(request.url)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
        "QUERY_STRING": parts.query,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "HTTP_HOST": parts.netloc,
    }
    for name, value in request.headers.pairs():
        if name not in ("Content-Type", "Content-Length"):
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ


def asgi(handler: Callable[..., Any], request: Request) -> Reaction:
    """Call an ASGI application, on a loop of its own."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def run() -> None:
        await handler(_scope(request), receive, send)

    wait(run)
    starts = [one for one in sent if one["type"] == "http.response.start"]
    if not starts:
        raise NoAnswer("it never sent http.response.start")
    start = starts[0]
    bodies = [one for one in sent if one["type"] == "http.response.body"]
    body = b"".join(one.get("body", b"") for one in bodies)
    headers = Headers(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in start.get("headers", ())
    )
    return Reaction(start["status"], body[:FIRST_BYTES], headers.get("Location", ""))


def _scope(request: Request) -> dict[str, Any]:
    parts = urlsplit(request.url)
    headers = [(b"host", parts.netloc.encode("latin-1"))]
    headers += [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in request.headers.pairs()
    ]
    headers.append((b"content-length", str(len(request.body)).encode()))
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": parts.scheme,
        "path": unquote_to_bytes(parts.path or "/").decode("utf-8", "replace"),
        "raw_path": quote(parts.path or "/", safe=_PATH).encode("ascii"),
        "query_string": parts.query.encode("latin-1"),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": (parts.hostname or "", port),
    }
