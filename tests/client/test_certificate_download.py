"""Platform certificates: downloaded on first use, refreshed, kept on failure."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wechatpay_chain import (
    APIError,
    ConfigurationError,
    InvalidSignature,
    MissingHeaders,
    ReadTimeout,
    Request,
    UnknownSerial,
    WeChatPay,
    send,
)

LIST = "https://api.mch.weixin.qq.com/v3/certificates"


def entry(server: Any, name: str, *, key: str | None = None, pem: str = "") -> Any:
    pem = pem or server.keys[f"platform_cert_{name}_pem"]
    cipher = AESGCM((key or server.keys["apiv3_key"]).encode())
    sealed = cipher.encrypt(b"61f9c719728a", pem.encode(), b"certificate")
    return {
        "serial_no": server.keys.get(f"platform_cert_{name}_serial_no", "00"),
        "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": "61f9c719728a",
            "associated_data": "certificate",
            "ciphertext": b64encode(sealed).decode(),
        },
    }


class Gateway:
    """Serves ``/v3/certificates`` beside the other answers of the server."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.listed: Any = {"data": [entry(server, "new")]}
        self.downloads = 0
        server.signs_with = server.new_serial

    def __call__(self, request: Request) -> Any:
        if not request.url.startswith(LIST):
            return self.server.signed({"path": request.path})
        self.downloads += 1
        if callable(self.listed):
            return self.listed(request)
        return self.server.signed(self.listed)


@pytest.fixture
def gateway(server) -> Gateway:
    gateway = Gateway(server)
    server.otherwise = gateway
    return gateway


@pytest.fixture
def client(server, make) -> WeChatPay:
    return make(certs=None, apiv3_key=server.keys["apiv3_key"], retry=1)


def test_the_first_call_downloads_and_later_ones_do_not(
    call, server, client, gateway
) -> None:
    assert list(client.keys) == []
    reply = call(client.v3.x.get)
    assert reply.verified
    assert reply.serial == server.new_serial
    call(client.v3.y.post, {"a": 1})
    assert [request.target for request in server.requests] == [
        "/v3/certificates",
        "/v3/x",
        "/v3/y",
    ]
    assert list(client.keys) == [server.new_serial]


def test_the_download_is_signed_and_nothing_of_the_call_goes_with_it(
    call, server, client, gateway
) -> None:
    call(
        client.v3.x.post,
        {"a": 1},
        params={"b": 2},
        headers={"X-Own": "1", "Wechatpay-Serial": "X"},
    )
    download = server.requests[0]
    assert download.method == "GET"
    assert download.url == LIST
    assert download.body == b""
    assert "X-Own" not in download.headers
    assert "Wechatpay-Serial" not in download.headers
    assert download.headers["Accept"] == "application/json"


def test_the_documented_list_opens(call, server, client, vectors) -> None:
    case = vectors["certificates"]
    server.will(
        server.plain(200, content=case["body"].encode(), **case["headers"]),
        server.signed({}, serial=server.old_serial),
        server.signed({}, serial=server.new_serial),
    )
    assert call(client.v3.x.get).serial == server.old_serial
    assert call(client.v3.x.get).serial == server.new_serial
    assert set(client.keys) == set(case["expected"])


def test_the_list_is_verified_with_what_it_delivers(
    call, server, client, gateway
) -> None:
    gateway.listed = lambda request: server.signed(
        {"data": [entry(server, "new")]}, covers=b"other"
    )
    with pytest.raises(InvalidSignature, match="did not sign it") as caught:
        call(client.v3.x.post, {})
    assert caught.value.outcome == "not_sent"
    assert list(client.keys) == []
    assert gateway.downloads == len(server.requests) == 1


def test_a_list_signed_by_a_key_that_is_not_in_it_is_proven_by_its_cipher(
    call, server, client, gateway
) -> None:
    gateway.listed = lambda request: server.signed(
        {"data": [entry(server, "new")]}, serial=server.old_serial
    )
    assert call(client.v3.x.get).verified


def test_a_serial_in_the_list_needs_its_other_headers(
    call, server, client, gateway
) -> None:
    gateway.listed = lambda request: server.signed(
        {"data": [entry(server, "new")]}, headers={"Wechatpay-Nonce": None}
    )
    with pytest.raises(MissingHeaders) as caught:
        call(client.v3.x.post, {})
    assert caught.value.outcome == "not_sent"


