"""Where workers share platform certificates (平台证书), so that one downloads for all.

What is stored is the answer of ``GET /v3/certificates`` as it was received: its
certificates are still sealed with the APIv3 key. Whoever can write to a store can
destroy it, but cannot plant a certificate.

>>> store = MemoryStore()
>>> store.claim("1900000109", 20), store.claim("1900000109", 20)
(True, False)
"""

from __future__ import annotations

import contextlib
import errno
import logging
import math
import os
import re
import stat
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from . import _shapes

log: logging.Logger = logging.getLogger("wechatpay_chain.certificates")

#: Bytes beyond which a file is no list of certificates; one takes about 3,000.
_LARGEST = 1 << 20
#: What a file of :class:`DirectoryStore` begins with, before the time.
_MAGIC = b"wechatpay_chain certificates 1 "


@dataclass(frozen=True)
class Stored:
    """One set of certificates as it was downloaded."""

    #: The answer of ``/v3/certificates``, sealed by AES-GCM.
    body: bytes = field(repr=False)
    #: Unix seconds of the download.
    time: float

    def __post_init__(self) -> None:
        # A store may have made something else of it: text, or a time that is text.
        if not isinstance(self.body, bytes):
            raise TypeError(f"body: bytes expected, got {type(self.body).__name__}")
        if not isinstance(self.time, (int, float)) or not math.isfinite(self.time):
            raise TypeError(f"time: seconds expected, got {_shapes.shown(self.time)}")


class CertificateStore(Protocol):
    """What workers share certificates through. Each merchant number is one entry.

    The methods may be coroutine functions, for clients that are used with ``_async``
    verbs only. A call waits for them: let none take longer than a second or so. What
    they raise is logged, and the call goes on without the store.
    """

    def load(self, mchid: str, /) -> Stored | Awaitable[Stored | None] | None:
        """The latest set, or ``None``."""
        ...

    def save(self, mchid: str, stored: Stored, /) -> Awaitable[None] | None:
        """Replace the set, in one step."""
        ...

    def claim(self, mchid: str, seconds: float, /) -> bool | Awaitable[bool]:
        """Become the one who downloads; ``False`` while another one does.

        A claim that was not released ends by itself after *seconds*.
        """
        ...

    def release(self, mchid: str, /) -> Awaitable[None] | None:
        """End the claim that this worker holds."""
        ...


