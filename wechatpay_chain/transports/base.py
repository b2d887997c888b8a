"""What a driver needs of an HTTP library: open, sleep, close.

Waiting is I/O too: under a memory transport no time passes. A transport translates its
library's exceptions into ``TransportError`` and never follows a redirect.
"""

from __future__ import annotations

import re
from typing import Protocol

from .._messages import Request, Response


class Transport(Protocol):
    """Sends requests for ``get``, ``post`` and their kin."""

    def open(self, request: Request) -> Response:
        """Send *request* byte for byte; the answer's body may still be a stream."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for *seconds*."""
        ...

    def close(self) -> None:
        """Close every connection; called again after calls that were under way."""
        ...


class AsyncTransport(Protocol):
    """Sends requests for ``get_async``, ``post_async`` and their kin."""

    async def open(self, request: Request) -> Response:
        """Send *request* byte for byte; the answer's body may still be a stream."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds*."""
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


def described(error: BaseException) -> str:
    """One printable line that names a library's *error*.

    What a peer sent may be in it; object addresses say nothing to anyone.
    """
    text = re.sub(r"^<.*? at 0x[0-9a-f]+>: |[^\x20-\x7e\xa0-\uffff]+", " ", str(error))
    return f"{type(error).__name__}: {' '.join(text.split())[:200]}"


def by_deadline(seconds: float | None) -> str:
    """The end of a message about a request whose deadline is over."""
    return f"by the deadline, {seconds or 0:.3g} s from the start of this attempt"
