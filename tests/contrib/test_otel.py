"""Spans and measurements of attempts, by the conventions for HTTP clients."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from wechatpay_chain import (
    AsyncMemoryTransport,
    BadRequest,
    ConnectError,
    InvalidSignature,
    MemoryTransport,
    NotFound,
    ReadTimeout,
    Request,
    Response,
    Retry,
    WeChatPay,
    WeChatPayError,
)
from wechatpay_chain.contrib import otel
from wechatpay_chain.contrib.otel import Telemetry, instrument, uninstrument
from wechatpay_chain.sandbox import Gateway

ECHO = {"echo_message": "hi"}


class Watch:
    """An SDK in memory, and what it has received."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        tracers, meters = TracerProvider(), MeterProvider([self._reader])
        tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.providers: Any = {"tracer_provider": tracers, "meter_provider": meters}
        self.tracer = tracers.get_tracer("the program")

    @property
    def spans(self) -> list[ReadableSpan]:
        """In the order in which they ended."""
        return list(self._exporter.get_finished_spans())

    def span(self) -> ReadableSpan:
        (span,) = self.spans
        return span

    def points(self) -> list[Any]:
        """The points of the one metric."""
        data = self._reader.get_metrics_data()
        if data is None:
            return []
        (scope,) = data.resource_metrics[0].scope_metrics
        (metric,) = scope.metrics
        assert metric.name == "http.client.request.duration"
        assert metric.unit == "s"
        assert scope.scope.name == "wechatpay_chain"
        return list(metric.data.data_points)

    def shutdown(self) -> None:
        for provider in self.providers.values():
            provider.shutdown()


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    watch.shutdown()


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(seed=1, mode="migrating")


class Line:
    """A line to a gateway that fails first, in the ways told."""

    def __init__(self, gateway: Gateway, *faults: Any) -> None:
        self.requests: list[Request] = []
        self._gateway = gateway
        self._faults = list(faults)

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        fault = self._faults.pop(0) if self._faults else None
        if isinstance(fault, BaseException):
            raise fault
        return fault or self._gateway.handle(request)

    def client(self, watch: Watch, **options: Any) -> WeChatPay:
        """A client of the gateway by this line, instrumented."""
        sleep = self._gateway.advance
        made = self._gateway.client(
            transport=MemoryTransport(self, sleep=sleep),
            async_transport=AsyncMemoryTransport(self, sleep=sleep),
            **options,
        )
        return instrument(made, **watch.providers)


def plain(status: int, body: bytes = b"{}", **headers: str) -> Response:
    return Response(status, {"Content-Type": "application/json", **headers}, body)


def test_a_call_is_a_client_span_with_the_conventional_attributes(
    call: Any, gateway: Gateway, watch: Watch
) -> None:
    order = gateway.given.order(state="CREATED")
    node = Line(gateway).client(watch).v3.payscore.serviceorder._out_order_no_.cancel
    body = {"appid": gateway.appid, "service_id": gateway.service_id, "reason": "x"}
    reply = call(node.post, body, out_order_no=order)
    span = watch.span()
    template = "v3/payscore/serviceorder/{out_order_no}/cancel"
    assert span.name == f"POST {template}"
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "network.protocol.name": "http",
        "server.address": "sandbox.wechatpay.invalid",
        "server.port": 443,
        "url.template": template,
        "wechatpay.request_id": reply.request_id,
    }
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "wechatpay_chain"
    assert order not in span.to_json()


