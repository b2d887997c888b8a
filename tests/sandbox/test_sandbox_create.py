"""Creating and querying PayScore orders (payscore 2.1, 2.2, 3.1, 3.2, 5)."""

from __future__ import annotations

from typing import Any

import pytest
from payscore_calls import Calls, roles

from wechatpay_chain import APIError
from wechatpay_chain.sandbox import Clock, Gateway, Service

#: The gateway's frozen time, 2024-06-01 15:00:00 in Beijing.
NOW = "20240601150000"


def create(gateway: Gateway, partner: bool = False, **changes: Any) -> Any:
    body = gateway.given.create_body(partner=partner)
    for name, value in changes.items():
        if value is ...:
            body.pop(name, None)
        else:
            body[name] = value
    client = gateway.client(check="off")  # the gateway is to find it
    score = client.v3.payscore.partner if partner else client.v3.payscore
    return score.serviceorder.post(body)


def refusal(gateway: Gateway, partner: bool = False, **changes: Any) -> APIError:
    with pytest.raises(APIError) as caught:
        create(gateway, partner, **changes)
    assert len(gateway.orders) == 0
    return caught.value


def test_direct_create_answers_the_order(gateway: Gateway) -> None:
    reply = create(gateway, out_order_no="N1", attach="a%20b")
    assert (reply.status_code, reply.verified) == (200, True)
    package = reply.data.pop("package")
    assert 0 < len(package) <= 300
    assert reply.data == {
        "appid": "wxd678efh567hg6787",
        "mchid": "1900000001",
        "out_order_no": "N1",
        "service_id": "2002000000000558128851361561536",
        "service_introduction": "共享充电宝",
        "state": "CREATED",
        "time_range": {"start_time": "OnAccept"},
        "risk_fund": {"name": "DEPOSIT", "amount": 10000},
        "notify_url": "https://merchant.example/notify",
        "attach": "a%20b",
        "order_id": gateway.orders["N1"].order_id,
    }


def test_partner_create_names_the_sub_merchant(gateway: Gateway) -> None:
    reply = create(gateway, partner=True, sub_appid="wx5555555555555555")
    assert reply["mchid"] == "1900000001"
    assert reply["sub_mchid"] == "1900000109"
    assert reply["sub_appid"] == "wx5555555555555555"


def test_order_id_has_31_digits_and_the_date(gateway: Gateway) -> None:
    assert create(gateway)["order_id"] == "1000000000202406010010000000001"


def test_query_id_has_no_more_characters_than_its_page_says(gateway: Gateway) -> None:
    order = gateway.orders[create(gateway)["out_order_no"]]
    assert len(order.query_id) == 64
    assert order.query_id.isascii()


REQUIRED = [
    "out_order_no",
    "appid",
    "service_id",
    "service_introduction",
    "time_range",
    "risk_fund",
    "notify_url",
]


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("partner", [False, True], ids=["direct", "partner"])
def test_each_required_field_is_missed_by_name(
    gateway: Gateway, partner: bool, name: str
) -> None:
    error = refusal(gateway, partner, **{name: ...})
    assert (error.status_code, error.code) == (400, "PARAM_ERROR")
    assert error.detail["field"] == f"/{name}"
    assert error.detail["issue"] == "required, and missing"


def test_partner_needs_a_sub_merchant(gateway: Gateway) -> None:
    assert refusal(gateway, True, sub_mchid=...).detail["field"] == "/sub_mchid"


