"""APIv2: XML bodies, MD5 and HMAC signatures, answers that fail in two places."""

from __future__ import annotations

import hmac
import re
from hashlib import md5
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import pytest

from wechatpay_chain import (
    APIError,
    ConfigurationError,
    ConnectError,
    DecodeError,
    EncodeError,
    InvalidSignature,
    NotFound,
    ReadTimeout,
    Request,
    Response,
    ServerError,
    SignatureError,
)

FIELD = re.compile(r"<(\w+)><!\[CDATA\[(.*?)\]\]></\1>", re.S)


def sign(fields: dict[str, str], secret: str, kind: str = "MD5") -> str:
    """The signature as the documents describe it."""
    kept = sorted((k, v) for k, v in fields.items() if k != "sign" and v != "")
    text = "&".join([*(f"{k}={v}" for k, v in kept), f"key={secret}"]).encode()
    if kind == "MD5":
        return md5(text).hexdigest().upper()
    return hmac.new(secret.encode(), text, "sha256").hexdigest().upper()


def fields_of(request: Request) -> dict[str, str]:
    text = request.body.decode()
    assert re.fullmatch(r"<xml>(<(\w+)><!\[CDATA\[.*?\]\]></\2>)*</xml>", text, re.S)
    return dict(FIELD.findall(text))


@pytest.fixture
def secret(server) -> str:
    server.strict = False
    return str(server.keys["apiv2_key"])


@pytest.fixture
def client(make, secret) -> Any:
    return make(secret=secret)


@pytest.fixture
def answer(secret) -> Any:
    """Builds a signed answer; ``sign=None`` leaves the signature out."""

    def build(status: int = 200, kind: str = "MD5", **fields: str | None) -> Response:
        given: dict[str, Any] = {"return_code": "SUCCESS", "result_code": "SUCCESS"}
        given |= fields
        if "sign" not in given:
            given["sign"] = sign(given, secret, kind)
        body = "".join(
            f"<{name}>{escape(value)}</{name}>\n"
            for name, value in given.items()
            if value is not None
        )
        return Response(
            status, {"Content-Type": "text/xml"}, f"<xml>{body}</xml>".encode()
        )

    return build


@pytest.mark.parametrize("kind", [None, "MD5", "HMAC-SHA256"])
def test_a_call_is_signed_and_its_answer_checked(
    call, server, client, answer, secret, kind: str | None
) -> None:
    given = {"body": "充值 <&>", "total_fee": 88, "attach": "", "detail": None}
    if kind:
        given["sign_type"] = kind
    server.will(answer(kind=kind or "MD5", prepay_id="wx1 <&>"))
    reply = call(client.v2.pay.unifiedorder.post, given)
    sent = fields_of(server.request)
    assert server.request.url == "https://api.mch.weixin.qq.com/pay/unifiedorder"
    assert server.request.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert "Authorization" not in server.request.headers
    assert sent.pop("sign") == sign(sent, secret, kind or "MD5")
    assert sent.pop("mch_id") == server.keys["mchid"]
    assert re.fullmatch("[0-9A-Za-z]{1,32}", sent.pop("nonce_str"))
    expected = {"body": "充值 <&>", "total_fee": "88", "attach": ""}
    assert sent == (expected | {"sign_type": kind} if kind else expected)
    assert reply["prepay_id"] == "wx1 <&>"
    assert reply.data["return_code"] == "SUCCESS"
    assert reply.verified
    assert reply.serial is None


def test_the_documented_signatures(call, server, make, secret, answer, vectors) -> None:
    client = make(secret=secret)
    for case in vectors["v2_sign"][2:]:
        server.will(answer())
        call(client.v2.pay.unifiedorder.post, case["params"])
        assert fields_of(server.request)["sign"] == case["sign"]


def test_the_callers_own_fields_stay(call, server, client, answer, secret) -> None:
    given = {"mch_id": "10000100", "nonce_str": "fixed", "sign": "stale"}
    server.will(answer())
    call(client.v2.pay.orderquery.post, xml=given)
    sent = fields_of(server.request)
    assert (sent["mch_id"], sent["nonce_str"]) == ("10000100", "fixed")
    assert sent["sign"] == sign(sent, secret)


