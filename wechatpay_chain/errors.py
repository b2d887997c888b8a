"""Every exception that this package raises, in one tree.

    WeChatPayError
    ├── ConfigurationError      an option is wrong (also a ValueError)
    ├── TemplateError           a path or placeholder is wrong (also a TypeError)
    ├── LayerError              a layer breaks the contract (also a TypeError)
    ├── EncodeError             a body or header cannot be sent (ValueError, TypeError)
    ├── CheckError              the catalogue says that this is wrong (check="strict")
    ├── TransportError          no complete answer arrived
    │   ├── ConnectError        no connection: refused, DNS, TLS, proxy
    │   │   └── ConnectTimeout
    │   ├── WriteError          the request was cut off while being sent
    │   │   └── WriteTimeout
    │   └── ReadError           the answer was cut off or unreadable
    │       └── ReadTimeout
    ├── APIError                WeChat Pay answered with an error
    │   ├── BadRequest          400
    │   ├── Unauthorized        401
    │   ├── Forbidden           403
    │   ├── NotFound            404
    │   ├── RateLimited         429
    │   └── ServerError         5xx
    ├── SignatureError          the answer is not proven to be WeChat Pay's
    │   ├── MissingHeaders
    │   ├── ClockSkew
    │   ├── UnknownSerial
    │   └── InvalidSignature
    ├── DecodeError             a signed answer is not what its content type says
    ├── DecryptionError         a ciphertext cannot be decrypted
    └── NotificationError       a notification was refused

Beside it stands ``CheckWarning``, a ``UserWarning``: a warning, not an error.

This module knows no other module of the package. An error holds facts, never a
key, never a request body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, NamedTuple

#: What is known about the operation after an error. ``"not_sent"``: nothing left
#: this machine. ``"refused"``: WeChat Pay answered that nothing was done.
#: ``"unknown"``: it may have been carried out, so query it, or repeat it with the
#: same number; never pay again under a new one.
Outcome = Literal["not_sent", "refused", "unknown"]


#: What a peer may have sent, and would forge a line of a log, or is no text at all.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
#: Characters of WeChat's reason that the text of an error shows.
_REASON = 200


class SentRequest(NamedTuple):
    """The request that an error belongs to: nothing secret, safe to log."""

    method: str
    url: str

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


class WeChatPayError(Exception):
    """Root of every error of this package."""

    #: The request that was under way, or ``None`` before one was started.
    request: SentRequest | None = None
    #: Whether the operation may have happened; ``None`` outside of a call.
    outcome: Outcome | None = None

    def __init__(
        self,
        message: str = "",
        *,
        request: SentRequest | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        super().__init__(_UNFIT.sub("?", str(message)))
        if request is not None:
            self.request = request
        if outcome is not None:
            self.outcome = outcome

    def __reduce__(self) -> tuple[Any, ...]:
        # Subclasses have keyword-only parameters, which the default cannot pass.
        return _rebuild, (type(self), self.args), self.__dict__


def _rebuild(kind: type[WeChatPayError], args: tuple[Any, ...]) -> WeChatPayError:
    error = kind.__new__(kind, *args)
    error.args = args
    return error


class ConfigurationError(WeChatPayError, ValueError):
    """An option is wrong; the message says which and how to mend it."""

    outcome: Outcome | None = "not_sent"


class TemplateError(WeChatPayError, TypeError):
    """A path, a placeholder or its value is wrong. Nothing was sent."""

    outcome: Outcome | None = "not_sent"


class EncodeError(WeChatPayError, ValueError, TypeError):
    """A body, query or header cannot be put on the wire. Nothing was sent."""

    outcome: Outcome | None = "not_sent"


class Problem(NamedTuple):
    """One thing that is wrong with a request, as the catalogue sees it.

    >>> print(Problem("amount.total", "type", "str", "an integer"))
    amount.total: an integer expected, got str (type)
    """

    #: Where: ``receivers[0].name`` in the body, ``?limit`` in the query,
    #: ``{out_order_no}`` in the path.
    path: str
    #: ``required``, ``unknown``, ``repeated``, ``type``, ``enum``, ``length``,
    #: ``range``, ``pattern``, ``format``, ``items``, ``choice``, ``body``,
    #: ``placeholder`` or ``method``.
    rule: str
    #: What was given, in words: of a text its type and length, never a private one.
    got: str
    #: What the documents ask for.
    expected: str

    def __str__(self) -> str:
        return f"{self.path}: {self.expected} expected, got {self.got} ({self.rule})"


class CheckError(WeChatPayError):
    """The request does not fit the catalogue, and ``check="strict"`` did not send it.

    The text names the problems; :attr:`problems` has all of them as values.
    """

    outcome: Outcome | None = "not_sent"

    def __init__(
        self,
        message: str = "",
        *,
        problems: Iterable[Problem] = (),
        request: SentRequest | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        #: Everything that is wrong: what is certain first, then path, query, body.
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(message, request=request, outcome=outcome)


class CheckWarning(UserWarning):
    """The request does not fit the catalogue; it is sent all the same."""


class LayerError(WeChatPayError, TypeError):
    """A layer of a stack breaks the contract of middleware; the message names it."""


class TransportError(WeChatPayError):
    """No complete answer arrived; ``__cause__`` is the HTTP library's own error."""

    outcome: Outcome | None = "unknown"
    #: Whether a kept-alive connection ended without a byte of an answer: most likely
    #: the other side had closed it while it was idle, and has read nothing.
    stale: bool = False


