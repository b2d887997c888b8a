"""The merchant's certificate is shown where the catalogue asks for it (APIv2)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from key_material import certificate, merchant_key, p12, private

from wechatpay_chain import Response

ANSWER = (
    b"<xml><return_code>SUCCESS</return_code><result_code>SUCCESS</result_code></xml>"
)
PEM = certificate(merchant_key()).public_bytes(Encoding.PEM)


@pytest.fixture(params=["pem", "p12"])
def merchant(request: pytest.FixtureRequest) -> object:
    return (PEM, private()) if request.param == "pem" else p12()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("v2/mmpaymkttransfers/sendredpack", True),
        ("v2/risk/getpublickey", True),
        ("v2/mmpaymkttransfers/published_tomorrow", True),
        ("v2/billcommentsp/batchquerycomment", True),
        ("v2/pay/downloadbill", False),
    ],
)
def test_a_call_shows_it_where_the_catalogue_says_so(
    call, server, make, merchant, path: str, shown: bool
) -> None:
    server.strict = False
    server.otherwise = Response(200, {"Content-Type": "text/xml"}, ANSWER)
    client = make(secret=server.keys["apiv2_key"], merchant=merchant, check="off")
    call(client[path].post, {"a": "1"})
    assert server.request.mutual is shown
    operation = client[path].operation
    assert operation is None or operation.cert is shown


def test_apiv3_never_shows_it(call, server, make, merchant) -> None:
    client = make(merchant=merchant)
    call(client.v3.x.post, {})
    assert not server.request.mutual


def test_without_one_there_is_none_to_show(call, server, make) -> None:
    server.strict = False
    server.otherwise = Response(200, {"Content-Type": "text/xml"}, ANSWER)
    client = make(secret=server.keys["apiv2_key"], check="off")
    call(client["v2/mmpaymkttransfers/sendredpack"].post, {"a": "1"})
    assert not server.request.mutual
