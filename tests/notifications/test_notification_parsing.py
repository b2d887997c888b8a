"""What comes out of a good notification, in whatever shape it comes in."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections import UserDict
from datetime import datetime, timedelta, timezone
from email.message import Message
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict
from sender import RESOURCE
from starlette.datastructures import Headers as StarletteHeaders

from wechatpay_chain import Headers, MissingHeaders, NotificationError
from wechatpay_chain.notifications import Notification

BEIJING = timezone(timedelta(hours=8))
VECTORS = (
    "payscore_user_confirm",
    "payscore_user_paid_signed_by_certificate",
    "payscore_user_open_service",
    "transaction_success",
    "refund_success_empty_associated_data",
)


@pytest.mark.parametrize("name", VECTORS)
def test_the_documented_notifications_are_read(call, client, vectors, name) -> None:
    vector = next(one for one in vectors["notification"] if one["name"] == name)
    body = vector["body"].encode()
    found = call(client.notifications.parse, vector["headers"], body)
    envelope = json.loads(body)
    assert found.resource == json.loads(vector["plaintext"])
    assert found.event_type == vector["event_type"] == envelope["event_type"]
    assert found.id == envelope["id"]
    assert found.summary == envelope["summary"]
    assert found.create_time == datetime(2024, 6, 1, 15, tzinfo=BEIJING)
    assert found.original_type == envelope["resource"]["original_type"]
    assert found.serial == vector["headers"]["Wechatpay-Serial"]
    assert found.request_id == vector["headers"]["Request-ID"]
    assert found.envelope == envelope
    assert found.raw == body
    assert found.version == "v3"
    assert found.mchid == client.mchid


def test_the_documented_notifications_are_all_here(vectors) -> None:
    assert {vector["name"] for vector in vectors["notification"]} == set(VECTORS)


def wsgi(headers: dict[str, str]) -> dict[str, Any]:
    """A whole environ, in which most is no header."""
    return {
        **{f"HTTP_{k.upper().replace('-', '_')}": v for k, v in headers.items()},
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/json",
        "wsgi.input": object(),
        "wsgi.version": (1, 0),
    }


def http_server(headers: dict[str, str]) -> Message:
    made = Message()
    for name, value in headers.items():
        made[name] = value
    return made


class FlaskHeaders:
    """As werkzeug's: it has items and no base class."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers

    def items(self):
        return iter(self._headers.items())

    def __iter__(self):
        return iter(self._headers.items())


SHAPES = {
    "dict": dict,
    "lower case": lambda h: {k.lower(): v for k, v in h.items()},
    "upper case": lambda h: {k.upper(): v for k, v in h.items()},
    "mixed case": lambda h: {k.swapcase(): v for k, v in h.items()},
    "lists of values": lambda h: {k: [v] for k, v in h.items()},
    "bytes": lambda h: {k.encode(): v.encode() for k, v in h.items()},
    "pairs": lambda h: list(h.items()),
    "tuple of pairs": lambda h: tuple(h.items()),
    "iterator of pairs": lambda h: iter(h.items()),
    "ASGI scope": lambda h: [(k.lower().encode(), v.encode()) for k, v in h.items()],
    "WSGI environ": wsgi,
    "Starlette": StarletteHeaders,
    "Django": CaseInsensitiveDict,
    "Flask": FlaskHeaders,
    "http.server": http_server,
    "a mapping": UserDict,
    "our own": Headers,
    "numbers among the names": lambda h: {**h, 7: "x", None: "y"},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_headers_may_have_any_shape(call, client, sender, shape) -> None:
    headers, body = sender.post()
    found = call(client.notifications.parse, shape(headers), body)
    assert found.resource == RESOURCE
    assert found.request_id == headers["Request-ID"]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_no_shape_makes_up_what_is_missing(client, sender, shape) -> None:
    headers, body = sender.post()
    del headers["Wechatpay-Nonce"]
    with pytest.raises(NotificationError, match="Wechatpay-Nonce missing") as caught:
        client.notifications.parse(shape(headers), body)
    assert isinstance(caught.value.__cause__, MissingHeaders)


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        (None, "headers: a mapping, a WSGI environ or a list of pairs"),
        ("Wechatpay-Serial: x", "headers: a mapping, a WSGI environ or a list"),
        (b"Wechatpay-Serial: x", "headers: a mapping, a WSGI environ or a list"),
        ([("Wechatpay-Serial", "x", "y")], "each item of the list is a .name, value."),
        ({"Wechatpay-Serial": 5}, "Wechatpay-Serial is text, not int"),
        ({"Wechatpay-Serial": [5]}, "Wechatpay-Serial is text, not int"),
    ],
)
def test_headers_that_are_none_are_a_mistake_of_the_program(
    client, headers, text
) -> None:
    with pytest.raises(TypeError, match=text):
        client.notifications.parse(headers, b"{}")


