"""Recipes of base payment (基础支付), refunds, self-test. See :mod:`.recipes`."""

from __future__ import annotations

from typing import Any

from ..lifecycles.trades import RefundState
from .kinds import Recipe, Stage


def created(
    stage: Stage,
    *,
    out_trade_no: str | None = None,
    amount: int = 100,
    form: str = "jsapi",
    partner: bool = False,
) -> dict[str, str]:
    """A payment is ordered: jsapi, app, h5 or native."""
    forms = ("jsapi", "app", "h5", "native")
    if form not in forms:
        raise ValueError(f"form: one of {', '.join(forms)} expected, got {form[:64]!r}")
    changes: dict[str, Any] = {
        "notify_url": stage.notify_url,
        "amount": {"total": amount, "currency": "CNY"},
    }
    if out_trade_no is not None:
        changes["out_trade_no"] = out_trade_no
    body = stage.gateway.given.payment_body(form, partner=partner, **changes)
    pay = stage.client.v3.pay
    (pay.partner if partner else pay).transactions[form].post(body)
    return {"out_trade_no": body["out_trade_no"]}


def success(
    stage: Stage,
    *,
    out_trade_no: str | None = None,
    amount: int = 100,
    form: str = "jsapi",
    partner: bool = False,
) -> dict[str, str]:
    """A payment is ordered and paid."""
    made = created(
        stage, out_trade_no=out_trade_no, amount=amount, form=form, partner=partner
    )
    number = made["out_trade_no"]
    stage.gateway.user.pay(number)
    return {
        **made,
        "transaction_id": stage.gateway.payments[number].transaction_id or "",
    }


def closed(
    stage: Stage, *, out_trade_no: str | None = None, amount: int = 100
) -> dict[str, str]:
    """A payment is ordered and closed."""
    made = created(stage, out_trade_no=out_trade_no, amount=amount)
    number = stage.client.v3.pay.transactions.outTradeNo._out_trade_no_
    number.close.post({"mchid": stage.gateway.mchid}, out_trade_no=made["out_trade_no"])
    return made


def asked(
    stage: Stage, *, out_refund_no: str | None = None, amount: int = 100
) -> dict[str, str]:
    """A payment is paid, and a refund of it asked for."""
    made = success(stage, amount=amount)
    changes: dict[str, Any] = {"notify_url": stage.notify_url}
    if out_refund_no is not None:
        changes["out_refund_no"] = out_refund_no
    body: Any = stage.gateway.given.refund_body(made["out_trade_no"], **changes)
    reply = stage.client.v3.refund.domestic.refunds.post(body)
    return {
        **made,
        "out_refund_no": body["out_refund_no"],
        "refund_id": reply["refund_id"],
    }


def refunded(
    stage: Stage, *, out_refund_no: str | None = None, amount: int = 100
) -> dict[str, str]:
    """A refund arrives."""
    return _ended(stage, "SUCCESS", out_refund_no, amount)


def abnormal(
    stage: Stage, *, out_refund_no: str | None = None, amount: int = 100
) -> dict[str, str]:
    """A refund cannot reach the user's card."""
    return _ended(stage, "ABNORMAL", out_refund_no, amount)


def refund_closed(
    stage: Stage, *, out_refund_no: str | None = None, amount: int = 100
) -> dict[str, str]:
    """A refund is closed."""
    return _ended(stage, "CLOSED", out_refund_no, amount)


def _ended(
    stage: Stage, outcome: str, out_refund_no: str | None, amount: int
) -> dict[str, str]:
    made = asked(stage, out_refund_no=out_refund_no, amount=amount)
    number = made["out_refund_no"]
    # By another plan than the usual one it may have ended so already.
    state = stage.gateway.refunds[number].state
    if state is RefundState.PROCESSING or state.value != outcome:
        stage.gateway.bank.settle_refund(number, outcome)
    return made


def echo(stage: Stage, *, echo_message: str = "hello") -> dict[str, str]:
    """The self-test of signatures sends its notification."""
    stage.client.v3.security.echo.post(
        {"echo_message": echo_message, "notify_url": stage.notify_url}
    )
    return {"echo_message": echo_message}


#: The recipes of this book.
TABLE: tuple[Recipe, ...] = (
    Recipe("transaction.created", (), created),
    Recipe("transaction.success", ("TRANSACTION.SUCCESS",), success),
    Recipe("transaction.closed", (), closed),
    Recipe("refund.created", (), asked),
    Recipe("refund.success", ("REFUND.SUCCESS",), refunded),
    Recipe("refund.abnormal", ("REFUND.ABNORMAL",), abnormal),
    Recipe("refund.closed", ("REFUND.CLOSED",), refund_closed),
    Recipe("security_echo.success", ("SECURITY_ECHO.SUCCESS",), echo),
)
