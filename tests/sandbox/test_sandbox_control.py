"""The control API: the verbs of the Python object as JSON, and for nobody else."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain import Headers, Request, WeChatPay
from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.sandbox.control.api import Control
from wechatpay_chain.sandbox.control.page import PAGE, page
from wechatpay_chain.sandbox.control.views import SNAPSHOTS

HOST = {"Host": "127.0.0.1:8080"}
JSON = {**HOST, "Content-Type": "application/json"}


class Api:
    """Asks the control API of a gateway."""

    def __init__(self, gateway: Gateway, **options: Any) -> None:
        self.control = Control(gateway, **options)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        url = f"http://127.0.0.1:8080/_sandbox/{path}"
        given = Headers(JSON if headers is None else headers)
        response = self.control.handle(Request(method, url, given, body))
        return response.status_code, json.loads(response.content)

    def get(self, path: str = "") -> Any:
        status, data = self.ask("GET", path)
        assert status == 200, data
        return data

    def post(self, path: str, **body: Any) -> Any:
        status, data = self.ask("POST", path, json.dumps(body).encode())
        assert status == 200, data
        return data


@pytest.fixture
def api(gateway: Gateway) -> Api:
    return Api(gateway)


def test_an_order_is_led_through_its_life(
    api: Api, gateway: Gateway, call: Any
) -> None:
    number = api.post("given/order")["result"]
    shown = api.post("user/confirm", out_order_no=number)
    assert (shown["out_order_no"], shown["state"]) == (number, "CONFIRMED")
    client = gateway.client()
    cancel = client.v3.payscore.serviceorder._out_order_no_.cancel
    who = {"appid": gateway.appid, "service_id": gateway.service_id}
    assert call(cancel.post, {**who, "reason": "x"}, out_order_no=number).verified
    call.close(client)
    order = api.get(f"orders/{number}")["order"]
    assert order["history"] == ["CREATED", "CONFIRMED", "REVOKED"]
    assert [one["out_order_no"] for one in api.get("orders")["orders"]] == [number]


def test_the_order_of_another_merchant_is_named_by_a_pair(
    api: Api, gateway: Gateway
) -> None:
    other = gateway.client(**gateway.enrol("1900000002"))
    body = gateway.given.create_body(out_order_no="THEIRS")
    other.v3.payscore.serviceorder.post(body)
    shown = api.post("user/confirm", out_order_no=["1900000002", "THEIRS"])
    assert shown["state"] == "CONFIRMED"
    assert api.get("orders/THEIRS?mchid=1900000002")["order"]["mchid"] == "1900000002"
    assert api.ask("GET", "orders/THEIRS")[0] == 404


def test_every_act_of_user_and_scene_is_a_command(api: Api, gateway: Gateway) -> None:
    paths = {one["path"] for one in api.get()["commands"]}
    for name, actor in (("user", gateway.user), ("given", gateway.given)):
        for act, _ in inspect.getmembers(actor, inspect.ismethod):
            assert act.startswith("_") or f"/_sandbox/{name}/{act}" in paths


def test_commands_have_a_sentence_and_a_path_of_their_own(api: Api) -> None:
    commands = api.get()["commands"]
    assert all(one["about"].endswith(".") for one in commands)
    places = [(one["method"], one["path"]) for one in commands]
    assert len(set(places)) == len(places)


def test_every_list_is_there_from_the_start(api: Api) -> None:
    for one in api.get()["commands"]:
        if one["method"] == "GET" and "{" not in one["path"]:
            api.get(one["path"].removeprefix("/_sandbox/"))


@pytest.mark.parametrize(
    ("values", "status", "error"),
    [
        ({"amount": "99999999"}, 409, "illegal_move"),
        ({"amount": "x"}, 400, "bad_request"),
    ],
)
def test_a_recipe_that_is_refused_is_no_wrong_use_of_it(
    api: Api, values: Any, status: int, error: str
) -> None:
    given = json.dumps({"event": "payscore.paid", "values": values}).encode()
    found = api.ask("POST", "trigger", given)
    assert found[0] == status
    assert found[1]["error"] == error


def test_advancing_does_what_falls_due(api: Api, gateway: Gateway) -> None:
    number = gateway.given.order()
    before = api.get("clock")["now"]
    assert api.post("advance", days=30)["now"] == before + 30 * 86400
    assert gateway.orders[number].state == "EXPIRED"


def test_the_journal_is_filtered_and_shows_no_signature(
    api: Api, gateway: Gateway, hand: Any
) -> None:
    client = gateway.client()
    client.v3.security.echo.post({"echo_message": "hi"})
    hand.send("GET", "/v3/certificates", signature="AAAA")
    found = api.get("journal")["exchanges"]
    assert [one["status"] for one in found] == [200, 401]
    for query, numbers in {
        "status=401": [2],
        "verdict=ok": [1],
        "verdict=refused": [2],
        "path=echo": [1],
        "method=GET": [2],
        "after=1": [2],
        "limit=1": [2],
        "mchid=1900000001&method=POST": [1],
        "mchid=nobody": [],
    }.items():
        found = api.get(f"journal?{query}")["exchanges"]
        assert [one["number"] for one in found] == numbers, query
    full = api.get("journal/1")
    assert json.loads(full["request"]["body"]) == {"echo_message": "hi"}
    exchange = gateway.journal[1]
    assert exchange.response is not None
    signature = exchange.response.headers["Wechatpay-Signature"]
    assert signature not in json.dumps(full)
    assert full["response"]["headers"]["Wechatpay-Signature"] == f"{signature[:8]}..."
    sent = exchange.request.headers["Authorization"].partition('signature="')[2]
    assert sent.partition('"')[0] not in json.dumps(full)
    assert api.ask("GET", "journal/99")[0] == 404


def test_reset_and_restore_bring_a_world_back(api: Api, gateway: Gateway) -> None:
    client = gateway.client()
    number = gateway.given.order()
    assert api.post("snapshot") == {"snapshot": 1}
    gateway.user.confirm(number)
    gateway.advance(hours=1)
    then = gateway.clock()
    api.post("restore", snapshot=1)
    assert gateway.orders[number].state == "CREATED"
    assert gateway.clock() == then - 3600
    api.post("reset")
    assert len(gateway.orders) == 0
    # Nonces of the time before are not held against anyone.
    for _ in range(2):
        assert client.v3.security.echo.post({"echo_message": "hi"}).verified
    assert api.ask("POST", "restore", b'{"snapshot": 2}')[0] == 404


def test_only_the_latest_snapshots_are_kept(api: Api) -> None:
    taken = [api.post("snapshot")["snapshot"] for _ in range(SNAPSHOTS + 1)]
    assert api.ask("POST", "restore", b'{"snapshot": 1}')[0] == 404
    for number in (taken[1], taken[-1]):
        assert api.post("restore", snapshot=number) == {"snapshot": number}


def test_a_fault_is_added_listed_and_deleted(api: Api, gateway: Gateway) -> None:
    rule = api.post("faults", kind="error", options={"code": "FREQUENCY_LIMITED"})
    assert [one["kind"] for one in api.get("faults")["faults"]] == ["error"]
    client = gateway.client(retry=1)
    with pytest.raises(Exception, match="FREQUENCY_LIMITED"):
        client.v3.security.echo.post({"echo_message": "hi"})
    api.post("faults/delete", number=rule["fault"]["number"])
    assert api.get("faults") == {"faults": []}
    api.post("faults", kind="reply_lost", on="payscore.cancel", times=2)
    api.post("faults/clear")
    assert client.v3.security.echo.post({"echo_message": "hi"}).verified


def test_settings_are_plain_words(api: Api, gateway: Gateway) -> None:
    assert api.get("settings")["deduction"] == "manual"
    shown = api.post(
        "settings", deduction={"after": {"seconds": 60}}, validation="warn"
    )
    assert shown["deduction"] == {"after": {"seconds": 60}}
    assert gateway.deduction.seconds == 60  # type: ignore[union-attr]
    assert gateway.validation.mode == "warn"
    assert api.post("settings", deduction="immediate")["deduction"] == "immediate"
    assert api.post("settings", refunding="abnormal")["deduction"] == "immediate"


@pytest.mark.parametrize(
    "value",
    ["never", {"after": {"days": 1}}, {"after": {}, "fails": {}}, {"after": 3}, 5, []],
)
def test_what_is_no_plan_is_400(api: Api, value: Any) -> None:
    body = json.dumps({"deduction": value}).encode()
    status, data = api.ask("POST", "settings", body)
    assert status == 400
    assert "deduction" in data["message"] or "After" in data["message"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("GET", "nothing", b"", 404, "GET /_sandbox/ lists"),
        ("POST", "nothing", b"", 404, "GET /_sandbox/ lists"),
        ("GET", "advance", b"", 405, "takes POST, not GET"),
        ("DELETE", "orders", b"", 405, "takes GET, not DELETE"),
        ("POST", "advance", b"{", 400, "no JSON"),
        ("POST", "advance", b"[" * 100000, 400, "no JSON"),
        ("POST", "advance", b"[]", 400, "a JSON object"),
        ("POST", "advance", b'{"seconds": "5"}', 400, "a number expected, got 5"),
        ("POST", "advance", b'{"seconds": true}', 400, "a number expected, got True"),
        ("POST", "advance", b'{"seconds": -5}', 400, "forward only"),
        ("POST", "advance", b'{"second": 5}', 400, "did you mean seconds"),
        ("POST", "user/confirm", b"{}", 400, "out_order_no: required"),
        ("POST", "user/confirm", b'{"out_order_no": 5}', 400, "expected, got 5"),
        ("POST", "user/confirm", b'{"out_order_no": "X"}', 404, "no order 'X'"),
        ("POST", "user/confirm", b'{"out_order_no": [1, 2]}', 400, "expected"),
        ("POST", "given/order", b'{"state": "HALF"}', 400, "state: one of"),
        ("POST", "given/order", b'{"risk_fund": {}}', 409, "risk_fund"),
        ("POST", "reset", b'{"really": true}', 400, "takes nothing"),
        ("POST", "faults", b'{"kind": "quake"}', 400, "kind: one of"),
        ("POST", "faults", b'{"kind": "error", "options": 5}', 400, "an object"),
        ("POST", "faults/delete", b'{"number": 9}', 404, "9"),
        ("POST", "notifications/resend", b'{"id": "x"}', 404, "'x'"),
        ("GET", "notifications/x", b"", 404, "no x among"),
        ("GET", "journal?limit=all", b"", 400, "a whole number expected"),
        ("GET", "journal?limits=1", b"", 400, "did you mean limit"),
        ("GET", "journal/first", b"", 400, "a whole number expected"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(
    api: Api, method: str, path: str, body: bytes, status: int, told: str
) -> None:
    found, data = api.ask(method, path, body)
    assert found == status
    assert told in data["message"]


def test_an_illegal_act_is_409_and_says_what_is_allowed(
    api: Api, gateway: Gateway
) -> None:
    number = gateway.given.order()
    body = json.dumps({"out_order_no": number}).encode()
    status, data = api.ask("POST", "user/pay", body)
    assert (status, data["error"]) == (409, "illegal_move")
    assert "CREATED" in data["message"]


def test_a_body_above_the_limit_is_413() -> None:
    api = Api(Gateway(seed=1, body_limit=10))
    assert api.ask("POST", "advance", b" " * 11)[0] == 413


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8080"}, 200),
        ({"Host": "[::1]:8080"}, 200),
        ({"Origin": "http://127.0.0.1:8080"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({"Host": "rebound.example:8080"}, 403),
        ({"Host": "127.0.0.1.example"}, 403),
        ({"Host": "[::1"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:9090"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_no_page_of_another_site_commands_it(
    api: Api, gateway: Gateway, changes: dict[str, str], status: int
) -> None:
    before = gateway.clock()
    found, _ = api.ask("POST", "advance", b'{"seconds": 5}', {**JSON, **changes})
    assert found == status
    assert (gateway.clock() == before) is (status != 200)


def test_where_it_was_opened_to_others_any_host_is_ours(gateway: Gateway) -> None:
    api = Api(gateway, any_host=True)
    headers = {"Host": "sandbox.example"}
    assert api.ask("GET", "clock", headers=headers)[0] == 200
    headers["Origin"] = "http://evil.example"
    assert api.ask("GET", "clock", headers=headers)[0] == 403


def test_where_it_is_not_open_all_of_it_is_404(gateway: Gateway) -> None:
    api = Api(gateway, enabled=False)
    for path in ("", "clock", "nothing"):
        status, data = api.ask("GET", path)
        assert (status, data["error"]) == (404, "disabled")


def test_a_failure_of_our_own_is_500_and_no_traceback(
    api: Api, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(gateway, "advance", broken)
    status, data = api.ask("POST", "advance", b"{}")
    assert (status, data) == (500, {"error": "failed", "message": "RuntimeError"})


def test_over_http_it_is_open_on_the_loopback_and_nowhere_else() -> None:
    import requests

    gateway = Gateway(seed=1)
    with gateway.serve() as server, requests.Session() as session:
        session.trust_env = False
        url = f"{server.base_url}/_sandbox/"
        assert session.get(url).json()["mchid"] == gateway.mchid
        with WeChatPay(**gateway.credentials, base_url=server.base_url) as client:
            body = gateway.given.create_body()
            client.v3.payscore.serviceorder.post(body)
        confirmed = session.post(
            f"{url}user/confirm", json={"out_order_no": body["out_order_no"]}
        )
        assert confirmed.json()["state"] == "CONFIRMED"
        assert session.head(url).content == b""
    closed = [gateway.serve("0.0.0.0", remote=True), gateway.serve(control=False)]
    for server in closed:
        with server, requests.Session() as session:
            session.trust_env = False
            got = session.get(f"http://127.0.0.1:{server.port}/_sandbox/")
            assert got.status_code == 404


def test_the_page_is_what_the_table_says() -> None:
    root = Path(__file__).parents[2]
    text = (root / PAGE).read_text("utf-8")
    assert "`POST /_sandbox/user/confirm`" in text
    assert text == page(text, Gateway(seed=1))
