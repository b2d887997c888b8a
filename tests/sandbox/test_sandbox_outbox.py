"""Notifications: sealed, signed, repeated on the documented schedule, recorded."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from sandbox.receivers import EVENT, URL, Careful, opened, trigger

from wechatpay_chain import ReadTimeout, Request, Response, crypto
from wechatpay_chain.sandbox import Gateway, ReplyLost

#: Protocol section 9, written out: minutes and seconds after the attempt before.
PAUSES = [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600]
PAUSES += [10800, 10800, 10800, 21600, 21600]


class Handler:
    """Keeps what it gets, and answers what it is told."""

    def __init__(self, gateway: Gateway, answer: Any = 200) -> None:
        self.gateway = gateway
        self.answer = answer
        self.requests: list[Request] = []
        self.times: list[float] = []

    def __call__(self, request: Request) -> Any:
        self.requests.append(request)
        self.times.append(self.gateway.clock())
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def handler(gateway: Gateway) -> Handler:
    handler = Handler(gateway)
    gateway.deliver_to(handler)
    return handler


def only(gateway: Gateway) -> Any:
    (notice,) = gateway.outbox
    return notice


# Sealing and signing.


@pytest.mark.parametrize("mode", ["public_key", "certificate", "migrating"])
def test_notification_opens_with_cryptography_alone(mode: str) -> None:
    gateway = Gateway(seed=1, mode=mode)
    handler = Handler(gateway)
    gateway.deliver_to(handler)
    trigger(gateway)
    (request,) = handler.requests
    envelope = opened(gateway, request)
    assert envelope["plain"] == {"echo_message": "你好"}
    assert envelope["event_type"] == EVENT
    assert envelope["resource_type"] == "encrypt-resource"
    assert envelope["create_time"] == "2024-06-01T15:00:00+08:00"
    assert envelope["resource"]["original_type"] == "security"
    assert len(envelope["resource"]["nonce"]) == 12
    assert len(envelope["id"]) <= 36
    assert request.method == "POST"
    assert request.url == URL
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Request-ID"]


def test_each_byte_of_the_body_is_signed(gateway: Gateway, handler: Handler) -> None:
    trigger(gateway)
    (request,) = handler.requests
    spaced = json.dumps(json.loads(request.body), ensure_ascii=False).encode()
    with pytest.raises(InvalidSignature):
        opened(gateway, request.replace(body=spaced))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("public_key", "public_key_id"), ("certificate", "certificate_serial")],
)
def test_mode_chooses_the_key_of_notifications(mode: str, expected: str) -> None:
    gateway = Gateway(seed=1, mode=mode)
    gateway.deliver_to(lambda request: 200)
    trigger(gateway)
    (attempt,) = only(gateway).attempts
    assert attempt.serial == getattr(gateway, expected)


@pytest.mark.parametrize(
    ("ratio", "least", "most"), [(0, 0, 0), (0.5, 8, 32), (1, 40, 40)]
)
def test_ratio_of_a_migration_moves_notifications_to_the_public_key(
    ratio: float, least: int, most: int
) -> None:
    gateway = Gateway(seed=1, mode="migrating")
    gateway.deliver_to(lambda request: 200)
    gateway.courier.sealer.public_key_ratio = ratio
    for _ in range(40):
        trigger(gateway)
    serials = [notice.attempts[0].serial for notice in gateway.outbox]
    assert least <= serials.count(gateway.public_key_id) <= most
    assert set(serials) <= {gateway.public_key_id, gateway.certificate_serial}


# The schedule.


def test_fifteen_retries_come_at_their_documented_offsets(
    gateway: Gateway, handler: Handler
) -> None:
    handler.answer = 500
    trigger(gateway)
    gateway.advance(days=3)
    began = handler.times[0]
    assert began == 1717225200
    pauses = [after - before for before, after in zip(handler.times, handler.times[1:])]
    assert pauses == PAUSES
    assert handler.times[-1] - began == 24 * 3600 + 4 * 60
    assert str(only(gateway).status) == "failed"
    assert gateway.clock() == began + 3 * 86400


def test_each_attempt_is_signed_anew_at_its_own_time(
    gateway: Gateway, handler: Handler
) -> None:
    handler.answer = 500
    trigger(gateway)
    gateway.advance(hours=1)
    envelopes = [opened(gateway, request) for request in handler.requests]
    assert len({envelope["id"] for envelope in envelopes}) == 1
    stamps = [int(one.headers["Wechatpay-Timestamp"]) for one in handler.requests]
    assert stamps == handler.times
    for name in ("Wechatpay-Nonce", "Wechatpay-Signature"):
        assert len({one.headers[name] for one in handler.requests}) == len(envelopes)
    assert len({one["resource"]["nonce"] for one in envelopes}) == len(envelopes)


def test_success_ends_the_retries(gateway: Gateway, handler: Handler) -> None:
    handler.answer = 503
    trigger(gateway)
    assert [one.event_type for one in gateway.outbox.pending] == [EVENT]
    assert gateway.outbox.delivered(EVENT).never()
    gateway.advance(seconds=14)
    assert len(handler.requests) == 1
    handler.answer = 204
    gateway.advance(seconds=1)
    gateway.advance(days=2)
    assert len(handler.requests) == 2
    assert gateway.outbox.delivered(EVENT).once()
    assert not gateway.outbox.pending


@pytest.mark.parametrize(
    "event_type", ["PAYSCORE.USER_SIGN_PLAN", "PAYSCORE.USER_CANCEL_SIGN_PLAN"]
)
def test_sign_plan_events_come_eleven_times_a_minute_apart(
    gateway: Gateway, handler: Handler, event_type: str
) -> None:
    handler.answer = 500
    with gateway.lock:
        gateway.outbox.post(
            event_type,
            {},
            mchid=gateway.mchid,
            url=URL,
            original_type="payscore",
            summary="签约",
        )
    gateway.advance(days=1)
    began = handler.times[0]
    assert [at - began for at in handler.times] == [60 * n for n in range(11)]


def test_notifications_of_an_hour_come_in_order_of_time(
    gateway: Gateway, handler: Handler
) -> None:
    handler.answer = 500
    trigger(gateway, message="first")
    gateway.advance(seconds=10)
    trigger(gateway, message="second")
    gateway.advance(seconds=30)
    told = [opened(gateway, one)["plain"]["echo_message"] for one in handler.requests]
    assert told == ["first", "second", "first", "second", "first", "second"]
    assert [at - 1717225200 for at in handler.times] == [0, 10, 15, 25, 30, 40]


def test_drain_lets_time_pass_until_nothing_is_pending(
    gateway: Gateway, handler: Handler
) -> None:
    handler.answer = 500
    trigger(gateway)
    assert gateway.outbox.drain() == 15
    assert gateway.clock() == 1717225200 + 24 * 3600 + 4 * 60
    assert gateway.outbox.drain() == 0


# What is told of an attempt.

HINTS = [
    (500, "answered 500", "its own log"),
    (403, "answered 403", "CSRF"),
    (404, "answered 404", "no handler there"),
    (
        Response(302, {"Location": "/login?next=notify"}),
        "redirected to /login?next=notify",
        "login",
    ),
    (TimeoutError(), "timed out", "do the work afterwards"),
    (ReadTimeout(), "timed out", "do the work afterwards"),
    (ZeroDivisionError("secret"), "it raised ZeroDivisionError", "its own log"),
    ("OK", "it returned str, no Response, status or None", "its own log"),
]


@pytest.mark.parametrize(("answer", "verdict", "hint"), HINTS)
def test_failure_has_its_verdict_and_hint(
    gateway: Gateway, handler: Handler, answer: Any, verdict: str, hint: str
) -> None:
    handler.answer = answer
    trigger(gateway)
    notice = only(gateway)
    (attempt,) = notice.attempts
    assert (attempt.good, attempt.verdict) == (False, verdict)
    assert hint in attempt.hint
    assert notice.hint == attempt.hint
    assert "secret" not in repr(attempt)
    assert gateway.outbox.pending


@pytest.mark.parametrize(("seconds", "good"), [(5, True), (6, False)])
def test_handler_has_five_seconds_of_the_gateways_clock(
    gateway: Gateway, seconds: int, good: bool
) -> None:
    def slow(request: Request) -> int:
        gateway.advance(seconds=seconds)
        return 200

    gateway.deliver_to(slow)
    trigger(gateway)
    (attempt,) = only(gateway).attempts
    assert (attempt.good, attempt.seconds) == (good, seconds)
    assert ("answer, and do the work afterwards" in attempt.hint) is not good


@pytest.mark.parametrize("answer", [None, 200, 201, 204, 299, Response(200, {}, b"ok")])
def test_any_2xx_is_success(gateway: Gateway, handler: Handler, answer: Any) -> None:
    handler.answer = answer
    trigger(gateway)
    assert gateway.outbox.delivered(EVENT).once()
    assert only(gateway).hint == ""


def test_first_bytes_of_the_answer_are_kept(gateway: Gateway, handler: Handler) -> None:
    handler.answer = Response(400, {}, '{"code":"FAIL","message":"验签失败"}'.encode())
    trigger(gateway)
    (attempt,) = only(gateway).attempts
    assert json.loads(attempt.body) == {"code": "FAIL", "message": "验签失败"}
    handler.answer = Response(500, {}, b"x" * 100_000)
    gateway.advance(seconds=15)
    assert len(only(gateway).attempts[-1].body) == 256


# Wrong signatures on purpose.


def test_handler_that_does_not_verify_gets_its_hint(gateway: Gateway) -> None:
    gateway.deliver_to(lambda request: 200, verify=True)
    trigger(gateway)
    trigger(gateway)
    first, second = gateway.outbox
    assert [attempt.kind for attempt in first.attempts] == ["try", "check"]
    assert first.attempts[-1].verdict == "accepted a wrong signature"
    assert "verify every notification" in first.hint
    assert [attempt.kind for attempt in second.attempts] == ["try"]


def test_handler_that_verifies_gets_no_hint(gateway: Gateway) -> None:
    careful = Careful(gateway)
    gateway.deliver_to(careful, verify=True)
    trigger(gateway)
    notice = only(gateway)
    assert [attempt.good for attempt in notice.attempts] == [True, True]
    assert notice.hint == ""
    assert str(notice.status) == "delivered"
    assert len(careful.done) == 1


def test_probe_is_no_base64_and_to_be_refused(gateway: Gateway) -> None:
    handler = Handler(gateway)
    gateway.deliver_to(handler)
    trigger(gateway)
    attempt = gateway.outbox.probe()
    signature = handler.requests[-1].headers["Wechatpay-Signature"]
    assert signature.startswith("WECHATPAY/SIGNTEST/")
    assert len(signature) % 4
    assert (attempt.good, attempt.kind) == (False, "probe")
    gateway.deliver_to(Careful(gateway))
    assert gateway.outbox.probe(only(gateway)).good


def test_probe_needs_something_to_probe_with(gateway: Gateway) -> None:
    with pytest.raises(LookupError, match="no notification yet"):
        gateway.outbox.probe()


def test_resend_sends_once_more_under_the_same_id(
    gateway: Gateway, handler: Handler
) -> None:
    trigger(gateway)
    attempt = gateway.outbox.resend(only(gateway).id)
    assert (attempt.kind, attempt.good) == ("resend", True)
    first, second = (opened(gateway, one)["id"] for one in handler.requests)
    assert first == second
    with pytest.raises(KeyError, match="no notification 'x'"):
        gateway.outbox.resend("x")


def test_resend_that_arrives_ends_the_retries(
    gateway: Gateway, handler: Handler
) -> None:
    handler.answer = 500
    trigger(gateway)
    handler.answer = 200
    gateway.outbox.resend(only(gateway))
    handler.answer = 500
    gateway.advance(days=2)
    assert gateway.outbox.delivered(EVENT).once()
    assert len(handler.requests) == 2


# What goes with it.


def test_handler_may_call_the_gateway_while_it_is_notified(gateway: Gateway) -> None:
    told: list[str] = []

    def handler(request: Request) -> None:
        plain = opened(gateway, request)["plain"]["echo_message"]
        told.append(plain)
        if plain == "first":
            trigger(gateway, message="second")
            told.append("called")

    gateway.deliver_to(handler)
    trigger(gateway, message="first")
    assert told == ["first", "called", "second"]
    assert len(gateway.outbox.delivered()) == 2


def test_confirming_an_order_tells_the_merchant(
    gateway: Gateway, handler: Handler
) -> None:
    order = gateway.given.order(notify_url=URL)
    gateway.user.confirm(order)
    (request,) = handler.requests
    plain = opened(gateway, request)["plain"]
    assert (plain["out_order_no"], plain["state"]) == (order, "DOING")
    assert gateway.outbox.delivered("PAYSCORE.USER_CONFIRM").once()
    assert gateway.outbox.delivered("PAYSCORE.*").once()
    assert gateway.outbox.delivered("REFUND.*").never()


def test_nothing_is_sent_beyond_this_machine(gateway: Gateway) -> None:
    trigger(gateway, url="https://api.mch.weixin.qq.com/notify")
    notice = only(gateway)
    (attempt,) = notice.attempts
    assert attempt.verdict == "not sent: not loopback"
    assert "gateway.deliver_to" in attempt.hint
    assert str(notice.status) == "not sent"
    gateway.advance(days=2)
    assert len(notice.attempts) == 1
    assert not gateway.outbox.pending


def test_echo_tells_the_encrypted_message_too(
    gateway: Gateway, handler: Handler
) -> None:
    key = gateway.credentials["certs"][gateway.public_key_id]
    secret = crypto.encrypt_oaep("秘密", key)
    gateway.client().v3.security.echo.post(
        {"echo_message": "hi", "encrypted_echo_message": secret, "notify_url": URL},
        headers={"Wechatpay-Serial": gateway.public_key_id},
    )
    plain = opened(gateway, handler.requests[0])["plain"]
    own = gateway.credentials["private_key"]
    assert crypto.decrypt_oaep(plain["encrypt_echo_message"], own) == "秘密"


def test_same_seed_sends_the_same_notification() -> None:
    bodies: list[bytes] = []
    for _ in range(2):
        gateway = Gateway(seed=3)
        handler = Handler(gateway)
        gateway.deliver_to(handler)
        trigger(gateway)
        bodies.append(handler.requests[0].body)
    assert bodies[0] == bodies[1]


def test_records_show_no_key_and_no_plaintext(
    gateway: Gateway, handler: Handler
) -> None:
    trigger(gateway, message="private")
    notice = only(gateway)
    shown = " ".join(
        map(repr, [notice, *notice.attempts, gateway.outbox, gateway.courier])
    )
    shown += repr(gateway.outbox.posted()) + repr(gateway.courier.sealer)
    assert "private" not in shown
    assert gateway.credentials["apiv3_key"] not in shown


def test_create_time_stays_that_of_the_event(
    gateway: Gateway, handler: Handler
) -> None:
    handler.answer = 500
    trigger(gateway)
    gateway.advance(hours=2)
    times = {json.loads(one.body)["create_time"] for one in handler.requests}
    assert {datetime.fromisoformat(one).timestamp() for one in times} == {1717225200}


def test_snapshot_brings_the_outbox_back(gateway: Gateway, handler: Handler) -> None:
    handler.answer = 500
    trigger(gateway)
    before = gateway.snapshot()
    gateway.advance(days=2)
    gateway.restore(before)
    (notice,) = gateway.outbox.pending
    assert len(notice.attempts) == 1
    handler.answer = 200
    gateway.advance(seconds=15)
    assert gateway.outbox.delivered(EVENT).once()


def test_attempt_is_noted_on_the_notification_it_was_made_for(
    gateway: Gateway,
) -> None:
    sent: list[str] = []

    def handler(request: Request) -> int:
        sent.append(json.loads(request.body)["id"])
        if len(sent) > 1:
            return 200
        gateway.reset()
        trigger(gateway)  # of the same number as that which is on its way
        return 500

    gateway.deliver_to(handler)
    trigger(gateway)
    gateway.advance(hours=1)
    assert sent[0] == sent[1] == only(gateway).id
    assert [one.status for one in only(gateway).attempts] == [200]
    assert len(sent) == 2


def test_snapshot_holds_the_attempt_that_is_on_its_way(gateway: Gateway) -> None:
    taken: list[Any] = []

    def handler(request: Request) -> int:
        taken.append(gateway.snapshot())
        return 200

    gateway.deliver_to(handler)
    trigger(gateway)
    gateway.restore(taken[0])
    assert len(taken) == 2
    assert only(gateway).status == "delivered"
    assert len(only(gateway).attempts) == 1


def test_state_file_keeps_what_is_pending_and_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with Gateway(seed=1, state=path) as before:
        before.faults.add(on="payscore.cancel", fault=ReplyLost(after_commit=False))
        before.deliver_to(lambda request: 500)
        trigger(before)
    with Gateway(state=path) as after:
        handler = Handler(after)
        after.deliver_to(handler)
        (notice,) = after.outbox.pending
        assert [attempt.verdict for attempt in notice.attempts] == ["answered 500"]
        after.advance(seconds=15)
        assert opened(after, handler.requests[0])["id"] == notice.id
        assert after.outbox.delivered(EVENT).once()
        (rule,) = after.faults.unused
        assert rule.fault == ReplyLost(after_commit=False)
