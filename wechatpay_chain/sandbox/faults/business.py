"""Faults of business: money that does not come, certificates about to end.

Each changes how the gateway is set up for one call alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..._messages import Response
from ..checks import given
from ..products.deductions import Fails
from ..products.refund_plans import Abnormal
from ..signatures.keys import certificate
from .fault import Act, CallFault
from .lines import Line

#: How long ago a certificate that is listed may have expired: it is a year old.
_AGE = 364 * 24 * 3600


@dataclass(frozen=True)
class DeductionFails(CallFault):
    """The deduction (扣款) that this call brings about fails."""

    kind: ClassVar[str] = "deduction_fails"
    reason: str = "insufficient"

    def __post_init__(self) -> None:
        given.text("reason", self.reason)

    def play(self, act: Act) -> tuple[Response | None, Line | None]:
        """The answer; the order stays unpaid."""
        gateway = act.gateway
        before, gateway.deduction = gateway.deduction, Fails(self.reason)
        try:
            return act.commit(), None
        finally:
            gateway.deduction = before


@dataclass(frozen=True)
class RefundAbnormal(CallFault):
    """The refund that this call asks for ends ``ABNORMAL`` (退款异常)."""

    kind: ClassVar[str] = "refund_abnormal"

    def play(self, act: Act) -> tuple[Response | None, Line | None]:
        """The answer; the refund goes wrong afterwards."""

        gateway = act.gateway
        before, gateway.refunding = gateway.refunding, Abnormal()
        try:
            return act.commit(), None
        finally:
            gateway.refunding = before


@dataclass(frozen=True)
class CertificateExpiring(CallFault):
    """The platform certificates (平台证书) that are listed expire in *seconds*."""

    kind: ClassVar[str] = "certificate_expiring"
    seconds: float = 3600.0

    def __post_init__(self) -> None:
        given.number("seconds", self.seconds, least=-_AGE)

    def play(self, act: Act) -> tuple[Response | None, Line | None]:
        """The answer, with certificates of the same keys and serials."""
        platforms, now = act.keys.platforms, act.gateway.clock()
        before = list(platforms)
        platforms[:] = [
            one._replace(
                certificate=certificate(
                    one.key,
                    serial=one.serial,
                    name="Tenpay.com",
                    now=now,
                    until=now + self.seconds,
                )
            )
            for one in before
        ]
        try:
            return act.commit(), None
        finally:
            platforms[:] = before
