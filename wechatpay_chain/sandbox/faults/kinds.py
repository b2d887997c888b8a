"""All kinds of faults, by the names that the control API has for them."""

from __future__ import annotations

from .business import CertificateExpiring, DeductionFails, RefundAbnormal
from .calls import (
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
from .carriage import Delayed, Duplicated, Never, Reordered
from .fault import Fault

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
