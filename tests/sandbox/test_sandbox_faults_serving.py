"""Faults over HTTP: the socket really breaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from wechatpay_chain import (
    DecodeError,
    InvalidSignature,
    ReadError,
    ReadTimeout,
    ServerError,
    WeChatPay,
)
from wechatpay_chain.sandbox import (
    ConnectionRefused,
    ErrorAnswer,
    Fault,
    Gateway,
    MalformedBody,
    ReplyLost,
    Slow,
    Trickle,
    Truncated,
    WrongSignature,
)


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    gateway = Gateway(seed=1)
    with gateway.serve() as server:
        yield gateway, server


def create(server: Any, call: Any, number: str, **options: Any) -> Any:
    gateway, door = server
    client = WeChatPay(
        **gateway.credentials,
        **{"retry": 1, **options},
        base_url=door.base_url,
        clock=gateway.clock,
    )
    body = gateway.given.create_body(out_order_no=number)
    try:
        return call(client.v3.payscore.serviceorder.post, body)
    finally:
        call.close(client)


CASES: list[tuple[str, Fault, type[Exception], bool]] = [
    ("A1", ConnectionRefused(), ReadError, False),
    ("A2", ReplyLost(), ReadError, True),
    ("A3", ReplyLost(after_commit=False), ReadError, False),
    ("A4", Truncated(), ReadError, True),
    ("A5", Slow(40), ReadTimeout, True),
    ("A6", Trickle(40), ReadTimeout, True),
    ("A7", MalformedBody(), DecodeError, True),
    ("A8", WrongSignature("probe"), InvalidSignature, True),
    ("A9", ErrorAnswer(), ServerError, False),
]


#: Seconds that an answer may take: few where none comes, and plenty where a busy
#: machine may be all that it waits for.
SOON, LATE = 1.5, 30


@pytest.mark.parametrize(("number", "fault", "error", "done"), CASES)
def test_socket_breaks(
    server: Any,
    call: Any,
    number: str,
    fault: Fault,
    error: type[Exception],
    done: bool,
) -> None:
    gateway = server[0]
    number += call.mode
    gateway.faults.add(on="payscore.serviceorder.create", fault=fault)
    patience = SOON if error is ReadTimeout else LATE
    with pytest.raises(error):
        create(server, call, number, timeout=(5, patience))
    gateway.faults.assert_all_used()
    assert (number in gateway.orders) is done
    assert create(server, call, number).verified


@pytest.mark.parametrize("fault", [ReplyLost(), Truncated(), ConnectionRefused()])
def test_default_client_repeats_over_the_socket(
    server: Any, call: Any, fault: Fault
) -> None:
    gateway = server[0]
    before = len(gateway.orders)
    gateway.faults.add(on="payscore.serviceorder.create", fault=fault)
    reply = create(server, call, f"B{fault.kind}{call.mode}"[:32], retry=3)
    gateway.faults.assert_all_used()
    assert reply.verified
    assert len(gateway.orders) == before + 1


@pytest.mark.parametrize("fault", [Slow(0.01), Trickle(0)])
def test_late_answer_is_whole(server: Any, call: Any, fault: Fault) -> None:
    server[0].faults.add(on="payscore.serviceorder.create", fault=fault)
    assert create(server, call, f"C{fault.kind}{call.mode}").verified
    server[0].faults.assert_all_used()
