"""The layer ``check``: what is told, what is refused, where, and what never is."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain import (
    APIError,
    CheckError,
    CheckWarning,
    ConfigurationError,
    EncodeError,
    Problem,
    TemplateError,
    WeChatPay,
    around,
    catalogue,
    send,
)
from wechatpay_chain.crypto import Encrypted

CANCEL = "v3/payscore/serviceorder/{out_order_no}/cancel"
GOOD = {"appid": "wxd678efh567hg6787", "service_id": "500001", "reason": "用户投诉"}


def told(verb: Callable[..., Any], *args: Any, **options: Any) -> list[str]:
    """What is warned of during a call, each warning in its place."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        verb(*args, **options)
    assert {one.category for one in caught} <= {CheckWarning}
    return [str(one.message) for one in caught]


def refused(call: Any, verb: Any, *args: Any, **options: Any) -> tuple[Problem, ...]:
    """The problems for which a strict client refuses a call."""
    with pytest.raises(CheckError) as caught:
        call(verb, *args, **options)
    assert caught.value.outcome == "not_sent"
    assert caught.value.request is not None
    for problem in caught.value.problems:
        assert str(problem) in str(caught.value)
    return caught.value.problems


def rules(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    return [(problem.path, problem.rule) for problem in problems]


@pytest.fixture
def strict(make: Callable[..., WeChatPay]) -> WeChatPay:
    return make(check="strict", secret="0" * 32)


# By default: what is certain, and the call goes on.

CERTAIN: list[tuple[str, str, dict[str, Any], str]] = [
    ("GET", "v3/certificates", {"json": {"a": 1}}, "body: no body expected, got dict"),
    (
        "POST",
        "v3/ecommerce/applyments/{applyment_id}/revoke",
        {"json": [1], "applyment_id": 1},
        "body: no body expected, got list (body)",
    ),
    (
        "POST",
        "v3/ecommerce/applyments/{applyment_id}/revoke",
        {"data": b"{}", "applyment_id": 1},
        "body: no body expected, got bytes (body)",
    ),
    (
        "POST",
        "v3/ecommerce/applyments/{applyment_id}/revoke",
        {"files": {"file": ("a.png", b"1")}, "applyment_id": 1},
        "body: no body expected, got a file (body)",
    ),
    (
        "POST",
        "v3/pay/transactions/jsapi",
        {"json": {"amount": {"total": 0.88}}},
        "amount.total: an integer in fen (分) expected, got 0.88 (type)",
    ),
    (
        "POST",
        "v3/pay/transactions/jsapi",
        {"json": {"amount": {"total": "88"}}},
        "amount.total: an integer in fen (分) expected, got str of 2 characters (type)",
    ),
    (
        "POST",
        "v3/pay/transactions/jsapi",
        {"json": {"amount": {"total": True}}},
        "amount.total: an integer in fen (分) expected, got True (type)",
    ),
    (
        "POST",
        "v3/refund/domestic/refunds",
        {"json": {"amount": {"refund": -1, "total": 1}}},
        "amount.refund: 0 or more expected, got -1 (range)",
    ),
    (
        "POST",
        "v3/payscore/serviceorder",
        {"json": {"post_payments": [{"amount": 1}, {"amount": 0.5}]}},
        "post_payments[1].amount: an integer in fen (分) expected, got 0.5 (type)",
    ),
    (
        "POST",
        "v3/payscore/serviceorder/{order_no}/cancel",
        {"json": GOOD, "order_no": "1"},
        "{order_no}: {out_order_no} expected, got {order_no} (placeholder)",
    ),
    (
        "POST",
        "v3/payscore/serviceorder/{order_no}/cancel?a={b}",
        {"json": GOOD, "order_no": "1", "b": "2"},
        "{order_no}: {out_order_no} expected, got {order_no} (placeholder)",
    ),
    (
        "POST",
        "v3/payscore/serviceorder/{order_no}/{action}",
        {"json": GOOD, "order_no": "1", "action": "cancel"},
        "{order_no}: {out_order_no} expected, got {order_no} (placeholder)",
    ),
]


def test_a_value_in_place_of_a_word_is_no_mistake(call, server, client) -> None:
    cancel = client["v3/payscore/serviceorder/{out_order_no}/{action}"].post
    assert told(call, cancel, GOOD, out_order_no="1", action="cancel") == []
    assert str(server.request.operation) == f"POST {CANCEL}"


@pytest.mark.parametrize(("method", "path", "options", "text"), CERTAIN)
def test_what_is_certain_is_told_and_the_call_goes_on(
    call, server, client, method, path, options, text
) -> None:
    (message,) = told(call, getattr(client[path], method.lower()), **options)
    assert text in message
    assert message.startswith(f"{method} v3/")
    assert len(server.requests) == 1


UNTOLD: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", CANCEL, {"json": {"nothing": "of it is right"}, "out_order_no": "1"}),
    ("POST", CANCEL.replace("{out_order_no}", "ORDER-1"), {"json": GOOD}),
    ("POST", "{+path}", {"json": GOOD, "path": {"path": "v3/payscore/serviceorder"}}),
    ("POST", CANCEL + "?a={b}", {"json": GOOD, "out_order_no": "1", "b": "2"}),
    ("POST", CANCEL, {"data": b'{"amount": 0.5}', "out_order_no": "1"}),
    ("POST", "v3/ecommerce/applyments/{applyment_id}/revoke", {"applyment_id": 1}),
    (
        "POST",
        "v3/ecommerce/applyments/{applyment_id}/revoke",
        {"applyment_id": 1, "json": {}},
    ),
    (
        "POST",
        "v3/ecommerce/applyments/{applyment_id}/revoke",
        {"applyment_id": 1, "data": b""},
    ),
    ("POST", "v3/pay/transactions/jsapi", {"json": {"amount": {"total": 1}}}),
    ("POST", "v3/pay/transactions/jsapi", {"json": {"amount": {"total": None}}}),
    ("POST", "v3/pay/transactions/jsapi", {"json": {"amount": "none at all"}}),
    ("POST", "v3/payscore/serviceorder", {"json": ["no object"]}),
    ("POST", "v3/payscore/serviceorder", {"json": {"post_payments": {"amount": 0.5}}}),
    ("POST", "v3/payscore/serviceorder", {"json": {"post_payments": ({"amount": 1},)}}),
    ("POST", "v3/published/tomorrow", {"json": {"amount": {"total": 0.88}}}),
    ("POST", "v4/pay/transactions/jsapi", {"json": {"amount": {"total": 0.88}}}),
]