def test_the_duration_is_measured_in_seconds_with_the_conventional_attributes(
    call: Any, gateway: Gateway, watch: Watch
) -> None:
    client = Line(gateway, plain(503)).client(watch)
    ticks = iter([0.0, 0.25, 1.0, 1.5])
    telemetry = Telemetry(**watch.providers, timer=lambda: next(ticks))
    client.stack.replace("otel", telemetry)
    call(client.v3.certificates.get)
    first, second = sorted(watch.points(), key=lambda point: point.sum)
    assert (first.sum, first.count) == (0.25, 1)
    assert (second.sum, second.count) == (0.5, 1)
    common = {
        "http.request.method": "GET",
        "network.protocol.name": "http",
        "server.address": "sandbox.wechatpay.invalid",
        "server.port": 443,
        "url.template": "v3/certificates",
    }
    assert dict(first.attributes) == {
        **common,
        "http.response.status_code": 503,
        "error.type": "503",
    }
    assert dict(second.attributes) == {**common, "http.response.status_code": 200}


class _Meter:
    """A meter of an API that takes advice, or of one that does not yet."""

    def __init__(self) -> None:
        self.advice: Any = None

    def create_histogram(self, name: str, unit: str = "", description: str = "") -> Any:
        return self


class _NewMeter(_Meter):
    def create_histogram(  # type: ignore[override]
        self,
        name: str,
        unit: str = "",
        description: str = "",
        *,
        explicit_bucket_boundaries_advisory: Any = None,
    ) -> Any:
        self.advice = explicit_bucket_boundaries_advisory
        return self


@pytest.mark.parametrize(
    ("meter", "advice"), [(_Meter(), None), (_NewMeter(), otel.BUCKETS)]
)
def test_the_buckets_are_advised_where_the_api_takes_advice(
    meter: _Meter, advice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otel, "get_meter", lambda *scope: meter)
    Telemetry()
    assert meter.advice == advice


def test_the_buckets_are_those_of_the_conventions() -> None:
    assert otel.BUCKETS[0] == 0.005
    assert otel.BUCKETS[-1] == 10
    assert sorted(set(otel.BUCKETS)) == list(otel.BUCKETS)
    assert len(otel.BUCKETS) == 14


def test_each_attempt_is_a_span_and_repeats_are_numbered(
    call: Any, gateway: Gateway, watch: Watch
) -> None:
    line = Line(gateway, ConnectError("x"), plain(503, b'{"code": "SYSTEM_ERROR"}'))
    call(line.client(watch).v3.certificates.get)
    first, second, third = (dict(span.attributes or {}) for span in watch.spans)
    assert first["error.type"] == "ConnectError"
    assert "http.request.resend_count" not in first
    assert "http.response.status_code" not in first
    assert second["http.request.resend_count"] == 1
    assert second["wechatpay.code"] == "SYSTEM_ERROR"
    assert third["http.request.resend_count"] == 2
    assert third["http.response.status_code"] == 200
    codes = [span.status.status_code for span in watch.spans]
    assert codes == [StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET]


def test_a_refusal_is_an_error_with_its_code(
    call: Any, gateway: Gateway, watch: Watch
) -> None:
    client = Line(gateway).client(watch)
    query = {
        "out_order_no": "NONE",
        "service_id": gateway.service_id,
        "appid": gateway.appid,
    }
    with pytest.raises(NotFound) as caught:
        call(client.v3.payscore.serviceorder.get, query)
    span = watch.span()
    attributes = dict(span.attributes or {})
    assert attributes["http.response.status_code"] == 404
    assert attributes["error.type"] == "404"
    assert attributes["wechatpay.code"] == "ORDER_NOT_EXIST"
    assert attributes["wechatpay.request_id"] == caught.value.request_id
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description is None
    assert span.name == "GET v3/payscore/serviceorder"


