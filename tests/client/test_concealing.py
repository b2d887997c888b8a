"""The layer ``conceal``: sensitive fields (敏感字段) on their way out and in."""

from __future__ import annotations

import copy
import logging
import pickle
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sensitive_gateway import SENSITIVE, SensitiveGateway, loads

from wechatpay_chain import (
    APIError,
    Compute,
    ConfigurationError,
    ConnectError,
    DecryptionError,
    EncodeError,
    NotFound,
    Request,
    Response,
    ServerError,
    WeChatPay,
    catalogue,
    crypto,
    read,
    send,
)
from wechatpay_chain.catalogue import Operation
from wechatpay_chain.crypto import Encrypted
from wechatpay_chain.middleware.concealing import Concealer

ADD = "v3/profitsharing/receivers/add"
ORDERS = "v3/profitsharing/orders"
APPLY = "v3/applyment4sub/applyment/"
VERIFY = "v3/realname/verify"
#: With the numbers below, the texts that nobody may see.
PERSONAL = ("张三丰", "440301199001011234", "13900000000", "a@example.com")


@pytest.fixture(autouse=True)
def _nobody_has_encrypted_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Encrypted, "exist", False)


@pytest.fixture(params=["public_key", "certificate"])
def gateway(request: pytest.FixtureRequest) -> SensitiveGateway:
    return SensitiveGateway(request.param)


@pytest.fixture
def client(gateway: SensitiveGateway) -> WeChatPay:
    return gateway.client()


def expected_serial(gateway: SensitiveGateway) -> str:
    if gateway.mode == "certificate":
        return gateway.certificate_serial
    return gateway.public_key_id


def first_key(call: Any, client: WeChatPay) -> None:
    """Make a call, with which the certificates are downloaded where they are used."""
    call(client.v3.security.echo.post, {"echo_message": "hi"})


# Round trips.


def test_a_receiver_is_added(call, gateway, client) -> None:
    """A field at the top, out and in."""
    gateway.answer = {"type": "PERSONAL_OPENID", "account": "o", "name": "张三丰"}
    body = {"appid": "wx1", "type": "PERSONAL_OPENID", "account": "o", "name": "张三丰"}
    before = copy.deepcopy(body)
    reply = call(client[ADD].post, body)
    assert gateway.body == body == before
    assert reply.data == gateway.answer
    assert reply["name"] == "张三丰"
    assert reply.verified
    assert "张三丰" not in gateway.sent + reply.text
    assert gateway.serials == [expected_serial(gateway)]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("v3/profitsharing/receivers/{action}", {"action": "add"}),
        (
            "v3/{product}/receivers/{action}",
            {"product": "profitsharing", "action": "add"},
        ),
        ("{+all}", {"all": ADD}),
    ],
)
def test_a_value_that_fills_in_a_word_of_the_path_leaves_nothing_plain(
    call, gateway, client, path: str, values: dict[str, str]
) -> None:
    gateway.answer = {"account": "o", "name": "张三丰"}
    reply = call(client[path].post, {"account": "o", "name": "张三丰"}, **values)
    assert gateway.body == reply.data == gateway.answer
    assert "张三丰" not in gateway.sent + reply.text


@pytest.mark.parametrize(
    ("path", "below"),
    [
        (ADD + "/", ""),
        ("v3/profitsharing/receivers/%61dd", ""),
        ("profitsharing/receivers/add", "/v3"),
    ],
)
def test_a_path_that_is_written_in_another_way_leaves_nothing_plain(
    call, server, make, path: str, below: str
) -> None:
    client = make(check="off")
    body = {"account": "o", "name": "张三丰"}
    call(client[path].post, body, base_url=f"https://api.mch.weixin.qq.com{below}")
    assert "张三丰".encode() not in server.request.body
    assert len(loads(server.request.body)["name"]) == 344
    assert server.request.url.endswith(path)


def test_an_application_without_the_last_slash_leaves_nothing_plain(
    call, server, make
) -> None:
    body = {"contact_info": {"contact_name": "张三丰"}}
    call(make(check="off").v3.applyment4sub.applyment.post, body)
    assert server.request.path == "/v3/applyment4sub/applyment"
    assert "张三丰".encode() not in server.request.body


