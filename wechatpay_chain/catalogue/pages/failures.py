"""What error codes mean and what to do: for all endpoints, and by code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import APIError
from ..model import Operation


@dataclass(frozen=True)
class Failure:
    """One error code."""

    status: str
    code: str
    #: The class that is raised.
    raised: str
    meaning: str
    action: str


#: Code to meaning and action. Spellings differ between products: see :func:`_plain`.
_CODES: Mapping[str, tuple[str, str]] = {
    "PARAM_ERROR": (
        "A parameter is missing, malformed, too long, or breaks arithmetic (参数错误)",
        "Mend the request; error.detail names the field.",
    ),
    "INVALID_REQUEST": (
        "Well-formed, but against a rule of the business (无效请求)",
        "Read error.message. A number was used before with other parameters? Query it.",
    ),
    "SIGN_ERROR": (
        "The signature was refused (签名错误)",
        "Read error.explanation: it names what differs. Check key, serial and clock.",
    ),
    "NO_AUTH": (
        "Not permitted: product, appid, service or sub-merchant (商户无权限)",
        "Mend the configuration in the merchant console. Do not repeat.",
    ),
    "RESOURCE_NOT_EXISTS": (
        "What the path or body names does not exist",
        "Check the number, and whose it is.",
    ),
    "FREQUENCY_LIMITED": (
        "Too many requests (频率超限)",
        "Repeat later with the same parameters; the client backs off by itself.",
    ),
    "SYSTEM_ERROR": (
        "A fault at WeChat Pay; it may have been carried out (系统错误)",
        "Repeat with the same number and parameters, or query. Never a new number.",
    ),
    "INVALID_ORDER_STATE": (
        "The order is in a state that does not allow this (单据状态错误)",
        "Query the order, and go on from there.",
    ),
    "ORDER_CANCELED": (
        "The order is cancelled already (单据已取消)",
        "Nothing to do.",
    ),
    "ORDER_DONE": (
        "The order is finished and paid (订单已完成)",
        "Nothing to do; money that was taken goes back by a refund.",
    ),
    "ORDER_NOT_EXIST": ("There is no such order (订单不存在)", "Check the number."),
    "ORDER_CLOSED": ("The order is closed (订单已关闭)", "Order under a new number."),
    "ORDER_PAID": ("The order is paid already (订单已支付)", "Nothing to do."),
    "OUT_TRADE_NO_USED": (
        "The number belongs to another order (商户订单号重复)",
        "Check that it is not paid before you take a new number.",
    ),
    "NOT_ENOUGH": (
        "Not enough money (余额不足)",
        "Fund the account, then repeat with the same number.",
    ),
    "RULE_LIMIT": (
        "Refused by a rule of business or risk (业务规则限制)",
        "Read error.message.",
    ),
    "USER_ACCOUNT_ABNORMAL": (
        "The user's account cannot take part (用户账户异常)",
        "Pay back by another way.",
    ),
    "BANK_ERROR": (
        "A fault at the bank; it may have been carried out (银行系统异常)",
        "Repeat with the same number and parameters, or query.",
    ),
    "USERPAYING": (
        "The user is entering a password (用户支付中)",
        "Query after some seconds.",
    ),
    "ACCOUNT_ERROR": ("The account cannot be used (账号异常)", "Read error.message."),
    "TRADE_ERROR": ("The trade failed (交易错误)", "Read error.message."),
    "APPID_MCHID_NOT_MATCH": (
        "The appid is not bound to the merchant (appid 和 mchid 不匹配)",
        "Bind it in the merchant console.",
    ),
    "MCH_NOT_EXISTS": ("There is no such merchant (商户号不存在)", "Check the number."),
    "NO_STATEMENT_EXIST": (
        "There is no bill for that day (账单文件不存在)",
        "Nothing happened on it, or it is not made yet: ask after 10 in the morning.",
    ),
    "STATEMENT_CREATING": (
        "The bill is being made (账单生成中)",
        "Ask again later.",
    ),
}

#: What any endpoint of APIv3 may answer.
_GENERAL: tuple[tuple[int, str], ...] = (
    (400, "PARAM_ERROR"),
    (400, "INVALID_REQUEST"),
    (401, "SIGN_ERROR"),
    (403, "NO_AUTH"),
    (404, "RESOURCE_NOT_EXISTS"),
    (429, "FREQUENCY_LIMITED"),
    (500, "SYSTEM_ERROR"),
)


def general(operation: Operation) -> list[Failure]:
    """What any endpoint of APIv3 may answer, besides what the documents list for it."""
    listed = {_plain(code) for code in operation.errors}
    return [
        _failure(code, status)
        for status, code in _GENERAL
        if _plain(code) not in listed
    ]


def documented(operation: Operation) -> list[Failure]:
    """The codes that the documents of *operation* list, by status."""
    made = [
        _failure(code, status)
        for code, given in operation.errors.items()
        for status in _statuses(given)
    ]
    return sorted(made, key=lambda failure: (failure.status, failure.code))


def _statuses(given: Any) -> Iterator[int]:
    yield from given if isinstance(given, (list, tuple)) else (given,)


def _failure(code: str, status: int) -> Failure:
    meaning, action = _PLAIN.get(_plain(code), ("", ""))
    raised = APIError.for_status(status).__name__
    return Failure(str(status), code, raised, meaning, action)


def _plain(code: str) -> str:
    """The code without what differs between products: ``RATELIMIT_EXCEED`` is 429."""
    text = code.replace("_", "").replace(" ", "")
    return "FREQUENCYLIMITED" if text.startswith("RATELIMIT") else text


_PLAIN = {_plain(code): words for code, words in _CODES.items()}
