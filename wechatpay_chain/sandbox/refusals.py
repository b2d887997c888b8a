"""How the gateway says no: statuses, codes, sentences, and the documented error shape.

Codes and statuses are those of payscore section 6, internal numbers those that stand at
the end of ``Request-ID``; ``detail.sandbox`` is ours, so that tests can tell apart what
WeChat Pay answers alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

#: HTTP status and documented sentence of each code.
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
}


class Internal:
    """Numbers behind the last ``-`` of ``Request-ID`` (payscore section 6)."""

    AUTHORIZATION = 270924332
    OUT_OF_RANGE = 268435464
    NO_PERMISSION = 268503786
    NOT_FOUND = 271317510
    ILLEGAL_STATE = 271302262
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
    first = found[0]
    text = "; ".join(f"{problem.field}: {problem.issue}" for problem in found)
    return Refusal(
        "PARAM_ERROR",
        message=f"参数错误：{text}",
        status=status,
        detail={
            **_shown(first),
            "sandbox": {"id": "parameters", "problems": [_shown(p) for p in found]},
        },
    )


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
        "issue": problem.issue,
        "location": problem.location,
    }
    if problem.value is not None:
        shown["value"] = _short(problem.value)
    return shown


def _short(value: Any) -> Any:
    """*value* for an error text, which is no place for a megabyte."""
    if isinstance(value, (bool, int, float)):
        return value
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= 64 else f"{text[:64]}…"