@pytest.mark.parametrize(("method", "path", "options"), UNTOLD)
def test_what_is_not_certain_is_not_told(
    call, server, client, method, path, options
) -> None:
    call(getattr(client[path], method.lower()), **options)  # a warning would fail it
    assert len(server.requests) == 1


def test_a_number_that_is_an_int_is_one(call, server, client) -> None:
    import enum

    price = enum.IntEnum("price", {"FULL": 100}).FULL
    call(client.v3.pay.transactions.jsapi.post, {"amount": {"total": price}})
    assert server.request.body == b'{"amount":{"total":100}}'


def test_a_discount_line_of_an_invoice_may_be_below_zero(call, server, client) -> None:
    lines = [{"total_amount": -5, "discount": True}, {"total_amount": 0.5}]
    body = {"fapiao_information": [{"total_amount": -1, "items": lines}]}
    node = client["v3/new-tax-control-fapiao/fapiao-applications"]
    (message,) = told(call, node.post, body)
    assert "items[0]" not in message
    assert "fapiao_information[0].total_amount: 0 or more expected, got -1" in message
    assert "items[1].total_amount: an integer in fen" in message


def test_every_problem_is_in_one_warning(call, client) -> None:
    body = {"amount": {"total": 0.5}, "detail": {"goods_detail": [{"unit_price": -1}]}}
    (message,) = told(call, client.v3.pay.transactions.jsapi.post, body)
    assert message.count("expected") == 2


@pytest.mark.parametrize(
    ("fee", "text"),
    [
        ("100", None),
        (100, None),
        ("0.88", "an integer in fen (分) expected, got str of 4 characters (type)"),
        ("-1", "0 or more expected"),
    ],
)
def test_on_v2_an_amount_is_digits(call, server, make, fee, text) -> None:
    server.strict = False
    server.otherwise = server.plain(500, {})
    client = make(secret="0" * 32, retry=1)

    def pay() -> None:
        with pytest.raises(Exception, match="500"):
            call(client.v2.pay.unifiedorder.post, {"total_fee": fee})

    messages = told(pay)
    assert [text in one for one in messages] == ([] if text is None else [True])


def test_on_v2_the_texts_of_json_are_looked_into(call, server, make) -> None:
    server.strict = False
    server.otherwise = server.plain(500, {})
    client = make(secret="0" * 32, retry=1)
    fields = {"total_fee": 1, "detail": '{"goods_detail":[{"price":0.5}]}'}

    def pay() -> None:
        with pytest.raises(Exception, match="500"):
            call(client.v2.pay.micropay.post, fields)

    (message,) = told(pay)
    assert "detail<json>.goods_detail[0].price: an integer in fen" in message


# Where it is told.


def here() -> str:
    return str(Path(__file__).resolve())


def line_of(mark: str) -> int:
    source = Path(__file__).read_text("utf-8").splitlines()
    (number,) = [at for at, line in enumerate(source, 1) if line.endswith(f"# {mark}")]
    return number


