"""The gateway as a whole: which key signs, credentials, doors, determinism, routes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from wechatpay_chain import (
    APIError,
    ConfigurationError,
    ConnectError,
    Response,
    WeChatPay,
    crypto,
)
from wechatpay_chain.sandbox import Clock, Gateway, Ids, KeySet, Service

MODES = ("public_key", "certificate", "migrating")
modes = pytest.mark.parametrize("mode", MODES)
ECHO = "/v3/security/echo"


def verified_by(gateway: Gateway, response: Response) -> str:
    """The id of the key that signed, after checking with *cryptography* alone."""
    headers = response.headers
    serial = headers["Wechatpay-Serial"]
    migrating = Gateway(seed=1, mode="migrating").credentials["certs"]
    key = crypto.load_public_key(migrating[serial]).key
    message = (
        f"{headers['Wechatpay-Timestamp']}\n{headers['Wechatpay-Nonce']}\n".encode()
        + response.content
        + b"\n"
    )
    assert crypto.verify(message, headers["Wechatpay-Signature"], key)
    return serial


WANTED = {
    ("public_key", "none"): "public",
    ("public_key", "public"): "public",
    ("public_key", "certificate"): "public",
    ("certificate", "none"): "certificate",
    ("certificate", "public"): "public",
    ("certificate", "certificate"): "certificate",
    ("migrating", "none"): "certificate",
    ("migrating", "public"): "public",
    ("migrating", "certificate"): "certificate",
}


@pytest.mark.parametrize(("mode", "asked"), list(WANTED))
def test_request_and_mode_choose_the_key_that_signs(
    hand: Any, mode: str, asked: str
) -> None:
    gateway = hand.gateway = Gateway(seed=1, mode=mode)
    ids = {"public": gateway.public_key_id, "certificate": gateway.certificate_serial}
    headers = {} if asked == "none" else {"Wechatpay-Serial": ids[asked]}
    response = hand.send("POST", ECHO, {"echo_message": "hi"}, headers=headers)
    assert verified_by(gateway, response) == ids[WANTED[mode, asked]]


SIGNED = [
    ("POST", ECHO, {"echo_message": "hi"}, 200),
    ("POST", ECHO, {}, 400),
    ("GET", "/v3/payscore/serviceorder?out_order_no=1&appid=0&service_id=0", None, 403),
    ("GET", "/v3/nowhere", None, 404),
    ("POST", ECHO, b"x" * (10 * 1024 * 1024 + 1), 413),
]


@pytest.mark.parametrize(("method", "target", "data", "status"), SIGNED)
def test_success_and_refusals_are_signed(
    hand: Any, method: str, target: str, data: Any, status: int
) -> None:
    response = hand.send(method, target, data)
    assert response.status_code == status
    assert verified_by(hand.gateway, response) == hand.gateway.public_key_id


def test_every_answer_has_its_own_request_id_and_says_sandbox(hand: Any) -> None:
    answers = [hand.send("POST", ECHO, {"echo_message": "hi"}) for _ in range(3)]
    answers.append(hand.send("GET", "/v3/nowhere"))
    answers.append(hand.send("POST", ECHO, {}, mchid="1"))
    assert len({answer.request_id for answer in answers}) == 5
    assert [answer.headers["Wechatpay-Sandbox"] for answer in answers] == [
        "stateful",
        "stateful",
        "stateful",
        "gateway",
        "gateway",
    ]


@modes
def test_credentials_build_a_client(mode: str, call: Any) -> None:
    gateway = Gateway(seed=1, mode=mode)
    client = WeChatPay(
        **gateway.credentials,
        transport=gateway.transport(),
        async_transport=gateway.async_transport(),
        clock=gateway.clock,
    )
    assert ("certs" in gateway.credentials) is (mode != "certificate")
    reply = call(client.v3.security.echo.post, {"echo_message": "hi"})
    assert reply.verified
    assert reply.data == {"echo_message": "hi"}


@modes
def test_each_mode_carries_an_order_to_its_end(mode: str, call: Any) -> None:
    gateway = Gateway(seed=1, mode=mode)
    orders = gateway.client().v3.payscore.serviceorder
    created = call(orders.post, gateway.given.create_body(out_order_no="N1"))
    gateway.user.confirm("N1")
    cancelled = call(
        orders._out_order_no_.cancel.post,
        {"appid": gateway.appid, "reason": "x"},
        out_order_no="N1",
    )
    assert created.verified
    assert cancelled.verified
    expected = gateway.public_key_id
    if mode == "certificate":
        expected = gateway.certificate_serial
    assert created.serial == cancelled.serial == expected


def test_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="public_key, certificate, migrating"):
        Gateway(mode="publickey")


def test_client_takes_the_callers_options(gateway: Gateway) -> None:
    seen: list[str] = []

    def watch(request: Any) -> Any:
        seen.append(request.method)
        return (yield request)

    client = gateway.client(middleware=[watch], user_agent="mine/1")
    reply = client.v3.security.echo.post({"echo_message": "hi"})
    assert seen == ["POST"]
    assert reply.request.headers["User-Agent"] == "mine/1"


class Slow:
    """A policy that waits before one more attempt."""

    def after_error(self, request: Any, error: Any, attempt: int) -> float | None:
        return 40.0 if attempt == 1 else None

    def after_response(self, request: Any, response: Any, attempt: int) -> None:
        return None


def test_waiting_in_a_door_is_virtual_time(gateway: Gateway, call: Any) -> None:
    tries: list[float] = []

    def flaky(request: Any) -> Any:
        tries.append(gateway.clock())
        if len(tries) == 1:
            raise ConnectError("refused")
        return (yield request)

    client = gateway.client(retry=Slow())
    client.stack.after("sign", flaky, "flaky")
    assert call(client.v3.security.echo.post, {"echo_message": "hi"}).verified
    assert tries == [1717225200.0, 1717225240.0]


# Certificates.


def test_client_downloads_the_certificates_by_itself(call: Any) -> None:
    gateway = Gateway(seed=1, mode="certificate")
    client = gateway.client()
    assert len(client.keys) == 0
    reply = call(client.v3.security.echo.post, {"echo_message": "hi"})
    assert reply.verified
    assert reply.serial == gateway.certificate_serial
    assert list(client.keys) == [gateway.certificate_serial]


@pytest.mark.parametrize("mode", ["certificate", "migrating"])
def test_certificates_open_with_the_apiv3_key(mode: str) -> None:
    gateway = Gateway(seed=1, mode=mode)
    (entry,) = gateway.client().v3.certificates.get().data["data"]
    sealed = entry["encrypt_certificate"]
    assert sealed["algorithm"] == "AEAD_AES_256_GCM"
    assert sealed["associated_data"] == "certificate"
    assert len(sealed["nonce"]) == 12
    pem = crypto.decrypt_gcm(
        sealed["ciphertext"],
        gateway.credentials["apiv3_key"],
        sealed["nonce"],
        "certificate",
    )
    loaded = crypto.load_public_key(pem)
    assert loaded.serial == entry["serial_no"] == gateway.certificate_serial
    assert entry["effective_time"] == "2023-06-02T15:00:00+08:00"
    assert entry["expire_time"] == "2028-05-31T15:00:00+08:00"


def test_merchant_in_public_key_mode_has_no_certificates(gateway: Gateway) -> None:
    with pytest.raises(APIError) as caught:
        gateway.client().v3.certificates.get()
    assert caught.value.status_code == 404
    assert caught.value.code == "RESOURCE_NOT_EXISTS"


def test_client_that_wants_certificates_there_is_told_what_to_do(
    gateway: Gateway, call: Any
) -> None:
    client = gateway.client(certs={})
    with pytest.raises(ConfigurationError, match="微信支付公钥"):
        call(client.v3.security.echo.post, {"echo_message": "hi"})


@pytest.mark.parametrize(
    ("kind", "count"), [("RSA", 1), ("ALL", 1), ("SM2", 0), ("DSA", None)]
)
def test_algorithm_type_selects(kind: str, count: int | None) -> None:
    client = Gateway(seed=1, mode="migrating").client()
    if count is None:
        with pytest.raises(APIError, match="one of RSA, SM2, ALL expected"):
            client.v3.certificates.get({"algorithm_type": kind})
        return
    reply = client.v3.certificates.get({"algorithm_type": kind})
    assert len(reply["data"]) == count


# Echo.


@pytest.mark.parametrize("whose", ["public_key_id", "certificate_serial"])
def test_echo_opens_and_seals_the_secret(gateway: Gateway, whose: str) -> None:
    gateway = Gateway(seed=1, mode="migrating")
    serial = getattr(gateway, whose)
    certs = gateway.credentials["certs"]
    key = crypto.load_public_key(certs[serial]).key
    reply = gateway.client().v3.security.echo.post(
        {
            "echo_message": "你好",
            "encrypted_echo_message": crypto.encrypt_oaep("秘密", key),
        },
        headers={"Wechatpay-Serial": serial},
    )
    assert reply["echo_message"] == "你好"
    sealed = json.loads(reply.content)["encrypted_echo_message"]
    own = gateway.credentials["private_key"]
    assert crypto.decrypt_oaep(sealed, own) == "秘密"


SECRETS = [
    ({"Wechatpay-Serial": "PUB_KEY_ID_0"}, "Wechatpay-Serial"),
    ({}, "Wechatpay-Serial"),
    ({"Wechatpay-Serial": "certificate"}, "/encrypted_echo_message"),
]


@pytest.mark.parametrize(("headers", "field"), SECRETS)
def test_secret_needs_the_serial_of_its_key(
    hand: Any, headers: dict[str, str], field: str
) -> None:
    gateway = hand.gateway
    key = gateway.credentials["certs"][gateway.public_key_id]
    if headers.get("Wechatpay-Serial") == "certificate":
        headers = {"Wechatpay-Serial": gateway.certificate_serial}
    data = {
        "echo_message": "hi",
        "encrypted_echo_message": crypto.encrypt_oaep("x", key),
    }
    response = hand.send("POST", ECHO, data, headers=headers)
    error = json.loads(response.content)
    assert (response.status_code, error["code"]) == (400, "PARAM_ERROR")
    assert error["detail"]["field"] == field


# Routes.


ROUTES = [
    ("GET", "/v3/payscore/serviceorders", "route_unknown", "/v3/payscore/serviceorder"),
    ("PUT", ECHO, "method_unknown", f"POST {ECHO}"),
    ("GET", "/v3/payscore/serviceorder/N1/cancel", "method_unknown", "POST"),
    ("POST", "/v3/payscore/serviceorder//cancel/", "route_unknown", "cancel"),
    ("POST", "/", "route_unknown", "/v3"),
]


@pytest.mark.parametrize(("method", "target", "identifier", "near"), ROUTES)
def test_unknown_route_is_404_with_the_nearest(
    hand: Any, outcome: Any, method: str, target: str, identifier: str, near: str
) -> None:
    response = hand.send(method, target)
    assert outcome(response) == (404, "RESOURCE_NOT_EXISTS", identifier)
    nearest = json.loads(response.content)["detail"]["sandbox"]["nearest"]
    assert near in " ".join(nearest)


def test_placeholder_left_as_it_stands_is_a_bad_number(hand: Any, outcome: Any) -> None:
    target = "/v3/payscore/serviceorder/%7Bout_order_no%7D/cancel"
    body = {"appid": hand.gateway.appid, "reason": "x"}
    response = hand.send("POST", target, body)
    assert outcome(response) == (400, "PARAM_ERROR", "parameters")


def test_body_where_none_belongs_is_refused(hand: Any, outcome: Any) -> None:
    response = hand.send("GET", "/v3/certificates", {"a": 1})
    assert outcome(response) == (400, "PARAM_ERROR", "parameters")


def test_repeated_query_parameter_is_refused(hand: Any) -> None:
    response = hand.send(
        "GET", "/v3/certificates?algorithm_type=RSA&algorithm_type=RSA"
    )
    assert json.loads(response.content)["detail"]["issue"] == "given twice"


# Determinism and isolation.


def journal(seed: int) -> list[Any]:
    """What a client sees of a whole world: bytes, ids, signatures."""
    gateway = Gateway(seed=seed)
    client = gateway.client()
    order = gateway.given.order()
    gateway.user.confirm(order)
    reply = client.v3.payscore.serviceorder._out_order_no_.cancel.post(
        {"appid": gateway.appid, "reason": "x"}, out_order_no=order
    )
    return [
        reply.request.headers["Authorization"],
        reply.content,
        dict(reply.headers),
        gateway.credentials["serial"],
        gateway.credentials["apiv3_key"],
        gateway.orders[order].query_id,
    ]


def test_same_seed_gives_the_same_world() -> None:
    assert journal(7) == journal(7)


def test_another_seed_gives_another_world() -> None:
    first, second = journal(1), journal(2)
    assert all(one != other for one, other in zip(first, second))


def test_two_gateways_are_two_worlds() -> None:
    first, second = Gateway(seed=1), Gateway(seed=1)
    order = first.given.order()
    first.advance(days=1)
    assert order in first.orders
    assert order not in second.orders
    assert second.clock() == 1717225200


def test_keys_are_made_once_per_process() -> None:
    first, second = Gateway(seed=1), Gateway(seed=2)
    assert first.credentials["private_key"] is second.credentials["private_key"]


def test_keys_clock_and_services_can_be_given(vectors: dict[str, Any]) -> None:
    known = vectors["keys"]
    keys = KeySet(
        crypto.load_private_key(known["merchant_private_key_pkcs8_der_base64"]),
        *KeySet.shared()[1:],
    )
    gateway = Gateway(keys=keys, clock=Clock(1800000000))
    client = gateway.client()
    reply = client.v3.security.echo.post({"echo_message": "hi"})
    assert reply.headers["Wechatpay-Timestamp"] == "1800000000"
    public = known["merchant_public_key_pem"]
    ours = crypto.load_public_key(public).key
    assert gateway.merchant.public_key.public_numbers() == ours.public_numbers()


def test_threads_share_a_gateway(gateway: Gateway) -> None:
    client = gateway.client()
    bodies = [gateway.given.create_body() for _ in range(40)]

    def create(body: Any) -> str:
        reply = client.v3.payscore.serviceorder.post(body)
        assert reply.verified
        return str(reply["order_id"])

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(create, bodies * 2))
    assert len(made) == len(gateway.orders) == 40


def test_tasks_share_a_gateway(gateway: Gateway) -> None:
    async def main() -> list[Any]:
        client = gateway.client()
        bodies = [gateway.given.create_body() for _ in range(20)]
        node = client.v3.payscore.serviceorder
        return await asyncio.gather(*(node.post_async(body) for body in bodies))

    assert all(reply.verified for reply in asyncio.run(main()))
    assert len(gateway.orders) == 20


def test_time_goes_forward_only(gateway: Gateway) -> None:
    with pytest.raises(ValueError, match="forward only"):
        gateway.advance(seconds=-1)
    assert gateway.clock() == 1717225200


def test_numbers_look_like_wechats() -> None:
    ids = Ids(seed=5)
    assert ids.transaction_id(0) == "4200000001197001010050000001"
    assert len(ids.nonce()) == 32
    assert ids.nonce() != ids.nonce()


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("USER_CONFIRM", "CONFIRMED"),
        ("MCH_COMPLETE", "PAYING"),
        ("DONE", "PAID"),
        ("ZERO", "ZERO"),
    ],
)
def test_a_state_may_be_called_by_wechats_own_word(
    gateway: Gateway, word: str, state: str
) -> None:
    order = gateway.given.order(state=word)
    assert gateway.orders[order].state == state


def test_given_refuses_what_cannot_be(gateway: Gateway) -> None:
    with pytest.raises(ValueError, match="state: one of CREATED"):
        gateway.given.order(state="DOING")
    with pytest.raises(ValueError, match="/attach: 1 to 256"):
        gateway.given.order(attach="")
    with pytest.raises(ValueError, match=f"appid wx0 is not bound .*{gateway.appid}"):
        gateway.given.order(appid="wx0")
    with pytest.raises(KeyError, match="has no order 'N1'"):
        gateway.user.confirm("N1")


def test_given_order_without_confirmation(gateway: Gateway) -> None:
    gateway.user.authorize("o1")
    changes = {
        "service_id": gateway.no_confirm_service_id,
        "need_user_confirm": False,
        "openid": "o1",
    }
    order = gateway.given.order(state="PAYING", **changes)
    assert gateway.orders[order].history == ["CONFIRMED", "PAYING"]
    with pytest.raises(ValueError, match="such an order is CONFIRMED, not CREATED"):
        gateway.given.order(state="CREATED", **changes)


def test_no_key_shows_in_a_repr(gateway: Gateway) -> None:
    gateway.given.order()
    shown = " ".join(
        map(
            repr,
            [
                gateway,
                gateway.merchant,
                gateway.world,
                gateway.user,
                gateway.given,
                gateway.orders,
                KeySet.shared(),
            ],
        )
    )
    for name in ("apiv3_key", "secret"):
        assert gateway.credentials[name] not in shown
    assert "RSAPrivateKey" not in shown


def test_package_does_not_load_the_sandbox() -> None:
    code = (
        "import sys, wechatpay_chain;"
        "print([m for m in sys.modules if m.split('.')[1:2] in (['sandbox'], ['cli'])])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_query_that_is_no_utf8_is_refused(hand: Any, outcome: Any) -> None:
    response = hand.send("GET", "/v3/certificates?algorithm_type=%ff")
    assert outcome(response) == (400, "PARAM_ERROR", "parameters")


def test_gateway_without_a_kind_of_service_says_so() -> None:
    gateway = Gateway(services=[Service("1")])
    assert gateway.service_id == "1"
    with pytest.raises(LookupError, match="needs_confirm=False"):
        gateway.user.authorize()


def test_completing_again_with_the_same_parameters_does_nothing(
    gateway: Gateway,
) -> None:
    order = gateway.orders[gateway.given.order(state="CONFIRMED")]
    bill = {"post_payments": [{"name": "a", "amount": 5}], "total_amount": 5}
    for _ in range(2):
        order.complete(bill, gateway.clock())
    assert order.history == ["CREATED", "CONFIRMED", "PAYING"]
    assert len(order.steps) == 3
    assert order.document()["post_payments"] == bill["post_payments"]
