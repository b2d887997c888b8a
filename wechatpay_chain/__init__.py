"""A pluggable, chained, dynamic-path client for WeChat Pay (微信支付).

>>> from wechatpay_chain import expression
>>> expression("v3/payscore/serviceorder/{out_order_no}/cancel")
'client.v3.payscore.serviceorder._out_order_no_.cancel'
"""

from logging import NullHandler as _NullHandler
from logging import getLogger as _getLogger
from typing import TYPE_CHECKING as _TYPE_CHECKING

from ._chain import expression
from ._flow import (
    Call,
    Close,
    Compute,
    Fetch,
    Flow,
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
from ._messages import Headers, Request, Response
from ._node import Node
from ._reply import Reply
from ._stack import Stack
from ._version import __version__
from .client import WeChatPay
from .errors import (
    APIError,
    BadRequest,
    CheckError,
    CheckWarning,
    ClockSkew,
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    DecodeError,
    DecryptionError,
    EncodeError,
    Forbidden,
    InvalidSignature,
    LayerError,
    MissingHeaders,
    NotFound,
    NotificationError,
    Outcome,
    Problem,
    RateLimited,
    ReadError,
    ReadTimeout,
    SentRequest,
    ServerError,
    SignatureError,
    TemplateError,
    TransportError,
    Unauthorized,
    UnknownSerial,
    WeChatPayError,
    WriteError,
    WriteTimeout,
)
from .middleware import around, middleware
from .middleware.retrying import Retry, RetryPolicy
from .transports import AsyncMemoryTransport, MemoryTransport

if _TYPE_CHECKING:
    from .crypto import KeyRing


def __getattr__(name: str) -> object:
    # With the loaders of all forms of keys behind it, which few programs name.
    if name == "KeyRing":
        from .crypto import KeyRing

        return KeyRing
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_getLogger(__name__).addHandler(_NullHandler())

__all__ = [
    "APIError",
    "AsyncMemoryTransport",
    "BadRequest",
    "Call",
    "CheckError",
    "CheckWarning",
    "ClockSkew",
    "Close",
    "Compute",
    "ConfigurationError",
    "ConnectError",
    "ConnectTimeout",
    "DecodeError",
    "DecryptionError",
    "EncodeError",
    "Fetch",
    "Flow",
    "Forbidden",
    "Headers",
    "InvalidSignature",
    "KeyRing",
    "LayerError",
    "MemoryTransport",
    "MissingHeaders",
    "Node",
    "NotFound",
    "NotificationError",
    "Outcome",
    "Problem",
    "RateLimited",
    "Read",
    "ReadError",
    "ReadTimeout",
    "Reply",
    "Request",
    "Response",
    "Retry",
    "RetryPolicy",
    "SentRequest",
    "ServerError",
    "SignatureError",
    "Sleep",
    "Stack",
    "Step",
    "TemplateError",
    "TransportError",
    "Unauthorized",
    "UnknownSerial",
    "WeChatPay",
    "WeChatPayError",
    "WriteError",
    "WriteTimeout",
    "__version__",
    "around",
    "call",
    "close",
    "compute",
    "expression",
    "fetch",
    "middleware",
    "read",
    "send",
    "sleep",
]