ACCEPTED: list[dict[str, Any]] = [
    {"out_order_no": "A|B*C_1-2"},
    {"out_order_no": "x" * 32},
    {"service_introduction": "服" * 20},
    {"risk_fund": {"name": "ESTIMATE_ORDER_COST", "amount": 1, "description": "预估"}},
    {"risk_fund": {"name": "DEPOSIT", "amount": 1_000_000}},
    {"post_payments": [{"name": "就餐", "description": "按实际消费", "count": 100}]},
    {"post_payments": [{"name": "就餐", "amount": 0}]},
    {"post_payments": [{"name": "商品信息", "amount": 1}] * 2},
    {"post_payments": [{"name": f"{n}", "amount": 1} for n in range(100)]},
    {"post_payments": [{"name": "就餐", "amount": 1_000_000}]},
    {"post_discounts": [{"name": "满减", "description": "不叠加", "amount": 5}]},
    {"location": {"start_location": "地" * 50, "end_location": "x"}},
    {"attach": "x" * 256},
    {"need_user_confirm": True},
    {"device": {"start_device_id": "HG123456", "materiel_no": "example_1"}},
    {"notify_url": "http://127.0.0.1:8000/notify"},
    {"notify_url": "https://example.com/" + "x" * 235},
    {"time_range": {"start_time": "20240601"}},
    {"time_range": {"start_time": "20240601145901"}},
    {"time_range": {"start_time": "20240601150100", "end_time": "20240601150101"}},
    {"time_range": {"start_time": "20240601", "end_time": "20240601"}},
    {"time_range": {"start_time": "OnAccept", "end_time": "20240602120000"}},
    {"time_range": {"start_time": "OnAccept", "start_time_remark": "备" * 20}},
]


@pytest.mark.parametrize("changes", ACCEPTED, ids=str)
def test_accepted(gateway: Gateway, changes: dict[str, Any]) -> None:
    assert create(gateway, **changes)["state"] == "CREATED"


END = "/time_range/end_time"
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"out_order_no": "x" * 33}, "/out_order_no"),
    ({"out_order_no": "a b"}, "/out_order_no"),
    ({"out_order_no": ""}, "/out_order_no"),
    ({"out_order_no": 7}, "/out_order_no"),
    ({"service_introduction": "服" * 21}, "/service_introduction"),
    ({"risk_fund": {"name": "UDEPOSIT", "amount": 1}}, "/risk_fund/name"),
    ({"risk_fund": {"name": "DEPOSIT", "amount": 0}}, "/risk_fund/amount"),
    ({"risk_fund": {"name": "DEPOSIT", "amount": 1.5}}, "/risk_fund/amount"),
    ({"risk_fund": {"name": "DEPOSIT", "amount": "1"}}, "/risk_fund/amount"),
    ({"risk_fund": {"name": "DEPOSIT", "amount": True}}, "/risk_fund/amount"),
    ({"risk_fund": {"name": "DEPOSIT", "amount": 1e308}}, "/risk_fund/amount"),
    ({"risk_fund": {"name": "DEPOSIT", "amount": 10**30}}, "/risk_fund/amount"),
    ({"risk_fund": {"name": "DEPOSIT"}}, "/risk_fund/amount"),
    ({"risk_fund": []}, "/risk_fund"),
    ({"post_payments": [{"name": "就餐"}]}, "/post_payments/0"),
    ({"post_payments": [{"amount": 1}]}, "/post_payments/0/name"),
    ({"post_payments": [{"name": "a", "amount": -1}]}, "/post_payments/0/amount"),
    ({"post_payments": [{"name": "a", "amount": 1}] * 2}, "/post_payments/1/name"),
    (
        {"post_payments": [{"name": f"{n}", "amount": 1} for n in range(101)]},
        "/post_payments",
    ),
    (
        {"post_payments": [{"name": "a", "amount": 1, "count": 101}]},
        "/post_payments/0/count",
    ),
    ({"post_payments": {"name": "a"}}, "/post_payments"),
    ({"post_discounts": [{"name": "a"}]}, "/post_discounts/0/description"),
    (
        {"post_discounts": [{"name": f"{n}", "description": "x"} for n in range(31)]},
        "/post_discounts",
    ),
    ({"location": {"end_location": "x"}}, "/location/end_location"),
    ({"location": {"start_location": "x" * 51}}, "/location/start_location"),
    ({"attach": "x" * 257}, "/attach"),
    ({"attach": None}, "/attach"),
    ({"need_user_confirm": "true"}, "/need_user_confirm"),
    ({"notify_url": "http://example.com/notify"}, "/notify_url"),
    ({"notify_url": "https://example.com/notify?a=1"}, "/notify_url"),
    ({"notify_url": "https://example.com/" + "x" * 236}, "/notify_url"),
    ({"notify_url": "https://[/"}, "/notify_url"),
    ({"time_range": {}}, "/time_range/start_time"),
    ({"time_range": {"start_time": "now"}}, "/time_range/start_time"),
    ({"time_range": {"start_time": "20241301"}}, "/time_range/start_time"),
    ({"time_range": {"start_time": "20240531"}}, "/time_range/start_time"),
    ({"time_range": {"start_time": "20240601145900"}}, "/time_range/start_time"),
    (
        {"time_range": {"start_time": "2024-06-01T15:00:00+08:00"}},
        "/time_range/start_time",
    ),
    (
        {"time_range": {"start_time": "20240601160000", "end_time": "20240601160000"}},
        "/time_range/end_time",
    ),
    (
        {"time_range": {"start_time": "OnAccept", "end_time": NOW}},
        "/time_range/end_time",
    ),
    (
        {"time_range": {"start_time": "20240602", "end_time": "20240601"}},
        "/time_range/end_time",
    ),
    *(
        ({"time_range": {"start_time": "OnAccept", "end_time": end}}, END)
        for end in ("20240601150030", "20240601150100", "20240531")
    ),
    ({"goods": 1}, "/goods"),
    ({"sub_mchid": "1900000109"}, "/sub_mchid"),
]


