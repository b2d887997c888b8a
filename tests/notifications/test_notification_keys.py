"""Platform certificates for notifications: downloaded, refreshed, renewed in time."""

from __future__ import annotations

from typing import Any

import pytest
from sender import RESOURCE, Sender

from wechatpay_chain import (
    ConfigurationError,
    ConnectError,
    InvalidSignature,
    MissingHeaders,
    NotificationError,
    Response,
    UnknownSerial,
    WeChatPay,
    send,
)
from wechatpay_chain.notifications.downloading import DEADLINE

HALF_A_DAY = 12 * 3600


@pytest.fixture
def client(sender: Sender) -> WeChatPay:
    """A client that downloads its certificates."""
    return sender.client(certs=None, retry=1)


def post(sender: Sender, serial: str) -> tuple[dict[str, str], bytes]:
    body = sender.body()
    return sender.headers(body, serial=serial), body


def refused(call: Any, client: Any, given: Any) -> NotificationError:
    with pytest.raises(NotificationError) as caught:
        call(client.notifications.parse, *given)
    return caught.value


def test_the_first_notification_downloads_and_later_ones_do_not(
    call, sender, client
) -> None:
    for _ in range(2):
        found = call(client.notifications.parse, *post(sender, sender.new_serial))
        assert found.resource == RESOURCE
    assert [request.target for request in sender.requests] == ["/v3/certificates"]
    request = sender.requests[0]
    assert request.method == "GET"
    assert request.headers["Authorization"].startswith("WECHATPAY2-SHA256-RSA2048 ")
    assert list(client.keys) == [sender.new_serial]


def test_a_call_after_it_finds_the_certificates(call, sender, client) -> None:
    call(client.notifications.parse, *post(sender, sender.new_serial))
    call(client.v3.certificates.get)
    assert len(sender.requests) == 2  # the second is the call itself


def test_the_download_goes_through_the_layers_of_the_client(
    call, sender, client
) -> None:
    seen = []

    def note(request):
        seen.append(request.label)
        return (yield from send(request))

    client.stack.push(note)
    call(client.notifications.parse, *post(sender, sender.new_serial))
    assert seen == ["GET v3/certificates"]


def test_the_download_leaves_time_to_answer(call, sender, client) -> None:
    call(client.notifications.parse, *post(sender, sender.new_serial))
    request = sender.requests[0]
    assert request.deadline is not None
    assert request.deadline <= DEADLINE < 5
    assert max(request.timeout) <= DEADLINE


def test_an_unknown_serial_brings_the_new_set(call, sender, client) -> None:
    sender.lists = ["old"]
    call(client.notifications.parse, *post(sender, sender.old_serial))
    sender.lists = ["old", "new"]
    sender.now += 61
    found = call(client.notifications.parse, *post(sender, sender.new_serial))
    assert found.serial == sender.new_serial
    assert set(client.keys) == {sender.old_serial, sender.new_serial}


def test_forged_serials_ask_once_a_minute(call, sender, client) -> None:
    call(client.notifications.parse, *post(sender, sender.new_serial))
    headers, body = sender.post()
    for number in range(5):
        forged = {**headers, "Wechatpay-Serial": f"{number:040X}"}
        error = refused(call, client, (forged, body))
        assert type(error.__cause__) is UnknownSerial
        assert error.status_code == 401
    assert len(sender.requests) == 1
    sender.now += 61
    for number in range(5):
        given = sender.headers(body), body
        given[0]["Wechatpay-Serial"] = f"{number:040X}"
        refused(call, client, given)
    assert len(sender.requests) == 2


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"Wechatpay-Signature": ""}, MissingHeaders),
        ({"Wechatpay-Timestamp": "now"}, InvalidSignature),
        ({"Wechatpay-Nonce": "\x00"}, InvalidSignature),
        ({"Wechatpay-Signature-Type": "NONE"}, InvalidSignature),
        ({"Wechatpay-Serial": "PUB_KEY_ID_0"}, UnknownSerial),
    ],
)
def test_nothing_is_downloaded_for_what_is_refused_anyway(
    call, sender, client, change, kind
) -> None:
    headers, body = post(sender, sender.new_serial)
    error = refused(call, client, ({**headers, **change}, body))
    assert type(error.__cause__) is kind
    assert error.status_code == 401
    assert sender.requests == []


