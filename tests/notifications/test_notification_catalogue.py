"""What the catalogue says of a resource holds for the notifications that are sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain import Request, Response, catalogue
from wechatpay_chain.catalogue.schema import check_value
from wechatpay_chain.notifications import Notification
from wechatpay_chain.sandbox import Gateway

_VECTORS = Path(__file__).parents[1] / "vectors" / "documented.json"
DOCUMENTED = json.loads(_VECTORS.read_text("utf-8"))["notification"]
#: Recipes at whose end something is sent, and those that a partner has too.
OF_PARTNERS = ["transaction.success", "payscore.confirmed", "payscore.paid"]
RECIPES = [
    *OF_PARTNERS,
    *("refund.success", "refund.abnormal", "refund.closed", "payscore.deducted"),
    *("payscore.authorized", "payscore.unauthorized"),
]


def problems(event_type: str, resource: Any) -> list[str]:
    """What of *resource* the catalogue does not have, or misses."""
    field = catalogue.messages()[event_type].resource
    assert field is not None
    # The sandbox writes an empty `attach`, as documents show it.
    given = {name: value for name, value in resource.items() if value != ""}
    return [str(one.problem) for one in check_value(field, given, event_type)]


def sent(recipe: str, **values: Any) -> Iterator[Notification]:
    """The notifications of a recipe, as a merchant reads them."""
    gateway = Gateway(seed=1)
    client = gateway.client()
    read: list[Notification] = []

    def endpoint(request: Request) -> Response:
        notification = client.notifications.parse(request.headers, request.body)
        read.append(notification)
        answer = notification.accept()
        return Response(answer.status_code, answer.headers, answer.body)

    gateway.deliver_to(endpoint)
    gateway.trigger(recipe, **values)
    gateway.outbox.drain()
    yield from read


@pytest.mark.parametrize("vector", DOCUMENTED, ids=lambda one: one["name"])
def test_documented_resources_are_of_their_type(vector: dict[str, Any]) -> None:
    resource = json.loads(vector["plaintext"])
    assert problems(vector["event_type"], resource) == []


@pytest.mark.parametrize(
    ("recipe", "values"),
    [
        *((recipe, {}) for recipe in RECIPES),
        *((recipe, {"partner": True}) for recipe in OF_PARTNERS),
    ],
)
def test_resources_of_the_sandbox_are_of_their_type(
    recipe: str, values: dict[str, Any]
) -> None:
    first, *rest = sent(recipe, **values)
    for notification in (first, *rest):
        assert problems(notification.event_type, notification.resource) == []


def test_a_combined_order_has_its_own_fields_among_those_of_a_payment() -> None:
    gateway = Gateway(seed=1)
    part = {
        "mchid": gateway.mchid,
        "sub_mchid": gateway.sub_mchid,
        "out_trade_no": "PART-1",
        "description": "充电宝",
        "attach": "a",
        "amount": {"total_amount": 100, "currency": "CNY"},
    }
    order = gateway.client()["v3/combine-transactions/native"].post(
        {
            "combine_appid": gateway.appid,
            "combine_mchid": gateway.mchid,
            "combine_out_trade_no": "WHOLE-1",
            "notify_url": "https://merchant.example/notify",
            "scene_info": {"payer_client_ip": "127.0.0.1"},
            "sub_orders": [part, {**part, "out_trade_no": "PART-2"}],
        }
    )
    gateway.user.pay(order["code_url"])
    (notice,) = gateway.outbox
    assert notice.resource["sub_orders"][1]["out_trade_no"] == "PART-2"
    absent = problems(notice.event_type, notice.resource)
    lacking = {one.partition(":")[0].rpartition(".")[2] for one in absent}
    of_a_payment = {"out_trade_no", "transaction_id", "trade_state", "success_time"}
    assert lacking == of_a_payment | {"amount"}
    assert all(one.endswith("(required)") for one in absent)
