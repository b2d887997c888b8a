"""How a line between client and gateway breaks, and what a client in memory sees of it.

Over a socket the breaking is real: that is the server's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..._messages import Request, Response
from ...errors import ConnectError, ReadError, ReadTimeout

REFUSED = "refused"
RESET = "reset"
SLOW = "slow"
TRICKLE = "trickle"
CUT = "cut"


class Line(NamedTuple):
    """What is wrong with a line."""

    kind: str
    #: Until the answer comes, or between two bytes of it.
    seconds: float = 0.0


class Played(NamedTuple):
    """A request, the answer to it, and what becomes of that on its way."""

    request: Request
    #: ``None`` where the line broke before there was one.
    response: Response | None
    line: Line | None = None

    def arrive(self, wait: Callable[[float], None]) -> Response:
        """The answer, as a client in memory sees it come; *wait* lets time pass.

        Raises what a transport over a socket raises.
        """
        line, response = self.line, self.response
        if line is None or response is None:
            return self._broken(response)
        if line.kind in (SLOW, TRICKLE):
            return self._late(line, response, wait)
        return self._broken(None)

    def _broken(self, response: Response | None) -> Response:
        if response is not None:
            return response
        kind = self.line.kind if self.line else RESET
        if kind == REFUSED:
            raise ConnectError("the sandbox plays a refused connection")
        if kind == CUT:
            raise ReadError("the sandbox cut the answer short")
        raise ReadError("the sandbox broke the connection; no answer came")

    def _late(
        self, line: Line, response: Response, wait: Callable[[float], None]
    ) -> Response:
        """Time passes; a client has had enough at its timeout, or at its deadline."""
        pause, total = line.seconds, line.seconds
        if line.kind == TRICKLE:
            total = line.seconds * max(1, len(response.content))
        _, patience = self.request.timeout
        deadline = self.request.deadline
        if pause > patience and (deadline is None or patience <= deadline):
            wait(patience)
            raise ReadTimeout(f"no answer within {patience:g} s")
        if deadline is not None and total > deadline:
            wait(deadline)
            raise ReadTimeout(f"no whole answer within {deadline:g} s")
        wait(total)
        return response