def test_a_day_ends_a_service_to_its_last_second() -> None:
    gateway = Gateway(clock=Clock(1717257599))  # 23:59:59
    span = {"start_time": "OnAccept", "end_time": "20240601"}
    assert create(gateway, time_range=span)["state"] == "CREATED"


@pytest.mark.parametrize(
    ("changes", "issue"),
    [
        ({"out_order_no": "a b"}, "digits, letters and _ - | * expected"),
        (
            {"risk_fund": {"name": "DEPOSIT", "amount": 2**63}},
            "an integer from 1 to 9223372036854775807 expected",
        ),
        (
            {"risk_fund": {"name": "DEPOSIT", "amount": 0}},
            "an integer from 1 up expected",
        ),
    ],
)
def test_a_rule_is_told_in_words(
    gateway: Gateway, changes: dict[str, Any], issue: str
) -> None:
    assert refusal(gateway, **changes).detail["issue"] == issue


def test_what_is_no_day_has_that_one_problem(gateway: Gateway) -> None:
    error = refusal(gateway, time_range={"start_time": "20240230"})
    assert [one["issue"] for one in error.detail["sandbox"]["problems"]] == [
        "no such day or time"
    ]


@pytest.mark.parametrize(("changes", "field"), REFUSED, ids=str)
def test_refused_by_the_field(
    gateway: Gateway, changes: dict[str, Any], field: str
) -> None:
    error = refusal(gateway, **changes)
    assert (error.status_code, error.code) == (400, "PARAM_ERROR")
    assert error.detail["field"] == field


def test_every_problem_is_listed(gateway: Gateway) -> None:
    error = refusal(gateway, appid=..., attach=5, notify_ur1="x")
    fields = [one["field"] for one in error.detail["sandbox"]["problems"]]
    assert fields == ["/appid", "/attach", "/notify_ur1"]
    assert "did you mean notify_url" in str(error)


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (12.5, "(12.5 looks like yuan); did you mean 1250 fen?"),
        (990.0, "an integer expected, got a number; did you mean 990?"),
        ("990", "did you mean 990?"),
    ],
)
def test_yuan_are_told_in_fen_and_whole_numbers_as_they_are(
    gateway: Gateway, amount: Any, said: str
) -> None:
    error = refusal(gateway, risk_fund={"name": "DEPOSIT", "amount": amount})
    assert error.detail["issue"].endswith(said)


