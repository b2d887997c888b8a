"""Validation: every problem at once, with place, rule, what came and should have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wechatpay_chain import BadRequest, crypto
from wechatpay_chain.sandbox import Gateway

ORDERS = "/v3/profitsharing/orders"
ADD = "/v3/profitsharing/receivers/add"
STOCKS = "/v3/marketing/favor/stocks"
RECEIVER: dict[str, Any] = {
    "type": "PERSONAL_OPENID",
    "account": "oUser1",
    "amount": 71,
    "description": "first",
}
ORDER: dict[str, Any] = {
    "appid": "wxd678efh567hg6787",
    "transaction_id": "4200000000000000000000000001",
    "out_order_no": "SHARE-7",
    "receivers": [RECEIVER],
    "unfreeze_unsplit": False,
}
ADDED: dict[str, Any] = {
    "appid": "wxd678efh567hg6787",
    "type": "PERSONAL_OPENID",
    "account": "oUser1",
    "relation_type": "STORE",
}


def problems(response: Any) -> list[dict[str, Any]]:
    data = json.loads(response.content)
    assert (response.status_code, data["code"]) == (400, "PARAM_ERROR"), data
    found: list[dict[str, Any]] = data["detail"]["sandbox"]["problems"]
    return found


def order(**changes: Any) -> dict[str, Any]:
    """The body of a share with *changes*; ``None`` takes a member out."""
    made = {**ORDER, **changes}
    return {name: value for name, value in made.items() if value is not None}


def shared(**changes: Any) -> dict[str, Any]:
    return order(receivers=[{**RECEIVER, **changes}])


ONE = [
    (order(out_order_no=None), "/out_order_no", "required", ""),
    (order(out_order_no=""), "/out_order_no", "required", ""),
    (order(out_order_no=7), "/out_order_no", "type", ""),
    (order(out_order_nr="x"), "/out_order_nr", "unknown", "out_order_no"),
    (order(outOrderNo="x"), "/outOrderNo", "unknown", "out_order_no"),
    (order(zzz="x"), "/zzz", "unknown", ""),
    (order(unfreeze_unsplit="true"), "/unfreeze_unsplit", "type", ""),
    (order(receivers={}), "/receivers", "type", ""),
    (order(receivers=["x"]), "/receivers/0", "type", ""),
    (shared(amount=12.5), "/receivers/0/amount", "type", "1250 fen"),
    (shared(amount="12.50"), "/receivers/0/amount", "type", "1250 fen"),
    (shared(amount=0.29), "/receivers/0/amount", "type", "29 fen"),
    (shared(amount="1250"), "/receivers/0/amount", "type", "1250"),
    (shared(amount=0.001), "/receivers/0/amount", "type", ""),
    (shared(amount=True), "/receivers/0/amount", "type", ""),
    (shared(type="merchant_id"), "/receivers/0/type", "enum", "MERCHANT_ID"),
    (shared(type="SHOP"), "/receivers/0/type", "enum", ""),
    (shared(acount="x"), "/receivers/0/acount", "unknown", "account"),
]


@pytest.mark.parametrize(("body", "field", "rule", "hint"), ONE)
def test_a_problem_names_place_rule_and_what_was_meant(
    hand: Any, body: dict[str, Any], field: str, rule: str, hint: str
) -> None:
    (problem,) = problems(hand.send("POST", ORDERS, body))
    assert (problem["field"], problem["rule"]) == (field, rule)
    assert problem.get("hint", "") == hint
    assert ("did you mean" in problem["issue"]) is bool(hint)
    assert problem["source"].startswith("https://pay.weixin.qq.com/")


def test_what_came_and_what_should_have_come_are_told(hand: Any) -> None:
    body = shared(amount=12.5, type="SHOP")
    amount, kind = sorted(
        problems(hand.send("POST", ORDERS, body)), key=lambda one: one["field"]
    )
    assert amount["got"] == "a number"
    assert amount["expected"] == "an integer"
    assert amount["value"] == 12.5
    assert kind["got"] == "'SHOP'"
    assert kind["expected"].startswith("one of MERCHANT_ID, PERSONAL_OPENID")


def test_a_text_that_is_too_long_is_counted_in_characters(hand: Any) -> None:
    path = "/v3/marketing/busifavor/coupons/associate"
    found = problems(hand.send("POST", path, {"coupon_code": "券" * 101}))
    (problem,) = [one for one in found if one["rule"] == "length"]
    assert problem["got"] == "101 characters"
    assert problem["expected"] == "8 to 15 characters"
    assert problem["value"] == "券" * 64 + "…"


def test_all_problems_come_at_once(gateway: Gateway, call: Any) -> None:
    body = {"out_order_nr": "x", "receivers": [{**RECEIVER, "amount": 12.5}]}
    with pytest.raises(BadRequest) as caught:
        call(gateway.client(check="off")[ORDERS[1:]].post, body)
    found = {
        (one["field"], one["rule"])
        for one in caught.value.detail["sandbox"]["problems"]
    }
    assert found == {
        ("/transaction_id", "required"),
        ("/out_order_no", "required"),
        ("/unfreeze_unsplit", "required"),
        ("/receivers/0/amount", "type"),
        ("/out_order_nr", "unknown"),
    }
    for field, _ in found:
        assert field in str(caught.value)


def test_thousands_of_problems_make_no_endless_message(hand: Any) -> None:
    response = hand.send("POST", ORDERS, {f"x{at}": at for at in range(5000)})
    assert len(problems(response)) == 200
    assert "more" in json.loads(response.content)["message"]
    assert len(response.content) < 100_000


@pytest.mark.parametrize("mode", ["warn", "off"])
def test_what_was_not_looked_at_is_not_let_pass(hand: Any, mode: str) -> None:
    hand.gateway = Gateway(seed=1, validation=mode)
    response = hand.send("POST", ORDERS, {f"x{at}": at for at in range(5000)})
    (problem,) = problems(response)
    assert problem["issue"].startswith("more than 500 problems")


# Query, path and body.


def test_what_belongs_into_the_query_is_sent_there(hand: Any) -> None:
    found = problems(hand.send("GET", STOCKS, {"offset": 0, "limit": 1}))
    (problem,) = [one for one in found if one["rule"] == "body"]
    assert "offset, limit belong into the query" in problem["issue"]


def test_what_belongs_into_the_body_is_sent_there(hand: Any) -> None:
    body = order(out_order_no=None)
    found = problems(hand.send("POST", f"{ORDERS}?out_order_no=N1", body))
    assert {(one["location"], one["issue"]) for one in found} == {
        ("query", "belongs into the body, not into the query"),
        ("body", "required here; it stands in the query"),
    }


def test_a_parameter_of_the_query_that_came_in_the_body_is_named_twice(
    hand: Any,
) -> None:
    path = "/v3/med-ins/refunds/notify"
    found = problems(hand.send("POST", path, {"mix_trade_no": "M1"}))
    issues = {
        one["location"]: one["issue"] for one in found if "mix_trade" in one["field"]
    }
    assert issues == {
        "query": "required here; it stands in the body",
        "body": "belongs into the query, not into the body",
    }


def test_a_placeholder_in_a_body_too_is_named(hand: Any) -> None:
    path = "/v3/marketing/goods-subsidy-activity/retail-store-act/B1/stores"
    found = problems(hand.send("DELETE", path, {"brand_id": "B1"}))
    repeated = [one for one in found if one["field"] == "/brand_id"]
    assert [one["issue"] for one in repeated] == [
        "already in the path; leave it out of the body"
    ]


@pytest.mark.parametrize(
    ("query", "field", "rule"),
    [
        ("offset=0&limit=1", "stock_creator_mchid", "required"),
        ("offset=x&limit=1&stock_creator_mchid=1", "offset", "type"),
        ("offset=0&limit=1&stock_creator_mchid=1&limt=2", "limt", "unknown"),
        ("offset=0&limit=1&stock_creator_mchid=%7Bx%7D", "stock_creator_mchid", "-"),
    ],
)
def test_a_query_is_checked(hand: Any, query: str, field: str, rule: str) -> None:
    (problem,) = problems(hand.send("GET", f"{STOCKS}?{query}"))
    assert (problem["field"], problem["location"]) == (field, "query")
    assert problem["rule"] == ("placeholder" if rule == "-" else rule)


def test_an_empty_object_is_no_body(hand: Any) -> None:
    target = f"{STOCKS}?offset=0&limit=1&stock_creator_mchid=1"
    assert hand.send("GET", target, {}).status_code == 200


def test_a_list_in_a_query_may_stand_several_times(hand: Any) -> None:
    path = "/v3/new-tax-control-fapiao/fapiaomerchant/getspinviteurl"
    names = "&".join(
        f"fapiao_ability_type_list={name}"
        for name in ("BASE_ABILITY", "REAL_ESTATE_ABILITY")
    )
    response = hand.send("GET", f"{path}?sub_mchid=1900000109&{names}")
    assert "fapiao_ability_type_list" not in {
        one["field"] for one in problems(response)
    }
    (problem,) = problems(hand.send("GET", f"{STOCKS}?limit=1&limit=2"))
    assert problem["issue"] == "given twice"


def test_a_required_header_is_missed(hand: Any) -> None:
    path = "/v3/marketing/partnerships/terminate"
    body = {
        "partner": {"type": "APPID", "appid": "wx1"},
        "authorized_data": {"business_type": "FAVOR_STOCK", "stock_id": "1"},
    }
    found = problems(hand.send("POST", path, body))
    assert ("Idempotency-Key", "header") in {
        (one["field"], one["location"]) for one in found
    }
    headers = {"Idempotency-Key": "K1"}
    response = hand.send("POST", path, body, headers=headers)
    assert b"Idempotency-Key" not in response.content


# Where to notify.


@pytest.mark.parametrize(
    ("url", "refused", "noted"),
    [
        ("https://example.com/notify", False, []),
        ("https://example.com/notify?a=b", True, []),
        ("http://127.0.0.1:8000/n", False, ["loopback"]),
        ("http://localhost/n?a=b", True, ["loopback"]),
        ("http://example.com/n", False, ["https://"]),
        ("https://[", True, []),
    ],
)
def test_a_notify_url_is_one_that_wechat_pay_calls(
    hand: Any, gateway: Gateway, url: str, refused: bool, noted: list[str]
) -> None:
    response = hand.send("POST", ORDERS, order(notify_url=url))
    assert (response.status_code == 400) is refused
    (exchange,) = gateway.journal
    assert len(exchange.notes) == len(noted)
    assert all(word in note for word, note in zip(noted, exchange.notes))


# Sensitive fields.


def sealed(gateway: Gateway, serial: str, text: str = "李四") -> str:
    migrating = Gateway(seed=1, mode="migrating").credentials["certs"]
    key = crypto.load_public_key(migrating[serial]).key
    return crypto.encrypt_oaep(text, key)


def test_a_sensitive_field_in_plain_text_is_named(hand: Any) -> None:
    serial = hand.gateway.public_key_id
    headers = {"Wechatpay-Serial": serial}
    response = hand.send("POST", ADD, {**ADDED, "name": "李四"}, headers=headers)
    (problem,) = problems(response)
    assert (problem["field"], problem["rule"]) == ("/name", "encrypted")
    assert "plain text where a ciphertext is expected" in problem["issue"]
    assert "李四".encode() not in response.content


def test_a_ciphertext_without_a_serial_is_named(hand: Any, gateway: Gateway) -> None:
    body = {**ADDED, "name": sealed(gateway, gateway.public_key_id)}
    (problem,) = problems(hand.send("POST", ADD, body))
    assert (problem["field"], problem["location"]) == ("Wechatpay-Serial", "header")
    assert "name" in problem["issue"]


def test_a_ciphertext_for_another_key_names_that_key(
    hand: Any, gateway: Gateway
) -> None:
    body = {**ADDED, "name": sealed(gateway, gateway.certificate_serial)}
    headers = {"Wechatpay-Serial": gateway.public_key_id}
    (problem,) = problems(hand.send("POST", ADD, body, headers=headers))
    assert problem["field"] == "/name"
    assert f"it was encrypted with {gateway.certificate_serial}" in problem["issue"]


def test_a_ciphertext_that_nobody_opens_is_refused(hand: Any, gateway: Gateway) -> None:
    key = gateway.credentials["private_key"].public_key()
    body = {**ADDED, "name": crypto.encrypt_oaep("李四", key)}
    headers = {"Wechatpay-Serial": gateway.public_key_id}
    (problem,) = problems(hand.send("POST", ADD, body, headers=headers))
    assert problem["issue"].endswith(f"private key of {gateway.public_key_id}")


def test_a_serial_of_nobodys_is_named(hand: Any, gateway: Gateway) -> None:
    body = {**ADDED, "name": sealed(gateway, gateway.public_key_id)}
    headers = {"Wechatpay-Serial": "PUB_KEY_ID_0"}
    (problem,) = problems(hand.send("POST", ADD, body, headers=headers))
    assert problem["field"] == "Wechatpay-Serial"
    assert gateway.public_key_id in problem["issue"]


@pytest.mark.parametrize("mode", ["public_key", "migrating"])
def test_the_clients_ciphertexts_open(mode: str, call: Any) -> None:
    client = Gateway(seed=1, mode=mode).client()
    reply = call(client[ADD[1:]].post, {**ADDED, "name": "李四"})
    assert reply["name"] == "李四"


def test_a_sensitive_parameter_of_a_query_is_opened(gateway: Gateway) -> None:
    guides = gateway.client().v3.smartguide.guides
    query = {"store_id": 1234, "mobile": "13900000000", "limit": 5, "offset": 0}
    assert guides.get(query)["data"][0]["mobile"] == "13900000000"


def test_a_sensitive_parameter_in_plain_text_is_named(hand: Any) -> None:
    query = "store_id=1234&mobile=13900000000"
    headers = {"Wechatpay-Serial": hand.gateway.public_key_id}
    (problem,) = problems(
        hand.send("GET", f"/v3/smartguide/guides?{query}", headers=headers)
    )
    assert (problem["field"], problem["location"]) == ("mobile", "query")
    assert "13900000000" not in json.dumps(problem)


# How strictly.


def test_strict_is_the_default_and_an_unknown_mode_is_refused() -> None:
    assert Gateway(seed=1).validation.mode == "strict"
    with pytest.raises(ValueError, match="strict, warn, off"):
        Gateway(seed=1, validation="loose")


@pytest.mark.parametrize(("mode", "notes"), [("warn", 2), ("off", 0)])
def test_a_lenient_gateway_answers_what_strict_refuses(
    hand: Any, mode: str, notes: int
) -> None:
    hand.gateway = Gateway(seed=1, validation=mode)
    response = hand.send("POST", ORDERS, shared(amount=12.5, acount="x"))
    assert response.status_code == 200
    (exchange,) = hand.gateway.journal
    assert len(exchange.notes) == notes
    assert exchange.verdict == "ok"


def test_what_the_documents_do_not_agree_on_is_noted(
    hand: Any, gateway: Gateway
) -> None:
    response = hand.send("POST", ORDERS, order(notify_url=7))
    assert response.status_code == 200
    (exchange,) = gateway.journal
    assert exchange.notes == ["/notify_url: text expected, got a number"]


@pytest.mark.parametrize("mode", ["strict", "warn", "off"])
def test_what_is_no_json_is_refused_in_every_mode(
    hand: Any, outcome: Any, mode: str
) -> None:
    hand.gateway = Gateway(seed=1, validation=mode)
    response = hand.send("POST", ORDERS, b"{")
    assert outcome(response) == (400, "PARAM_ERROR", "parameters")


@pytest.mark.parametrize("mode", ["warn", "off"])
def test_what_behaviour_rests_on_is_required_in_every_mode(
    hand: Any, mode: str
) -> None:
    gateway = hand.gateway = Gateway(seed=1, validation=mode)
    target = "/v3/payscore/serviceorder"
    body = {**gateway.given.create_body(), "colour": "red"}
    assert hand.send("POST", target, body).status_code == 200
    del body["risk_fund"]
    (problem,) = problems(hand.send("POST", target, body))
    assert problem["field"] == "/risk_fund"


def test_a_single_rule_can_be_silenced(hand: Any, gateway: Gateway) -> None:
    body = shared(amount=12.5, type="SHOP")
    gateway.validation.silence(f"POST {ORDERS}", "/receivers/*/amount", "type")
    (problem,) = problems(hand.send("POST", ORDERS, body))
    assert problem["rule"] == "enum"
    gateway.validation.silence(f"POST {ORDERS}", "/receivers/0/type", "enum")
    assert hand.send("POST", ORDERS, body).status_code == 200
    assert [one.notes for one in gateway.journal] == [[], []]


@pytest.mark.parametrize(
    ("endpoint", "rule", "error", "words"),
    [
        ("POST /v3/nowhere", "type", LookupError, "no POST /v3/nowhere"),
        (f"PUT {ORDERS}", "type", LookupError, "no PUT"),
        (f"POST {ORDERS}", "kind", ValueError, "one of required"),
        ("POST /v3/payscore/serviceorder", "required", ValueError, "stateful"),
    ],
)
def test_only_what_exists_and_is_not_needed_can_be_silenced(
    gateway: Gateway, endpoint: str, rule: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        gateway.validation.silence(endpoint, "/appid", rule)