def test_an_answer_of_204_is_no_error(
    call: Any, gateway: Gateway, watch: Watch
) -> None:
    order = gateway.given.order(state="CREATED", partner=True)
    client = Line(gateway).client(watch)
    node = client.v3.payscore.partner.serviceorder._out_order_no_.cancel
    body = {
        "service_id": gateway.service_id,
        "sub_mchid": gateway.sub_mchid,
        "reason": "x",
    }
    assert call(node.post, body, out_order_no=order).status_code == 204
    span = watch.span()
    assert dict(span.attributes or {})["http.response.status_code"] == 204
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("error", [ConnectError, ReadTimeout])
def test_a_lost_exchange_names_the_class_and_not_the_text(
    call: Any, gateway: Gateway, watch: Watch, error: Any
) -> None:
    client = Line(gateway, error("to PRIVATE")).client(watch, retry=1)
    with pytest.raises(error):
        call(client.v3.certificates.get)
    span = watch.span()
    assert dict(span.attributes or {})["error.type"] == error.__name__
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == error.__name__
    assert not span.events
    assert "PRIVATE" not in span.to_json()
    assert dict(watch.points()[0].attributes)["error.type"] == error.__name__


def test_an_answer_that_does_not_verify_is_an_error(
    call: Any, gateway: Gateway, watch: Watch
) -> None:
    forged = gateway.client().v3.security.echo.post(ECHO).headers
    answer = Response(200, dict(forged), b'{"echo_message": "no"}')
    client = Line(gateway, answer).client(watch, retry=1)
    with pytest.raises(InvalidSignature):
        call(client.v3.security.echo.post, ECHO)
    attributes = dict(watch.span().attributes or {})
    assert attributes["error.type"] == "InvalidSignature"


def test_a_download_of_certificates_has_its_span(call: Any, watch: Watch) -> None:
    gateway = Gateway(seed=1, mode="certificate")
    client = Line(gateway).client(watch)
    with watch.tracer.start_as_current_span("checkout") as parent:
        call(client.v3.security.echo.post, ECHO)
    names = [span.name for span in watch.spans]
    assert sorted(names) == [
        "GET v3/certificates",
        "POST v3/security/echo",
        "checkout",
    ]
    for span in watch.spans[:-1]:
        assert span.parent is not None
        assert span.parent.span_id == parent.get_span_context().span_id


def test_the_span_that_is_current_is_the_parent_and_stays_current(
    call: Any, gateway: Gateway, watch: Watch
) -> None:
    seen: list[Any] = []

    def look(request: Request) -> Any:
        seen.append(trace.get_current_span())
        response = yield request
        seen.append(trace.get_current_span())
        return response

    client = Line(gateway).client(watch)
    client.stack.after("otel", look)
    with watch.tracer.start_as_current_span("checkout") as parent:
        call(client.v3.security.echo.post, ECHO)
        assert trace.get_current_span() is parent
    child, _ = watch.spans
    assert child.parent is not None
    assert child.parent.span_id == parent.get_span_context().span_id
    assert seen == [parent, parent]


def test_a_call_without_a_parent_is_a_root(
    call: Any, gateway: Gateway, watch: Watch
) -> None:
    call(Line(gateway).client(watch).v3.security.echo.post, ECHO)
    assert watch.span().parent is None


def test_a_cancelled_call_ends_its_span(gateway: Gateway, watch: Watch) -> None:
    async def scene() -> None:
        entered = asyncio.Event()

        async def never(request: Request) -> Response:
            entered.set()
            await asyncio.Event().wait()
            raise AssertionError

        client = gateway.client(async_transport=AsyncMemoryTransport(never))
        instrument(client, **watch.providers)
        task = asyncio.ensure_future(client.v3.security.echo.post_async(ECHO))
        await entered.wait()
        assert watch.spans == []
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())
    span = watch.span()
    assert dict(span.attributes or {})["error.type"] == "cancelled"
    assert span.status.status_code is StatusCode.ERROR
    assert watch.points()[0].count == 1


def test_ctrl_c_ends_the_span_and_passes(
    call: Any, gateway: Gateway, watch: Watch
) -> None:
    client = Line(gateway, KeyboardInterrupt()).client(watch)
    with pytest.raises(KeyboardInterrupt):
        call(client.v3.certificates.get)
    assert dict(watch.span().attributes or {})["error.type"] == "cancelled"


