"""Endpoints that no product serves: examples that repeat what was asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from every_call import call as call_operation
from every_call import options_of

from wechatpay_chain import catalogue, crypto
from wechatpay_chain.catalogue.paging import layout
from wechatpay_chain.sandbox import Gateway

ORDERS = "v3/profitsharing/orders"
RECEIVER = {
    "type": "PERSONAL_OPENID",
    "account": "oUser1",
    "amount": 71,
    "description": "first",
}
ORDER = {
    "appid": "wxd678efh567hg6787",
    "transaction_id": "4200000000000000000000000001",
    "out_order_no": "SHARE-7",
    "receivers": [
        RECEIVER,
        {**RECEIVER, "account": "oUser2", "amount": 29, "description": "second"},
    ],
    "unfreeze_unsplit": False,
}
KNOWN = [
    operation
    for segment in ("marketing", "profitsharing", "ecommerce", "smartguide")
    for operation in catalogue.operations("v3", segment)
]


def test_an_example_says_so_and_is_signed(gateway: Gateway, call: Any) -> None:
    reply = call(gateway.client()[ORDERS].post, ORDER)
    assert reply.verified
    assert reply.headers["Wechatpay-Sandbox"] == "example"


def test_an_example_repeats_the_callers_values(gateway: Gateway, call: Any) -> None:
    data = call(gateway.client()[ORDERS].post, ORDER).data
    assert data["transaction_id"] == ORDER["transaction_id"]
    assert data["out_order_no"] == "SHARE-7"
    assert [one["account"] for one in data["receivers"]] == ["oUser1", "oUser2"]
    assert [one["amount"] for one in data["receivers"]] == [71, 29]
    assert [one["description"] for one in data["receivers"]] == ["first", "second"]


def test_values_of_the_path_and_the_query_come_back_with_the_answers_types(
    gateway: Gateway, call: Any
) -> None:
    client = gateway.client()
    stock = client.v3.marketing.favor.stocks._stock_id_.get
    data = call(stock, {"stock_creator_mchid": "1900000109"}, stock_id="99887766").data
    assert data["stock_id"] == "99887766"
    assert data["stock_creator_mchid"] == "1900000109"
    listed = client.v3.marketing.favor.stocks.get
    query = {"offset": 0, "limit": 7, "stock_creator_mchid": "1900000109"}
    data = call(listed, query).data
    assert (data["offset"], data["limit"], data["total_count"]) == (0, 7, 1)
    assert [one["stock_creator_mchid"] for one in data["data"]] == ["1900000109"]


def test_a_value_that_does_not_fit_the_answer_is_not_repeated(hand: Any) -> None:
    hand.gateway.validation.mode = "off"
    response = hand.send("POST", f"/{ORDERS}", {**ORDER, "out_order_no": 12})
    assert isinstance(json.loads(response.content)["out_order_no"], str)


def test_numbers_come_from_the_seed_and_times_from_the_clock(call: Any) -> None:
    def orders(seed: int) -> list[Any]:
        gateway = Gateway(seed=seed)
        gateway.advance(days=1)
        post = gateway.client()[ORDERS].post
        return [call(post, ORDER).data for _ in range(2)]

    first, second = orders(5)
    assert orders(5) == [first, second]
    assert first["order_id"] != second["order_id"]
    assert orders(6)[0]["order_id"] != first["order_id"]
    assert first["receivers"][0]["create_time"] == "2024-06-02T15:00:00+08:00"


def test_what_belongs_to_the_merchant_is_the_askers(gateway: Gateway) -> None:
    other = gateway.client(**gateway.enrol("1900000002"), check="off")
    query = {"offset": 0, "limit": 1, "stock_creator_mchid": "1900000109"}
    assert other.v3.marketing.favor.stocks.get(query).verified
    reply = other.v3.marketing.favor.callbacks.get({"mchid": "1900000002"})
    assert reply["mchid"] == "1900000002"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("v3/profitsharing/orders", 200),
        (
            "v3/new-tax-control-fapiao/fapiao-applications/{fapiao_apply_id}/reverse",
            202,
        ),
        ("v3/smartguide/guides/{guide_id}/assign", 204),
    ],
)
def test_the_status_is_the_documented_one(path: str, status: int) -> None:
    operation = catalogue.find("POST", path)
    assert operation is not None
    client = Gateway(seed=1).client(check="off")
    reply = call_operation(client, operation)
    assert reply.status_code == status
    assert reply.verified


# Sensitive fields of answers.

REVEALED = [one for one in KNOWN if one.revealed]


@pytest.mark.parametrize("operation", REVEALED, ids=str)
def test_sensitive_fields_are_sealed_for_the_merchant(operation: Any) -> None:
    gateway = Gateway(seed=1)
    reply = call_operation(gateway.client(check="off"), operation)
    places = operation.plan.revealed
    sent = places.found(json.loads(reply.content))
    opened = places.found(reply.data)
    assert sent
    key = gateway.credentials["private_key"]
    for (path, cipher, _), (_, plain, _) in zip(sent, opened):
        assert crypto.decrypt_oaep(cipher, key) == plain, path


def test_a_sensitive_value_comes_back_under_the_merchants_key(
    gateway: Gateway, call: Any
) -> None:
    add = gateway.client().v3.profitsharing.receivers.add.post
    body = {
        **{"appid": gateway.appid, "type": "PERSONAL_OPENID", "account": "oUser1"},
        **{"name": "李四", "relation_type": "STORE"},
    }
    reply = call(add, body)
    assert reply["name"] == "李四"
    assert "李四" not in reply.text
    (exchange,) = gateway.journal
    assert "李四".encode() not in exchange.request.body


@pytest.mark.parametrize("path", ["v3/global/certificates", "hk/v3/certificates"])
def test_what_goes_under_the_apiv3_key_opens(path: str) -> None:
    gateway = Gateway(seed=1, mode="migrating")
    (entry,) = gateway.client(check="off")[path].get()["data"]
    sealed = entry["encrypt_certificate"]
    opened = crypto.decrypt_gcm(
        sealed["ciphertext"],
        gateway.credentials["apiv3_key"],
        sealed["nonce"],
        sealed["associated_data"],
    )
    assert opened


# Lists.

PAGED = [one for one in KNOWN if one.method == "GET" and layout(one)]


@pytest.mark.parametrize("operation", PAGED, ids=str)
def test_a_walk_over_pages_finds_one_item_and_ends(operation: Any) -> None:
    options = options_of(operation)
    found = layout(operation)
    assert found is not None
    query = {**options.pop("params", {})}
    query.pop(found.start, None)
    client = Gateway(seed=1).client(check="off")
    query[found.size] = 1
    items = [*client[operation.template].paginate(query, **options)]
    assert len(items) == 1


def test_beyond_its_one_item_a_list_is_empty(gateway: Gateway, call: Any) -> None:
    stocks = gateway.client().v3.marketing.favor.stocks.get
    query = {"offset": 1, "limit": 1, "stock_creator_mchid": "1900000109"}
    data = call(stocks, query).data
    assert (data["data"], data["total_count"]) == ([], 1)


# Files.


def test_a_picture_is_a_picture_and_unsigned(gateway: Gateway, call: Any) -> None:
    images = gateway.client()["v3/global/merchant-service/images/{media_id}"]
    reply = call(images.get, {"complaint_id": "C1"}, media_id="M1")
    assert reply.content.startswith(b"\x89PNG")
    assert not reply.verified
    assert "Wechatpay-Signature" not in reply.headers


@pytest.mark.parametrize("path", ["v3/global/statements", "hk/v3/statements"])
def test_an_overseas_statement_is_signed_over_its_hash(path: str) -> None:
    operation = catalogue.find("GET", path)
    assert operation is not None
    reply = call_operation(Gateway(seed=1).client(check="off"), operation)
    assert reply.verified
    assert b"," in reply.content


# Nothing happens.


def test_an_example_changes_nothing(gateway: Gateway) -> None:
    number = gateway.given.order(state="CONFIRMED")
    client = gateway.client(check="off", retry=1)
    before = {table.name: [*table.copy()] for table in gateway.world.tables}
    jobs = list(gateway.world.agenda.jobs)
    kept = {str(route) for route in gateway.router.routes if route.kind == "stateful"}
    for operation in catalogue.operations("v3", "marketing"):
        if f"{operation.method} /{operation.template}" not in kept:
            call_operation(client, operation)
    assert {t.name: [*t.copy()] for t in gateway.world.tables} == before
    assert gateway.orders[number].history == ["CREATED", "CONFIRMED"]
    assert gateway.world.agenda.jobs == jobs
