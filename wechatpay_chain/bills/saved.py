"""Bills on the disk: rows of a file that :meth:`Bill.save` wrote, or anybody else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TypeVar, overload

from .rows import Reader, Row
from .unpacking import PIECE, Unpacker

R = TypeVar("R", bound=Row)


@overload
def read(path: str | os.PathLike[str]) -> Iterator[Row]: ...
@overload
def read(path: str | os.PathLike[str], kind: type[R]) -> Iterator[R]: ...
def read(path: str | os.PathLike[str], kind: type[Row] = Row) -> Iterator[Row]:
    """Yield the rows of a bill in the file *path*, plain or gzip.

    *kind* is ``TradeRow``, ``FundRow`` or ``Row``. Raises ``OSError`` and
    ``DecodeError``. Nothing is verified: the hash was checked when it was saved.
    """
    reader = Reader(kind)
    unpacker = Unpacker()
    with open(os.path.expanduser(path), "rb") as file:
        while data := file.read(PIECE):
            for piece in unpacker.feed(data):
                yield from reader.feed(piece)
    for piece in unpacker.finish():
        yield from reader.feed(piece)
    yield from reader.feed(b"", final=True)
