"""What the sandbox sends has the fields that programs are promised, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from wechatpay_chain.catalogue import messages
from wechatpay_chain.catalogue.model import Field
from wechatpay_chain.sandbox import Gateway


def unlike(value: Any, field: Field, path: str = "") -> Iterator[str]:
    """Where *value* is not what *field* promises to a program that reads it."""
    if isinstance(value, list) and field.items:
        for item in value:
            yield from unlike(item, field.items, f"{path}[]")
    elif isinstance(value, Mapping) and field.fields:
        for name in value.keys() - field.fields.keys():
            yield f"{path}/{name} is sent, and no type has it"
        for name, inner in field.fields.items():
            if name in value:
                yield from unlike(value[name], inner, f"{path}/{name}")
            elif inner.required:
                yield f"{path}/{name} is promised, and not sent"


def resource(event: str) -> Field:
    found = messages()[event].resource
    assert found is not None
    assert found.fields
    return found


def sent(gateway: Gateway, event: str) -> list[dict[str, Any]]:
    return [one.resource for one in gateway.outbox if one.event_type == event]


@pytest.mark.parametrize("partner", [False, True], ids=["direct", "partner"])
def test_a_payment_and_its_refund(partner: bool) -> None:
    gateway = Gateway(seed=1)
    client = gateway.client()
    number = gateway.given.payment(partner=partner)
    gateway.user.pay(number)
    client.v3.refund.domestic.refunds.post(gateway.given.refund_body(number))
    gateway.advance(600)
    for event in ("TRANSACTION.SUCCESS", "REFUND.SUCCESS"):
        (one,) = sent(gateway, event)
        assert [*unlike(one, resource(event))] == []
        assert ("sub_mchid" in one) is partner


@pytest.mark.parametrize("event", ["REFUND.ABNORMAL", "REFUND.CLOSED"])
def test_a_refund_that_goes_wrong(event: str) -> None:
    gateway = Gateway(seed=1)
    gateway.trigger(event)
    (one,) = sent(gateway, event)
    assert [*unlike(one, resource(event))] == []


@pytest.mark.parametrize("partner", [False, True], ids=["direct", "partner"])
def test_an_order_of_payscore(partner: bool) -> None:
    gateway = Gateway(seed=1)
    number = gateway.given.order("CREATED", partner=partner)
    gateway.user.confirm(number)
    done = gateway.given.order("PAYING", partner=partner, total_amount=300)
    gateway.bank.succeed(done)
    for event in ("PAYSCORE.USER_CONFIRM", "PAYSCORE.USER_PAID"):
        (one,) = sent(gateway, event)
        assert [*unlike(one, resource(event))] == []
        assert ("sub_mchid" in one) is partner


def test_an_authorisation_of_payscore() -> None:
    gateway = Gateway(seed=1)
    for event in ("PAYSCORE.USER_OPEN_SERVICE", "PAYSCORE.USER_CLOSE_SERVICE"):
        gateway.trigger(event)
        one = sent(gateway, event)[-1]
        assert [*unlike(one, resource(event))] == []


def test_a_combined_order_has_its_own_fields_among_those_of_a_payment() -> None:
    gateway = Gateway(seed=1)
    client = gateway.client()
    part = {
        "mchid": gateway.mchid,
        "sub_mchid": gateway.sub_mchid,
        "out_trade_no": "PART-1",
        "description": "充电宝",
        "attach": "a",
        "amount": {"total_amount": 100, "currency": "CNY"},
    }
    reply = client.v3.combineTransactions.native.post(
        {
            "combine_appid": gateway.appid,
            "combine_mchid": gateway.mchid,
            "combine_out_trade_no": "WHOLE-1",
            "notify_url": "https://merchant.example/notify",
            "scene_info": {"payer_client_ip": "127.0.0.1"},
            "sub_orders": [part, {**part, "out_trade_no": "PART-2"}],
        }
    )
    gateway.user.pay(reply["code_url"])
    (one,) = sent(gateway, "TRANSACTION.SUCCESS")
    assert one["sub_orders"][1]["out_trade_no"] == "PART-2"
    strange = [*unlike(one, resource("TRANSACTION.SUCCESS"))]
    assert {line.partition(" is ")[2] for line in strange} == {"promised, and not sent"}
    assert not any(line.startswith(("/sub_orders", "/combine")) for line in strange)
