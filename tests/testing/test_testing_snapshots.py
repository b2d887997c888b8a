"""Snapshots: a world put back as it was. And the same seed gives the same journal."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import Retry, WeChatPayError
from wechatpay_chain.sandbox import ErrorAnswer, Gateway, IllegalMove, ReplyLost
from wechatpay_chain.sandbox.recipes.table import RECIPES
from wechatpay_chain.sandbox.recording import recorder


def seen(gateway: Gateway) -> list[Any]:
    """The journal to the byte, signatures included."""
    calls = [
        (
            one.number,
            one.at,
            one.request.method,
            one.request.url,
            tuple(one.request.headers.pairs()),
            one.request.body,
            one.verdict,
            one.response and tuple(one.response.headers.pairs()),
            one.response and one.response.content,
        )
        for one in gateway.journal
    ]
    return calls


def live(gateway: Gateway) -> list[Any]:
    """Everything that there is a recipe for, and time that passes; what was notified.

    To the byte, signatures included.
    """
    told: list[Any] = []
    gateway.deliver_to(
        lambda request: told.append((tuple(request.headers.pairs()), request.body))
    )
    for name in RECIPES:
        gateway.trigger(name)
        gateway.advance(minutes=5)
    return told


@pytest.mark.parametrize("mode", ["public_key", "migrating"])
def test_the_same_seed_and_calls_give_the_same_journal(mode: str) -> None:
    one, other = Gateway(seed=9, mode=mode), Gateway(seed=9, mode=mode)
    told = live(one)
    assert len(told) > 10
    assert live(other) == told
    assert len(seen(one)) > 20
    assert seen(one) == seen(other)


def repeated(seed: int, call: Any, options: dict[str, Any]) -> Gateway:
    """A gateway that was asked three times, as two answers were lost."""
    gateway = Gateway(seed=seed)
    gateway.faults.add(fault=ReplyLost(), times=2)
    client = gateway.client(**options)
    body = gateway.given.create_body(out_order_no="REPEATED-1")
    assert call(client.v3.payscore.serviceorder.post, body).verified
    call.close(client)
    assert len(gateway.journal) == 3
    return gateway


@pytest.mark.parametrize("options", [{}, {"retry": 4}, {"timeout": 90}])
def test_the_pauses_of_a_client_come_from_the_seed(
    call: Any, options: dict[str, Any]
) -> None:
    one, other, another = (repeated(seed, call, options) for seed in (9, 9, 10))
    assert seen(one) == seen(other)
    times = [[call.at for call in gateway.journal] for gateway in (one, another)]
    assert times[0] != times[1]


def test_a_policy_that_is_given_has_pauses_of_its_own(gateway: Gateway) -> None:
    gateway.faults.add(fault=ReplyLost())
    client = gateway.client(retry=Retry(jitter=lambda: 0.5, first=10, longest=10))
    client.v3.payscore.serviceorder.post(gateway.given.create_body())
    first, second = (exchange.at for exchange in gateway.journal)
    assert second - first == 5


def test_another_seed_gives_another_journal() -> None:
    one, other = Gateway(seed=9), Gateway(seed=10)
    one.trigger("payscore.created")
    other.trigger("payscore.created")
    assert seen(one) != seen(other)


def test_a_world_is_put_back_whole(gateway: Gateway) -> None:
    live(gateway)
    before, now = state(gateway), gateway.clock()
    snapshot = gateway.snapshot()
    live(gateway)
    gateway.faults.add(on="payscore", fault=ErrorAnswer())
    assert state(gateway) != before
    gateway.restore(snapshot)
    assert state(gateway) == before
    assert gateway.clock() == now
    assert len(gateway.faults) == 0


def state(gateway: Gateway) -> Any:
    from wechatpay_chain.sandbox.control.plain import plain

    tables = {table.name: plain(table.copy()) for table in gateway.world.tables}
    return tables, sorted(gateway.world.agenda.jobs), dict(gateway.ids.counts)


def test_after_a_restore_the_same_happens_again(gateway: Gateway) -> None:
    gateway.trigger("payscore.confirmed")
    snapshot = gateway.snapshot()
    gateway.journal.clear()
    live(gateway)
    first = [one[1:] for one in seen(gateway)]
    gateway.restore(snapshot)
    gateway.journal.clear()
    live(gateway)
    assert [one[1:] for one in seen(gateway)] == first


def test_a_snapshot_can_be_used_many_times(gateway: Gateway) -> None:
    order = gateway.given.order()
    snapshot = gateway.snapshot()
    for _ in range(3):
        assert gateway.user.confirm(order).state == "CONFIRMED"
        gateway.restore(snapshot)
        assert gateway.orders[order].state == "CREATED"


def test_two_worlds_share_nothing() -> None:
    one, other = Gateway(seed=1), Gateway(seed=1)
    order = one.given.order()
    other.restore(one.snapshot())
    one.user.confirm(order)
    assert other.orders[order].state == "CREATED"
    other.given.order(out_order_no="THEIRS")
    assert "THEIRS" not in one.orders


def test_jobs_come_back_and_fall_due(gateway: Gateway) -> None:
    order = gateway.given.order()
    snapshot = gateway.snapshot()
    gateway.advance(days=30)
    assert gateway.orders[order].state == "EXPIRED"
    gateway.restore(snapshot)
    assert gateway.orders[order].state == "CREATED"
    gateway.advance(days=30)
    assert gateway.orders[order].state == "EXPIRED"


def test_a_fault_comes_back_with_the_function_it_matches_by(gateway: Gateway) -> None:
    gateway.faults.add(fault=ErrorAnswer(), match=lambda exchange: False, times=None)
    snapshot = gateway.snapshot()
    gateway.faults.clear()
    gateway.faults.add(fault=ErrorAnswer(), match=lambda exchange: True)
    with pytest.raises(WeChatPayError):
        gateway.client(retry=1).v3.security.echo.post({"echo_message": "x"})
    gateway.restore(snapshot)
    gateway.trigger("security_echo.success")


def test_a_nonce_can_be_used_again_in_a_world_put_back(gateway: Gateway) -> None:
    client = gateway.client(nonce=lambda: "THE-SAME-EVERY-TIME".replace("-", ""))
    snapshot = gateway.snapshot()
    for _ in range(2):
        assert client.v3.security.echo.post({"echo_message": "x"}).verified
        gateway.restore(snapshot)


def test_the_journal_goes_on_and_reset_clears_it(gateway: Gateway) -> None:
    snapshot = gateway.snapshot()
    gateway.trigger("payscore.confirmed")
    gateway.restore(snapshot)
    assert len(gateway.journal) == 1
    assert [one.name for one in gateway.journal.deeds][-1] == "user.confirm"
    gateway.reset()
    assert len(gateway.journal) == len(gateway.journal.deeds) == 0
    gateway.trigger("payscore.confirmed")
    assert [one.number for one in gateway.journal] == [2]


def test_deeds_are_noted_once_done_and_only_the_outermost(gateway: Gateway) -> None:
    refund = gateway.given.refund("PROCESSING")
    order = gateway.given.order("PAID")
    with pytest.raises(IllegalMove):
        gateway.user.pay(order)
    gateway.bank.settle_refund(refund)
    deeds = gateway.journal.deeds
    assert [one.name for one in deeds] == [
        "given.refund",
        "given.order",
        "bank.settle_refund",
    ]
    assert deeds[0].numbers == {"result": refund}
    assert deeds[2].arguments == {"out_refund_no": refund}


def test_a_recording_holds_no_signature(gateway: Gateway) -> None:
    live(gateway)
    text = recorder.lines(recorder.record(gateway))
    for exchange in gateway.journal:
        header = exchange.request.headers["Authorization"]
        assert header.partition('signature="')[2][:40] not in text
