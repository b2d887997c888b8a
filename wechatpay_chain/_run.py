"""The record of one call: what it opened, and what may have been carried out."""

from __future__ import annotations

from collections.abc import Sequence

from ._flow import Entry
from ._messages import Body, Request, Response
from .errors import WeChatPayError


class Run:
    """Kept by a driver, which closes what a flow has left open."""

    __slots__ = ("doubt", "doubt_before", "entries", "opened")

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.opened: list[Body] = []
        #: Whether the latest attempt may have been carried out.
        self.doubt = False
        #: Whether an earlier one may have been.
        self.doubt_before = False

    def sending(self) -> None:
        self.doubt_before = self.doubt_before or self.doubt
        self.doubt = True

    def failed(self, error: WeChatPayError) -> None:
        self.doubt = error.outcome != "not_sent"

    def answered(self, response: Response) -> None:
        self.opened.append(response.body)
        self.doubt = not 400 <= response.status_code < 500

    def inner(self, without: frozenset[str]) -> Run:
        """The record of a nested call, less the layers named."""
        return Run([entry for entry in self.entries if entry.name not in without])

    def close(self, keep: Body | None = None) -> None:
        for body in self.opened:
            if body is not keep:
                close_body(body)

    def complete(self, error: WeChatPayError, request: Request) -> None:
        """Give *error* its request, and the outcome of the whole call."""
        if error.request is None:
            error.request = request.sent()
        if error.outcome is None:
            error.outcome = "unknown" if self.doubt or self.doubt_before else "not_sent"
        elif self.doubt_before or (error.outcome == "not_sent" and self.doubt):
            error.outcome = "unknown"  # an earlier attempt may have been carried out


def close_body(body: Body) -> None:
    """Let go of a body's connection, if it still has one."""
    stream, body.stream = body.stream, None
    if stream is not None:
        stream.close()