def test_profits_are_shared_among_several(call, gateway, client) -> None:
    """Fields in the items of an array, of which one has none."""
    body = {
        "transaction_id": "4208450740201411110007820472",
        "out_order_no": "P20150806125346",
        "receivers": [
            {"account": "o1", "amount": 100, "name": "张三丰"},
            {"account": "o2", "amount": 1},
            {"account": "o3", "amount": 1, "name": "13900000000"},
        ],
    }
    before = copy.deepcopy(body)
    call(client[ORDERS].post, body)
    assert gateway.body == body == before
    assert not any(text in gateway.sent for text in PERSONAL)


def test_a_merchant_applies(call, gateway, client) -> None:
    """Fields in nested objects, and in an array of them."""
    card = {"id_card_name": "张三丰", "id_card_number": "440301199001011234"}
    owner = {"ubo_id_doc_name": "张三丰", "ubo_id_doc_number": "440301199001011234"}
    body = {
        "business_code": "1900013511_10000",
        "contact_info": {
            "contact_name": "张三丰",
            "mobile_phone": "13900000000",
            "contact_email": "a@example.com",
        },
        "subject_info": {
            "subject_type": "SUBJECT_TYPE_ENTERPRISE",
            "identity_info": {"id_doc_type": "IDENTIFICATION", "id_card_info": card},
            "ubo_info_list": [owner, owner],
        },
        "bank_account_info": {"account_name": "张三丰", "bank_account_type": "X"},
    }
    before = copy.deepcopy(body)
    call(client[APPLY].post, body)
    assert gateway.body == body == before
    assert not any(text in gateway.sent for text in PERSONAL)
    assert '"business_code":"1900013511_10000"' in gateway.sent


def test_a_list_of_complaints_is_read(call, gateway, client) -> None:
    gateway.answer = {
        "data": [
            {"complaint_id": "1", "payer_phone": "13900000000"},
            {"complaint_id": "2"},
            {"complaint_id": "3", "payer_phone": "13900000001"},
        ],
        "total_count": 3,
    }
    reply = call(client["v3/merchant-service/complaints-v2"].get, {"limit": 3})
    assert reply.data == gateway.answer
    assert b"1390000000" not in reply.content
    assert loads(reply.content)["data"][1] == {"complaint_id": "2"}


def test_the_certificates_are_downloaded_first_and_once(call, gateway) -> None:
    client = gateway.client()
    call(client[ADD].post, {"name": "张三丰"})
    call(client[ADD].post, {"name": "张三丰"})
    downloads = [one for one in gateway.requests if one.path == "/v3/certificates"]
    assert len(downloads) == (gateway.mode == "certificate")
    assert len(gateway.requests) == 2 + len(downloads)
    assert gateway.requests[-1] is gateway.came


def test_the_download_has_nothing_of_the_call(call, client, gateway) -> None:
    Encrypted("aGk=", "PUB_KEY_ID_01")  # from now on, values are looked for
    call(client[VERIFY].get, {"encrypted_name": "张三丰"})
    for request in gateway.requests[:-1]:
        assert request.url.endswith("/v3/certificates")
        assert request.params is request.operation is request.payload is None
        assert "Wechatpay-Serial" not in request.headers


def test_while_migrating_the_public_key_is_preferred(call) -> None:
    gateway = SensitiveGateway("migrating")
    call(gateway.client()[ADD].post, {"name": "张三丰"})
    assert gateway.serials == [gateway.public_key_id]
    assert gateway.body == {"name": "张三丰"}


def test_a_retry_sends_the_same_ciphertext(call, gateway, client) -> None:
    gateway.failures = [ConnectError("refused"), ConnectError("refused")]
    body = {"out_order_no": "1", "receivers": [{"name": "张三丰"}]}
    call(client[ORDERS].post, body)
    tries = [one for one in gateway.requests if one.path != "/v3/certificates"]
    assert len(tries) == 3
    assert len({one.body for one in tries}) == 1
    assert gateway.body == body


def test_each_call_has_a_ciphertext_of_its_own(call, gateway, client) -> None:
    for _ in range(2):
        call(client[ADD].post, {"name": "张三丰"})
    first, second = (one for one in gateway.requests if one.path.endswith("/add"))
    assert first.body != second.body


# Every operation, every place.


