"""Every cell of the tables of payments and refunds, written out by hand (payscore 10).

The rows that are calls go through the client, the others through the user and the bank.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain import APIError
from wechatpay_chain.sandbox import Gateway, IllegalMove, diagram
from wechatpay_chain.sandbox.lifecycles.trades import (
    TRADE,
    RefundEvent,
    RefundState,
    TradeEvent,
    TradeState,
)

PAGE = Path(__file__).parents[2] / "docs" / "payments.md"
roles = pytest.mark.parametrize("partner", [False, True], ids=["direct", "partner"])

#: Event, then what it comes to in each state: a state, or the code of a refusal.
TRADES = {
    "order": ("NOTPAY", "ORDER_PAID", "ORDER_PAID", "ORDER_CLOSED"),
    "order another": (
        "INVALID_REQUEST",
        "OUT_TRADE_NO_USED",
        "OUT_TRADE_NO_USED",
        "ORDER_CLOSED",
    ),
    "query": ("NOTPAY", "SUCCESS", "REFUND", "CLOSED"),
    "close": ("CLOSED", "ORDER_PAID", "ORDER_PAID", "CLOSED"),
    "refund": ("RESOURCE_NOT_EXISTS", "REFUND", "REFUND", "RESOURCE_NOT_EXISTS"),
    "user pays": ("SUCCESS", "illegal", "illegal", "illegal"),
    "attempt fails": ("NOTPAY", "illegal", "illegal", "illegal"),
    "time passes": ("CLOSED", "SUCCESS", "REFUND", "CLOSED"),
}
TRADE_STATES = ("NOTPAY", "SUCCESS", "REFUND", "CLOSED")
REFUNDS = {
    "apply": ("PROCESSING", "SUCCESS", "ABNORMAL", "CLOSED"),
    "apply another": ("INVALID_REQUEST",) * 4,
    "query": ("PROCESSING", "SUCCESS", "ABNORMAL", "CLOSED"),
    "apply-abnormal-refund": (
        "INVALID_REQUEST",
        "INVALID_REQUEST",
        "PROCESSING",
        "INVALID_REQUEST",
    ),
    "money arrives": ("SUCCESS", "illegal", "illegal", "illegal"),
    "money comes back": ("ABNORMAL", "illegal", "illegal", "illegal"),
    "refund is closed": ("CLOSED", "illegal", "illegal", "illegal"),
}
REFUND_STATES = ("PROCESSING", "SUCCESS", "ABNORMAL", "CLOSED")


def cells(table: dict[str, tuple[str, ...]], states: tuple[str, ...]) -> Any:
    return [
        pytest.param(event, state, comes_to, id=f"{event}-{state}")
        for event, row in table.items()
        for state, comes_to in zip(states, row)
    ]


class Trade:
    """A payment of one fen in some state, and what can be done to it."""

    def __init__(self, gateway: Gateway, call: Any, state: str, partner: bool) -> None:
        self.gateway, self.call, self.partner = gateway, call, partner
        amount = {"total": 200, "currency": "CNY"}
        if state == "REFUND":
            gateway.given.payment("SUCCESS", partner=partner, out_trade_no="ORDER-1",
                                  amount=amount)  # fmt: skip
            part = {"refund": 1, "total": 200, "currency": "CNY"}
            gateway.given.refund(payment="ORDER-1", amount=part)
            gateway.advance(60)
        else:
            gateway.given.payment(
                state, partner=partner, out_trade_no="ORDER-1", amount=amount
            )
        self.body = gateway.given.payment_body(
            partner=partner, out_trade_no="ORDER-1", amount=amount
        )
        client = gateway.client()
        self.refunds = client.v3.refund.domestic.refunds
        pay = client.v3.pay
        self.node = pay.partner.transactions if partner else pay.transactions
        self.number = self.node["out-trade-no"]._out_trade_no_

    def do(self, event: str) -> None:
        own = {"mchid": self.gateway.mchid}
        if self.partner:
            own = {"sp_mchid": self.gateway.mchid, "sub_mchid": self.gateway.sub_mchid}
        if event.startswith("order"):
            changes = {"description": "别的"} if event != "order" else {}
            self.call(self.node.jsapi.post, {**self.body, **changes})
        elif event == "query":
            shown = self.call(self.number.get, own, out_trade_no="ORDER-1")
            assert shown["trade_state"] == self.gateway.payments["ORDER-1"].state
        elif event == "close":
            self.call(self.number.close.post, own, out_trade_no="ORDER-1")
        elif event == "refund":
            part = {"refund": 1, "total": 200, "currency": "CNY"}
            body = {"out_trade_no": "ORDER-1", "out_refund_no": "R2", "amount": part}
            if self.partner:
                body["sub_mchid"] = self.gateway.sub_mchid
            self.call(self.refunds.post, body)
        elif event == "user pays":
            self.gateway.user.pay("ORDER-1")
        elif event == "attempt fails":
            self.gateway.user.fail("ORDER-1")
        else:
            self.gateway.advance(days=7)


def outcome(record: Any, act: Any, event: str) -> str:
    """The state that *event* leads to, or the code that refuses it."""
    before = record().state
    try:
        act(event)
    except APIError as error:
        assert record().state == before
        return error.code or ""
    except IllegalMove as error:
        assert record().state == before
        return "illegal" if before in str(error) else str(error)
    return str(record().state)


@roles
@pytest.mark.parametrize(("event", "state", "comes_to"), cells(TRADES, TRADE_STATES))
def test_each_event_in_each_state_of_a_payment(
    gateway: Gateway, call: Any, event: str, state: str, comes_to: str, partner: bool
) -> None:
    trade = Trade(gateway, call, state, partner)
    got = outcome(lambda: gateway.payments["ORDER-1"], trade.do, event)
    assert got == comes_to
    paid = [one for one in gateway.outbox if one.original_type == "transaction"]
    assert len(paid) == (event == "user pays" and comes_to == "SUCCESS")


class Back:
    """A refund in some state, and what can be done to it."""

    def __init__(self, gateway: Gateway, call: Any, state: str, partner: bool) -> None:
        self.gateway, self.call, self.partner = gateway, call, partner
        number = gateway.given.payment("SUCCESS", partner=partner)
        gateway.given.refund(state, payment=number, out_refund_no="R1")
        self.body = gateway.given.refund_body(number, out_refund_no="R1")
        self.node = gateway.client().v3.refund.domestic.refunds
        self.own = {"sub_mchid": gateway.sub_mchid} if partner else {}

    def do(self, event: str) -> None:
        bank, refund = self.gateway.bank, self.gateway.refunds["R1"]
        if event.startswith("apply-"):
            way = {"out_refund_no": "R1", "type": "MERCHANT_BANK_CARD", **self.own}
            node = self.node._refund_id_["apply-abnormal-refund"]
            self.call(node.post, way, refund_id=refund.refund_id)
        elif event.startswith("apply"):
            changes = {"reason": "别的"} if event != "apply" else {}
            self.call(self.node.post, {**self.body, **changes})
        elif event == "query":
            get = self.node._out_refund_no_.get
            assert (
                self.call(get, self.own, out_refund_no="R1")["status"] == refund.state
            )
        else:
            ends = {"money arrives": "SUCCESS", "money comes back": "ABNORMAL"}
            bank.settle_refund("R1", ends.get(event, "CLOSED"))


@roles
@pytest.mark.parametrize(("event", "state", "comes_to"), cells(REFUNDS, REFUND_STATES))
def test_each_event_in_each_state_of_a_refund(
    gateway: Gateway, call: Any, event: str, state: str, comes_to: str, partner: bool
) -> None:
    back = Back(gateway, call, state, partner)
    assert outcome(lambda: gateway.refunds["R1"], back.do, event) == comes_to
    told = [one.event_type for one in gateway.outbox]
    ends = {"money arrives", "money comes back", "refund is closed"}
    expected = [f"REFUND.{comes_to}"] if event in ends and comes_to != "illegal" else []
    assert told == expected


def test_the_second_way_again_is_answered_as_before(
    gateway: Gateway, call: Any
) -> None:
    back = Back(gateway, call, "ABNORMAL", partner=False)
    for _ in range(2):
        back.do("apply-abnormal-refund")
    assert gateway.refunds["R1"].history == ["PROCESSING", "ABNORMAL", "PROCESSING"]


def test_the_tables_above_have_every_event() -> None:
    assert {str(event) for event in TradeEvent} | {"order another"} == set(TRADES)
    assert {str(event) for event in RefundEvent} | {"apply another"} == set(REFUNDS)
    assert tuple(TradeState) == TRADE_STATES
    assert tuple(RefundState) == REFUND_STATES


@pytest.mark.parametrize("state", TRADE_STATES)
def test_a_refusal_says_what_can_be_done(
    gateway: Gateway, call: Any, state: str
) -> None:
    can = {
        "NOTPAY": ["order", "query", "close"],
        "SUCCESS": ["query", "refund"],
        "REFUND": ["query", "refund"],
        "CLOSED": ["query", "close"],
    }
    calls = {"order", "query", "close", "refund"}
    allowed = [str(event) for event in TRADE.allowed(TradeState(state))]
    known = [name for name in allowed if name in calls]
    # The same order again is answered, and yet leads nowhere.
    assert known == [name for name in can[state] if name != "order"]
    event = "refund" if state in ("NOTPAY", "CLOSED") else "order"
    with pytest.raises(APIError) as caught:
        Trade(gateway, call, state, partner=False).do(event)
    sandbox = caught.value.detail["sandbox"]
    if event == "order":
        assert sandbox["allowed"] == allowed
        assert sandbox["state"] == state


def test_the_page_has_the_diagrams_of_the_tables() -> None:
    text = PAGE.read_text("utf-8")
    assert text.count("<!-- diagram: ") == 2
    assert diagram.drawn(text) == text


def test_a_diagram_shows_each_way_and_what_ends() -> None:
    assert diagram.payments().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> NOTPAY: order",
        "    NOTPAY --> NOTPAY: attempt fails",
        "    NOTPAY --> SUCCESS: user pays",
        "    NOTPAY --> CLOSED: close, time passes",
        "    SUCCESS --> REFUND: refund",
        "    REFUND --> REFUND: refund",
        "    CLOSED --> CLOSED: close",
        "    REFUND --> [*]",
        "    CLOSED --> [*]",
    ]
    assert "ABNORMAL --> PROCESSING: apply-abnormal-refund" in diagram.refunds()
