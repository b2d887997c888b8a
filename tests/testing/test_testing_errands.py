"""Commands of the control API for recipes, recordings and forwarding."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wechatpay_chain import Headers, Request
from wechatpay_chain.sandbox import ErrorAnswer, Gateway
from wechatpay_chain.sandbox.control.api import Control
from wechatpay_chain.sandbox.recording import recorder


class Api:
    def __init__(self, gateway: Gateway) -> None:
        self._control = Control(gateway)

    def __call__(self, verb: str, path: str, /, **given: Any) -> tuple[int, Any]:
        headers = Headers({"Host": "127.0.0.1", "Content-Type": "application/json"})
        body = json.dumps(given).encode() if given else b""
        url = f"http://127.0.0.1/_sandbox/{path}"
        response = self._control.handle(Request(verb, url, headers, body))
        return response.status_code, json.loads(response.content)


@pytest.fixture
def api(gateway: Gateway) -> Api:
    return Api(gateway)


def test_what_is_triggered_is_said(api: Api, gateway: Gateway) -> None:
    values = {"amount": "300", "out_order_no": "ONE"}
    status, found = api("POST", "trigger", event="payscore.paid", values=values)
    assert status == 200
    assert found["made"]["out_order_no"] == "ONE"
    assert found["example"] is False
    assert gateway.orders["ONE"].total_amount == 300
    ids = [one["id"] for one in found["notifications"]]
    assert ids == [one.id for one in gateway.outbox]


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [
        ({"event": "payscore.payed"}, 404, "did you mean payscore.paid"),
        ({"event": "payscore.paid", "values": [1]}, 400, "values: an object expected"),
        ({"event": "payscore.paid", "values": {"x": 1}}, 400, "x: unknown"),
        ({}, 400, "event: required"),
    ],
)
def test_what_cannot_be_triggered_is_refused(
    api: Api, given: dict[str, Any], status: int, says: str
) -> None:
    found = api("POST", "trigger", **given)
    assert found[0] == status
    assert says in found[1]["message"]


def test_a_call_that_fails_in_a_recipe_is_named(api: Api, gateway: Gateway) -> None:
    gateway.faults.add(on="payscore.create", fault=ErrorAnswer(), times=None)
    status, found = api("POST", "trigger", event="payscore.created")
    assert status == 409
    assert "SYSTEM_ERROR" in found["message"]


def test_a_call_is_sent_again_signed_anew(api: Api, gateway: Gateway) -> None:
    gateway.trigger("security_echo.success")
    (entry,) = api("GET", "recording?number=1")[1]["entries"]
    names = ("target", "method", "headers", "body", "mchid")
    status, found = api("POST", "send", **{name: entry[name] for name in names})
    assert status == 200
    assert found["answer"] == entry["answer"]
    first, second = (one.request.headers["Authorization"] for one in gateway.journal)
    assert first != second


def test_the_recording_is_that_of_the_journal(api: Api, gateway: Gateway) -> None:
    gateway.trigger("payscore.paid")
    assert api("GET", "recording")[1]["entries"] == recorder.record(gateway)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"target": "https://api.mch.weixin.qq.com/v3/x"}, 400),
        ({"target": "/v3/x", "mchid": "1"}, 404),
        ({"target": "/v3/x", "base64": "?"}, 400),
    ],
)
def test_a_call_that_cannot_be_sent_is_refused(
    api: Api, given: dict[str, Any], status: int
) -> None:
    assert api("POST", "send", **given)[0] == status


@pytest.mark.parametrize("url", ["https://merchant.example/notify", "nonsense"])
def test_notifications_are_forwarded_to_this_machine_only(api: Api, url: str) -> None:
    assert api("POST", "deliver_to", url=url)[0] == 400


def test_what_is_known_is_listed(api: Api) -> None:
    found = api("GET", "recipes")[1]
    by_name = {one["name"]: one for one in found["recipes"]}
    assert by_name["payscore.paid"]["takes"]["amount"] == "int"
    assert "COUPON.USE" in found["examples"]
    assert "PAYSCORE.USER_PAID" not in found["examples"]
