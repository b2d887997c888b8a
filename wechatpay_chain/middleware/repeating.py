"""What may be sent again after it may have arrived (protocol section 10).

The caller's own number is what makes a repeat safe: WeChat Pay knows the operation by
it, and does it once. The names are data; what has none of them is never repeated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._messages import Request, Response
from .._shapes import mapping
from ..errors import APIError
from . import json_body

#: Fields and placeholders that hold a number of the merchant's own choosing.
NUMBERS = frozenset(
    {
        "add_request_no",
        "business_code",
        "combine_out_trade_no",
        "deactivate_request_no",
        "delete_request_no",
        "mch_billno",
        "merchant_plan_no",
        "merchant_sign_plan_no",
        "modify_budget_request_no",
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
        "return_request_no",
        "send_request_no",
        "upload_request_no",
        "use_request_no",
    }
)

#: Methods that change nothing.
READING = frozenset({"GET", "HEAD"})

#: Statuses after which a reading request is sent again: every 5xx beside these.
BUSY = frozenset({429})
#: Statuses after which a request with a number is: busy, off line, overloaded, and a
#: gateway that lost the answer. A bare 500 is not among them; see :data:`CODES`.
AGAIN = frozenset({429, 502, 503, 504})
#: Codes for which the documents say: repeat with the same parameters.
CODES = ("SYSTEM_ERROR", "BANK_ERROR", "FREQUENCY_LIMITED", "BIZERR_NEED_RETRY")

_PLACEHOLDER = re.compile(r"\{\+?(\w+)\}")


def is_repeatable(request: Request) -> bool:
    """Whether sending *request* once more cannot do its work twice.

    True for GET, and for a request that carries a number of :data:`NUMBERS` as a
    placeholder of its path or at the top of its body.
    """
    if request.method in READING:
        return True
    if not NUMBERS.isdisjoint(_PLACEHOLDER.findall(request.template)):
        return True
    fields = _fields(request)
    return any(fields.get(name) for name in NUMBERS & fields.keys())


def is_worth_repeating(request: Request, response: Response) -> bool:
    """Whether an answer is one that the documents call repeatable."""
    if response.status_code < 300 and not request.template.startswith("v2/"):
        return False  # only APIv2 reports a failure in a 200
    code = _code(response)
    if code is not None and APIError(code=code).is_code(*CODES):
        return True
    status = response.status_code
    if request.method in READING:
        return status in BUSY or status >= 500
    return status in AGAIN


def _fields(request: Request) -> Mapping[str, Any]:
    """The body's top level: of an APIv2 call, of JSON, or of an upload's ``meta``."""
    if request.payload is not None:
        found = mapping(request.payload.value)
    else:
        body = request.body if request.signing_body is None else request.signing_body
        try:
            found = mapping(json_body.load(body))
        except ValueError:
            return {}
    return found or {}


def _code(response: Response) -> str | None:
    """The error code of an answer: ``code``, or ``err_code`` on APIv2."""
    data = mapping(response.data)
    if data is None:
        return None
    failed = data.get("result_code") == "FAIL"
    code = data.get("err_code") if failed else data.get("code")
    return code if isinstance(code, str) and (failed or not response.ok) else None
