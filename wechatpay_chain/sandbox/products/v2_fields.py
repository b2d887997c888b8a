"""What calls of APIv2 may hold beyond the catalogue. All values are text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ..checks.validation import Rule, one_of, text
from ..refusals import Problem, parameters
from ..world import BEIJING
from .fields import notify_url
from .trade_fields import OUT_REFUND_NO

_OUT_TRADE_NO = text(1, 32, r"[0-9A-Za-z_|*-]+")
#: What differs each time.
_OF_ONE_CALL = ("sign", "nonce_str")

Members = Mapping[str, Any]


def amount(value: Any, place: str) -> Iterator[Problem]:
    """A number of fen, in digits."""
    if not 1 <= int(value) < 2**63:
        issue = "an integer from 1 up expected"
        yield Problem(place, issue, value, rule="range", expected=issue)


_ORDER: dict[str, Rule] = {
    "out_trade_no": _OUT_TRADE_NO,
    "total_fee": amount,
    "fee_type": one_of("CNY"),
    "notify_url": notify_url,
    "trade_type": one_of("JSAPI", "NATIVE", "APP", "MWEB"),
}
_REFUND: dict[str, Rule] = {
    "out_refund_no": OUT_REFUND_NO,
    "total_fee": amount,
    "refund_fee": amount,
    "refund_fee_type": one_of("CNY"),
    "notify_url": notify_url,
}
_PAYMENT = ("transaction_id", "out_trade_no")
#: What each trade type needs beside the rest.
_NEEDED = {
    "JSAPI": ("openid", "sub_openid"),
    "NATIVE": ("product_id",),
    "MWEB": ("scene_info",),
}


def order(value: Members, place: str) -> Iterator[Problem]:
    """An order: ``unifiedorder``."""
    yield from _limits(_ORDER, value)
    needed = _NEEDED.get(value["trade_type"], ())
    if needed:
        what = f"with trade_type {value['trade_type']}"
        yield from _one_of(needed, value, what)
    del place


def refund(value: Members, place: str) -> Iterator[Problem]:
    """A refund: of which payment, and how much."""
    yield from _limits(_REFUND, value)
    yield from _one_of(_PAYMENT, value)
    # To the catalogue it is one of several numbers, of which one may do.
    yield from _one_of(("out_refund_no",), value)
    if int(value["refund_fee"]) > int(value["total_fee"]):
        there = f"{place}/refund_fee"
        yield Problem(there, "more than total_fee", value["refund_fee"])


def named(*names: str) -> Rule:
    """One of *names* at least is there."""

    def rule(value: Any, place: str) -> Iterator[Problem]:
        del place
        yield from _one_of(names, value)

    return rule


PAYMENT: Rule = named(*_PAYMENT)
_A_REFUND: Rule = named(*_PAYMENT, "out_refund_no", "refund_id")


def refund_query(value: Members, place: str) -> Iterator[Problem]:
    """A query of refunds: of which, and how many to pass over."""
    yield from _A_REFUND(value, place)
    if int(value.get("offset") or 0) < 0:
        issue = "an integer from 0 up expected"
        there = f"{place}/offset"
        yield Problem(there, issue, value["offset"], rule="range", expected=issue)


def _limits(rules: Mapping[str, Callable[..., Any]], value: Members) -> Any:
    for name, rule in rules.items():
        if value.get(name):
            yield from rule(value[name], f"/{name}")


def _one_of(
    names: tuple[str, ...], value: Members, what: str = ""
) -> Iterator[Problem]:
    if not any(value.get(name) for name in names):
        issue = f"{' or '.join(names)} is required {what}".rstrip()
        yield Problem(f"/{names[0]}", issue)


def asked(fields: Members) -> dict[str, Any]:
    """What is asked for, to know a repetition by."""
    return {
        name: value
        for name, value in fields.items()
        if value != "" and name not in _OF_ONE_CALL
    }


def moment(fields: Members, name: str) -> float | None:
    """The time of a field (``yyyyMMddHHmmss``) in Unix seconds. Raises `Refusal`."""
    value = fields.get(name)
    if not value:
        return None
    try:
        if len(value) != 14:
            raise ValueError(value)
        at = datetime.strptime(value, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
        return at.timestamp()
    except (ValueError, OverflowError):
        issue = "a time such as 20240601150000 expected"
        raise parameters([Problem(f"/{name}", issue, value)]) from None
