"""Faults: rules in order, counted; what each does to state, answer and client."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from sandbox.receivers import EVENT, URL, Careful, opened, trigger

from wechatpay_chain import (
    APIError,
    ClockSkew,
    ConnectError,
    DecodeError,
    InvalidSignature,
    MissingHeaders,
    RateLimited,
    ReadError,
    ReadTimeout,
    Request,
    Retry,
    ServerError,
    UnknownSerial,
)
from wechatpay_chain.catalogue import store
from wechatpay_chain.sandbox import (
    CertificateExpiring,
    ConnectionRefused,
    DeductionFails,
    Delayed,
    Duplicated,
    EmptyBody,
    ErrorAnswer,
    Fault,
    Gateway,
    MalformedBody,
    Never,
    RefundAbnormal,
    Reordered,
    ReplyLost,
    Slow,
    Trickle,
    Truncated,
    UnusedFaults,
    WrongSignature,
)
from wechatpay_chain.sandbox.faults.kinds import KINDS
from wechatpay_chain.sandbox.world import compact

CREATE = "payscore.serviceorder.create"
#: Each error code of the catalogue, with its status.
LISTED = sorted(
    {
        code
        for version in store.VERSIONS
        for segment in store.segments(version)
        for operation in store.segment(version, segment) or ()
        for code in operation.errors.items()
    }
)


def create(gateway: Gateway, call: Any, number: str = "N1", **options: Any) -> Any:
    """Create an order through a client, by default one that tries once."""
    client = gateway.client(**{"retry": 1, **options})
    body = gateway.given.create_body(out_order_no=number)
    return call(client.v3.payscore.serviceorder.post, body)


# What each fault does, to a client that tries once.

CASES: list[tuple[Fault, type[Exception], str, bool]] = [
    (ErrorAnswer(), ServerError, "unknown", False),
    (ErrorAnswer(after_commit=True), ServerError, "unknown", True),
    (ErrorAnswer("FREQUENCY_LIMITED"), RateLimited, "refused", False),
    (ErrorAnswer("RULE_LIMIT", message="no"), APIError, "refused", False),
    (MalformedBody(), DecodeError, "unknown", True),
    (ConnectionRefused(), ConnectError, "not_sent", False),
    (ReplyLost(), ReadError, "unknown", True),
    (ReplyLost(after_commit=False), ReadError, "unknown", False),
    (Slow(31), ReadTimeout, "unknown", True),
    (Trickle(31), ReadTimeout, "unknown", True),
    (Truncated(), ReadError, "unknown", True),
    (WrongSignature("bad"), InvalidSignature, "unknown", True),
    (WrongSignature("missing"), MissingHeaders, "unknown", True),
    (WrongSignature("unknown"), UnknownSerial, "unknown", True),
    (WrongSignature("expired"), ClockSkew, "unknown", True),
    (WrongSignature("switched"), UnknownSerial, "unknown", True),
    (WrongSignature("probe"), InvalidSignature, "unknown", True),
]


@pytest.mark.parametrize(
    ("fault", "error", "outcome", "done"), CASES, ids=lambda one: str(one)[:40]
)
def test_fault_is_what_the_client_says_it_is(
    gateway: Gateway,
    call: Any,
    fault: Fault,
    error: type[Exception],
    outcome: str,
    done: bool,
) -> None:
    gateway.faults.add(on=CREATE, fault=fault)
    with pytest.raises(error) as caught:
        create(gateway, call)
    assert caught.value.outcome == outcome  # type: ignore[attr-defined]
    assert ("N1" in gateway.orders) is done
    gateway.faults.assert_all_used()
    assert create(gateway, call)["out_order_no"] == "N1"


@pytest.mark.parametrize(("code", "status"), LISTED)
def test_every_code_that_the_catalogue_lists_can_be_the_answer(
    gateway: Gateway, call: Any, code: str, status: int
) -> None:
    gateway.faults.add(on=CREATE, fault=ErrorAnswer(code))
    with pytest.raises(APIError) as caught:
        create(gateway, call)
    assert (caught.value.code, caught.value.status_code) == (code, status)


@pytest.mark.parametrize(
    ("code", "near"),
    [
        ("FREQUENCY_LIMIT_EXCEED", "FREQUENCY_LIMITED"),
        ("RATELIMIT_EXCEEDED", "RATELIMIT_EXCEED"),
        ("OUT_TRADE_NO_USE", "OUT_TRADE_NO_USED"),
    ],
)
def test_the_code_that_an_unknown_one_comes_near_to_is_named(
    code: str, near: str
) -> None:
    with pytest.raises(ValueError, match=rf"{code}' - did you mean '{near}'\?$"):
        ErrorAnswer(code)


def test_default_client_gets_over_all_that_may_be_repeated(
    gateway: Gateway, call: Any
) -> None:
    faults = [
        ErrorAnswer(),
        ErrorAnswer("FREQUENCY_LIMITED"),
        ConnectionRefused(),
        ReplyLost(),
        ReplyLost(after_commit=False),
        Truncated(),
        WrongSignature("bad"),
        WrongSignature("probe"),
    ]
    for at, fault in enumerate(faults):
        gateway.faults.add(on=CREATE, fault=fault)
        assert create(gateway, call, f"N{at}", retry=3).verified
    gateway.faults.assert_all_used()
    assert len(gateway.orders) == len(faults)


def test_empty_body_is_signed_and_empty(gateway: Gateway, call: Any) -> None:
    gateway.faults.add(on=CREATE, fault=EmptyBody())
    reply = create(gateway, call)
    assert reply.verified
    assert reply.data is None
    assert "N1" in gateway.orders


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [(Slow(20), 20.0), (Trickle(0.01), None), (Slow(29), 29.0)],
)
def test_slow_answer_within_the_timeout_arrives_late(
    gateway: Gateway, call: Any, fault: Fault, seconds: float | None
) -> None:
    gateway.faults.add(on=CREATE, fault=fault)
    began = gateway.clock()
    reply = create(gateway, call)
    if seconds is None:
        seconds = 0.01 * len(reply.content)
    assert gateway.clock() - began == pytest.approx(seconds, abs=1e-3)


def test_trickle_beyond_the_deadline_is_a_timeout(gateway: Gateway, call: Any) -> None:
    gateway.faults.add(on=CREATE, fault=Trickle(25))
    began = gateway.clock()
    with pytest.raises(ReadTimeout, match="no whole answer"):
        create(gateway, call)
    assert gateway.clock() - began < 25 * 100


@pytest.mark.parametrize(
    ("options", "tries", "seconds"),
    [
        ({}, 2, 60.0),  # the default: 30 s, a pause, and the rest
        ({"retry": Retry(5, deadline=20.0, jitter=lambda: 0.0)}, 1, 20.0),
        ({"retry": Retry(5, deadline=70.0, jitter=lambda: 0.0)}, 3, 70.0),
        # A timer of one's own decides, be it one that stands still.
        ({"retry": Retry(3, jitter=lambda: 0.0, timer=lambda: 0.0)}, 3, 90.0),
    ],
)
def test_the_deadline_counts_virtual_time(
    gateway: Gateway, call: Any, options: Any, tries: int, seconds: float
) -> None:
    gateway.faults.add(on=CREATE, fault=Slow(40), times=None)
    client, began = gateway.client(**options), gateway.clock()
    body = gateway.given.create_body(out_order_no="N1")
    with pytest.raises(ReadTimeout):
        call(client.v3.payscore.serviceorder.post, body)
    assert gateway.clock() - began == pytest.approx(seconds, abs=1e-3)
    assert len(gateway.journal) == tries


def test_derived_clients_keep_to_virtual_time(gateway: Gateway, call: Any) -> None:
    client = gateway.client().with_options(retry=Retry(9, deadline=20.0), timeout=8)
    gateway.faults.add(on=CREATE, fault=Slow(15), times=None)
    began = gateway.clock()
    body = gateway.given.create_body(out_order_no="N1")
    with pytest.raises(ReadTimeout):
        call(client.v3.payscore.serviceorder.post, body)
    assert 16 <= gateway.clock() - began <= 20


def test_expired_signature_holds_but_for_its_age(gateway: Gateway) -> None:
    seen: list[Any] = []
    gateway.faults.add(on=EVENT, fault=WrongSignature("expired"))
    gateway.deliver_to(lambda request: seen.append(request))
    trigger(gateway)
    assert opened(gateway, seen[0])["event_type"] == EVENT
    stamp = int(seen[0].headers["Wechatpay-Timestamp"])
    assert gateway.clock() - stamp == 301


def test_switched_key_is_one_that_a_migrating_client_has(call: Any) -> None:
    gateway = Gateway(seed=1, mode="migrating")
    gateway.faults.add(on=CREATE, fault=WrongSignature("switched"))
    serials = {create(gateway, call).serial for _ in range(2)}
    assert serials == {gateway.public_key_id, gateway.certificate_serial}


def test_fault_in_a_refused_call_leaves_the_refusal(
    gateway: Gateway, hand: Any
) -> None:
    gateway.faults.add(on="payscore.cancel", fault=WrongSignature("missing"))
    target = "/v3/payscore/serviceorder/NONE/cancel"
    body = {"appid": gateway.appid, "reason": "x"}
    response = hand.send("POST", target, body)
    assert response.status_code == 404
    assert json.loads(response.content)["code"] == "ORDER_NOT_EXIST"
    assert "Wechatpay-Signature" not in response.headers


def test_fault_befalls_no_call_that_is_not_authentic(
    gateway: Gateway, hand: Any
) -> None:
    gateway.faults.add(on="security.echo", fault=ReplyLost())
    response = hand.send("POST", "/v3/security/echo", {"echo_message": "x"}, mchid="1")
    assert response.status_code == 401
    assert len(gateway.faults.unused) == 1


def test_journal_says_which_fault_it_was(gateway: Gateway, call: Any) -> None:
    gateway.faults.add(on=CREATE, fault=ReplyLost())
    create(gateway, call, retry=3)
    lost, again = gateway.journal
    assert (lost.fault, lost.status) == ("reply_lost", None)
    assert (again.fault, again.status) == (None, 200)


# No double effect.


class First:
    """Matches what comes for the first time."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, bytes]] = set()

    def __call__(self, exchange: Any) -> bool:
        request = exchange.request
        before = len(self.seen)
        self.seen.add((request.target, request.body))
        return len(self.seen) > before


