"""How the gateway says no: statuses, codes, sentences, and the documented error shape.

Codes and statuses are those of payscore section 6, internal numbers those that stand at
the end of ``Request-ID``; ``detail.sandbox`` is ours, so that tests can tell apart what
WeChat Pay answers alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

#: HTTP status and documented sentence of each code: all that the catalogue lists, and
#: those of the general tables.
CODES: dict[str, tuple[int, str]] = {
    "PARAM_ERROR": (400, "参数错误"),
    "INVALID_REQUEST": (400, "请求不符合业务规则"),
    "INVALID_ORDER_STATE": (400, "单据状态错误"),
    "ORDER_CANCELED": (400, "单据已取消"),
    "ORDER_DONE": (400, "订单已完成"),
    "SIGN_ERROR": (401, "错误的签名，验签失败"),
    "NO_AUTH": (403, "商户信息不合法"),
    "ORDER_NOT_EXIST": (404, "订单不存在"),
    "RESOURCE_NOT_EXISTS": (404, "资源不存在"),
    # Of payments and refunds (payscore section 10.4).
    "APPID_MCHID_NOT_MATCH": (400, "appid和mchid不匹配"),
    "MCH_NOT_EXISTS": (400, "商户号不存在"),
    "ORDER_CLOSED": (400, "订单已关闭"),
    "ORDER_PAID": (400, "该订单已支付"),
    "NO_STATEMENT_EXIST": (400, "账单文件不存在"),
    "STATEMENT_CREATING": (400, "账单生成中"),
    "OUT_TRADE_NO_USED": (403, "商户订单号重复"),
    "RULE_LIMIT": (403, "业务规则限制"),
    "TRADE_ERROR": (403, "交易错误"),
    "ACCOUNT_ERROR": (403, "账号异常"),
    "NOT_ENOUGH": (403, "余额不足"),
    "USER_ACCOUNT_ABNORMAL": (403, "退款请求失败，用户账户注销"),
    "REQUEST_BLOCKED": (403, "请求被拒绝"),
    "OPENID_MISMATCH": (500, "openid和appid不匹配"),
    "BANK_ERROR": (500, "银行系统异常"),
    "INVALID_TRANSACTIONID": (500, "订单号非法"),
    "USERPAYING": (202, "用户支付中，需要输入密码"),
    "FREQUENCY_LIMITED": (429, "频率超限"),
    "RATELIMIT_EXCEED": (429, "频率超限"),  # of profit sharing (分账)
    "SYSTEM_ERROR": (500, "系统错误"),
}


#: How many problems a message tells, and how many ``detail.sandbox`` lists.
_TOLD, _LISTED = 20, 200


class Internal:
    """Numbers behind the last ``-`` of ``Request-ID`` (payscore section 6)."""

    AUTHORIZATION = 270924332
    OUT_OF_RANGE = 268435464
    NO_PERMISSION = 268503786
    NOT_FOUND = 271317510
    ILLEGAL_STATE = 271302262
    NOT_CONFIRMED = 271302332
    CANCELLED = 271302333
    NOT_PENDING = 271316657
    CANNOT_CANCEL = 271316592
    REENTRY_DIFFERS = 271316598
    DEDUCTING = 271316754
    ABOVE_CEILING = 271316656
    UNKNOWN_APPID = 271302149
    NO_SUCH_ROUTE = 268578704


class Problem(NamedTuple):
    """One thing wrong with a parameter."""

    #: JSON pointer, or the name of a query or path parameter.
    field: str
    issue: str
    value: Any = None
    #: ``body``, ``query``, ``path`` or ``header``.
    location: str = "body"
    #: Which rule of the documents it breaks, one of ``policy.RULES``; ``""`` is one
    #: that an endpoint has for itself, and insists upon.
    rule: str = ""
    got: str = ""
    expected: str = ""
    #: What may have been meant.
    hint: str = ""
    #: What is peculiar to a sandbox in it, such as what time it is there.
    note: str = ""
    #: The document that says so.
    source: str = ""
    #: Whether the documents agree about it.
    sure: bool = True

    @property
    def sentence(self) -> str:
        """The issue, what may have been meant, and what is to be known of it."""
        hint = f"; did you mean {self.hint}?" if self.hint else ""
        note = f"; {self.note}" if self.note else ""
        return f"{self.issue}{hint}{note}"

    def __str__(self) -> str:
        return f"{self.field}: {self.sentence}"


class Refusal(Exception):
    """An error answer, on its way out."""

    def __init__(
        self,
        code: str,
        *,
        message: str = "",
        status: int = 0,
        detail: Mapping[str, Any] | None = None,
        number: int = Internal.OUT_OF_RANGE,
    ) -> None:
        documented, sentence = CODES[code]
        self.code = code
        self.status: int = status or documented
        self.message: str = message or sentence
        self.detail: dict[str, Any] = dict(detail or {})
        self.number = number
        super().__init__(f"{self.status} {code} {self.message}")

    @property
    def body(self) -> dict[str, Any]:
        """The documented shape: code, message, detail (protocol section 10)."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.detail:
            body["detail"] = self.detail
        return body


def parameters(problems: Iterable[Problem], *, status: int = 0) -> Refusal:
    """``PARAM_ERROR``: the first problem as documented, all of them for our readers."""
    found = list(problems)
    text = "; ".join(map(str, found[:_TOLD]))
    if len(found) > _TOLD:
        text += f"; and {len(found) - _TOLD} more"
    listed = [_explained(problem) for problem in found[:_LISTED]]
    return Refusal(
        "PARAM_ERROR",
        message=f"参数错误：{text}",
        status=status,
        detail={
            **_shown(found[0]),
            "sandbox": {"id": "parameters", "problems": listed},
        },
    )


def too_large(size: int, limit: int) -> Refusal:
    """The refusal of a body of *size* bytes."""
    issue = f"{size} bytes, at most {limit} are taken"
    return parameters([Problem("/", issue)], status=413)


def refused(
    code: str,
    identifier: str,
    sentence: str,
    *,
    message: str = "",
    number: int,
    **more: Any,
) -> Refusal:
    """A business refusal, with its fixed id and one sentence in ``detail.sandbox``."""
    return Refusal(
        code,
        message=message,
        detail={
            "issue": sentence,
            "sandbox": {"id": identifier, "message": sentence, **more},
        },
        number=number,
    )


def _shown(problem: Problem) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "field": problem.field,
        "issue": problem.sentence,
        "location": problem.location,
    }
    if problem.value is not None:
        shown["value"] = _short(problem.value)
    return shown


def _explained(problem: Problem) -> dict[str, Any]:
    """The documented members, and ours where they say anything."""
    ours = {
        "rule": problem.rule,
        "got": problem.got,
        "expected": problem.expected,
        "hint": problem.hint,
        "note": problem.note,
        "source": problem.source,
    }
    return {**_shown(problem), **{name: said for name, said in ours.items() if said}}


def _short(value: Any) -> Any:
    """*value* for an error text, which is no place for a megabyte."""
    if isinstance(value, (bool, int, float)):
        return value
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= 64 else f"{text[:64]}…"
