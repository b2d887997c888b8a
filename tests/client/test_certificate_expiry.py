"""Certificates retire: an expired one verifies nothing and encrypts nothing."""

from __future__ import annotations

from typing import Any

import pytest
from certificate_gateway import OLD_EXPIRES

from wechatpay_chain import ConfigurationError, UnknownSerial


@pytest.fixture
def client(downloading) -> Any:
    return downloading()


@pytest.fixture(autouse=True)
def _shortly_before_the_end(server) -> None:
    server.now = float(OLD_EXPIRES - 10)


def test_an_expired_one_leaves_the_ring_at_the_next_refresh(
    call, server, client, gateway
) -> None:
    gateway.lists("old", "new")
    call(client.v3.x.get)
    assert set(client.keys) == {server.old_serial, server.new_serial}
    server.now += 12 * 3600 + 1
    call(client.v3.x.get)
    assert gateway.downloads == 2
    assert list(client.keys) == [server.new_serial]


def test_an_answer_signed_by_an_expired_one_is_refused(
    call, server, client, gateway
) -> None:
    gateway.lists("old", "new")
    server.signs_with = server.old_serial
    call(client.v3.x.get)
    server.now += 10
    with pytest.raises(UnknownSerial, match="has expired"):
        call(client.v3.x.get)


def test_when_all_have_expired_the_next_call_downloads_before_it_is_sent(
    call, server, client, gateway
) -> None:
    gateway.lists("old")
    server.signs_with = server.old_serial
    call(client.v3.x.get)
    server.now += 10
    gateway.lists("new")
    server.signs_with = server.new_serial
    assert call(client.v3.y.get).serial == server.new_serial
    assert [request.path for request in server.requests[-2:]] == [
        "/v3/certificates",
        "/v3/y",
    ]


def test_a_list_of_expired_ones_is_no_set(call, server, client, gateway) -> None:
    server.now += 10
    gateway.lists("old")
    for downloads in (1, 2):
        with pytest.raises(ConfigurationError, match="has expired: check the clock"):
            call(client.v3.x.get)
        assert gateway.downloads == downloads
    assert list(client.keys) == []


def test_an_expired_one_is_not_encrypted_with(call, server, client, gateway) -> None:
    gateway.lists("old")
    server.signs_with = server.old_serial
    call(client.v3.x.get)
    assert client.keys.preferred.serial == server.old_serial
    server.now += 10
    assert client.keys.preferred is None


def test_a_list_signed_by_an_expired_one_at_hand_is_proven_by_its_cipher(
    call, server, client, gateway
) -> None:
    gateway.lists("old", "new")
    call(client.v3.x.get)
    server.now += 12 * 3600 + 1
    good = server.signed(gateway.listed, serial=server.old_serial)
    gateway.listed = lambda request: good
    call(client.v3.x.get)
    assert list(client.keys) == [server.new_serial]
