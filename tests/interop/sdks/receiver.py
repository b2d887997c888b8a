"""A merchant's endpoint on the loopback, which keeps what it was sent."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import NamedTuple

PATIENCE = 20.0


class Notice(NamedTuple):
    """One notification: headers by their lower-case names, and the body as text."""

    headers: dict[str, str]
    body: str


class Receiver(ThreadingHTTPServer):
    """Use it as a context manager; it answers every POST with an empty 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/notify"
        self.received: Queue[Notice] = Queue()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))

    def next(self) -> Notice:
        """The next notification, once it is there."""
        return self.received.get(timeout=PATIENCE)

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length).decode("utf-8")
        self.send_response(204)
        self.end_headers()
        self.server.received.put(Notice(headers, body))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
