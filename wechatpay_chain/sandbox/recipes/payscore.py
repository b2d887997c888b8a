"""Recipes of PayScore (支付分): orders and authorisations. See :mod:`.recipes`."""

from __future__ import annotations

from typing import Any

from ..lifecycles.orders import State
from ..world import compact
from .kinds import Recipe, Stage


def created(
    stage: Stage,
    *,
    out_order_no: str | None = None,
    partner: bool = False,
    risk_amount: int = 10000,
) -> dict[str, str]:
    """An order is created."""
    changes: dict[str, Any] = {
        "notify_url": stage.notify_url,
        "risk_fund": {"name": "DEPOSIT", "amount": risk_amount},
    }
    if out_order_no is not None:
        changes["out_order_no"] = out_order_no
    body: Any = stage.gateway.given.create_body(partner=partner, **changes)
    payscore = stage.client.v3.payscore
    orders = payscore.partner.serviceorder if partner else payscore.serviceorder
    reply = orders.post(body)
    return {"out_order_no": body["out_order_no"], "order_id": reply["order_id"]}


def confirmed(
    stage: Stage,
    *,
    out_order_no: str | None = None,
    partner: bool = False,
    risk_amount: int = 10000,
) -> dict[str, str]:
    """An order is created, and the user confirms it."""
    made = created(
        stage, out_order_no=out_order_no, partner=partner, risk_amount=risk_amount
    )
    stage.gateway.user.confirm(made["out_order_no"])
    return made


def completed(
    stage: Stage,
    *,
    out_order_no: str | None = None,
    partner: bool = False,
    amount: int = 100,
) -> dict[str, str]:
    """A confirmed order is completed; its amount is due."""
    made = confirmed(
        stage,
        out_order_no=out_order_no,
        partner=partner,
        risk_amount=max(10000, amount),
    )
    body = {
        **_who(stage, partner),
        "post_payments": [{"name": "服务费", "amount": amount}],
        "total_amount": amount,
        "time_range": {"end_time": compact(stage.gateway.clock())},
    }
    _orders(stage, partner).complete.post(body, out_order_no=made["out_order_no"])
    return made


def paid(
    stage: Stage,
    *,
    out_order_no: str | None = None,
    partner: bool = False,
    amount: int = 100,
) -> dict[str, str]:
    """A completed order is paid by the user."""
    made = completed(stage, out_order_no=out_order_no, partner=partner, amount=amount)
    number = made["out_order_no"]
    if stage.gateway.orders[number].state is State.PAYING:  # not deducted at once
        stage.gateway.user.pay(number)
    return made


def deducted(
    stage: Stage,
    *,
    out_order_no: str | None = None,
    partner: bool = False,
    amount: int = 100,
) -> dict[str, str]:
    """A completed order is paid by deduction (扣款)."""
    made = completed(stage, out_order_no=out_order_no, partner=partner, amount=amount)
    number = made["out_order_no"]
    if stage.gateway.orders[number].state is State.PAYING:
        stage.gateway.bank.succeed(number)
    return made


def cancelled(
    stage: Stage,
    *,
    out_order_no: str | None = None,
    partner: bool = False,
    reason: str = "用户投诉",
) -> dict[str, str]:
    """A confirmed order is cancelled."""
    made = confirmed(stage, out_order_no=out_order_no, partner=partner)
    body = {**_who(stage, partner), "reason": reason}
    _orders(stage, partner).cancel.post(body, out_order_no=made["out_order_no"])
    return made


def authorized(
    stage: Stage, *, authorization_code: str | None = None
) -> dict[str, str]:
    """A user authorises the no-confirm (免确认) service."""
    gateway = stage.gateway
    code = authorization_code or gateway.ids.out_order_no()
    reply = stage.client.v3.payscore.permissions.post(
        {
            "service_id": gateway.no_confirm_service_id,
            "appid": gateway.appid,
            "authorization_code": code,
            "notify_url": stage.notify_url,
        }
    )
    gateway.user.authorize(token=reply["apply_permissions_token"])
    return {"authorization_code": code}


def unauthorized(
    stage: Stage,
    *,
    authorization_code: str | None = None,
    reason: str = "用户解除授权",
) -> dict[str, str]:
    """A user authorises the no-confirm service, and the merchant ends it."""
    made = authorized(stage, authorization_code=authorization_code)
    code = stage.client.v3.payscore.permissions.authorizationCode._authorization_code_
    body: Any = {"service_id": stage.gateway.no_confirm_service_id, "reason": reason}
    code.terminate.post(body, authorization_code=made["authorization_code"])
    return made


def _who(stage: Stage, partner: bool) -> dict[str, str]:
    """Whose order it is, as the calls about one have it."""
    gateway = stage.gateway
    who = {"service_id": gateway.service_id}
    if partner:
        return {**who, "sub_mchid": gateway.sub_mchid}
    return {**who, "appid": gateway.appid}


def _orders(stage: Stage, partner: bool) -> Any:
    payscore = stage.client.v3.payscore
    orders = payscore.partner.serviceorder if partner else payscore.serviceorder
    return orders._out_order_no_


#: The recipes of this book.
TABLE: tuple[Recipe, ...] = (
    Recipe("payscore.created", (), created),
    Recipe("payscore.confirmed", ("PAYSCORE.USER_CONFIRM",), confirmed),
    Recipe("payscore.completed", (), completed),
    Recipe("payscore.paid", ("PAYSCORE.USER_PAID",), paid),
    Recipe("payscore.deducted", ("PAYSCORE.USER_PAID",), deducted),
    Recipe("payscore.cancelled", (), cancelled),
    Recipe("payscore.authorized", ("PAYSCORE.USER_OPEN_SERVICE",), authorized),
    Recipe("payscore.unauthorized", ("PAYSCORE.USER_CLOSE_SERVICE",), unauthorized),
)