@cache
def world(mode: str) -> tuple[SensitiveGateway, WeChatPay]:
    gateway = SensitiveGateway(mode)
    return gateway, gateway.client(retry=1)


#: Never a part of a ciphertext, a key of JSON or a path.
MARK = "密"
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=50).map(
    MARK.__add__
)


def put(body: dict[str, Any], place: str, values: list[str]) -> None:
    """Set *values* at *place*: one, or in an array as many as there are."""
    head, _, rest = place.partition(".")
    name, brackets, _ = head.partition("[")
    if not brackets:
        if rest:
            put(body.setdefault(name, {}), rest, values)
        else:
            body[name] = values[0]
    elif rest:
        items = body.setdefault(name, [{} for _ in values])
        for item, value in zip(items, values):
            put(item, rest, [value, *values])
    else:
        body[name] = values


def texts(value: Any) -> Iterator[str]:
    """Every text in *value*."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if not isinstance(value, str):
            yield from texts(inner)


CONCEALED = [one for one in SENSITIVE if one.concealed]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.data(),
    st.sampled_from(CONCEALED),
    st.sampled_from(["public_key", "certificate"]),
)
def test_no_plain_value_leaves_and_the_gateway_reads_all(
    data: st.DataObject, operation: Operation, mode: str
) -> None:
    gateway, client = world(mode)
    gateway.serials.clear()
    body: dict[str, Any] = {}
    query: dict[str, Any] = {}
    for place, _ in operation.concealed:
        values = data.draw(st.lists(VALUES, min_size=2, max_size=2))
        put(query if place in operation.query else body, place, values)
    options: dict[str, Any] = dict.fromkeys(operation.path, "1")
    options["params"] = query
    if operation.body is not None:
        options["json"] = body
    before = copy.deepcopy((body, query))
    getattr(client[operation.template], operation.method.lower())(**options)
    assert (body, query) == before
    assert MARK not in gateway.sent
    assert quote(MARK) not in gateway.sent
    assert ascii(MARK).strip("'") not in gateway.sent
    assert gateway.query == query
    if operation.body is not None:
        assert gateway.body == body
    assert gateway.serials == [expected_serial(gateway)]


def test_that_is_every_operation_but_one_upload() -> None:
    left = {str(one) for one in catalogue.operations() if one.concealed} - {
        str(one) for one in CONCEALED
    }
    assert left == {"POST v3/marketing/shopping-receipt/shoppingreceipts"}


def test_of_an_upload_the_meta_is_concealed(call, server, make) -> None:
    client = make()
    contact = {"consultation_phone_number": "13900000000"}
    node = client["v3/marketing/shopping-receipt/shoppingreceipts"]
    extra = {"merchant_contact_information": contact}
    call(node.post, json=extra, files={"file": ("a.png", b"1")})
    meta = loads(server.parts(server.request)[0][1])
    sealed = meta["merchant_contact_information"]["consultation_phone_number"]
    assert (len(sealed), meta["filename"]) == (344, "a.png")
    assert b"13900000000" not in server.request.body
    assert contact == {"consultation_phone_number": "13900000000"}


# What is left as it is.


@pytest.mark.parametrize("name", [None, ""])
def test_nothing_and_empty_text_are_no_secret(call, gateway, client, name) -> None:
    call(client[ADD].post, {"account": "o", "name": name})
    assert gateway.body == {"account": "o", "name": name}
    serial = None if gateway.mode == "certificate" else gateway.public_key_id
    assert gateway.serials == [serial]


def test_a_body_without_a_sensitive_field_is_sent_as_it_is(
    call, gateway, client
) -> None:
    body = {"out_order_no": "1", "receivers": [{"account": "o"}]}
    call(client[ORDERS].post, body)
    assert loads(gateway.came.body) == body


def test_what_the_caller_encrypted_is_left_alone(call, gateway, client) -> None:
    first_key(call, client)
    sealed = client.encrypt("张三丰")
    body = {"receivers": [{"name": sealed}]}
    call(client[ORDERS].post, body)
    assert gateway.body == {"receivers": [{"name": "张三丰"}]}
    assert loads(gateway.came.body)["receivers"][0]["name"] == sealed
    assert gateway.serials[-1] == expected_serial(gateway)


def test_plain_values_beside_it_get_the_same_key(call) -> None:
    gateway = SensitiveGateway("migrating")
    client = gateway.client()
    other = client.keys.find(gateway.certificate_serial)
    sealed = crypto.encrypt_field("张三丰", other)
    body = {"receivers": [{"name": sealed}, {"name": "13900000000"}]}
    call(client[ORDERS].post, body)
    assert [one["name"] for one in gateway.body["receivers"]] == [
        "张三丰",
        "13900000000",
    ]
    assert gateway.serials == [gateway.certificate_serial]


def test_two_keys_in_one_call_are_an_error(call) -> None:
    gateway = SensitiveGateway("migrating")
    client = gateway.client()
    keys = [client.keys.find(serial) for serial in client.keys]
    names = [{"name": crypto.encrypt_field("张三丰", key)} for key in keys]
    with pytest.raises(EncodeError, match="encrypted with several keys"):
        call(client[ORDERS].post, {"receivers": names})
    with pytest.raises(EncodeError, match="encrypted with several keys"):
        call(
            client[ORDERS].post,
            {"receivers": names[:1]},
            headers={"Wechatpay-Serial": keys[1].serial},
        )
    assert gateway.requests == []


def test_a_key_that_is_not_at_hand_encrypts_nothing_more(call, gateway, client) -> None:
    sealed = Encrypted("A" * 342 + "==", "PUB_KEY_ID_GONE")
    body = {"receivers": [{"name": sealed}, {"name": "张三丰"}]}
    with pytest.raises(ConfigurationError, match=r"receivers\[1\]\.name") as caught:
        call(client[ORDERS].post, body)
    assert "PUB_KEY_ID_GONE" in str(caught.value)
    assert gateway.requests == []


def test_what_was_encrypted_with_the_key_that_is_named_is_left(
    call, gateway, client
) -> None:
    first_key(call, client)
    sealed = str(client.encrypt("张三丰"))
    headers = {"wechatpay-serial": expected_serial(gateway)}
    body = {"receivers": [{"name": sealed}]}
    call(client[ORDERS].post, body, headers=headers)
    assert loads(gateway.came.body) == body
    call(client[VERIFY].get, {"encrypted_name": sealed}, headers=headers)
    assert gateway.query == {"encrypted_name": "张三丰"}


def test_plain_values_get_the_key_that_is_named(call, gateway, client) -> None:
    """A layer of the caller's may name it for every call."""
    first_key(call, client)
    sealed = str(client.encrypt("张三丰"))
    body = {"receivers": [{"name": sealed}, {"name": "13900000000"}]}
    headers = {"wechatpay-serial": expected_serial(gateway)}
    call(client[ORDERS].post, body, headers=headers)
    assert loads(gateway.came.body)["receivers"][0]["name"] == sealed
    names = [one["name"] for one in gateway.body["receivers"]]
    assert names == ["张三丰", "13900000000"]
    assert gateway.serials[-1] == expected_serial(gateway)
    call(client[VERIFY].get, {"encrypted_name": "张三丰"}, headers=headers)
    assert gateway.query == {"encrypted_name": "张三丰"}