def test_the_warning_points_at_the_line_of_the_call(client) -> None:
    node = client.v3.pay.transactions.jsapi
    with pytest.warns(CheckWarning) as caught:
        node.post({"amount": {"total": 0.5}})  # mark: sync
    assert (caught[0].filename, caught[0].lineno) == (here(), line_of("mark: sync"))


@pytest.mark.parametrize("call", ["async"], indirect=True)
def test_the_warning_points_at_the_line_that_awaits(call, client) -> None:
    node = client.v3.pay.transactions.jsapi

    async def pay() -> None:
        await node.post_async({"amount": {"total": 0.5}})  # mark: async

    with pytest.warns(CheckWarning) as caught:
        call.wait(pay())
    assert (caught[0].filename, caught[0].lineno) == (here(), line_of("mark: async"))


@pytest.mark.parametrize("call", ["async"], indirect=True)
def test_of_a_task_it_points_at_what_runs_the_loop(call, client) -> None:
    """The line that made the task has returned; asyncio's own would say nothing."""
    node = client.v3.pay.transactions.jsapi

    async def pay() -> None:
        await asyncio.gather(node.post_async({"amount": {"total": 0.5}}))

    with pytest.warns(CheckWarning) as caught:
        call.wait(pay())
    assert Path(caught[0].filename).name == "conftest.py"


def test_a_guest_between_is_not_the_caller(client) -> None:
    @around
    def guest(request, call_next):
        return call_next(request)

    node = client.v3.pay.transactions.jsapi
    with pytest.warns(CheckWarning) as caught:
        node.post({"amount": {"total": 0.5}}, middleware=[guest])  # mark: guest
    assert caught[0].lineno == line_of("mark: guest")


def test_a_program_may_make_an_error_of_it(call, server, client) -> None:
    with pytest.raises(CheckWarning, match=r"amount\.total"):
        call(client.v3.pay.transactions.jsapi.post, {"amount": {"total": 0.5}})
    assert server.requests == []


# Strict.


def test_strict_lets_pass_what_is_right(call, server, strict) -> None:
    call(strict[CANCEL].post, GOOD, out_order_no="1234323JKHDFE1243252")
    call(strict.v3.certificates.get)
    assert len(server.requests) == 2


def test_strict_tells_every_problem_at_once(call, server, strict) -> None:
    body = {
        "appid": "x" * 33,
        "service_id": 500001,
        "resaon": "用户投诉",
        "out_order_no": "1",
    }
    problems = refused(call, strict[CANCEL].post, body, out_order_no="1")
    assert problems == (
        Problem("appid", "length", "33 characters", "1 to 32 characters"),
        Problem("service_id", "type", "500001", "text"),
        Problem("reason", "required", "nothing", "a value"),
        Problem("resaon", "unknown", "'resaon'", "'reason'"),
        Problem(
            "out_order_no", "repeated", "a field of the body too", "a placeholder alone"
        ),
    )
    assert server.requests == []


def test_strict_has_the_certain_ones_once(call, strict) -> None:
    node = strict["v3/payscore/serviceorder/{order_no}/cancel"]
    problems = refused(call, node.post, {**GOOD, "reason": ""}, order_no="1")
    assert rules(problems) == [("{order_no}", "placeholder"), ("reason", "required")]
    body = {"amount": {"total": 0.5}}
    problems = refused(call, strict.v3.pay.transactions.jsapi.post, body)
    assert rules(problems).count(("amount.total", "type")) == 1


NATIVE = {
    "appid": "wxd678efh567hg6787",
    "mchid": "1230000109",
    "description": "Image形象店",
    "out_trade_no": "1217752501201407033233368018",
    "notify_url": "https://www.example.com/notify",
    "amount": {"total": 100, "currency": "CNY"},
}

WRONG: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"amount": None}, ("amount", "required")),
    ({"amount": 100}, ("amount", "type")),
    ({"amount": {"total": 1, "fee": 1}}, ("amount.fee", "unknown")),
    ({"detail": {"goods_detail": {}}}, ("detail.goods_detail", "type")),
    ({"detail": {"goods_detail": [1]}}, ("detail.goods_detail[0]", "type")),
    ({"support_fapiao": 1}, ("support_fapiao", "type")),
    ({"description": b"x"}, ("description", "type")),
    ({"description": ""}, ("description", "required")),
]


@pytest.mark.parametrize(("changes", "expected"), WRONG)
def test_strict_finds(call, strict, changes, expected) -> None:
    node = strict.v3.pay.transactions.native
    assert rules(refused(call, node.post, {**NATIVE, **changes})) == [expected]


@pytest.mark.parametrize("body", [None, {}])
def test_strict_finds_a_body_that_is_missing(call, strict, body) -> None:
    problems = refused(call, strict.v3.pay.transactions.native.post, body)
    assert ("amount", "required") in rules(problems)


