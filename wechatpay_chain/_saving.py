"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from errno import EEXIST, EISDIR
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


#: Bytes that have arrived, and how many there are, where it is known.
Progress = Callable[[int, int | None], object]


class AtomicFile:
    """A file that takes its name when :meth:`keep` is called, and not before.

    Until then it stands beside the place under another name; left without ``keep`` it
    is gone, and what was there before stays. Raises ``OSError``.
    """

    def __init__(self, path: str | os.PathLike[str], mode: int = 0o644) -> None:
        given: str = os.path.expanduser(path)
        self._path: str = os.path.abspath(given)
        _check_kind(self._path)
        folder, name = os.path.split(self._path)
        try:
            number, self._beside = tempfile.mkstemp(".part", f".{name[:64]}.", folder)
        except OSError as error:
            error.filename = self._path  # not the name beside it, which nobody gave
            raise
        self._file = os.fdopen(number, "wb")
        self._mode = mode

    def write(self, data: bytes) -> None:
        """Add *data*."""
        self._file.write(data)

    def keep(self) -> None:
        """Give the file its name, with all that was written on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.chmod(self._beside, self._permissions())
        os.replace(self._beside, self._path)

    def _permissions(self) -> int:
        """Those of the file that is replaced, or ours less what the user masks."""
        with suppress(FileNotFoundError):
            return os.stat(self._path).st_mode & 0o777
        mask = os.umask(0o077)  # there is no other way to ask for it
        os.umask(mask)
        return self._mode & ~mask

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # On a full disk closing fails once more, for what is left in the buffer.
        with suppress(OSError):
            self._file.close()
        with suppress(FileNotFoundError):
            os.unlink(self._beside)


def check_place(path: str | os.PathLike[str]) -> None:
    """Raise the ``OSError`` that a file at *path* would meet, and leave nothing there.

    For what cannot be asked for twice: before there is anything to save.
    """
    with AtomicFile(path):
        pass


def _check_kind(path: str) -> None:
    """Refuse a folder, and whatever else a file must not be put in the place of.

    Whoever may write anything, as root may, would lose ``/dev/null`` by it.
    """
    if os.path.isdir(path):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), path)
    if os.path.exists(path) and not os.path.isfile(path):
        raise FileExistsError(EEXIST, "not a regular file", path)


class Download(AtomicFile):
    """The file of a download; *progress* is told of each part of it that arrives."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        headers: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        super().__init__(path)
        length = headers.get("Content-Length", "")
        self._total = int(length) if length.isdecimal() else None
        self._progress = progress
        self._done = 0

    def write(self, data: bytes) -> None:
        """Add *data*, and tell of it."""
        super().write(data)
        self._done += len(data)
        if self._progress is not None:
            self._progress(self._done, self._total)
