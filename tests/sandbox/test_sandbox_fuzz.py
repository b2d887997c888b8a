"""Whatever arrives, the answer is a clean 4xx, and nothing changes."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, is_dataclass
from itertools import count
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wechatpay_chain import Headers, Request, crypto
from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.sandbox.signatures.authentication import parse, parts

GATEWAY = Gateway(seed=9)
ORDER = GATEWAY.given.order(state="CREATED")
PARTNERS = GATEWAY.given.order(state="CREATED", partner=True)
TARGETS = [
    "/v3/payscore/serviceorder",
    f"/v3/payscore/serviceorder/{ORDER}/cancel",
    "/v3/payscore/partner/serviceorder",
    f"/v3/payscore/partner/serviceorder/{PARTNERS}/cancel",
    "/v3/security/echo",
    "/v3/certificates",
    # By example.
    "/v3/profitsharing/orders",
    "/v3/profitsharing/receivers/add",
    "/v3/marketing/favor/stocks/{stock_id}/pause",
    "/v3/marketing/favor/media/image-upload",
    "/hk/v3/refunds",
    "/global/v3/customs/orders",
]
UPLOAD = TARGETS[9]
SCHEME = "WECHATPAY2-SHA256-RSA2048"
NUMBERS = count()


def state() -> dict[str, Any]:
    """All that a call may change, as plain values."""
    tables = {
        table.name: {
            key: asdict(record) if is_dataclass(record) else record
            for key, record in table.copy().items()
        }
        for table in GATEWAY.world.tables
    }
    return {**tables, "jobs": list(GATEWAY.world.agenda.jobs)}


BEFORE = state()

anything = st.text(st.characters(codec=None), max_size=60)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | anything,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(anything, inner, max_size=4)
    ),
    max_leaves=12,
)


def signed(
    method: str,
    target: str,
    body: bytes,
    covered: bytes | None = None,
    **headers: str,
) -> Request:
    """A request with a right signature over *covered*, by default the body."""
    credentials = GATEWAY.credentials
    timestamp = str(int(GATEWAY.clock()))
    nonce = f"n0nce{next(NUMBERS)}"
    text = crypto.request_message(
        method, target, timestamp, nonce, body if covered is None else covered
    )
    header = crypto.authorization(
        mchid=credentials["mchid"],
        serial=credentials["serial"],
        timestamp=timestamp,
        nonce=nonce,
        signature=crypto.sign(text, credentials["private_key"]),
    )
    url = f"https://sandbox.invalid{target}"
    return Request(method, url, Headers({**headers, "Authorization": header}), body)


def assert_clean(request: Request) -> None:
    response = GATEWAY.handle(request)
    assert 400 <= response.status_code < 500
    data = json.loads(response.content.decode("utf-8"))
    assert data["code"]
    assert data["message"]
    assert response.request_id
    assert state() == BEFORE


@given(header=anything, body=st.binary(max_size=60))
@example(header=f'{SCHEME} mchid="', body=b"")
@example(header=f'{SCHEME} signature="\ud800"', body=b"")
def test_any_authorization_header(header: str, body: bytes) -> None:
    url = f"https://sandbox.invalid{TARGETS[0]}"
    assert_clean(Request("POST", url, Headers({"Authorization": header}), body))


values = st.text('"=, \\\n\x00٣ab1' + "\ud800", max_size=12) | anything


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["mchid", "nonce_str", "signature", "timestamp", "serial_no", "x"]
            ),
            values,
        ),
        max_size=7,
    )
)
def test_any_parameters(pairs: list[tuple[str, str]]) -> None:
    header = f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in pairs)
    url = f"https://sandbox.invalid{TARGETS[0]}"
    assert_clean(Request("POST", url, Headers({"Authorization": header})))


@given(mchid=values, serial=values, timestamp=values, nonce=values, signature=values)
def test_any_five_values(**values: str) -> None:
    header = crypto.authorization(**values)
    url = f"https://sandbox.invalid{TARGETS[0]}"
    assert_clean(Request("POST", url, Headers({"Authorization": header})))


@given(method=anything, url=anything)
@example(method="GET", url="")
@example(method="GET", url="//[")
def test_any_request_line(method: str, url: str) -> None:
    assert_clean(Request(method, url))


@given(target=st.sampled_from(TARGETS), body=st.binary(max_size=80))
@example(target=TARGETS[0], body=b"[" * 200_000)
@example(target=TARGETS[0], body=b'{"a":' * 5_000)
@example(target=TARGETS[0], body=b"[" * 40 + b"]" * 40)
@example(target=TARGETS[0], body=b"9" * 5_000)
@example(target=TARGETS[0], body=b'{"a":1e999}')
@example(target=TARGETS[0], body=b'"\\ud800"')
@example(target=TARGETS[0], body=b'{"\\ud800":1,"\\ud800":2}')
@example(target=TARGETS[0], body=b"\xef\xbb\xbf{}")
@example(target=TARGETS[0], body=b"{\x00}\x00")
@settings(deadline=None)
def test_any_signed_bytes(target: str, body: bytes) -> None:
    assert_clean(signed("POST", target, body))


@given(target=st.sampled_from(TARGETS), value=json_values)
@settings(deadline=None)
def test_any_signed_json(target: str, value: Any) -> None:
    body = json.dumps(value, ensure_ascii=True).encode()
    assert_clean(signed("POST", target, body))


FIELDS = list(GATEWAY.given.create_body(partner=True))


@given(
    target=st.sampled_from(TARGETS[:4]),
    name=st.sampled_from([*FIELDS, "reason", "attach", "post_payments"]),
    value=json_values,
)
@settings(deadline=None)
def test_any_value_in_a_known_field(target: str, name: str, value: Any) -> None:
    body = {"appid": "wx0", name: value}  # never complete, so never accepted
    assert_clean(signed("POST", target, json.dumps(body).encode()))


ascii_text = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60)


@given(path=ascii_text, query=ascii_text)
@example(path="%ff/cancel", query="%ff=%ff")
@example(path="%7Bx%7D/cancel", query="appid")
@settings(deadline=None)
def test_any_signed_target(path: str, query: str) -> None:
    target = f"/v3/payscore/serviceorder/{path}?{query}"
    assert_clean(signed("GET", target, b""))


form_lines = st.lists(
    st.sampled_from(
        [
            *(b"--b", b"--b--", b"--", b"", b"{}", b"[]", b"\xff", b'{"sha256": "0"}'),
            b'Content-Disposition: form-data; name="meta"',
            b'Content-Disposition: form-data; name="file"; filename="a"',
            b"Content-Disposition: form-data",
        ]
    ),
    max_size=12,
)


@given(lines=form_lines, boundary=st.sampled_from(["b", '"b"', "", "\u00e9", "-"]))
@settings(deadline=None)
def test_any_form(lines: list[bytes], boundary: str) -> None:
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    body = b"\r\n".join(lines)
    unsigned = signed("POST", UPLOAD, body, **kind)
    claim = parse(unsigned.headers["Authorization"])
    # Signed over what counts, whatever that is, so that it is looked into.
    assert_clean(signed("POST", UPLOAD, body, parts(unsigned, claim).body, **kind))


name = {"name": "x", "appid": "wx1", "type": "MERCHANT_ID", "account": "1"}


@given(value=json_values, serial=st.sampled_from(["", "0", GATEWAY.public_key_id]))
@settings(deadline=None)
def test_any_sensitive_field(value: Any, serial: str) -> None:
    body = json.dumps({**name, "name": value}).encode()  # never complete
    headers = {"Wechatpay-Serial": serial}
    assert_clean(signed("POST", TARGETS[7], body, **headers))


@pytest.mark.parametrize("target", TARGETS)
def test_ten_thousand_random_bytes(target: str) -> None:
    body = random.Random(target).randbytes(10_000)
    assert_clean(signed("POST", target, body))
    assert_clean(Request("POST", f"https://sandbox.invalid{target}", Headers({}), body))


@pytest.mark.parametrize("size", [101, 10_000])
def test_body_over_the_limit_is_refused_unread(size: int) -> None:
    gateway = Gateway(seed=1, body_limit=100)
    request = Request("POST", "https://sandbox.invalid/v3/security/echo")
    response = gateway.handle(request.replace(body=b"x" * size))
    assert response.status_code == 413
    assert b"at most 100 are taken" in response.content
    assert all(len(table) == 0 for table in gateway.world.tables)
