"""What PayScore calls may hold: payscore sections 2.1, 2.2 and 3.1, as declared rules.

Only what can be said without knowing the clock, the merchant or the order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ..refusals import Problem
from ..validation import Fields, Rule, boolean, integer, listing, one_of, text

#: Characters of a cancel reason: 30 in the reference text of 2020, 50 in others.
REASON_LIMIT = 30

_ID = text(1, 32)
OUT_ORDER_NO = text(1, 32, r"[0-9A-Za-z_\-|*]*")
_OPENID = text(1, 128)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _has_amount_or_description(value: Any, place: str) -> Iterator[Problem]:
    if not {"amount", "description"} & value.keys():
        yield Problem(place, "amount or description is required beside name")


_PAYMENT = Fields(
    {"name": text(1, 20)},
    {"amount": integer(0), "description": text(1, 30), "count": integer(1, 100)},
    also=_has_amount_or_description,
)
_DISCOUNT = Fields(
    {"name": text(1, 20), "description": text(1, 30)},
    {"amount": integer(0), "count": integer(1, 100)},
)
_TIME = r"[0-9]{8}|[0-9]{14}"
_TIME_RANGE = Fields(
    {"start_time": text(1, 14, rf"OnAccept|{_TIME}")},
    {
        "end_time": text(1, 14, _TIME),
        "start_time_remark": text(1, 20),
        "end_time_remark": text(1, 20),
    },
)


def _starts_somewhere(value: Any, place: str) -> Iterator[Problem]:
    if "end_location" in value and "start_location" not in value:
        yield Problem(f"{place}/end_location", "only together with start_location")


_LOCATION = Fields(
    optional={"start_location": text(1, 50), "end_location": text(1, 50)},
    also=_starts_somewhere,
)
_RISK_FUND = Fields(
    {
        "name": one_of("DEPOSIT", "ADVANCE", "CASH_DEPOSIT", "ESTIMATE_ORDER_COST"),
        "amount": integer(1),
    },
    {"description": text(1, 30)},
)
_DEVICE = Fields(
    optional={
        "start_device_id": text(1, 50),
        "end_device_id": text(1, 50),
        "materiel_no": text(1, 100),
    }
)


def _notify_url(value: Any, place: str) -> Iterator[Problem]:
    problems = list(text(1, 255)(value, place))
    yield from problems
    if problems:
        return
    try:
        url = urlsplit(str(value))
        host = url.hostname
    except ValueError:
        yield Problem(place, "not a URL", value)
        return
    # Plain http to this machine is what a developer has; production refuses it.
    local = url.scheme == "http" and host in _LOOPBACK
    if not host or not (url.scheme == "https" or local):
        yield Problem(place, "an https URL expected", value)
    elif "?" in value or "#" in value:
        yield Problem(place, "a URL without query and fragment expected", value)


def _direct_user(value: Any, place: str) -> Iterator[Problem]:
    if value.get("need_user_confirm") is False and "openid" not in value:
        yield Problem(f"{place}/openid", "required where need_user_confirm is false")


def _partner_user(value: Any, place: str) -> Iterator[Problem]:
    given = {"openid", "sub_openid"} & value.keys()
    if value.get("need_user_confirm") is False and len(given) != 1:
        yield Problem(
            f"{place}/openid",
            "exactly one of openid and sub_openid where need_user_confirm is false",
        )
    if "sub_openid" in value and "sub_appid" not in value:
        yield Problem(f"{place}/sub_appid", "required with sub_openid")


_REQUIRED: dict[str, Rule] = {
    "out_order_no": OUT_ORDER_NO,
    "appid": _ID,
    "service_id": _ID,
    "service_introduction": text(1, 20),
    "time_range": _TIME_RANGE,
    "risk_fund": _RISK_FUND,
    "notify_url": _notify_url,
}
_OPTIONAL: dict[str, Rule] = {
    "post_payments": listing(_PAYMENT, 0, 100, unique="name"),
    "post_discounts": listing(_DISCOUNT, 0, 30, unique="name"),
    "location": _LOCATION,
    "attach": text(1, 256),
    "need_user_confirm": boolean(),
    "openid": _OPENID,
    "device": _DEVICE,
}

CREATE = Fields(_REQUIRED, _OPTIONAL, also=_direct_user)
PARTNER_CREATE = Fields(
    {**_REQUIRED, "sub_mchid": _ID},
    {**_OPTIONAL, "sub_appid": _ID, "sub_openid": _OPENID},
    also=_partner_user,
)


def _one_number(value: Any, place: str) -> Iterator[Problem]:
    if len({"out_order_no", "query_id"} & value.keys()) != 1:
        yield Problem(
            f"{place}/out_order_no", "exactly one of out_order_no and query_id"
        )


_NUMBER = {"out_order_no": OUT_ORDER_NO, "query_id": text(1, 512)}

QUERY = Fields(
    {"service_id": _ID, "appid": _ID}, _NUMBER, also=_one_number, location="query"
)
PARTNER_QUERY = Fields(
    {"service_id": _ID, "sub_mchid": _ID}, _NUMBER, also=_one_number, location="query"
)
PATH = Fields({"out_order_no": OUT_ORDER_NO}, location="path")


def cancel(limit: int = REASON_LIMIT) -> Fields:
    """The body of a direct cancel; ``service_id`` may be missing (section 2.1)."""
    return Fields({"appid": _ID, "reason": text(1, limit)}, {"service_id": _ID})


def partner_cancel(limit: int = REASON_LIMIT) -> Fields:
    """The body of a partner's cancel."""
    return Fields({"sub_mchid": _ID, "reason": text(1, limit)}, {"service_id": _ID})