@pytest.mark.parametrize("body", [[NATIVE], "text", 5])
def test_strict_finds_a_body_that_is_no_object(call, strict, body) -> None:
    problems = refused(call, strict.v3.pay.transactions.native.post, body)
    assert rules(problems) == [("body", "type")]


def test_strict_leaves_bytes_alone(call, server, strict) -> None:
    call(strict.v3.pay.transactions.native.post, data=b"{}")
    assert server.request.body == b"{}"


QUERIES: list[tuple[Any, list[tuple[str, str]]]] = [
    ({"offset": 0, "limit": 20}, []),
    ({"offset": "0", "limit": "20"}, []),
    ({"offset": "first", "limit": 20}, [("?offset", "type")]),
    ({"offset": 0, "limit": 20, "lmit": 1}, [("?lmit", "unknown")]),
]


@pytest.mark.parametrize(("params", "expected"), QUERIES)
def test_strict_reads_the_query(call, server, strict, params, expected) -> None:
    node = strict["v3/merchant-service/complaints-v2"]
    given = {"begin_date": "2024-06-01", "end_date": "2024-06-02", **params}
    if expected:
        assert rules(refused(call, node.get, given)) == expected
    else:
        call(node.get, given)


def test_strict_finds_what_is_missing_in_a_query(call, strict) -> None:
    problems = refused(call, strict["v3/bill/tradebill"].get, {"tar_type": "ZIP"})
    assert rules(problems) == [("?bill_date", "required"), ("?tar_type", "enum")]
    problems = refused(call, strict["v3/bill/tradebill"].get, {"bill_date": ""})
    assert rules(problems) == [("?bill_date", "required")]


def test_strict_asks_for_both_numbers_of_a_query_on_v3(call, strict) -> None:
    """Only the documents of APIv2 call both required where one of them does."""
    node = strict["v3/ecommerce/profitsharing/orders"]
    problems = refused(call, node.get, {"sub_mchid": "1", "out_order_no": "2"})
    assert rules(problems) == [("?transaction_id", "required")]


@pytest.mark.parametrize("given", [True, "false", "TRUE"])
def test_strict_takes_yes_and_no_in_a_query(call, server, strict, given) -> None:
    node = strict["v3/bank-transfer/batches/batch-id/{batch_id}"]
    call(node.get, {"need_query_detail": given}, batch_id="1")
    assert len(server.requests) == 1
    problems = refused(call, node.get, {"need_query_detail": "yes"}, batch_id="1")
    assert rules(problems) == [("?need_query_detail", "type")]


def test_strict_reads_a_query_that_is_in_the_path(call, server, strict) -> None:
    node = strict["v3/bill/tradebill?bill_date={day}"]
    call(node.get, day="2024-06-01")
    assert len(server.requests) == 1


@pytest.mark.parametrize("ids", [["a", "b"], ["a"]])
def test_strict_of_a_list_in_a_query_sees_only_that_it_is_there(
    call, strict, ids
) -> None:
    operation, name = next(
        (one, name)
        for one in catalogue.operations("v3")
        for name, field in one.query.items()
        if field.type == "array" and one.method == "GET" and not one.path
    )
    given = {name: ids, "unknown": "1"}
    problems = refused(call, strict[operation.template].get, given)
    assert ("?unknown", "unknown") in rules(problems)
    assert f"?{name}" not in {problem.path for problem in problems}


def test_strict_reads_what_fills_the_path(call, strict) -> None:
    operation, name = next(
        (one, name)
        for one in catalogue.operations("v3")
        for name, field in one.path.items()
        if field.type == "integer" and len(one.path) == 1 and one.method == "GET"
    )
    node = strict[operation.template]
    problems = refused(call, node.get, **{name: "four"})
    assert (f"{{{name}}}", "type") in rules(problems)


PICTURE = {"file": ("a.png", b"\x89PNG")}


def test_strict_knows_what_an_upload_adds(call, server, strict) -> None:
    call(strict.v3.merchant.media.upload.post, files=PICTURE)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        ("v3/merchant/media/upload", {}, ("files", "required")),
        ("v3/merchant/media/upload", {"json": {"a": 1}}, ("files", "required")),
        (
            "v3/merchant/media/upload",
            {"files": {"picture": PICTURE["file"]}},
            ("files", "required"),
        ),
        ("v3/merchant/media/upload", {"files": PICTURE, "json": {"a": 1}}, None),
        ("v3/pay/transactions/native", {"files": PICTURE, "json": NATIVE}, None),
    ],
)
def test_strict_finds_in_an_upload(call, strict, path, options, expected) -> None:
    found = rules(refused(call, strict[path].post, **options))
    last = ("a", "unknown") if "merchant" in path else ("files", "body")
    assert (expected or last) in found


