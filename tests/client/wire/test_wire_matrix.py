"""Every way to break an exchange, by what may be repeated: error, outcome, attempts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from wire_server import (
    Last,
    Reset,
    Silence,
    Trickle,
    WireServer,
    http,
    reset_unread,
)

from wechatpay_chain import ConnectError, ReadError, ReadTimeout, WriteError
from wechatpay_chain.errors import TransportError
from wechatpay_chain.middleware import Retry

#: What a library tells of a connection that was reset depends on who looks first.
CUT = (ReadError, WriteError)


@dataclass(frozen=True)
class Fault:
    """What the server does, and what is to come of it."""

    answer: Any
    kinds: tuple[type[TransportError], ...]
    greet: Callable[[Any], None] | None = None
    #: Whether there is time for another attempt.
    leaves_time: bool = True
    #: Seconds without a byte after which it is given up: few where none comes.
    patience: float = 10
    #: Whether the server reads what is sent.
    reads: bool = True


FAULTS = {
    "reset before it was read": Fault(Reset, CUT, reset_unread, reads=False),
    "reset after it was read": Fault(Reset, CUT),
    "closed": Fault(Last(), CUT),
    "truncated": Fault(Last(http(200, b"{}", {"Content-Length": "10"})), (ReadError,)),
    "trickle": Fault(
        Trickle(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (ReadTimeout,),
        leaves_time=False,
        patience=0.3,
    ),
    "silent": Fault(Silence, (ReadTimeout,), patience=1),
    "garbage": Fault(Last(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), (ReadError,)),
}

#: Verb, body, and whether a repeat cannot do the work twice.
CALLS = {
    "GET": ("get", None, True),
    "POST with a number": ("post", {"out_order_no": "1", "amount": 5}, True),
    "POST without": ("post", {"amount": 5}, False),
}


def fail(call: Any, node: Any, verb: str, body: Any) -> TransportError:
    arguments = () if body is None else (body,)
    with pytest.raises(TransportError) as caught:
        call(getattr(node, verb), *arguments)
    return caught.value


def assert_same_but_signed_anew(server: WireServer, keys: Any) -> None:
    nonces = {keys.check(item)["nonce_str"] for item in server.requests}
    assert len(nonces) == len(server.requests)
    assert len({(item.line, item.body) for item in server.requests}) <= 1


@pytest.mark.parametrize(("verb", "body", "repeatable"), CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_error_outcome_and_attempts(
    serve: Any,
    client_of: Any,
    keys: Any,
    call: Any,
    fault: Fault,
    verb: str,
    body: Any,
    repeatable: bool,
) -> None:
    server = serve(fault.answer, greet=fault.greet)
    # One that trickles never pauses for a gap; one that is silent is given up by it.
    retry = Retry(3, first=0, deadline=60 if fault.leaves_time else 0.3)
    client = client_of(server, retry=retry, timeout=(10, fault.patience))
    error = fail(call, client.v3.a, verb, body)
    assert isinstance(error, fault.kinds)
    assert error.outcome == "unknown"
    assert not error.stale
    attempts = 3 if repeatable and fault.leaves_time else 1
    assert server.connections == attempts
    assert len(server.requests) == attempts * fault.reads
    assert_same_but_signed_anew(server, keys)


@pytest.mark.parametrize(("verb", "body", "repeatable"), CALLS.values(), ids=CALLS)
def test_refused_is_not_sent_and_always_tried_again(
    serve: Any,
    client_of: Any,
    keys: Any,
    call: Any,
    refuse: Any,
    verb: str,
    body: Any,
    repeatable: bool,
) -> None:
    del repeatable  # nothing was sent
    server = serve(lambda _: keys.signed(204))
    refuse[server.port] = 3  # a fourth would reach it
    client = client_of(server, retry=Retry(3, first=0))
    error = fail(call, client.v3.a, verb, body)
    assert type(error) is ConnectError
    assert error.outcome == "not_sent"
    assert refuse[server.port] == server.connections == 0


PASSING = {
    name: fault for name, fault in FAULTS.items() if fault.reads and fault.leaves_time
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_fault_that_passes_costs_a_repeatable_call_nothing(
    serve: Any, client_of: Any, keys: Any, call: Any, fault: Fault
) -> None:
    server = serve(fault.answer, lambda _: keys.signed(200, {"a": 1}))
    client = client_of(server, retry=Retry(3, first=0), timeout=(10, fault.patience))
    assert call(client.v3.a.post, {"out_order_no": "1"})["a"] == 1
    assert len(server.requests) == 2
    assert_same_but_signed_anew(server, keys)
