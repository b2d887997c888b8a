"""A server of raw sockets: it keeps the exact bytes received and answers by script.

One thread per connection, every wait bounded. It knows nothing of the package: the
canonical messages are rebuilt here from what came over the wire, and answers are signed
with the ``cryptography`` package alone.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import ssl
import struct
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_public_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate

#: No wait of a server lasts longer, whatever a client does.
PATIENCE = 20.0


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


@dataclass
class Keys:
    """The parties' keys, straight from the vectors."""

    vectors: dict[str, Any]
    _made: dict[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str:
        value: str = self.vectors["keys"][name]
        return value

    def _loaded(self, name: str) -> Any:
        if name not in self._made:
            text = self.text(name)
            self._made[name] = (
                load_pem_public_key(text.encode())
                if text.startswith("-----")
                else load_der_private_key(b64decode(text), None)
            )
        return self._made[name]

    @property
    def merchant(self) -> Any:
        return self._loaded("merchant_private_key_pkcs8_der_base64")

    @property
    def merchant_public(self) -> Any:
        return self._loaded("merchant_public_key_pem")

    @property
    def wechat(self) -> Any:
        return self._loaded("platform_public_key_private_pkcs8_der_base64")

    def merchant_material(self, authority: Any, folder: Path, kind: str) -> Any:
        """The merchant's client certificate in one of the forms of ``merchant=``."""
        certificate = authority.certificate_for(self.merchant_public)
        key = self.merchant.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        paths = folder / "apiclient_cert.pem", folder / "apiclient_key.pem"
        if kind == "p12":
            path = folder / "apiclient_cert.p12"
            path.write_bytes(
                pkcs12.serialize_key_and_certificates(
                    b"merchant",
                    self.merchant,
                    load_pem_x509_certificate(certificate),
                    None,
                    BestAvailableEncryption(self.text("mchid").encode()),
                )
            )
            return path
        paths[0].write_bytes(certificate + (key if kind == "one file" else b""))
        paths[1].write_bytes(key)
        return paths[0] if kind == "one file" else paths

    def signed(
        self, status: int = 200, body: Any = None, headers: dict[str, str] | None = None
    ) -> bytes:
        """An answer signed as WeChat signs it, at this moment."""
        content = body if isinstance(body, bytes) else b""
        if body is not None and not isinstance(body, bytes):
            content = json.dumps(body).encode()
        stamp, nonce = str(int(time.time())), "5f7a1c0e9b3d4826"
        message = f"{stamp}\n{nonce}\n".encode() + content + b"\n"
        signature = self.wechat.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return http(
            status,
            content,
            {
                "Wechatpay-Timestamp": stamp,
                "Wechatpay-Nonce": nonce,
                "Wechatpay-Serial": self.text("platform_public_key_id"),
                "Wechatpay-Signature": b64encode(signature).decode(),
                **({"Content-Type": "application/json"} if content else {}),
                **(headers or {}),
            },
        )

    def check(self, received: Received, body: bytes | None = None) -> dict[str, str]:
        """Fail unless the request is signed as it came; its parameters otherwise.

        *body* is what counts as body where that is not the body.
        """
        scheme, _, rest = received.header("Authorization").partition(" ")
        assert scheme == "WECHATPAY2-SHA256-RSA2048"
        found = {}
        for item in rest.split(","):
            name, _, value = item.partition("=")
            assert value[0] == value[-1] == '"'
            found[name] = value[1:-1]
        assert found["mchid"] == self.text("mchid")
        assert found["serial_no"] == self.text("merchant_serial_no")
        assert abs(int(found["timestamp"]) - time.time()) <= 300
        message = b"%b\n%b\n%b\n%b\n%b\n" % (
            received.line.split(b" ")[0],
            received.line.split(b" ")[1],
            found["timestamp"].encode(),
            found["nonce_str"].encode(),
            received.body if body is None else body,
        )
        self.merchant_public.verify(
            b64decode(found["signature"], validate=True),
            message,
            padding.PKCS1v15(),
            hashes.SHA256(),
        )
        return found
