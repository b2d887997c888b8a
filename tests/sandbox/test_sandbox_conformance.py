"""The conformance kit names what a notification handler gets wrong."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from sandbox.receivers import Careful, opened

from wechatpay_chain import Request, Response
from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.testing import conformance

NAMES = [
    "good",
    "duplicate",
    "signature probe",
    "bad signature",
    "expired timestamp",
    "unknown event type",
    "empty associated_data",
]
FORGED = {"signature probe", "bad signature", "expired timestamp"}


@pytest.mark.parametrize("mode", ["public_key", "certificate", "migrating"])
def test_careful_handler_passes(mode: str) -> None:
    gateway = Gateway(seed=1, mode=mode)
    careful = Careful(gateway)
    report = conformance(careful, gateway=gateway, effects=lambda: len(careful.done))
    assert report.passed, str(report)
    assert [check.name for check in report.checks] == NAMES
    assert len(careful.done) == 2
    assert len(gateway.outbox) == 0
    report.assert_passed()


def trusting(gateway: Gateway) -> Callable[[Request], int]:
    return lambda request: 200


def deaf(gateway: Gateway) -> Callable[[Request], int]:
    return lambda request: 401


def behind_a_login(gateway: Gateway) -> Callable[[Request], Any]:
    return lambda request: Response(302, {"Location": "/login"})


def slow(gateway: Gateway) -> Callable[[Request], Any]:
    def handler(request: Request) -> int:
        raise TimeoutError

    return handler


def dawdling(gateway: Gateway) -> Callable[[Request], Any]:
    """Does the work first, by the gateway's clock."""
    careful = Careful(gateway)

    def handler(request: Request) -> int:
        status = careful(request)
        gateway.advance(seconds=6)
        return status

    return handler


def absent(gateway: Gateway) -> str:
    """A server that was never started."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}/notify"


def timeless(gateway: Gateway) -> Callable[[Request], int]:
    """Checks the signature, and not when it was made."""

    def handler(request: Request) -> int:
        try:
            opened(gateway, request)
        except (InvalidSignature, ValueError):
            return 401
        return 200

    return handler


def crashing(gateway: Gateway) -> Callable[[Request], int]:
    """Fails at what is no base64: a 500 is a refusal, if not a fine one."""

    def handler(request: Request) -> int:
        careful = Careful(gateway)
        if request.headers["Wechatpay-Signature"].startswith("WECHATPAY"):
            raise ValueError
        return careful(request)

    return handler


def narrow(gateway: Gateway) -> Callable[[Request], int]:
    """Knows its own event types only."""
    careful = Careful(gateway)

    def handler(request: Request) -> int:
        unknown = json.loads(request.body)["event_type"] == "SANDBOX.UNHEARD_OF"
        return 400 if unknown else careful(request)

    return handler


def stubborn(gateway: Gateway) -> Callable[[Request], int]:
    """Has the associated data written into the program."""
    careful = Careful(gateway)

    def handler(request: Request) -> int:
        resource = json.loads(request.body)["resource"]
        known = resource["associated_data"] == "transaction"
        return careful(request) if known else 500

    return handler


def forgetful(gateway: Gateway) -> Callable[[Request], int]:
    """Refuses what it has had."""
    careful = Careful(gateway)

    def handler(request: Request) -> int:
        before = len(careful.done)
        status = careful(request)
        known = len(careful.done) == before
        unheard = json.loads(request.body)["event_type"] == "SANDBOX.UNHEARD_OF"
        return 409 if known and status == 204 and not unheard else status

    return handler


MISTAKES: list[tuple[Any, set[str], str]] = [
    (trusting, FORGED, "verify before anything else"),
    (deaf, set(NAMES) - FORGED, "key ring, APIv3 key"),
    (behind_a_login, set(NAMES), "redirects are not followed"),
    (slow, set(NAMES), "do the work afterwards"),
    (dawdling, set(NAMES), "do the work afterwards"),
    (absent, set(NAMES), "is the server running"),
    (timeless, {"expired timestamp"}, "301 s old"),
    (crashing, set(), ""),
    (narrow, {"unknown event type"}, "without notice"),
    (stubborn, {"empty associated_data"}, "taken from the message"),
    (forgetful, {"duplicate"}, "the same notification comes again"),
]


@pytest.mark.parametrize(
    ("make", "wrong", "advice"), MISTAKES, ids=lambda one: getattr(one, "__name__", "")
)
def test_mistake_is_named(
    gateway: Gateway, make: Any, wrong: set[str], advice: str
) -> None:
    report = conformance(make(gateway), gateway=gateway)
    assert {check.name for check in report.wrong} == wrong
    assert advice in str(report)
    assert report.passed is (not wrong)


def test_nobody_is_said_to_have_answered_who_did_not(gateway: Gateway) -> None:
    report = conformance(absent(gateway), gateway=gateway)
    assert {check.advice for check in report.checks} == {
        "nobody answered there: is the server running, on this port?"
    }


def test_work_done_twice_is_a_mistake(gateway: Gateway) -> None:
    careful = Careful(gateway)
    count = [0]

    def handler(request: Request) -> int:
        status = careful(request)
        count[0] += status == 204
        return status

    report = conformance(handler, gateway=gateway, effects=lambda: count[0])
    (check,) = report.wrong
    assert check.name == "duplicate"
    assert "did its work once more" in check.got
    with pytest.raises(AssertionError, match="WRONG duplicate"):
        report.assert_passed()


def test_own_event_and_url_are_told(gateway: Gateway) -> None:
    seen: list[Request] = []

    def handler(request: Request) -> int:
        seen.append(request)
        return 200

    conformance(
        handler,
        gateway=gateway,
        url="https://merchant.example/pay/hook",
        event_type="PAYSCORE.USER_PAID",
        resource={"out_order_no": "N1"},
    )
    envelope = opened(gateway, seen[0])
    assert envelope["event_type"] == "PAYSCORE.USER_PAID"
    assert envelope["plain"] == {"out_order_no": "N1"}
    assert {request.url for request in seen} == {"https://merchant.example/pay/hook"}
    ids = [json.loads(request.body)["id"] for request in seen]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 6