def test_nothing_is_added_to_what_is_sent(
    call: Any, gateway: Gateway, watch: Watch
) -> None:
    line = Line(gateway)
    client = line.client(watch)
    with watch.tracer.start_as_current_span("checkout"):
        call(client.v3.security.echo.post, ECHO)
        call(uninstrument(client).v3.security.echo.post, ECHO)
    watched, bare = line.requests
    assert list(watched.headers) == list(bare.headers)
    assert "traceparent" not in watched.headers
    assert watched.body == bare.body


@pytest.mark.parametrize(
    ("base", "address", "port"),
    [
        ("https://api.mch.weixin.qq.com", "api.mch.weixin.qq.com", 443),
        ("http://localhost", "localhost", 80),
        ("http://127.0.0.1:8080/hk", "127.0.0.1", 8080),
        ("https://[::1]:8443", "::1", 8443),
    ],
)
def test_the_server_is_the_one_of_the_request(
    gateway: Gateway, watch: Watch, base: str, address: str, port: int
) -> None:
    client = Line(gateway, plain(400)).client(watch)
    with pytest.raises(BadRequest):
        client.v3.certificates.get(base_url=base)
    attributes = dict(watch.span().attributes or {})
    assert attributes["server.address"] == address
    assert attributes["server.port"] == port


def test_what_was_filled_by_hand_is_in_no_name(gateway: Gateway, watch: Watch) -> None:
    openid = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
    with pytest.raises(WeChatPayError):
        Line(gateway).client(watch)[f"v3/marketing/favor/users/{openid}/coupons"].get(
            {"number": "PRIVATE"}
        )
    span = watch.span()
    assert span.name == "GET v3/marketing/favor/users/{...}/coupons"
    assert openid not in span.to_json()
    assert "PRIVATE" not in span.to_json()
    assert openid not in repr([dict(point.attributes) for point in watch.points()])


def test_an_unknown_method_is_other(gateway: Gateway, watch: Watch) -> None:
    def swap(request: Request) -> Any:
        return (yield request.replace(method="PURGE", template=""))

    client = Line(gateway, plain(400)).client(watch)
    client.stack.before("otel", swap)
    with pytest.raises(BadRequest):
        client.v3.certificates.get()
    span = watch.span()
    attributes = dict(span.attributes or {})
    assert span.name == "HTTP"
    assert attributes["http.request.method"] == "_OTHER"
    assert "url.template" not in attributes


@pytest.mark.parametrize(
    "body",
    [b'{"code": "two words"}', b'{"code": 7}', b'{"code": ""}', b"[]", b"<html>", b""],
)
def test_what_is_no_code_is_not_repeated(
    gateway: Gateway, watch: Watch, body: bytes
) -> None:
    client = Line(gateway, plain(400, body)).client(watch)
    with pytest.raises(BadRequest):
        client.v3.certificates.get()
    assert "wechatpay.code" not in dict(watch.span().attributes or {})


def test_a_peer_forges_no_attribute(gateway: Gateway, watch: Watch) -> None:
    answer = plain(400, **{"Request-ID": "08D8\r\n" + "x" * 500})
    with pytest.raises(BadRequest):
        Line(gateway, answer).client(watch).v3.certificates.get()
    request_id = str(dict(watch.span().attributes or {})["wechatpay.request_id"])
    assert request_id.startswith("08D8??x")
    assert len(request_id) == 128


def test_a_failure_of_apiv2_has_its_code(
    call: Any, gateway: Gateway, watch: Watch
) -> None:
    xml = (
        b"<xml><return_code>SUCCESS</return_code><result_code>FAIL</result_code>"
        b"<err_code>ORDERPAID</err_code></xml>"
    )
    answer = Response(200, {"Content-Type": "text/xml"}, xml)
    client = Line(gateway, answer).client(watch, retry=1)
    client.xml_stack.remove("verify")
    with pytest.raises(WeChatPayError):
        call(client.v2.pay.orderquery.post, {"out_trade_no": "1"})
    span = watch.span()
    attributes = dict(span.attributes or {})
    assert span.name == "POST v2/pay/orderquery"
    assert attributes["wechatpay.code"] == "ORDERPAID"
    assert attributes["http.response.status_code"] == 200
    assert span.status.status_code is StatusCode.UNSET  # HTTP did its part


