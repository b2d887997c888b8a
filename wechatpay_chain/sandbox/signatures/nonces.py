"""Which nonces were used: a request that comes twice, to the byte, is refused.

Only requests with a signature that holds are remembered, so that nobody can use up the
nonces of another.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from threading import Lock

#: As many requests are remembered, the earliest are forgotten first: some 20 MB.
LIMIT = 1 << 16

_Key = tuple[str, str, str]


class Nonces:
    """Merchant, timestamp and nonce of what was accepted. Safe between threads."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._seen: OrderedDict[_Key, None] = OrderedDict()
        self._lock = Lock()

    def seen(self, mchid: str, timestamp: str, nonce: str) -> bool:
        """Whether this was accepted before."""
        return (mchid, timestamp, nonce) in self._seen

    def add(self, mchid: str, timestamp: str, nonce: str, *, oldest: int = 0) -> bool:
        """Remember this; whether it is new. What is before *oldest* is forgotten."""
        key = (mchid, timestamp, nonce)
        with self._lock:
            if key in self._seen:
                return False
            self._seen[key] = None
            while len(self._seen) > self._limit or self._first() < oldest:
                self._seen.popitem(last=False)
        return True

    def recent(self, mchid: str, count: int = 32) -> list[str]:
        """The latest nonces of a merchant, the last one first."""
        with self._lock:
            mine = (key[2] for key in reversed(self._seen) if key[0] == mchid)
            return list(islice(mine, count))

    def clear(self) -> None:
        """Forget everything, as when a world goes back in time."""
        with self._lock:
            self._seen.clear()

    def _first(self) -> int:
        return int(next(iter(self._seen))[1])

    def __len__(self) -> int:
        return len(self._seen)

    def __repr__(self) -> str:
        return f"<Nonces, {len(self)} of {self._limit}>"
