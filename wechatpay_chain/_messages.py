"""What travels: :class:`Request` and :class:`Response`, with their :class:`Headers`.

Values, not connections. A request is frozen and carries the bytes that are sent; a
response is frozen but for its body, which is read once, by a driver, when a flow asks.
This module does no I/O and knows no HTTP library.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from ._headers import Headers as Headers
from ._headers import HeaderTypes as HeaderTypes
from ._masking import masked, shown_url
from .errors import SentRequest

if TYPE_CHECKING:
    from .catalogue import Operation

_Value = TypeVar("_Value", "Request", "Response")


@dataclass(frozen=True)
class Payload:
    """A body that ``encode`` has still to turn into bytes."""

    kind: Literal["json", "xml", "raw"]
    value: Any = field(repr=False)
    files: Any = field(default=None, repr=False)


@dataclass(frozen=True, repr=False)
class Request:
    """One HTTP request, as it is signed and sent, to the byte.

    As a command it means *send this inward*: a flow that yields one receives the
    :class:`Response` of the next layer.
    """

    method: str
    #: Absolute, percent-encoded: exactly what is signed and sent.
    url: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    #: What counts as body in the signature where that differs: ``meta`` of uploads.
    signing_body: bytes | None = None
    #: The caller's body until the layer ``encode`` has made bytes of it.
    payload: Payload | None = None
    #: The URI template before expansion: what logs and metrics show.
    template: str = ""
    #: The caller's own base: the only host beside WeChat's that gets a signature.
    base_url: str = ""
    #: Seconds to connect, and seconds without a byte before reading fails.
    timeout: tuple[float, float] = (5.0, 30.0)
    #: Leave an unsigned body unread, for the caller to stream.
    stream: bool = False
    #: Show the merchant's certificate in the TLS handshake (APIv2).
    mutual: bool = False
    #: Seconds for the whole exchange: until the body is read, or the headers of a
    #: stream are there. ``None``: only *timeout* bounds it.
    deadline: float | None = None
    #: Which try of the call it is, from 1 on.
    attempt: int = 1
    #: What the catalogue knows of it; ``None`` for an endpoint that it does not know.
    operation: Operation | None = None
    #: The query as the caller gave it; the URL has it already.
    params: Any = None

    def __post_init__(self) -> None:
        if not isinstance(self.headers, Headers):
            object.__setattr__(self, "headers", Headers(self.headers))

    @property
    def target(self) -> str:
        """Path and query as they stand on the request line (protocol section 3)."""
        start = self.url.find("/", self.url.find("://") + 3)
        return self.url[start:] if start >= 0 else "/"

    @property
    def path(self) -> str:
        """The path alone, percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def route(self) -> str:
        """The path below the base URL: what tells one endpoint from another."""
        path = self.url.partition("?")[0]
        if self.base_url and path.startswith(self.base_url):
            return path[len(self.base_url) :] or "/"
        return self.path

    @property
    def label(self) -> str:
        """Method and template, for logs and metrics: never a number or an openid.

        >>> Request('GET', 'https://h/v3/x/4200', template='v3/x/4200?a=b').label
        'GET v3/x/{...}'
        """
        return f"{self.method} {masked(self.template)}".rstrip()

    def replace(self, **changes: Any) -> Request:
        """A copy with some fields changed.

        Another method or template is another operation, and one that nobody knows
        unless it is given.
        """
        if "template" in changes or "method" in changes:
            changes = {"operation": None, "params": None, **changes}
        made = _changed(self, changes)
        made.__post_init__()
        return made

    def with_header(self, name: str, value: str) -> Request:
        """A copy with one header set."""
        return _changed(self, {"headers": self.headers.merge(((name, value),))})

    def with_headers(self, headers: HeaderTypes) -> Request:
        """A copy with several headers set."""
        return _changed(self, {"headers": self.headers.merge(headers)})

    def with_body(self, body: bytes, content_type: str | None = None) -> Request:
        """A copy with another body; the pending payload is dropped."""
        changed = self.replace(body=body, signing_body=None, payload=None)
        return (
            changed.with_header("Content-Type", content_type)
            if content_type
            else changed
        )

    def sent(self) -> SentRequest:
        """What an error may show of it."""
        return SentRequest(self.method, self._shown_url())

    def _shown_url(self) -> str:
        """The URL less openids, and what is to be encrypted in its query (敏感字段)."""
        hidden = self.operation.plan.hidden_query if self.operation else ()
        return shown_url(self.url, self.template, hidden)

    def __repr__(self) -> str:
        return f"<Request {self.method} {self._shown_url()}>"


