"""The layers of a call, and what a user needs to write one.

Every layer is a generator function of a request; none imports an HTTP library, and none
is written twice for async.
"""

from .._flow import (
    Call,
    Close,
    Command,
    Compute,
    Fetch,
    Flow,
    Layer,
    Read,
    Sleep,
    Step,
    call,
    close,
    compute,
    fetch,
    read,
    send,
    sleep,
)
from .._messages import Body, Headers, Request, Response
from .._stack import Stack
from .decorators import around, middleware
from .retrying import Retry, RetryPolicy

__all__ = [
    "Body",
    "Call",
    "Close",
    "Command",
    "Compute",
    "Fetch",
    "Flow",
    "Headers",
    "Layer",
    "Read",
    "Request",
    "Response",
    "Retry",
    "RetryPolicy",
    "Sleep",
    "Stack",
    "Step",
    "around",
    "call",
    "close",
    "compute",
    "fetch",
    "middleware",
    "read",
    "send",
    "sleep",
]
