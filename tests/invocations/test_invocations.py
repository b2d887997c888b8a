"""What a front end is handed: the documented vectors, and what must not be signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode
from itertools import cycle
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wechatpay_chain import ConfigurationError, EncodeError, WeChatPay

PREPAY_ID = "wx201410272009395522657a690389285100"
PAGE = "wx2421b1c4370ec43b"
NONCES = ("5K8264ILTKCH16CQ2502SI8ZNMTM67VS", "zyx53Nkey8o4bHpxTQvd8m7e92nG5mG2")
PAID_AT, SCORED_AT = 1414561699, 1530097563
PACKAGE = (
    "AAQTnZoAAAABAAAAAAD8m2b8VRdZ2kVdKmHNZiAAAABcwQVtru-5k9MmEOZJ_Pv_Nq7Cw56dNKKN5Ej3"
    "Knt5jTHF-test"
)
TOKEN = "AAQTnZoAAAABAAAAAAA-82Zwq2wMeohrOrWEZiAAAABcwQVtru-5k9Mm-test"
SERVICE, ORDER = "2002000000000558128851361561536", "1234323JKHDFE1243252"


@pytest.fixture
def make(vectors: dict[str, Any]) -> Any:
    """Builds the merchant of the vectors, at a moment and with a nonce."""
    keys = vectors["keys"]

    def build(moment: int, text: str, **options: Any) -> WeChatPay:
        given: dict[str, Any] = {
            "mchid": keys["mchid"],
            "serial": keys["merchant_serial_no"],
            "private_key": keys["merchant_private_key_pkcs8_der_base64"],
            "certs": {keys["platform_public_key_id"]: keys["platform_public_key_pem"]},
            "secret": keys["apiv2_key"],
            "clock": lambda: moment + 0.9,
            "nonce": lambda: text,
        }
        return WeChatPay(**{**given, **options})

    return build


@pytest.fixture
def client(make: Any) -> WeChatPay:
    return make(PAID_AT, NONCES[0])


@pytest.fixture
def scored(make: Any) -> WeChatPay:
    """The same merchant, when the documents' PayScore examples were made."""
    return make(SCORED_AT, NONCES[1])


PAYMENTS: dict[str, Any] = {
    "jsapi": lambda invoke: invoke.jsapi(PAGE, PREPAY_ID),
    "mini_program": lambda invoke: invoke.mini_program("wxd678efh567hg6787", PREPAY_ID),
    "app": lambda invoke: invoke.app("wx8888888888888888", PREPAY_ID),
}


@pytest.mark.parametrize("name", PAYMENTS)
def test_payments_are_invoked_as_documented(client, vectors, name) -> None:
    vector = next(one for one in vectors["pay_sign"] if one["name"] == name)
    made = PAYMENTS[name](client.invoke)
    assert made == vector["client_params"]
    assert json.loads(json.dumps(made)) == made


SCORES: dict[str, Any] = {
    "confirm_current_package_only": lambda invoke: invoke.payscore_use(PACKAGE),
    "confirm_signed_legacy": lambda invoke: invoke.payscore_use(PACKAGE, signed=True),
    "detail": lambda invoke: invoke.payscore_detail(SERVICE, ORDER),
    "detail_value_needing_encoding": lambda invoke: invoke.payscore_detail(
        SERVICE, "A|B*C_1-2"
    ),
    "enable_current_token_only": lambda invoke: invoke.payscore_enable(TOKEN),
    "enable_signed_legacy": lambda invoke: invoke.payscore_enable(
        signed=True, service_id=SERVICE, out_request_no=ORDER
    ),
}


@pytest.mark.parametrize("name", SCORES)
def test_payscore_is_invoked_as_documented(scored, vectors, name) -> None:
    vector = next(one for one in vectors["payscore_invocation"] if one["name"] == name)
    assert SCORES[name](scored.invoke) == {
        "businessType": vector["business_type"],
        "queryString": vector["query_string"],
        "extraData": vector["extra_data"],
    }


def test_the_documented_invocations_are_all_here(vectors) -> None:
    names = {one["name"] for one in vectors["payscore_invocation"]}
    assert names == set(SCORES)
    names = {one["name"] for one in vectors["pay_sign"]}
    assert names == {*PAYMENTS, "v2_jsapi_md5"}


# Orders of APIv2.


def test_an_order_of_apiv2_is_invoked_as_documented(client, vectors) -> None:
    vector = next(one for one in vectors["pay_sign"] if one["name"] == "v2_jsapi_md5")
    made = client.invoke.jsapi(PAGE, PREPAY_ID, sign_type="MD5")
    assert made == {**vector["params"], "paySign": vector["sign"]}
    made = client.invoke.mini_program(PAGE, PREPAY_ID, sign_type="MD5")
    del vector["params"]["appId"]
    assert made == {**vector["params"], "paySign": vector["sign"]}