class SyncStream(Protocol):
    """An open body of a sync transport; raises ``TransportError`` only."""

    def read(self) -> bytes: ...
    def chunks(self, size: int) -> Iterator[bytes]: ...
    def close(self) -> None: ...


class AsyncStream(Protocol):
    """An open body of an async transport; closing it does not wait."""

    async def aread(self) -> bytes: ...
    def achunks(self, size: int) -> AsyncIterator[bytes]: ...
    def close(self) -> None: ...


class Body:
    """Bytes in memory, or a stream that a driver has still to read or close."""

    __slots__ = ("content", "stream")

    def __init__(
        self,
        content: bytes | None = b"",
        stream: SyncStream | AsyncStream | None = None,
    ) -> None:
        #: The whole body, or ``None`` while it has not been read.
        self.content: bytes | None = content
        #: The open stream, or ``None`` when it is read or closed.
        self.stream: SyncStream | AsyncStream | None = stream


@dataclass(frozen=True, repr=False)
class Response:
    """One HTTP response as a layer sees it. Build one to answer from a cache or a test.

    >>> Response(200, Headers({"Content-Type": "text/plain"}), b"hi").content
    b'hi'
    """

    status_code: int
    headers: Headers = field(default_factory=Headers)
    body: Body = field(default_factory=Body)
    #: The request as it went out, with every layer's headers.
    request: Request | None = None
    #: With a 401: the request as it was signed, whatever a layer made of it since.
    signed: Request | None = None
    #: Decoded JSON or XML; ``None`` for an empty body or a file.
    data: Any = None
    #: Whether WeChat Pay's signature was checked and held.
    verified: bool = False
    #: The WeChat key that signed.
    serial: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.headers, Headers):
            object.__setattr__(self, "headers", Headers(self.headers))
        if not isinstance(self.body, Body):
            object.__setattr__(self, "body", Body(bytes(self.body)))

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status_code < 300

    @property
    def content(self) -> bytes:
        """The body; ``RuntimeError`` while unread (``yield from read(response)``)."""
        if self.body.content is None:
            raise RuntimeError(
                "the body is not read yet: content = yield from read(response)"
            )
        return self.body.content

    @property
    def request_id(self) -> str | None:
        """``Request-ID`` of the answer, for WeChat's support."""
        return self.headers.get("Request-ID")

    def replace(self, **changes: Any) -> Response:
        """A copy with some fields changed; the body is shared, not copied."""
        made = _changed(self, changes)
        made.__post_init__()
        return made

    def __repr__(self) -> str:
        return f"<Response {self.status_code}>"


def _changed(value: _Value, changes: dict[str, Any]) -> _Value:
    """A copy of a frozen *value* with some fields changed.

    ``dataclasses.replace`` goes through the constructor, which costs four times as
    much, and every call makes some five copies.
    """
    fields = {**value.__dict__, **changes}
    if len(fields) != len(value.__dict__):
        unknown = ", ".join(sorted(changes.keys() - value.__dict__.keys()))
        raise TypeError(f"{type(value).__name__} has no field {unknown}")
    made = object.__new__(type(value))
    object.__setattr__(made, "__dict__", fields)
    return made
