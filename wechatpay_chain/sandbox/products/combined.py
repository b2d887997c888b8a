"""Combined orders (合单): payments, of several merchants, that are paid at once.

Each part is a payment like any other, with a number and a ``transaction_id`` of its
own, by which it is refunded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..checks import catalogued
from ..checks.validation import Rule
from ..lifecycles.trades import TRADE, TradeEvent, TradeState
from ..refusals import Internal, Problem, parameters, refused
from ..routing import Answer, Call, Route
from ..state.tables import Table, key
from ..world import Merchant, World, rfc3339
from . import trade_fields
from .payments import Payments
from .trade_documents import BANK
from .trades import Payment, Trade, deadline
from .transactions import ANSWERS, check_order, moment

_BASE = "/v3/combine-transactions"
_CLOSING = "combined.closing"


@dataclass(eq=False, repr=False)
class Combined(Trade):
    """One combined order; ``out_trade_no`` is its ``combine_out_trade_no``."""

    appid: str = ""
    openid: str | None = None
    sub_openid: str | None = None
    #: The keys of its parts, in their order.
    parts: list[str] = field(default_factory=list[str])
    #: Of the whole: ``combine_transaction_id``.
    transaction_id: str | None = None


class CombinedOrders:
    """The endpoints, and the orders: ``combined[combine_out_trade_no]``."""

    def __init__(self, world: World, payments: Payments, mchid: str) -> None:
        self._world = world
        self._payments = payments
        self._mchid = mchid
        self._orders: Table[Combined] = world.tables.table("combined", Combined)
        world.agenda.serve(_CLOSING, self._close_unpaid)

    def __getitem__(self, number: str | tuple[str, str]) -> Combined:
        mchid, name = (self._mchid, number) if isinstance(number, str) else number
        order = self._orders.get(key(mchid, name))
        if order is None:
            raise KeyError(f"merchant {mchid} has no combined order {name!r}")
        return order

    def __contains__(self, number: str | tuple[str, str]) -> bool:
        pair = (self._mchid, number) if isinstance(number, str) else number
        return key(*pair) in self._orders

    def __iter__(self) -> Iterator[Combined]:
        return iter(self._orders)

    def __len__(self) -> int:
        return len(self._orders)

    def at(self, at: str) -> Combined | None:
        """The order of that key in the table."""
        return self._orders.get(at)

    def parts(self, order: Combined) -> list[Payment]:
        """Its payments, in their order."""
        found = (self._payments.at(part) for part in order.parts)
        return [payment for payment in found if payment is not None]

    def routes(self) -> Iterator[Route]:
        """The endpoints."""
        rules: dict[str, tuple[Any, Rule]] = {
            "jsapi": (self.jsapi, trade_fields.combined_jsapi_order),
            "app": (self.app, trade_fields.combined_order),
            "h5": (self.h5, trade_fields.combined_h5_order),
            "native": (self.native, trade_fields.combined_order),
        }
        for form, (behave, rule) in rules.items():
            yield catalogued.route("POST", f"{_BASE}/{form}", behave, also=rule)
        number = f"{_BASE}/out-trade-no/{{combine_out_trade_no}}"
        yield catalogued.route("GET", number, self.query)
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

    def query(self, call: Call) -> Answer:
        """Show the order with all of its parts (合单查询)."""
        order = self._find(call, TradeEvent.QUERY)
        return Answer(200, self.document(order))

    def close(self, call: Call) -> Answer:
        """Close it as a whole (合单关闭): every part must be named."""
        order = self._find(call, TradeEvent.CLOSE)
        named = {
            key(one["mchid"], one["out_trade_no"]) for one in call.body["sub_orders"]
        }
        if named != set(order.parts):
            issue = "must name every part of the combined order, and nothing else"
            raise parameters([Problem("/sub_orders", issue)])
        if call.body["combine_appid"] != order.appid:
            raise refused(
                "APPID_MCHID_NOT_MATCH",
                "appid_differs",
                "combine_appid is not that of the order",
                number=Internal.REENTRY_DIFFERS,
            )
        now = self._world.clock()
        for trade in (order, *self.parts(order)):
            trade.happen(TradeEvent.CLOSE, now)
        return Answer(204)

    def pay(self, order: Combined, openid: str) -> None:
        """The user pays all parts at once. Raises :class:`Refusal`."""
        now = self._world.clock()
        order.happen(TradeEvent.USER_PAYS, now)
        order.paid_at = now
        order.openid = order.openid or openid
        order.transaction_id = self._world.ids.transaction_id(now)
        for payment in self.parts(order):
            self._payments.pay(payment, order.openid)
        self._world.outbox.post(
            "TRANSACTION.SUCCESS",
            self.document(order),
            mchid=order.mchid,
            url=order.notify_url,
            original_type="transaction",
            summary="支付成功",
        )

    def age(self, seconds: float) -> None:
        """Make it as if everything had happened *seconds* earlier."""
        for order in self._orders:
            order.age(seconds)

    def document(self, order: Combined) -> dict[str, Any]:
        """What a query and the notification show."""
        out: dict[str, Any] = {
            "combine_appid": order.appid,
            "combine_mchid": order.mchid,
            "combine_out_trade_no": order.out_trade_no,
        }
        if order.transaction_id is not None:
            out["combine_transaction_id"] = order.transaction_id
        scene: Mapping[str, Any] = order.request.get("scene_info", {})
        if "device_id" in scene:
            out["scene_info"] = {"device_id": scene["device_id"]}
        out["sub_orders"] = [_part(payment) for payment in self.parts(order)]
        if order.paid_at is not None:
            out["combine_payer_info"] = {"openid": order.openid}
        return out

    def _order(self, call: Call, trade_type: str) -> Answer:
        """Order, or answer again for what was ordered so before."""
        draft = self._draft(call, trade_type)
        known = self._orders.get(draft.key)
        if known is not None:
            same = known.repeats(draft)
            known.happen(TradeEvent.ORDER, draft.created_at, same=same)
            draft = known
        else:
            self._enter(draft)
        token = self._payments.tokens.issue(draft, combined=True)
        return Answer(200, {ANSWERS[trade_type]: token})

    def _draft(self, call: Call, trade_type: str) -> Combined:
        body, now = call.body, self._world.clock()
        appid = check_order(self._world, call.merchant, body)
        payer: Mapping[str, Any] = body.get("combine_payer_info", {})
        return Combined(
            mchid=call.merchant.mchid,
            out_trade_no=body["combine_out_trade_no"],
            door="combine",
            created_at=now,
            payable_until=deadline(moment(body, "time_expire"), now),
            notify_url=body["notify_url"],
            request=dict(body),
            trade_type=trade_type,
            appid=appid,
            openid=payer.get("openid"),
            sub_openid=payer.get("sub_openid"),
        )

    def _enter(self, order: Combined) -> None:
        parts = [self._part(order, sub) for sub in order.request["sub_orders"]]
        for part in parts:
            if self._payments.at(part.key) is not None:
                raise refused(
                    "OUT_TRADE_NO_USED",
                    "repeated_differently",
                    f"out_trade_no {part.out_trade_no} was ordered before",
                    number=Internal.REENTRY_DIFFERS,
                )
        order.happen(TradeEvent.ORDER, order.created_at)
        order.parts = [self._payments.order(part).key for part in parts]
        self._orders.put(order.key, order)
        self._world.agenda.add(order.closes_at, _CLOSING, order.key)

    def _part(self, order: Combined, sub: Mapping[str, Any]) -> Payment:
        merchant = self._merchant(sub)
        return Payment(
            mchid=merchant.mchid,
            out_trade_no=sub["out_trade_no"],
            door="combine",
            created_at=order.created_at,
            payable_until=order.payable_until,
            notify_url=order.notify_url,
            request=dict(sub),
            trade_type=order.trade_type,
            appid=order.appid,
            description=sub["description"],
            amount=sub["amount"]["total_amount"],
            sub_mchid=sub.get("sub_mchid"),
            sub_appid=sub.get("sub_appid"),
            openid=order.openid,
            sub_openid=order.sub_openid,
            attach=sub.get("attach"),
            combined=order.key,
        )

    def _merchant(self, sub: Mapping[str, Any]) -> Merchant:
        merchant = self._world.merchants.get(sub["mchid"])
        sub_mchid = sub.get("sub_mchid")
        if merchant is None:
            code, identifier = "MCH_NOT_EXISTS", "mchid_unknown"
            sentence = f"there is no merchant {sub['mchid'][:32]}"
        elif sub_mchid is not None and sub_mchid not in merchant.sub_mchids:
            code, identifier = "NO_AUTH", "sub_mchid_unknown"
            sentence = f"{sub_mchid[:32]} is no sub-merchant of {merchant.mchid}"
        else:
            return merchant
        raise refused(code, identifier, sentence, number=Internal.NO_PERMISSION)

    def _find(self, call: Call, event: TradeEvent) -> Combined:
        number = call.path["combine_out_trade_no"]
        order = self._orders.get(key(call.merchant.mchid, number))
        if order is None:
            raise TRADE.unknown(event)
        return order

    def _close_unpaid(self, at: str, due: float) -> None:
        order = self._orders.get(at)
        if order is not None and order.state is TradeState.NOTPAY:
            for trade in (order, *self.parts(order)):
                trade.happen(TradeEvent.TIME_PASSES, due)

    def __repr__(self) -> str:
        return f"<CombinedOrders {len(self)}>"


def _part(payment: Payment) -> dict[str, Any]:
    """One of ``sub_orders``."""
    out: dict[str, Any] = {
        "mchid": payment.mchid,
        "out_trade_no": payment.out_trade_no,
        "trade_state": payment.state.value,
        "attach": payment.attach or "",
        "amount": {
            "total_amount": payment.amount,
            "currency": "CNY",
            "payer_amount": payment.amount if payment.paid_at is not None else 0,
            "payer_currency": "CNY",
        },
    }
    for name in ("sub_mchid", "sub_appid", "sub_openid", "transaction_id"):
        value = getattr(payment, name)
        if value is not None:
            out[name] = value
    if payment.paid_at is not None:
        out["trade_type"] = payment.trade_type
        out["bank_type"] = BANK
        out["success_time"] = rfc3339(payment.paid_at)
    return out
