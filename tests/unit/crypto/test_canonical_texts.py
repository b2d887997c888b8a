"""The texts that are signed, to the byte (protocol sections 3, 5 and 12)."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain.crypto import (
    authorization,
    lines_message,
    request_message,
    response_message,
    statement_body,
)


@pytest.mark.parametrize(
    ("body", "end"),
    [
        (b"", b"N\n\n"),
        ("", b"N\n\n"),
        ("用户", b"N\n\xe7\x94\xa8\xe6\x88\xb7\n"),
        (b"\xff\xfe", b"N\n\xff\xfe\n"),
        (b"ends in LF\n", b"N\nends in LF\n\n"),
    ],
)
def test_each_line_ends_the_last_one_too(body: Any, end: bytes) -> None:
    head = b"POST\n/v3/x?a=%7C\n1717225200\n"
    assert request_message("POST", "/v3/x?a=%7C", 1717225200, "N", body) == head + end
    assert response_message("1717225200", "N", body) == b"1717225200\n" + end


def test_numbers_and_texts_of_a_timestamp_are_the_same() -> None:
    assert request_message("GET", "/", 1, "N", b"") == request_message(
        "GET", "/", "1", "N", b""
    )


def test_the_authorization_header_is_one_line_of_five_names() -> None:
    text = authorization(
        mchid="1900", serial="5157", timestamp=1717225200, nonce="N", signature="S=="
    )
    assert text == (
        'WECHATPAY2-SHA256-RSA2048 mchid="1900",nonce_str="N",timestamp="1717225200",'
        'serial_no="5157",signature="S=="'
    )


def test_client_payment_lines_end_in_lf() -> None:
    assert lines_message("wx1", "1414561699", "n", "prepay_id=p") == (
        b"wx1\n1414561699\nn\nprepay_id=p\n"
    )


def test_a_statement_is_signed_by_its_hash() -> None:
    assert statement_body("e1a2") == b'{"sha1":"e1a2"}'
