"""The merchant's endpoint: verifies, ignores duplicates, fails when told to."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain.sandbox import Duplicated, Gateway, WrongSignature
from wechatpay_chain.testing import NotifyEndpoint, conformance


@pytest.fixture(params=["public_key", "certificate", "migrating"])
def gateway(request: pytest.FixtureRequest) -> Gateway:
    return Gateway(seed=1, mode=request.param)


def test_what_comes_is_verified_and_decrypted(gateway: Any, merchant: Any) -> None:
    made = gateway.trigger("payscore.paid").made
    assert [one.event_type for one in merchant.received] == [
        "PAYSCORE.USER_CONFIRM",
        "PAYSCORE.USER_PAID",
    ]
    assert merchant.of("*.USER_PAID")[0].resource["order_id"] == made["order_id"]
    assert [one.verdict for one in merchant.deliveries] == ["accepted"] * 2


def test_a_duplicate_is_accepted_and_not_counted(gateway: Any, merchant: Any) -> None:
    gateway.faults.add(on="REFUND.SUCCESS", fault=Duplicated())
    gateway.trigger("refund.success")
    gateway.advance(minutes=1)
    assert len(merchant.of("REFUND.SUCCESS")) == 1
    assert [one.status for one in merchant.duplicates] == [204]


@pytest.mark.parametrize("way", ["bad", "missing", "unknown", "expired", "probe"])
def test_what_is_not_wechat_pays_is_refused(
    gateway: Any, merchant: Any, way: str
) -> None:
    gateway.faults.add(on="TRANSACTION.SUCCESS", fault=WrongSignature(way))
    gateway.trigger("transaction.success")
    assert merchant.received == []
    (refused,) = merchant.refused
    assert refused.status in (400, 401)
    assert refused.error is not None
    gateway.advance(seconds=15)
    assert [one.verdict for one in merchant.deliveries] == ["refused", "accepted"]


def test_it_fails_on_demand_and_is_told_again(gateway: Any, merchant: Any) -> None:
    merchant.fail(2, status=503)
    gateway.trigger("transaction.success")
    assert merchant.received == []
    gateway.advance(seconds=30)
    statuses = [one.status for one in merchant.deliveries]
    assert statuses == [503, 503, 204]
    assert gateway.outbox.delivered("TRANSACTION.SUCCESS").once()


def test_a_handler_that_raises_fails_the_delivery(gateway: Any, merchant: Any) -> None:
    def handle(notification: Any) -> None:
        if len(merchant.deliveries) == 0:
            raise KeyError("no such order")

    merchant.handle = handle
    gateway.trigger("transaction.success")
    assert [one.verdict for one in merchant.deliveries] == ["failed"]
    assert isinstance(merchant.deliveries[0].error, KeyError)
    gateway.advance(seconds=15)
    assert len(merchant.received) == 1


def test_it_passes_the_conformance_kit(gateway: Gateway) -> None:
    endpoint = NotifyEndpoint(gateway)
    report = conformance(
        endpoint, gateway=gateway, effects=lambda: len(endpoint.received)
    )
    report.assert_passed()


def test_nothing_private_is_in_a_repr(gateway: Any, merchant: Any) -> None:
    gateway.trigger("transaction.success")
    shown = repr(merchant) + repr(merchant.deliveries) + repr(merchant.received)
    assert "openid" not in shown
    assert "oUpF8u" not in shown