class TestRefresh:
    def test_an_unknown_serial_brings_the_new_set(
        self, call, server, client, gateway
    ) -> None:
        gateway.listed = {"data": [entry(server, "old")]}
        server.signs_with = server.old_serial
        call(client.v3.x.get)
        server.now += 61
        gateway.listed = {"data": [entry(server, "old"), entry(server, "new")]}
        server.signs_with = server.new_serial
        assert call(client.v3.x.get).serial == server.new_serial
        assert gateway.downloads == 2
        assert set(client.keys) == {server.old_serial, server.new_serial}

    def test_at_most_once_a_minute(self, call, server, client, gateway) -> None:
        call(client.v3.x.get)
        server.signs_with = server.old_serial  # which the list does not hold
        for seconds, downloads in [(0, 1), (59, 1), (1, 2), (30, 2), (30, 3)]:
            server.now += seconds
            with pytest.raises(UnknownSerial):
                call(client.v3.x.get)
            assert gateway.downloads == downloads

    @pytest.mark.parametrize("serial", ["PUB_KEY_ID_9", "forged", "..", "12 34"])
    def test_not_for_what_cannot_be_a_certificate(
        self, call, server, client, gateway, serial: str
    ) -> None:
        call(client.v3.x.get)
        server.now += 61
        server.will(server.signed({}, headers={"Wechatpay-Serial": serial}))
        with pytest.raises(UnknownSerial):
            call(client.v3.x.get)
        assert gateway.downloads == 1

    def test_an_old_set_is_renewed_before_the_call(
        self, call, server, client, gateway
    ) -> None:
        call(client.v3.x.get)
        server.now += 12 * 3600
        call(client.v3.x.get)
        assert gateway.downloads == 1
        server.now += 1
        gateway.listed = {"data": [entry(server, "new"), entry(server, "old")]}
        call(client.v3.x.get)
        assert gateway.downloads == 2
        assert server.requests[-2].url == LIST
        assert set(client.keys) == {server.old_serial, server.new_serial}

    @pytest.mark.parametrize(
        "failure",
        [
            {"data": []},
            {},
            [],
            {"data": [{}]},
            ReadTimeout("late"),
            "busy",
            "forged",
            "empty",
        ],
    )
    def test_that_fails_keeps_the_old_set(
        self, call, server, client, gateway, caplog, failure: Any
    ) -> None:
        call(client.v3.x.get)
        server.now += 12 * 3600 + 1
        answers = {
            "busy": lambda: server.plain(503, {"code": "SYSTEM_ERROR"}),
            "forged": lambda: server.signed(gateway.good, covers=b"other"),
            "empty": lambda: server.signed(),
        }
        gateway.good = gateway.listed

        def fails(request: Request) -> Any:
            if isinstance(failure, Exception):
                raise failure
            made = answers.get(failure) if isinstance(failure, str) else None
            return made() if made else server.signed(failure)

        gateway.listed = fails
        with caplog.at_level(logging.WARNING, "wechatpay_chain"):
            assert call(client.v3.x.get).verified
        assert "refresh failed, old set kept" in caplog.text
        assert list(client.keys) == [server.new_serial]
        call(client.v3.x.get)
        assert gateway.downloads == 2  # not again within the minute

    def test_a_renewal_signed_by_a_key_at_hand_is_verified_with_it(
        self, call, server, client, gateway
    ) -> None:
        call(client.v3.x.get)
        server.now += 12 * 3600 + 1
        gateway.listed = lambda request: server.signed(
            {"data": [entry(server, "old")]}, covers=b"other"
        )
        call(client.v3.x.get)
        assert list(client.keys) == [server.new_serial]


