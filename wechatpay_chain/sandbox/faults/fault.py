"""What a fault is: a small frozen value that decides what goes wrong.

A fault in a call decides when the state changes and what becomes of the answer, a fault
in the carriage of a notification when that goes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from ..._messages import Response
from ..recording.journal import Exchange, verdict
from ..refusals import Refusal
from ..routing import Call
from ..signatures.signing import WeChatKeys
from .lines import Line

if TYPE_CHECKING:
    from ..dialects import Dialect
    from ..gateway import Gateway
    from ..notices.notices import Notice
    from ..notices.outbox import Outbox


class Act(NamedTuple):
    """A call that a fault happens to."""

    gateway: Gateway
    dialect: Dialect
    exchange: Exchange
    call: Call

    @property
    def keys(self) -> WeChatKeys:
        """WeChat Pay's own."""
        return self.gateway._wechat

    def commit(self) -> Response:
        """Do what was asked for, and answer: a refusal too."""
        exchange = self.exchange
        assert exchange.route is not None
        try:
            answer = exchange.route.behave(self.call)
        except Refusal as refusal:
            return self.refuse(refusal)
        return self.dialect.answer(exchange, answer)

    def refuse(self, refusal: Refusal) -> Response:
        """Answer with *refusal*."""
        self.exchange.verdict = verdict(refusal.detail)
        return self.dialect.refuse(self.exchange, refusal)


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong. Its options are its fields."""

    #: The name of its kind in the control API.
    kind: ClassVar[str] = ""


@dataclass(frozen=True)
class CallFault(Fault):
    """A fault in a call."""

    def play(self, act: Act) -> tuple[Response | None, Line | None]:
        """What is answered, and how the line breaks."""
        raise NotImplementedError


@dataclass(frozen=True)
class Carriage(Fault):
    """A fault in how a notification is carried."""

    def plan(self, outbox: Outbox, notice: Notice) -> None:
        """Enter what is to be sent, and when."""
        raise NotImplementedError
