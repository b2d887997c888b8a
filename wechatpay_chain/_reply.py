"""The reply: a ``requests.Response`` in both modes, and what WeChat Pay adds to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from copy import deepcopy
from typing import TYPE_CHECKING, Any, cast

import requests
import wrapt

from ._http_response import HTTPResponse
from ._messages import AsyncStream, Response

if TYPE_CHECKING:
    import os
    from typing import Generic

    from typing_extensions import Self, TypeVar

    from ._saving import Progress

    Data = TypeVar("Data", covariant=True, default=Any)

    # To a type checker a reply is the response that it stands for at run time, and
    # knows the type of its data.
    class _Proxy(requests.Response, Generic[Data]): ...
else:
    Data = Any

    class _Proxy(wrapt.ObjectProxy):
        def __class_getitem__(cls, data):  # Reply[Order] in an annotation that runs
            return cls


class Reply(_Proxy[Data]):
    """A ``requests.Response`` with the decoded data and the verdict on its signature.

    ``isinstance(reply, requests.Response)`` holds, and all that a response has is here
    too. So ``bool(reply)`` is that of the response: false for an error status.
    """

    if TYPE_CHECKING:
        __wrapped__: requests.Response
        _self_data: Data
        _self_verified: bool
        _self_serial: str | None
        _self_stream: AsyncStream | None

        # Given by the factory below; the proxy takes what it wraps.
        def __init__(self, wrapped: requests.Response) -> None: ...

    @property
    def data(self) -> Data:
        """The decoded JSON or XML; ``None`` for an empty body and for a file."""
        return self._self_data

    @property
    def verified(self) -> bool:
        """Whether WeChat Pay's signature over this answer was checked and held."""
        return self._self_verified

    @property
    def serial(self) -> str | None:
        """The WeChat key that signed, a serial or a ``PUB_KEY_ID_...``."""
        return self._self_serial

    @property
    def request_id(self) -> str | None:
        """``Request-ID``: what WeChat's support asks for."""
        return self.__wrapped__.headers.get("Request-ID")

    def __getitem__(self, name: Any) -> Any:
        if self._self_data is None:
            raise TypeError(
                f"reply[{name!r}]: this {self.status_code} answer has no data; the "
                "body is empty or a file (see .content)"
            )
        return cast(Any, self._self_data)[name]

    def __contains__(self, name: object) -> bool:
        data: Any = self._self_data
        return data is not None and name in data

    async def aiter_content(
        self, chunk_size: int = 65536
    ) -> AsyncGenerator[bytes, None]:
        """The body piece by piece, after an ``_async`` verb with ``stream=True``."""
        stream = self._self_stream
        if stream is None:
            for chunk in self.__wrapped__.iter_content(chunk_size):
                yield chunk
            return
        chunks = stream.achunks(chunk_size)
        try:
            async for chunk in chunks:
                yield chunk
        finally:  # which "async for" leaves to the garbage collector
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    def save(
        self, path: str | os.PathLike[str], *, progress: Progress | None = None
    ) -> None:
        """Write the body to the file *path*: all of it, or nothing.

        *progress* is called with the bytes that have arrived, and their number where it
        is known. Raises ``OSError``, and ``TransportError`` where a stream breaks.
        """
        from ._saving import Download  # few calls are of files

        with self, Download(path, self.headers, progress) as file:
            for chunk in self.__wrapped__.iter_content(65536):
                file.write(chunk)
            file.keep()

    async def save_async(
        self, path: str | os.PathLike[str], *, progress: Progress | None = None
    ) -> None:
        """The same after an ``_async`` verb; see :meth:`save`."""
        from asyncio import to_thread

        from ._saving import Download

        async with self:
            with Download(path, self.headers, progress) as file:
                async with aclosing(self.aiter_content()) as chunks:
                    async for chunk in chunks:
                        await to_thread(file.write, chunk)
                await to_thread(file.keep)

    def close(self) -> None:
        """Let go of the connection of a streamed body."""
        stream, self._self_stream = self._self_stream, None
        if stream is not None:
            stream.close()
        self.__wrapped__.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.close()

    def __copy__(self) -> Reply:
        return _wrap(
            self.__wrapped__,
            self._self_data,
            self._self_verified,
            self._self_serial,
            self._self_stream,
        )

    def __deepcopy__(self, memo: Any) -> Reply:
        return _wrap(
            deepcopy(self.__wrapped__, memo),
            deepcopy(self._self_data, memo),
            self._self_verified,
            self._self_serial,
            None,  # an open stream has one reader; the copy has read what is left
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _wrap, (
            self.__wrapped__,
            self._self_data,
            self._self_verified,
            self._self_serial,
            None,
        )

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return self.__reduce__()

    def __dir__(self) -> list[str]:
        # A proxy names only what it wraps, and completion goes by this.
        return sorted({*dir(self.__wrapped__), *dir(type(self))})

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __repr__(self) -> str:
        verdict = f"verified by {self.serial}" if self.verified else "not verified"
        return f"<Reply {self.status_code} {verdict}>"


def reply(response: Response, seconds: float = 0.0) -> Reply:
    """Wrap what a driver returned; *seconds* is what the call took."""
    body = response.body
    stream = body.stream
    is_async = stream is not None and hasattr(stream, "aread")
    return _wrap(
        HTTPResponse(response, seconds),
        response.data,
        response.verified,
        response.serial,
        cast(AsyncStream, stream) if is_async else None,
    )


def _wrap(
    wrapped: requests.Response,
    data: Any,
    verified: bool,
    serial: str | None,
    stream: AsyncStream | None,
) -> Reply:
    made = Reply(wrapped)
    made._self_data = data
    made._self_verified = verified
    made._self_serial = serial
    made._self_stream = stream
    return made