def completion(gateway: Gateway) -> dict[str, Any]:
    return {
        "appid": gateway.appid,
        "service_id": gateway.service_id,
        "post_payments": [{"name": "a", "amount": 500}],
        "total_amount": 500,
        "time_range": {"end_time": compact(gateway.clock())},
    }


def test_lost_reply_has_no_double_effect_over_a_thousand_orders(
    gateway: Gateway, call: Any
) -> None:
    told: Counter[str] = Counter()

    def handler(request: Request) -> None:
        told[opened(gateway, request)["plain"]["out_order_no"]] += 1

    gateway.deliver_to(handler)
    gateway.deduction = "immediate"
    first = First()
    gateway.faults.add(on=CREATE, match=first, fault=ReplyLost(), times=1000)
    gateway.faults.add(
        on="payscore.complete", match=first, fault=ReplyLost(), times=1000
    )
    orders = gateway.client().v3.payscore.serviceorder
    created: set[str] = set()
    for at in range(1000):
        number = f"N{at}"
        body = gateway.given.create_body(out_order_no=number, notify_url=URL)
        created.add(call(orders.post, body)["order_id"])
        gateway.user.confirm(number)
        call(
            orders._out_order_no_.complete.post,
            completion(gateway),
            out_order_no=number,
        )
    gateway.faults.assert_all_used()
    assert len(created) == len(gateway.orders) == 1000
    assert [len(order.paid) for order in gateway.orders] == [1] * 1000
    assert {str(order.state) for order in gateway.orders} == {"PAID"}
    assert len(gateway.outbox.delivered("PAYSCORE.USER_PAID")) == 1000
    assert set(told.values()) == {2}  # confirmed, and paid


