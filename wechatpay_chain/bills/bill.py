"""A bill (账单): its rows, its totals, and a file of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._saving import AtomicFile, Progress
from ..errors import WeChatPayError
from . import asking
from .asking import check_origin
from .rows import Layout, Reader, Row, Summary
from .transfer import Part, Transfer

if TYPE_CHECKING:
    from .._node import Node
    from .._reply import Reply
    from ..client import WeChatPay

R = TypeVar("R", bound=Row, covariant=True)

#: Bytes that are taken from the line at a time.
CHUNK = 64 * 1024


class Ask:
    """The call by which WeChat Pay says where a bill is; made again for a fresh URL."""

    def __init__(self, client: WeChatPay, path: str, query: Mapping[str, Any]) -> None:
        self.client: WeChatPay = client
        self.path: str = path
        self.query: Mapping[str, Any] = query

    def now(self) -> tuple[Part, ...]:
        """The files of the bill."""
        return self._parts(self.client[self.path].get(self.query))

    async def now_async(self) -> tuple[Part, ...]:
        """Await :meth:`now`."""
        return self._parts(await self.client[self.path].get_async(self.query))

    def _parts(self, reply: Reply) -> tuple[Part, ...]:
        return asking.parts(reply.data, self.client._settings.private_key)


class Bill(Generic[R]):
    """A bill that WeChat Pay has ready. Nothing of it is kept in memory.

    Iterate over it, with ``for`` or ``async for``, for its rows, or :meth:`save` it.
    Each time it is downloaded, as a stream; where the connection breaks or the URL
    expires, the download goes on from a fresh URL. The SHA-1 that WeChat Pay has signed
    can be checked at the end only, after you have got the rows: so commit what you make
    of them after the loop.

    Raises, while it is read: ``TransportError``, ``APIError``, ``InvalidSignature``
    where the hash differs, ``DecodeError``, ``DecryptionError``.
    """

    def __init__(
        self,
        ask: Ask,
        parts: tuple[Part, ...],
        kind: Callable[[Layout, list[str]], R],
    ) -> None:
        self._ask = ask
        self._parts = parts
        self._kind = kind
        self._summary: Summary | None = None
        self._read = False

    @property
    def sha1(self) -> tuple[str, ...]:
        """The signed SHA-1 of each file; all bills but encrypted ones have one file."""
        return tuple(part.sha1 for part in self._parts)

    # Rows.

    def __iter__(self) -> Iterator[R]:
        reader = Reader(self._kind)
        for piece in self._pieces():
            yield from reader.feed(piece)
        yield from reader.feed(b"", final=True)
        self._done(reader.summary)

    async def __aiter__(self) -> AsyncIterator[R]:
        reader = Reader(self._kind)
        async with aclosing(self._pieces_async()) as pieces:
            async for piece in pieces:
                for row in reader.feed(piece):
                    yield row
        for row in reader.feed(b"", final=True):
            yield row
        self._done(reader.summary)

    # Totals.

    @property
    def summary(self) -> Summary | None:
        """The totals in the last lines; ``None`` for a bill without such lines.

        Known once the bill was read to its end or saved. Before that this reads all of
        it; awaited: :meth:`summary_async`.
        """
        if not self._read:
            for _ in self:
                pass
        return self._summary

    async def summary_async(self) -> Summary | None:
        """Await the totals; see :attr:`summary`."""
        if not self._read:
            async for _ in self:
                pass
        return self._summary

    def _done(self, summary: Summary | None) -> None:
        self._summary = summary
        self._read = True

    # Files.

    def save(
        self, path: str | os.PathLike[str], *, progress: Progress | None = None
    ) -> None:
        """Write the bill, unzipped and decrypted, to *path*: all of it, or nothing.

        The file takes its name when its hash has been checked. *progress* is called
        with the bytes that have arrived, and their number where it is known. Several
        files of one bill are written one after the other. Raises ``OSError`` too.
        """
        tail = Tail()
        with AtomicFile(path) as file:
            for piece in self._pieces(progress):
                file.write(piece)
                tail.add(piece)
            file.keep()
        self._done(tail.summary())

    async def save_async(
        self, path: str | os.PathLike[str], *, progress: Progress | None = None
    ) -> None:
        """Await :meth:`save`; the disk is written to beside the event loop."""
        tail = Tail()
        with AtomicFile(path) as file:
            async with aclosing(self._pieces_async(progress)) as pieces:
                async for piece in pieces:
                    await asyncio.to_thread(file.write, piece)
                    tail.add(piece)
            await asyncio.to_thread(file.keep)
        self._done(tail.summary())

    # The download, once in each mode; what to do is decided in Transfer.

    def _pieces(self, progress: Progress | None = None) -> Iterator[bytes]:
        transfer = Transfer(self._parts, progress)
        while transfer.part is not None:
            try:
                with self._node(transfer.part).get(**_how(transfer)) as reply:
                    transfer.begin(reply.status_code, reply.headers)
                    for chunk in reply.iter_content(CHUNK):
                        yield from transfer.take(chunk)
                yield from transfer.end()
            except WeChatPayError as error:
                transfer.failed(error)
                transfer.renew(self._ask.now())

    async def _pieces_async(
        self, progress: Progress | None = None
    ) -> AsyncGenerator[bytes, None]:
        transfer = Transfer(self._parts, progress)
        while transfer.part is not None:
            try:
                reply = await self._node(transfer.part).get_async(**_how(transfer))
                async with reply, aclosing(reply.aiter_content(CHUNK)) as chunks:
                    transfer.begin(reply.status_code, reply.headers)
                    async for chunk in chunks:
                        for piece in transfer.take(chunk):
                            yield piece
                for piece in transfer.end():
                    yield piece
            except WeChatPayError as error:
                transfer.failed(error)
                transfer.renew(await self._ask.now_async())

    def _node(self, part: Part) -> Node:
        check_origin(part.origin, self._ask.client._settings.base_url)
        # {+file}: what is signed is the URL as it was given, to the byte.
        return self._ask.client["{+file}"]

    def __repr__(self) -> str:
        return f"<Bill {self._ask.path} {self._ask.query.get('bill_date', '')}>"


def _how(transfer: Transfer) -> dict[str, Any]:
    part = transfer.part
    assert part is not None
    return {
        "path": {"file": part.target},
        "base_url": part.origin,
        "headers": transfer.headers,
        "stream": True,
    }


class Tail:
    """Keeps the end of a bill, where its totals are."""

    #: More than two lines of totals take.
    SIZE = 16 * 1024

    def __init__(self) -> None:
        self._kept = b""
        self._first = b""

    def add(self, piece: bytes) -> None:
        """Go on with *piece*."""
        if len(self._first) < self.SIZE:
            self._first += piece[: self.SIZE]
        self._kept = (self._kept + piece[-self.SIZE :])[-self.SIZE :]

    def summary(self) -> Summary | None:
        """The totals, where the last two lines are these."""
        lines = self._kept.decode("utf-8", "replace").split("\n")
        lines = [line.rstrip("\r") for line in lines if line.strip("\r")]
        if len(lines) < 2 or lines[-2][:1] == "`" or lines[-1][:1] != "`":
            return None
        if self._first.startswith(lines[-2].encode()):
            return None  # these are the heads of the rows, and one row
        heads, cells = lines[-2].split(","), lines[-1][1:].split(",`")
        return Summary(Layout(heads), cells) if len(heads) == len(cells) else None
