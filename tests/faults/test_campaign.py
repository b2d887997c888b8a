"""The fault campaign in small, and campaigns that have to fail.

The same program as ``run.py``, with fewer calls and shorter waits. A check that cannot
fail is none: clients with planted faults must be found out.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from campaign import Outcome, run
from fault_report import markdown, summary, text
from plan import Plan

from wechatpay_chain import Request, WeChatPayError, middleware
from wechatpay_chain._flow import call
from wechatpay_chain._run import Run


@pytest.fixture
def plan() -> Plan:
    """Few calls; a grace that does not depend on how busy the machine is."""
    return Plan(
        seed=20240601,
        calls=300,
        threads=4,
        tasks=16,
        timeout=(0.4, 0.4),
        deadline=1.0,
        grace=20.0,
        ramp=0.0,
        speed=120.0,
        memory=False,
    )


@pytest.fixture
def failing(plan: Plan) -> Callable[..., Outcome]:
    """Run a campaign with something planted; it must find violations."""

    def campaign(**changes: Any) -> Outcome:
        outcome = run(replace(plan, calls=200, hasty=1.0, **changes))
        assert outcome.violations
        return outcome

    return campaign


def test_client_and_ledger_agree_on_every_order(plan: Plan) -> None:
    outcome = run(plan)
    assert outcome.violations == []
    for place in ("proxy", "gateway"):
        assert 0 not in outcome.counts[place].values(), place
    for phase in outcome.phases:
        assert phase.calls >= plan.calls
        assert phase.outcomes["ok"] > phase.calls / 4
    assert outcome.attempts["repeats"] > 0
    assert outcome.attempts["to the backup"] > 0
    assert outcome.attempts["downloads"] > 1
    assert "seed 20240601, 16 tasks" in text([summary(outcome)])
    assert "| violations | 0 |" in markdown([summary(outcome)])


@middleware
def renumber(request: Request) -> Any:
    """Repeat a creation whose answer was lost: under another number."""
    try:
        return (yield request)
    except WeChatPayError as error:
        if request.payload is None or not request.template.endswith("serviceorder"):
            raise
        if error.outcome == "not_sent":
            raise
    fields = dict(request.payload.value)
    fields["out_order_no"] += "again"
    payload = replace(request.payload, value=fields)
    return (yield request.replace(payload=payload))


def test_a_repeat_under_another_number_is_found(
    failing: Callable[..., Outcome],
) -> None:
    found = "\n".join(failing(layers=[renumber]).violations)
    assert "again: is CREATED in the ledger, and no worker knows it" in found
    assert "got the answer of" in found


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("refused", "refused, and it was done"),
        ("not_sent", "not_sent, and it arrived"),
    ],
)
def test_an_outcome_that_lies_is_found(
    failing: Callable[..., Outcome],
    monkeypatch: pytest.MonkeyPatch,
    outcome: str,
    expected: str,
) -> None:
    complete = Run.complete

    def lying(self: Run, error: WeChatPayError, request: Request) -> None:
        complete(self, error, request)
        if error.outcome == "unknown":
            error.outcome = outcome  # type: ignore[assignment]

    monkeypatch.setattr(Run, "complete", lying)
    found = "\n".join(failing().violations)
    assert expected in found


def test_a_call_beyond_its_deadline_is_found(failing: Callable[..., Outcome]) -> None:
    @middleware
    def patient(request: Request) -> Any:
        return (yield request.replace(deadline=2.0, timeout=(2.0, 2.0)))

    found = failing(layers=[patient], deadline=0.5, grace=0.5).violations
    assert any("its deadline is 0.5 s" in text for text in found)


def test_sockets_and_tasks_that_are_left_are_found(
    failing: Callable[..., Outcome],
) -> None:
    left: list[socket.socket] = []
    tasks: list[Any] = []

    def leave() -> None:
        if not left:
            left.append(socket.socket())
        with contextlib.suppress(RuntimeError):  # a thread has no loop
            loop = asyncio.get_running_loop()
            if not tasks:
                tasks.append(loop.create_task(asyncio.Event().wait()))

    @middleware
    def careless(request: Request) -> Any:
        yield from call(leave)
        return (yield request)

    try:
        found = "\n".join(failing(layers=[careless]).violations)
    finally:
        for one in left:
            one.close()
    assert "file descriptors are left open" in found
    assert "tasks are left on the loop" in found
