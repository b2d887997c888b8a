"""The npm package wechatpay-axios-plugin on ``wxpay sandbox``."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from interop.sdks.axios import Axios
from interop.sdks.sandbox_process import Sandbox

#: The first test installs the package.
pytestmark = pytest.mark.timeout(300)

NOTIFY = "https://merchant.example/notify"
ORDERS = "v3.payscore.serviceorder"
PARTNER = "v3.payscore.partner.serviceorder"


def order(sandbox: Any, number: str, **changes: Any) -> dict[str, Any]:
    return {
        "out_order_no": number,
        "appid": sandbox.appid,
        "service_id": sandbox.service_id,
        "service_introduction": "共享充电宝",
        "time_range": {"start_time": "OnAccept"},
        "risk_fund": {"name": "DEPOSIT", "amount": 10000},
        "notify_url": NOTIFY,
        "need_user_confirm": True,
        **changes,
    }


def whose(sandbox: Any, **more: Any) -> dict[str, Any]:
    return {"appid": sandbox.appid, "service_id": sandbox.service_id, **more}


@pytest.mark.parametrize("mode", ["certificate", "migrating"])
def test_their_command_downloads_the_platform_certificates(
    sandboxes: Any, download: Any, tmp_path: Path, mode: str
) -> None:
    sandbox = sandboxes(mode)
    download(sandbox, tmp_path)
    [serial] = sandbox.certificate_serials
    [saved] = tmp_path.iterdir()
    assert saved.name == f"wechatpay_{serial}.pem"
    assert saved.read_bytes() == (sandbox.folder / saved.name).read_bytes()


def test_in_public_key_mode_their_command_finds_no_certificates(
    sandboxes: Any, download: Any, tmp_path: Path
) -> None:
    assert "RESOURCE_NOT_EXISTS" in download(sandboxes("public_key"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_order_is_created_and_cancelled(
    sandbox: Any, theirs: Axios, number: str
) -> None:
    created = theirs.post(ORDERS, order(sandbox, number))
    assert created["status"] == 200
    assert sandbox.state(number) == created["data"]["state"] == "CREATED"

    cancelled = theirs.post(
        f"{ORDERS}.$out_order_no$.cancel",
        whose(sandbox, reason="用户投诉"),
        out_order_no=number,
    )
    assert cancelled["status"] == 200
    assert cancelled["data"]["order_id"] == created["data"]["order_id"]
    assert sandbox.state(number) == "REVOKED"


def test_an_order_of_a_partner_is_cancelled_without_content(
    sandbox: Any, theirs: Axios, number: str
) -> None:
    sub = {"sub_mchid": sandbox.sub_mchid}
    created = theirs.post(PARTNER, order(sandbox, number, **sub))
    assert created["status"] == 200, created

    body = {"service_id": sandbox.service_id, "reason": "用户投诉", **sub}
    cancelled = theirs.post(
        f"{PARTNER}.$out_order_no$.cancel", body, out_order_no=number
    )
    assert (cancelled["status"], cancelled["data"]) == (204, "")
    assert sandbox.state(number) == "REVOKED"


def test_an_order_is_completed_and_paid(
    sandbox: Any, theirs: Axios, number: str
) -> None:
    theirs.post(ORDERS, order(sandbox, number))
    sandbox.act("user/confirm", out_order_no=number)
    completed = theirs.post(
        f"{ORDERS}.$out_order_no$.complete",
        whose(
            sandbox,
            post_payments=[{"name": "使用费", "amount": 300}],
            total_amount=300,
            time_range={"end_time": sandbox.now},
        ),
        out_order_no=number,
    )
    assert completed["status"] == 200, completed
    assert sandbox.state(number) == "PAYING"

    sandbox.act("user/pay", number=number)
    found = theirs.get(ORDERS, whose(sandbox, out_order_no=number))["data"]
    assert (found["state"], found["collection"]["state"]) == ("DONE", "USER_PAID")
    assert sandbox.state(number) == "PAID"


def test_a_native_payment_is_paid_and_refunded(
    sandbox: Any, theirs: Axios, number: str
) -> None:
    ordered = theirs.post(
        "v3.pay.transactions.native",
        {
            "appid": sandbox.appid,
            "mchid": sandbox.mchid,
            "description": "共享充电宝",
            "out_trade_no": number,
            "notify_url": NOTIFY,
            "amount": {"total": 300},
        },
    )
    sandbox.act("user/pay", number=ordered["data"]["code_url"])
    # Their chain makes out-trade-no of outTradeNo.
    paid = theirs.get(
        "v3.pay.transactions.outTradeNo.$out_trade_no$",
        {"mchid": sandbox.mchid},
        out_trade_no=number,
    )["data"]
    assert (paid["trade_state"], paid["amount"]["total"]) == ("SUCCESS", 300)

    refund = {"out_trade_no": number, "out_refund_no": f"{number}-R", "reason": "退"}
    amount = {"refund": 100, "total": 300, "currency": "CNY"}
    made = theirs.post("v3.refund.domestic.refunds", {**refund, "amount": amount})
    assert made["status"] == 200, made
    sandbox.act("bank/settle_refund", out_refund_no=f"{number}-R")
    found = theirs.get(
        "v3.refund.domestic.refunds.$out_refund_no$", {}, out_refund_no=f"{number}-R"
    )["data"]
    assert (found["status"], found["amount"]["refund"]) == ("SUCCESS", 100)
    assert found["transaction_id"] == paid["transaction_id"]
    assert sandbox.see(f"payments/{number}")["payment"]["state"] == "REFUND"


@pytest.mark.parametrize("sign_type", ["MD5", "HMAC-SHA256"])
def test_a_payment_of_apiv2_is_ordered_in_xml(
    sandbox: Any, theirs: Axios, number: str, sign_type: str
) -> None:
    ordered = theirs.post(
        "v2.pay.unifiedorder",
        {
            "appid": sandbox.appid,
            "mch_id": sandbox.mchid,
            "body": "共享充电宝",
            "out_trade_no": number,
            "total_fee": "300",
            "spbill_create_ip": "127.0.0.1",
            "notify_url": NOTIFY,
            "trade_type": "NATIVE",
            "product_id": "1",
            "sign_type": sign_type,
        },
    )
    assert ordered["status"] == 200, ordered
    assert ordered["data"]["result_code"] == "SUCCESS", ordered
    assert sandbox.see(f"payments/{number}")["payment"]["state"] == "NOTPAY"
    # One payment, whichever way it was ordered.
    sandbox.act("user/pay", number=ordered["data"]["code_url"])
    paid = theirs.get(
        "v3.pay.transactions.outTradeNo.$out_trade_no$",
        {"mchid": sandbox.mchid},
        out_trade_no=number,
    )["data"]
    assert (paid["trade_state"], paid["amount"]["total"]) == ("SUCCESS", 300)


def test_a_refusal_says_what_is_wrong(sandbox: Any, theirs: Axios, number: str) -> None:
    theirs.post(ORDERS, order(sandbox, number))
    refused = theirs.post(
        f"{ORDERS}.$out_order_no$.cancel",
        whose(sandbox, reason="用户投诉", out_order_no=number),
        out_order_no=number,
    )
    assert (refused["status"], refused["data"]["code"]) == (400, "PARAM_ERROR")
    assert "out_order_no" in json.dumps(refused["data"]["detail"]["sandbox"])
    assert sandbox.state(number) == "CREATED"


def test_a_notification_opens_with_their_keys(
    sandbox: Any, theirs: Axios, number: str, receiver: Any
) -> None:
    theirs.post(ORDERS, order(sandbox, number, notify_url=receiver.url))
    sandbox.act("user/confirm", out_order_no=number)
    notice = receiver.next()
    given = {
        "headers": notice.headers,
        "key": str(sandbox.certs[notice.headers["wechatpay-serial"]]),
        "apiv3": sandbox.apiv3_key,
    }
    opened = theirs.tell("notice", body=notice.body, **given)
    assert (opened["out_order_no"], opened["state"]) == (number, "DOING")
    assert theirs.tell("notice", body=notice.body + " ", **given) is None


def test_what_they_encrypt_is_read_and_comes_back_encrypted(
    sandbox: Any, theirs: Axios
) -> None:
    [(serial, key)] = sandbox.certs.items()
    sealed = theirs.tell("seal", text="张三", key=str(key))
    answer = theirs.post(
        "v3.security.echo",
        {"echo_message": "hi", "encrypted_echo_message": sealed},
        headers={"Wechatpay-Serial": serial},
    )
    assert answer["status"] == 200, answer
    returned = answer["data"]["encrypted_echo_message"]
    own = str(sandbox.private_key)
    assert returned != sealed
    assert theirs.tell("open", text=returned, key=own) == "张三"


def test_an_upload_is_taken(sandbox: Any, theirs: Axios, tmp_path: Path) -> None:
    picture = tmp_path / "licence.png"
    picture.write_bytes(bytes(range(256)))
    chain = "v3.merchant.media.upload"
    sent = theirs.tell("upload", chain=chain, file=str(picture))
    assert sent["status"] == 200, sent
    assert sent["data"]["media_id"]


def test_a_bill_is_downloaded_and_read(sandbox: Any, theirs: Axios) -> None:
    sandbox.act("given/bill", day=sandbox.billed_day, rows=3)
    asked = {"bill_date": sandbox.billed_day, "bill_type": "ALL"}
    link = theirs.get("v3.bill.tradebill", asked)["data"]
    bill = theirs.tell("bill", link=link["download_url"])
    assert bill["sha1"] == link["hash_value"]
    assert len(bill["rows"]) == int(bill["summary"]["总交易单数"]) >= 3
    assert {row["商户号"] for row in bill["rows"]} == {sandbox.mchid}


def test_a_clock_that_is_off_is_named(npm: Any, tmp_path: Path) -> None:
    with contextlib.closing(Sandbox("public_key", tmp_path)) as sandbox:
        sandbox.act("advance", minutes=6)
        with contextlib.closing(Axios(npm)) as theirs:
            theirs.connect(sandbox, sandbox.certs)
            refused = theirs.post("v3.security.echo", {"echo_message": "hi"})
    assert (refused["status"], refused["data"]["code"]) == (401, "SIGN_ERROR")
    assert refused["data"]["detail"]["sandbox"]["id"] == "timestamp_expired"


def test_the_lock_file_pins_what_is_installed_and_names_no_registry(npm: Any) -> None:
    folder = npm.packages.parent
    lock = json.loads((folder / "package-lock.json").read_text("utf-8"))["packages"]
    wanted = json.loads((folder / "package.json").read_text("utf-8"))["dependencies"]
    assert lock.pop("")["dependencies"] == wanted
    for name, version in wanted.items():
        assert re.fullmatch(r"(npm:[a-z-]+@)?\d+\.\d+\.\d+", version)
        manifest = npm.packages / name / "package.json"
        installed = json.loads(manifest.read_text("utf-8"))["version"]
        assert installed == version.rpartition("@")[2]
    assert all(package["integrity"] for package in lock.values())
    assert not any("resolved" in package for package in lock.values())


def test_the_javascript_of_the_page_works(
    npm: Any, sandboxes: Any, page: Callable[[str], str], tmp_path: Path
) -> None:
    sandbox = sandboxes("public_key")
    (tmp_path / "ready.json").write_text(json.dumps(sandbox.facts), "utf-8")
    (tmp_path / "node_modules").symlink_to(npm.packages)
    script = tmp_path / "page.mjs"
    script.write_text(page("js"), "utf-8")
    assert npm.run(script, cwd=tmp_path) == "SUCCESS\n"