def test_plain_values_do_not_leave_under_a_key_that_is_not_at_hand(
    call, gateway, client
) -> None:
    headers = {"Wechatpay-Serial": "PUB_KEY_ID_GONE"}
    with pytest.raises(ConfigurationError, match="PUB_KEY_ID_GONE") as caught:
        call(client[ADD].post, {"name": "张三丰"}, headers=headers)
    assert "张" not in str(caught.value)
    assert gateway.requests == []


@pytest.mark.parametrize("number", ["6222020000000000000", 6222020000000000000])
def test_what_goes_out_under_a_key_of_the_callers_alone_is_never_plain(
    call, server, make, number
) -> None:
    client = make(secret="0" * 32, check="off", retry=1)
    pay = client["v2/mmpaysptrans/pay_bank"].post
    with pytest.raises(EncodeError, match="enc_bank_no") as caught:
        call(pay, {"partner_trade_no": "1", "enc_bank_no": number})
    assert "6222" not in str(caught.value)
    assert server.requests == []
    server.strict, server.otherwise = False, server.plain(500, {})
    sealed = "A" * 342 + "=="
    with pytest.raises(ServerError):
        call(pay, {"partner_trade_no": "1", "enc_bank_no": sealed, "enc_true_name": ""})
    assert sealed.encode() in server.request.body
    assert "Wechatpay-Serial" not in server.request.headers


