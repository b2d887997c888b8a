"""A layer of the user's own: in each shape, at each place, per client and per call."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from threading import Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_private_key

from wechatpay_chain import (
    APIError,
    ConnectError,
    EncodeError,
    LayerError,
    MissingHeaders,
    Response,
    SignatureError,
    Stack,
    WeChatPay,
    around,
    fetch,
    middleware,
    read,
    send,
)
from wechatpay_chain import (
    call as ask,
)
from wechatpay_chain.crypto import authorization, request_message


def mark(request):
    """Plain: no decorator."""
    response = yield from send(request.with_header("X-Mark", "1"))
    return response.replace(data={"seen": response.data})


@middleware
def decorated(request):
    return (yield from mark(request))


class Marks:
    """Every way in which a class can hold a layer."""

    def method(self, request):
        return (yield from mark(request))

    @middleware
    def decorated(self, request):
        assert isinstance(self, Marks)
        return (yield from mark(request))

    @classmethod
    def of_class(cls, request):
        assert cls is Marks
        return (yield from mark(request))

    @staticmethod
    def static(request):
        return (yield from mark(request))

    @middleware
    @classmethod
    def decorated_of_class(cls, request):
        assert cls is Marks
        return (yield from mark(request))

    @classmethod
    @middleware
    def of_class_decorated(cls, request):
        assert cls is Marks
        return (yield from mark(request))

    @middleware
    @staticmethod
    def decorated_static(request):
        return (yield from mark(request))

    @staticmethod
    @middleware
    def static_decorated(request):
        return (yield from mark(request))

    def __call__(self, request):
        return (yield from mark(request))


@around
def guest(request, call_next):
    response = call_next(request.with_header("X-Mark", "1"))
    return response.replace(data={"seen": response.data})


@around
async def async_guest(request, call_next):
    response = await call_next(request.with_header("X-Mark", "1"))
    await asyncio.sleep(0)
    return response.replace(data={"seen": response.data})


class Guests:
    @around
    def method(self, request, call_next):
        return guest.__wrapped__(request, call_next)

    @around
    async def async_method(self, request, call_next):
        return await async_guest.__wrapped__(request, call_next)

    def __call__(self, request, call_next):
        return self.method.__wrapped__(request, call_next)


SHAPES = {
    "function": mark,
    "decorated function": decorated,
    "bound method": Marks().method,
    "decorated method": Marks().decorated,
    "class method": Marks.of_class,
    "class method of an instance": Marks().of_class,
    "decorated class method": Marks.decorated_of_class,
    "class method decorated": Marks.of_class_decorated,
    "static method": Marks.static,
    "decorated static method": Marks.decorated_static,
    "static method decorated": Marks.static_decorated,
    "callable object": Marks(),
    "decorated callable object": middleware(Marks(), name="marks"),
    "lambda": lambda request: mark(request),
    "guest": {"sync": guest, "async": async_guest},
    "guest method": {"sync": Guests().method, "async": Guests().async_method},
    "guest object": {"sync": around(Guests()), "async": async_guest},
}


@pytest.fixture(params=SHAPES)
def layer(request, call) -> Any:
    shape = SHAPES[request.param]
    return shape[call.mode] if isinstance(shape, dict) else shape


def place(stack: Stack, where: str, layer: Any) -> None:
    change, _, existing = where.partition(" ")
    if change == "push":
        stack.push(layer, "own")
    else:
        getattr(stack, change)(existing, layer, "own")


PLACES = ["push", "before sign", "after sign", "before verify", "after decode"]


@pytest.mark.parametrize("where", PLACES)
def test_a_layer_of_each_shape_stands_at_each_place(
    call, server, client, layer, where: str
) -> None:
    place(client.stack, where, layer)
    reply = call(client.v3.x.post, {"a": 1})
    assert server.request.headers["X-Mark"] == "1"
    assert reply.verified
    # Further in than decode, what a layer sets is decoded over.
    assert reply.data == ({"seen": {}} if where == "push" else {})


def test_a_layer_of_each_shape_stands_in_place_of_a_built_in_one(
    call, server, client, layer
) -> None:
    client.stack.replace("decode", layer)
    assert "decode" in client.stack
    reply = call(client.v3.x.get)
    assert reply.data == {"seen": None}
    assert reply.verified
    assert reply.json() == {}


def test_a_layer_of_each_shape_serves_one_call(call, server, client, layer) -> None:
    assert call(client.v3.x.get, middleware=[layer]).data == {"seen": {}}
    changed = client.stack.copy().replace("decode", layer)
    assert call(client.v3.x.get, middleware=changed).data == {"seen": None}
    assert call(client.v3.x.get).data == {}
    assert [("X-Mark" in request.headers) for request in server.requests] == [
        True,
        True,
        False,
    ]


def test_a_layer_of_each_shape_serves_from_the_start(call, server, make, layer) -> None:
    client = make(middleware=[layer])
    assert call(client.v3.x.get).data == {"seen": {}}
    assert len(client.stack) == 9


def test_several_layers_of_one_call_are_outermost_first(call, server, client) -> None:
    order: list[str] = []

    def named(name: str) -> Any:
        @middleware(name=name)
        def run(request):
            order.append(name)
            return (yield request)

        return run

    client.stack.push(named("client"))
    call(client.v3.x.get, middleware=[named("first"), named("second")])
    assert order == ["first", "second", "client"]
    call(client.v3.x.get, middleware=())
    assert order[3:] == ["client"]


class TestWithoutABuiltInLayer:
    def test_verify(self, call, server, client) -> None:
        client.stack.remove("verify")
        server.will(server.plain(200, {"a": 1}))
        reply = call(client.v3.x.get)
        assert (reply.data, reply.verified) == ({"a": 1}, False)

    def test_sign(self, call, server, client) -> None:
        server.strict = False
        client.stack.remove("sign")
        call(client.v3.x.get)
        assert "Authorization" not in server.request.headers

    def test_raise_errors(self, call, server, client) -> None:
        client.stack.remove("raise_errors")
        server.will(server.plain(404, {"code": "ORDER_NOT_EXIST"}))
        reply = call(client.v3.x.get)
        assert (reply.status_code, reply["code"]) == (404, "ORDER_NOT_EXIST")

    def test_decode(self, call, server, client) -> None:
        stack = client.stack.copy().remove("decode")
        reply = call(client.v3.x.get, middleware=stack)
        assert (reply.data, reply.content, reply.verified) == (None, b"{}", True)

    def test_retry(self, call, server, client) -> None:
        client.stack.remove("retry")
        server.will(ConnectError("no route"))
        with pytest.raises(ConnectError):
            call(client.v3.x.get)
        assert len(server.requests) == 1

    def test_encode(self, call, server, client) -> None:
        def own(request):
            return (yield request.with_body(b"<own/>", "text/xml"))

        client.stack.replace("encode", own)
        call(client.v3.x.post, {"a": 1})
        assert server.request.body == b"<own/>"
        assert server.request.headers["Content-Type"] == "text/xml"

    @pytest.mark.parametrize(("version", "name"), [("v3", "encode"), ("v2", "sign")])
    def test_a_body_that_nothing_encodes_is_not_sent_empty(
        self, call, server, client, version: str, name: str
    ) -> None:
        stack = client.stack if version == "v3" else client.xml_stack
        stack.remove(name)
        with pytest.raises(
            LayerError, match="not bytes yet, and would go out empty"
        ) as caught:
            call(client[f"{version}/x"].post, {"a": "1"})
        assert caught.value.outcome == "not_sent"
        assert not server.requests
        if version == "v3":
            assert call(client.v3.x.get).verified


class TestARemoteSigner:
    """A key management service signs: the private key is not at hand."""

    @staticmethod
    def service(server: Any, calls: list[bytes]) -> Any:
        key: Any = load_der_private_key(
            b64decode(server.keys["merchant_private_key_pkcs8_der_base64"]), None
        )

        def sign(message: bytes) -> str:
            calls.append(message)
            return b64encode(
                key.sign(message, padding.PKCS1v15(), hashes.SHA256())
            ).decode()

        return sign

    @staticmethod
    def signer(server: Any, service: Any) -> Any:
        @middleware(name="sign")
        def remote(request):
            timestamp, nonce = int(server.now), f"remote{len(server.requests)}"
            message = request_message(
                request.method, request.target, timestamp, nonce, request.body
            )
            value = authorization(
                mchid=server.keys["mchid"],
                serial=server.keys["merchant_serial_no"],
                timestamp=timestamp,
                nonce=nonce,
                signature=(yield from ask(service, message)),
            )
            return (yield request.with_header("Authorization", value))

        return remote

    def test_replaces_sign_and_the_gateway_verifies(self, call, server, client) -> None:
        calls: list[bytes] = []
        sign = self.service(server, calls)

        async def awaited(message: bytes) -> str:
            await asyncio.sleep(0)
            return sign(message)

        service = sign if call.mode == "sync" else awaited
        client.stack.replace("sign", self.signer(server, service))
        server.will(ConnectError("no route"))
        reply = call(client.v3.x.post, {"a": "支付"})
        assert reply.verified
        # Once per attempt, and each text is the one that the gateway rebuilt.
        assert calls == [server.message(request) for request in server.requests]
        assert len(set(calls)) == 2

    def test_its_error_reaches_the_caller(self, call, server, client) -> None:
        def down(message: bytes) -> str:
            raise OSError("the service is down")

        client.stack.replace("sign", self.signer(server, down))
        with pytest.raises(OSError, match="the service is down"):
            call(client.v3.x.post, {})
        assert server.requests == []

    def test_a_coroutine_function_is_refused_where_nothing_awaits(
        self, server, client
    ) -> None:
        async def awaited(message: bytes) -> str:
            return ""

        client.stack.replace("sign", self.signer(server, awaited))
        with pytest.raises(TypeError, match="'awaited' is a coroutine function"):
            client.v3.x.post({})
        assert server.requests == []


def test_a_guest_of_the_wrong_kind_is_refused_before_anything_is_sent(
    call, server, client
) -> None:
    wrong = async_guest if call.mode == "sync" else guest
    client.stack.before("sign", wrong)
    with pytest.raises(TypeError, match=f"the guest {wrong.name!r}"):
        call(client.v3.x.post, {})
    assert server.requests == []


@pytest.mark.parametrize("wrong", [5, "sign", [5], [list], mark])
def test_what_is_no_list_of_layers_is_refused_before_anything_is_sent(
    call, server, client, wrong: Any
) -> None:
    with pytest.raises(EncodeError, match="middleware: a l") as caught:
        call(client.v3.x.post, {}, middleware=wrong)
    assert caught.value.outcome == "not_sent"
    assert not server.requests


def test_a_layer_that_forgets_to_return_is_named(call, server, client) -> None:
    def forgetful(request):
        yield from send(request)

    client.stack.before("sign", forgetful)
    with pytest.raises(TypeError, match="layer 'forgetful' returned NoneType"):
        call(client.v3.x.get)


def test_a_layer_may_answer_from_a_cache(call, server, client) -> None:
    kept: dict[str, Response] = {}

    @middleware
    def cache(request):
        if request.url not in kept:
            response = yield from send(request)
            yield from read(response)
            kept[request.url] = response
        return kept[request.url]

    client.stack.push(cache)
    first, second = call(client.v3.x.get), call(client.v3.x.get)
    assert len(server.requests) == 1
    assert first.data == second.data
    assert second.verified


def test_a_layer_may_answer_by_itself(call, server, client) -> None:
    def fixture(request):
        if request.method == "PUT":
            yield request
        return Response(200, {"Content-Type": "application/json"}, b"{}", data={})

    reply = call(client.v3.x.get, middleware=[fixture])
    assert server.requests == []
    assert (reply.data, reply.verified, reply.url) == ({}, False, "")
    assert reply.request.url is None
    assert repr(reply) == "<Reply 200 not verified>"


def test_a_layer_may_fetch_what_it_needs(call, server, client) -> None:
    @middleware
    def token(request):
        if request.template != "v3/token":
            wanted = request.replace(
                method="GET",
                url=f"{request.base_url}/v3/token",
                template="v3/token",
                payload=None,
            )
            answer = yield from fetch(wanted, without={"token"})
            request = request.with_header("X-Token", answer.data["token"])
        return (yield from send(request))

    client.stack.before("encode", token)
    server.will({"token": "t1"})
    reply = call(client.v3.x.post, {"a": 1})
    assert reply.verified
    fetched, sent = server.requests
    assert (fetched.target, fetched.body) == ("/v3/token", b"")
    assert (sent.target, sent.headers["X-Token"]) == ("/v3/x", "t1")


def test_a_layer_inside_sign_cannot_have_its_host_signed(call, server, client) -> None:
    def elsewhere(request):
        return (yield request.replace(url="https://evil.example/v3/x"))

    client.stack.before("sign", elsewhere)
    with pytest.raises(
        ValueError, match=r"nothing is signed for https://evil\.example"
    ):
        call(client.v3.x.post, {})
    assert server.requests == []


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://api2.mch.weixin.qq.com/v3/x", True),
        ("https://api2.wechatpay.cn/v3/x", True),
        ("https://apihk.mch.weixin.qq.com/v3/x", True),
        ("http://api.mch.weixin.qq.com/v3/x", False),
        ("https://evilmch.weixin.qq.com/v3/x", False),
        ("https://api.mch.weixin.qq.com.evil.example/v3/x", False),
        ("https://api.mch.weixin.qq.com:8443/v3/x", False),
        ("https://api.mch.weixin.qq.com@evil.example/v3/x", False),
    ],
)
def test_a_failover_goes_to_wechats_hosts_only(
    call, server, make, url: str, signed: bool
) -> None:
    def failover(request):
        return (yield request.replace(url=url))

    client = make(middleware=[failover], base_url="http://127.0.0.1:9")
    if signed:
        assert call(client.v3.x.get).verified
    else:
        with pytest.raises(ValueError, match="nothing is signed"):
            call(client.v3.x.get)
    assert len(server.requests) == int(signed)


def test_a_change_does_not_disturb_calls_in_flight(server, client) -> None:
    """While some threads call, another takes layers out and puts them in."""
    failures: list[BaseException] = []
    done: list[int] = []

    def calls() -> None:
        try:
            for _ in range(60):
                assert client.v3.x.get().verified
        except BaseException as error:
            failures.append(error)
        finally:
            done.append(1)

    def seen(request):
        response = yield from send(request)
        client.stack.replace("seen", seen)
        return response

    client.stack.push(seen)
    threads = [Thread(target=calls) for _ in range(3)]
    for thread in threads:
        thread.start()
    while len(done) < 3:
        client.stack.push(mark, "own").remove("own")
        client.stack.before("sign", mark, "own").remove("own")
    for thread in threads:
        thread.join()
    assert failures == []
    assert client.stack.names[0] == "seen"


def test_a_call_keeps_the_layers_it_started_with(call, server, client) -> None:
    def cuts(request):
        client.stack.remove("verify").remove("sign")
        return (yield from send(request))

    client.stack.push(cuts)
    assert call(client.v3.x.get).verified
    assert "sign" not in client.stack


def test_the_default_order(client: WeChatPay) -> None:
    assert list(client.stack) == [
        "raise_errors",
        "check",
        "conceal",
        "encode",
        "retry",
        "decode",
        "verify",
        "sign",
    ]
    assert list(client.xml_stack) == list(client.stack)
    drawn = str(client.stack).splitlines()
    assert [line.split()[0] for line in drawn[1:]] == [*client.stack, "transport"]


def test_a_hook_outside_sees_the_error_and_may_replace_it(call, server, client) -> None:
    class Refused(Exception):
        """The user's own."""

    @middleware
    def own_errors(request):
        try:
            return (yield from send(request))
        except APIError as error:
            raise Refused(error.code) from error

    client.stack.push(own_errors)
    server.will(server.plain(403, {"code": "NO_AUTH"}))
    with pytest.raises(Refused, match="NO_AUTH"):
        call(client.v3.x.get)


def test_a_layer_that_changes_the_bytes_is_found_out(call, server, client) -> None:
    def forges(request):
        response = yield from send(request)
        content = yield from read(response)
        return Response(200, response.headers, content + b" ")

    client.stack.after("verify", forges)
    with pytest.raises(SignatureError):
        call(client.v3.x.get)


def test_a_layer_inside_verify_cannot_answer_unsigned(call, server, client) -> None:
    def fixture(request):
        if request.method == "":
            yield request
        return Response(200, {"Content-Type": "application/json"}, b"{}")

    client.stack.after("verify", fixture)
    with pytest.raises(MissingHeaders):
        call(client.v3.x.get)
    assert server.requests == []
