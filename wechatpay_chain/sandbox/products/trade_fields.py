"""What calls of base payment (基础支付) may hold beyond the catalogue: payscore 10.2.

The catalogue knows names and types; here are lengths, characters and sums, as far as
they can be said without knowing the clock, the merchant or the payment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..._shapes import mapping
from ..checks.validation import Rule, integer, one_of, text
from ..refusals import Problem
from .fields import notify_url

OUT_TRADE_NO = text(6, 32, r"[0-9A-Za-z_|*-]+")
OUT_REFUND_NO = text(1, 64, r"[0-9A-Za-z_|*@-]+")
#: How many payments one combined order (合单) holds at most.
SUB_ORDERS = 50

_CURRENCY = one_of("CNY")
# An empty attach is what WeChat Pay itself writes where there is none.
_ATTACH, _TAG = text(0, 128), text(1, 32)

_ORDER: dict[str, Rule] = {
    "out_trade_no": OUT_TRADE_NO,
    "description": text(1, 127),
    "attach": _ATTACH,
    "goods_tag": _TAG,
    "notify_url": notify_url,
    "amount/total": integer(1),
    "amount/currency": _CURRENCY,
}
_H5: dict[str, Rule] = {
    "scene_info/payer_client_ip": text(1, 45),
    "scene_info/h5_info/type": one_of("iOS", "Android", "Wap"),
}
_SUB_ORDER: dict[str, Rule] = {
    "out_trade_no": OUT_TRADE_NO,
    "description": text(1, 127),
    "attach": _ATTACH,
    "goods_tag": _TAG,
    "amount/total_amount": integer(1),
    "amount/currency": _CURRENCY,
}
_REFUND: dict[str, Rule] = {
    "out_refund_no": OUT_REFUND_NO,
    "reason": text(1, 80),
    "notify_url": notify_url,
    "amount/refund": integer(1),
    "amount/total": integer(1),
    "amount/currency": _CURRENCY,
}


def _member(value: Any, steps: str) -> Any:
    for step in steps.split("/"):
        value = (mapping(value) or {}).get(step)
    return value


def _limits(
    rules: Mapping[str, Rule], value: Any, place: str, *, needed: bool = False
) -> Iterator[Problem]:
    for steps, rule in rules.items():
        found = _member(value, steps)
        if found is not None:
            yield from rule(found, f"{place}/{steps}")
        elif needed:
            yield Problem(f"{place}/{steps}", "required, and missing")


def order(value: Any, place: str) -> Iterator[Problem]:
    """An order of a direct merchant, but for h5."""
    yield from _limits(_ORDER, value, place)


def h5_order(value: Any, place: str) -> Iterator[Problem]:
    """The same for h5, which tells who asks and from where."""
    yield from order(value, place)
    yield from _limits(_H5, value, place, needed=True)


def partner_jsapi_order(value: Any, place: str) -> Iterator[Problem]:
    """A partner's jsapi order: who pays is known under one of two appids."""
    yield from order(value, place)
    payer: Mapping[str, Any] = value["payer"]
    if not {"sp_openid", "sub_openid"} & payer.keys():
        yield Problem(f"{place}/payer/sp_openid", "sp_openid or sub_openid is required")
    if "sub_openid" in payer and "sub_appid" not in value:
        yield Problem(f"{place}/sub_appid", "required with sub_openid")


def combined_order(value: Any, place: str) -> Iterator[Problem]:
    """A combined order, but for h5."""
    rules = {"combine_out_trade_no": OUT_TRADE_NO, "notify_url": notify_url}
    yield from _limits(rules, value, place)
    subs = value["sub_orders"]
    if not 1 <= len(subs) <= SUB_ORDERS:
        yield Problem(
            f"{place}/sub_orders", f"1 to {SUB_ORDERS} items expected, got {len(subs)}"
        )
    seen: set[tuple[str, str]] = set()
    for at, sub in enumerate(subs):
        yield from _limits(_SUB_ORDER, sub, f"{place}/sub_orders/{at}")
        number = (sub["mchid"], sub["out_trade_no"])
        if number in seen:
            there = f"{place}/sub_orders/{at}/out_trade_no"
            yield Problem(there, "repeats an earlier one", sub["out_trade_no"])
        seen.add(number)


def combined_h5_order(value: Any, place: str) -> Iterator[Problem]:
    """The same for h5."""
    yield from combined_order(value, place)
    yield from _limits(_H5, value, place, needed=True)


def combined_jsapi_order(value: Any, place: str) -> Iterator[Problem]:
    """The same for jsapi: who pays is known."""
    yield from combined_order(value, place)
    if not {"openid", "sub_openid"} & value["combine_payer_info"].keys():
        there = f"{place}/combine_payer_info/openid"
        yield Problem(there, "openid or sub_openid is required")


def refund(value: Any, place: str) -> Iterator[Problem]:
    """A refund: of which payment, and how much."""
    yield from _limits(_REFUND, value, place)
    if not {"transaction_id", "out_trade_no"} & value.keys():
        yield Problem(
            f"{place}/transaction_id", "transaction_id or out_trade_no is required"
        )
    amount = value["amount"]
    if amount["refund"] > amount["total"]:
        yield Problem(
            f"{place}/amount/refund", "more than amount.total", amount["refund"]
        )
    sources = amount.get("from")
    if sources and sum(one["amount"] for one in sources) != amount["refund"]:
        yield Problem(f"{place}/amount/from", "adds up to another sum than refund")


def second_way(value: Any, place: str) -> Iterator[Problem]:
    """Another way for an abnormal refund: to a card of the user, it must be named."""
    if value["type"] == "USER_BANK_CARD":
        needed = {name: text(1, 1024) for name in ("bank_type", "bank_account")}
        needed["real_name"] = text(1, 1024)
        yield from _limits(needed, value, place, needed=True)