# Strict on v2.


def fields(**changes: Any) -> dict[str, Any]:
    made = {
        "appid": "wx2421b1c4370ec43b",
        "body": "腾讯充值中心-QQ会员充值",
        "out_trade_no": "20150806125346",
        "total_fee": 88,
        "spbill_create_ip": "123.12.12.123",
        "notify_url": "https://www.example.com/notify",
        "trade_type": "JSAPI",
        **changes,
    }
    return {name: value for name, value in made.items() if value is not ...}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"total_fee": "88.0"}, ("total_fee", "type")),
        ({"out_trade_no": "1" * 33}, ("out_trade_no", "length")),
        ({"body": 5, "spbill_create_ip": ...}, ("spbill_create_ip", "required")),
        ({"detail": "no JSON"}, ("detail", "type")),
        ({"out_trade_no": ...}, ("out_trade_no", "required")),
    ],
)
def test_strict_reads_the_fields_of_v2(call, strict, changes, expected) -> None:
    node = strict.v2.pay.unifiedorder
    assert expected in rules(refused(call, node.post, fields(**changes)))


def query(call: Any, server: Any, client: WeChatPay, given: Any) -> list[str]:
    server.strict = False
    server.otherwise = server.plain(500, {})

    def ask() -> None:
        with pytest.raises(Exception, match="500"):
            call(client.v2.pay.orderquery.post, given)

    return told(ask)


@pytest.mark.parametrize(
    "template",
    [
        "v2/papay/h5entrustweb",
        "v2/mmpaymkttransfers/promotion/transfers",
        "v2/pay/querycombinedorder",
        "v2/pay/unifiedorder",
    ],
)
def test_strict_does_not_ask_for_what_the_client_adds_on_v2(
    call, strict, template: str
) -> None:
    verb = strict[template].get if "h5" in template else strict[template].post
    missing = {problem.path.strip("?") for problem in refused(call, verb, {})}
    assert missing
    added = {"mch_id", "mchid", "combine_mch_id", "nonce_str", "sign", "sign_type"}
    assert not missing & added


def test_strict_takes_one_number_of_two_on_v2(call, server, make) -> None:
    client = make(check="strict", secret="0" * 32, retry=1)
    assert query(call, server, client, {"appid": "wx1", "out_trade_no": "1"}) == []
    assert query(call, server, client, {"appid": "wx1", "transaction_id": "1"}) == []


def test_strict_leaves_to_the_client_what_it_adds_to_a_query_of_v2(
    call, server, make
) -> None:
    strict = make(check="strict", secret="0" * 32, retry=1)
    query = {"appid": "wx1", "openid": "o", "code": "c", "scope": "pay_identity"}
    query |= {"grant_type": "authorization_code", "sign_type": "HMAC-SHA256"}
    get = strict.v2.appauth.getaccesstoken.get
    server.strict = False
    server.otherwise = server.plain(500, {})
    with pytest.raises(APIError, match="500"):
        call(get, query)
    assert "&sign=" in server.request.target
    problems = refused(call, get, {**query, "code": None, "cod": "c"})
    assert rules(problems) == [("?code", "required"), ("?cod", "unknown")]


def test_strict_reads_the_parts_of_an_upload_of_v2(call, strict) -> None:
    fields = {"media_hsah": "abc", "sign_type": "SHA"}
    post = strict.v2.secapi.mch.uploadmedia.post
    assert rules(refused(call, post, fields)) == [
        ("files", "required"),
        ("media_hash", "required"),
        ("sign_type", "enum"),
        ("media_hsah", "unknown"),
    ]


def test_strict_only_warns_of_numbers_that_may_stand_for_each_other(
    call, server, make
) -> None:
    client = make(check="strict", secret="0" * 32, retry=1)
    (message,) = query(call, server, client, {"appid": "wx1"})
    assert "out_trade_no: a value expected, got nothing (required)" in message
    assert "transaction_id" in message


def test_strict_only_warns_where_the_catalogue_is_unsure(call, server, strict) -> None:
    operation = catalogue.find("POST", "v3/profitsharing/orders/unfreeze")
    assert operation is not None
    assert operation.body is not None
    assert (operation.body.fields or {})["notify_url"].unsure
    body = {"transaction_id": "1", "out_order_no": "2", "description": "3"}
    node = strict[operation.template]
    (message,) = told(call, node.post, {**body, "notify_url": 5})
    assert "notify_url: text expected, got 5 (type)" in message
    assert len(server.requests) == 1


# What is never in a message.


