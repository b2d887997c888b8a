"""The tree of exceptions: its shape, its messages, and its way between processes."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

import wechatpay_chain
from wechatpay_chain import errors
from wechatpay_chain.errors import (
    APIError,
    CheckError,
    ConfigurationError,
    ConnectError,
    NotificationError,
    Problem,
    SentRequest,
    SignatureError,
    WeChatPayError,
)

CLASSES = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, WeChatPayError)
]
REQUEST = SentRequest("POST", "https://api.mch.weixin.qq.com/v3/x")


def drawn() -> Iterator[tuple[int, str]]:
    """Depth and name of each class in the drawing at the top of the module."""
    assert errors.__doc__ is not None
    for line in errors.__doc__.splitlines():
        match = re.match(r"    ((?:[│├└─ ]{4})*)([A-Z]\w+)", line)
        if match:
            yield len(match[1]) // 4, match[2]


def test_the_tree_is_as_drawn() -> None:
    drawing = list(drawn())
    assert {name for _, name in drawing} == {kind.__name__ for kind in CLASSES}
    above: dict[int, type] = {}
    for depth, name in drawing:
        kind = getattr(errors, name)
        above[depth] = kind
        if depth:
            assert kind.__mro__[1] is above[depth - 1]


def test_every_name_is_exported_twice() -> None:
    assert set(errors.__all__) == {k.__name__ for k in CLASSES} | {
        "CheckWarning",
        "Outcome",
        "Problem",
        "SentRequest",
    }
    for kind in CLASSES:
        assert getattr(wechatpay_chain, kind.__name__) is kind


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("ConfigurationError", ValueError),
        ("TemplateError", TypeError),
        ("EncodeError", ValueError),
        ("EncodeError", TypeError),
    ],
)
def test_wrong_arguments_are_pythons_errors_too(name: str, builtin: type) -> None:
    assert issubclass(getattr(errors, name), builtin)


OUTCOMES = {
    "ConfigurationError": "not_sent",
    "TemplateError": "not_sent",
    "EncodeError": "not_sent",
    "CheckError": "not_sent",
    "ConnectError": "not_sent",
    "ConnectTimeout": "not_sent",
    "TransportError": "unknown",
    "WriteError": "unknown",
    "WriteTimeout": "unknown",
    "ReadError": "unknown",
    "ReadTimeout": "unknown",
    "DecodeError": "unknown",
}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_what_a_class_says_of_the_operation(kind: Any) -> None:
    assert kind("x").outcome == OUTCOMES.get(kind.__name__)
    assert kind("x").request is None


def test_a_request_is_safe_to_log() -> None:
    assert str(REQUEST) == "POST https://api.mch.weixin.qq.com/v3/x"


def full(kind: type[WeChatPayError]) -> WeChatPayError:
    """One with every field set."""
    if issubclass(kind, APIError):
        return kind(
            "参数错误",
            status_code=400,
            code="PARAM_ERROR",
            detail={"field": "/amount"},
            request_id="08D8-0",
            explanation="the url differs",
            request=REQUEST,
            outcome="refused",
        )
    if issubclass(kind, SignatureError):
        return kind(
            "bad",
            serial="PUB_KEY_ID_01",
            timestamp="1717225200",
            request=REQUEST,
            outcome="unknown",
        )
    if issubclass(kind, NotificationError):
        return kind("bad", status_code=401)
    if issubclass(kind, CheckError):
        found = Problem("amount.total", "type", "1.5", "an integer")
        return kind("bad", problems=[found], request=REQUEST, outcome="not_sent")
    return kind("bad", request=REQUEST, outcome="unknown")


def pickled(error: WeChatPayError) -> WeChatPayError:
    made: WeChatPayError = pickle.loads(pickle.dumps(error))
    return made


@pytest.mark.parametrize("way", [pickled, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_error_survives_pickling(kind: Any, way: Any) -> None:
    error = full(kind)
    error.tenant = "added by the user"
    again = way(error)
    assert type(again) is kind
    assert again.args == error.args
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert vars(again)


def fail() -> None:
    raise full(APIError)


def test_an_error_comes_back_from_another_process() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        error = pool.submit(fail).exception()
    assert isinstance(error, APIError)
    assert error.request == REQUEST
    assert error.code == "PARAM_ERROR"


@pytest.mark.parametrize(
    ("code", "asked", "verdict"),
    [
        ("ORDER_NOT_EXIST", "ORDERNOTEXIST", True),
        ("ORDERNOTEXIST", "ORDER_NOT_EXIST", True),
        ("ORDER_NOT_ EXIST", "ORDER_NOT_EXIST", True),
        ("SYSTEMERROR", "system_error", True),
        ("ORDER_NOT_EXIST", "ORDER_NOT", False),
        ("", "", True),
        (None, "ORDER_NOT_EXIST", False),
        (None, "", False),
    ],
)
def test_codes_compare_loosely(code: Any, asked: str, verdict: bool) -> None:
    error = APIError(code=code)
    assert error.is_code(asked) is verdict
    assert error.is_code("OTHER", asked) is verdict
    assert not error.is_code()
    assert error.err_code == code


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequest"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (429, "RateLimited"),
        (500, "ServerError"),
        (503, "ServerError"),
        (599, "ServerError"),
        (302, "APIError"),
        (409, "APIError"),
        (418, "APIError"),
    ],
)
def test_the_class_goes_by_status(status: int, name: str) -> None:
    assert APIError.for_status(status).__name__ == name


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (APIError(status_code=502), "HTTP 502"),
        (APIError("gone", status_code=404), "HTTP 404 gone"),
        (
            full(APIError),
            "HTTP 400 PARAM_ERROR 参数错误 (/amount) "
            "(POST https://api.mch.weixin.qq.com/v3/x) [Request-ID 08D8-0]; "
            "the url differs",
        ),
        (ConfigurationError("mchid: digits"), "mchid: digits"),
        (WeChatPayError(), ""),
        (ConnectError("no connection", request=REQUEST), "no connection"),
        (NotificationError("bad"), "bad"),
    ],
    ids=str,
)
def test_a_message_is_one_line(error: WeChatPayError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(
    ("detail", "message", "text"),
    [
        ({"field": "/a", "issue": "too\nlong"}, "参数错误", "参数错误 (/a: too long)"),
        ({"issue": "too long", "value": "秘密"}, "参数错误", "参数错误 (too long)"),
        ({"field": "/a", "issue": "no"}, "/a: no", "/a: no"),
        ({"field": "/a", "issue": "x" * 300}, "m", f"m (/a: {'x' * 196}...)"),
        ({"field": 5, "issue": None}, "m", "m"),
        ({"field": "", "issue": []}, "m", "m"),
        ("text", "m", "m"),
        (["issue"], "m", "m"),
        (None, "m", "m"),
    ],
)
def test_the_reason_of_an_answer_is_told_less_the_value(
    detail: Any, message: str, text: str
) -> None:
    error = APIError(message, status_code=400, detail=detail)
    assert str(error) == f"HTTP 400 {text}"


def test_a_notification_error_says_what_to_answer() -> None:
    assert NotificationError().status_code == 400
    assert NotificationError(status_code=401).status_code == 401


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_what_a_peer_sent_forges_no_line_and_can_be_printed(
    kind: type[WeChatPayError],
) -> None:
    error = kind("订单不存在\r\nINFO all is well\x1b[2K\u2028\ud800.")
    assert "订单不存在?INFO all is well?[2K?." in str(error)
    assert str(error).encode()


def test_an_answer_keeps_its_message_as_received() -> None:
    error = APIError("one\ntwo", status_code=400, request_id="08\x1d73")
    assert str(error) == "HTTP 400 one?two [Request-ID 08?73]"
    assert (error.message, error.request_id) == ("one\ntwo", "08\x1d73")
