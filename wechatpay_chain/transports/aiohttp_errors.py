"""What broke an exchange over aiohttp, as errors of this package.

Nothing private goes along: aiohttp repeats headers and URLs in errors of its own.
"""

from __future__ import annotations

import asyncio

import aiohttp

# Dependencies of aiohttp.
from multidict import CIMultiDict, CIMultiDictProxy

from .._messages import Request
from ..errors import (
    ConnectError,
    ConnectTimeout,
    ReadError,
    ReadTimeout,
    TransportError,
    WriteError,
)
from .aiohttp_connections import Failure
from .base import by_deadline, described


def translate(
    failure: Failure, request: Request, deadline: float | None
) -> TransportError:
    """Our error for *failure*, which ended *request*; *deadline*: its seconds."""
    sent, error = request.sent(), failure.error
    connect, read = request.timeout
    late = isinstance(error, asyncio.TimeoutError)
    if isinstance(error, aiohttp.ClientResponseError):
        _hide_headers(error)
    made: TransportError
    if failure.phase == "connect":
        within = by_deadline(deadline) if failure.overdue else f"within {connect} s"
        if late:
            return ConnectTimeout(f"no connection {within}", request=sent)
        return ConnectError(f"no connection: {described(error)}", request=sent)
    if late:
        within = by_deadline(deadline) if failure.overdue else f"within {read} s"
        return ReadTimeout(f"no answer {within}", request=sent)
    made = read_error(error, request)
    made.stale = failure.stale
    return made


def write_error(error: Exception, request: Request) -> WriteError:
    """Our error for what broke the sending of a large body."""
    return WriteError(
        f"cut off while sending: {described(error)}", request=request.sent()
    )


def read_error(error: Exception, request: Request) -> ReadError:
    """Our error for what broke an answer that had begun, or was to begin."""
    return ReadError(
        f"the answer was cut off: {described(error)}", request=request.sent()
    )


def _hide_headers(error: aiohttp.ClientResponseError) -> None:
    """Take from *error* what may be private, and it would repeat.

    A proxy's password may be among the headers, a number or an openid in the URL, and
    what a peer sent in the message.
    """
    info = error.request_info
    error.message = ""
    error.request_info = aiohttp.RequestInfo(
        info.url, info.method, CIMultiDictProxy(CIMultiDict[str]()), info.real_url
    )
    error.args = (error.request_info, error.history)