def test_what_is_no_amount_is_never_taken_for_yuan(gateway: Gateway) -> None:
    payments = [{"name": "a", "amount": 1, "count": 1.5}]
    error = refusal(gateway, post_payments=payments)
    assert "yuan" not in error.detail["issue"]
    assert "did you mean" not in error.detail["issue"]


@pytest.mark.parametrize("name", ["start_time", "end_time"])
def test_the_form_of_a_time_is_told_in_words(gateway: Gateway, name: str) -> None:
    span = {"start_time": "OnAccept", name: "2024-06-01T16:00:00+08:00"}
    error = refusal(gateway, time_range=span)
    assert "yyyyMMddHHmmss" in str(error)
    assert len(error.detail["sandbox"]["problems"]) == 1


CEILING: list[dict[str, Any]] = [
    {"risk_fund": {"name": "DEPOSIT", "amount": 1_000_001}},
    {"post_payments": [{"name": "a", "amount": 999_999}, {"name": "b", "amount": 2}]},
]


@pytest.mark.parametrize("changes", CEILING, ids=str)
def test_above_the_ceiling_is_refused(gateway: Gateway, changes: Any) -> None:
    error = refusal(gateway, **changes)
    assert (error.status_code, error.code) == (400, "INVALID_REQUEST")
    assert "服务风险金额" in error.message
    assert (error.request_id or "").endswith("-271316656")


def test_discounts_lift_the_ceiling_of_expected_payments(gateway: Gateway) -> None:
    payments = [{"name": "a", "amount": 1_000_001}]
    discounts = [{"name": "b", "description": "c"}]
    assert create(gateway, post_payments=payments, post_discounts=discounts).verified


NO_AUTH: list[tuple[dict[str, Any], str]] = [
    ({"appid": "wx0"}, "appid_unknown"),
    ({"service_id": "404"}, "service_unknown"),
    ({"need_user_confirm": False, "openid": "o1"}, "confirm_type"),
    ({"service_id": "2002000000000558128851361561537"}, "confirm_type"),
]


@pytest.mark.parametrize(("changes", "identifier"), NO_AUTH, ids=str)
def test_what_is_not_the_merchants_is_403(
    gateway: Gateway, changes: dict[str, Any], identifier: str
) -> None:
    error = refusal(gateway, **changes)
    assert (error.status_code, error.code) == (403, "NO_AUTH")
    assert error.detail["sandbox"]["id"] == identifier


def test_unknown_sub_merchant_is_403(gateway: Gateway) -> None:
    assert refusal(gateway, True, sub_mchid="1900009999").code == "NO_AUTH"


def test_mode_of_the_service_must_fit_the_risk_fund() -> None:
    gateway = Gateway(services=[Service("1", mode="exempt")])
    estimate = {"name": "ESTIMATE_ORDER_COST", "amount": 1}
    error = refusal(gateway, risk_fund=estimate)
    assert (error.code, error.detail["field"]) == ("PARAM_ERROR", "/risk_fund/name")
    assert create(gateway, out_order_no="N1").status_code == 200
    # Of an order that there is, anything else is another order.
    with pytest.raises(APIError) as caught:
        create(gateway, out_order_no="N1", risk_fund=estimate)
    assert caught.value.code == "INVALID_REQUEST"


# No-confirm (免确认).


def unconfirmed(gateway: Gateway, **changes: Any) -> dict[str, Any]:
    return {
        "service_id": gateway.no_confirm_service_id,
        "need_user_confirm": False,
        "openid": "o1",
        **changes,
    }


def test_no_confirm_order_begins_at_once(gateway: Gateway) -> None:
    gateway.user.authorize("o1")
    reply = create(gateway, **unconfirmed(gateway, out_order_no="N1"))
    assert (reply["state"], reply["state_description"]) == ("DOING", "USER_CONFIRM")
    assert reply["openid"] == "o1"
    assert reply["time_range"] == {"start_time": NOW}
    assert gateway.orders["N1"].history == ["CONFIRMED"]