def _sign(sign_type: str, text: str, key: str) -> str:
    if sign_type == "MD5":
        return hashlib.md5(text.encode()).hexdigest().upper()
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest().upper()


@pytest.mark.parametrize("sign_type", ["MD5", "HMAC-SHA256"])
def test_an_app_order_of_apiv2_is_signed_over_its_six_fields(
    client, vectors, sign_type
) -> None:
    made = client.invoke.app(PAGE, PREPAY_ID, sign_type=sign_type)
    key = vectors["keys"]["apiv2_key"]
    text = (
        f"appid={PAGE}&noncestr={NONCES[0]}&package=Sign=WXPay&partnerid="
        f"{client.mchid}&prepayid={PREPAY_ID}&timestamp={PAID_AT}&key={key}"
    )
    assert made["sign"] == _sign(sign_type, text, key)


def test_the_other_sign_of_apiv2_covers_its_own_name(client, vectors) -> None:
    key = vectors["keys"]["apiv2_key"]
    made = client.invoke.jsapi(PAGE, PREPAY_ID, sign_type="HMAC-SHA256")
    text = (
        f"appId={PAGE}&nonceStr={NONCES[0]}&package=prepay_id={PREPAY_ID}"
        f"&signType=HMAC-SHA256&timeStamp={PAID_AT}&key={key}"
    )
    assert made["paySign"] == _sign("HMAC-SHA256", text, key)


# What is signed.


@pytest.fixture
def holds(vectors: dict[str, Any]) -> Any:
    """Whether a signature is the merchant's over these lines."""
    key = load_pem_public_key(vectors["keys"]["merchant_public_key_pem"].encode())

    def check(signature: str, *lines: str) -> None:
        message = "".join(f"{line}\n" for line in lines).encode()
        arguments = message, padding.PKCS1v15(), hashes.SHA256()
        key.verify(b64decode(signature), *arguments)

    return check


def test_a_longer_package_is_signed_whole_on_a_page(client, holds) -> None:
    package = f"prepay_id={PREPAY_ID}&fq_num=12"
    made = client.invoke.jsapi(PAGE, PREPAY_ID, package=package)
    assert made["package"] == package
    holds(made["paySign"], PAGE, str(PAID_AT), NONCES[0], package)


def test_a_longer_package_is_not_signed_in_an_app(client, holds) -> None:
    made = client.invoke.app(PAGE, PREPAY_ID, package="Sign=WXPay&fq_num=12")
    assert made["package"] == "Sign=WXPay&fq_num=12"
    holds(made["sign"], PAGE, str(PAID_AT), NONCES[0], PREPAY_ID)


def test_the_merchant_of_the_app_may_be_another(client, holds) -> None:
    made = client.invoke.app(PAGE, PREPAY_ID, "1900000109")
    assert made["partnerid"] == "1900000109"
    holds(made["sign"], PAGE, str(PAID_AT), NONCES[0], PREPAY_ID)


def test_each_invocation_has_a_time_and_a_nonce_of_its_own(make) -> None:
    moments, nonces = cycle([1.5, 2.5]), cycle(["a", "b"])
    client = make(0, "", clock=lambda: next(moments), nonce=lambda: next(nonces))
    made = [client.invoke.jsapi(PAGE, PREPAY_ID) for _ in range(2)]
    assert [one["timeStamp"] for one in made] == ["1", "2"]
    assert [one["nonceStr"] for one in made] == ["a", "b"]


# Without a signature.


@pytest.mark.parametrize(
    ("url", "back", "expected"),
    [
        ("https://wx.tenpay.com/a?b=c", None, "https://wx.tenpay.com/a?b=c"),
        (
            "https://wx.tenpay.com/a?b=c",
            "https://example.com/paid?order=1&x=支付",
            "https://wx.tenpay.com/a?b=c&redirect_url=https%3A%2F%2Fexample.com%2Fpaid"
            "%3Forder%3D1%26x%3D%E6%94%AF%E4%BB%98",
        ),
        (
            "https://wx.tenpay.com/a",
            "https://e.com/",
            "https://wx.tenpay.com/a?redirect_url=https%3A%2F%2Fe.com%2F",
        ),
    ],
)
def test_a_browser_comes_back_to_where_it_is_told(client, url, back, expected) -> None:
    made = client.invoke.h5(url, back)
    assert made == {"h5_url": expected}
    if back is not None:
        assert parse_qs(urlsplit(made["h5_url"]).query)["redirect_url"] == [back]


def test_a_qr_code_holds_what_the_order_said(client) -> None:
    url = "weixin://wxpay/bizpayurl?pr=p4lpSuKzz"
    assert client.invoke.native(url) == {"code_url": url}


