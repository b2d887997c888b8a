"""Recordings: kept as JSON lines, played to another gateway, answers compared."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain.sandbox import Gateway, ReplyLost, Slow
from wechatpay_chain.sandbox.recipes.table import RECIPES
from wechatpay_chain.sandbox.recording.recorder import load, parse, record, replay, save


def everything(gateway: Gateway) -> list[dict[str, Any]]:
    for name in RECIPES:
        gateway.trigger(name)
        gateway.advance(minutes=3)
    return record(gateway)


def test_the_same_world_gives_the_same_answers_to_the_byte() -> None:
    entries = everything(Gateway(seed=4))
    report = replay(entries, Gateway(seed=4), ignore=())
    report.assert_same()
    assert report.compared > 20
    assert report.skipped == 0


def test_another_seed_differs_in_volatile_places_only() -> None:
    entries = everything(Gateway(seed=4))
    replay(entries, Gateway(seed=5)).assert_same()
    assert not replay(entries, Gateway(seed=5), ignore=()).same


def test_numbers_that_gateways_give_are_replaced_in_later_calls(
    gateway: Gateway,
) -> None:
    client = gateway.client()
    body = gateway.given.payment_body("native")
    payment = body["out_trade_no"]
    code_url = client.v3.pay.transactions.native.post(body)["code_url"]
    number = gateway.user.pay(code_url).transaction_id
    found = client.v3.pay.transactions.id._transaction_id_
    assert found.get({"mchid": gateway.mchid}, transaction_id=number).ok
    reply = client.v3.refund.domestic.refunds.post(
        gateway.given.refund_body(payment, out_refund_no="R-1")
    )
    assert reply["transaction_id"] == number
    other = Gateway(seed=2)
    other.given.payment("SUCCESS")  # so that numbers differ
    report = replay(record(gateway), other)
    report.assert_same()
    assert report.compared == 3


def test_time_passes_as_it_did(gateway: Gateway) -> None:
    order = gateway.given.order()
    gateway.advance(days=31)
    client = gateway.client()
    client.v3.payscore.serviceorder.get(
        {
            "out_order_no": order,
            "service_id": gateway.service_id,
            "appid": gateway.appid,
        }
    )
    other = Gateway(seed=1)
    replay(record(gateway), other).assert_same()
    assert other.orders[order].state == "EXPIRED"


def test_time_may_be_left_as_it_is(gateway: Gateway) -> None:
    gateway.trigger("payscore.created")
    gateway.advance(days=2)
    gateway.trigger("payscore.created")
    entries = record(gateway)
    other = Gateway(seed=2)
    before = other.clock()
    assert replay(entries, other, time=False).same
    assert other.clock() == before


def test_what_differs_is_named_by_place(gateway: Gateway) -> None:
    gateway.trigger("payscore.created", out_order_no="ONE")
    other = Gateway(seed=1)
    other.given.order(
        "CONFIRMED", out_order_no="ONE", risk_fund={"name": "DEPOSIT", "amount": 10000}
    )
    report = replay(record(gateway), other)
    places = {one.where: (one.recorded, one.replayed) for one in report.differences}
    assert places["/state"] == ("CREATED", "DOING")
    assert "/order_id" not in places
    with pytest.raises(AssertionError, match="/state"):
        report.assert_same()


def test_another_status_is_one_difference(gateway: Gateway) -> None:
    body = gateway.given.create_body(out_order_no="ONE")
    gateway.client().v3.payscore.serviceorder.post(body)
    other = Gateway(seed=1, appids=["wx0000000000000000"])
    (difference,) = replay(record(gateway), other).differences
    assert difference.where == "status"
    assert (difference.recorded, difference.replayed) == (200, 403)


def test_a_deed_that_is_not_allowed_now_is_a_difference(gateway: Gateway) -> None:
    order = gateway.given.order()
    gateway.user.confirm(order)
    entries = [one for one in record(gateway) if one.get("name") != "given.order"]
    (difference,) = replay(entries, Gateway(seed=1)).differences
    assert (difference.what, difference.where) == ("user.confirm", "deed")


@pytest.mark.parametrize("fault", [ReplyLost(), ReplyLost(after_commit=False), Slow()])
def test_what_a_fault_befell_is_sent_and_not_compared(
    gateway: Gateway, fault: Any
) -> None:
    gateway.faults.add(on="payscore.create", fault=fault)
    gateway.trigger("payscore.created", out_order_no="ONE")
    other = Gateway(seed=1)
    report = replay(record(gateway), other)
    report.assert_same()
    assert report.skipped == 1
    assert "ONE" in other.orders


def test_what_nobody_signed_is_skipped(gateway: Gateway) -> None:
    client = gateway.client(serial="5" * 40, retry=1)
    with pytest.raises(Exception, match="SIGN_ERROR"):
        client.v3.security.echo.post({"echo_message": "x"})
    report = replay(record(gateway), Gateway(seed=1))
    assert (report.compared, report.skipped) == (0, 1)


def test_uploads_and_files_are_kept_to_the_byte(gateway: Gateway) -> None:
    content = bytes(range(256))
    meta = {"filename": "a.png", "sha256": hashlib.sha256(content).hexdigest()}
    client = gateway.client()
    client.v3.merchant.media.upload.post(json=meta, files={"file": ("a.png", content)})
    entries = record(gateway)
    assert "base64" in entries[1]
    replay(entries, Gateway(seed=1), ignore=()).assert_same()


def test_merchants_sign_for_themselves(gateway: Gateway) -> None:
    client = gateway.client(**gateway.enrol("1900000002"))
    client.v3.payscore.serviceorder.post(gateway.given.create_body())
    entries = record(gateway)
    other = Gateway(seed=1)
    other.enrol("1900000002")
    replay(entries, other).assert_same()
    with pytest.raises(LookupError, match="1900000002"):
        replay(entries, Gateway(seed=1))


def test_a_file_holds_all_of_it(gateway: Gateway, tmp_path: Path) -> None:
    entries = everything(gateway)
    file = tmp_path / "calls.jsonl"
    assert save(gateway, file) == len(entries) - 1
    assert load(file) == entries
    assert len(file.read_text("utf-8").splitlines()) == len(entries)


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "{}", '{"kind": "call"}', '{"kind": "recording", "version": 99}'],
)
def test_what_is_no_recording_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="recording"):
        parse(text)