def test_a_body_that_was_parsed_is_a_mistake_of_the_program(client, sender) -> None:
    headers, body = sender.post()
    with pytest.raises(TypeError, match=r"the bytes .* got dict"):
        client.notifications.parse(headers, json.loads(body))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, bytes.decode])
def test_a_body_may_be_bytes_of_any_kind_or_their_text(client, sender, kind) -> None:
    headers, body = sender.post()
    found = client.notifications.parse(headers, kind(body))
    assert found.raw == body
    assert type(found.raw) is bytes


def test_all_kinds_of_keys_are_good_at_once(call, client, sender) -> None:
    body = sender.body()
    for serial in (sender.public_key_id, sender.new_serial, sender.old_serial):
        headers = sender.headers(body, serial=serial)
        assert call(client.notifications.parse, headers, body).serial == serial


@pytest.mark.parametrize("skew", [-300, -299, 0, 299, 300])
def test_the_clock_may_differ_by_five_minutes(call, client, sender, skew) -> None:
    body = sender.body()
    headers = sender.headers(body, at=sender.now + skew)
    assert call(client.notifications.parse, headers, body).resource == RESOURCE


@pytest.mark.parametrize("associated", [None, "", "payscore", "transaction", "退款"])
def test_associated_data_is_what_the_message_says(client, sender, associated) -> None:
    resource = sender.resource(associated=associated)
    found = client.notifications.parse(*sender.post(resource=resource))
    assert found.resource == RESOURCE


def test_associated_data_may_be_null(client, sender) -> None:
    resource = {**sender.resource(associated=None), "associated_data": None}
    found = client.notifications.parse(*sender.post(resource=resource))
    assert found.resource == RESOURCE


@pytest.mark.parametrize("nonce", ["12345678", "fdasflkja484", "x" * 32])
def test_the_nonce_may_have_another_length(client, sender, nonce) -> None:
    resource = sender.resource(nonce=nonce)
    found = client.notifications.parse(*sender.post(resource=resource))
    assert found.resource == RESOURCE


def test_unknown_types_and_members_pass(call, client, sender) -> None:
    given = sender.post(event_type="TOMORROW.HAPPENED", later={"a": [1]})
    found = call(client.notifications.parse, *given)
    assert found.event_type == "TOMORROW.HAPPENED"
    assert found.envelope["later"] == {"a": [1]}


@pytest.mark.parametrize("data", [[], {}, "text", 0, False, [{"a": 1}]])
def test_a_resource_may_be_any_json(client, sender, data) -> None:
    given = sender.post(resource=sender.resource(data))
    assert client.notifications.parse(*given).resource == data


@pytest.mark.parametrize("name", ["create_time", "summary", "resource_type"])
@pytest.mark.parametrize("value", [None, 5, [], "", "yesterday"])
def test_no_event_is_lost_for_what_nothing_depends_on(
    client, sender, name, value
) -> None:
    found = client.notifications.parse(*sender.post(**{name: value}))
    assert found.resource == RESOURCE
    assert found.create_time is None or name != "create_time"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-06-01T15:00:00+08:00", datetime(2024, 6, 1, 7, tzinfo=timezone.utc)),
        ("2024-06-01T07:00:00Z", datetime(2024, 6, 1, 7, tzinfo=timezone.utc)),
        ("2024-06-01T15:00:00", datetime(2024, 6, 1, 7, tzinfo=timezone.utc)),
        ("20240601150000", datetime(2024, 6, 1, 7, tzinfo=timezone.utc)),
    ],
)
def test_a_time_without_a_zone_is_that_of_beijing(client, sender, text, moment) -> None:
    found = client.notifications.parse(*sender.post(create_time=text))
    assert found.create_time == moment


# The value itself.


@pytest.fixture
def found(client, sender) -> Notification:
    return client.notifications.parse(*sender.post())


def test_a_notification_is_frozen(found) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.event_type = "REFUND.SUCCESS"


def test_notifications_are_equal_by_what_came(client, sender, found) -> None:
    again = client.notifications.parse(*sender.post())
    assert again == found
    assert len({found, dataclasses.replace(found)}) == 1
    assert dataclasses.replace(found, raw=b"other") != found


def test_what_is_printed_names_the_event_and_nothing_of_the_user(found) -> None:
    text = "<Notification EV-2024060100000000001 PAYSCORE.USER_CONFIRM>"
    assert repr(found) == str(found) == text


def test_a_notification_can_be_queued(found) -> None:
    again = pickle.loads(pickle.dumps(found))
    assert again == found
    assert again.resource == RESOURCE


def test_a_resource_is_given_for_its_own_event_only(found) -> None:
    assert found.resource_of("PAYSCORE.USER_CONFIRM") is found.resource
    with pytest.raises(ValueError, match="not 'REFUND"):
        found.resource_of("REFUND.SUCCESS")


def test_what_a_reader_prints(client) -> None:
    assert repr(client.notifications) == (f"<Notifications of merchant {client.mchid}>")
