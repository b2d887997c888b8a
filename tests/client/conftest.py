"""A gateway in memory: it checks each request and signs each answer.

Messages and signatures are built here from ``cryptography`` alone, so that a mistake of
the package cannot repeat itself on the other side.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from certificate_gateway import Gateway as CertificateGateway
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_pem_public_key,
)

from wechatpay_chain import (
    AsyncMemoryTransport,
    MemoryTransport,
    Request,
    Response,
    WeChatPay,
)
from wechatpay_chain.middleware import Body

_RSA = padding.PKCS1v15(), hashes.SHA256()
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


@cache
def _private(text: str) -> Any:
    return load_der_private_key(b64decode(text), None)


class Stream:
    """An open body, readable in either mode, that remembers what was done to it."""

    def __init__(self, content: bytes, size: int = 4) -> None:
        self._pieces = [content[at : at + size] for at in range(0, len(content), size)]
        self.closed = False
        self.reads = 0

    def close(self) -> None:
        self.closed = True

    def _rest(self) -> bytes:
        self.reads += 1
        rest, self._pieces = b"".join(self._pieces), []
        return rest


class SyncStream(Stream):
    def read(self) -> bytes:
        return self._rest()

    def chunks(self, size: int) -> Iterator[bytes]:
        while self._pieces:
            yield self._pieces.pop(0)
        self.close()


class AsyncStream(Stream):
    async def aread(self) -> bytes:
        return self._rest()

    async def achunks(self, size: int) -> AsyncIterator[bytes]:
        while self._pieces:
            yield self._pieces.pop(0)
        self.close()


class Server:
    """Answers from memory. What it is told to answer comes in turn."""

    def __init__(self, vectors: dict[str, Any], moment: int, mode: str) -> None:
        self.keys = vectors["keys"]
        self.public_key_id: str = self.keys["platform_public_key_id"]
        self.old_serial: str = self.keys["platform_cert_old_serial_no"]
        self.new_serial: str = self.keys["platform_cert_new_serial_no"]
        self.now: float = moment
        self.mode = mode
        self.requests: list[Request] = []
        self.slept: list[float] = []
        self.streams: list[Stream] = []
        self._answers: list[Any] = []
        #: What is answered when nothing else is left.
        self.otherwise: Any = {}
        #: The serial that answers are signed with.
        self.signs_with = self.public_key_id
        #: Whether each request must carry a good signature.
        self.strict = True

    @property
    def request(self) -> Request:
        """The latest request."""
        return self.requests[-1]

    def will(self, *answers: Any) -> None:
        """Answer with *answers* in turn: a response, JSON, a callable or an error."""
        self._answers += answers

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if self._answers else self.otherwise
        if self.strict:
            self.check(request)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, Response) else self.signed(answer)

    # What comes in.

    def parameters(self, request: Request) -> dict[str, str]:
        """The parameters of ``Authorization``."""
        scheme, _, rest = request.headers["Authorization"].partition(" ")
        assert scheme == "WECHATPAY2-SHA256-RSA2048"
        return dict(_PARAMETER.findall(rest))

    def message(self, request: Request, body: bytes | None = None) -> bytes:
        """The five lines, rebuilt from what arrived."""
        url = urlsplit(request.url)
        target = (url.path or "/") + (f"?{url.query}" if "?" in request.url else "")
        given = self.parameters(request)
        lines = [request.method, target, given["timestamp"], given["nonce_str"], ""]
        return "\n".join(lines).encode() + self.signed_body(request, body) + b"\n"

    def signed_body(self, request: Request, body: bytes | None = None) -> bytes:
        """The body line: of an upload, the ``meta`` part."""
        kind = request.headers.get("Content-Type", "")
        if body is None and kind.startswith("multipart/form-data"):
            return self.parts(request)[0][1]
        return request.body if body is None else body

    def parts(self, request: Request) -> list[tuple[str, bytes]]:
        """Head and content of each part of an upload."""
        boundary = request.headers["Content-Type"].partition("boundary=")[2].encode()
        assert request.body.endswith(b"--" + boundary + b"--\r\n")
        found = []
        for part in request.body.split(b"--" + boundary)[1:-1]:
            head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            found.append((head.decode(), content.removesuffix(b"\r\n")))
        return found

    def check(self, request: Request) -> None:
        """Fail the test unless the merchant's signature holds."""
        given = self.parameters(request)
        assert given["mchid"] == self.keys["mchid"]
        assert given["serial_no"] == self.keys["merchant_serial_no"]
        assert abs(int(given["timestamp"]) - self.now) <= 300
        assert re.fullmatch("[0-9A-Za-z]{1,32}", given["nonce_str"])
        load_pem_public_key(self.keys["merchant_public_key_pem"].encode()).verify(
            b64decode(given["signature"]), self.message(request), *_RSA
        )

    # What goes out.

    def headers(
        self, signed: bytes, *, serial: str | None = None, at: float | None = None
    ) -> dict[str, str]:
        """Signature headers over *signed*."""
        serial = serial or self.signs_with
        timestamp, nonce = str(int(self.now if at is None else at)), "n0nce"
        names = {
            self.public_key_id: "platform_public_key_private_pkcs8_der_base64",
            self.old_serial: "platform_cert_old_private_pkcs8_der_base64",
            self.new_serial: "platform_cert_new_private_pkcs8_der_base64",
        }
        key = _private(self.keys[names[serial]])
        message = f"{timestamp}\n{nonce}\n".encode() + signed + b"\n"
        return {
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": serial,
            "Wechatpay-Signature": b64encode(key.sign(message, *_RSA)).decode(),
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
            "Request-ID": "08D8AECBB20610BC0318B0-0",
        }

    def signed(
        self,
        data: Any = None,
        *,
        status: int = 200,
        content: bytes | None = None,
        covers: bytes | None = None,
        headers: dict[str, str | None] | None = None,
        serial: str | None = None,
        at: float | None = None,
    ) -> Response:
        """A signed answer of JSON *data*, or of *content*; a header ``None`` goes."""
        if content is None:
            content = b"" if data is None else json.dumps(data).encode()
        made: dict[str, str | None] = {"Content-Type": "application/json"}
        covered = content if covers is None else covers
        made |= self.headers(covered, serial=serial, at=at)
        made |= headers or {}
        kept = {name: value for name, value in made.items() if value is not None}
        return Response(status, kept, content)

    def plain(
        self,
        status: int,
        data: Any = None,
        *,
        content: bytes | None = None,
        **more: str,
    ) -> Response:
        """An unsigned answer; keywords are headers, ``_`` for ``-``."""
        if content is None:
            content = b"" if data is None else json.dumps(data).encode()
        headers = {"Content-Type": "application/json", "Request-ID": "08D8-268578704"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        return Response(status, headers, content)

    def stream(self, content: bytes, response: Response | None = None) -> Response:
        """The same answer with its body not yet read."""
        kind = AsyncStream if self.mode == "async" else SyncStream
        self.streams.append(kind(content))
        given = response or Response(200, {"Content-Type": "text/csv"})
        return given.replace(body=Body(None, self.streams[-1]))


@pytest.fixture
def server(vectors: dict[str, Any], request: pytest.FixtureRequest) -> Server:
    """The gateway of this test, at the moment of the documented vectors."""
    call = request.getfixturevalue("call") if "call" in request.fixturenames else None
    return Server(vectors, 1717225200, call.mode if call else "sync")


@pytest.fixture
def make(server: Server) -> Callable[..., WeChatPay]:
    """Builds a client that is wired to the gateway in both modes."""

    def build(**options: Any) -> WeChatPay:
        keys = server.keys
        given: dict[str, Any] = {
            "mchid": keys["mchid"],
            "serial": keys["merchant_serial_no"],
            "private_key": _private(keys["merchant_private_key_pkcs8_der_base64"]),
            "certs": {server.public_key_id: keys["platform_public_key_pem"]},
            "transport": MemoryTransport(server, sleep=server.slept.append),
            "async_transport": AsyncMemoryTransport(server, sleep=server.slept.append),
            "clock": lambda: server.now,
        }
        return WeChatPay(**{**given, **options})

    return build


@pytest.fixture
def client(make: Callable[..., WeChatPay]) -> WeChatPay:
    """A client in public-key mode."""
    return make()


@pytest.fixture
def gateway(server: Server) -> CertificateGateway:
    """The same gateway, of a merchant with platform certificates."""
    server.otherwise = CertificateGateway(server)
    return server.otherwise


@pytest.fixture
def downloading(
    server: Server, make: Callable[..., WeChatPay], gateway: CertificateGateway
) -> Callable[..., WeChatPay]:
    """Builds a client that downloads the certificates, and tries once."""

    def build(**options: Any) -> WeChatPay:
        given = {"certs": None, "apiv3_key": server.keys["apiv3_key"], "retry": 1}
        return make(**{**given, **options})

    return build