def test_bytes_are_the_callers_own(call, gateway, client) -> None:
    call(client[ADD].post, data=b'{"name":"as it is"}')
    assert gateway.came.body == b'{"name":"as it is"}'


def test_without_the_layer_all_is_the_callers_own(call, gateway, client) -> None:
    client.stack.remove("conceal")
    gateway.answer = {"name": "张三丰"}
    reply = call(client[ADD].post, {"name": "as it is"})
    assert loads(gateway.came.body) == {"name": "as it is"}
    assert client.decrypt(reply["name"]) == "张三丰"


def test_an_endpoint_that_nobody_knows_names_the_key_of_its_values(
    call, server, make
) -> None:
    client = make(
        certs={server.new_serial: server.keys["platform_cert_new_pem"]},
    )
    server.signs_with = server.new_serial
    body = {"somewhere": [{"deep": client.encrypt("张三丰")}]}
    call(client.v3.published.tomorrow.post, body)
    assert server.request.headers["Wechatpay-Serial"] == server.new_serial
    call(client.v3.published.tomorrow.get, {"name": client.encrypt("张三丰")})
    assert server.request.headers["Wechatpay-Serial"] == server.new_serial
    call(client.v3.published.tomorrow.post, {"somewhere": ["plain"]})
    assert "Wechatpay-Serial" not in server.request.headers


def test_before_there_is_any_such_value_none_is_looked_for(
    call, gateway, client
) -> None:
    first_key(call, client)
    call(client[ADD].post, {"name": "张三丰"})
    assert gateway.body == {"name": "张三丰"}
    with pytest.raises(NotFound):
        call(client.v3.published.tomorrow.post, {"name": "张三丰"})
    assert not Encrypted.exist


# What cannot be sent.


@pytest.mark.parametrize(
    ("receivers", "text"),
    [
        ([{"name": "好" * 72}], r"receivers\[0\]\.name: .*214 bytes.*has 216"),
        ([{}, {"name": 13900000000}], r"receivers\[1\]\.name: .*cannot be a int"),
        ([{"name": {"first": "张"}}], r"receivers\[0\]\.name: .*cannot be a dict"),
        ([{"name": b"13900000000"}], r"receivers\[0\]\.name: .*cannot be a bytes"),
        ([{"name": ["张三丰"]}], r"receivers\[0\]\.name: .*cannot be a list"),
        ([{"name": "\ud800"}], r"receivers\[0\]\.name: a lone surrogate"),
        ({"name": "张三丰"}, r"receivers: what holds .* cannot be a dict"),
        ('[{"name": "张三丰"}]', r"receivers: what holds .* cannot be a str"),
        (["张三丰"], r"receivers\[0\]: what holds .* cannot be a str"),
    ],
)
def test_what_cannot_be_encrypted_is_named_and_not_sent(
    call, gateway, client, receivers, text
) -> None:
    with pytest.raises(EncodeError, match=text) as caught:
        call(client[ORDERS].post, {"receivers": receivers})
    assert caught.value.outcome == "not_sent"
    assert not any(secret in str(caught.value) for secret in ("张", "139"))
    assert gateway.came is None


def test_a_body_of_another_shape_is_not_sent(call, gateway, client) -> None:
    with pytest.raises(EncodeError, match="the body: what holds"):
        call(client[ORDERS].post, [{"receivers": [{"name": "张三丰"}]}])
    assert gateway.came is None


def test_214_bytes_are_not_too_many(call, gateway, client) -> None:
    call(client[ADD].post, {"name": "好" * 71 + "x"})
    assert gateway.body == {"name": "好" * 71 + "x"}


def test_a_ciphertext_from_elsewhere_is_told_how_to_come(call, gateway, client) -> None:
    first_key(call, client)
    text = str(client.encrypt("张三丰"))
    with pytest.raises(EncodeError, match=r"client\.encrypt\(\), or name its key"):
        call(client[ADD].post, {"name": text})