# Business.


def test_deduction_of_one_call_fails(gateway: Gateway, call: Any) -> None:
    gateway.deduction = "immediate"
    gateway.faults.add(on="payscore.complete", fault=DeductionFails())
    complete = gateway.client().v3.payscore.serviceorder._out_order_no_.complete
    states: list[str] = []
    for _ in range(2):
        order = gateway.given.order(state="CONFIRMED")
        call(complete.post, completion(gateway), out_order_no=order)
        states.append(str(gateway.orders[order].state))
    assert states == ["PAYING", "PAID"]
    assert gateway.deduction == "immediate"


def test_refund_of_one_call_ends_abnormal(gateway: Gateway, call: Any) -> None:
    gateway.refunding = "immediate"
    gateway.faults.add(on="refund.create", fault=RefundAbnormal())
    refunds = gateway.client().v3.refund.domestic.refunds
    for number in ("R1", "R2"):
        paid = gateway.given.payment("SUCCESS")
        body = gateway.given.refund_body(paid, out_refund_no=number)
        call(refunds.post, body)
    gateway.advance(minutes=5)
    states = [str(gateway.refunds[number].state) for number in ("R1", "R2")]
    assert states == ["ABNORMAL", "SUCCESS"]
    assert gateway.refunding == "immediate"


