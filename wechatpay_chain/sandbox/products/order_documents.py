"""How WeChat Pay shows a PayScore order: the objects of payscore section 3.3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..lifecycles.orders import WIRE, Wire

if TYPE_CHECKING:
    from .orders import Order

#: Members of a create call that every answer repeats, in the order of the documents.
_SHOWN = (
    "out_order_no",
    "service_id",
    "appid",
    "sub_appid",
    "sub_mchid",
    "service_introduction",
    "post_payments",
    "post_discounts",
    "risk_fund",
    "time_range",
    "location",
    "attach",
    "notify_url",
)
#: What the answer to complete leaves out (payscore section 2.1).
_NOT_AT_COMPLETION = ("collection", "attach", "notify_url", "openid", "sub_openid")
_BRIEF = ("appid", "mchid", "out_order_no", "service_id", "order_id")


def document(order: Order) -> dict[str, Any]:
    """The whole order, as create, query, modify and sync answer it."""
    wire = WIRE[order.state]
    out: dict[str, Any] = {"mchid": order.mchid, "order_id": order.order_id}
    out["state"] = wire.state
    if wire.state_description:
        out["state_description"] = wire.state_description
    for name in _SHOWN:
        value = order.member(name)
        if value is not None:
            out[name] = value
    if order.openid is not None:
        name = "sub_openid" if "sub_openid" in order.request else "openid"
        out[name] = order.openid
    out.update(_money(order, wire))
    return out


def completed(order: Order) -> dict[str, Any]:
    """The order, as complete answers it."""
    return _less(document(order), _NOT_AT_COMPLETION)


def completed_at_once(order: Order) -> dict[str, Any]:
    """The order, as direct-complete answers it."""
    return _less(document(order), ("collection", "openid", "sub_openid"))


def brief(order: Order) -> dict[str, Any]:
    """The five fields that cancel and pay answer."""
    whole = document(order)
    return {name: whole[name] for name in _BRIEF}


def notified(order: Order) -> dict[str, Any]:
    """The order, as a notification tells it (payscore section 8)."""
    return _less(document(order), ("notify_url",))


def _less(whole: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in whole.items() if name not in names}


def _money(order: Order, wire: Wire) -> dict[str, Any]:
    if order.total_amount is None:
        return {}
    money: dict[str, Any] = {
        "total_amount": order.total_amount,
        # What was cancelled is not collected any more (payscore section 4.3).
        "need_collection": order.total_amount > 0 and wire.state != "REVOKED",
    }
    if wire.collection is not None:
        received = sum(part["amount"] for part in order.paid)
        money["collection"] = {
            "state": wire.collection,
            "total_amount": order.total_amount,
            "paying_amount": order.total_amount - received,
            "paid_amount": received,
            "details": [dict(part) for part in order.paid],
        }
    return money
