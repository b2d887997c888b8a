"""Which requests may be sent twice: the ones that carry a number of the caller's own.

WeChat Pay takes such a number as the key of the operation, so that the same request
under the same number is carried out once (protocol section 10, "Retry safety"). Pure.
"""

from __future__ import annotations

from .._messages import Request
from .._shapes import mapping
from .._uri import parse
from . import json_body

#: The caller's own numbers of the documented endpoints: in a path, or at the top of a
#: body. What WeChat Pay issues (``transaction_id``, ``order_id``) is none of them.
NUMBERS = frozenset(
    {
        "business_code",
        "combine_out_trade_no",
        "mch_billno",
        "merchant_plan_no",
        "merchant_sign_plan_no",
        "out_abnormal_settle_batch_no",
        "out_apply_no",
        "out_applyment_id",
        "out_authorization_no",
        "out_batch_no",
        "out_bill_no",
        "out_budget_no",
        "out_card_code",
        "out_contract_code",
        "out_detail_no",
        "out_insurance_no",
        "out_order_no",
        "out_recharge_no",
        "out_refund_no",
        "out_request_no",
        "out_reservation_no",
        "out_return_no",
        "out_settle_batch_no",
        "out_subsidy_no",
        "out_subsidy_return_no",
        "out_trade_no",
        "out_transfer_no",
        "partner_trade_no",
    }
)

#: Methods that change nothing.
_SAFE = frozenset({"GET", "HEAD"})


def is_safe(request: Request) -> bool:
    """Whether the request only asks."""
    return request.method in _SAFE


def is_repeatable(request: Request) -> bool:
    """Whether sending *request* a second time cannot carry it out twice."""
    return is_safe(request) or own_number(request) is not None


def own_number(request: Request) -> str | None:
    """The name of the caller's own number in the path or the body, if there is one."""
    names = set(parse(request.template).names) if request.template else set[str]()
    found = names & NUMBERS or _fields(request) & NUMBERS
    return min(found, default=None)


def _fields(request: Request) -> set[str]:
    """The names at the top of the body: APIv2 fields, or JSON members with a value."""
    if request.payload is not None:
        fields = mapping(request.payload.value)
    else:
        text = request.body if request.signing_body is None else request.signing_body
        try:
            fields = mapping(json_body.load(text)) if text else None
        except ValueError:
            fields = None
    return {str(name) for name, value in (fields or {}).items() if value}