def test_no_fields_are_signed_all_the_same(call, server, client, answer) -> None:
    server.will(answer())
    call(client.v2.pay.orderquery.post)
    assert set(fields_of(server.request)) == {"mch_id", "nonce_str", "sign"}


def test_text_that_ends_cdata_is_kept(call, server, client, answer) -> None:
    server.will(answer())
    call(client.v2.x.post, {"body": "a]]>b"})
    assert b"a]]]]><![CDATA[>b" in server.request.body


def test_a_retry_signs_again_with_the_same_fields(call, server, client, answer) -> None:
    server.will(ConnectError("no route"), answer())
    call(client.v2.x.post, {"out_trade_no": "7"})
    first, second = map(fields_of, server.requests)
    assert first["out_trade_no"] == second["out_trade_no"] == "7"
    assert first["nonce_str"] != second["nonce_str"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"json": {"a": 1}}, "json=: paths below v2/ take XML fields"),
        ({"xml": {"a": 1}, "data": b"x"}, "given twice"),
        ({"xml": [("a", 1)]}, "a mapping of fields expected, got list"),
        ({"xml": {"a": {"b": 1}}}, "xml.a: str or int expected, got dict"),
        ({"xml": {"a": 1.5}}, "xml.a: str or int expected, got float"),
        ({"xml": {"a": True}}, "xml.a: str or int expected, got bool"),
        ({"xml": {"a": "\x00"}}, "xml.a: holds a character that XML cannot"),
        ({"xml": {"a": "\ud800"}}, "xml.a: holds a character"),
        ({"xml": {"a b": 1}}, "'a b' cannot be an element name"),
        ({"xml": {1: 1}}, "1 cannot be an element name"),
        ({"xml": {"sign_type": "RSA"}}, "MD5 or HMAC-SHA256 expected, got 'RSA'"),
        ({"files": {"file": ("a", b"b")}, "json": {}}, "the body is given twice"),
        ({"files": {}, "xml": {}}, "one file expected"),
        ({"xml": {}, "headers": {"Host": "x"}}, "the transport's own"),
        ({"data": 5}, "data: "),
        ({"xml": {"a": None, "b": b""}}, "xml.b: str or int expected, got bytes"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    call, server, client, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(EncodeError, match=reason):
        call(client.v2.pay.x.post, **options)
    assert server.requests == []


def test_without_the_key_it_says_so(call, server, make, secret) -> None:
    with pytest.raises(ConfigurationError, match="pass secret="):
        call(make().v2.pay.x.post, {"a": 1})
    assert server.requests == []


def test_raw_data_is_the_callers_own(call, server, client, answer) -> None:
    server.will(answer(), answer())
    call(client.v2.x.post, data=b"<xml/>", headers={"Content-Type": "text/xml"})
    assert server.request.body == b"<xml/>"
    call(client.v2.x.post, data="<xml/>")
    assert server.request.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_query_goes_with_it(call, server, client, answer) -> None:
    server.will(answer(), answer())
    call(client.v2.x.get, {"a": 1})
    assert (server.request.target, server.request.body) == ("/x?a=1", b"")
    headers = {"Content-Type": "application/xml"}
    call(client.v2.x.post, {"b": 1}, params={"a": 1}, headers=headers)
    assert server.request.target == "/x?a=1"
    assert server.request.headers["Content-Type"] == "application/xml"


class TestAnswers:
    def test_an_error_page_may_be_xml(self, call, server, client) -> None:
        server.will(Response(500, {}, b"<xml><a>1</a></xml>"))
        with pytest.raises(ServerError) as caught:
            call(client.v2.pay.x.post, {})
        assert caught.value.response["a"] == "1"

    @pytest.mark.parametrize("kind", ["MD5", "HMAC-SHA256"])
    def test_a_wrong_sign_is_invalid(self, call, server, client, answer, kind) -> None:
        good = answer(kind=kind, prepay_id="wx1")
        server.will(
            good.replace(body=type(good.body)(good.content.replace(b"wx1", b"wx2")))
        )
        with pytest.raises(InvalidSignature, match="check the APIv2 key") as caught:
            call(client.v2.pay.x.post, {})
        assert caught.value.outcome == "unknown"

    def test_a_missing_sign_is_a_signature_error(
        self, call, server, client, answer
    ) -> None:
        server.will(answer(sign=None))
        with pytest.raises(SignatureError, match="carries no sign") as caught:
            call(client.v2.pay.x.post, {})
        assert caught.value.outcome == "unknown"
        assert caught.value.request is not None

    def test_unknown_fields_take_part(self, call, server, client, answer) -> None:
        server.will(answer(brand_new="1"))
        assert call(client.v2.pay.x.post, {}).verified

    def test_return_code_fails(self, call, server, client, answer) -> None:
        server.will(
            answer(
                return_code="FAIL", return_msg="签名错误", result_code=None, sign=None
            )
        )
        with pytest.raises(APIError) as caught:
            call(client.v2.pay.x.post, {})
        error = caught.value
        assert (error.status_code, error.message) == (200, "签名错误")
        assert error.outcome == "refused"
        assert error.response["return_msg"] == "签名错误"

    @pytest.mark.parametrize(
        ("code", "outcome"),
        [
            ("ORDERNOTEXIST", "refused"),
            ("SYSTEMERROR", "unknown"),
            ("SYSTEM_ERROR", "unknown"),
            ("USERPAYING", "unknown"),
            ("BANKERROR", "unknown"),
            ("BIZERR_NEED_RETRY", "unknown"),
            ("PROCESSING", "unknown"),
            (None, "refused"),
        ],
    )
    def test_result_code_fails(
        self, call, server, client, answer, code: str | None, outcome: str
    ) -> None:
        server.will(
            answer(result_code="FAIL", err_code=code or "", err_code_des="订单不存在")
        )
        with pytest.raises(APIError, match="订单不存在") as caught:
            call(client.v2.pay.x.post, {})
        assert caught.value.err_code == (code or "")
        assert caught.value.outcome == outcome

    @pytest.mark.parametrize(
        "content",
        [
            b"<xml><result_code>SUCCESS</result_code></xml>",
            b"<xml/>",
            b"<xml><return_code>success</return_code></xml>",
        ],
    )
    def test_an_answer_that_nobody_signed_is_refused(
        self, call, server, client, content: bytes
    ) -> None:
        server.will(Response(200, {"Content-Type": "text/xml"}, content))
        with pytest.raises(SignatureError) as caught:
            call(client.v2.pay.x.post, {})
        assert caught.value.outcome == "unknown"

    def test_the_page_of_a_portal_is_no_answer(self, call, server, client) -> None:
        page = b"<html><body>login</body></html>"
        server.will(Response(200, {"Content-Type": "text/html"}, page))
        with pytest.raises(DecodeError, match="<xml> is expected") as caught:
            call(client.v2.pay.x.post, {})
        assert caught.value.outcome == "unknown"

    def test_a_failure_without_a_text(self, call, server, client, answer) -> None:
        server.will(answer(result_code="FAIL"))
        with pytest.raises(APIError, match="the operation failed") as caught:
            call(client.v2.pay.x.post, {})
        assert (caught.value.err_code, caught.value.outcome) == (None, "refused")

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (
                b'<!DOCTYPE x [<!ENTITY a "b">]><xml><a>&a;</a></xml>',
                "type declaration",
            ),
            (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml/>', "type declaration"),
            (b"<xml><a>&undefined;</a></xml>", "undefined entity"),
            (b"<xml><a><b>1</b></a></xml>", "a nested element <b>"),
            (b"<xml><a>1</a><a>2</a></xml>", "<a> appears twice"),
            (b"<xml><a>1</a>", "not XML"),
            (b"<xml>\xff</xml>", "not XML"),
            (b'<?xml version="1.0" encoding="none-such"?><xml/>', "unknown encoding"),
            (b'<?xml version="1.0" encoding="gbk"?><xml/>', "multi-byte"),
            (b"", "not XML"),
            (b'{"code": "X"}', "not XML"),
        ],
    )
    def test_what_is_no_flat_xml_is_a_decode_error(
        self, call, server, client, content: bytes, reason: str
    ) -> None:
        server.will(Response(200, {}, content))
        with pytest.raises(DecodeError, match=reason) as caught:
            call(client.v2.pay.x.post, {})
        assert caught.value.outcome == "unknown"

    @pytest.mark.parametrize(
        ("status", "kind", "outcome"),
        [(404, NotFound, "unknown"), (502, ServerError, "unknown")],
    )
    @pytest.mark.parametrize("content", [b"<html><br></html>", b"", b"busy", b"<xml/>"])
    def test_an_error_status_is_an_api_error(
        self, call, server, client, status, kind, outcome, content: bytes
    ) -> None:
        server.will(server.stream(content, Response(status, {})))
        with pytest.raises(kind) as caught:
            call(client.v2.pay.x.post, {})
        assert caught.value.outcome == outcome
        assert caught.value.response.content == content

    def test_a_lost_reply_is_unknown(self, call, server, client) -> None:
        server.will(ReadTimeout("late"))
        with pytest.raises(ReadTimeout) as caught:
            call(client.v2.pay.x.post, {})
        assert caught.value.outcome == "unknown"
        assert len(server.requests) == 1


