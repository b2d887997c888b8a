"""What is logged of an attempt, and the handler that ``WECHATPAY_LOG`` asks for.

The loggers are ``wechatpay_chain`` and below it ``.http`` (a line per attempt),
``.retry``, ``.failover``, ``.certificates`` and ``.conceal``. A line names the method,
the masked template, the status or the error's class and WeChat Pay's Request-ID: never
a header, a body, a query, a filled path or the text of an error.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterable
from functools import cache

from ._masking import masked
from ._messages import Request, Response
from .errors import ConfigurationError, WeChatPayError

ROOT = "wechatpay_chain"
VARIABLE = "WECHATPAY_LOG"
log = logging.getLogger(f"{ROOT}.http")

_LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARNING": logging.WARNING}
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def will_send(request: Request, layers: Iterable[str]) -> None:
    """At DEBUG: what is about to go where, and through which layers it came."""
    fields = {
        **_fields(request),
        "host": _host(request),
        "bytes_sent": len(request.body),
        "layers": list(layers),
    }
    log.debug(
        "%s: try %d, to %s, %d bytes, through %s",
        request.label,
        request.attempt,
        fields["host"],
        fields["bytes_sent"],
        " > ".join(layers) or "no layer",
        extra=fields,
    )


def answered(request: Request, response: Response, seconds: float) -> None:
    """The line of an attempt whose answer has begun to arrive."""
    level = logging.INFO if response.ok else logging.WARNING
    if not log.isEnabledFor(level):
        return
    request_id = clean(response.request_id)
    fields = {
        **_fields(request, seconds, "answered"),
        "status": response.status_code,
        "request_id": request_id,
    }
    text, more = "%s: %d in %.0f ms (try %d%s)", ""
    if request_id is not None:
        more = f", Request-ID {request_id}"
    size = _number(response.headers.get("Content-Length"))
    if size is not None and log.isEnabledFor(logging.DEBUG):
        fields["bytes_received"] = size
        more += f", {size} bytes"
    log.log(
        level,
        text,
        request.label,
        response.status_code,
        seconds * 1000,
        request.attempt,
        more,
        extra=fields,
    )


def failed(request: Request, error: WeChatPayError, seconds: float) -> None:
    """The line of an attempt that ended without an answer. Not the error's text."""
    _unanswered(request, type(error).__name__, error.outcome or "unknown", seconds)


def left(request: Request, seconds: float) -> None:
    """The line of an attempt that was given up: a cancelled call, or Ctrl-C."""
    _unanswered(request, "abandoned", "unknown", seconds)


def _unanswered(request: Request, error: str, outcome: str, seconds: float) -> None:
    log.warning(
        "%s: %s after %.0f ms (try %d, %s)",
        request.label,
        error,
        seconds * 1000,
        request.attempt,
        outcome,
        extra={**_fields(request, seconds, outcome), "error": error},
    )


def _fields(
    request: Request, seconds: float | None = None, outcome: str | None = None
) -> dict[str, object]:
    """What every record has, for formatters that write fields; ``None`` if unknown."""
    return {
        "method": request.method,
        "template": masked(request.template),
        "attempt": request.attempt,
        "status": None,
        "request_id": None,
        "ms": None if seconds is None else round(seconds * 1000, 3),
        "outcome": outcome,
        "error": None,
    }


def clean(text: str | None) -> str | None:
    """*text* of a peer as one word: no line of a log is to be forged."""
    return None if not text else re.sub(r"[^!-~]", "?", text)[:128]


def _host(request: Request) -> str:
    return request.url.partition("://")[2].partition("/")[0].rpartition("@")[2]


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,15}", text) else None


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes what no other handler would: a program with its own gets no line twice.

    It looks at each record, for a program may set up its logging after the first
    client is built.
    """

    def emit(self, record: logging.LogRecord) -> None:
        if not _is_heard(record, self):
            self.stream = sys.stderr  # as it is now: tests and daemons exchange it
            super().emit(record)


def _is_heard(record: logging.LogRecord, but: logging.Handler) -> bool:
    """Whether a handler other than *but* takes *record*."""
    logger: logging.Logger | None = logging.getLogger(record.name)
    while logger is not None:
        for handler in logger.handlers:
            silent = handler is but or isinstance(handler, logging.NullHandler)
            if not silent and record.levelno >= handler.level:
                return True
        logger = logger.parent if logger.propagate else None
    return False


_handler = _Stderr()
_handler.setFormatter(logging.Formatter(_FORMAT))


@cache
def configure() -> None:
    """Do what ``WECHATPAY_LOG`` says, once: set the level, and write to stderr.

    Raises ``ConfigurationError`` for a level that there is not.
    """
    text = os.environ.get(VARIABLE, "").strip().upper()
    if not text:
        return
    level = _LEVELS.get(text)
    del text  # it may be a key in the wrong place, and tracebacks show local variables
    if level is None:
        raise ConfigurationError(f"{VARIABLE}: debug, info or warning expected")
    logger = logging.getLogger(ROOT)
    logger.addHandler(_handler)  # one, however many threads are here
    logger.setLevel(level)
