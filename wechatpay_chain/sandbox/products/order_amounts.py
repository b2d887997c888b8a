"""How much a PayScore order may cost: payscore section 5, rules 3 to 5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..refusals import Internal, Refusal, refused
from ..world import Service
from .orders import Order

#: Names of risk funds by which a service waives a deposit: exempt-first (先免).
EXEMPT = frozenset({"DEPOSIT", "ADVANCE", "CASH_DEPOSIT"})


def is_exempt(request: Mapping[str, Any]) -> bool:
    """Whether the order was created for an exempt-first (先免) service."""
    fund = request.get("risk_fund")
    return fund is not None and fund["name"] in EXEMPT


def check_creation(service: Service, body: Mapping[str, Any]) -> None:
    """Risk fund and expected payments stay below the ceiling (rule 3)."""
    amounts = {"risk_fund": body["risk_fund"]["amount"]}
    if not body.get("post_discounts"):
        payments = body.get("post_payments", ())
        amounts["post_payments"] = sum(one.get("amount", 0) for one in payments)
    for name, amount in amounts.items():
        if amount > service.ceiling:
            raise _above(
                f"{name} is {amount} fen, the service allows {service.ceiling}",
                "创建订单的订单风险金额超过此服务的服务风险金额",
            )


def check_total(service: Service, request: Mapping[str, Any], total: int) -> None:
    """The total stays below what the mode of the order allows (rule 4).

    Exempt-first (先免) it is the risk fund of the order; else the service's ceiling.
    """
    limit, whose = service.ceiling, "the service"
    if is_exempt(request) and service.needs_confirm:
        fund = request["risk_fund"]["amount"]
        limit, whose = min(limit, fund), "the risk fund of the order"
    if total > limit:
        raise _above(
            f"total_amount is {total} fen, {whose} allows {limit}",
            "订单总金额超过订单风险金额",
        )


def check_lower(order: Order, total: int) -> None:
    """A modification lowers the total, and no deposit was paid (rule 5)."""
    if order.deposit_paid:
        raise refused(
            "INVALID_REQUEST",
            "deposit_paid",
            "the user paid a deposit for this order; its amount cannot be modified",
            number=Internal.OUT_OF_RANGE,
        )
    if order.total_amount is not None and total >= order.total_amount:
        raise refused(
            "INVALID_REQUEST",
            "not_lower",
            f"total_amount is {total} fen, it must be below {order.total_amount}",
            message="修改后的金额必须小于当前订单金额",
            number=Internal.OUT_OF_RANGE,
        )


def _above(sentence: str, message: str) -> Refusal:
    return refused(
        "INVALID_REQUEST",
        "above_ceiling",
        sentence,
        message=message,
        number=Internal.ABOVE_CEILING,
    )
