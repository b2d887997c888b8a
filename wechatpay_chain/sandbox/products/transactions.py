"""Base payment (基础支付): order, query and close, for direct merchants and partners.

Payscore section 10. One behaviour serves both roles; they differ in path, and a
partner's names begin with ``sp_`` and ``sub_``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ..checks import catalogued
from ..checks.validation import Rule
from ..lifecycles.trades import TRADE, TradeEvent
from ..refusals import Internal, Problem, Refusal, parameters, refused
from ..routing import Answer, Call, Route
from ..world import Merchant, World
from . import trade_fields
from .ledger import Ledger
from .payments import Payments
from .trade_documents import document, query_document, receipt_document
from .trades import Payment, deadline

#: Without the fraction of a second, which changes nothing here.
_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_DIRECT = "/v3/pay/transactions"
_PARTNER = "/v3/pay/partner/transactions"
#: What an order answers, by trade type.
ANSWERS: dict[str, str] = {
    "JSAPI": "prepay_id",
    "APP": "prepay_id",
    "MWEB": "h5_url",
    "NATIVE": "code_url",
}


class Transactions:
    """The endpoints."""

    def __init__(self, world: World, payments: Payments, ledger: Ledger) -> None:
        self._world = world
        self._payments = payments
        self._ledger = ledger
        payments.announcers["v3"] = self._announce

    def routes(self) -> Iterator[Route]:
        """The endpoints of both roles."""
        forms = {
            "jsapi": self.jsapi,
            "app": self.app,
            "h5": self.h5,
            "native": self.native,
        }
        for base in (_DIRECT, _PARTNER):
            for form, order in forms.items():
                rule = _rule(base, form)
                yield catalogued.route("POST", f"{base}/{form}", order, also=rule)
            number = f"{base}/out-trade-no/{{out_trade_no}}"
            yield catalogued.route("GET", number, self.query)
            yield catalogued.route("GET", f"{base}/id/{{transaction_id}}", self.query)
            yield catalogued.route("POST", f"{number}/close", self.close)

    def jsapi(self, call: Call) -> Answer:
        """Order for a page in the app, or for a mini program (小程序)."""
        return self._order(call, "JSAPI")

    def app(self, call: Call) -> Answer:
        """Order for an app on a phone."""
        return self._order(call, "APP")

    def h5(self, call: Call) -> Answer:
        """Order for a browser on a phone."""
        return self._order(call, "MWEB")

    def native(self, call: Call) -> Answer:
        """Order for a code that the user scans (扫码)."""
        return self._order(call, "NATIVE")

    def _order(self, call: Call, trade_type: str) -> Answer:
        """Order (下单), or answer again for what was ordered so before."""
        payment = self._payments.order(self._draft(call, trade_type))
        token = self._payments.tokens.issue(payment)
        return Answer(200, {ANSWERS[trade_type]: token})

    def query(self, call: Call) -> Answer:
        """Show a payment (查询订单), by either of its numbers."""
        owner(call.merchant, call.query)
        mchid, sub_mchid = call.merchant.mchid, call.query.get("sub_mchid")
        if "out_trade_no" in call.path:
            payment = self._payments.find(mchid, call.path["out_trade_no"])
        else:
            number = call.path["transaction_id"]
            payment = self._payments.find_transaction(mchid, number)
            receipt = self._ledger.find(mchid, number)
            if payment is None and receipt and receipt.sub_mchid == sub_mchid:
                return Answer(200, receipt_document(receipt))
        payment = access(payment, sub_mchid, TradeEvent.QUERY)
        return Answer(200, query_document(payment))

    def close(self, call: Call) -> Answer:
        """Close (关闭订单): nobody can pay it any more."""
        owner(call.merchant, call.body)
        found = self._payments.find(call.merchant.mchid, call.path["out_trade_no"])
        payment = access(found, call.body.get("sub_mchid"), TradeEvent.CLOSE)
        if payment.combined is not None:
            raise refused(
                "INVALID_REQUEST",
                "part_of_combined",
                f"{payment.out_trade_no} is part of a combined order; close that one",
                number=Internal.ILLEGAL_STATE,
            )
        payment.happen(TradeEvent.CLOSE, self._world.clock())
        return Answer(204)

    def _draft(self, call: Call, trade_type: str) -> Payment:
        body, now = call.body, self._world.clock()
        appid = check_order(self._world, call.merchant, body)
        payer: Mapping[str, Any] = body.get("payer", {})
        return Payment(
            mchid=call.merchant.mchid,
            out_trade_no=body["out_trade_no"],
            door="v3",
            created_at=now,
            payable_until=deadline(moment(body, "time_expire"), now),
            notify_url=body["notify_url"],
            request=dict(body),
            trade_type=trade_type,
            appid=appid,
            description=body["description"],
            amount=body["amount"]["total"],
            sub_mchid=body.get("sub_mchid"),
            sub_appid=body.get("sub_appid"),
            openid=payer.get("openid") or payer.get("sp_openid"),
            sub_openid=payer.get("sub_openid"),
            attach=body.get("attach"),
        )

    def _announce(self, payment: Payment) -> None:
        self._world.outbox.post(
            "TRANSACTION.SUCCESS",
            document(payment),
            mchid=payment.mchid,
            url=payment.notify_url,
            original_type="transaction",
            summary="支付成功",
        )


def _rule(base: str, form: str) -> Rule:
    if form == "h5":
        return trade_fields.h5_order
    if form == "jsapi" and base == _PARTNER:
        return trade_fields.partner_jsapi_order
    return trade_fields.order


def owner(merchant: Merchant, given: Mapping[str, Any]) -> None:
    """Raise :class:`Refusal`, ``NO_AUTH``, for what is not the signing merchant's."""
    for name in ("mchid", "sp_mchid", "combine_mchid"):
        mchid = given.get(name)
        if mchid is not None and mchid != merchant.mchid:
            sentence = (
                f"{name} is {mchid[:64]}, and {merchant.mchid} signed the request"
            )
            raise _no_auth("mchid_differs", sentence)
    sub_mchid = given.get("sub_mchid")
    if sub_mchid is not None and sub_mchid not in merchant.sub_mchids:
        sentence = f"{sub_mchid[:64]} is no sub-merchant of {merchant.mchid}"
        raise _no_auth("sub_mchid_unknown", sentence)


