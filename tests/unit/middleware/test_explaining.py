"""``explain``: certain of what it names, silent on secrets, and never in the way."""

from __future__ import annotations

import json
import random
from itertools import islice
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from wechatpay_chain import Headers, KeyRing, Request, Response, crypto
from wechatpay_chain.crypto.candidates import candidates
from wechatpay_chain.crypto.header import Claim
from wechatpay_chain.middleware import evidence, explaining
from wechatpay_chain.middleware.account import Account
from wechatpay_chain.middleware.explaining import explain

NOW = 1717225200
TEXT_WORDS = ("method:", "url:", "query:", "timestamp:", "nonce:", "body:", "lines:")
KEY_WORDS = ("do not belong together", "another key", "serial_no", "mchid")


@pytest.fixture(scope="module")
def key(vectors: dict[str, Any]) -> Any:
    return crypto.load_private_key(
        vectors["keys"]["merchant_private_key_pkcs8_der_base64"]
    )


@pytest.fixture(scope="module")
def stranger() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def account(vectors: dict[str, Any], key: Any) -> Account:
    keys = vectors["keys"]
    return Account(
        keys["mchid"],
        keys["merchant_serial_no"],
        key.public_key,
        KeyRing(),
        lambda: float(NOW),
    )


def refused(request: Request | None, signed: Request | None = None) -> Response:
    """A documented 401 without ``sign_information``."""
    detail = {"field": "signature", "detail": {"issue": "sign not match"}}
    data = {"code": "SIGN_ERROR", "message": "x", "detail": detail}
    return Response(401, request=request, signed=signed, data=data)


def authorised(
    request: Request, account: Account, key: Any, text: bytes | None = None, **more: str
) -> Request:
    """*request* with a signature over *text*, by default over the right one."""
    values = {
        "mchid": account.mchid,
        "serial": account.serial,
        "timestamp": str(NOW),
        "nonce": "0123456789abcdefABCDEF0123456789",
        **more,
    }
    if text is None:
        text = crypto.request_message(
            request.method,
            request.target,
            values["timestamp"],
            values["nonce"],
            request.body,
        )
    values["signature"] = crypto.sign(text, key)
    return request.with_header("Authorization", crypto.authorization(**values))


def some_request(chance: random.Random) -> Request:
    """Any request that a client may send."""
    segments = chance.choices(["pay", "A%7C1", "x*y", "42", "%E6%88%B7"], k=3)
    query = chance.choice(["", "?a=1", "?b=1%202&a=x%2Fy", "?c", "?q=%E6%88%B7&n="])
    body = b""
    method = chance.choice(["GET", "POST", "PATCH", "DELETE"])
    if method in ("POST", "PATCH"):
        fields = {
            name: chance.choice(["用户", "a/b", 5, None, {"x": [1, 2]}])
            for name in chance.sample(["reason", "appid", "total", "note"], k=3)
        }
        body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    url = f"https://api.mch.weixin.qq.com/v3/{'/'.join(segments)}{query}"
    return Request(method, url, Headers(), body, template="v3/pay/{no}/x")