def test_no_value_that_may_be_private_is_in_a_message(call, strict) -> None:
    body = {
        "appid": "wx" + "7" * 40,
        "contact_info": {
            "contact_name": ["张三丰"],
            "contact_id_number": 440301199001011234,
            "mobile_phone": "13900000000" * 3,
            "openid": "oUpF8uMuAJO",
            "contact_type": "13800000000",
        },
        "张三丰" * 20: "李四",
    }
    node = strict["v3/applyment4sub/applyment/"]
    with pytest.raises(CheckError) as caught:
        call(node.post, body)
    text = f"{caught.value} {caught.value.problems}"
    for private in ("4403011990", "13900000000", "李四", "oUpF8", "7" * 40):
        assert private not in text
    assert "张三丰" * 14 not in text
    assert "contact_info.contact_name" in text


def test_a_long_list_of_problems_is_cut_in_the_text_alone(call, strict) -> None:
    body = {f"field_{number}": 1 for number in range(40)}
    with pytest.raises(CheckError, match=r"and \d+ more$") as caught:
        call(strict.v3.pay.transactions.native.post, body)
    assert len(caught.value.problems) > 40


# The option, and the layer.


def test_off_tells_nothing(call, server, make) -> None:
    client = make(check="off")
    call(client[CANCEL.replace("out_", "")].post, {"x": 1}, order_no="1")
    assert len(server.requests) == 1


def test_without_the_layer_nothing_is_told(call, server, client) -> None:
    client.stack.remove("check")
    call(client.v3.pay.transactions.jsapi.post, {"amount": {"total": 0.5}})
    assert len(server.requests) == 1


def test_strict_never_looks_at_what_the_catalogue_does_not_know(
    call, server, strict
) -> None:
    call(strict.v3.published.tomorrow.post, {"amount": {"total": 0.5}})
    assert len(server.requests) == 1


def test_strict_looks_before_the_body_is_bytes(call, server, strict) -> None:
    """One text names all that is wrong, where ``encode`` would name the first."""
    with pytest.raises(CheckError):
        call(strict.v3.pay.transactions.native.post, {**NATIVE, "attach": object()})
    with pytest.raises(EncodeError):
        call(strict.v3.x.post, {"attach": object()})


def test_what_a_layer_makes_of_the_body_is_looked_at(call, server, strict) -> None:
    def repair(request):
        payload = request.payload
        payload = type(payload)(payload.kind, {**payload.value, **GOOD})
        return (yield from send(request.replace(payload=payload)))

    call(strict[CANCEL].post, {"appid": "x"}, out_order_no="1", middleware=[repair])
    assert len(server.requests) == 1


def test_a_request_of_a_layer_is_no_longer_the_operation(call, server, strict) -> None:
    """One that is made of the caller's own by another method or template."""

    def asks_first(request):
        other = request.replace(method="GET", template="v3/x")
        assert other.operation is None
        return (yield from send(request))

    call(strict[CANCEL].post, GOOD, out_order_no="1", middleware=[asks_first])
    assert len(server.requests) == 1


def test_options_derived_from_another_client(call, server, client) -> None:
    strict = client.with_options(check="strict")
    with pytest.raises(CheckError):
        call(strict[CANCEL].post, {}, out_order_no="1")
    call(client[CANCEL].post, {}, out_order_no="1")
    assert len(server.requests) == 1


@pytest.mark.parametrize("mode", ["warning", True, 1, ["off"]])
def test_another_mode_is_refused(make, mode) -> None:
    with pytest.raises(ConfigurationError, match="check: 'warn', 'strict', 'off'"):
        make(check=mode)