def check_order(world: World, merchant: Merchant, body: Mapping[str, Any]) -> str:
    """The appid of an order. Raises :class:`Refusal` where merchant or appid differ."""
    prefix = next(one for one in ("sp_", "combine_", "") if f"{one}mchid" in body)
    mchid, appid = str(body[f"{prefix}mchid"]), str(body[f"{prefix}appid"])
    if mchid not in world.merchants:
        raise refused(
            "MCH_NOT_EXISTS",
            "mchid_unknown",
            f"there is no merchant {mchid[:32]}",
            number=Internal.NO_PERMISSION,
        )
    owner(merchant, body)
    if appid not in merchant.appids:
        raise refused(
            "APPID_MCHID_NOT_MATCH",
            "appid_unknown",
            merchant.unbound(appid),
            number=Internal.UNKNOWN_APPID,
        )
    return appid


def access(
    payment: Payment | None, sub_mchid: str | None, event: TradeEvent
) -> Payment:
    """The payment, where the caller may see it; else as if it did not exist."""
    if payment is None:
        raise TRADE.unknown(event)
    if payment.sub_mchid != sub_mchid:
        raise TRADE.of_another(event, payment.sub_mchid, sub_mchid)
    return payment


def moment(body: Mapping[str, Any], name: str) -> float | None:
    """The time of a member, in Unix seconds. Raises :class:`Refusal` if it is none."""
    value = body.get(name)
    if value is None:
        return None
    try:
        match = _RFC3339.fullmatch(value)
        if match is None:
            raise ValueError(name)
        zone = "+00:00" if match[2] in "zZ" else match[2]
        return datetime.fromisoformat(f"{match[1].upper()}{zone}").timestamp()
    except (ValueError, OverflowError):
        issue = "a time such as 2024-06-01T15:00:00+08:00 expected"
        raise parameters([Problem(f"/{name}", issue, value)]) from None


def _no_auth(identifier: str, sentence: str) -> Refusal:
    number = Internal.NO_PERMISSION
    return refused("NO_AUTH", identifier, sentence, number=number)