class TestNoFalseNames:
    @pytest.mark.parametrize("whose", ["ours by option", "another by hand"])
    def test_wrong_key_is_never_taken_for_a_wrong_text(
        self, account: Account, key: Any, stranger: Any, whose: str
    ) -> None:
        chance = random.Random(1)
        signer = stranger
        if whose == "ours by option":
            account = account._replace(public_key=stranger.public_key)
        for _ in range(300):
            request = authorised(some_request(chance), account, signer)
            text = explain(refused(request), account) or ""
            assert ("do not belong" in text) is (whose == "ours by option")
            assert ("another key made it" in text) is (whose == "another by hand")
            assert not [word for word in TEXT_WORDS if word in text], text

    def test_wrong_text_is_never_taken_for_a_wrong_key(
        self, account: Account, key: Any
    ) -> None:
        chance = random.Random(2)
        for _ in range(300):
            request = some_request(chance)
            claim = Claim("", "0123456789abcdefABCDEF0123456789", "", str(NOW), "")
            parts = evidence.parts(request, claim)
            one = chance.choice([*islice(candidates(parts, pairs=False), 200)])
            request = authorised(request, account, key, one.text)
            text = explain(refused(request), account) or ""
            assert text.startswith("the key is right, the text that was signed is not")
            assert [word for word in TEXT_WORDS if word in text], one.ids
            assert not [word for word in KEY_WORDS if word in text], text

    def test_text_that_nobody_knows_names_nothing(
        self, account: Account, key: Any
    ) -> None:
        chance = random.Random(3)
        for _ in range(10):
            request = authorised(
                some_request(chance), account, key, chance.randbytes(50)
            )
            text = explain(refused(request), account) or ""
            assert "no mistake that is known explains it" in text
            assert not [word for word in (*TEXT_WORDS, *KEY_WORDS) if word in text]


REQUEST = Request("POST", "https://h/v3/x?a=1", Headers(), b'{"secret":"value"}')


def test_nothing_is_said_without_a_request_or_an_account(account: Account) -> None:
    assert explain(refused(None), account) is None
    assert explain(refused(REQUEST), None) is None


def test_signed_request_stands_in_where_none_is_known_to_have_gone_out(
    account: Account, key: Any
) -> None:
    request = authorised(REQUEST, account, key, REQUEST.body)
    text = explain(refused(None, signed=request), account) or ""
    assert "the key is right" in text


def test_what_was_signed_is_of_no_use_where_it_is_no_signature(
    account: Account, key: Any
) -> None:
    request = authorised(REQUEST, account, key)
    text = explain(refused(request, signed=REQUEST), account) or ""
    assert "do not belong together" in text


def test_layer_that_changes_signature_and_text_is_judged_by_what_went_out(
    account: Account, key: Any
) -> None:
    """What was noted as signed is not what the signature is over."""
    signed = authorised(REQUEST, account, key)
    other = REQUEST.replace(url="https://h/v3/y?a=1")
    wrong = crypto.request_message("POST", "/v3/y", NOW, "N0", other.body)
    sent = authorised(other, account, key, wrong, nonce="N0")
    text = explain(refused(sent, signed=signed), account) or ""
    assert "query: left out of the signed text" in text
    assert "further in than 'sign'" not in text


def test_certificate_of_wechat_in_the_ring_is_recognised(
    vectors: dict[str, Any], account: Account, key: Any
) -> None:
    keys = vectors["keys"]
    serial = keys["platform_cert_old_serial_no"]
    public = crypto.load_public_key(keys["platform_cert_old_pem"]).key
    ring = KeyRing({serial: crypto.WeChatKey(serial, public)})
    request = authorised(REQUEST, account, key, serial=serial.lower())
    text = explain(refused(request), account._replace(keys=ring)) or ""
    assert text.startswith(f"serial_no {serial.lower()} is a key of WeChat Pay's")


@pytest.mark.parametrize(
    ("body", "query", "named"),
    [
        (b'{"sub_mchid":"1900007291"}', "", True),
        (b"", "?a=1&sub_mchid=1900007291", True),
        (b'{"sub_mchid":["1900007291"]}', "", False),
        (b'["1900007291"]', "?sub_mchid=1", False),
        (b"sub_mchid", "?x_sub_mchid=1900007291", False),
    ],
)
def test_sub_merchant_that_signs_for_itself_is_recognised(
    account: Account, key: Any, body: bytes, query: str, named: bool
) -> None:
    request = Request("POST", f"https://h/v3/x{query}", Headers(), body)
    text = explain(refused(authorised(request, account, key)), account) or ""
    assert ("is the sub_mchid of this request" in text) is named


