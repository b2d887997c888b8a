"""The documented messages, signatures and ciphertexts, by the primitives alone."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from documented import (
    KEYS,
    MERCHANT,
    PUBLIC,
    REFUSALS,
    VECTORS,
    named,
    parameters,
    ring,
)

from wechatpay_chain import crypto
from wechatpay_chain.errors import (
    DecryptionError,
)
from wechatpay_chain.middleware import Headers
from wechatpay_chain.middleware.verifying import check


def test_the_merchant_key_is_that_of_the_merchant_certificate() -> None:
    certificate = crypto.load_public_key(KEYS["merchant_certificate_pem"])
    assert certificate.serial == KEYS["merchant_serial_no"]
    bare = crypto.load_public_key(KEYS["merchant_public_key_pem"])
    numbers = MERCHANT.public_key().public_numbers()
    assert certificate.key.public_numbers() == bare.key.public_numbers() == numbers


@pytest.mark.parametrize("serial", [s for s in PUBLIC if "PUB" not in s])
def test_platform_certificates_tell_their_serials(serial: str) -> None:
    assert crypto.load_public_key(PUBLIC[serial]).serial == serial


@pytest.mark.parametrize(
    "vector",
    [*VECTORS["request_sign"], VECTORS["media_upload"]],
    ids=lambda v: v["name"],
)
def test_request_signatures(vector: dict[str, str]) -> None:
    message = crypto.request_message(
        vector["method"],
        vector["canonical_url"],
        vector["timestamp"],
        vector["nonce_str"],
        vector["body"],
    )
    assert message == vector["message"].encode()
    assert hashlib.sha256(message).hexdigest() == vector["message_sha256"]
    signature = crypto.sign(message, MERCHANT)
    assert signature == vector["signature"]
    header = crypto.authorization(
        mchid=KEYS["mchid"],
        serial=KEYS["merchant_serial_no"],
        timestamp=vector["timestamp"],
        nonce=vector["nonce_str"],
        signature=signature,
    )
    scheme, _, rest = header.partition(" ")
    assert scheme == vector["authorization"].partition(" ")[0]
    assert parameters(rest) == parameters(vector["authorization"])


def covered(vector: dict[str, Any]) -> bytes:
    """What counts as the body: of an overseas statement, its hash."""
    sha1 = vector["headers"].get("Wechatpay-Statement-Sha1")
    return crypto.statement_body(sha1) if sha1 else vector["body"].encode()


SIGNED = pytest.mark.parametrize(
    "vector",
    [*VECTORS["response_verify"], *VECTORS["notification"], VECTORS["certificates"]],
    ids=lambda v: v["name"],
)


@SIGNED
def test_signed_messages_are_judged_as_documented(vector: dict[str, Any]) -> None:
    def judge() -> None:
        headers = Headers(vector["headers"])
        check(headers, covered(vector), ring(), float(vector["evaluate_at"]))

    if vector["valid"]:
        judge()
    else:
        with pytest.raises(REFUSALS[vector["name"]]) as caught:
            judge()
        assert caught.value.serial == vector["headers"]["Wechatpay-Serial"]
        assert caught.value.outcome == "unknown"


@SIGNED
def test_the_text_of_signed_messages(vector: dict[str, Any]) -> None:
    headers = vector["headers"]
    message = crypto.response_message(
        headers["Wechatpay-Timestamp"], headers["Wechatpay-Nonce"], covered(vector)
    )
    assert message == vector["message"].encode()


@named("notification")
def test_notifications_open(vector: dict[str, Any]) -> None:
    body = json.loads(vector["body"])
    resource = body["resource"]
    plain = crypto.decrypt_gcm(
        resource["ciphertext"],
        KEYS["apiv3_key"],
        resource["nonce"],
        resource["associated_data"],
    )
    assert plain.decode() == vector["plaintext"]
    assert body["event_type"] == vector["event_type"]


def test_platform_certificates_open() -> None:
    found = {}
    for entry in json.loads(VECTORS["certificates"]["body"])["data"]:
        sealed = entry["encrypt_certificate"]
        found[entry["serial_no"]] = crypto.decrypt_gcm(
            sealed["ciphertext"],
            KEYS["apiv3_key"],
            sealed["nonce"],
            sealed["associated_data"],
        ).decode()
    assert found == VECTORS["certificates"]["expected"]


def test_wrong_associated_data_opens_nothing() -> None:
    vector = VECTORS["aead_negative"]
    right = vector["ciphertext"], vector["key"], vector["nonce"]
    assert crypto.decrypt_gcm(*right, "payscore")
    with pytest.raises(DecryptionError):
        crypto.decrypt_gcm(*right, vector["associated_data"])


@named("oaep")
def test_sensitive_fields_open(vector: dict[str, str]) -> None:
    name = {
        "merchant_private_key_pem": "merchant_private_key_pkcs8_der_base64",
        "platform_public_key_private_pem": (
            "platform_public_key_private_pkcs8_der_base64"
        ),
        "platform_cert_new_private_pem": "platform_cert_new_private_pkcs8_der_base64",
    }[vector["private_key"]]
    key = crypto.load_private_key(KEYS[name])
    assert crypto.decrypt_oaep(vector["ciphertext"], key) == vector["plaintext"]
    again = crypto.encrypt_oaep(vector["plaintext"], key.public_key())
    assert crypto.decrypt_oaep(again, key) == vector["plaintext"]


@pytest.mark.parametrize(
    "vector",
    [
        *VECTORS["v2_sign"],
        *(v for v in VECTORS["pay_sign"] if "params" in v),
        *(v for v in VECTORS["payscore_invocation"] if "params" in v),
    ],
    ids=lambda v: v["name"],
)
def test_field_signatures(vector: dict[str, Any]) -> None:
    fields, key = vector["params"], KEYS["apiv2_key"]
    text = f"{crypto.fields_message(fields)}&key={key}"
    assert text == vector["string_to_sign"]
    make = crypto.sign_md5 if len(vector["sign"]) == 32 else crypto.sign_hmac
    assert make(fields, key) == vector["sign"]
    assert crypto.verify_fields({**fields, "sign": vector["sign"]}, key)


@pytest.mark.parametrize(
    "vector",
    [v for v in VECTORS["payscore_invocation"] if "params" in v],
    ids=lambda v: v["name"],
)
def test_payscore_invocations_carry_their_sign(vector: dict[str, Any]) -> None:
    fields = vector["params"]
    sign = crypto.sign_hmac(fields, KEYS["apiv2_key"])
    assert {**fields, "sign": sign} == vector["extra_data"]


@pytest.mark.parametrize(
    "vector",
    [v for v in VECTORS["pay_sign"] if "message" in v],
    ids=lambda v: v["name"],
)
def test_client_payment_signatures(vector: dict[str, Any]) -> None:
    message = crypto.lines_message(*vector["message"].split("\n")[:-1])
    assert message == vector["message"].encode()
    assert crypto.sign(message, MERCHANT) == vector["signature"]
    handed = vector["client_params"]
    assert handed.get("paySign", handed.get("sign")) == vector["signature"]


def test_a_refund_notification_of_apiv2_opens() -> None:
    vector = VECTORS["v2_refund_notification"]
    plain = crypto.decrypt_ecb(vector["req_info"], vector["apiv2_key"])
    assert plain.decode() == vector["plaintext"]
    assert crypto.encrypt_ecb(plain, vector["apiv2_key"]) == vector["req_info"]
