"""What WeChat Pay is answered, in the language that it asked in."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from wechatpay_chain import EncodeError, NotificationError
from wechatpay_chain.notifications import Answer, Notification, accept, refuse


def fields(answer: Answer) -> dict[str, str | None]:
    assert answer.headers == {"Content-Type": "text/xml; charset=utf-8"}
    root = ElementTree.fromstring(answer.body)
    assert root.tag == "xml"
    return {child.tag: child.text for child in root}


def test_a_notification_of_apiv3_is_accepted_without_a_word() -> None:
    assert Notification("1", "A", {}).accept() == Answer(204, b"", {})


def test_a_few_events_want_to_be_told_something() -> None:
    answer = Notification("1", "A", {}).accept({"parking_state": "NORMAL", "a": "元"})
    assert answer.status_code == 200
    assert answer.headers == {"Content-Type": "application/json"}
    assert json.loads(answer.body) == {"parking_state": "NORMAL", "a": "元"}


def test_what_json_cannot_hold_is_no_answer() -> None:
    with pytest.raises(EncodeError):
        accept("v3", {"a": object()})


def test_a_notification_of_apiv2_is_accepted_as_documented() -> None:
    answer = Notification("1", "V2.A", {}, version="v2").accept()
    assert answer.status_code == 200
    assert answer.body == (
        b"<xml><return_code><![CDATA[SUCCESS]]></return_code>"
        b"<return_msg><![CDATA[OK]]></return_msg></xml>"
    )
    assert fields(answer) == {"return_code": "SUCCESS", "return_msg": "OK"}


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_refusal_has_the_status_of_the_error(status) -> None:
    answer = refuse(NotificationError("private", status_code=status))
    assert answer.status_code == status
    assert answer.headers == {"Content-Type": "application/json"}
    data = json.loads(answer.body)
    assert data["code"] == "FAIL"
    assert data["message"]
    assert "private" not in data["message"]


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_refusal_of_apiv2_is_in_xml(status) -> None:
    error = NotificationError("private", status_code=status, version="v2")
    answer = refuse(error)
    assert answer.status_code == status
    found = fields(answer)
    assert found["return_code"] == "FAIL"
    assert b"private" not in answer.body


@pytest.mark.parametrize("error", [None, KeyError("private"), KeyboardInterrupt()])
def test_a_handler_that_failed_is_a_500(error) -> None:
    answer = refuse(error)
    assert answer.status_code == 500
    assert b"private" not in answer.body
    assert fields(refuse(error, "v2"))["return_code"] == "FAIL"


def test_a_refusal_of_what_came_says_so_in_its_language(sender, client) -> None:
    for body, version in ((b"<xml/>", "v2"), (b"{}", "v3")):
        with pytest.raises(NotificationError) as caught:
            client.notifications.parse({}, body)
        assert caught.value.version == version
        answer = refuse(caught.value)
        assert answer.status_code == 401
        assert (answer.body[:1] == b"<") == (version == "v2")
