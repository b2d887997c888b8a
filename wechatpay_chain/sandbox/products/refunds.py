"""Refunds (退款): apply, query, and a second way where the first one failed.

Payscore section 10. Both roles share the paths; a partner names its ``sub_mchid``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..checks import catalogued
from ..lifecycles.trades import REFUND, RefundEvent, RefundState
from ..refusals import Internal, refused
from ..routing import Answer, Call, Route
from ..world import Merchant, World, rfc3339
from . import trade_fields
from .ledger import Ledger, Receipt
from .refund_record import Refund
from .refunding import Refunds, refundable
from .transactions import owner

_BASE = "/v3/refund/domestic/refunds"
#: Where the money goes (退款入账账户): back to where it came from.
ACCOUNT = "支付用户零钱"
_CARD = "用户银行卡"
_SUMMARIES = {
    RefundState.SUCCESS: "退款成功",
    RefundState.ABNORMAL: "退款异常",
    RefundState.CLOSED: "退款关闭",
}


class RefundCalls:
    """The endpoints."""

    def __init__(self, world: World, refunds: Refunds, ledger: Ledger) -> None:
        self._world = world
        self._refunds = refunds
        self._ledger = ledger
        refunds.announcers["v3"] = self._announce

    def routes(self) -> Iterator[Route]:
        """The endpoints, for both roles."""
        way = f"{_BASE}/{{refund_id}}/apply-abnormal-refund"
        rule = trade_fields.refund
        yield catalogued.route("POST", _BASE, self.apply, also=rule)
        yield catalogued.route("GET", f"{_BASE}/{{out_refund_no}}", self.query)
        yield catalogued.route(
            "POST", way, self.apply_abnormal, also=trade_fields.second_way
        )

    def apply(self, call: Call) -> Answer:
        """Ask for a refund (申请退款), or see again what was asked for so before."""
        body, mchid = call.body, call.merchant.mchid
        owner(call.merchant, body)
        receipt = self._receipt(call.merchant, body)
        draft = Refund(
            mchid=mchid,
            out_refund_no=body["out_refund_no"],
            door="v3",
            transaction_id=receipt.transaction_id,
            out_trade_no=receipt.out_trade_no,
            amount=body["amount"]["refund"],
            total=body["amount"]["total"],
            created_at=self._world.clock(),
            request=dict(body),
            sub_mchid=receipt.sub_mchid,
            notify_url=body.get("notify_url"),
        )
        return Answer(200, document(self._refunds.apply(receipt, draft)))

    def query(self, call: Call) -> Answer:
        """Show a refund (查询单笔退款)."""
        owner(call.merchant, call.query)
        found = self._refunds.find(call.merchant.mchid, call.path["out_refund_no"])
        refund = _access(found, call.query, RefundEvent.QUERY)
        self._refunds.look(refund)
        return Answer(200, document(refund))

    def apply_abnormal(self, call: Call) -> Answer:
        """Send an abnormal refund to another account (发起异常退款)."""
        owner(call.merchant, call.body)
        found = self._refunds.find_id(call.merchant.mchid, call.path["refund_id"])
        refund = _access(found, call.body, RefundEvent.APPLY_ABNORMAL)
        if refund.out_refund_no != call.body["out_refund_no"]:
            raise refused(
                "INVALID_REQUEST",
                "out_refund_no_differs",
                f"{refund.refund_id} is out_refund_no {refund.out_refund_no}",
                number=Internal.REENTRY_DIFFERS,
            )
        self._refunds.try_again(refund, call.body)
        return Answer(200, document(refund))

    def _receipt(self, merchant: Merchant, body: Mapping[str, Any]) -> Receipt:
        """The payment meant. Where both numbers are given, they must agree."""
        mchid, sub_mchid = merchant.mchid, body.get("sub_mchid")
        found: Receipt | None = None
        if "transaction_id" in body:
            found = self._ledger.find(mchid, body["transaction_id"])
        if "out_trade_no" in body:
            named = self._ledger.find_number(mchid, body["out_trade_no"])
            if "transaction_id" in body and named is not found:
                named = None
            found = named
        return refundable(found, sub_mchid)

    def _announce(self, refund: Refund) -> None:
        url = refund.notify_url or self._refunds.notify_url
        if url is None:
            return  # nothing is set in the console either
        self._world.outbox.post(
            f"REFUND.{refund.state.value}",
            notice(refund),
            mchid=refund.mchid,
            url=url,
            original_type="refund",
            summary=_SUMMARIES[refund.state],
        )


def _access(
    refund: Refund | None, given: Mapping[str, Any], event: RefundEvent
) -> Refund:
    """The refund, where the caller may see it; else as if it did not exist."""
    if refund is None:
        raise REFUND.unknown(event)
    sub_mchid = given.get("sub_mchid")
    if refund.sub_mchid != sub_mchid:
        raise REFUND.of_another(event, refund.sub_mchid, sub_mchid)
    return refund


def _account(refund: Refund) -> tuple[str, str]:
    """Channel and account: the balance, or what the second way named."""
    way = refund.second_way
    if way is None:
        return "ORIGINAL", ACCOUNT
    to_user = way["type"] == "USER_BANK_CARD"
    return "OTHER_BANKCARD", _CARD if to_user else "商户银行卡"


def document(refund: Refund) -> dict[str, Any]:
    """The refund of payscore section 10.3."""
    channel, account = _account(refund)
    amount: dict[str, Any] = {
        "total": refund.total,
        "refund": refund.amount,
        "from": list(refund.request.get("amount", {}).get("from", ())),
        "payer_total": refund.total,
        "payer_refund": refund.amount,
        "settlement_refund": refund.amount,
        "settlement_total": refund.total,
        "discount_refund": 0,
        "currency": "CNY",
    }
    out: dict[str, Any] = {
        "refund_id": refund.refund_id,
        "out_refund_no": refund.out_refund_no,
        "transaction_id": refund.transaction_id,
        "out_trade_no": refund.out_trade_no,
        "channel": channel,
        "user_received_account": account,
        "create_time": rfc3339(refund.created_at),
        "status": refund.state.value,
        "funds_account": refund.request.get("funds_account", "UNSETTLED"),
        "amount": amount,
        "promotion_detail": [],
    }
    if refund.arrived_at is not None:
        out["success_time"] = rfc3339(refund.arrived_at)
    return out


def notice(refund: Refund) -> dict[str, Any]:
    """The same as a notification tells it (payscore section 10.5)."""
    out: dict[str, Any] = {"mchid": refund.mchid}
    if refund.sub_mchid is not None:
        out = {"sp_mchid": refund.mchid, "sub_mchid": refund.sub_mchid}
    out["out_trade_no"] = refund.out_trade_no
    out["transaction_id"] = refund.transaction_id
    out["out_refund_no"] = refund.out_refund_no
    out["refund_id"] = refund.refund_id
    out["refund_status"] = refund.state.value
    if refund.arrived_at is not None:
        out["success_time"] = rfc3339(refund.arrived_at)
    out["user_received_account"] = _account(refund)[1]
    out["amount"] = {
        "total": refund.total,
        "refund": refund.amount,
        "payer_total": refund.total,
        "payer_refund": refund.amount,
    }
    return out
