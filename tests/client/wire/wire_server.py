"""A server of raw sockets: it keeps the exact bytes received and answers by script.

One thread per connection, every wait bounded. It knows nothing of the package.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: No wait of a server lasts longer, whatever a client does.
PATIENCE = 20.0
#: Seconds between two drops of a trickle.
PACE = 0.02


@dataclass
class Received:
    """One request as it came, to the byte."""

    line: bytes
    headers: list[tuple[str, str]]
    body: bytes
    #: Which connection brought it, counted from 0.
    connection: int
    peer: Any = None

    @property
    def method(self) -> str:
        return self.line.split(b" ")[0].decode()

    @property
    def target(self) -> str:
        return self.line.split(b" ")[1].decode()

    def header(self, name: str) -> str:
        """The one value of that header; a second one fails the test."""
        (value,) = self.all(name)
        return value

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(frozen=True)
class Last:
    """Send these bytes, then close the connection."""

    content: bytes = b""


@dataclass(frozen=True)
class Pieces:
    """Send these bytes one packet after the other."""

    pieces: tuple[bytes, ...]


@dataclass(frozen=True)
class Trickle:
    """Send the head, and then the drop again and again, slowly, for ever."""

    head: bytes
    drop: bytes


@dataclass(frozen=True)
class Tunnel:
    """Say 200, then pass bytes to that port and back, as a proxy does on CONNECT."""

    port: int


class Reset:
    """Drop the connection with RST."""


class Silence:
    """Answer nothing until the client gives up or the server is closed."""


Answer = Any  # bytes, one of the above, or a function from Received to one of them


class WireServer:
    """Listens on a free loopback port. The last answer serves all further requests."""

    def __init__(
        self,
        *answers: Answer,
        tls: ssl.SSLContext | None = None,
        greet: Callable[[socket.socket], None] | None = None,
    ) -> None:
        self._answers = list(answers)
        self._tls = tls
        self._greet = greet
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._ended: dict[int, threading.Event] = {}
        self._accepted: list[socket.socket] = []
        self.requests: list[Received] = []
        #: How many connections were accepted.
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    @property
    def base_url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    @property
    def last(self) -> Received:
        return self.requests[-1]

    def close(self) -> None:
        self._over.set()
        # Wakes the thread that waits in accept().
        socket.create_connection(("127.0.0.1", self.port), PATIENCE).close()
        self._threads[0].join(PATIENCE)
        self._listener.close()
        self.drop()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def drop(self) -> None:
        """Close every connection that is open, as a server does with idle ones."""
        with self._lock:
            sockets, self._open = self._open, []
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def connection(self, number: int) -> socket.socket:
        """One more handle of that connection, to send on it out of turn."""
        with self._lock:
            return self._accepted[number].dup()

    def wait_closed(self, number: int) -> None:
        """Wait until that connection is closed at this end."""
        assert self._ended[number].wait(PATIENCE)

    def __enter__(self) -> WireServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self._over.is_set():
                sock.close()
                return
            with self._lock:
                number = self.connections
                self.connections += 1
                self._open.append(sock)
                self._accepted.append(sock)
                self._ended[number] = threading.Event()
            self._start(self._serve, sock, number)

    def _serve(self, sock: socket.socket, number: int) -> None:
        sock.settimeout(PATIENCE)
        try:
            if self._greet is not None:
                self._greet(sock)
                return
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                with self._lock:
                    self._open.append(sock)
            with sock.makefile("rb") as stream:
                while True:
                    received = read_request(stream, number)
                    if received is None:
                        return
                    received.peer = self._tls and sock.getpeercert()
                    if not self._reply(sock, received):
                        return
        except (OSError, ValueError):
            pass  # the client went away, as some tests make it
        finally:
            with contextlib.suppress(OSError):
                sock.close()
            self._ended[number].set()
            with self._lock:
                self._open = [item for item in self._open if item.fileno() >= 0]

    def _reply(self, sock: socket.socket, received: Received) -> bool:
        with self._lock:
            self.requests.append(received)
            answer = self._answers[0]
            if len(self._answers) > 1:
                del self._answers[0]
        if callable(answer) and not isinstance(answer, type):
            answer = answer(received)
        if isinstance(answer, bytes):
            sock.sendall(answer)
            return True
        if isinstance(answer, Pieces):
            for piece in answer.pieces:
                sock.sendall(piece)
            return True
        if isinstance(answer, Tunnel):
            sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with socket.create_connection(("127.0.0.1", answer.port), PATIENCE) as far:
                relay(sock, far)
        elif isinstance(answer, Last):
            sock.sendall(answer.content)
            sock.shutdown(socket.SHUT_WR)
        elif isinstance(answer, Trickle):
            sock.sendall(answer.head)
            while not self._over.wait(PACE):
                sock.sendall(answer.drop)  # raises when the client has gone
        elif answer is Reset:
            reset(sock)
        else:
            assert answer is Silence
            with contextlib.suppress(OSError):
                sock.recv(1)  # ends when the client, or close(), ends it
        return False


def reset(sock: socket.socket) -> None:
    """Close with RST, whatever was not read or not sent yet."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def reset_unread(sock: socket.socket) -> None:
    """The same, once a request has come, without reading it."""
    sock.recv(1, socket.MSG_PEEK)
    reset(sock)


def relay(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes both ways until one side ends."""
    while True:
        ready, _, _ = select.select([one, other], [], [], PATIENCE)
        for source in ready:
            content = source.recv(65536)
            if not content:
                return
            (other if source is one else one).sendall(content)
        if not ready:
            return


def read_request(stream: Any, number: int = 0) -> Received | None:
    """One request from *stream*, or ``None`` at its end."""
    line = stream.readline()
    if not line:
        return None
    headers: list[tuple[str, str]] = []
    while True:
        field_line = stream.readline()
        if field_line in (b"\r\n", b""):
            break
        name, _, value = field_line.decode("latin-1").partition(":")
        headers.append((name, value.strip()))
    received = Received(line.rstrip(b"\r\n"), headers, b"", number)
    length = received.all("content-length")
    if length:
        received.body = stream.read(int(length[0]))
    return received


def http(
    status: int, body: bytes = b"", headers: dict[str, str] | None = None
) -> bytes:
    """The bytes of an answer; ``Content-Length`` is set unless given."""
    lines = dict(headers or {})
    if status != 204 and "Transfer-Encoding" not in lines:
        lines.setdefault("Content-Length", str(len(body)))
    head = f"HTTP/1.1 {status} X\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return head.encode() + b"\r\n" + body
