"""What may be sent again after it may have arrived."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import Request
from wechatpay_chain._messages import Payload
from wechatpay_chain.middleware.repeating import NUMBERS, is_repeatable


def request(method: str = "POST", **fields: Any) -> Request:
    return Request(method, "https://h.test/v3/x", **fields)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_is(method: str) -> None:
    assert is_repeatable(request(method))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_changing_without_a_number_is_not(method: str) -> None:
    assert not is_repeatable(request(method, body=b'{"reason":"x"}'))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "template",
    [
        "v3/payscore/serviceorder/{out_order_no}/cancel",
        "v3/a/{x}/b/{out_trade_no}",
        "v3/{+out_refund_no}",
        "v3/a.{out_batch_no}",
    ],
)
def test_a_number_in_the_path_makes_it_safe(method: str, template: str) -> None:
    assert is_repeatable(request(method, template=template))


@pytest.mark.parametrize(
    "template",
    ["v3/pay/transactions/id/{transaction_id}", "v3/out_order_no/x", "v3/{order_id}"],
)
def test_a_number_of_wechats_or_a_mere_word_does_not(template: str) -> None:
    assert not is_repeatable(request(template=template))


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_each_number_in_a_body_makes_it_safe(name: str) -> None:
    assert is_repeatable(request(body=b'{"%s":"1"}' % name.encode()))
    assert is_repeatable(request(payload=Payload("xml", {name: "1"})))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"out_trade_no=1",
        b'["out_trade_no"]',
        b'"out_trade_no"',
        b'{"out_trade_no":""}',
        b'{"out_trade_no":null}',
        b'{"goods":{"out_trade_no":"1"}}',
        b'{"note":"out_trade_no"}',
        b"<xml><out_trade_no>1</out_trade_no></xml>",
        b"\xff\xfe",
    ],
)
def test_what_only_looks_like_a_number_does_not(body: bytes) -> None:
    assert not is_repeatable(request(body=body))


def test_of_an_upload_the_meta_part_counts() -> None:
    meta = b'{"out_request_no":"1"}'
    assert is_repeatable(request(body=b"--boundary", signing_body=meta))
    assert not is_repeatable(request(body=meta, signing_body=b"{}"))


def test_a_body_of_another_kind_has_none() -> None:
    assert not is_repeatable(request(payload=Payload("raw", b"out_trade_no")))
