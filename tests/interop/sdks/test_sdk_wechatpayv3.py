"""PyPI's wechatpayv3, both its clients, on ``wxpay sandbox``.

Its host is fixed, so it comes through its own ``proxy`` option: see ``bridge``.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import wechatpayv3
import wechatpayv3.async_
from interop.sdks.bridge import Bridge

HOST = "api.mch.weixin.qq.com"
NOTIFY = "https://merchant.example/notify"


@pytest.fixture(scope="session")
def passport(
    openssl: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A certificate for their host, which is its own authority, and its key."""
    folder = tmp_path_factory.mktemp("passport")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
        *("-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"),
        # Without it the strict checks of Python 3.13 take it for no authority.
        *("-addext", "keyUsage=critical,digitalSignature,keyCertSign"),
        *("-keyout", key, "-out", certificate),
    )
    return certificate, key


@pytest.fixture
def bridged(
    passport: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Any], Bridge]]:
    """Make a way to a sandbox; both of their HTTP libraries trust its certificate."""
    certificate, key = passport
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))  # requests
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # httpx
    with contextlib.ExitStack() as stack:

        def to(sandbox: Any) -> Bridge:
            port = urlsplit(sandbox.base_url).port
            assert port is not None
            return stack.enter_context(Bridge(("127.0.0.1", port), context))

        yield to


Connect = Callable[..., Any]


@pytest.fixture
def connect(
    call: Any, sandbox: Any, bridged: Callable[[Any], Bridge]
) -> Iterator[Connect]:
    """Make a client of theirs, sync or async, with changes to its options."""
    bridge, entered = bridged(sandbox), []

    def make(**changes: Any) -> Any:
        theirs = wechatpayv3 if call.mode == "sync" else wechatpayv3.async_
        options = {
            "wechatpay_type": theirs.WeChatPayType.NATIVE,
            "mchid": sandbox.mchid,
            "private_key": sandbox.private_key.read_text("utf-8"),
            "cert_serial_no": sandbox.serial,
            "appid": sandbox.appid,
            "apiv3_key": sandbox.apiv3_key,
            "notify_url": NOTIFY,
            **changes,
        }
        if sandbox.mode == "public_key":
            [(name, path)] = sandbox.certs.items()
            options["public_key_id"] = name
            options["public_key"] = path.read_text("utf-8")
        if call.mode == "sync":
            return wechatpayv3.WeChatPay(proxy={"https": bridge.url}, **options)
        made = wechatpayv3.async_.AsyncWeChatPay(proxy=bridge.url, **options)
        call.wait(made.__aenter__())
        entered.append(made)
        return made

    yield make
    for made in entered:
        call.wait(made.__aexit__(None, None, None))
    assert set(bridge.asked) == {f"{HOST}:443"}


@pytest.fixture
def ask(call: Any) -> Callable[..., Any]:
    """Call a method of theirs, in the test's mode, for a status and what it says."""

    def run(method: Callable[..., Any], **given: Any) -> tuple[int, Any]:
        status, text = call.wait(method(**given))
        return status, json.loads(text) if text else None

    return run


def order(sandbox: Any, number: str, **changes: Any) -> dict[str, Any]:
    return {
        "out_order_no": number,
        "service_id": sandbox.service_id,
        "service_introduction": "共享充电宝",
        "time_range": {"start_time": "OnAccept"},
        "risk_fund": {"name": "DEPOSIT", "amount": 10000},
        **changes,
    }


def test_an_order_is_created_and_cancelled(
    sandbox: Any, connect: Connect, ask: Any, number: str
) -> None:
    theirs = connect()
    status, created = ask(theirs.payscore_create, **order(sandbox, number))
    assert (status, created["state"]) == (200, "CREATED")
    assert sandbox.state(number) == "CREATED"

    whose = {"out_order_no": number, "service_id": sandbox.service_id}
    status, cancelled = ask(theirs.payscore_cancel, reason="用户投诉", **whose)
    assert (status, cancelled["order_id"]) == (200, created["order_id"])
    assert sandbox.state(number) == "REVOKED"


