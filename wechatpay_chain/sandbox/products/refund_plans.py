"""How refunds (退款) go on after they were accepted: configuration, no state.

``gateway.refunding`` takes one of these, :class:`.After`, :class:`.Manual` or
``"immediate"``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Union

from ..checks import given
from .deductions import After, Manual

#: What a call for a refund can be refused with whatever it holds (payscore 10.4).
REFUSALS = ("NOT_ENOUGH", "USER_ACCOUNT_ABNORMAL", "REQUEST_BLOCKED", "RULE_LIMIT")


@dataclass(frozen=True)
class Abnormal:
    """The money cannot reach the user, whose account or card is closed (退款异常)."""

    #: From the call, or from the second way.
    seconds: float = 0

    def __post_init__(self) -> None:
        given.number("seconds", self.seconds)


@dataclass(frozen=True)
class Closed:
    """The refund is closed (退款关闭), and nothing is paid back."""

    seconds: float = 0

    def __post_init__(self) -> None:
        given.number("seconds", self.seconds)


@dataclass(frozen=True)
class Refused:
    """Each new call for a refund is refused: ``Refused("NOT_ENOUGH")``.

    That is what happens where the merchant's balance is too low. Raises ``ValueError``
    for a code that no refund is refused with.
    """

    code: str = "NOT_ENOUGH"

    def __post_init__(self) -> None:
        given.one_of("code", self.code, REFUSALS)


#: How refunds go.
Refunding = Union[After, Manual, Abnormal, Closed, Refused, Literal["immediate"]]


def check(plan: object) -> None:
    """Raise ``TypeError`` for what is no plan."""
    if plan != "immediate" and not isinstance(
        plan, (After, Manual, Abnormal, Closed, Refused)
    ):
        raise TypeError(
            'refunding: "immediate", After(...), Abnormal(), Closed(), Refused(...) '
            f"or Manual() expected, got {given.shown(plan)}"
        )