def test_certificates_are_about_to_expire(call: Any) -> None:
    gateway = Gateway(seed=1, mode="migrating")
    gateway.faults.add(on="certificates.query", fault=CertificateExpiring(3600))
    client = gateway.client()
    first = call(client.v3.certificates.get)["data"][0]
    later = call(gateway.client().v3.certificates.get)["data"][0]
    assert first["expire_time"] == "2024-06-01T16:00:00+08:00"
    assert later["expire_time"] == "2028-05-31T15:00:00+08:00"
    assert first["serial_no"] == later["serial_no"]


# Notifications.


def told(gateway: Gateway) -> list[tuple[float, str]]:
    """Have what comes noted, with seconds since now."""
    seen: list[tuple[float, str]] = []
    began = gateway.clock()

    def handler(request: Request) -> None:
        message = opened(gateway, request)["plain"]["echo_message"]
        seen.append((gateway.clock() - began, message))

    gateway.deliver_to(handler)
    return seen


CARRIED = [
    (Duplicated(copies=2), [(0, "a"), (0, "a"), (0, "a"), (0, "b")]),
    (Delayed(seconds=90), [(0, "b"), (90, "a")]),
    (Reordered(), [(0, "b"), (0, "a")]),
    (Never(), [(0, "b")]),
]


@pytest.mark.parametrize(("fault", "expected"), CARRIED, ids=lambda one: str(one)[:12])
def test_notification_is_carried_badly(
    gateway: Gateway, fault: Fault, expected: list[Any]
) -> None:
    seen = told(gateway)
    gateway.faults.add(on="SECURITY_ECHO.*", fault=fault)
    trigger(gateway, message="a")
    trigger(gateway, message="b")
    gateway.advance(days=2)
    assert seen == expected
    gateway.faults.assert_all_used()


def test_withheld_notification_can_be_sent_by_hand(gateway: Gateway) -> None:
    seen = told(gateway)
    gateway.faults.add(fault=Never())
    trigger(gateway, message="a")
    (notice,) = gateway.outbox
    assert str(notice.status) == "withheld"
    assert gateway.outbox.resend(notice).good
    assert seen == [(0, "a")]


def test_wrongly_signed_notification_comes_again(gateway: Gateway) -> None:
    careful = Careful(gateway)
    gateway.deliver_to(careful)
    gateway.faults.add(on=EVENT, fault=WrongSignature("probe"))
    trigger(gateway)
    assert careful.done == []
    gateway.advance(seconds=15)
    assert len(careful.done) == 1


def test_fault_of_another_event_does_nothing(gateway: Gateway) -> None:
    seen = told(gateway)
    gateway.faults.add(on="REFUND.*", fault=Never())
    trigger(gateway, message="a")
    assert seen == [(0, "a")]
    assert len(gateway.faults.unused) == 1


# Rules.


def test_rules_are_asked_in_order_and_counted(gateway: Gateway, call: Any) -> None:
    first = gateway.faults.add(on=CREATE, fault=ErrorAnswer("RULE_LIMIT"), times=2)
    second = gateway.faults.add(on=CREATE, fault=ReplyLost(after_commit=False))
    for error in (APIError, APIError, ReadError):
        with pytest.raises(error):
            create(gateway, call)
    create(gateway, call)
    assert [rule.used for rule in gateway.faults] == [2, 1]
    assert first.spent
    assert second.spent


def test_unused_rules_are_reported(gateway: Gateway, call: Any) -> None:
    gateway.faults.add(on="payscore.cancel", fault=ReplyLost(), times=2)
    always = gateway.faults.add(on=CREATE, fault=Slow(1), times=None)
    assert len(gateway.faults.unused) == 2
    create(gateway, call)
    with pytest.raises(UnusedFaults, match=r"reply_lost\(after_commit=True\) on pays"):
        gateway.faults.assert_all_used()
    assert always not in gateway.faults.unused
    gateway.faults.remove(1)
    gateway.faults.assert_all_used()
    gateway.faults.clear()
    assert len(gateway.faults) == 0


