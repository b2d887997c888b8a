"""Recipes: each brings about what it says, and list and page are in step."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain import catalogue
from wechatpay_chain.catalogue.schema import check_value
from wechatpay_chain.sandbox import Gateway, IllegalMove
from wechatpay_chain.sandbox.recipes.kinds import NOTIFY_URL
from wechatpay_chain.sandbox.recipes.table import BOOKS, RECIPES, find, known

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"
EVENTS = sorted({event for one in RECIPES.values() for event in one.events})
EXAMPLES = [name for name in catalogue.messages() if name not in EVENTS]
PARTNER = [name for name, one in RECIPES.items() if "partner" in one.takes]


@pytest.mark.parametrize("mode", ["public_key", "certificate"])
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_ends_with_its_events_delivered(name: str, mode: str) -> None:
    gateway = Gateway(seed=1, mode=mode)
    gateway.deliver_to(lambda request: 204)
    done = gateway.trigger(name)
    events = RECIPES[name].events
    assert done.events[len(done.events) - len(events) :] == events
    assert not done.example
    assert all(done.made.values())
    assert [one.status for one in done.notices] == ["delivered"] * len(done.notices)


@pytest.mark.parametrize("name", PARTNER)
def test_a_partner_has_them_too(name: str, gateway: Gateway) -> None:
    gateway.trigger(name, partner=True)
    calls = [one.request.target for one in gateway.journal]
    assert all("/partner/" in target for target in calls)


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_type_finds_its_recipe(event: str, gateway: Gateway) -> None:
    for written in (event, event.lower()):
        done = gateway.trigger(written)
        assert event in done.events
        assert not done.example


@pytest.mark.parametrize("event", EXAMPLES)
def test_every_other_event_comes_as_an_example(
    event: str, gateway: Gateway, merchant: Any
) -> None:
    message = catalogue.messages()[event]
    told = catalogue.messages()[message.moved_to] if message.moved_to else message
    done = gateway.trigger(event)
    (notice,) = done.notices
    assert done.example
    assert notice.example
    assert notice.status == "delivered"
    assert notice.summary.startswith("示例")
    assert told.resource is not None
    assert list(check_value(told.resource, notice.resource, "")) == []
    (received,) = merchant.received
    assert received.event_type == event
    assert received.resource == notice.resource


def test_every_known_event_is_one_or_the_other() -> None:
    assert {*EVENTS, *EXAMPLES} == set(catalogue.messages())
    assert len(known()) == len(set(known()))


def test_an_example_says_so_in_a_header(gateway: Gateway) -> None:
    seen: list[Any] = []
    gateway.deliver_to(lambda request: seen.append(request.headers))
    gateway.trigger("COUPON.USE")
    gateway.trigger("transaction.success")
    marks = [headers.get("Wechatpay-Sandbox") for headers in seen]
    assert marks == ["example", None]


def test_values_reach_the_call(gateway: Gateway) -> None:
    done = gateway.trigger(
        "payscore.paid", out_order_no="MINE-1", amount="250", partner="true"
    )
    assert done.made["out_order_no"] == "MINE-1"
    order = gateway.orders["MINE-1"]
    assert order.total_amount == 250
    assert order.sub_mchid == gateway.sub_mchid


def test_notifications_go_where_they_are_told_to(gateway: Gateway) -> None:
    assert gateway.trigger("payscore.confirmed").notices[0].url == NOTIFY_URL
    url = "http://127.0.0.1:9/mine"
    for event in ("refund.success", "COUPON.USE"):
        done = gateway.trigger(event, notify_url=url)
        assert {one.url for one in done.notices} == {url}


def test_a_value_of_an_example_stands_in_its_resource(gateway: Gateway) -> None:
    (notice,) = gateway.trigger("COUPON.USE", coupon_id="4711").notices
    assert notice.resource["coupon_id"] == "4711"


@pytest.mark.parametrize(
    ("event", "values", "says"),
    [
        ("payscore.paid", {"amuont": 1}, "did you mean amount?"),
        ("payscore.paid", {"amount": "1.5"}, "a whole number expected"),
        ("payscore.paid", {"amount": True}, "a whole number expected"),
        ("payscore.paid", {"partner": "perhaps"}, "true or false expected"),
        ("payscore.paid", {"out_order_no": 5}, "a text expected"),
        ("transaction.success", {"form": "cash"}, "jsapi"),
        ("COUPON.USE", {"coupon": "1"}, "did you mean coupon_id?"),
        ("COUPON.USE", {"zzz": "1"}, "COUPON.USE takes"),
    ],
)
def test_a_value_that_is_not_taken_is_refused(
    gateway: Gateway, event: str, values: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        gateway.trigger(event, **values)
    assert len(gateway.outbox) == 0


def test_an_unknown_event_names_the_nearest() -> None:
    with pytest.raises(LookupError, match=r"did you mean payscore\.paid"):
        find("payscore.payed")
    with pytest.raises(LookupError, match=r"there is no event qqq$"):
        find("qqq")


@pytest.mark.parametrize("name", ["payscore.paid", "payscore.deducted"])
def test_a_plan_that_collects_at_once_does_it_alone(
    gateway: Gateway, name: str
) -> None:
    gateway.deduction = "immediate"
    done = gateway.trigger(name)
    assert done.events[-1] == "PAYSCORE.USER_PAID"


def test_a_refund_that_ended_otherwise_is_said(gateway: Gateway) -> None:
    gateway.refunding = "immediate"
    assert gateway.trigger("refund.success").events[-1] == "REFUND.SUCCESS"
    with pytest.raises(IllegalMove):
        gateway.trigger("refund.abnormal")


def test_list_and_page_are_in_step() -> None:
    text = PAGE.read_text("utf-8")
    listed = re.findall(r"^\| `([a-z_.]+)` \| (.*?) \| (.*?) \| (.*?) \|$", text, re.M)
    expected = [
        (
            one.name,
            ", ".join(f"`{event}`" for event in one.events),
            ", ".join(f"`{name}`" for name in one.takes),
            one.about,
        )
        for one in RECIPES.values()
    ]
    assert listed == expected


def test_names_are_given_once() -> None:
    assert len(RECIPES) == sum(len(book.TABLE) for book in BOOKS)
