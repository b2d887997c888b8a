"""The lock of a gateway, which sees to it that what changed is kept before it opens."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import RLock


class Guard:
    """A re-entrant lock: ``with gateway.lock``. Held while anything changes.

    Where a gateway has a state file, :attr:`keep` writes it as the outermost holder
    leaves. So nobody who changes something has to think of the file.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._depth = 0
        #: What writes the changes; ``None`` where there is nothing to write to.
        self.keep: Callable[[], None] | None = None
        #: What the outermost holder sets off once the lock is free.
        self.after: Callable[[], None] | None = None

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(self, *exc: object) -> None:
        outermost = self._depth == 1
        try:
            if outermost and self.keep is not None:
                self.keep()
        finally:
            self._leave()
        if outermost and self.after is not None:
            self.after()

    @contextmanager
    def quietly(self) -> Generator[None, None, None]:
        """Hold the lock, and write later: a call is kept once its answer is made."""
        self._lock.acquire()
        self._depth += 1
        try:
            yield
        finally:
            self._leave()

    def flush(self) -> None:
        """Write what changed, where there is a file, and set off what follows."""
        with self:
            pass

    def _leave(self) -> None:
        self._depth -= 1
        self._lock.release()

    def __repr__(self) -> str:
        return f"<Guard, {'held' if self._depth else 'free'}>"