def test_user_who_has_not_authorised_is_403(gateway: Gateway) -> None:
    gateway.user.authorize("somebody else")
    error = refusal(gateway, **unconfirmed(gateway))
    assert (error.status_code, error.code) == (403, "NO_AUTH")
    assert error.detail["sandbox"]["id"] == "user_not_authorised"


def test_no_confirm_needs_a_user(gateway: Gateway) -> None:
    assert refusal(gateway, **unconfirmed(gateway, openid=...)).code == "PARAM_ERROR"


@roles
@pytest.mark.parametrize("name", ["openid", "sub_openid"])
def test_who_is_to_confirm_is_not_named(
    gateway: Gateway, partner: bool, name: str
) -> None:
    calls = Calls(gateway, partner)
    named = {name: "o1", "sub_appid": "wx5"} if partner else {"openid": "o1"}
    with pytest.raises(APIError) as caught:
        calls.create(**named)
    assert (caught.value.status_code, caught.value.code) == (400, "PARAM_ERROR")
    assert "leave it out where the user is to confirm" in caught.value.message
    # A service of the other kind is no matter of fields.
    with pytest.raises(APIError) as caught:
        calls.create(**named, service_id=gateway.no_confirm_service_id)
    assert (caught.value.status_code, caught.value.code) == (403, "NO_AUTH")


PARTNER_USERS: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"openid": ..., "sub_openid": "o1", "sub_appid": "wx5"}, None),
    ({"openid": ..., "sub_openid": "o1"}, "/sub_appid"),
    ({"sub_openid": "o1", "sub_appid": "wx5"}, "/openid"),
    ({"openid": ...}, "/openid"),
]


@pytest.mark.parametrize(("changes", "field"), PARTNER_USERS, ids=str)
def test_partner_names_exactly_one_user(
    gateway: Gateway, changes: dict[str, Any], field: str | None
) -> None:
    gateway.user.authorize("o1")
    given = unconfirmed(gateway, **changes)
    if field is None:
        assert create(gateway, True, **given)["state"] == "DOING"
    else:
        assert refusal(gateway, True, **given).detail["field"] == field


# The user and the clock.


def test_on_accept_becomes_the_moment_of_confirmation(gateway: Gateway) -> None:
    order = gateway.given.order()
    gateway.advance(minutes=5)
    gateway.user.confirm(order, openid="o7")
    reply = gateway.client().v3.payscore.serviceorder.get(
        {
            "out_order_no": order,
            "appid": gateway.appid,
            "service_id": gateway.service_id,
        }
    )
    assert reply["time_range"] == {"start_time": "20240601150500"}
    assert reply["openid"] == "o7"


def test_repeating_create_is_no_matter_of_time(gateway: Gateway) -> None:
    span = {"start_time": "20240601160000"}
    create(gateway, out_order_no="N1", time_range=span)
    gateway.advance(days=2)
    assert create(gateway, out_order_no="N1", time_range=span)["state"] == "CREATED"


def test_order_expires_thirty_days_after_creation_to_the_second(
    gateway: Gateway,
) -> None:
    order = gateway.given.order()
    gateway.advance(days=30, seconds=-1)
    assert gateway.orders[order].state == "CREATED"
    gateway.advance(seconds=1)
    assert gateway.orders[order].history == ["CREATED", "EXPIRED"]
    assert gateway.orders[order].steps[-1].at == gateway.clock()


def test_expiry_keeps_its_time_when_the_clock_jumps_over_it(gateway: Gateway) -> None:
    first = gateway.given.order()
    gateway.advance(days=1)
    second = gateway.given.order()
    gateway.advance(days=365)
    at = [gateway.orders[order].steps[-1].at for order in (first, second)]
    assert at == [1717225200 + 30 * 86400, 1717225200 + 31 * 86400]


