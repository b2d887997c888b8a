"""Both kinds of WeChat keys at once, while a merchant moves from one to the other."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import UnknownSerial
from wechatpay_chain.stores import MemoryStore


@pytest.fixture
def client(server, downloading) -> Any:
    """A client that holds the public key, and may download certificates."""
    return downloading(
        certs={server.public_key_id: server.keys["platform_public_key_pem"]},
        certificate_store=MemoryStore(),
    )


def test_nothing_is_downloaded_before_a_certificate_is_met(
    call, server, client, gateway
) -> None:
    server.signs_with = server.public_key_id
    for _ in range(2):
        assert call(client.v3.x.get).serial == server.public_key_id
        server.now += 12 * 3600 + 1
    assert gateway.downloads == 0


def test_a_certificate_is_downloaded_when_it_is_met(
    call, server, client, gateway
) -> None:
    assert call(client.v3.x.get).serial == server.new_serial
    assert gateway.downloads == 1
    assert list(client.keys) == [server.public_key_id, server.new_serial]
    for serial in (server.public_key_id, server.new_serial):
        server.signs_with = serial
        assert call(client.v3.x.get).serial == serial
    assert gateway.downloads == 1


def test_requests_ask_for_the_public_key_all_the_while(
    call, server, client, gateway
) -> None:
    call(client.v3.x.get)
    call(client.v3.x.get)
    assert {r.headers["Wechatpay-Serial"] for r in server.requests} == {
        server.public_key_id
    }
    assert client.keys.preferred.serial == server.public_key_id


def test_the_certificates_are_renewed_and_the_public_key_stays(
    call, server, client, gateway
) -> None:
    call(client.v3.x.get)
    server.now += 12 * 3600 + 1
    gateway.lists("old")
    call(client.v3.x.get)
    assert list(client.keys) == [server.public_key_id, server.old_serial]


def test_the_end_of_the_certificates_is_asked_about_once(
    call, server, client, gateway, caplog
) -> None:
    call(client.v3.x.get)
    gateway.listed = lambda request: server.plain(404, {"code": "RESOURCE_NOT_EXISTS"})
    server.signs_with = server.public_key_id
    for _ in range(4):
        server.now += 12 * 3600 + 1
        assert call(client.v3.x.get).verified
    server.signs_with = server.old_serial
    with pytest.raises(UnknownSerial):
        call(client.v3.x.get)
    assert gateway.downloads == 2
    assert caplog.text.count("refresh failed") == 1


def test_another_public_key_is_not_downloaded(call, server, client, gateway) -> None:
    server.will(server.signed({}, headers={"Wechatpay-Serial": "PUB_KEY_ID_9"}))
    with pytest.raises(UnknownSerial):
        call(client.v3.x.get)
    assert gateway.downloads == 0


def test_without_a_store_keys_at_hand_are_all_there_is(
    call, server, downloading, gateway
) -> None:
    client = downloading(
        certs={server.public_key_id: server.keys["platform_public_key_pem"]}
    )
    with pytest.raises(UnknownSerial):
        call(client.v3.x.get)
    assert gateway.downloads == 0


def test_certificates_at_hand_are_renewed_with_a_store(
    call, server, downloading, gateway
) -> None:
    client = downloading(
        certs={server.old_serial: server.keys["platform_cert_old_pem"]},
        certificate_store=MemoryStore(),
    )
    server.signs_with = server.old_serial
    assert call(client.v3.x.get).verified
    assert gateway.downloads == 0
    server.signs_with = server.new_serial
    assert call(client.v3.x.get).verified
    assert gateway.downloads == 1
    assert list(client.keys) == [server.new_serial]


@pytest.mark.parametrize("changed", ["apiv3_key", "base_url", "clock", "mchid"])
def test_a_derived_client_keeps_the_public_key_and_downloads_anew(
    call, server, client, gateway, changed: str
) -> None:
    call(client.v3.x.get)
    values = {
        "apiv3_key": server.keys["apiv3_key"],
        "base_url": "https://example.test",
        "clock": lambda: server.now,
        "mchid": server.keys["mchid"],
    }
    derived = client.with_options(**{changed: values[changed]})
    assert list(derived.keys) == [server.public_key_id]
    assert list(client.keys) == [server.public_key_id, server.new_serial]
    assert call(derived.v3.x.get).serial == server.new_serial


def test_a_store_given_later_makes_a_client_download(
    call, server, make, gateway
) -> None:
    client = make(apiv3_key=server.keys["apiv3_key"], retry=1)
    with pytest.raises(UnknownSerial):
        call(client.v3.x.get)
    derived = client.with_options(certificate_store=MemoryStore())
    assert call(derived.v3.x.get).serial == server.new_serial
    assert gateway.downloads == 1
