"""Refunds by APIv2: apply and query; the records are those of APIv3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..checks import catalogued
from ..lifecycles.trades import REFUND, RefundEvent, RefundState
from ..routing import Answer, Call, Route
from ..world import World
from . import v2_fields
from .bill_rows import written
from .ledger import Ledger, Receipt
from .refund_record import Refund
from .refunding import Refunds, refundable
from .refunds import ACCOUNT
from .v2_payments import whose

#: Of a query by payment: how many refunds one answer has.
PAGE = 10
#: The type of the notification but for its last part; APIv2 itself names none.
TOLD = "V2.REFUND."

#: What APIv2 calls the states.
STATUSES = {
    RefundState.PROCESSING: "PROCESSING",
    RefundState.SUCCESS: "SUCCESS",
    RefundState.ABNORMAL: "CHANGE",
    RefundState.CLOSED: "REFUNDCLOSE",
}
_SUMMARIES = {"SUCCESS": "退款成功", "CHANGE": "退款异常", "REFUNDCLOSE": "退款关闭"}


class V2Refunds:
    """The endpoints."""

    def __init__(self, world: World, refunds: Refunds, ledger: Ledger) -> None:
        self._world = world
        self._refunds = refunds
        self._ledger = ledger
        refunds.announcers["v2"] = self._announce

    def routes(self) -> Iterator[Route]:
        """The endpoints, for direct merchants and partners alike."""
        apply, query = v2_fields.refund, v2_fields.refund_query
        path = "/v2/secapi/pay/refund"
        yield catalogued.route("POST", path, self.apply, also=apply)
        yield catalogued.route("POST", "/v2/pay/refundquery", self.query, also=query)

    def apply(self, call: Call) -> Answer:
        """Ask for a refund (申请退款), or see again what was asked for so before."""
        body, sub_mchid = call.body, whose(call)
        receipt = refundable(self._receipt(call), sub_mchid)
        draft = Refund(
            mchid=call.merchant.mchid,
            out_refund_no=body["out_refund_no"],
            door="v2",
            transaction_id=receipt.transaction_id,
            out_trade_no=receipt.out_trade_no,
            amount=int(body["refund_fee"]),
            total=int(body["total_fee"]),
            created_at=self._world.clock(),
            request=v2_fields.asked(body),
            sub_mchid=sub_mchid,
            notify_url=body.get("notify_url") or None,
        )
        refund = self._refunds.apply(receipt, draft)
        return Answer(
            200,
            {
                "transaction_id": refund.transaction_id,
                "out_trade_no": refund.out_trade_no,
                "out_refund_no": refund.out_refund_no,
                "refund_id": refund.refund_id,
                "refund_fee": refund.amount,
                "total_fee": refund.total,
                "fee_type": "CNY",
                "cash_fee": refund.total,
                "cash_refund_fee": refund.amount,
            },
        )

    def query(self, call: Call) -> Answer:
        """Show one refund, or those of a payment (查询退款)."""
        sub_mchid, body = whose(call), call.body
        found = [one for one in self._found(call) if one.sub_mchid == sub_mchid]
        if not found:
            raise REFUND.unknown(RefundEvent.QUERY)
        first = int(body.get("offset") or 0)
        shown = found[first : first + PAGE]
        answer: dict[str, Any] = {
            "transaction_id": found[0].transaction_id,
            "out_trade_no": found[0].out_trade_no,
            "total_fee": found[0].total,
            "fee_type": "CNY",
            "cash_fee": found[0].total,
            "refund_count": len(shown),
        }
        if len(found) > len(shown):
            answer["total_refund_count"] = len(found)
        for number, refund in enumerate(shown):
            self._refunds.look(refund)
            answer.update(_numbered(refund, number))
        return Answer(200, answer)

    def _found(self, call: Call) -> Iterator[Refund]:
        """By the most exact of the numbers that are given (the documents' order)."""
        mchid, body, refunds = call.merchant.mchid, call.body, self._refunds
        if body.get("refund_id"):
            one = refunds.find_id(mchid, body["refund_id"])
        elif body.get("out_refund_no"):
            one = refunds.find(mchid, body["out_refund_no"])
        else:
            receipt = self._receipt(call)
            entries = () if receipt is None else self._ledger.returns_of(receipt)
            for entry in entries:
                yield refunds[mchid, entry.out_refund_no]
            return
        if one is not None:
            yield one

    def _receipt(self, call: Call) -> Receipt | None:
        """The payment meant; ``transaction_id`` counts where both are given."""
        mchid, body = call.merchant.mchid, call.body
        if body.get("transaction_id"):
            return self._ledger.find(mchid, body["transaction_id"])
        return self._ledger.find_number(mchid, body["out_trade_no"])

    def _announce(self, refund: Refund) -> None:
        url = refund.notify_url or self._refunds.notify_url
        if url is None:
            return  # nothing is set in the console either
        status = STATUSES[refund.state]
        merchant = self._world.merchants[refund.mchid]
        fields = {
            "return_code": "SUCCESS",
            "appid": refund.request["appid"],
            "mch_id": merchant.mchid,
        }
        if refund.sub_mchid is not None:
            fields["sub_mch_id"] = refund.sub_mchid
        self._world.outbox.post(
            f"{TOLD}{status}",
            {**fields, "req_info": _info(refund)},
            mchid=refund.mchid,
            url=url,
            original_type="refund",
            summary=_SUMMARIES[status],
        )


def _numbered(refund: Refund, number: int) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "out_refund_no": refund.out_refund_no,
        "refund_id": refund.refund_id,
        "refund_channel": "ORIGINAL",
        "refund_fee": refund.amount,
        "refund_status": STATUSES[refund.state],
        "refund_account": "REFUND_SOURCE_UNSETTLED_FUNDS",
        "refund_recv_accout": ACCOUNT,  # so the documents spell it
    }
    if refund.arrived_at is not None:
        fields["refund_success_time"] = written(refund.arrived_at)
    return {f"{name}_{number}": value for name, value in fields.items()}


def _info(refund: Refund) -> dict[str, Any]:
    """What a notification seals (protocol section 16)."""
    info: dict[str, Any] = {
        "out_refund_no": refund.out_refund_no,
        "out_trade_no": refund.out_trade_no,
        "refund_account": "REFUND_SOURCE_UNSETTLED_FUNDS",
        "refund_fee": refund.amount,
        "refund_id": refund.refund_id,
        "refund_recv_accout": ACCOUNT,
        "refund_request_source": "API",
        "refund_status": STATUSES[refund.state],
        "settlement_refund_fee": refund.amount,
        "settlement_total_fee": refund.total,
        "total_fee": refund.total,
        "transaction_id": refund.transaction_id,
    }
    if refund.arrived_at is not None:
        info["success_time"] = written(refund.arrived_at)
    return info
