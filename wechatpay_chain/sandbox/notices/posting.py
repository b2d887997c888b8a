"""Posting to a server on this machine, in a time that ends whatever it does.

A timeout of a socket is one for each read: a server that says a byte now and then would
hold up every other notification. Here all of it together has so many seconds.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, urlsplit

from ..._messages import Request
from .applications import FIRST_BYTES, Reaction

#: What stands in a target as it is (RFC 3986, 3.3 and 3.4), escapes included.
_TARGET = "/%!$&'()*+,;=:@~?"
#: Nobody is there: neither did anybody listen, nor was the name one.
_NOBODY = (ConnectionRefusedError, socket.gaierror)


def post(request: Request, limit: float) -> Reaction:
    """Post *request*; redirects are not followed. Takes *limit* seconds at most."""
    parts = urlsplit(request.url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=limit)
    query = f"?{parts.query}" if parts.query else ""
    target = quote(f"{parts.path or '/'}{query}", safe=_TARGET)
    watch = _Watch(connection, limit)
    try:
        with watch:
            connection.request("POST", target, request.body, request.headers)
            with connection.getresponse() as answer:
                location = answer.getheader("Location", "")
                return Reaction(answer.status, answer.read(FIRST_BYTES), location)
    except (OSError, HTTPException) as error:
        if watch.over or isinstance(error, TimeoutError):
            return Reaction(timed_out=True, error="timed out", limit=limit)
        reached = not isinstance(error, _NOBODY)
        return Reaction(error=f"no answer: {type(error).__name__}", reached=reached)
    finally:
        connection.close()


class _Watch:
    """Connects, and shuts the connection once its time is over."""

    def __init__(self, connection: HTTPConnection, limit: float) -> None:
        self._connection = connection
        self._timer = threading.Timer(limit, self._end)
        self._timer.daemon = True
        self._sock: socket.socket | None = None
        #: Whether the time is over.
        self.over = False

    def _end(self) -> None:
        self.over = True
        if self._sock is not None:
            with contextlib.suppress(OSError):  # it has ended just now
                self._sock.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> None:
        self._connection.connect()
        # The answer may take it away from the connection.
        self._sock = self._connection.sock
        self._timer.start()

    def __exit__(self, *exc: object) -> None:
        self._timer.cancel()
        if self.over:
            raise TimeoutError
