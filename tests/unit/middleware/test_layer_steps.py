"""``raise_errors``, ``encode``, ``decode`` and ``verify``, stepped by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wechatpay_chain import (
    Headers,
    KeyRing,
    MissingHeaders,
    NotFound,
    Read,
    Request,
    Response,
    Unauthorized,
)
from wechatpay_chain._flow import Entry, compose
from wechatpay_chain._messages import Payload
from wechatpay_chain.middleware import Body
from wechatpay_chain.middleware.coding import Decoder, Encoder
from wechatpay_chain.middleware.explaining import explain
from wechatpay_chain.middleware.raising import Raiser, api_error
from wechatpay_chain.middleware.verifying import Verifier
from wechatpay_chain.middleware.xml_layers import XmlRaiser

REQUEST = Request(
    "GET", "http://localhost/v3/x", Headers({"Accept": "application/json"})
)
JSON = Headers({"Content-Type": "application/json"})


def finish(flow: Any, value: Any) -> Any:
    with pytest.raises(StopIteration) as done:
        flow.send(value)
    return done.value.value


def unread(status: int, headers: Headers = JSON) -> Response:
    return Response(status, headers, Body(None))


class TestRaiser:
    @pytest.mark.parametrize("layer", [Raiser(), XmlRaiser()])
    def test_passes_a_success(self, layer: Callable[..., Any]) -> None:
        flow = layer(REQUEST)
        assert next(flow) is REQUEST
        response = Response(204)
        assert finish(flow, response) is response

    @pytest.mark.parametrize("layer", [Raiser(), XmlRaiser()])
    def test_reads_an_error_before_it_raises(self, layer: Callable[..., Any]) -> None:
        flow = layer(REQUEST)
        next(flow)
        response = unread(404)
        assert isinstance(flow.send(response), Read)
        response.body.content = b"gone"
        with pytest.raises(NotFound, match="4 bytes of application/json"):
            flow.send(b"gone")

    def test_an_answer_out_of_nowhere_needs_no_explanation(self) -> None:
        error = api_error(REQUEST, Response(401))
        assert isinstance(error, Unauthorized)
        assert error.explanation is None
        assert explain(Response(401), None) is None


class TestEncoder:
    def test_fixes_the_bytes_outside_of_retry(self) -> None:
        layer = Encoder(Headers({"Accept": "a/b", "User-Agent": "x"}))
        sent = Request("POST", "http://h/", payload=Payload("json", {"a": 1}))
        encoded = next(layer(sent.with_header("accept", "c/d")))
        assert (encoded.body, encoded.payload) == (b'{"a":1}', None)
        assert dict(encoded.headers.pairs()) == {
            "accept": "c/d",
            "User-Agent": "x",
            "Content-Type": "application/json",
        }


class TestDecoder:
    def test_reads_and_parses(self) -> None:
        flow = Decoder()(REQUEST)
        next(flow)
        assert isinstance(flow.send(unread(200)), Read)
        assert finish(flow, b'{"a":1}').data == {"a": 1}

    @pytest.mark.parametrize(
        "path", ["/v3/billdownload/file", "/hk/v3/statements", "/v3/global/statements"]
    )
    def test_never_reads_a_file(self, path: str) -> None:
        flow = Decoder()(Request("GET", f"http://h{path}"))
        next(flow)
        response = unread(200)
        assert finish(flow, response) is response

    def test_reads_an_error_page_even_of_a_file(self) -> None:
        flow = Decoder()(Request("GET", "http://h/v3/billdownload/file", stream=True))
        next(flow)
        assert isinstance(flow.send(unread(404)), Read)
        assert finish(flow, b'{"code":"X"}').data == {"code": "X"}


class TestVerifier:
    def verifier(self) -> Verifier:
        return Verifier(keys=KeyRing(), clock=lambda: 0.0)

    def test_comes_before_decode(self) -> None:
        """Bytes that are not proven are never parsed."""
        layers = [Entry("decode", Decoder()), Entry("verify", self.verifier())]
        flow = compose(layers, REQUEST)
        next(flow)
        assert isinstance(flow.send(unread(200)), Read)
        with pytest.raises(MissingHeaders):
            flow.send(b"{not even JSON")

    @pytest.mark.parametrize("status", [302, 404, 500])
    def test_leaves_an_error_alone(self, status: int) -> None:
        flow = self.verifier()(REQUEST)
        next(flow)
        response = unread(status)
        assert finish(flow, response) is response

    def test_never_reads_an_unsigned_file(self) -> None:
        flow = self.verifier()(Request("GET", "http://h/v3/billdownload/file"))
        next(flow)
        response = unread(200)
        assert finish(flow, response) is response
