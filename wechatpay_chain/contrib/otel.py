"""OpenTelemetry: a CLIENT span and a duration for each attempt (extra ``otel``).

After OpenTelemetry's stable conventions for HTTP clients. Only the API is needed; where
the program has set up no SDK, all of it does nothing. No header is added to a request:
WeChat Pay has no use for your trace ids.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from .._flow import Flow
from .._logging import clean
from .._masking import masked
from .._messages import Request, Response
from .._shapes import mapping
from .._version import __version__
from ..errors import APIError, ConfigurationError

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, MeterProvider, get_meter
    from opentelemetry.trace import (
        Span,
        SpanKind,
        Status,
        StatusCode,
        TracerProvider,
        get_tracer,
    )

    from ..client import WeChatPay
else:
    try:
        from opentelemetry.metrics import get_meter
        from opentelemetry.trace import SpanKind, Status, StatusCode, get_tracer
    except ImportError as error:
        raise ConfigurationError(
            "contrib.otel needs OpenTelemetry: pip install 'wechatpay-chain[otel]'"
        ) from error

#: The name of the layer in both stacks.
NAME = "otel"
#: Whose conventions the attributes follow.
SCHEMA = "https://opentelemetry.io/schemas/1.27.0"
#: Bounds in seconds that the conventions give for ``http.client.request.duration``.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
#: Methods that the conventions know; any other is ``_OTHER``.
METHODS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)
#: What goes from the span's attributes to the metric's: few values each.
_MEASURED = (
    "http.request.method",
    "http.response.status_code",
    "server.address",
    "server.port",
    "url.template",
    "network.protocol.name",
    "error.type",
)

_Client = TypeVar("_Client", bound="WeChatPay")
_Attributes = dict[str, str | int]


class Telemetry:
    """The layer: a span and a measurement of whatever goes through it.

    The providers are the global ones unless given. *timer* gives seconds that only go
    forward. :func:`instrument` puts it where each attempt passes; given to one call as
    ``middleware=[Telemetry()]`` it measures that call with all of its attempts.
    """

    name = NAME

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        timer: Callable[[], float] = perf_counter,
    ) -> None:
        scope = "wechatpay_chain", __version__
        self._tracer = get_tracer(*scope, tracer_provider, SCHEMA)
        self._duration = _histogram(get_meter(*scope, meter_provider, SCHEMA))
        self._timer = timer

    def __call__(self, request: Request) -> Flow[Response]:
        """Send *request* inward, between the start and the end of a span."""
        started = self._timer()
        attributes = _of_request(request)
        # The span is made current for nobody: between two steps of a flow other code
        # runs, and a flow may be closed in another context than it was started in.
        span = self._tracer.start_span(
            _span_name(request), kind=SpanKind.CLIENT, attributes=attributes
        )
        found: _Attributes = {"error.type": "cancelled"}
        try:
            response: Response = yield request
            found = _of_response(response)
            return response
        except Exception as error:
            found = _of_error(error)
            raise
        finally:
            self._end(span, attributes, found, self._timer() - started)

    def _end(
        self, span: Span, attributes: _Attributes, found: _Attributes, seconds: float
    ) -> None:
        span.set_attributes(found)
        error = found.get("error.type")
        if error is not None:
            # The conventions leave out what the status code says already.
            about = None if "http.response.status_code" in found else str(error)
            span.set_status(Status(StatusCode.ERROR, about))
        span.end()
        both = {**attributes, **found}
        measured = {name: both[name] for name in _MEASURED if name in both}
        self._duration.record(seconds, measured)


def instrument(
    client: _Client,
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> _Client:
    """Make spans and metrics of every attempt of *client*, which is returned.

    The layer goes after ``retry`` into both stacks, and comes along to the clients that
    ``with_options`` makes. A client that has it already is left as it is.
    """
    layer = Telemetry(tracer_provider=tracer_provider, meter_provider=meter_provider)
    for stack in (client.stack, client.xml_stack):
        if NAME not in stack:
            stack.after("retry", layer, NAME)
    return client


def uninstrument(client: _Client) -> _Client:
    """Undo :func:`instrument`; calls in flight end their spans."""
    for stack in (client.stack, client.xml_stack):
        if NAME in stack:
            stack.remove(NAME)
    return client


def _histogram(meter: Any) -> Histogram:
    advice: dict[str, Any] = {}
    name = "explicit_bucket_boundaries_advisory"
    if name in inspect.signature(meter.create_histogram).parameters:  # since 1.30
        advice[name] = BUCKETS
    histogram: Histogram = meter.create_histogram(
        "http.client.request.duration",
        unit="s",
        description="Duration of HTTP client requests.",
        **advice,
    )
    return histogram


def _span_name(request: Request) -> str:
    return request.label if request.method in METHODS else "HTTP"


def _of_request(request: Request) -> _Attributes:
    """What is known before the request goes out.

    Not ``url.full``: the path holds numbers and openids, and the query anything.
    """
    origin = request.url[: len(request.url) - len(request.target)]
    address, port = _server(origin)
    attributes: _Attributes = {
        "http.request.method": request.method,
        "server.address": address,
        "server.port": port,
        "network.protocol.name": "http",
    }
    if request.method not in METHODS:
        attributes["http.request.method"] = "_OTHER"
    if request.template:
        attributes["url.template"] = masked(request.template)
    if request.attempt > 1:
        attributes["http.request.resend_count"] = request.attempt - 1
    return attributes


@lru_cache(maxsize=64)
def _server(origin: str) -> tuple[str, int]:
    parts = urlsplit(origin)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _of_response(response: Response) -> _Attributes:
    data = mapping(response.data) or {}
    code = data.get("code", data.get("err_code"))
    return _answer(response.status_code, code, response.request_id)


def _of_error(error: Exception) -> _Attributes:
    """Its class, and not its text, which may hold a URL."""
    found: _Attributes = {"error.type": type(error).__qualname__}
    if isinstance(error, APIError):  # seen from outside of raise_errors
        found.update(_answer(error.status_code, error.code, error.request_id))
    return found


def _answer(status: int, code: object, request_id: str | None) -> _Attributes:
    found: _Attributes = {"http.response.status_code": status}
    if status >= 400:
        found["error.type"] = str(status)
    # v2 has codes in answers of 200; what is no code, such as text, is not repeated.
    if isinstance(code, str) and re.fullmatch(r"[\w.-]{1,64}", code, re.ASCII):
        found["wechatpay.code"] = code
    request_id = clean(request_id)
    if request_id is not None:
        found["wechatpay.request_id"] = request_id
    return found


__all__ = ["BUCKETS", "METHODS", "NAME", "SCHEMA", "Telemetry"]
__all__ += ["instrument", "uninstrument"]
