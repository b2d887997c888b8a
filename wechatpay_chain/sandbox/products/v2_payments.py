"""Payments by APIv2: order, query and close; the records are those of APIv3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ..checks import catalogued
from ..lifecycles.trades import TradeEvent, TradeState
from ..refusals import Internal, refused
from ..routing import Answer, Call, Route
from ..world import World, compact
from . import v2_fields
from .ledger import Ledger, Receipt
from .payments import Payments
from .trade_documents import BANK
from .trades import DESCRIPTIONS, Payment, deadline
from .transactions import access, owner

_PAY = "/v2/pay"
#: The type of the notification; APIv2 itself names none.
PAID = "V2.TRANSACTION.SUCCESS"


class V2Payments:
    """The endpoints."""

    def __init__(self, world: World, payments: Payments, ledger: Ledger) -> None:
        self._world = world
        self._payments = payments
        self._ledger = ledger
        payments.announcers["v2"] = self._announce

    def routes(self) -> Iterator[Route]:
        """The endpoints, for direct merchants and partners alike."""
        order, one = v2_fields.order, v2_fields.PAYMENT
        yield catalogued.route("POST", f"{_PAY}/unifiedorder", self.order, also=order)
        yield catalogued.route("POST", f"{_PAY}/orderquery", self.query, also=one)
        yield catalogued.route("POST", f"{_PAY}/closeorder", self.close)

    def order(self, call: Call) -> Answer:
        """Order (统一下单), or answer again for what was ordered so before."""
        payment = self._payments.order(self._draft(call))
        token = self._payments.tokens.issue(payment)
        answer = {"trade_type": payment.trade_type, "prepay_id": token}
        if payment.trade_type == "NATIVE":
            answer["prepay_id"] = self._world.ids.prepay_id(self._world.clock())
            answer["code_url"] = token
        elif payment.trade_type == "MWEB":
            answer["prepay_id"] = parse_qs(urlsplit(token).query)["prepay_id"][0]
            answer["mweb_url"] = token
        return Answer(200, answer)

    def query(self, call: Call) -> Answer:
        """Show a payment (查询订单), by either of its numbers."""
        sub_mchid = whose(call)
        mchid, body = call.merchant.mchid, call.body
        number = body.get("transaction_id")
        if not number:
            payment = self._payments.find(mchid, body["out_trade_no"])
        else:
            payment = self._payments.find_transaction(mchid, number)
            receipt = self._ledger.find(mchid, number)
            if payment is None and receipt and receipt.sub_mchid == sub_mchid:
                return Answer(200, _receipt(receipt))
        payment = access(payment, sub_mchid, TradeEvent.QUERY)
        return Answer(200, _query(payment))

    def close(self, call: Call) -> Answer:
        """Close (关闭订单): nobody can pay it any more."""
        found = self._payments.find(call.merchant.mchid, call.body["out_trade_no"])
        payment = access(found, whose(call), TradeEvent.CLOSE)
        if payment.combined is not None:
            raise refused(
                "INVALID_REQUEST",
                "part_of_combined",
                f"{payment.out_trade_no} is part of a combined order; close that one",
                number=Internal.ILLEGAL_STATE,
            )
        payment.happen(TradeEvent.CLOSE, self._world.clock())
        return Answer(200, {"result_msg": "OK"})

    def _draft(self, call: Call) -> Payment:
        body, now = call.body, self._world.clock()
        sub_mchid = whose(call)
        return Payment(
            mchid=call.merchant.mchid,
            out_trade_no=body["out_trade_no"],
            door="v2",
            created_at=now,
            payable_until=deadline(v2_fields.moment(body, "time_expire"), now),
            notify_url=body["notify_url"],
            request=v2_fields.asked(body),
            trade_type=body["trade_type"],
            appid=body["appid"],
            description=body["body"],
            amount=int(body["total_fee"]),
            sub_mchid=sub_mchid,
            sub_appid=body.get("sub_appid") or None,
            openid=body.get("openid") or None,
            sub_openid=body.get("sub_openid") or None,
            attach=body.get("attach") or None,
        )

    def _announce(self, payment: Payment) -> None:
        merchant = self._world.merchants[payment.mchid]
        kind = payment.request.get("sign_type")
        self._world.outbox.post(
            PAID,
            {
                "return_code": "SUCCESS",
                "result_code": "SUCCESS",
                "mch_id": merchant.mchid,
                # The message is signed as the order was.
                **({"sign_type": kind} if kind else {}),
                **_paid(payment),
            },
            mchid=payment.mchid,
            url=payment.notify_url,
            original_type="transaction",
            summary="支付成功",
        )


def whose(call: Call) -> str | None:
    """The sub-merchant that a partner acts for. Raises :class:`Refusal`."""
    body, merchant = call.body, call.merchant
    sub_mchid: str | None = body.get("sub_mch_id") or None
    owner(merchant, {"sub_mchid": sub_mchid})
    if body["appid"] not in merchant.appids:
        raise refused(
            "APPID_MCHID_NOT_MATCH",
            "appid_unknown",
            merchant.unbound(body["appid"]),
            number=Internal.UNKNOWN_APPID,
        )
    return sub_mchid


def _parties(payment: Payment) -> dict[str, Any]:
    given = {
        "sub_mch_id": payment.sub_mchid,
        "appid": payment.appid,
        "sub_appid": payment.sub_appid,
        "openid": payment.openid,
        "sub_openid": payment.sub_openid,
        "device_info": payment.request.get("device_info"),
        "attach": payment.attach,
    }
    return {name: value for name, value in given.items() if value is not None}


def _paid(payment: Payment) -> dict[str, Any]:
    """A payment that was paid, as a query and a notification tell it."""
    assert payment.paid_at is not None
    return {
        **_parties(payment),
        **_money(payment.amount, payment.paid_at, payment.trade_type),
        "transaction_id": payment.transaction_id,
        "out_trade_no": payment.out_trade_no,
    }


def _money(fen: int, at: float, trade_type: str) -> dict[str, Any]:
    return {
        "is_subscribe": "N",
        "trade_type": trade_type,
        "bank_type": BANK,
        "total_fee": fen,
        "fee_type": "CNY",
        "cash_fee": fen,
        "time_end": compact(at),
    }


def _query(payment: Payment) -> dict[str, Any]:
    state = payment.state
    shown = {"trade_state": state.value, "trade_state_desc": DESCRIPTIONS[state]}
    if payment.paid_at is None:
        number = {"out_trade_no": payment.out_trade_no, "total_fee": payment.amount}
        return {**_parties(payment), **number, **shown}
    return {**_paid(payment), **shown}


def _receipt(receipt: Receipt) -> dict[str, Any]:
    """Money that another product took."""
    state = TradeState.REFUND if receipt.refunds else TradeState.SUCCESS
    return {
        "appid": receipt.appid,
        "openid": receipt.openid,
        "attach": receipt.attach,
        "sub_mch_id": receipt.sub_mchid,
        **_money(receipt.amount, receipt.at, receipt.trade_type),
        "transaction_id": receipt.transaction_id,
        "out_trade_no": receipt.out_trade_no,
        "trade_state": state.value,
        "trade_state_desc": DESCRIPTIONS[state],
    }