def test_without_a_key_nothing_leaves(call, server, make) -> None:
    """The one certificate has expired, and there is none to download."""
    server.now = 1748736001
    client = make(certs={server.old_serial: server.keys["platform_cert_old_pem"]})
    body = {"receivers": [{"name": "张三丰"}]}
    with pytest.raises(ConfigurationError, match=r"receivers\[0\]\.name") as caught:
        call(client[ORDERS].post, body)
    assert caught.value.outcome == "not_sent"
    assert "张" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="encrypted_name"):
        call(client[VERIFY].get, {"encrypted_name": "张三丰"})
    assert server.requests == []


@pytest.fixture
def busy() -> SensitiveGateway:
    """A gateway that has to be asked twice."""
    gateway = SensitiveGateway("certificate")
    gateway.busy = 1
    return gateway


def test_a_download_that_comes_first_is_repeated_like_a_call(call, busy) -> None:
    call(busy.client()[ADD].post, {"name": "张三丰"})
    assert [one.path for one in busy.requests] == [
        "/v3/certificates",
        "/v3/certificates",
        f"/{ADD}",
    ]
    assert busy.body == {"name": "张三丰"}


def test_a_download_that_fails_sends_nothing(call, busy) -> None:
    with pytest.raises(ServerError) as caught:
        call(busy.client(retry=1)[ADD].post, {"name": "张三丰"})
    assert caught.value.outcome == "not_sent"
    assert [one.path for one in busy.requests] == ["/v3/certificates"]


# In the query.


def test_fields_of_the_query_are_encrypted_in_the_url(call, gateway, client) -> None:
    params = {"encrypted_name": "张三丰 +&=", "openid": "o 1", "credential_type": 1}
    before = dict(params)
    call(client[VERIFY].get, params)
    assert params == before
    assert gateway.query == {**params, "credential_type": "1"}
    assert gateway.serials == [expected_serial(gateway)]


def test_fields_of_a_query_that_stands_in_the_path(call, gateway, client) -> None:
    node = client[VERIFY + "?encrypted_name={name}&openid={openid}"]
    call(node.get, {"encrypted_credential_id": ""}, name="张三丰", openid="o")
    assert gateway.query == {
        "encrypted_name": "张三丰",
        "openid": "o",
        "encrypted_credential_id": "",
    }


def test_values_of_the_query_may_be_encrypted_already(call, gateway, client) -> None:
    first_key(call, client)
    params = {"encrypted_name": client.encrypt("张三丰"), "openid": "o"}
    call(client[VERIFY].get, params)
    assert gateway.query == {"encrypted_name": "张三丰", "openid": "o"}


def test_a_query_without_a_sensitive_field_is_left(call, gateway, client) -> None:
    call(client[VERIFY].get, {"openid": "o"})
    call(client[VERIFY].get)
    assert gateway.query == {}


def test_no_error_shows_a_field_of_the_query(call, server, make) -> None:
    client = make(retry=1)
    params = {"encrypted_name": "张三丰", "appid": "wx1"}
    seen: list[str] = []

    def look(request):
        seen.append(f"{request!r} {request.sent()}")
        return (yield from send(request))

    server.will(server.plain(403, {"code": "NO_AUTH", "message": "no"}))
    with pytest.raises(APIError) as caught:
        call(client[VERIFY].get, params, middleware=[look])
    for text in (str(caught.value), str(caught.value.request), *seen):
        assert "encrypted_name=...&appid=wx1" in text
        assert quote("张三丰") not in text


# Answers.


@pytest.fixture
def answered(gateway: SensitiveGateway) -> WeChatPay:
    gateway.answer = {"account": "o", "name": "张三丰"}
    return gateway.client()


def test_the_bytes_of_an_answer_stay(call, gateway, answered) -> None:
    reply = call(answered[ADD].post, {})
    assert answered.decrypt(loads(reply.content)["name"]) == "张三丰"
    assert reply.data == gateway.answer


def test_an_answer_that_nobody_verified_stays_closed(call, answered) -> None:
    answered.stack.remove("verify")
    reply = call(answered[ADD].post, {})
    assert not reply.verified
    assert len(reply["name"]) == 344


def test_what_does_not_open_is_left_and_told_without_its_value(
    call, gateway, answered, caplog, monkeypatch
) -> None:
    monkeypatch.setattr(gateway, "sealed", lambda text: "A" * 342 + "==")
    with caplog.at_level(logging.WARNING, "wechatpay_chain.conceal"):
        reply = call(answered[ADD].post, {})
    assert reply["name"] == "A" * 342 + "=="
    (record,) = [one for one in caplog.records if "conceal" in one.name]
    text = record.getMessage()
    assert "name does not open" in text
    assert f"POST {ADD}" in text
    assert "AAAA" not in text