# Putting it in and taking it out.


def test_instrument_puts_the_layer_into_both_stacks_once(
    gateway: Gateway, watch: Watch
) -> None:
    client = gateway.client()
    assert instrument(client, **watch.providers) is client
    assert instrument(client, **watch.providers) is client
    for stack in (client.stack, client.xml_stack):
        assert stack.names.index("otel") == stack.names.index("retry") + 1
        assert stack.names.count("otel") == 1
    client.v3.security.echo.post(ECHO)
    assert len(watch.spans) == 1


def test_uninstrument_takes_it_out_of_both_stacks(
    gateway: Gateway, watch: Watch
) -> None:
    client = gateway.client()
    before = client.stack.names, client.xml_stack.names
    instrument(client, **watch.providers)
    assert uninstrument(client) is client
    assert uninstrument(client) is client
    assert (client.stack.names, client.xml_stack.names) == before
    client.v3.security.echo.post(ECHO)
    assert watch.spans == []


def test_clients_made_of_an_instrumented_one_are_too(
    call: Any, gateway: Gateway, watch: Watch
) -> None:
    client = Line(gateway, plain(503)).client(watch)
    call(client.with_options(retry=Retry(2)).v3.certificates.get)
    assert [span.name for span in watch.spans] == ["GET v3/certificates"] * 2


def test_the_layer_measures_one_call_with_all_its_attempts(
    call: Any, gateway: Gateway, watch: Watch
) -> None:
    line = Line(gateway, plain(503), plain(429, b'{"code": "FREQUENCY_LIMITED"}'))
    client = uninstrument(line.client(watch, retry=2))
    layer = Telemetry(**watch.providers)
    with pytest.raises(WeChatPayError):
        call(client.v3.certificates.get, middleware=[layer])
    span = watch.span()
    attributes = dict(span.attributes or {})
    assert attributes["http.response.status_code"] == 429
    assert attributes["error.type"] == "429"
    assert attributes["wechatpay.code"] == "FREQUENCY_LIMITED"
    call(client.v3.certificates.get, middleware=[layer])
    assert len(watch.spans) == 2


def test_a_failure_of_apiv2_seen_from_outside_is_named_by_its_class(
    gateway: Gateway, watch: Watch
) -> None:
    xml = b"<xml><return_code>FAIL</return_code><return_msg>no</return_msg></xml>"
    client = Line(gateway, Response(200, {}, xml)).client(watch, retry=1)
    layer = Telemetry(**watch.providers)
    with pytest.raises(WeChatPayError):
        uninstrument(client).v2.pay.orderquery.post({"a": "1"}, middleware=[layer])
    attributes = dict(watch.span().attributes or {})
    assert attributes["error.type"] == "APIError"
    assert attributes["http.response.status_code"] == 200


def test_without_a_provider_the_global_one_is_used(
    gateway: Gateway, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = watch.providers["tracer_provider"]
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    instrument(gateway.client()).v3.security.echo.post(ECHO)
    assert watch.span().name == "POST v3/security/echo"


def test_without_an_sdk_calls_go_on_as_before(call: Any, gateway: Gateway) -> None:
    client = instrument(gateway.client())
    assert call(client.v3.security.echo.post, ECHO).verified


def test_without_opentelemetry_the_error_says_what_to_install() -> None:
    program = (
        "import sys\n"
        "sys.modules['opentelemetry'] = None\n"
        "from wechatpay_chain import ConfigurationError\n"
        "try:\n"
        "    import wechatpay_chain.contrib.otel\n"
        "except ConfigurationError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pip install 'wechatpay-chain[otel]'" in done.stdout