class ConnectError(TransportError):
    """No connection could be made (refused, DNS, TLS, proxy); nothing was sent."""

    outcome: Outcome | None = "not_sent"


class ConnectTimeout(ConnectError):
    """Connecting took longer than the connect timeout; nothing was sent."""


class WriteError(TransportError):
    """The connection broke while the request was being sent."""


class WriteTimeout(WriteError):
    """Sending the request took longer than the timeout."""


class ReadError(TransportError):
    """The connection broke before the answer was complete, or it was not HTTP."""


class ReadTimeout(ReadError):
    """No answer, or no further part of it, within the read timeout."""


class APIError(WeChatPayError):
    """WeChat Pay answered with an error (protocol section 10).

    Subclasses go by HTTP status. Branch on :meth:`is_code`: spellings differ
    between generations of the API.
    """

    _by_status: ClassVar[dict[int, type[APIError]]] = {}

    def __init__(
        self,
        message: str = "",
        *,
        status_code: int = 0,
        code: str | None = None,
        detail: Any = None,
        request_id: str | None = None,
        response: Any = None,
        explanation: str | None = None,
        request: SentRequest | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        #: HTTP status of the answer.
        self.status_code = status_code
        #: WeChat's error code as received, ``None`` on a page without one.
        self.code = code
        #: WeChat's text for people; may change, and follows ``Accept-Language``.
        self.message = message
        #: The ``detail`` member of the answer, as received.
        self.detail = detail
        #: ``Request-ID`` of the answer: what WeChat's support asks for.
        self.request_id = request_id
        #: The whole reply.
        self.response = response
        #: For a 401: which mistake in signing it was, where, and what to do next.
        self.explanation = explanation
        parts = [f"HTTP {status_code}", code, message or None]
        text = " ".join(part for part in parts if part)
        text += _reason(detail, message)
        if request is not None:
            text += f" ({request})"
        if request_id:
            text += f" [Request-ID {request_id}]"
        if explanation:
            text += f"; {explanation}"
        super().__init__(text, request=request, outcome=outcome)

    @property
    def err_code(self) -> str | None:
        """The APIv2 name of :attr:`code`."""
        return self.code

    def is_code(self, *codes: str) -> bool:
        """Tell whether the code is one of *codes*, without regard to ``_`` and spaces.

        >>> APIError(code="ORDERNOTEXIST").is_code("ORDER_NOT_EXIST")
        True
        """
        return self.code is not None and _plain(self.code) in map(_plain, codes)

    @classmethod
    def for_status(cls, status: int) -> type[APIError]:
        """Return the class for an HTTP status."""
        return ServerError if status >= 500 else cls._by_status.get(status, APIError)


def _reason(detail: Any, message: str) -> str:
    """Field and issue of *detail*, where *message* lacks them; never the value."""
    given: Any = detail  # mypy narrows by itself, pyright would not know the items
    if not isinstance(detail, Mapping):
        return ""
    told = [given.get(name) for name in ("field", "issue")]
    new = [one for one in told if isinstance(one, str) and one and one not in message]
    reason = " ".join(": ".join(new).split())
    reason = reason if len(reason) <= _REASON else f"{reason[:_REASON]}..."
    return f" ({reason})" if reason else ""


def _plain(code: str) -> str:
    return re.sub(r"[_\s]", "", code).upper()


class BadRequest(APIError):
    """400: wrong parameters, or a business rule."""


class Unauthorized(APIError):
    """401: the signature was refused; ``explanation`` names the mistake."""


class Forbidden(APIError):
    """403: no permission, or a business refusal."""


class NotFound(APIError):
    """404: no such order, resource or route."""


class RateLimited(APIError):
    """429: too often."""


class ServerError(APIError):
    """5xx: WeChat Pay could not say whether it was done."""


APIError._by_status.update(
    {
        400: BadRequest,
        401: Unauthorized,
        403: Forbidden,
        404: NotFound,
        429: RateLimited,
    }
)


class SignatureError(WeChatPayError):
    """A message is not proven to come from WeChat Pay (protocol section 5)."""

    def __init__(
        self,
        message: str = "",
        *,
        serial: str | None = None,
        timestamp: str | None = None,
        request: SentRequest | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        #: ``Wechatpay-Serial`` as received.
        self.serial = serial
        #: ``Wechatpay-Timestamp`` as received.
        self.timestamp = timestamp
        super().__init__(message, request=request, outcome=outcome)


class MissingHeaders(SignatureError):
    """One or more of the four signature headers are absent."""


class ClockSkew(SignatureError):
    """The timestamp is more than 300 s away from the local clock."""


class UnknownSerial(SignatureError):
    """Signed with a WeChat key that is not in the key ring."""


class InvalidSignature(SignatureError):
    """The signature does not match the message, or cannot be read at all."""


class DecodeError(WeChatPayError):
    """A verified answer is not what its content type says."""

    outcome: Outcome | None = "unknown"


class DecryptionError(WeChatPayError):
    """A ciphertext cannot be decrypted: wrong key, changed text or associated data."""


class NotificationError(WeChatPayError):
    """A notification was refused; ``__cause__`` is the error that was met."""

    def __init__(
        self,
        message: str = "",
        *,
        status_code: int = 400,
        version: Literal["v2", "v3"] = "v3",
    ) -> None:
        #: The HTTP status to answer with.
        self.status_code = status_code
        #: ``"v2"`` for one in XML, which is answered in XML.
        self.version: Literal["v2", "v3"] = version
        super().__init__(message)


__all__ = [
    "APIError",
    "BadRequest",
    "CheckError",
    "CheckWarning",
    "ClockSkew",
    "ConfigurationError",
    "ConnectError",
    "ConnectTimeout",
    "DecodeError",
    "DecryptionError",
    "EncodeError",
    "Forbidden",
    "InvalidSignature",
    "LayerError",
    "MissingHeaders",
    "NotFound",
    "NotificationError",
    "Outcome",
    "Problem",
    "RateLimited",
    "ReadError",
    "ReadTimeout",
    "SentRequest",
    "ServerError",
    "SignatureError",
    "TemplateError",
    "TransportError",
    "Unauthorized",
    "UnknownSerial",
    "WeChatPayError",
    "WriteError",
    "WriteTimeout",
]
