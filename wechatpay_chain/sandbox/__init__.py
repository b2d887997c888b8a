"""A local WeChat Pay gateway, to develop and test against without money.

>>> from wechatpay_chain.sandbox import Gateway
>>> gateway = Gateway(seed=1)
>>> client = gateway.client()
>>> client.v3.security.echo.post({"echo_message": "hello"}).data
{'echo_message': 'hello'}
"""

from .actors.user import IllegalMove
from .faults.business import CertificateExpiring, DeductionFails, RefundAbnormal
from .faults.calls import (
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
from .faults.carriage import Delayed, Duplicated, Never, Reordered
from .faults.fault import Fault
from .faults.rules import UnusedFaults
from .gateway import Gateway
from .lifecycles.orders import Event, State
from .lifecycles.trades import RefundState, TradeState
from .products.deductions import After, Deduction, Fails, Manual
from .products.orders import Order
from .products.refund_plans import Abnormal, Closed, Refunding, Refused
from .products.refund_record import Refund
from .products.trades import Payment
from .signatures.keys import KeySet
from .world import Clock, Ids, Service

__all__ = [
    "Abnormal",
    "After",
    "CertificateExpiring",
    "Clock",
    "Closed",
    "ConnectionRefused",
    "Deduction",
    "DeductionFails",
    "Delayed",
    "Duplicated",
    "EmptyBody",
    "ErrorAnswer",
    "Event",
    "Fails",
    "Fault",
    "Gateway",
    "Ids",
    "IllegalMove",
    "KeySet",
    "MalformedBody",
    "Manual",
    "Never",
    "Order",
    "Payment",
    "Refund",
    "RefundAbnormal",
    "RefundState",
    "Refunding",
    "Refused",
    "Reordered",
    "ReplyLost",
    "Service",
    "Slow",
    "State",
    "TradeState",
    "Trickle",
    "Truncated",
    "UnusedFaults",
    "WrongSignature",
]
