"""What is read of a 401, leniently, and of the request that it answers."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import KeyRing, Request
from wechatpay_chain.crypto.header import Claim
from wechatpay_chain.middleware.account import Account
from wechatpay_chain.middleware.evidence import (
    Rebuilt,
    complaint,
    parts,
    rebuilt,
)
from wechatpay_chain.middleware.multipart import build

CLAIM = Claim("1900000001", "N0", "aa==", "1717225200", "5A")
INFORMATION = {
    "method": "POST",
    "url": "/v3/x",
    "truncated_sign_message": "POST\n/v3/x\n1717225200\n",
    "sign_message_length": 42,
}
FULL = Rebuilt("POST", "/v3/x", "1717225200", "", 42)


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ({"sign_information": INFORMATION}, FULL),
        ({"detail": {"sign_information": INFORMATION}}, FULL),
        ({"detail": {"detail": {"sign_information": INFORMATION}}}, FULL),
        (INFORMATION, FULL),
        ({"sign_information": {}}, Rebuilt()),
        ({"sign_information": "x", "detail": {"sign_information": {}}}, Rebuilt()),
        (
            {"sign_information": {"truncated_sign_message": "PUT\n/a\n1\nN"}},
            Rebuilt("PUT", "/a", "1", "N"),
        ),
        ({"sign_information": {"sign_message_length": True}}, Rebuilt()),
        ({"sign_information": {"sign_message_length": 0}}, Rebuilt()),
        ({"sign_information": {"sign_message_length": "42"}}, Rebuilt()),
        ({"sign_information": {"method": 5, "url": None}}, Rebuilt()),
        ({"issue": "x"}, None),
        ("text", None),
        (None, None),
        ([1], None),
    ],
)
def test_rebuilt_text_is_found_where_it_is(
    detail: Any, expected: Rebuilt | None
) -> None:
    assert rebuilt(detail) == expected


def test_nesting_without_end_is_left() -> None:
    detail: dict[str, Any] = {}
    detail["detail"] = detail
    assert rebuilt(detail) is None
    assert complaint(detail) is None


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ({"field": "signature", "detail": {"issue": "sign not match"}}, None),
        ({"detail": {"issue": "sign not match"}}, None),
        ({"field": "timestamp", "issue": "expired"}, ("timestamp", "expired")),
        (
            {"field": "serial_no", "detail": {"issue": "unknown"}},
            ("serial_no", "unknown"),
        ),
        (
            {"field": "signature", "detail": {"issue": "商户证书序列号有误"}},
            ("signature", "商户证书序列号有误"),
        ),
        ({"issue": "mchid not exists"}, ("", "mchid not exists")),
        ({"field": 5, "issue": "wrong serial"}, ("", "wrong serial")),
        ({"field": "mchid", "issue": "a\nb\x1b[31m"}, ("mchid", "a b [31m")),
        ({"field": "mchid", "issue": "x" * 500}, ("mchid", "x" * 200)),
        ({"field": "mchid"}, None),
        ({"field": "mchid", "issue": ["x"]}, None),
        ({"field": "mchid", "issue": " \n"}, None),
        (None, None),
    ],
)
def test_complaint_is_what_is_beside_sign_not_match(
    detail: Any, expected: tuple[str, str] | None
) -> None:
    assert complaint(detail) == expected


@pytest.mark.parametrize(
    ("url", "path", "query", "fragment", "origin"),
    [
        ("https://h:81/v3/x?a=1", "/v3/x", "a=1", "", "https://h:81"),
        ("https://h/v3/x?", "/v3/x", "", "", "https://h"),
        ("https://h/v3/x#top", "/v3/x", None, "top", "https://h"),
        ("https://h/v3/x?a=1#top", "/v3/x", "a=1", "top", "https://h"),
        ("https://h", "/", None, "", "https://h"),
        ("https://h/v3/x?u=https://g/y", "/v3/x", "u=https://g/y", "", "https://h"),
    ],
)
def test_parts_are_those_of_the_request_line(
    url: str, path: str, query: str | None, fragment: str, origin: str
) -> None:
    made = parts(Request("GET", url, template="v3/x"), CLAIM)
    assert (made.path, made.query) == (path, query)
    assert (made.fragment, made.origin) == (fragment, origin)
    assert (made.timestamp, made.nonce) == ("1717225200", "N0")
    assert made.template == "v3/x"


def upload(**changes: Any) -> Request:
    made = build({"file": ("a.png", b"\x89PNG\r\n\r\n")}, {}, "edge")
    request = Request(
        "POST",
        "https://h/v3/upload",
        {"Content-Type": made.content_type},  # type: ignore[arg-type]
        made.body,
        made.meta,
    )
    return request.replace(**changes)


def test_body_of_an_upload_is_the_meta_part_that_went_out() -> None:
    request = upload()
    made = parts(request, CLAIM)
    assert made.body == request.signing_body
    assert made.whole == request.body
    changed = request.replace(body=request.body.replace(b"a.png", b"b.png"))
    assert parts(changed, CLAIM).body == made.body.replace(b"a.png", b"b.png")
    assert parts(request.replace(signing_body=None), CLAIM).body == made.body


@pytest.mark.parametrize(
    "changes",
    [
        {"body": b"no multipart"},
        {"body": b'--edge\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n'},
        {"headers": {"Content-Type": "multipart/form-data"}},
        {"headers": {"Content-Type": "application/json; boundary=edge"}},
        {"headers": {}},
    ],
)
def test_without_a_meta_part_it_is_what_the_request_says(
    changes: dict[str, Any],
) -> None:
    request = upload(**changes)
    assert parts(request, CLAIM).body == request.signing_body
    plain = request.replace(signing_body=None)
    if "body" in changes:
        assert parts(plain, CLAIM).body == plain.body


def test_repr_of_an_account_shows_no_key() -> None:
    def no_key() -> Any:
        raise AssertionError("not for a repr")

    account = Account("1900000001", "5A", no_key, KeyRing(), lambda: 0.0)
    assert repr(account) == "<Account 1900000001>"