MATCHES = [
    {"on": "payscore.serviceorder.create"},
    {"on": "payscore.create"},
    {"on": "payscore"},
    {"match": "POST /v3/payscore/serviceorder"},
    {"match": lambda exchange: b"N1" in exchange.request.body},
    {"on": "payscore", "match": lambda exchange: exchange.mchid == "1900000001"},
    {},
]


@pytest.mark.parametrize("how", MATCHES)
def test_rule_matches(gateway: Gateway, call: Any, how: dict[str, Any]) -> None:
    gateway.faults.add(fault=ErrorAnswer("RULE_LIMIT"), **how)
    with pytest.raises(APIError):
        create(gateway, call)


OTHERS = [
    {"on": "payscore.serviceorder.query"},
    {"on": "certificates"},
    {"match": "POST /v3/payscore/partner/serviceorder"},
    {"match": "GET /v3/payscore/serviceorder"},
    {"on": "payscore", "match": lambda exchange: False},
]


@pytest.mark.parametrize("how", OTHERS)
def test_rule_for_something_else_does_nothing(
    gateway: Gateway, call: Any, how: dict[str, Any]
) -> None:
    gateway.faults.add(fault=ErrorAnswer("RULE_LIMIT"), **how)
    assert create(gateway, call).verified


MEANINGLESS = [
    ({"fault": ReplyLost(), "on": "payscore.compleet"}, "payscore.serviceorder.comple"),
    ({"fault": ReplyLost(), "on": "qqqq"}, "no endpoint is called 'qqqq'"),
    ({"fault": ReplyLost(), "match": "POST /v3/nowhere"}, "no endpoint"),
    ({"fault": ReplyLost(), "on": "REFUND.SUCCESS"}, "a fault of calls"),
    ({"fault": Never(), "on": "payscore.complete"}, "a fault of notifications"),
    ({"fault": ReplyLost(), "times": 0}, "1 or more"),
    ({"fault": ReplyLost(), "on": "a", "match": "b"}, "give one of them"),
]


@pytest.mark.parametrize(("arguments", "message"), MEANINGLESS)
def test_meaningless_rule_is_refused(
    gateway: Gateway, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        gateway.faults.add(**arguments)
    assert len(gateway.faults) == 0


def test_rules_of_plain_data(gateway: Gateway, call: Any) -> None:
    gateway.faults.add_data("reply_lost", {"after_commit": False}, on=CREATE)
    with pytest.raises(ReadError):
        create(gateway, call)
    assert "N1" not in gateway.orders


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("explosion", {}, "kind: one of error, "),
        ("slow", {"minutes": 1}, "options of slow: seconds"),
        ("truncated", {"at": 1}, "options of truncated: none"),
        ("error", {"code": "NOPE"}, "code: one of"),
        ("wrong_signature", {"way": "worse"}, "way: one of bad"),
    ],
)
def test_meaningless_data_is_refused(
    gateway: Gateway, kind: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        gateway.faults.add_data(kind, options)


def test_fault_on_an_endpoint_of_the_catalogue_alone(
    gateway: Gateway, call: Any
) -> None:
    gateway.faults.add(on="merchant_service.complaints_v2", fault=ReplyLost())
    client = gateway.client(retry=1)
    query = {"begin_date": "2024-05-01", "end_date": "2024-05-02"}
    with pytest.raises(ReadError):
        call(client["v3/merchant-service/complaints-v2"].get, query)


def test_snapshot_holds_the_rules(gateway: Gateway, call: Any) -> None:
    gateway.faults.add(on=CREATE, fault=ErrorAnswer("RULE_LIMIT"))
    before = gateway.snapshot()
    for _ in range(2):
        gateway.restore(before)
        with pytest.raises(APIError):
            create(gateway, call)
    gateway.reset()
    assert len(gateway.faults) == 0
    assert create(gateway, call).verified


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
def test_page_of_the_control_api_names_each_kind_and_its_options(
    kind: type[Fault],
) -> None:
    page = Path(__file__).parents[2] / "docs/control-api.md"
    (row,) = (
        line
        for line in page.read_text("utf-8").splitlines()
        if line.startswith(f"| `{kind.kind}` |")
    )
    assert all(f"`{option.name}`" in row for option in fields(kind))