class TestUnsigned:
    @pytest.mark.parametrize(
        "path",
        [
            "mmpaymkttransfers/promotion/transfers",
            "risk/getpublickey",
            "xdc/apiv2getsignkey/sign/getsignkey",
        ],
    )
    def test_an_answer_without_sign(self, call, server, client, answer, path) -> None:
        server.will(answer(sign=None, pub_key="x"))
        reply = call(client.v2[path].post, {})
        assert (reply["pub_key"], reply.verified) == ("x", False)

    def test_a_bill_is_a_file(self, call, server, client) -> None:
        server.will(Response(200, {}, "交易时间,..\r\n`1".encode()))
        reply = call(client.v2.pay.downloadbill.post, {"bill_date": "20240601"})
        assert (reply.data, reply.text[:4]) == (None, reply.text[:4])
        assert reply.content.startswith("交易时间".encode())

    def test_a_bill_is_streamed(self, call, server, client) -> None:
        server.will(server.stream(b"a,b,c,d"))
        call(client.v2.pay.downloadbill.post, {"bill_date": "20240601"}, stream=True)
        assert server.streams[0].reads == 0

    def test_a_bill_that_fails_is_an_error(self, call, server, client, answer) -> None:
        server.will(
            answer(return_code="FAIL", return_msg="No Bill Exist", sign=None),
        )
        with pytest.raises(APIError, match="No Bill Exist"):
            call(client.v2.pay.downloadbill.post, {"bill_date": "20240601"})

    def test_a_byte_order_mark_makes_a_failure_no_bill(
        self, call, server, client
    ) -> None:
        content = b"\xef\xbb\xbf<xml><return_code>FAIL</return_code></xml>"
        server.will(Response(200, {}, content))
        with pytest.raises(APIError):
            call(client.v2.pay.downloadbill.post, {"bill_date": "20240601"})


