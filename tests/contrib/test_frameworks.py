"""What each framework answers, by its own test client: the same rules for all."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from wechatpay_chain import ConfigurationError, WeChatPay, crypto
from wechatpay_chain.contrib import fastapi, flask, receiving
from wechatpay_chain.inbox import Inbox
from wechatpay_chain.middleware import xml_body
from wechatpay_chain.notifications import Answer, Notification, Router
from wechatpay_chain.sandbox import Gateway

SECRET = "0123456789abcdef0123456789ABCDEF"


class Posted(NamedTuple):
    """What WeChat Pay posts."""

    headers: dict[str, str]
    body: bytes


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    return Gateway(seed=1)


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[WeChatPay]:
    with gateway.client(secret=SECRET) as made:
        yield made


@pytest.fixture(scope="module")
def good(gateway: Gateway) -> Posted:
    """The notification of a confirmed order, as it was sent."""
    taken: list[Any] = []
    gateway.deliver_to(lambda request: taken.append(request) or 204)
    gateway.user.confirm(gateway.given.order(out_order_no="ORDER-1"))
    request = taken[0]
    return Posted(dict(request.headers.items()), bytes(request.body))


@pytest.fixture(scope="module")
def xml(client: WeChatPay) -> Posted:
    fields = {
        "return_code": "SUCCESS",
        "result_code": "SUCCESS",
        "appid": "wxd678efh567hg6787",
        "mch_id": client.mchid,
        "nonce_str": "5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
        "transaction_id": "1217752501201407033233368018",
        "out_trade_no": "1409811653",
        "time_end": "20240601150000",
        "total_fee": "100",
    }
    body = xml_body.dump({**fields, "sign": crypto.sign_md5(fields, SECRET)})
    return Posted({"Content-Type": "text/xml"}, body)


@pytest.fixture
def seen() -> list[Notification]:
    return []


@pytest.fixture
def router(seen: list[Notification]) -> Router:
    made = Router()
    made.default(seen.append)
    return made


@pytest.fixture
def inbox(tmp_path: Path, router: Router) -> Iterator[Inbox]:
    with Inbox(f"sqlite:///{tmp_path / 'inbox.db'}", router=router) as made:
        made.create()
        yield made


def test_what_is_verified_and_handled_is_answered_204(
    post: Any, client: WeChatPay, router: Router, good: Posted, seen: list[Notification]
) -> None:
    answered = post(client, router, *good)
    assert (answered.status, answered.body) == (204, b"")
    assert [(one.event_type, one.raw) for one in seen] == [
        ("PAYSCORE.USER_CONFIRM", good.body)
    ]
    assert seen[0].resource["out_order_no"] == "ORDER-1"


@pytest.mark.parametrize(
    ("give", "message"),
    [
        (lambda client, router: (client, 3), "handlers: a Router, .* got int"),
        (lambda client, router: (client, Router), "got the class Router"),
        (lambda client, router: (client, None), "got NoneType"),
        (
            lambda client, router: (router, client),
            "client: a WeChatPay expected, got R",
        ),
        (lambda client, router: (WeChatPay, router), "got the class WeChatPay"),
    ],
    ids=["number", "class", "none", "the other way round", "class of clients"],
)
def test_what_cannot_receive_is_refused_before_anything_comes(
    post: Any, client: WeChatPay, router: Router, good: Posted, give: Any, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        post(*give(client, router), *good)


@pytest.mark.parametrize("path", [3, None, b"/notify"])
def test_a_path_is_text(client: WeChatPay, router: Router, path: Any) -> None:
    for make in (fastapi.notification_router, flask.notification_blueprint):
        with pytest.raises(ConfigurationError, match="path: text expected"):
            make(client, router, path)


@pytest.mark.parametrize(
    "change",
    [
        lambda given: given._replace(body=given.body.replace(b"{", b"{ ", 1)),
        lambda given: given._replace(headers={}),
        lambda given: given._replace(body=b""),
        lambda given: given._replace(
            headers={**given.headers, "Wechatpay-Timestamp": "1717225201"}
        ),
    ],
    ids=["body", "no headers", "nothing", "timestamp"],
)
def test_what_is_not_wechat_pays_is_answered_401(
    post: Any,
    client: WeChatPay,
    router: Router,
    good: Posted,
    seen: list[Notification],
    change: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answered = post(client, router, *change(good))
    assert answered.status == 401
    assert json.loads(answered.body)["code"] == "FAIL"
    assert answered.content_type == "application/json"
    assert seen == []
    (record,) = (r for r in caplog.records if r.name == receiving.log.name)
    assert (record.levelname, record.exc_info) == ("WARNING", None)


def test_what_cannot_be_opened_is_answered_400(
    post: Any, gateway: Gateway, router: Router, good: Posted, seen: list[Notification]
) -> None:
    with gateway.client(apiv3_key="0" * 32) as other:
        assert post(other, router, *good).status == 400
    assert seen == []


def test_our_own_mistake_is_answered_500(
    post: Any, gateway: Gateway, router: Router, good: Posted
) -> None:
    with gateway.client(apiv3_key=None) as other:
        assert post(other, router, *good).status == 500


def test_a_handler_that_fails_is_answered_500_and_logged(
    post: Any, client: WeChatPay, good: Posted, caplog: pytest.LogCaptureFixture
) -> None:
    router = Router()

    @router.default
    def broken(notification: Notification) -> None:
        raise KeyError("a private word")

    answered = post(client, router, *good)
    assert answered.status == 500
    assert b"private" not in answered.body
    (record,) = (r for r in caplog.records if r.name == receiving.log.name)
    assert record.getMessage() == "PAYSCORE.USER_CONFIRM is not handled"
    assert record.levelname == "ERROR"
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError


def test_apiv2_is_answered_in_xml(
    post: Any, client: WeChatPay, router: Router, xml: Posted, seen: list[Notification]
) -> None:
    answered = post(client, router, *xml)
    assert answered.status == 200
    assert answered.content_type.startswith("text/xml")
    assert xml_body.load(answered.body)["return_code"] == "SUCCESS"
    assert [one.event_type for one in seen] == ["V2.TRANSACTION.SUCCESS"]


@pytest.mark.parametrize("broken", ["sign", "handler"])
def test_apiv2_is_refused_in_xml(
    post: Any, client: WeChatPay, xml: Posted, broken: str
) -> None:
    router = Router()

    @router.default
    def fails(notification: Notification) -> None:
        raise RuntimeError

    body = xml.body.replace(b"100", b"101") if broken == "sign" else xml.body
    answered = post(client, router, xml.headers, body)
    assert answered.status == (401 if broken == "sign" else 500)
    assert xml_body.load(answered.body)["return_code"] == "FAIL"


def test_a_handler_may_say_what_is_answered(
    post: Any, client: WeChatPay, good: Posted
) -> None:
    router = Router()

    @router.default
    def parking(notification: Notification) -> Answer:
        return notification.accept({"parking_state": "NORMAL"})

    answered = post(client, router, *good)
    assert answered.status == 200
    assert json.loads(answered.body) == {"parking_state": "NORMAL"}
    assert answered.content_type == "application/json"


def test_only_post_is_answered(
    post: Any, client: WeChatPay, router: Router, good: Posted, seen: list[Notification]
) -> None:
    assert post(client, router, *good, method="PUT").status == 405
    assert seen == []


def test_a_body_beyond_the_limit_is_not_looked_at(
    post: Any, client: WeChatPay, router: Router, good: Posted, seen: list[Notification]
) -> None:
    body = b" " * (receiving.LIMIT + 1)
    assert post(client, router, good.headers, body).status == 413
    # Beyond what Django itself would take, too.
    assert post(client, router, good.headers, body * 3).status == 413
    assert post(client, router, good.headers, body[:-1]).status == 401
    assert seen == []


def test_an_inbox_handles_a_repeat_once(
    post: Any, client: WeChatPay, inbox: Inbox, good: Posted, seen: list[Notification]
) -> None:
    assert post(client, inbox, *good).status == 204
    assert post(client, inbox, *good).status == 204
    assert len(seen) == 1


def test_what_another_worker_has_is_to_come_again(
    post: Any,
    client: WeChatPay,
    tmp_path: Path,
    good: Posted,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, receiving.log.name)
    answers: list[int] = []
    with Inbox(f"sqlite:///{tmp_path / 'inbox.db'}") as inbox:
        inbox.create()

        @inbox.on("*")
        def slow(notification: Notification) -> None:
            # Another worker is posted to, while this one is at it.
            again = receiving.receive(client, inbox, good.headers, good.body)
            answers.append(again.status_code)

        assert post(client, inbox, *good).status == 204
    assert answers == [500]
    (record,) = (r for r in caplog.records if r.name == receiving.log.name)
    assert record.getMessage() == "PAYSCORE.USER_CONFIRM: another worker has it"
    assert (record.levelname, record.exc_info) == ("INFO", None)


def test_what_is_stored_for_later_is_answered_at_once(
    post: Any, client: WeChatPay, inbox: Inbox, good: Posted, seen: list[Notification]
) -> None:
    assert post(client, inbox.later, *good).status == 204
    assert seen == []
    assert inbox.work() == 1
    assert [one.resource["out_order_no"] for one in seen] == ["ORDER-1"]


def test_an_event_that_cannot_be_stored_is_not_accepted(
    post: Any, client: WeChatPay, tmp_path: Path, good: Posted
) -> None:
    # Without its table.
    with Inbox(f"sqlite:///{tmp_path / 'empty.db'}") as inbox:
        assert post(client, inbox.later, *good).status == 500
        assert post(client, inbox, *good).status == 500


def test_an_answer_that_comes_too_late_is_logged(
    post: Any,
    client: WeChatPay,
    router: Router,
    good: Posted,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receiving, "PATIENCE", -1)
    assert post(client, router, *good).status == 204
    assert "store it first, with inbox.later" in caplog.text