def test_no_secret_is_in_a_sentence_or_a_repr(
    account: Account, key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    known = explaining._wrong_text

    def wrong_text(case: Any) -> str:
        seen.append(case)
        return known(case)

    monkeypatch.setattr(explaining, "_wrong_text", wrong_text)
    url = "https://h/v3/x?openid=oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
    request = authorised(REQUEST.replace(url=url), account, key, b"other")
    text = explain(refused(request), account) or ""
    assert "openid=..." in text
    (case,) = seen
    for shown in (text, repr(case), repr(case.sent), repr(case.reading)):
        assert "oUpF8" not in shown.replace(str(request.sent()), "")
        assert "value" not in shown
        assert request.headers["Authorization"][-40:-2] not in shown


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    "detail",
                    "sign_information",
                    "issue",
                    "field",
                    "truncated_sign_message",
                    "sign_message_length",
                    "method",
                    "url",
                    "code",
                )
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
bodies = (
    st.binary(max_size=60)
    | json_like.map(lambda value: json.dumps(value).encode())
    | st.sampled_from((b"[" * 5000, b'{"a":"\\ud800"}', b"9" * 5000, b"{\xff}"))
)
urls = st.text(max_size=40).map(lambda rest: f"https://h{rest}") | st.text(max_size=20)
authorisations = (
    st.none()
    | st.text(max_size=60)
    | st.builds(
        lambda values: crypto.authorization(**values),
        st.fixed_dictionaries(
            {
                "mchid": st.text(max_size=12),
                "serial": st.text(max_size=12) | st.just("PUB_KEY_ID_01"),
                "timestamp": st.just(str(NOW)) | st.from_regex("[0-9]{10}"),
                "nonce": st.from_regex(r"\A[0-9A-Za-z]{1,32}\Z"),
                "signature": st.just("good") | st.text(max_size=40),
            }
        ),
    )
)
MULTIPART = Headers({"Content-Type": "multipart/form-data; boundary=b"})


@given(
    data=json_like,
    body=bodies,
    signing_body=st.none() | bodies,
    url=urls,
    method=st.text(max_size=6),
    given_=authorisations,
    changed=st.none() | bodies,
    date=st.text(max_size=30),
    multipart=st.booleans(),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(
    data=None,
    body=b"",
    signing_body=None,
    url="https://h",
    method="\n",
    given_='WECHATPAY2-SHA256-RSA2048 mchid="0",nonce_str="0",timestamp="1717225200",'
    'serial_no="PUB_KEY_ID_01",signature="good"',
    changed=None,
    date="",
    multipart=False,
)
def test_explaining_never_raises(
    account: Account,
    key: Any,
    data: Any,
    body: bytes,
    signing_body: bytes | None,
    url: str,
    method: str,
    given_: str | None,
    changed: bytes | None,
    date: str,
    multipart: bool,
) -> None:
    headers = MULTIPART if multipart else Headers()
    request = Request(method, url, headers, body, signing_body)
    if given_ is not None:
        if 'signature="good"' in given_:
            given_ = given_.replace("good", crypto.sign(b"anything", key))
        request = request.with_header("Authorization", given_)
    signed = None if changed is None else request.replace(body=changed)
    response = Response(
        401, Headers({"Date": date}), request=request, signed=signed, data=data
    )
    text = explain(response, account)
    assert isinstance(text, str)
    assert "\n" not in text
    assert json.dumps(text)


def test_documented_signature_of_another_text_is_explained(
    vectors: dict[str, Any], account: Account
) -> None:
    """From the documents alone: two serialisations of one object."""
    vector = {one["name"]: one for one in vectors["request_sign"]}
    utf8, ascii_only = (
        vector[name]
        for name in ("post_json_utf8_cancel", "post_json_ascii_escaped_cancel")
    )
    request = Request(
        "POST",
        "https://api.mch.weixin.qq.com" + utf8["canonical_url"],
        Headers({"Authorization": ascii_only["authorization"]}),
        utf8["body"].encode(),
    )
    text = explain(refused(request), account) or ""
    assert text.startswith("the key is right")
    assert r"non-ASCII escaped as \u" in text
