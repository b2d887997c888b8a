"""Whatever merchant, user, bank and time do, in whatever order: money adds up."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from payscore_calls import Calls, bill

from wechatpay_chain import APIError
from wechatpay_chain.sandbox import After, Fails, Gateway, IllegalMove, Manual

PLANS: list[Any] = [
    "immediate",
    Manual(),
    Fails(),
    After(seconds=60),
    After(looks=2),
]
FINAL = {"PAID", "ZERO", "REVOKED", "EXPIRED"}
CALLS = ["cancel", "complete", "modify", "pay", "sync", "query"]
USERS = ["confirm", "refuse", "pay", "enter_cashier", "leave_cashier"]
BANKS = ["begin", "succeed", "fail"]

acts = st.one_of(
    st.tuples(st.just("call"), st.sampled_from(CALLS)),
    st.tuples(st.just("user"), st.sampled_from(USERS)),
    st.tuples(st.just("bank"), st.sampled_from(BANKS)),
    st.tuples(st.just("bill"), st.sampled_from([0, 50, 100])),
    st.tuples(st.just("plan"), st.sampled_from(PLANS)),
    st.tuples(st.just("wait"), st.sampled_from([1, 60, 86400, 30 * 86400])),
)


def act(gateway: Gateway, calls: Calls, kind: str, what: Any) -> None:
    if kind == "plan":
        gateway.deduction = what
    elif kind == "wait":
        gateway.advance(seconds=what)
    elif kind == "bill":
        calls("complete", "N1", **bill(what))
    elif what == "query":
        calls.query("N1")
    elif kind == "call":
        calls(what, "N1")
    else:
        getattr(getattr(gateway, kind), what)("N1")


@settings(max_examples=60, deadline=None)
@given(partner=st.booleans(), walk=st.lists(acts, max_size=14))
def test_money_adds_up_on_every_walk(partner: bool, walk: list[Any]) -> None:
    gateway = Gateway(seed=1)
    gateway.given.order(partner=partner, out_order_no="N1")
    calls = Calls(gateway, partner)
    order = gateway.orders["N1"]
    for kind, what in walk:
        before, shown = order.state, order.document()
        try:
            act(gateway, calls, kind, what)
        except (APIError, IllegalMove):
            assert order.document() == shown
        if before in FINAL:
            assert order.document() == shown
        if order.state == "PAID":
            assert order.document()["collection"]["paying_amount"] == 0
        if order.total_amount is not None:
            lines = order.document()["post_payments"]
            assert sum(line["amount"] for line in lines) == order.total_amount
        assert len(order.paid) == (1 if order.state == "PAID" else 0)
        assert not (order.locked and order.state != "PAYING")
    told = [notice.event_type for notice in gateway.world.outbox]
    by_payscore = [one for one in order.paid if one["paid_type"] == "NEWTON"]
    assert told.count("PAYSCORE.USER_PAID") == len(by_payscore)
    assert repr(gateway.ledger).startswith(f"<Ledger {len(by_payscore)} in")