@pytest.mark.parametrize("name", ["payscore_use", "payscore_enable"])
def test_payscore_of_today_needs_no_apiv2_key(make, name) -> None:
    client = make(SCORED_AT, NONCES[1], secret=None)
    made = getattr(client.invoke, name)(TOKEN)
    assert list(made["extraData"].values()) == [TOKEN]


# What is refused.

REFUSED: dict[str, Any] = {
    "a prepay_id with its prefix": lambda i: i.jsapi(PAGE, f"prepay_id={PREPAY_ID}"),
    "the same for an app": lambda i: i.app(PAGE, f"prepay_id={PREPAY_ID}"),
    "no prepay_id": lambda i: i.jsapi(PAGE, ""),
    "a prepay_id of None": lambda i: i.mini_program(PAGE, None),
    "a prepay_id that is a number": lambda i: i.app(PAGE, 5),
    "an empty partnerid": lambda i: i.app(PAGE, PREPAY_ID, ""),
    "an appid of two lines": lambda i: i.jsapi(f"{PAGE}\n1", PREPAY_ID),
    "an appid with NUL": lambda i: i.app(f"{PAGE}\0", PREPAY_ID),
    "no appid": lambda i: i.jsapi("", PREPAY_ID),
    "a package of another order": lambda i: i.jsapi(
        PAGE, PREPAY_ID, package=f"prepay_id={PREPAY_ID}0"
    ),
    "an empty package": lambda i: i.jsapi(PAGE, PREPAY_ID, package=""),
    "a package of two lines": lambda i: i.app(PAGE, PREPAY_ID, package="a\nb"),
    "another type": lambda i: i.jsapi(PAGE, PREPAY_ID, sign_type="SHA1"),
    "another type for an app": lambda i: i.app(PAGE, PREPAY_ID, sign_type="md5"),
    "no h5_url": lambda i: i.h5(""),
    "a redirect_url of two lines": lambda i: i.h5("https://h", "https://a\nb"),
    "no code_url": lambda i: i.native(None),
    "no package of PayScore": lambda i: i.payscore_use(""),
    "a package of PayScore that is too long": lambda i: i.payscore_use("x" * 2048),
    "no token": lambda i: i.payscore_enable(),
    "a token in the older form": lambda i: i.payscore_enable(
        TOKEN, signed=True, service_id=SERVICE, out_request_no=ORDER
    ),
    "a service in the form of today": lambda i: i.payscore_enable(
        TOKEN, service_id=SERVICE
    ),
    "half of the older form": lambda i: i.payscore_enable(
        signed=True, service_id=SERVICE
    ),
    "no order": lambda i: i.payscore_detail(SERVICE, ""),
    "no service": lambda i: i.payscore_detail(None, ORDER),
}


@pytest.mark.parametrize("made", REFUSED.values(), ids=REFUSED)
def test_what_a_front_end_could_not_use_is_refused(client, made) -> None:
    with pytest.raises(EncodeError) as caught:
        made(client.invoke)
    assert caught.value.outcome == "not_sent"


SECRET: dict[str, Any] = {
    "detail": lambda i: i.payscore_detail(SERVICE, ORDER),
    "use": lambda i: i.payscore_use(PACKAGE, signed=True),
    "enable": lambda i: i.payscore_enable(
        signed=True, service_id=SERVICE, out_request_no=ORDER
    ),
    "jsapi": lambda i: i.jsapi(PAGE, PREPAY_ID, sign_type="MD5"),
    "app": lambda i: i.app(PAGE, PREPAY_ID, sign_type="HMAC-SHA256"),
}


@pytest.mark.parametrize("made", SECRET.values(), ids=SECRET)
def test_the_older_forms_need_the_apiv2_key(make, made) -> None:
    client = make(PAID_AT, NONCES[0], secret=None, apiv3_key="x" * 32)
    with pytest.raises(ConfigurationError, match="APIv2"):
        made(client.invoke)


def test_the_apiv3_key_signs_no_invocation(make) -> None:
    # A mistake that another SDK makes.
    plain, other = (
        make(SCORED_AT, NONCES[1], apiv3_key=key) for key in ("x" * 32, "y" * 32)
    )
    one = plain.invoke.payscore_detail(SERVICE, ORDER)
    assert one == other.invoke.payscore_detail(SERVICE, ORDER)


def test_what_prints_names_the_merchant_only(client) -> None:
    assert repr(client.invoke) == f"<Invocations of merchant {client.mchid}>"


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(order=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_the_text_of_payscore_says_what_the_object_says(scored, order) -> None:
    made = scored.invoke.payscore_detail(SERVICE, order[:60])
    pairs = parse_qs(made["queryString"], strict_parsing=True)
    assert pairs == {name: [value] for name, value in made["extraData"].items()}
