"""Platform certificates: downloaded on first use, refreshed, kept on failure."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from certificate_gateway import LIST, entry

from wechatpay_chain import (
    APIError,
    ConfigurationError,
    ConnectError,
    InvalidSignature,
    MissingHeaders,
    NotFound,
    ReadTimeout,
    Request,
    ServerError,
    UnknownSerial,
    WeChatPay,
    WeChatPayError,
    fetch,
    send,
)


@pytest.fixture
def client(downloading) -> WeChatPay:
    return downloading()


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


def test_what_is_not_signed_needs_none(call, server, client, gateway) -> None:
    server.will(server.plain(200, content=b"a,b", Content_Type="text/csv"))
    assert call(client["v3/billdownload/file"].get, {"token": "x"}).content == b"a,b"
    assert gateway.downloads == 0


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
    with pytest.raises(
        InvalidSignature, match="signed by none of the keys it delivers"
    ) as caught:
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

    def test_an_old_set_serves_the_call_and_is_renewed_after_it(
        self, call, server, client, gateway
    ) -> None:
        call(client.v3.x.get)
        server.now += 12 * 3600
        call(client.v3.x.get)
        assert gateway.downloads == 1
        server.now += 1
        gateway.listed = {"data": [entry(server, "old")]}
        assert call(client.v3.x.get).serial == server.new_serial
        assert gateway.downloads == 2
        assert [request.path for request in server.requests[-2:]] == [
            "/v3/x",
            "/v3/certificates",
        ]
        assert list(client.keys) == [server.old_serial]

    def test_a_renewal_takes_little_of_the_time_of_the_call(
        self, call, server, client, gateway
    ) -> None:
        call(client.v3.x.get)
        server.now += 12 * 3600 + 1
        call(client.v3.x.get)
        assert server.request.url == LIST
        assert server.request.timeout == (3, 5)
        assert server.request.deadline == 8

    def test_an_answer_that_is_refused_renews_nothing(
        self, call, server, client, gateway
    ) -> None:
        call(client.v3.x.get)
        server.now += 12 * 3600 + 1
        server.will(server.signed({}, covers=b"other"), server.plain(404, {}))
        with pytest.raises(InvalidSignature):
            call(client.v3.x.get)
        with pytest.raises(NotFound):
            call(client.v3.x.get)
        assert gateway.downloads == 1

    @pytest.mark.parametrize("shift", [12 * 3600 + 1, -12 * 3600 - 1])
    def test_a_clock_that_was_set_counts_either_way(
        self, call, server, client, gateway, shift: int
    ) -> None:
        call(client.v3.x.get)
        server.now += shift
        call(client.v3.x.get)
        assert gateway.downloads == 2

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
            "broken",
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
            if failure == "broken":
                raise LookupError("a layer's own")
            if isinstance(failure, Exception):
                raise failure
            made = answers.get(failure) if isinstance(failure, str) else None
            return made() if made else server.signed(failure)

        gateway.listed = fails
        with caplog.at_level(logging.WARNING, "wechatpay_chain"):
            assert call(client.v3.x.get).verified
        assert "refresh failed, old set kept" in caplog.text
        assert list(client.keys) == [server.new_serial]
        server.now += 599
        call(client.v3.x.get)
        assert gateway.downloads == 2
        gateway.listed = gateway.good
        server.now += 1
        call(client.v3.x.get)
        assert gateway.downloads == 3
        server.now += 600
        call(client.v3.x.get)
        assert gateway.downloads == 3
        assert caplog.text.count("refresh failed") == 1

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


class TestFirstThatIsAnsweredWithAnError:
    """It is repeated as any GET is: each time it is an attempt of the call."""

    @pytest.mark.parametrize(
        ("status", "code"),
        [(429, "FREQUENCY_LIMITED"), (500, "X"), (503, "SYSTEM_ERROR"), (504, None)],
    )
    @pytest.mark.parametrize("verb", ["get", "post"])
    def test_is_repeated(
        self, call, server, downloading, gateway, status, code, verb: str
    ) -> None:
        good = gateway.listed

        def busy(request: Request) -> Any:
            gateway.listed = good
            return server.plain(status, {"code": code})

        gateway.listed = busy
        assert call(getattr(downloading(retry=2).v3.x, verb)).verified
        assert [one.target for one in server.requests] == [
            *["/v3/certificates"] * 2,
            "/v3/x",
        ]

    def test_is_repeated_as_often_as_a_call(
        self, call, server, downloading, gateway
    ) -> None:
        gateway.listed = lambda request: server.plain(503, {"code": "SYSTEM_ERROR"})
        with pytest.raises(ServerError) as caught:
            call(downloading(retry=4).v3.x.post, {})
        assert caught.value.outcome == "not_sent"
        assert gateway.downloads == len(server.requests) == 4

    def test_is_not_repeated_where_a_get_is_not(
        self, call, server, downloading, gateway
    ) -> None:
        gateway.listed = lambda request: server.plain(403, {"code": "NO_AUTH"})
        with pytest.raises(APIError, match="NO_AUTH"):
            call(downloading(retry=4).v3.x.get)
        assert gateway.downloads == len(server.requests) == 1

    def test_an_answer_that_a_layer_got_after_the_call_was_sent_repeats_nothing(
        self, call, server, downloading, gateway
    ) -> None:
        """The call itself was sent, and may not be done twice."""

        def asks(request: Request) -> Any:
            yield from send(request)
            query = request.replace(method="GET", body=b"", payload=None)
            return (yield from fetch(query, without={"asks", "retry"}))

        client = downloading(retry=4)
        call(client.v3.x.get)
        client.stack.after("retry", asks)
        server.will({}, server.plain(503, {"code": "SYSTEM_ERROR"}))
        with pytest.raises(ServerError) as caught:
            call(client.v3.x.post, {})
        assert caught.value.outcome == "unknown"
        assert [one.method for one in server.requests[2:]] == ["POST", "GET"]


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

    def test_a_merchant_with_a_public_key_only_is_asked_once(
        self, call, server, client, gateway
    ) -> None:
        gateway.listed = lambda request: server.plain(
            404, {"code": "RESOURCE_NOT_EXISTS"}
        )
        first = self.refused(call, client, server)
        server.now += 365 * 24 * 3600
        assert self.refused(call, client, server) == first
        with pytest.raises(ConfigurationError) as caught:
            call(client.v3.other.get)
        assert caught.value.request == ("GET", LIST.replace("certificates", "other"))
        assert gateway.downloads == 1

    def test_an_empty_list_is_asked_for_once_a_minute(
        self, call, server, client, gateway
    ) -> None:
        good = gateway.listed
        gateway.listed = {"data": []}
        self.refused(call, client, server)
        gateway.listed = good
        server.now += 59
        self.refused(call, client, server)
        server.now += 1
        assert call(client.v3.x.get).verified
        assert gateway.downloads == 2

    @pytest.mark.parametrize("failure", [ConnectError("refused"), "busy", "forged"])
    def test_another_failure_is_tried_again_by_the_next_call(
        self, call, server, client, gateway, failure: Any
    ) -> None:
        def fails(request: Request) -> Any:
            if isinstance(failure, Exception):
                raise failure
            if failure == "busy":
                return server.plain(503, {"code": "SYSTEM_ERROR"})
            return server.signed(good, covers=b"other")

        good, gateway.listed = gateway.listed, fails
        with pytest.raises(WeChatPayError) as caught:
            call(client.v3.x.post, {})
        assert caught.value.outcome == "not_sent"
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
    assert seen == ["v3/x", "v3/certificates"]


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