def test_no_notification_of_apiv2_downloads(call, sender, client) -> None:
    body = sender.xml({"transaction_id": "1", "result_code": "SUCCESS"})
    assert call(client.notifications.parse, {}, body).version == "v2"
    assert sender.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        ConnectError("no network"),
        Response(500, {}, b""),
        Response(404, {}, b'{"code":"RESOURCE_NOT_EXISTS","message":"x"}'),
        Response(200, {}, b"{}"),
    ],
    ids=["no network", "500", "404", "no list"],
)
def test_a_download_that_fails_is_our_own_trouble(call, sender, client, answer) -> None:
    sender.answer = answer
    given = post(sender, sender.new_serial)
    error = refused(call, client, given)
    assert error.status_code == 500
    assert error.__cause__.request.method == "GET"
    assert error.__cause__.request.url.endswith("/v3/certificates")
    sender.answer = None
    sender.now += 61
    body = sender.body()
    headers = sender.headers(body, serial=sender.new_serial)
    if isinstance(answer, Response) and answer.status_code == 404:
        # WeChat Pay has said that there are none: it is not asked again.
        assert refused(call, client, (headers, body)).status_code == 500
    else:
        assert call(client.notifications.parse, headers, body).resource == RESOURCE


def test_a_set_sealed_with_another_key_is_our_own_trouble(call, sender) -> None:
    client = sender.client(certs=None, apiv3_key="0" * 32, retry=1)
    error = refused(call, client, post(sender, sender.new_serial))
    assert type(error.__cause__) is ConfigurationError
    assert error.status_code == 500


def test_a_set_that_did_not_sign_itself_is_our_own_trouble(
    call, sender, client
) -> None:
    sender.lists = ["new"]
    good = sender(None)  # type: ignore[arg-type] - the request is only kept
    sender.requests.clear()
    headers = {**good.headers, "Wechatpay-Nonce": "other"}
    sender.answer = Response(200, headers, good.content)
    error = refused(call, client, post(sender, sender.new_serial))
    assert type(error.__cause__) is InvalidSignature
    assert error.status_code == 500


def test_an_old_set_is_renewed_beside_a_notification(call, sender, client) -> None:
    sender.lists = ["old"]
    call(client.notifications.parse, *post(sender, sender.old_serial))
    sender.now += HALF_A_DAY + 1
    sender.lists = ["new"]
    # Verified before the renewal, which drops the certificate that signed it.
    found = call(client.notifications.parse, *post(sender, sender.old_serial))
    assert found.serial == sender.old_serial
    assert list(client.keys) == [sender.new_serial]
    call(client.notifications.parse, *post(sender, sender.new_serial))
    assert len(sender.requests) == 2


def test_a_renewal_that_fails_costs_nothing(call, sender, client) -> None:
    call(client.notifications.parse, *post(sender, sender.new_serial))
    sender.now += HALF_A_DAY + 1
    sender.answer = ConnectError("no network")
    found = call(client.notifications.parse, *post(sender, sender.new_serial))
    assert found.resource == RESOURCE
    assert list(client.keys) == [sender.new_serial]


def test_a_forged_notification_renews_nothing(call, sender, client) -> None:
    call(client.notifications.parse, *post(sender, sender.new_serial))
    sender.now += HALF_A_DAY + 1
    headers, body = post(sender, sender.new_serial)
    assert refused(call, client, (headers, body + b" ")).status_code == 401
    assert len(sender.requests) == 1


def test_a_public_key_and_certificates_stand_beside_each_other(
    call, sender, tmp_path
) -> None:
    # While a merchant moves from one to the other, notifications come by both.
    certs = {sender.public_key_id: sender.keys["platform_public_key_pem"]}
    client = sender.client(certs=certs, certificate_store=tmp_path, retry=1)
    found = call(client.notifications.parse, *post(sender, sender.public_key_id))
    assert found.serial == sender.public_key_id
    assert sender.requests == []
    found = call(client.notifications.parse, *post(sender, sender.new_serial))
    assert found.serial == sender.new_serial
    assert len(sender.requests) == 1


def test_given_certificates_are_never_downloaded(call, sender) -> None:
    certs = {sender.old_serial: sender.keys["platform_cert_old_pem"]}
    client = sender.client(certs=certs)
    error = refused(call, client, post(sender, sender.new_serial))
    assert type(error.__cause__) is UnknownSerial
    assert "add it to certs" in str(error)
    assert sender.requests == []


def test_a_closed_client_downloads_nothing(call, sender, client) -> None:
    notifications = client.notifications
    call.close(client)
    with pytest.raises(NotificationError, match="this client is closed") as caught:
        call(notifications.parse, *post(sender, sender.new_serial))
    assert caught.value.status_code == 500
    assert sender.requests == []


def test_a_closed_client_reads_what_needs_no_download(call, sender) -> None:
    client = sender.client()
    call.close(client)
    assert call(client.notifications.parse, *sender.post()).resource == RESOURCE


def test_a_client_made_of_another_reads_with_its_own_keys(call, sender) -> None:
    client = sender.client(secret=None)
    body = sender.xml({"transaction_id": "1", "result_code": "SUCCESS"})
    assert refused(call, client, ({}, body)).status_code == 500
    other = client.with_options(secret=sender.keys["apiv2_key"])
    assert call(other.notifications.parse, {}, body).version == "v2"
