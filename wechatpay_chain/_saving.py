"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from errno import EEXIST, EISDIR, ELOOP
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


#: Bytes that have arrived, and how many there are, where it is known.
Progress = Callable[[int, int | None], object]

#: What the system shows as files there is none: descriptors, devices, processes.
_SYSTEM = ("/dev", "/proc")
#: And yet these are files, in memory.
_MEMORY = "/dev/shm"
#: As many links as Linux follows.
_LINKS = 40


class AtomicFile:
    """A file that takes its name when :meth:`keep` is called, and not before.

    Until then it stands beside the place under another name; left without ``keep`` it
    is gone, and what was there before stays. The place of a link is the one that it
    leads to: the link stays. Raises ``OSError``.
    """

    def __init__(self, path: str | os.PathLike[str], mode: int = 0o644) -> None:
        self._path: str = _place(os.path.expanduser(path))
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


def _place(given: str) -> str:
    """Where a file at *given* is, behind all links.

    Link by link: at once one would not see that ``/dev/stdout`` was on the way.
    """
    path = given
    for _ in range(_LINKS):
        folder, name = os.path.split(path)
        folder = os.path.realpath(folder)
        path = os.path.join(folder, name)
        if _is_below(folder, _SYSTEM) and not _is_below(folder, (_MEMORY,)):
            raise FileExistsError(EEXIST, "not a regular file", given)
        if not os.path.islink(path):
            return path
        path = os.path.join(folder, os.readlink(path))
    raise OSError(ELOOP, os.strerror(ELOOP), given)


def _is_below(folder: str, roots: tuple[str, ...]) -> bool:
    return any(folder == root or folder.startswith(f"{root}/") for root in roots)


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
