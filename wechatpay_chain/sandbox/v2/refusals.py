"""How APIv2 says no: codes with names of their own, in the right one of two forms.

A failure of communication (通信失败) is ``return_code`` and nothing more, one of the
business has ``err_code`` and is signed (protocol section 16).
"""

from __future__ import annotations

from ...catalogue.model import Operation
from ..refusals import Refusal


def failure(
    refusal: Refusal, operation: Operation | None, known: bool
) -> dict[str, str]:
    """What *refusal* says in APIv2; *known*: whether the signature held."""
    code = CODES.get(refusal.code, refusal.code)
    text = refusal.message[:128]
    if operation is not None and operation.download:
        error_code = _BILL_CODES.get(refusal.code, "20001")
        said = _BILL_WORDS.get(refusal.code, text)
        return {"return_code": "FAIL", "return_msg": said, "error_code": error_code}
    if not known or refusal.code == "PARAM_ERROR":
        said = "签名错误" if refusal.code == "SIGN_ERROR" else text
        return {"return_code": "FAIL", "return_msg": said}
    if refusal.code == "RESOURCE_NOT_EXISTS":
        missing = refusal.detail.get("sandbox", {}).get("id") == "refund_unknown"
        code = "REFUNDNOTEXIST" if missing else "ORDERNOTEXIST"
    return {
        "return_code": "SUCCESS",
        "return_msg": "OK",
        "result_code": "FAIL",
        "err_code": code,
        "err_code_des": text,
    }


#: Codes that have another name in APIv2.
CODES: dict[str, str] = {
    "ORDER_NOT_EXIST": "ORDERNOTEXIST",
    "ORDER_PAID": "ORDERPAID",
    "ORDER_CLOSED": "ORDERCLOSED",
    "NOT_ENOUGH": "NOTENOUGH",
    "NO_AUTH": "NOAUTH",
    "MCH_NOT_EXISTS": "MCHID_NOT_EXIST",
    "SYSTEM_ERROR": "SYSTEMERROR",
    "BANK_ERROR": "BANKERROR",
    "RULE_LIMIT": "RULELIMIT",
    "SIGN_ERROR": "SIGNERROR",
}
#: Numbers and words of what refuses a file.
_BILL_CODES = {
    "NO_STATEMENT_EXIST": "20002",
    "STATEMENT_CREATING": "20002",
    "SYSTEM_ERROR": "20003",
}
_BILL_WORDS = {
    "NO_STATEMENT_EXIST": "No Bill Exist",
    "STATEMENT_CREATING": "Bill Creating",
    "SIGN_ERROR": "SIGN ERROR",
}