class TestWhatIsWrong:
    def refused(self, call: Any, client: WeChatPay, server: Any) -> str:
        with pytest.raises(ConfigurationError) as caught:
            call(client.v3.pay.x.post, {"a": 1})
        assert caught.value.outcome == "not_sent"
        assert [request.url for request in server.requests] == [LIST]
        return str(caught.value)

    def test_a_merchant_with_a_public_key_only(
        self, call, server, client, gateway
    ) -> None:
        gateway.listed = lambda request: server.plain(
            404, {"code": "RESOURCE_NOT_EXISTS", "message": "无可用的平台证书"}
        )
        message = self.refused(call, client, server)
        assert "only a WeChat Pay public key" in message
        assert "certs={'PUB_KEY_ID_...'" in message

    def test_an_empty_list(self, call, server, client, gateway) -> None:
        gateway.listed = {"data": []}
        assert "lists no certificate" in self.refused(call, client, server)

    @pytest.mark.parametrize("listed", [{}, [], "text", {"data": {}}, None])
    def test_no_list(self, call, server, client, gateway, listed: Any) -> None:
        gateway.listed = lambda request: server.signed(listed)
        assert "without a list 'data'" in self.refused(call, client, server)

    @pytest.mark.parametrize("bad", [{}, None, "x", {"encrypt_certificate": {}}])
    def test_an_entry_without_certificate(
        self, call, server, client, gateway, bad: Any
    ) -> None:
        gateway.listed = {"data": [bad]}
        assert "without encrypt_certificate" in self.refused(call, client, server)

    def test_another_apiv3_key(self, call, server, client, gateway) -> None:
        gateway.listed = {"data": [entry(server, "new", key="0" * 32)]}
        message = self.refused(call, client, server)
        assert "do not open with apiv3_key" in message
        assert server.keys["apiv3_key"] not in message

    @pytest.mark.parametrize("kind", ["public key", "nonsense"])
    def test_what_is_no_certificate(
        self, call, server, client, gateway, kind: str
    ) -> None:
        pem = server.keys["platform_public_key_pem"] if kind == "public key" else "x"
        gateway.listed = {"data": [entry(server, "key", pem=pem)]}
        assert "certificate" in self.refused(call, client, server)

    @pytest.mark.parametrize(
        ("status", "code"), [(404, "NOT_FOUND"), (401, "SIGN_ERROR"), (500, None)]
    )
    def test_another_error_is_the_callers_to_see(
        self, call, server, client, gateway, status: int, code: str | None
    ) -> None:
        gateway.listed = lambda request: server.plain(status, {"code": code})
        with pytest.raises(APIError) as caught:
            call(client.v3.x.post, {})
        assert caught.value.status_code == status
        assert caught.value.outcome == "not_sent"
        assert caught.value.request == ("GET", LIST)

    def test_a_failed_first_download_is_tried_again(
        self, call, server, client, gateway
    ) -> None:
        good = gateway.listed
        gateway.listed = {"data": []}
        self.refused(call, client, server)
        gateway.listed = good
        assert call(client.v3.x.get).verified


def test_the_download_needs_no_layer_but_its_own(call, server, client, gateway) -> None:
    for name in ("decode", "raise_errors", "retry", "encode"):
        client.stack.remove(name)
    reply = call(client.v3.x.get)
    assert reply.verified
    assert json.loads(reply.content) == {"path": "/v3/x"}


def test_the_download_goes_through_the_layers_of_the_call(
    call, server, client, gateway
) -> None:
    seen: list[str] = []

    def trace(request):
        seen.append(request.template)
        return (yield from send(request))

    call(client.v3.x.get, middleware=[trace])
    assert seen == ["v3/x", "v3/certificates"]
    client.stack.after("verify", trace)
    seen.clear()
    server.now += 12 * 3600 + 1
    call(client.v3.x.get)
    assert seen == ["v3/certificates", "v3/x"]


def test_certificates_at_hand_are_the_callers_to_renew(
    call, server, make, gateway
) -> None:
    client = make(
        certs={server.new_serial: server.keys["platform_cert_new_pem"]},
        apiv3_key=server.keys["apiv3_key"],
    )
    call(client.v3.x.get)
    server.now += 13 * 3600
    call(client.v3.x.get)
    assert gateway.downloads == 0


@pytest.mark.parametrize("changed", ["apiv3_key", "clock", "timeout"])
def test_a_derived_client_downloads_anew_only_under_another_key_or_clock(
    call, server, client, gateway, changed: str
) -> None:
    call(client.v3.x.get)
    values = {
        "apiv3_key": server.keys["apiv3_key"],
        "clock": lambda: server.now,
        "timeout": 5,
    }
    derived = client.with_options(**{changed: values[changed]})
    call(derived.v3.x.get)
    assert gateway.downloads == (1 if changed == "timeout" else 2)
