"""Faults in calls: of the protocol, of the transport, of the signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..._messages import Body, Response
from ..checks import given
from ..refusals import CODES, Internal, Refusal
from ..v2 import envelope as v2_envelope
from . import lines, signatures
from .fault import Act, CallFault
from .lines import Line
from .signatures import WAYS, resigned, spoil

# Protocol.


@dataclass(frozen=True)
class ErrorAnswer(CallFault):
    """An error, by default 500 ``SYSTEM_ERROR``.

    Nothing was done, but with *after_commit*: WeChat Pay did it and failed afterwards.
    """

    kind: ClassVar[str] = "error"
    code: str = "SYSTEM_ERROR"
    #: HTTP status, by default that of the code.
    status: int = 0
    message: str = ""
    after_commit: bool = False

    def __post_init__(self) -> None:
        given.one_of("code", self.code, sorted(CODES))
        if self.status != 0 or type(self.status) is not int:
            given.whole("status", self.status, least=400, most=599)
        given.text("message", self.message)
        given.truth("after_commit", self.after_commit)

    def play(self, act: Act) -> tuple[Response | None, Line | None]:
        """The error."""
        if self.after_commit:
            act.commit()
        refusal = Refusal(
            self.code,
            message=self.message,
            status=self.status,
            detail={"sandbox": {"id": "fault", "message": "a fault was asked for"}},
            number=Internal.OUT_OF_RANGE,
        )
        return act.refuse(refusal), None


@dataclass(frozen=True)
class MalformedBody(CallFault):
    """The answer's JSON breaks off, and is signed as it is."""

    kind: ClassVar[str] = "malformed_body"

    def play(self, act: Act) -> tuple[Response | None, Line | None]:
        """The answer, less its end."""
        response = act.commit()
        return _with_body(act, response, response.content[:-1] or b"{"), None


@dataclass(frozen=True)
class EmptyBody(CallFault):
    """The answer has no body, and is signed as it is."""

    kind: ClassVar[str] = "empty_body"

    def play(self, act: Act) -> tuple[Response | None, Line | None]:
        """The answer's status and headers."""
        return _with_body(act, act.commit(), b""), None


def _with_body(act: Act, response: Response, body: bytes) -> Response:
    headers = response.headers.merge({"Content-Length": str(len(body))})
    changed = response.replace(headers=headers, body=Body(body))
    return changed.replace(headers=resigned(changed, act.keys))


# Transport.


@dataclass(frozen=True)
class ConnectionRefused(CallFault):
    """No connection comes about; nothing is done."""

    kind: ClassVar[str] = "connection_refused"

    def play(self, act: Act) -> tuple[Response | None, Line | None]:
        """No answer."""
        del act
        return None, Line(lines.REFUSED)


@dataclass(frozen=True)
class ReplyLost(CallFault):
    """The connection breaks: it was done and the answer is lost.

    With ``after_commit=False`` it breaks before anything was done.
    """

    kind: ClassVar[str] = "reply_lost"
    after_commit: bool = True

    def __post_init__(self) -> None:
        given.truth("after_commit", self.after_commit)

    def play(self, act: Act) -> tuple[Response | None, Line | None]:
        """No answer."""
        if self.after_commit:
            act.commit()
        return None, Line(lines.RESET)


@dataclass(frozen=True)
class Slow(CallFault):
    """It is done at once, and the answer takes its time."""

    kind: ClassVar[str] = "slow"
    seconds: float = 40.0

    def __post_init__(self) -> None:
        given.number("seconds", self.seconds)

    def play(self, act: Act) -> tuple[Response | None, Line | None]:
        """The answer, late."""
        return act.commit(), Line(lines.SLOW, self.seconds)


@dataclass(frozen=True)
class Trickle(CallFault):
    """The answer comes byte by byte, *seconds* apart."""

    kind: ClassVar[str] = "trickle"
    seconds: float = 1.0

    def __post_init__(self) -> None:
        given.number("seconds", self.seconds)

    def play(self, act: Act) -> tuple[Response | None, Line | None]:
        """The answer, drop by drop."""
        return act.commit(), Line(lines.TRICKLE, self.seconds)


@dataclass(frozen=True)
class Truncated(CallFault):
    """It is done, and the connection breaks in the middle of the answer."""

    kind: ClassVar[str] = "truncated"

    def play(self, act: Act) -> tuple[Response | None, Line | None]:
        """The answer, of which half arrives."""
        return act.commit(), Line(lines.CUT)


# Signature.


@dataclass(frozen=True)
class WrongSignature(CallFault):
    """The signature of an answer, or of a notification, does not hold.

    *way* is one of ``"bad"``, ``"missing"``, ``"unknown"`` (serial), ``"expired"``,
    ``"switched"`` (the other of WeChat Pay's keys) and ``"probe"`` (签名探测).
    """

    kind: ClassVar[str] = "wrong_signature"
    way: str = signatures.BAD

    def __post_init__(self) -> None:
        given.one_of("way", self.way, WAYS)

    def play(self, act: Act) -> tuple[Response | None, Line | None]:
        """The answer, signed wrongly."""
        response, gateway = act.commit(), act.gateway
        if v2_envelope.is_xml(response):
            body = v2_envelope.otherwise(response.content)
            return response.replace(body=body), None
        headers = spoil(self.way, response, act.keys, gateway.clock())
        return response.replace(headers=headers), None