def test_the_mode_comes_from_the_environment(
    make, vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = vectors["keys"]
    for name, value in {
        "MCHID": keys["mchid"],
        "SERIAL": keys["merchant_serial_no"],
        "PRIVATE_KEY": keys["merchant_private_key_pkcs8_der_base64"],
        "APIV3_KEY": keys["apiv3_key"],
        "CHECK": "strict",
    }.items():
        monkeypatch.setenv(f"WECHATPAY_{name}", value)
    with pytest.raises(CheckError):
        WeChatPay.from_env()[CANCEL].post({}, out_order_no="1")


@pytest.mark.parametrize(
    ("path", "options", "layers"),
    [
        ("v3/payscore/serviceorder/{out_order_no}/cancel", {}, set()),
        ("v3/brand/new/thing", {}, set()),
        ("v3/payscore/serviceorder/{order_no}/cancel", {}, {"check", "conceal"}),
        ("v3/pay/transactions/native", {}, {"check", "conceal"}),
        ("v3/profitsharing/receivers/add", {}, {"check", "conceal"}),
        (
            "v3/payscore/serviceorder/{out_order_no}/cancel",
            {"check": "strict"},
            {"check"},
        ),
    ],
)
def test_a_layer_is_entered_only_where_it_may_have_work(
    make, monkeypatch, path: str, options: dict[str, Any], layers: set[str]
) -> None:
    monkeypatch.setattr(Encrypted, "exist", False)  # as in a process that made none
    client = make(**options)
    name = path.partition("{")[2].partition("}")[0]
    prepared = client._prepare("POST", path, {"a": 1}, {name: "1"} if name else {})
    entered = {entry.name for entry in prepared.entries}
    assert entered & {"check", "conceal"} == layers
    assert {"raise_errors", "encode", "retry", "decode", "verify", "sign"} <= entered


# Choices, times, other verbs, paths that are nearly known.

REFUND = {"out_refund_no": "1", "amount": {"refund": 1, "total": 1, "currency": "CNY"}}
QUERY = {"service_id": "500001", "appid": "wxd678efh567hg6787"}


@pytest.mark.parametrize(
    ("verb", "path", "given", "expected"),
    [
        (
            "post",
            "v3/refund/domestic/refunds",
            REFUND,
            Problem(
                "transaction_id",
                "required",
                "neither",
                "'transaction_id' or 'out_trade_no'",
            ),
        ),
        (
            "get",
            "v3/payscore/serviceorder",
            QUERY,
            Problem(
                "?out_order_no", "required", "neither", "'out_order_no' or 'query_id'"
            ),
        ),
        (
            "get",
            "v3/payscore/serviceorder",
            {**QUERY, "out_order_no": "1", "query_id": "2"},
            Problem(
                "?query_id",
                "choice",
                "'out_order_no' and 'query_id'",
                "either 'out_order_no' or 'query_id'",
            ),
        ),
    ],
)
def test_strict_knows_fields_that_stand_for_each_other(
    call, strict, verb, path, given, expected
) -> None:
    assert refused(call, getattr(strict[path], verb), given) == (expected,)


@pytest.mark.parametrize(
    ("verb", "path", "given"),
    [
        ("post", "v3/refund/domestic/refunds", {**REFUND, "out_trade_no": "ORDER-1"}),
        (
            "post",
            "v3/refund/domestic/refunds",
            {**REFUND, "out_trade_no": "ORDER-1", "transaction_id": "2"},
        ),
        ("get", "v3/payscore/serviceorder", {**QUERY, "query_id": "1"}),
    ],
)
def test_strict_lets_pass_a_choice_that_was_made(
    call, server, strict, verb, path, given
) -> None:
    call(getattr(strict[path], verb), given)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2030-01-02T03:04:05+08:00", True),
        ("2030-01-02T03:04:05.678Z", True),
        ("2030-01-02 03:04:05", False),
        ("2030-01-02T03:04:05", False),
        ("2030-02-30T03:04:05+08:00", False),
        ("20300102030405", False),
    ],
)
def test_strict_reads_times(call, server, strict, text, right) -> None:
    body = {**NATIVE, "time_expire": text}
    node = strict.v3.pay.transactions.native
    if right:
        call(node.post, body)
    else:
        assert rules(refused(call, node.post, body)) == [("time_expire", "format")]


VERB = "method: POST expected, got GET (method)"


@pytest.mark.parametrize(
    "path",
    [
        "v3/pay/transactions/native",
        "v3/payscore/serviceorder/{out_order_no}/cancel",
        "v3/payscore/serviceorder/{order_no}/cancel?a=1",
    ],
)
def test_another_verb_on_a_known_path_is_told(
    call, server, client, strict, path
) -> None:
    holes = {
        name: "1" for name in ("out_order_no", "order_no") if f"{{{name}}}" in path
    }
    (message,) = told(call, client[path].get, **holes)
    assert message.endswith(VERB)
    (problem,) = refused(call, strict[path].get, **holes)
    assert str(problem) == VERB
    assert len(server.requests) == 1


def test_a_verb_that_is_meant_as_a_segment_is_told(
    call, server, client, strict
) -> None:
    right = "POST v3/profitsharing/receivers/delete (.delete_.post)"
    whole = f"method: {right} expected, got DELETE (method)"
    receivers = client.v3.profitsharing.receivers
    (message,) = told(call, receivers.delete, {"type": "MERCHANT_ID"})
    assert message.endswith(whole)
    (problem,) = refused(call, strict[str(receivers)].delete)
    assert str(problem) == whole
    assert len(server.requests) == 1
    assert told(call, receivers.put, {}) == []


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("v3/payscor/serviceorder", "v3/payscore/serviceorder"),
        ("v3/pay/transactons/native", "v3/pay/transactions/native"),
        (
            "v3/payscore/serviceorders/{out_order_no}/cancel",
            "v3/payscore/serviceorder/{out_order_no}/cancel",
        ),
    ],
)
def test_strict_refuses_a_path_one_segment_of_which_is_misspelt(
    call, server, client, strict, path, near
) -> None:
    holes = {"out_order_no": "1"} if "{" in path else {}
    assert told(call, client[path].post, {}, **holes) == []
    problems = refused(call, strict[path].post, {}, **holes)
    assert problems == (Problem("path", "unknown", repr(path), repr(near)),)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "path",
    [
        "v3/tomorrow",
        "v3/tomorrow/{no}",
        "v3/pay/transactions",
        "v3/pay/transactions/hologram",
        "v3/payscore/serviceorder/ORDER-1/cancel",  # what fills it may be a segment
        "v9/pay",
        "v3",
    ],
)
def test_a_path_that_is_new_is_called_without_a_word(
    call, server, client, strict, path
) -> None:
    holes = {"no": "1"} if "{" in path else {}
    for one in (client, strict):
        assert told(call, one[path].get, **holes) == []
    assert len(server.requests) == 2