class MemoryStore:
    """Shares between the clients of one process. *timer* gives seconds."""

    def __init__(self, *, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._sets: dict[str, Stored] = {}
        # By process too: whoever holds a claim of the parent's is not in the child.
        self._claims: dict[tuple[int, str], list[float]] = {}

    def load(self, mchid: str, /) -> Stored | None:
        """See :meth:`CertificateStore.load`."""
        return self._sets.get(mchid)

    def save(self, mchid: str, stored: Stored, /) -> None:
        """See :meth:`CertificateStore.save`."""
        self._sets[mchid] = stored

    def claim(self, mchid: str, seconds: float, /) -> bool:
        """See :meth:`CertificateStore.claim`."""
        key, now = (os.getpid(), mchid), self._timer()
        # No lock: one that is held at a fork is held in the child for ever.
        mine = [now + seconds]
        found = self._claims.setdefault(key, mine)
        if found is not mine and now < found[0]:
            return False
        self._claims[key] = mine
        return True

    def release(self, mchid: str, /) -> None:
        """See :meth:`CertificateStore.release`."""
        self._claims.pop((os.getpid(), mchid), None)

    def __repr__(self) -> str:
        return f"<MemoryStore of {len(self._sets)}>"


class DirectoryStore:
    """Shares between processes through a directory, one file per merchant number.

    The directory is made when it is first written to. Give each environment (live,
    sandbox) its own. *clock* gives Unix seconds, to compare with times of files.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # From the root: the working directory may change.
        self._path = os.path.abspath(os.path.expanduser(path))
        self._clock = clock
        #: The locks that this process holds, by what tells one from a later one.
        self._held: dict[str, tuple[int, int]] = {}
        #: Damaged files that were reported, so that each is once.
        self._reported: dict[str, tuple[int, int]] = {}

    @property
    def path(self) -> str:
        """The directory."""
        return self._path

    def load(self, mchid: str, /) -> Stored | None:
        """The set of *mchid*; ``None`` and a warning where the file is damaged."""
        file = self._file(mchid, "certificates")
        try:
            content, identity = _read(file)
        except FileNotFoundError:
            return None
        head, _, body = content.partition(b"\n")
        moment = re.fullmatch(re.escape(_MAGIC) + rb"([0-9]{1,12}(\.[0-9]+)?)", head)
        if moment is None or not body:
            if self._reported.get(mchid) != identity:
                log.warning("%s is damaged, and will be written anew", file)
            self._reported[mchid] = identity
            return None
        return Stored(body, float(moment[1]))

    def save(self, mchid: str, stored: Stored, /) -> None:
        """Replace the file of *mchid* in one step, for nobody else to read (0600)."""
        file = self._file(mchid, "certificates")
        self._make()
        number, draft = tempfile.mkstemp(prefix=f".{mchid}.", dir=self._path)
        try:
            with os.fdopen(number, "wb") as stream:
                stream.write(_MAGIC + b"%.6f\n" % stored.time + stored.body)
            os.replace(draft, file)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(draft)
            raise

    def claim(self, mchid: str, seconds: float, /) -> bool:
        """Make the lock file; one that is older than *seconds* is taken over."""
        lock = self._file(mchid, "lock")
        self._make()
        if self._create(mchid, lock):
            return True
        return self._remove_stale(lock, seconds) and self._create(mchid, lock)

    def release(self, mchid: str, /) -> None:
        """Remove the lock file, unless another has taken it over."""
        lock = self._file(mchid, "lock")
        mine = self._held.pop(mchid, None)
        if mine is not None and _identity(lock) == mine:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(lock)

    def _file(self, mchid: str, kind: str) -> str:
        if not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", mchid):
            raise ValueError("mchid: letters and digits expected")
        return os.path.join(self._path, f"{mchid}.{kind}")

    def _make(self) -> None:
        os.makedirs(self._path, mode=0o700, exist_ok=True)

    def _create(self, mchid: str, lock: str) -> bool:
        try:
            number = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            return False
        try:
            found = os.fstat(number)
        finally:
            os.close(number)
        self._held[mchid] = found.st_ino, found.st_mtime_ns
        return True

    def _remove_stale(self, lock: str, seconds: float) -> bool:
        """Whether the lock is gone: it was too old, or its owner has removed it.

        Of several who find it too old only one may remove it, and none the lock that
        the first of them makes then. So it is moved aside, and looked at again.
        """
        found = _identity(lock)
        if found is None:
            return True
        if abs(self._clock() - found[1] / 1e9) <= seconds:
            return False
        aside = f"{lock}.{os.getpid()}"
        try:
            os.rename(lock, aside)
        except FileNotFoundError:
            return True
        if _identity(aside) != found:
            os.rename(aside, lock)
            return False
        os.unlink(aside)
        return True

    def __repr__(self) -> str:
        return f"DirectoryStore({self._path!r})"


def _read(file: str) -> tuple[bytes, tuple[int, int]]:
    """The content of a plain file. Anything else could keep the reader waiting."""
    modes = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    number = os.open(file, os.O_RDONLY | modes)
    try:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a plain file", file)
        with open(number, "rb", closefd=False) as stream:
            # One that is too large is cut off, and does not open later.
            return stream.read(_LARGEST), (found.st_ino, found.st_mtime_ns)
    finally:
        os.close(number)


def _identity(lock: str) -> tuple[int, int] | None:
    """What tells a lock file from the next one of that name."""
    try:
        found = os.stat(lock, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


__all__ = [
    "CertificateStore",
    "DirectoryStore",
    "MemoryStore",
    "Stored",
]