@pytest.mark.parametrize("value", [None, "", 5, ["x"], {"x": 1}])
def test_what_is_no_text_is_left(call, gateway, answered, monkeypatch, value) -> None:
    gateway.answer = {"account": "o", "name": value}
    monkeypatch.setattr(gateway, "sealed", lambda text: text)
    assert call(answered[ADD].post, {}).data == gateway.answer


@pytest.mark.parametrize("answer", [[], ["x"], "x", {}, None])
def test_an_answer_of_another_shape_is_left(call, gateway, answered, answer) -> None:
    gateway.answer = answer
    assert call(answered[ADD].post, {}).data == answer


def test_an_error_answer_is_left(call, server, client, make) -> None:
    del client
    server.will(server.signed({"code": "NO_AUTH", "name": "x"}, status=403))
    with pytest.raises(APIError) as caught:
        call(make(retry=1)[ADD].post, {})
    assert caught.value.response.data["name"] == "x"


def test_a_layer_outside_sees_it_in_plain_and_one_inside_does_not(
    call, answered
) -> None:
    first_key(call, answered)
    seen: list[Any] = []

    def look(request):
        response = yield from send(request)
        yield from read(response)
        seen.append(response.data["name"])
        return response

    answered.stack.before("conceal", look, "outside").after("conceal", look, "inside")
    call(answered[ADD].post, {})
    assert len(seen[0]) == 344
    assert seen[1] == "张三丰"


def test_what_a_layer_keeps_is_not_changed(call, answered) -> None:
    first_key(call, answered)
    kept: list[Any] = []

    def keeps(request):
        response = yield from send(request)
        kept.append(response.data)
        return response

    answered.stack.after("conceal", keeps)
    assert call(answered[ADD].post, {})["name"] == "张三丰"
    assert len(kept[0]["name"]) == 344


def test_opening_may_go_beside_the_event_loop() -> None:
    """It is one computation, however many values there are."""
    gateway = SensitiveGateway("public_key")
    key = gateway.credentials["private_key"]
    operation = catalogue.find("GET", "v3/merchant-service/complaints-v2")
    flow = Concealer(keys=crypto.KeyRing(), private_key=key)(
        Request("GET", "https://h/v3/x", operation=operation)
    )
    next(flow)
    data = {"data": [{"payer_phone": gateway.sealed(str(at))} for at in range(3)]}
    command = flow.send(Response(200, data=data, verified=True))
    assert isinstance(command, Compute)
    with pytest.raises(StopIteration) as done:
        flow.send(command.function(*command.arguments))
    assert [one["payer_phone"] for one in done.value.value.data["data"]] == [*"012"]


# By hand.


def test_by_hand_there_and_back(call, gateway, client) -> None:
    first_key(call, client)
    sealed = client.encrypt("张三丰")
    assert sealed.serial == expected_serial(gateway)
    assert isinstance(sealed, str)
    gateway.serials.append(sealed.serial)
    assert gateway.opened(sealed) == "张三丰"
    assert client.decrypt(gateway.sealed("李四")) == "李四"


def test_by_hand_214_bytes_are_the_limit(call, client) -> None:
    first_key(call, client)
    assert len(client.encrypt("x" * 214)) == 344
    with pytest.raises(ValueError, match="214 bytes in UTF-8, this one has 216"):
        client.encrypt("好" * 72)


def test_by_hand_a_key_is_needed() -> None:
    client = SensitiveGateway("certificate").client()
    with pytest.raises(ConfigurationError, match=r"such as client\.v3\.certificates"):
        client.encrypt("张三丰")


def test_by_hand_what_does_not_open_is_an_error(client) -> None:
    with pytest.raises(DecryptionError):
        client.decrypt("A" * 342 + "==")


@pytest.mark.parametrize(
    "way", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
)
def test_an_encrypted_value_keeps_its_serial(way) -> None:
    made = way(Encrypted("aGk=", "PUB_KEY_ID_01"))
    assert (made, made.serial) == ("aGk=", "PUB_KEY_ID_01")
    assert type(made) is Encrypted
