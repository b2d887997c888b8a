"""What calls after the service may hold: complete, modify, pay, sync and messages.

Payscore sections 2.1, 2.2, 3.1 and the sum of section 5, rule 1. Each constant is a
pair, for direct merchants and for partners.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..checks.validation import Fields, Listing, Rule, boolean, integer, one_of, text
from ..refusals import Problem
from . import fields


class Roles(NamedTuple):
    """The body of one call in either role."""

    direct: Fields
    partner: Fields


def total(body: Mapping[str, Any]) -> int:
    """What the lines make: charges less discounts (payscore section 5, rule 1).

    ``amount`` is the amount of the line; ``count`` is for display only.
    """
    return _sum(body.get("post_payments", ())) - _sum(body.get("post_discounts", ()))


def _sum(lines: Sequence[Mapping[str, Any]]) -> int:
    return sum(int(line.get("amount", 0)) for line in lines)


def sum_problems(body: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the total of a call whose members are in order.

    No rule of the fields: amounts come after the state of the order (protocol 10).
    """
    expected = total(body)
    if body["total_amount"] != expected:
        yield Problem(
            "/total_amount",
            f"最终总金额计算非法: the lines make {expected}",
            body["total_amount"],
        )


_PAYMENTS = Listing(fields.PAYMENT, 1, 100, unique="name")
_DISCOUNTS = Listing(fields.DISCOUNT, 0, 30, unique="name")
_SERVICE: dict[str, Rule] = {"service_id": fields.ID}
_DIRECT: dict[str, Rule] = {"appid": fields.ID, **_SERVICE}
_PARTNER: dict[str, Rule] = {"sub_mchid": fields.ID}

_BILL: dict[str, Rule] = {"post_payments": _PAYMENTS, "total_amount": integer(0)}
_SPLIT: dict[str, Rule] = {
    "profit_sharing": boolean(),
    "goods_tag": text(1, 32),
}
_COMPLETING: dict[str, Rule] = {
    "post_discounts": _DISCOUNTS,
    "time_range": fields.time_range(start=False),
    "device": fields.DEVICE,
    **_SPLIT,
}
_END_LOCATION = Fields(optional={"end_location": text(1, 50)})
_BOTH_LOCATIONS = Fields(
    optional={"start_location": text(1, 50), "end_location": text(1, 50)}
)

COMPLETE = Roles(
    Fields(
        {**_DIRECT, **_BILL},
        {**_COMPLETING, "location": _END_LOCATION},
    ),
    Fields(
        {**_SERVICE, **_PARTNER, **_BILL},
        {
            **_COMPLETING,
            "location": _BOTH_LOCATIONS,
            "complete_time": text(1, 32),
        },
    ),
)

_LOWERING: dict[str, Rule] = {**_BILL, "reason": text(1, 50)}
_LOWERED: dict[str, Rule] = {"post_discounts": _DISCOUNTS, "device": fields.DEVICE}

MODIFY = Roles(
    Fields({**_DIRECT, **_LOWERING}, _LOWERED),
    Fields({**_PARTNER, **_LOWERING}, {**_SERVICE, **_LOWERED}),
)

PAY = Roles(Fields(_DIRECT), Fields(_PARTNER, _SERVICE))

_PAID_TIME: dict[str, Rule] = {"paid_time": fields.TIME}
_ORDER_PAID = one_of("Order_Paid")

SYNC = Roles(
    Fields({**_DIRECT, "type": _ORDER_PAID, "detail": Fields(_PAID_TIME)}),
    Fields(
        {
            **_SERVICE,
            **_PARTNER,
            "type": _ORDER_PAID,
            "detail": Fields(
                _PAID_TIME, {"seq": integer(1), "paid_amount": integer(0)}
            ),
        }
    ),
)

_LINE = Fields(
    optional={
        "name": text(1, 20),
        "amount": integer(0),
        "description": text(1, 30),
        "count": integer(1, 100),
    }
)
_TOLD: dict[str, Rule] = {
    "post_payments": Listing(_LINE, 1, 100, unique="name"),
    "total_amount": integer(0),
    # No document says how it is written.
    "prepaid_time": text(1, 32),
}
_TOLD_TOO: dict[str, Rule] = {"post_discounts": Listing(_LINE, 0, 30, unique="name")}

MESSAGE = Roles(
    Fields({**_SERVICE, **_TOLD}, _TOLD_TOO),
    Fields({**_SERVICE, **_PARTNER, **_TOLD}, _TOLD_TOO),
)

_AT_ONCE: dict[str, Rule] = {
    "out_order_no": fields.OUT_ORDER_NO,
    "appid": fields.ID,
    **_SERVICE,
    "service_introduction": text(1, 20),
    "time_range": fields.time_range(),
    "total_amount": integer(0),
    "notify_url": fields.notify_url,
}
_AT_ONCE_TOO: dict[str, Rule] = {
    "post_discounts": Listing(fields.DISCOUNT, 0, 5, unique="name"),
    "location": fields.LOCATION,
    "attach": text(1, 256),
    **_SPLIT,
}

DIRECT_COMPLETE = Roles(
    Fields(
        {**_AT_ONCE, "openid": fields.OPENID, "post_payments": _PAYMENTS},
        _AT_ONCE_TOO,
    ),
    Fields(
        {**_AT_ONCE, **_PARTNER},
        {
            **_AT_ONCE_TOO,
            "post_payments": Listing(fields.PAYMENT, 0, 100, unique="name"),
            "sub_appid": fields.ID,
            "openid": fields.OPENID,
            "sub_openid": fields.OPENID,
        },
        also=fields.one_user,
    ),
)
