"""Values that cannot be: refused when they are given, in Python and over HTTP."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from wechatpay_chain import ConfigurationError, Headers, Request
from wechatpay_chain.sandbox import (
    Abnormal,
    After,
    CertificateExpiring,
    Clock,
    Closed,
    DeductionFails,
    Delayed,
    Duplicated,
    ErrorAnswer,
    Fails,
    Fault,
    Gateway,
    KeySet,
    Refused,
    ReplyLost,
    Slow,
    Trickle,
    WrongSignature,
)
from wechatpay_chain.sandbox.control.api import Control
from wechatpay_chain.sandbox.control.plain import plain
from wechatpay_chain.sandbox.signatures.keys import pair
from wechatpay_chain.sandbox.world import LATEST

ENDLESS = (math.inf, -math.inf, math.nan)
NO_SECONDS: tuple[Any, ...] = ("x", -5, True, None, [], 10**10, 10**400, *ENDLESS)

#: What is made, the option, and what it cannot be.
WRONG: list[tuple[type[Any], str, tuple[Any, ...]]] = [
    (ErrorAnswer, "code", (7, None, [], "NO_SUCH")),
    (ErrorAnswer, "status", ("x", 99999, 200, -1, 500.0, True, False, None)),
    (ErrorAnswer, "message", (5, None)),
    (ErrorAnswer, "after_commit", ("yes", 1)),
    (ReplyLost, "after_commit", ("yes", 0)),
    (Slow, "seconds", NO_SECONDS),
    (Trickle, "seconds", NO_SECONDS),
    (Delayed, "seconds", NO_SECONDS),
    (CertificateExpiring, "seconds", ("x", -(10**9), *ENDLESS)),
    (Duplicated, "copies", ("x", 0, -1, 101, 3_000_000, 1.0, True, math.inf)),
    (WrongSignature, "way", (5, None, [], "odd")),
    (DeductionFails, "reason", (5, None)),
    (Fails, "reason", (5, None)),
    (After, "seconds", tuple(one for one in NO_SECONDS if one is not None)),
    (After, "looks", ("x", 0, -1, 1.5, math.inf, 10**10)),
    (Abnormal, "seconds", NO_SECONDS),
    (Closed, "seconds", NO_SECONDS),
    (Refused, "code", (5, None, "NO_SUCH")),
]
CASES = [(made, name, value) for made, name, values in WRONG for value in values]

#: What each can be, at its bounds.
RIGHT: list[Callable[[], object]] = [
    lambda: ErrorAnswer(status=0),
    lambda: ErrorAnswer(status=400),
    lambda: ErrorAnswer(status=599),
    lambda: Slow(0),
    lambda: Slow(10**9),
    lambda: Trickle(0.5),
    lambda: Duplicated(100),
    lambda: CertificateExpiring(-3600),
    lambda: After(seconds=0),
    lambda: After(looks=1),
    lambda: Closed(0.5),
]


def ask(gateway: Gateway, path: str, body: bytes | None) -> tuple[int, dict[str, Any]]:
    headers = {"Host": "127.0.0.1:80", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:80/_sandbox/{path}"
    method = "GET" if body is None else "POST"
    request = Request(method, url, Headers(headers), body or b"")
    response = Control(gateway).handle(request)

    def none(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return response.status_code, json.loads(response.content, parse_constant=none)


@pytest.mark.parametrize(("made", "name", "value"), CASES)
def test_an_option_that_cannot_be_is_refused_by_name_and_value(
    made: type[Any], name: str, value: Any
) -> None:
    with pytest.raises(ValueError, match=f"^{name}: .* expected, got ") as caught:
        made(**{name: value})
    assert repr(value)[:64] in str(caught.value)


@pytest.mark.parametrize("make", RIGHT)
def test_what_can_be_is_taken_up_to_its_bounds(make: Callable[[], object]) -> None:
    assert make() == make()


@pytest.mark.parametrize(
    ("made", "name", "value"),
    [one for one in CASES if issubclass(one[0], Fault)],
)
def test_the_control_api_refuses_the_options_of_a_fault(
    gateway: Gateway, made: type[Fault], name: str, value: Any
) -> None:
    body = json.dumps({"kind": made.kind, "options": {name: value}}).encode()
    status, data = ask(gateway, "faults", body)
    assert status == 400
    finite = not isinstance(value, float) or math.isfinite(value)
    assert not finite or data["message"].startswith(f"{name}: ")
    assert len(gateway.faults) == 0


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("advance", b'{"hours": 1e400}', "too large"),
        ("advance", b'{"hours": NaN}', "NaN is no number"),
        ("advance", b'{"hours": -Infinity}', "-Infinity is no number"),
        ("advance", b'{"days": 3000000}', "time ends at 2286-11-21"),
        ("advance", b'{"days": 1' + b"0" * 400 + b"}", "days: a finite number"),
        ("advance", b'{"days": 1, "days": 2}', "'days' is given twice"),
        ("advance", b'{"days": "\xff"}', "not UTF-8 at byte 10"),
        ("given/order", b'{"service_introduction": "\\ud800"}', "lone surrogate"),
        ("faults", b'{"kind": 5}', "kind: "),
        ("faults", b'{"kind": "slow", "times": 0}', "times: a whole number 1 or more"),
        ("faults", b'{"kind": "slow", "options": {"x": 1}}', "seconds expected, got"),
        ("settings", b'{"deduction": {"after": {"seconds": "x"}}}', "got 'x'"),
        ("settings", b'{"deduction": {"after": {"looks": 0}}}', "looks: a whole"),
        ("settings", b'{"deduction": {"after": {"weeks": 1}}}', "looks, and no weeks"),
        ("settings", b'{"deduction": {"fails": {"reason": 5}}}', "got 5"),
        ("settings", b'{"refunding": {"closed": {"seconds": -1}}}', "got -1"),
        ("settings", b'{"validation": "odd"}', "validation: one of strict"),
        ("given/order", b'{"state": "PAYING", "total_amount": -1}', "got -1"),
        ("given/bill", b'{"day": "2024-05-31", "rows": -1}', "rows: a whole"),
        ("given/bill", b'{"day": "2024-05-31", "rows": 100000000}', "got 100000000"),
        ("given/bill", b'{"day": "May", "rows": 1}', "day: a date such as"),
        ("journal?limit=-1", None, "limit: a whole number 0 or more expected, got -1"),
        ("journal?after=-1", None, "after: a whole number 0 or more expected, got -1"),
        ("orders?limit=-1", None, "limit: a whole number 0 or more expected, got -1"),
    ],
)
def test_the_control_api_says_which_value_cannot_be(
    gateway: Gateway, path: str, body: bytes | None, told: str
) -> None:
    status, data = ask(gateway, path, body)
    assert status == 400
    assert told in data["message"]


def test_settings_are_changed_together_or_not_at_all(gateway: Gateway) -> None:
    body = b'{"deduction": "immediate", "validation": "off", "refunding": "odd"}'
    before = ask(gateway, "settings", None)
    assert ask(gateway, "settings", body)[0] == 400
    assert ask(gateway, "settings", None) == before


def test_numbers_that_json_has_not_are_shown_as_text() -> None:
    assert plain({"a": [math.inf, 1.5], "b": math.nan}) == {
        "a": ["inf", 1.5],
        "b": "nan",
    }


@pytest.mark.parametrize("total", [-1, 1.5, "x", True, None])
def test_an_order_costs_a_whole_number_of_fen(gateway: Gateway, total: Any) -> None:
    with pytest.raises(ValueError, match="total_amount: a whole number from 0"):
        gateway.given.order(state="PAYING", total_amount=total)
    assert len(gateway.orders) == 0


# Time.


@pytest.mark.parametrize(
    "span",
    [
        {"days": math.inf},
        {"days": math.nan},
        {"hours": -math.inf},
        {"days": 3_000_000},
        {"minutes": 10**400},
        {"minutes": 10**308, "hours": 10**308},
        {"seconds": LATEST},
        {"seconds": "5"},
        {"days": True},
        {"days": -1},
    ],
)
def test_time_that_cannot_pass_is_refused_and_nothing_happens(
    gateway: Gateway, span: dict[str, Any], call: Any
) -> None:
    number, before = gateway.given.order(), gateway.clock()
    with pytest.raises(ValueError, match=r"expected, got|time ends|forward only"):
        gateway.advance(**span)
    assert gateway.clock() == before
    assert gateway.orders[number].state == "CREATED"
    client = gateway.client()
    assert call(client.v3.security.echo.post, {"echo_message": "hi"}).verified
    call.close(client)


def test_parts_of_a_span_may_outweigh_each_other(gateway: Gateway) -> None:
    before = gateway.clock()
    gateway.advance(days=1, hours=-23)
    assert gateway.clock() == before + 3600


def test_a_gateway_works_in_its_last_second(gateway: Gateway, call: Any) -> None:
    gateway.advance(gateway.clock.left)
    assert gateway.clock() == LATEST
    # A fault that takes longer than there is time takes what there is.
    gateway.faults.add(on="security.echo", fault=Slow(20))
    client = gateway.client()
    assert call(client.v3.security.echo.post, {"echo_message": "hi"}).verified
    call.close(client)
    with pytest.raises(ValueError, match="time ends"):
        gateway.advance(1)


def test_a_clock_does_not_run_past_the_end() -> None:
    now = [float(LATEST)]
    clock = Clock(source=lambda: now[0])
    now[0] += 60
    assert (clock(), clock.left) == (LATEST, 0)


def test_a_clock_that_was_advanced_too_far_does_not_begin_to_run() -> None:
    clock = Clock(100)
    clock.advance(LATEST - 200)
    with pytest.raises(ConfigurationError, match="when time ends"):
        clock.run(lambda: 300.0)
    assert not clock.runs
    assert clock.run(lambda: 200.0) == 100


def test_a_gateway_at_the_end_of_time_is_not_served(gateway: Gateway) -> None:
    gateway.advance(gateway.clock.left)
    with pytest.raises(ConfigurationError, match="when time ends"):
        gateway.serve()
    assert not gateway.clock.runs


@pytest.mark.parametrize("start", [-1, LATEST + 1, math.nan, "now"])
def test_a_clock_starts_at_a_time_that_can_be_written(start: Any) -> None:
    with pytest.raises(ValueError, match="start: a number from 0 to 9999999999"):
        Clock(start)


# Snapshots.


@pytest.mark.parametrize("value", ["x", None, 1, {}])
def test_only_a_snapshot_is_restored(gateway: Gateway, value: Any) -> None:
    with pytest.raises(TypeError, match=r"what gateway.snapshot\(\) returned expected"):
        gateway.restore(value)


def test_the_snapshot_of_another_gateway_is_refused(gateway: Gateway) -> None:
    number = gateway.given.order()
    keys = KeySet.shared()._replace(public_key=pair("another"))
    for other in (Gateway(seed=2), Gateway(seed=1, keys=keys)):
        with pytest.raises(ValueError, match="another seed or other keys"):
            gateway.restore(other.snapshot())
    assert gateway.orders[number].state == "CREATED"
    twin = Gateway(seed=1)
    twin.restore(gateway.snapshot())
    assert twin.orders[number].state == "CREATED"


# The journal.


def test_an_exchange_shows_its_number_endpoint_and_outcome(
    gateway: Gateway, hand: Any
) -> None:
    hand.send("GET", "/v3/certificates?x=secret", signature="AAAA")
    hand.send("GET", "/v3/nothing/here")
    gateway.faults.add(fault=ErrorAnswer(), on="security.echo")
    hand.send("POST", "/v3/security/echo", {"echo_message": "hi"})
    shown = [repr(exchange) for exchange in gateway.journal]
    assert shown[2] == "<Exchange 3: POST /v3/security/echo 500 fault (error)>"
    assert shown[0].startswith("<Exchange 1: GET ")
    assert " 401 " in shown[0]
    assert "404" in shown[1]
    assert not [one for one in shown if "0x" in one or "secret" in one]


@pytest.mark.parametrize("fault", ["ReplyLost", ReplyLost, None, {"kind": "slow"}])
def test_a_fault_is_one_that_was_made(gateway: Gateway, fault: Any) -> None:
    with pytest.raises(TypeError, match=r"^fault: .* as in ReplyLost\(\), got "):
        gateway.faults.add(on="payscore.complete", fault=fault)


@pytest.mark.parametrize("seed", ["1", 1.5, True])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises(ValueError, match=r"^seed: a whole number expected, got "):
        Gateway(seed=seed)


def test_a_clock_is_called() -> None:
    clock: Any = 1717225200
    with pytest.raises(TypeError, match=r"^clock: .* a callable expected, got 1717"):
        Gateway(clock=clock)


@pytest.mark.parametrize("number", [None, 5, ("a",), ("1", 2), object()])
def test_what_is_named_is_a_number_or_a_pair(gateway: Gateway, number: Any) -> None:
    for named in (gateway.orders, gateway.payments, gateway.refunds):
        with pytest.raises(TypeError, match=r"^a number, or \(mchid, number\), expec"):
            named[number]
    with pytest.raises(TypeError, match="expected, got "):
        gateway.user.confirm(number)
