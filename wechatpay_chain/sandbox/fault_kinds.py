"""All kinds of faults, by the names that the control API has for them."""

from __future__ import annotations

from .fault import Fault
from .fault_business import CertificateExpiring, DeductionFails, RefundAbnormal
from .fault_calls import (
    ConnectionRefused,
    EmptyBody,
    ErrorAnswer,
    MalformedBody,
    ReplyLost,
    Slow,
    Trickle,
    Truncated,
    WrongSignature,
)
from .fault_carriage import Delayed, Duplicated, Never, Reordered

#: All kinds, by name.
KINDS: dict[str, type[Fault]] = {
    one.kind: one
    for one in (
        *(ErrorAnswer, MalformedBody, EmptyBody),
        *(ConnectionRefused, ReplyLost, Slow, Trickle, Truncated),
        *(WrongSignature, DeductionFails, RefundAbnormal, CertificateExpiring),
        *(Duplicated, Delayed, Reordered, Never),
    )
}
