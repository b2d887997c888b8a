"""When platform certificates are asked for: stepped by hand where threads race."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from key_material import wechat_key

from wechatpay_chain import ConnectError, Fetch, KeyRing, Request
from wechatpay_chain._flow import Flow, Wait
from wechatpay_chain._secret import Secret
from wechatpay_chain.crypto import WeChatKey
from wechatpay_chain.middleware.certificates import Certificates
from wechatpay_chain.middleware.single_flight import SingleFlight

NOW = 1717225200.0
SERIAL = "7132" * 10
UNKNOWN = "0A1B" * 10
REQUEST = Request("POST", "http://localhost/v3/x", base_url="http://localhost")


def certificate() -> WeChatKey:
    since = datetime.fromtimestamp(NOW, timezone.utc) - timedelta(days=1)
    until = since + timedelta(days=1825)
    return WeChatKey(SERIAL, wechat_key().public_key(), since, until)


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing(clock=lambda: NOW)


@pytest.fixture
def certificates(ring: KeyRing) -> Certificates:
    return Certificates(
        mchid="1900000109",
        keys=ring,
        apiv3_key=Secret(b"0" * 32),
        clock=lambda: NOW,
        timer=lambda: 0.0,
    )


def ends(flow: Flow[Any], value: Any = None) -> Any:
    with pytest.raises(StopIteration) as done:
        flow.send(value)
    return done.value.value


def raced(
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: Callable[[], object],
) -> None:
    """Let *meanwhile* happen between the look of a caller and its leading."""
    join = SingleFlight.join

    def late(self: Any, work: Any, patience: Any) -> Any:
        meanwhile()
        return join(self, work, patience)

    monkeypatch.setattr(SingleFlight, "join", late)


def test_who_leads_looks_again_whether_it_was_done(
    certificates: Certificates, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    raced(certificates, monkeypatch, lambda: ring.update(certificate()))
    assert ends(certificates.first(REQUEST, 0.0)) is REQUEST


def test_the_download_is_signed_but_neither_verified_nor_repeated(
    certificates: Certificates,
) -> None:
    command = next(certificates.first(REQUEST, 0.0))
    assert isinstance(command, Fetch)
    assert command.without == {"verify", "retry"}
    assert command.request.method == "GET"
    assert command.request.url == "http://localhost/v3/certificates"


def test_a_download_beside_a_call_is_repeated_for_nobody_else_would(
    certificates: Certificates, ring: KeyRing
) -> None:
    ring.update(certificate())
    command = next(certificates.refresh(REQUEST, UNKNOWN, 0.0))
    assert isinstance(command, Fetch)
    assert command.without == {"verify"}


def test_an_unknown_serial_waits_for_a_download_that_is_under_way(
    certificates: Certificates, ring: KeyRing
) -> None:
    ring.update(certificate())
    first = certificates.refresh(REQUEST, UNKNOWN, 0.0)
    second = certificates.refresh(REQUEST, UNKNOWN, 0.0)
    assert isinstance(next(first), Fetch)
    assert isinstance(next(second), Wait)
    first.close()  # cancelled, which counts for nothing
    assert isinstance(next(second), Fetch)


def aged(certificates: Certificates, ring: KeyRing) -> None:
    """Let the set be older than twelve hours."""
    ring.update(certificate())
    certificates._loaded = NOW - 12 * 3600 - 1
    assert certificates.old


def test_a_renewal_that_failed_meanwhile_is_not_tried_at_once(
    certificates: Certificates, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged(certificates, ring)
    others = iter([certificates.renew(REQUEST, 0.0)])

    def fails() -> None:
        for other in others:
            assert isinstance(next(other), Fetch)
            with pytest.raises(StopIteration):
                other.throw(ConnectError("refused"))

    raced(certificates, monkeypatch, fails)
    assert ends(certificates.renew(REQUEST, 0.0)) is None
    assert not certificates.old


def test_a_renewal_that_was_cancelled_counts_for_nothing(
    certificates: Certificates, ring: KeyRing
) -> None:
    aged(certificates, ring)
    flow = certificates.renew(REQUEST, 0.0)
    assert isinstance(next(flow), Fetch)
    assert not certificates.old
    flow.close()
    assert certificates.old


def test_no_renewal_without_time_left(
    certificates: Certificates, ring: KeyRing
) -> None:
    aged(certificates, ring)
    ends(certificates.renew(REQUEST.replace(deadline=5.0), -5.0))
    assert certificates.old


def test_a_serial_at_hand_asks_nothing(
    certificates: Certificates, ring: KeyRing
) -> None:
    ring.update(certificate())
    ends(certificates.refresh(REQUEST, SERIAL, 0.0))


def test_keys_that_were_given_are_never_old(
    certificates: Certificates, ring: KeyRing
) -> None:
    ring.update(certificate())
    assert not certificates.missing
    assert not certificates.old
