"""Notifications of APIv2, through the same door."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from wechatpay_chain import (
    ConfigurationError,
    DecodeError,
    DecryptionError,
    InvalidSignature,
    MissingHeaders,
    NotificationError,
)

#: As published, with a Chinese attach.
PAYMENT = {
    "appid": "wx2421b1c4370ec43b",
    "attach": "支付测试",
    "bank_type": "CFT",
    "fee_type": "CNY",
    "is_subscribe": "Y",
    "mch_id": "10000100",
    "nonce_str": "5d2b6c2a8db53831f7eda20af46e531c",
    "openid": "oUpF8uMEb4qRXf22hE3X68TekukE",
    "out_trade_no": "1409811653",
    "result_code": "SUCCESS",
    "return_code": "SUCCESS",
    "time_end": "20140903131540",
    "total_fee": "1",
    "coupon_fee": "",
    "trade_type": "JSAPI",
    "transaction_id": "1004400740201409030005092168",
}
REFUND = {
    "out_refund_no": "131811191610442717309",
    "refund_id": "50000408942018111907145868882",
    "refund_status": "SUCCESS",
    "refund_recv_accout": "支付用户零钱",
}
OUTER = {
    "return_code": "SUCCESS",
    "appid": "wx8888888888888888",
    "mch_id": "1900007291",
    "nonce_str": "TeqClE3i0mvn3DrK",
}


def refused(call: Any, client: Any, body: Any, headers: Any = ()) -> NotificationError:
    with pytest.raises(NotificationError) as caught:
        call(client.notifications.parse, headers, body)
    error = caught.value
    assert error.outcome is error.__cause__.outcome is None
    assert error.version == "v2"
    return error


def refund(sender: Any, **changes: str) -> bytes:
    inner = sender.xml({**REFUND, **changes}, None, "root")
    return sender.xml({**OUTER, "req_info": sender.req_info(inner)}, None)


@pytest.mark.parametrize("kind", ["MD5", "HMAC-SHA256"])
def test_a_payment_is_read(call, client, sender, kind) -> None:
    body = sender.xml(PAYMENT, kind)
    found = call(client.notifications.parse, {"Request-ID": "08D8-0"}, body)
    assert found.event_type == "V2.TRANSACTION.SUCCESS"
    assert found.id == "V2.TRANSACTION.SUCCESS:1004400740201409030005092168"
    assert found.resource == {**PAYMENT, "sign": sender.sign(PAYMENT, kind)}
    assert found.envelope == found.resource
    assert found.original_type == "transaction"
    assert found.version == "v2"
    assert found.create_time is None
    assert found.serial is None
    assert found.request_id == "08D8-0"
    assert found.mchid == client.mchid
    assert found.raw == body


def test_the_documented_refund_is_read(call, client, sender, vectors) -> None:
    vector = vectors["v2_refund_notification"]
    body = sender.xml({**OUTER, "req_info": vector["req_info"]}, None)
    found = call(client.notifications.parse, {}, body)
    assert found.event_type == "V2.REFUND.SUCCESS"
    assert found.id == "V2.REFUND.SUCCESS:50000408942018111907145868882"
    assert found.resource["refund_recv_accout"] == "支付用户零钱"
    assert found.resource["refund_fee"] == "3960"
    assert sender.xml(found.resource, None, "root").decode() == vector["plaintext"]
    assert found.original_type == "refund"


def test_only_what_is_sealed_is_the_resource_of_a_refund(call, client, sender) -> None:
    body = refund(sender).replace(b"</xml>", b"<refund_fee>1</refund_fee></xml>")
    found = call(client.notifications.parse, {}, body)
    assert found.resource == REFUND
    assert found.envelope["refund_fee"] == "1"
    assert found.envelope["mch_id"] == OUTER["mch_id"]


@pytest.mark.parametrize("status", ["SUCCESS", "CHANGE", "REFUNDCLOSE"])
def test_the_type_of_a_refund_has_its_status(client, sender, status) -> None:
    found = client.notifications.parse({}, refund(sender, refund_status=status))
    assert found.event_type == f"V2.REFUND.{status}"


@pytest.mark.parametrize(
    ("fields", "event_type", "number"),
    [
        ({"transaction_id": "1", "result_code": "FAIL"}, "V2.TRANSACTION.FAIL", "1"),
        (
            {"combine_out_trade_no": "C1", "transaction_id": "", "result_code": "OK"},
            "V2.COMBINE.OK",
            "C1",
        ),
        (
            {"change_type": "ADD", "contract_id": "W1", "result_code": "SUCCESS"},
            "V2.CONTRACT.ADD",
            "W1",
        ),
        (
            {"plate_number": "粤B", "vehicle_event_type": "NORMAL"},
            "V2.VEHICLE.NORMAL",
            0,
        ),
        ({"plate_number": "粤B"}, "V2.VEHICLE", 0),
        ({"event_code": "RISK_USER"}, "V2.RISK.RISK_USER", 0),
        ({"later": "x"}, "V2.OTHER", 0),
    ],
)
def test_what_has_no_type_of_its_own_gets_one(
    client, sender, fields, event_type, number
) -> None:
    found = client.notifications.parse({}, sender.xml({**fields, "nonce_str": "a"}))
    assert found.event_type == event_type
    again = client.notifications.parse({}, sender.xml({**fields, "nonce_str": "b"}))
    assert again.id == found.id
    assert found.id.startswith(f"{event_type}:")
    if number:
        assert found.id == f"{event_type}:{number}"
    else:
        other = sender.xml({**fields, "nonce_str": "a", "more": "1"})
        assert client.notifications.parse({}, other).id != found.id


def test_an_id_stays_short(client, sender) -> None:
    fields = {"transaction_id": "1" * 500, "result_code": "S" * 500}
    assert len(client.notifications.parse({}, sender.xml(fields)).id) <= 96


@pytest.mark.parametrize(
    "before", [b"", b"\xef\xbb\xbf", b"\r\n\t ", b'<?xml version="1.0"?>\n']
)
def test_xml_may_follow_what_xml_may_follow(client, sender, before) -> None:
    body = before + sender.xml(PAYMENT)
    assert client.notifications.parse({}, body).resource["total_fee"] == "1"


def test_payscore_before_apiv3_is_signed_and_sealed(call, client, sender) -> None:
    sealed = sender.resource({"state": "DOING"})
    fields = {
        "mch_id": "1900007291",
        "appid": "wx1",
        "algorithm": "HMAC-SHA256",
        "nonce_str": "n",
        "event_id": "EV-1",
        "event_create_time": "20240601150000",
        "event_type": "CHECK.SUCCESS",
        "event_algorithm": "AEAD_AES_256_GCM",
        "event_nonce": sealed["nonce"],
        "event_associated_data": sealed["associated_data"],
        "event_ciphertext": sealed["ciphertext"],
    }
    found = call(client.notifications.parse, {}, sender.xml(fields, "HMAC-SHA256"))
    assert found.event_type == "V2.CHECK.SUCCESS"
    assert found.id == "V2.CHECK.SUCCESS:EV-1"
    assert found.resource == {"state": "DOING"}
    assert found.create_time == datetime(2024, 6, 1, 7, tzinfo=timezone.utc)
    del fields["event_id"], fields["event_type"]
    found = call(client.notifications.parse, {}, sender.xml(fields, "HMAC-SHA256"))
    assert found.event_type == "V2.OTHER"
    wrong = sender.client(apiv3_key="0" * 32)
    error = refused(call, wrong, sender.xml(fields, "HMAC-SHA256"))
    assert "almost certainly apiv3_key" in str(error)
    # Without a sign nobody knows whether it was changed.
    error = refused(call, wrong, sender.xml({**fields, "req_info": "x"}, None))
    assert "changed ciphertext" in str(error)
    bare = sender.client(apiv3_key=None)
    error = refused(call, bare, sender.xml(fields, "HMAC-SHA256"))
    assert error.status_code == 500
    assert type(error.__cause__) is ConfigurationError


# What is refused.


@pytest.mark.parametrize("name", [name for name in PAYMENT if PAYMENT[name]])
def test_no_field_of_a_payment_may_change(call, client, sender, name) -> None:
    fields = {**PAYMENT, "sign": sender.sign(PAYMENT)}
    error = refused(call, client, sender.xml({**fields, name: "2"}, None))
    assert type(error.__cause__) is InvalidSignature
    assert error.status_code == 401


def test_no_field_may_be_added(call, client, sender) -> None:
    fields = {**PAYMENT, "sign": sender.sign(PAYMENT), "later": "1"}
    error = refused(call, client, sender.xml(fields, None))
    assert type(error.__cause__) is InvalidSignature


@pytest.mark.parametrize("sign", ["", "0" * 32, "0" * 64, "签名", " "])
def test_a_wrong_sign_is_refused(call, client, sender, sign) -> None:
    error = refused(call, client, sender.xml({**PAYMENT, "sign": sign}, None))
    assert type(error.__cause__) is InvalidSignature
    assert error.status_code == 401


def test_a_payment_without_a_sign_is_refused(call, client, sender) -> None:
    error = refused(call, client, sender.xml(PAYMENT, None))
    assert type(error.__cause__) is MissingHeaders
    assert error.status_code == 401


@pytest.mark.parametrize("code", ["SUCCESS", "FAIL"])
def test_what_is_not_signed_and_not_sealed_is_refused(
    call, client, sender, code
) -> None:
    error = refused(call, client, sender.xml({"return_code": code}, None))
    assert error.status_code == 401


def test_the_sign_of_another_merchant_is_refused(call, client, sender) -> None:
    sign = sender.sign(PAYMENT, key="f" * 32)
    error = refused(call, client, sender.xml({**PAYMENT, "sign": sign}, None))
    assert type(error.__cause__) is InvalidSignature


def test_the_refund_of_another_merchant_does_not_open(call, client, sender) -> None:
    inner = sender.xml(REFUND, None, "root")
    sealed = sender.req_info(inner, "f" * 32)
    error = refused(call, client, sender.xml({**OUTER, "req_info": sealed}, None))
    assert type(error.__cause__) in (DecryptionError, DecodeError)
    assert error.status_code == 400


def test_a_refund_that_is_signed_must_be_signed_well(call, client, sender) -> None:
    inner = sender.req_info(sender.xml(REFUND, None, "root"))
    fields = {**OUTER, "req_info": inner}
    assert call(client.notifications.parse, {}, sender.xml(fields)).resource == REFUND
    error = refused(call, client, sender.xml({**fields, "sign": "0" * 32}, None))
    assert type(error.__cause__) is InvalidSignature


@pytest.mark.parametrize(
    "inner",
    [b"", b"{}", b"<xml></xml>", b"<root>", b"<root><a><b/></a></root>", b"\xff"],
)
def test_a_refund_that_opens_and_is_no_root_cannot_be_read(
    call, client, sender, inner
) -> None:
    fields = {**OUTER, "req_info": sender.req_info(inner)}
    error = refused(call, client, sender.xml(fields, None))
    assert type(error.__cause__) is DecodeError
    assert error.status_code == 400


@pytest.mark.parametrize("text", ["", "A", "AAAA", "签名", "A" * 24 + "=="])
def test_a_req_info_that_is_no_cipher_does_not_open(call, client, sender, text) -> None:
    error = refused(call, client, sender.xml({**OUTER, "req_info": text}, None))
    assert type(error.__cause__) in (DecryptionError, DecodeError)
    assert error.status_code == 400


def test_without_the_apiv2_key_it_is_our_own_mistake(call, sender) -> None:
    error = refused(call, sender.client(secret=None), sender.xml(PAYMENT))
    assert type(error.__cause__) is ConfigurationError
    assert error.status_code == 500


def test_xml_under_a_signature_of_apiv3_is_held_to_it(call, client, sender) -> None:
    # Or a header would choose the weaker of the two rules.
    body = sender.xml(PAYMENT)
    with pytest.raises(NotificationError) as caught:
        call(client.notifications.parse, {"Wechatpay-Signature": "x"}, body)
    assert caught.value.version == "v3"
    assert type(caught.value.__cause__) is MissingHeaders


# What no parser of XML should be given.

_ENTITY = "<!DOCTYPE xml [<!ENTITY {}>]><xml><a>&e;</a><sign>x</sign></xml>"
BOMBS = {
    "a document type": "<!DOCTYPE xml><xml><a>1</a></xml>",
    "an entity": _ENTITY.format('e "text"'),
    "a file": _ENTITY.format('e SYSTEM "file:///etc/passwd"'),
    "a URL": _ENTITY.format('e SYSTEM "http://127.0.0.1:9/"'),
    "a parameter entity": '<!DOCTYPE xml [<!ENTITY % e SYSTEM "file:///x"> %e;]><xml/>',
    "a DTD elsewhere": '<!DOCTYPE xml SYSTEM "http://127.0.0.1:9/x.dtd"><xml/>',
    "a billion laughs": "<!DOCTYPE xml [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
    + "]><xml><a>&a9;</a></xml>",
    "quadratic blowup": f"<!DOCTYPE xml [<!ENTITY e '{'x' * 9999}'>]><xml><a>"
    + "&e;" * 9999
    + "</a></xml>",
    "nested elements": "<xml><a><b>1</b></a></xml>",
    "depth": "<xml>" + "<a>" * 100_000,
    "another root": "<html><body/></html>",
    "a field twice": "<xml><a>1</a><a>2</a></xml>",
    "two documents": "<xml><a>1</a></xml><xml><a>1</a></xml>",
    "an unknown entity": "<xml><a>&nbsp;</a></xml>",
    "cut off": "<xml><a>1</a>",
    "an unknown encoding": '<?xml version="1.0" encoding="x-none"?><xml/>',
    "nothing in it": "<",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_dangerous_xml_is_refused_before_it_is_read(call, client, text) -> None:
    error = refused(call, client, text.encode())
    assert type(error.__cause__) is DecodeError
    assert error.status_code == 400


@pytest.mark.parametrize("name", ["a file", "a billion laughs", "quadratic blowup"])
def test_dangerous_xml_within_a_refund_is_refused(call, client, sender, name) -> None:
    inner = BOMBS[name].replace("xml", "root").encode()
    fields = {**OUTER, "req_info": sender.req_info(inner)}
    error = refused(call, client, sender.xml(fields, None))
    assert type(error.__cause__) is DecodeError


# By chance.

QUIET = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
#: What XML can hold, and what stands for itself.
TEXT = st.text(
    st.characters(min_codepoint=32, max_codepoint=0xFFFD, exclude_categories=["Cs"]),
    min_size=1,
    max_size=20,
).filter(lambda text: "]]>" not in text)
NAMES = st.sampled_from(["a", "b", "attach", "total_fee", "sub_mch_id", "later"])


@QUIET
@given(fields=st.dictionaries(NAMES, TEXT, min_size=1))
def test_what_is_signed_comes_out_as_it_was(client, sender, fields) -> None:
    found = client.notifications.parse({}, sender.xml(fields))
    assert {name: found.resource[name] for name in fields} == fields


@QUIET
@given(fields=st.dictionaries(NAMES, TEXT, min_size=1), name=NAMES, value=TEXT)
def test_no_field_may_have_another_value(client, sender, fields, name, value) -> None:
    assume(fields.get(name) != value)
    sign = sender.sign(fields)
    body = sender.xml({**fields, name: value, "sign": sign}, None)
    with pytest.raises(NotificationError) as caught:
        client.notifications.parse({}, body)
    assert caught.value.status_code == 401


@QUIET
@given(body=st.binary(max_size=300))
def test_no_bytes_of_xml_raise_anything_but_a_refusal(client, sender, body) -> None:
    for text in (b"<" + body, b"<xml>" + body + b"</xml>"):
        with pytest.raises(NotificationError):
            client.notifications.parse({}, text)
    fields = {**OUTER, "req_info": sender.req_info(body)}
    with pytest.raises(NotificationError):
        client.notifications.parse({}, sender.xml(fields, None))
