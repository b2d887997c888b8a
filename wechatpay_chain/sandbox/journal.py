"""What a gateway has seen: the last exchanges, each with its verdict, in a ring.

For tests, for people and for the control API. Reads nothing and decides nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from .._messages import Request, Response
from .._shapes import mapping
from .routing import Route

#: How many exchanges are kept.
SIZE = 1000


@dataclass(eq=False)
class Exchange:
    """One request and what became of it."""

    number: int
    #: Unix seconds by the gateway's clock.
    at: float
    request: Request = field(repr=False)
    #: The endpoint, once it was found.
    route: Route | None = None
    #: The merchant number, once the signature held.
    mchid: str | None = None
    #: ``"ok"``, or the fixed id of why it was refused.
    verdict: str = "ok"
    #: What was noticed and not refused.
    notes: list[str] = field(default_factory=list[str])
    #: The fault that a rule brought upon it.
    fault: str | None = None
    response: Response | None = field(default=None, repr=False)

    @property
    def endpoint(self) -> str | None:
        """The endpoint in words: ``"POST /v3/payscore/serviceorder"``."""
        return None if self.route is None else str(self.route)

    @property
    def status(self) -> int | None:
        """The status answered; ``None`` while there is none, or where none came."""
        return None if self.response is None else self.response.status_code


class Journal:
    """The last exchanges, oldest first."""

    def __init__(self, size: int = SIZE) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=size)
        self._lock = Lock()
        self._number = 0

    def open(self, request: Request, at: float) -> Exchange:
        """Note that *request* came."""
        with self._lock:
            self._number += 1
            exchange = Exchange(self._number, at, request)
            self._exchanges.append(exchange)
        return exchange

    def clear(self) -> None:
        """Forget everything; numbers go on."""
        with self._lock:
            self._exchanges.clear()

    def __iter__(self) -> Iterator[Exchange]:
        with self._lock:
            return iter(list(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

    def __getitem__(self, number: int) -> Exchange:
        for exchange in self:
            if exchange.number == number:
                return exchange
        raise KeyError(f"exchange {number} is not, or no longer, in the journal")

    def __repr__(self) -> str:
        return f"<Journal {len(self)} exchanges>"


def verdict(detail: Mapping[str, Any]) -> str:
    """The id under which a refusal is known."""
    sandbox = mapping(detail.get("sandbox")) or {}
    return str(sandbox.get("id", "refused"))