def test_an_order_is_completed_and_paid(
    sandbox: Any, connect: Connect, ask: Any, number: str
) -> None:
    theirs = connect()
    whose = {"out_order_no": number, "service_id": sandbox.service_id}
    ask(theirs.payscore_create, **order(sandbox, number))
    sandbox.act("user/confirm", out_order_no=number)
    status, completed = ask(
        theirs.payscore_complete,
        post_payments=[{"name": "使用费", "amount": 300}],
        total_amount=300,
        time_range={"end_time": sandbox.now},
        **whose,
    )
    assert status == 200, completed
    assert sandbox.state(number) == "PAYING"

    sandbox.act("user/pay", number=number)
    status, found = ask(theirs.payscore_query, **whose)
    assert (found["state"], found["collection"]["state"]) == ("DONE", "USER_PAID")
    assert sandbox.state(number) == "PAID"


def test_a_native_payment_is_paid_and_refunded(
    sandbox: Any, connect: Connect, ask: Any, number: str
) -> None:
    theirs = connect()
    bought = {"description": "共享充电宝", "amount": {"total": 300}}
    status, ordered = ask(theirs.pay, out_trade_no=number, **bought)
    assert status == 200, ordered
    sandbox.act("user/pay", number=ordered["code_url"])
    status, paid = ask(theirs.query, out_trade_no=number)
    assert (paid["trade_state"], paid["amount"]["total"]) == ("SUCCESS", 300)

    amount = {"refund": 100, "total": 300, "currency": "CNY"}
    status, made = ask(
        theirs.refund,
        out_refund_no=f"{number}-R",
        transaction_id=paid["transaction_id"],
        amount=amount,
    )
    assert status == 200, made
    sandbox.act("bank/settle_refund", out_refund_no=f"{number}-R")
    status, found = ask(theirs.query_refund, out_refund_no=f"{number}-R")
    assert (found["status"], found["amount"]["refund"]) == ("SUCCESS", 100)
    assert sandbox.see(f"payments/{number}")["payment"]["state"] == "REFUND"


def test_a_payment_is_closed_without_content(
    sandbox: Any, connect: Connect, ask: Any, number: str
) -> None:
    theirs = connect()
    ask(theirs.pay, out_trade_no=number, description="x", amount={"total": 1})
    assert ask(theirs.close, out_trade_no=number) == (204, None)
    assert sandbox.see(f"payments/{number}")["payment"]["state"] == "CLOSED"


def test_a_partner_orders_for_a_sub_merchant(
    sandbox: Any, connect: Connect, ask: Any, number: str
) -> None:
    theirs = connect(partner_mode=True)
    bought = {"description": "共享充电宝", "amount": {"total": 300}}
    whose = {"out_trade_no": number, "sub_mchid": sandbox.sub_mchid}
    status, ordered = ask(theirs.pay, **whose, **bought)
    assert status == 200, ordered
    sandbox.act("user/pay", number=ordered["code_url"])
    status, paid = ask(theirs.query, **whose)
    assert (paid["sub_mchid"], paid["trade_state"]) == (sandbox.sub_mchid, "SUCCESS")


def test_a_bill_is_downloaded(
    call: Any, sandbox: Any, connect: Connect, ask: Any
) -> None:
    sandbox.act("given/bill", day=sandbox.billed_day, rows=3)
    theirs = connect()
    status, link = ask(theirs.trade_bill, bill_date=sandbox.billed_day, tar_type="GZIP")
    assert status == 200, link
    # They cut off their own host alone, and this link has the sandbox's.
    path = link["download_url"].removeprefix(sandbox.base_url)
    status, content = call.wait(theirs.download_bill(path))
    assert status == 200
    assert hashlib.sha1(gzip.decompress(content)).hexdigest() == link["hash_value"]


def test_a_notification_is_opened_by_their_callback(
    call: Any, sandbox: Any, connect: Connect, ask: Any, number: str, receiver: Any
) -> None:
    theirs = connect()
    ask(
        theirs.payscore_create,
        **order(sandbox, number, notify_url=receiver.url),
    )
    sandbox.act("user/confirm", out_order_no=number)
    notice = receiver.next()
    opened = theirs.callback(notice.headers, notice.body)
    assert opened["event_type"] == "PAYSCORE.USER_CONFIRM"
    assert opened["resource"]["out_order_no"] == number
    assert not theirs.callback(notice.headers, notice.body + " ")


def test_the_python_of_the_page_works(
    sandboxes: Any,
    bridged: Callable[[Any], Bridge],
    page: Callable[[str], str],
) -> None:
    sandbox = sandboxes("public_key")
    names = {"ready": sandbox.facts, "proxy": bridged(sandbox).url}
    exec(compile(page("python no-run"), "other-languages.md", "exec"), names)
    assert sandbox.state("ORDER-2") == "CREATED"
