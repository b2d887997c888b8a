"""A ``requests.Response`` made of what a transport received, in either mode.

It stands below a :class:`~._reply.Reply`, which wraps it, and knows nothing of
signatures or of decoded data.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.client import responses as reasons
from typing import TYPE_CHECKING, Any

import requests
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from ._messages import Response, SyncStream


class _Lazy:
    """A part that is made on first use, without a lock.

    ``cached_property`` has one before Python 3.12; a fork while a thread holds it would
    leave it held in the child.
    """

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        return instance.__dict__.setdefault(self._name, self._make(instance))


class HTTPResponse(requests.Response):
    """A ``requests.Response`` made of what a transport received.

    The parts that few callers look at (headers, cookies, encoding, the prepared
    request) are made on first use; to build them for each call costs more than the
    proxy itself.
    """

    def __init__(self, response: Response, seconds: float) -> None:
        content = response.body.content
        self._content: Any = False if content is None else content
        self._content_consumed = content is not None
        self._next = None
        self._response = response
        self.status_code = response.status_code
        self.reason = reasons.get(response.status_code, "")
        self.url = response.request.url if response.request else ""
        self.history = []
        self.elapsed = timedelta(seconds=seconds)
        self.raw: Any = io.BytesIO(b"") if content is not None else _Raw(response)

    if not TYPE_CHECKING:  # there they are the plain attributes of the base
        headers = _Lazy(
            lambda self: CaseInsensitiveDict(self._response.headers.pairs())
        )
        cookies = _Lazy(lambda _: RequestsCookieJar())
        encoding = _Lazy(lambda self: get_encoding_from_headers(self.headers))
        request = _Lazy(lambda self: _prepared(self._response))

    def __reduce__(self) -> tuple[Any, ...]:
        return _plain, (self.__getstate__(),)


def _plain(state: dict[str, Any]) -> requests.Response:
    """What a pickled response comes back as: the public class, all parts made."""
    made = requests.Response()
    made.__setstate__(state)
    return made


def _prepared(response: Response) -> requests.PreparedRequest:
    """The request that was answered, in the library's own form."""
    made = requests.PreparedRequest()
    sent = response.request
    if sent is not None:
        made.method, made.url = sent.method, sent.url
        made.headers = CaseInsensitiveDict(sent.headers.pairs())
        made.body = sent.body
    return made


class _Raw:
    """The open body under the name and the methods that ``requests`` reads it by."""

    def __init__(self, response: Response) -> None:
        self._body = response.body

    def stream(self, size: int | None, decode_content: bool = True) -> Iterator[bytes]:
        del decode_content  # the transport has done it
        return self._sync().chunks(size or 65536)

    def read(self, *_: Any, **__: Any) -> bytes:
        return self._sync().read()

    def close(self) -> None:
        stream, self._body.stream = self._body.stream, None
        if stream is not None:
            stream.close()

    release_conn = close

    def _sync(self) -> SyncStream:
        stream = self._body.stream
        if stream is None:
            raise RuntimeError("this body was closed before it was read")
        if hasattr(stream, "aread"):
            raise RuntimeError(
                "this body came by an _async verb: read it with "
                "'async for chunk in reply.aiter_content()'"
            )
        # It stays with the body: close() must reach it while it is being read.
        taken: Any = stream
        return taken  # type: ignore[no-any-return]
