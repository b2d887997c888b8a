"""The record of one call: what it opened, and what may have been carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from logging import DEBUG, INFO
from time import perf_counter

from . import _logging
from ._flow import Entry
from ._messages import Body, Request, Response
from .errors import ConfigurationError, LayerError, WeChatPayError
from .middleware.raising import says_refused

#: Fetches within fetches beyond this are a layer that meets itself.
DEEPEST = 8

#: A request on its way, when it was sent, and whether a good answer is worth a line.
Attempt = tuple[Request, float, bool]


class Run:
    """Kept by a driver, which closes what a flow has left open."""

    __slots__ = (
        "answer",
        "closed",
        "depth",
        "doubt",
        "doubt_before",
        "entries",
        "latest",
        "opened",
        "waiting",
    )

    def __init__(
        self,
        entries: Sequence[Entry],
        depth: int = 0,
        closed: Callable[[], bool] = bool,
    ) -> None:
        self.entries = entries
        #: Whether the client has been closed, and nothing may be sent.
        self.closed = closed
        #: How many fetches this run is inside of.
        self.depth = depth
        #: What was sent last.
        self.latest: Request | None = None
        self.opened: list[Body] = []
        #: Whether the latest attempt may have been carried out, as far as is known
        #: without the body of its answer.
        self.doubt = False
        #: That answer, where its body decides.
        self.answer: Response | None = None
        #: Whether an earlier one may have been.
        self.doubt_before = False
        #: Attempts without an answer yet; a guest of ``@around`` may have several.
        self.waiting: list[Attempt] = []

    def sending(self, request: Request) -> Attempt:
        """Note that *request* goes out; what it is known by when it ends."""
        if request.payload is not None:
            raise LayerError(
                "the body is not bytes yet, and would go out empty: the layer that "
                "makes them of request.payload ('encode', on v2 'sign' too) is missing "
                f"(layers: {', '.join(entry.name for entry in self.entries)})"
            )
        if self.closed():
            raise ConfigurationError(
                "this client was closed while the call was under way; nothing more "
                "was sent"
            )
        self.latest = request
        self.doubt_before = self.in_doubt
        self.doubt, self.answer = True, None
        told = _logging.log.isEnabledFor(INFO)
        if told and _logging.log.isEnabledFor(DEBUG):
            _logging.will_send(request, [entry.name for entry in self.entries])
        attempt = request, perf_counter(), told
        self.waiting.append(attempt)
        return attempt

    def failed(self, attempt: Attempt, error: WeChatPayError) -> None:
        """Note that *attempt* ended without an answer."""
        self.doubt, self.answer = error.outcome != "not_sent", None
        self.waiting.remove(attempt)
        request, started, _ = attempt
        _logging.failed(request, error, perf_counter() - started)

    def answered(self, attempt: Attempt, response: Response) -> None:
        """Note that the headers of an answer are there; the body may follow."""
        self.opened.append(response.body)
        self.doubt = not 400 <= response.status_code < 500
        self.answer = None if self.doubt else response
        self.waiting.remove(attempt)
        request, started, told = attempt
        if told or not response.ok:
            _logging.answered(request, response, perf_counter() - started)

    def inner(self, without: frozenset[str]) -> Run:
        """The record of a nested call, less the layers named."""
        if self.depth >= DEEPEST:
            raise LayerError(
                f"fetch within fetch, {DEEPEST} deep: a layer meets itself; give its "
                f"name to fetch(..., without={{...}}) (layers: "
                f"{', '.join(entry.name for entry in self.entries)})"
            )
        entries = [entry for entry in self.entries if entry.name not in without]
        return Run(entries, self.depth + 1, self.closed)

    def leave(self, inner: Run, request: Request) -> None:
        """End a nested call, which may have changed something too."""
        inner.close()
        if request.method != "GET" and inner.in_doubt:
            self.doubt_before = True

    def close(self, keep: Body | None = None) -> None:
        for body in self.opened:
            if body is not keep:
                close_body(body)
        for request, started, _ in self.waiting:  # cancelled, or broken off by Ctrl-C
            _logging.left(request, perf_counter() - started)

    def complete(self, error: WeChatPayError, request: Request) -> None:
        """Give *error* its request, and the outcome of the whole call."""
        if error.request is None:
            error.request = request.sent()
        if error.outcome is None:
            error.outcome = "unknown" if self.in_doubt else "not_sent"
        elif self.doubt_before or (self._open and not self._is_last_word(error)):
            error.outcome = "unknown"  # another request may have been carried out

    @property
    def in_doubt(self) -> bool:
        """Whether any attempt so far may have been carried out."""
        return self.doubt_before or self._open

    @property
    def _open(self) -> bool:
        """Whether the latest attempt may have been; a 4xx may leave that open too."""
        if self.answer is not None:
            return not says_refused(self.answer)
        return self.doubt

    def _is_last_word(self, error: WeChatPayError) -> bool:
        """Whether *error* speaks of the request that was sent last."""
        latest = None if self.latest is None else self.latest.sent()
        return error.outcome != "not_sent" and error.request == latest


def close_body(body: Body) -> None:
    """Let go of a body's connection, if it still has one."""
    stream, body.stream = body.stream, None
    if stream is not None:
        stream.close()