class TestWithoutALayer:
    def test_verify(self, call, server, client, answer) -> None:
        client.xml_stack.remove("verify")
        server.will(
            answer(sign=None),
            Response(200, {}, b"not xml"),
            Response(200, {}, b"<xml>"),
            Response(200),
        )
        reply = call(client.v2.x.post, {})
        assert (reply["return_code"], reply.verified) == ("SUCCESS", False)
        for reason in ("XML expected", "not XML"):
            with pytest.raises(DecodeError, match=reason):
                call(client.v2.x.post, {})
        assert call(client.v2.x.post, {}).data is None

    def test_decode(self, call, server, client, answer) -> None:
        client.xml_stack.remove("decode")
        server.will(answer())
        reply = call(client.v2.x.post, {})
        assert (reply.data, reply.verified) == (None, True)


def test_both_stacks_take_the_layers_of_the_client(call, server, make, answer) -> None:
    def mark(request):
        return (yield request.with_header("X-Mark", "1"))

    client = make(secret=server.keys["apiv2_key"], middleware=[mark])
    server.will(answer(), {})
    call(client.v2.x.post, {})
    call(client.v3.x.get)
    assert all("X-Mark" in request.headers for request in server.requests)


def test_a_prefix_only_looks_like_v2(call, server, client) -> None:
    server.strict = True
    call(client["v2x/y"].post, {"a": 1})
    assert server.request.target == "/v2x/y"
    assert server.request.body == b'{"a":1}'