def test_expiry_is_seen_by_a_call_where_time_runs_by_itself() -> None:
    now = [1717225200.0]
    gateway = Gateway(clock=lambda: now[0])
    order = gateway.given.order()
    now[0] += 30 * 86400
    reply = gateway.client().v3.payscore.serviceorder.get(
        {
            "out_order_no": order,
            "appid": gateway.appid,
            "service_id": gateway.service_id,
        }
    )
    assert reply["state"] == "EXPIRED"


# Query.


QUERIES: list[tuple[dict[str, Any], int, str]] = [
    ({"query_id": "Q"}, 400, "PARAM_ERROR"),
    ({"out_order_no": ...}, 400, "PARAM_ERROR"),
    ({"out_order_no": ..., "query_id": "unknown"}, 404, "ORDER_NOT_EXIST"),
    ({"out_order_no": "N2"}, 404, "ORDER_NOT_EXIST"),
    ({"appid": ...}, 400, "PARAM_ERROR"),
    ({"appid": "wx0"}, 403, "NO_AUTH"),
    ({"service_id": "500001"}, 400, "INVALID_REQUEST"),
    ({"service_id": "404"}, 403, "NO_AUTH"),
    ({"sub_mchid": "1900000109"}, 400, "PARAM_ERROR"),
]


@pytest.mark.parametrize(("changes", "status", "code"), QUERIES, ids=str)
def test_wrong_query_is_refused(
    gateway: Gateway, changes: dict[str, Any], status: int, code: str
) -> None:
    gateway.given.order(out_order_no="N1")
    query = {
        "out_order_no": "N1",
        "appid": gateway.appid,
        "service_id": gateway.service_id,
        **changes,
    }
    query = {name: value for name, value in query.items() if value is not ...}
    with pytest.raises(APIError) as caught:
        gateway.client().v3.payscore.serviceorder.get(query)
    assert (caught.value.status_code, caught.value.code) == (status, code)
    if code == "PARAM_ERROR":
        assert caught.value.detail["location"] == "query"


def test_partner_query_of_a_foreign_sub_merchant() -> None:
    gateway = Gateway(sub_mchids=("1900000109", "1900000110"))
    order = gateway.given.order(partner=True)
    node = gateway.client().v3.payscore.partner.serviceorder
    query = {"out_order_no": order, "service_id": gateway.service_id}
    assert node.get({**query, "sub_mchid": "1900000109"})["sub_mchid"] == "1900000109"
    with pytest.raises(APIError) as caught:
        node.get({**query, "sub_mchid": "1900000110"})
    assert caught.value.code == "ORDER_NOT_EXIST"


def test_paid_order_shows_its_money(gateway: Gateway) -> None:
    order = gateway.given.order(state="PAYING", total_amount=500)
    node = gateway.client().v3.payscore.serviceorder
    query = {
        "out_order_no": order,
        "appid": gateway.appid,
        "service_id": gateway.service_id,
    }
    due = node.get(query)["collection"]
    assert (due["paying_amount"], due["paid_amount"], due["details"]) == (500, 0, [])
    gateway.user.pay(order)
    paid = node.get(query)
    assert paid["need_collection"] is True
    collection = paid["collection"]
    assert (collection["paying_amount"], collection["paid_amount"]) == (0, 500)
    (detail,) = collection["details"]
    assert len(detail.pop("transaction_id")) == 28
    assert detail == {
        "seq": 1,
        "amount": 500,
        "paid_type": "NEWTON",
        "paid_time": NOW,
    }


def test_free_order_needs_no_collection(gateway: Gateway) -> None:
    order = gateway.orders[gateway.given.order(state="ZERO")]
    document = order.document()
    assert (document["total_amount"], document["need_collection"]) == (0, False)
    assert "collection" not in document


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"a":NaN}', b'{"a":1,"a":2}'])
def test_body_that_is_no_object_is_a_parameter_error(
    hand: Any, outcome: Any, body: bytes
) -> None:
    response = hand.send("POST", "/v3/payscore/serviceorder", body)
    assert outcome(response) == (400, "PARAM_ERROR", "parameters")