def test_off_tells_nothing_of_another_verb(call, make) -> None:
    client = make(check="off")
    assert told(call, client.v3.pay.transactions.native.get) == []


@pytest.mark.parametrize(
    ("path", "got", "expected"),
    [
        ("v3/applyment4sub/applyment", "no slash at its end", "applyment/'"),
        (f"{CANCEL}/", "a slash at its end", "cancel'"),
        (f"{CANCEL}/?a=1", "a slash at its end", "cancel'"),
    ],
)
def test_a_slash_at_the_end_of_a_path_is_told(
    call, client, strict, path, got, expected
) -> None:
    holes = {"out_order_no": "1"} if "{" in path else {}
    (message,) = told(call, client[path].post, GOOD, **holes)
    assert message.endswith(f"{expected} expected, got {got} (unknown)")
    problem, *_ = refused(call, strict[path].post, GOOD, **holes)
    assert (problem.path, problem.rule, problem.got) == ("path", "unknown", got)


@pytest.mark.parametrize("path", ["v3/applyment4sub/applyment/", CANCEL])
def test_no_slash_is_told_of_a_path_that_is_right(call, client, path) -> None:
    holes = {"out_order_no": "1"} if "{" in path else {}
    filled = path.replace("{out_order_no}", "1")
    assert told(call, client[path].post, GOOD, **holes) == []
    assert told(call, client[filled].post, GOOD) == []
    assert told(call, client["{+where}"].post, GOOD, where=filled) == []


def test_on_the_base_of_hong_kong_the_prefix_is_understood(call, make) -> None:
    client = make(base_url="https://api.mch.weixin.qq.com/hk")
    (message,) = told(call, client.v3.transactions.jsapi.get)
    assert message.endswith(VERB)
    strict = client.with_options(check="strict")
    (problem,) = refused(call, strict.v3.transactions.jsap.post, {})
    assert problem.expected == "'hk/v3/transactions/jsapi'"


@pytest.mark.parametrize(
    ("verb", "path", "keyword", "told"),
    [
        (
            "get",
            "v3/payscore/serviceorder",
            "out_order_no",
            'is a field of the query: get({"out_order_no": ...}) or params={...}',
        ),
        (
            "post",
            "v3/pay/transactions/native",
            "description",
            'is a field of the body: post({"description": ...})',
        ),
        ("post", "v3/pay/transactions/native", "x", "(placeholders: none)"),
        ("post", CANCEL, "out_order_no", None),
        ("post", "v3/tomorrow", "description", "(placeholders: none)"),
    ],
)
def test_a_keyword_that_is_a_field_is_told_its_place(
    call, server, client, verb, path, keyword, told
) -> None:
    holes = {} if told else {"nothing": "1"}
    with pytest.raises(TemplateError) as caught:
        call(getattr(client[path], verb), **{keyword: "1"}, **holes)
    if told:
        assert str(caught.value).endswith(told)
    else:
        assert "is a field" not in str(caught.value)
    assert server.requests == []


def test_a_query_beside_a_body_is_given_by_its_keyword(call, client) -> None:
    operation, name = next(
        (one, name)
        for one in catalogue.operations()
        for name in one.query
        if one.method == "POST" and not one.path
    )
    with pytest.raises(TemplateError, match=r"of the query: params=\{\.\.\.\}"):
        call(client[operation.template].post, **{name: "1"})


def test_a_body_for_a_verb_that_is_not_there_tells_the_verb_first(call, client) -> None:
    body = {"amount": {"total": 1}}
    with pytest.raises(
        EncodeError, match=r"^POST expected, got GET; params\['amount'\]"
    ):
        call(client.v3.pay.transactions.jsapi.get, body)
    with pytest.raises(EncodeError, match=r"^params\['amount'\]"):
        call(client.v3.certificates.get, body)
    with pytest.raises(EncodeError, match=r"^params\['amount'\]"):
        call(client.v3.tomorrow.get, body)
