"""How APIv3 shows a payment: to a query, and in a notification (payscore 10)."""

from __future__ import annotations

from typing import Any

from ..._shapes import mapping
from ..lifecycles.trades import TradeState
from ..world import rfc3339
from .ledger import Receipt
from .trades import DESCRIPTIONS, Payment

#: Members of an order that every query repeats.
_SHOWN = (
    "description",
    "notify_url",
    "time_expire",
    "goods_tag",
    "limit_pay",
    "support_fapiao",
    "detail",
    "settle_info",
)
#: The bank (付款银行) of a payment from the balance.
BANK = "OTHERS"


def document(payment: Payment) -> dict[str, Any]:
    """The transaction of payscore section 10.3, as a notification tells it."""
    out = _parties(payment)
    out["out_trade_no"] = payment.out_trade_no
    if payment.transaction_id is not None:
        out["transaction_id"] = payment.transaction_id
        out["trade_type"] = payment.trade_type
    out["trade_state"] = payment.state.value
    out["trade_state_desc"] = DESCRIPTIONS[payment.state]
    amount: dict[str, Any] = {"total": payment.amount, "currency": "CNY"}
    if payment.paid_at is not None:
        out["bank_type"] = BANK
        out["attach"] = payment.attach or ""
        out["success_time"] = rfc3339(payment.paid_at)
        out["payer"] = _payer(payment)
        amount.update(payer_total=payment.amount, payer_currency="CNY")
    elif payment.attach is not None:
        out["attach"] = payment.attach
    out["amount"] = amount
    return out


def query_document(payment: Payment) -> dict[str, Any]:
    """The same as a query shows it: with what was ordered."""
    out = document(payment)
    for name in _SHOWN:
        if name in payment.request:
            out[name] = payment.request[name]
    scene = mapping(payment.request.get("scene_info"))
    if scene is not None and "device_id" in scene:
        out["scene_info"] = {"device_id": scene["device_id"]}
    return out


def receipt_document(receipt: Receipt) -> dict[str, Any]:
    """Money that another product took, as a transaction."""
    state = TradeState.REFUND if receipt.refunds else TradeState.SUCCESS
    out: dict[str, Any] = {"mchid": receipt.mchid, "appid": receipt.appid}
    payer = {"openid": receipt.openid}
    if receipt.sub_mchid is not None:
        out = {"sp_mchid": receipt.mchid, "sub_mchid": receipt.sub_mchid}
        out["sp_appid"] = receipt.appid
        payer = {"sp_openid": receipt.openid}
    return {
        **out,
        "out_trade_no": receipt.out_trade_no,
        "transaction_id": receipt.transaction_id,
        "trade_type": receipt.trade_type,
        "trade_state": state.value,
        "trade_state_desc": DESCRIPTIONS[state],
        "bank_type": BANK,
        "attach": receipt.attach or "",
        "success_time": rfc3339(receipt.at),
        "payer": payer,
        "amount": {
            "total": receipt.amount,
            "currency": "CNY",
            "payer_total": receipt.amount,
            "payer_currency": "CNY",
        },
    }


def _parties(payment: Payment) -> dict[str, Any]:
    if payment.sub_mchid is None:
        return {"mchid": payment.mchid, "appid": payment.appid}
    out = {"sp_mchid": payment.mchid, "sub_mchid": payment.sub_mchid}
    out["sp_appid"] = payment.appid
    if payment.sub_appid is not None:
        out["sub_appid"] = payment.sub_appid
    return out


def _payer(payment: Payment) -> dict[str, Any]:
    if payment.sub_mchid is None:
        return {"openid": payment.openid}
    given = {"sp_openid": payment.openid, "sub_openid": payment.sub_openid}
    return {name: value for name, value in given.items() if value is not None}