def test_an_upload_has_its_fields_as_parts_and_signs_them(
    call, server, client, answer, secret
) -> None:
    server.will(answer(media_id="M1"))
    fields = {"media_hash": "abc", "sign_type": "HMAC-SHA256"}
    post = client.v2.secapi.mch.uploadmedia.post
    reply = call(post, fields, files={"media": ("照.png", b"--\r\n\x00")})
    assert reply["media_id"] == "M1"
    body = server.request.body
    kind = server.request.headers["Content-Type"]
    boundary = kind.partition("boundary=")[2].encode()
    *parts, file, end = body.split(b"--" + boundary)[1:]
    sent = {}
    for part in parts:
        head, _, value = part[2:-2].partition(b"\r\n\r\n")
        sent[head.split(b'"')[1].decode()] = value.decode()
    assert (
        file[2:]
        == (
            'Content-Disposition: form-data; name="media"; filename="照.png"\r\n'
            "Content-Type: image/png\r\n\r\n--\r\n\x00\r\n"
        ).encode()
    )
    assert end == b"--\r\n"
    assert sent.pop("sign") == sign(sent, secret, "HMAC-SHA256")
    assert sent == {**fields, "mch_id": sent["mch_id"]}


def test_an_upload_may_have_no_fields_of_the_callers(
    call, server, client, answer
) -> None:
    server.will(answer(media_id="M1"))
    post = client.v2.secapi.mch.uploadmedia.post
    call(post, files={"media": ("a.png", b"x")})
    assert b'name="mch_id"' in server.request.body


def test_a_query_is_signed_where_the_documents_sign_it(
    call, server, client, answer, secret
) -> None:
    server.will(answer())
    query = {"contract_display_account": "用户 & 户", "plan_id": 7, "sign": "old"}
    call(client.v2.papay.h5entrustweb.get, query)
    target = server.request.target
    sent = dict(parse_qsl(target.partition("?")[2]))
    assert sent.pop("sign") == sign(sent, secret)
    assert sent == {
        "contract_display_account": "用户 & 户",
        "plan_id": "7",
        "mch_id": sent["mch_id"],
    }


@pytest.mark.parametrize("data", [b"<xml><a>1</a></xml>", "text"])
def test_raw_data_of_a_known_endpoint_is_not_signed(
    call, server, client, answer, data: Any
) -> None:
    server.will(answer())
    call(client.v2.pay.orderquery.post, data=data)
    assert b"sign" not in server.request.body


def test_what_the_documents_have_no_nonce_for_gets_none(
    call, server, client, answer, secret
) -> None:
    server.will(answer())
    call(client.v2.papay.querycontract.post, {"plan_id": 1})
    sent = fields_of(server.request)
    assert "nonce_str" not in sent
    assert sent["sign"] == sign(sent, secret)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("v2/pay/orderquery", "mch_id"),
        ("v2/mmpaymkttransfers/promotion/transfers", "mchid"),
        ("v2/pay/combinedorder", "combine_mch_id"),
        ("v2/pay/not/known", "mch_id"),
    ],
)
def test_the_merchant_number_goes_by_the_name_of_the_documents(
    call, server, client, answer, path: str, name: str
) -> None:
    server.will(answer())
    call(client[path].post, {"a": 1})
    sent = fields_of(server.request)
    numbers = {"mch_id", "mchid", "combine_mch_id"}
    assert numbers & sent.keys() == {name}


def test_an_endpoint_of_one_algorithm_is_signed_with_it(
    call, server, client, answer, secret
) -> None:
    server.will(answer())
    call(client.v2.risk.getviolation.post, {"a": 1})
    sent = fields_of(server.request)
    assert "sign_type" not in sent
    assert sent["sign"] == sign(sent, secret, "HMAC-SHA256")


def test_an_answer_that_the_documents_leave_unsigned_may_be(
    call, server, client, answer
) -> None:
    server.will(answer(sign=None, return_msg="OK"))
    reply = call(client.v2.payitil.report.post, {"a": 1})
    assert reply["return_msg"] == "OK"
    assert not reply.verified
    server.will(answer(sign=None))
    with pytest.raises(SignatureError):
        call(client.v2.pay.orderquery.post, {"a": 1})
