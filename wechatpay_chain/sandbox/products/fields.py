"""What calls that open, show and cancel a PayScore order may hold, as declared rules.

Payscore sections 2.1, 2.2 and 3.1, as far as it can be said without knowing the clock,
the merchant or the order. :mod:`.charge_fields` has the calls after the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ..checks.validation import (
    Fields,
    Listing,
    Rule,
    boolean,
    formed,
    integer,
    one_of,
    text,
)
from ..doors.loopback import is_loopback
from ..refusals import Problem

#: Characters of a cancel reason: 30 in the reference text of 2020, 50 in others.
REASON_LIMIT = 30

#: Of an account or a service: ``appid``, ``mchid``, ``service_id``.
ID = text(1, 32)
#: A merchant's own number of an order.
OUT_ORDER_NO = text(1, 32, r"[0-9A-Za-z_|*-]+")
#: A user, under an appid.
OPENID = text(1, 128)


def _has_amount_or_description(value: Any, place: str) -> Iterator[Problem]:
    if not {"amount", "description"} & value.keys():
        yield Problem(place, "amount or description is required beside name")


#: A line of what is charged (付费项目).
PAYMENT = Fields(
    {"name": text(1, 20)},
    {"amount": integer(0), "description": text(1, 30), "count": integer(1, 100)},
    also=_has_amount_or_description,
)
#: A line of what is taken off (优惠项目).
DISCOUNT = Fields(
    {"name": text(1, 20), "description": text(1, 30)},
    {"amount": integer(0), "count": integer(1, 100)},
)
#: A second, or a day (payscore section 3.1).
TIME = formed(r"\d{8}|\d{14}")
#: The same, or the moment of the user's confirmation.
STARTS = formed(r"\d{8}|\d{14}|OnAccept")


def time_range(*, start: bool = True, remark: int = 20) -> Fields:
    """When the service is (服务时间段), or was: then *start* need not be told again."""
    # What was accepted has begun: there is a time for it.
    begin: dict[str, Rule] = {"start_time": STARTS if start else TIME}
    optional: dict[str, Rule] = {
        "end_time": TIME,
        "start_time_remark": text(1, 20),
        "end_time_remark": text(1, remark),
    }
    return Fields(begin, optional) if start else Fields(None, {**begin, **optional})


def _starts_somewhere(value: Any, place: str) -> Iterator[Problem]:
    if "end_location" in value and "start_location" not in value:
        yield Problem(f"{place}/end_location", "only together with start_location")


#: Where the service is (服务位置).
LOCATION = Fields(
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
#: The machine that serves.
DEVICE = Fields(
    optional={
        "start_device_id": text(1, 50),
        "end_device_id": text(1, 50),
        "materiel_no": text(1, 100),
    }
)


def notify_url(value: Any, place: str) -> Iterator[Problem]:
    """An address that notifications are sent to: https, without a query."""
    problems = list(text(1, 255)(value, place))
    yield from problems
    if problems:
        return
    try:
        url = urlsplit(str(value))
        host = url.hostname or ""
    except ValueError:
        yield Problem(place, "not a URL", value)
        return
    # Plain http to this machine is what a developer has; production refuses it.
    local = url.scheme == "http" and is_loopback(host)
    if not host or not (url.scheme == "https" or local):
        yield Problem(place, "an https URL expected", value)
    elif "?" in value or "#" in value:
        yield Problem(place, "a URL without query and fragment expected", value)


def _direct_user(value: Any, place: str) -> Iterator[Problem]:
    if value.get("need_user_confirm") is False and "openid" not in value:
        yield Problem(f"{place}/openid", "required where need_user_confirm is false")


def _partner_user(value: Any, place: str) -> Iterator[Problem]:
    if value.get("need_user_confirm") is False:
        yield from one_user(value, place)
    elif "sub_openid" in value and "sub_appid" not in value:
        yield Problem(f"{place}/sub_appid", "required with sub_openid")


def one_user(value: Any, place: str) -> Iterator[Problem]:
    """A partner names its user once, under one of two appids."""
    given = {"openid", "sub_openid"} & value.keys()
    if len(given) != 1:
        yield Problem(f"{place}/openid", "exactly one of openid and sub_openid")
    if "sub_openid" in value and "sub_appid" not in value:
        yield Problem(f"{place}/sub_appid", "required with sub_openid")


def no_user(value: Any, place: str) -> Iterator[Problem]:
    """Who the user of an order is, is known when one confirms it."""
    for name in sorted({"openid", "sub_openid"} & value.keys()):
        issue = "leave it out where the user is to confirm"
        yield Problem(f"{place}/{name}", issue, value[name])


_REQUIRED: dict[str, Rule] = {
    "out_order_no": OUT_ORDER_NO,
    "appid": ID,
    "service_id": ID,
    "service_introduction": text(1, 20),
    "time_range": time_range(),
    "risk_fund": _RISK_FUND,
    "notify_url": notify_url,
}
_OPTIONAL: dict[str, Rule] = {
    "post_payments": Listing(PAYMENT, 0, 100, unique="name"),
    "post_discounts": Listing(DISCOUNT, 0, 30, unique="name"),
    "location": LOCATION,
    "attach": text(1, 256),
    "need_user_confirm": boolean(),
    "openid": OPENID,
    "device": DEVICE,
}

CREATE = Fields(_REQUIRED, _OPTIONAL, also=_direct_user)
PARTNER_CREATE = Fields(
    {**_REQUIRED, "sub_mchid": ID},
    {**_OPTIONAL, "sub_appid": ID, "sub_openid": OPENID},
    also=_partner_user,
)


_GOODS = Fields(
    {
        "name": text(1, 128),
        "picture": text(1, 1024),
        "amount": integer(0),
        "count": integer(1),
    },
    {"category_id": Listing(text(1, 64), 0, 100)},
)
_JUMP_LINK = Fields(
    optional={
        "jump_link_type": one_of("JUMP_LINK_MINI_PROGRAM"),
        "appid": ID,
        "path": text(1, 1024),
    }
)
#: What is bought, of an order that is paid after delivery (先用后付).
SHOPPING_INFO = Fields(
    {"goods": Listing(_GOODS, 1, 100)},
    {"jump_link": _JUMP_LINK, "real_merchant_appid": ID},
)
_DELIVERED: dict[str, Rule] = {
    "time_range": time_range(remark=50),
    "shopping_info": SHOPPING_INFO,
}

PAY_ON_DELIVERY = Fields(
    {**_REQUIRED, **_DELIVERED}, {**_OPTIONAL, "mchid": ID}, also=_direct_user
)
PARTNER_PAY_ON_DELIVERY = Fields(
    {**_REQUIRED, **_DELIVERED, "sub_mchid": ID},
    {**_OPTIONAL, "mchid": ID, "sub_appid": ID, "sub_openid": OPENID},
    also=_partner_user,
)


def _one_number(value: Any, place: str) -> Iterator[Problem]:
    if len({"out_order_no", "query_id"} & value.keys()) != 1:
        yield Problem(
            f"{place}/out_order_no", "exactly one of out_order_no and query_id"
        )


_NUMBER = {"out_order_no": OUT_ORDER_NO, "query_id": text(1, 512)}

QUERY = Fields(
    {"service_id": ID, "appid": ID}, _NUMBER, also=_one_number, location="query"
)
PARTNER_QUERY = Fields(
    {"service_id": ID, "sub_mchid": ID}, _NUMBER, also=_one_number, location="query"
)
PATH = Fields({"out_order_no": OUT_ORDER_NO}, location="path")


def cancel(limit: int = REASON_LIMIT) -> Fields:
    """The body of a direct cancel; ``service_id`` may be missing (section 2.1)."""
    return Fields({"appid": ID, "reason": text(1, limit)}, {"service_id": ID})


def partner_cancel(limit: int = REASON_LIMIT) -> Fields:
    """The body of a partner's cancel."""
    return Fields({"sub_mchid": ID, "reason": text(1, limit)}, {"service_id": ID})
