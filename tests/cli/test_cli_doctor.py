"""``wxpay doctor``: each mistake has its name, and what to do about it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from key_material import certificate, merchant_key, private, public, short_key

from wechatpay_chain.sandbox.signatures.keys import certificate as issue
from wechatpay_chain.sandbox.signatures.keys import pair


def written(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    path.chmod(0o600)
    return str(path)


def pem_of(desk: Any, *, days: int = 0, mchid: str = "", serial: str = "") -> bytes:
    """A certificate of the merchant's own key, with something wrong."""
    merchant = desk.gateway.merchant
    made = issue(
        merchant.private_key,
        serial=serial or merchant.serial,
        name=mchid or merchant.mchid,
        now=desk.gateway.clock() - days * 86400,
    )
    return made.public_bytes(Encoding.PEM)


def beside(**wrong: Any) -> Callable[[Any], dict[str, Any]]:
    """Puts another certificate beside the key."""

    def change(desk: Any) -> dict[str, Any]:
        written(desk.folder, "apiclient_cert.pem", pem_of(desk, **wrong))
        return {}

    return change


def other_certificate(desk: Any) -> dict[str, Any]:
    written(
        desk.folder,
        "apiclient_cert.pem",
        certificate(merchant_key()).public_bytes(Encoding.PEM),
    )
    return {}


def other_merchant(desk: Any) -> dict[str, Any]:
    """The key and certificate of another merchant, whole."""
    other = pair("another merchant")
    now = desk.gateway.clock()
    made = issue(other, serial=desk.options["serial"], name="1900000999", now=now)
    written(desk.folder, "apiclient_cert.pem", made.public_bytes(Encoding.PEM))
    return {
        "private_key": written(desk.folder, "apiclient_key.pem", private(key=other))
    }


def key_of(name: str) -> Callable[[Any], dict[str, Any]]:
    def change(desk: Any) -> dict[str, Any]:
        return {"private_key": str(desk.folder / name)}

    return change


def material(content: bytes) -> Callable[[Any], dict[str, Any]]:
    def change(desk: Any) -> dict[str, Any]:
        return {"private_key": written(desk.folder, "given.pem", content)}

    return change


def changed(**options: Any) -> Callable[[Any], dict[str, Any]]:
    return lambda desk: options


def spoilt(name: str, change: Callable[[str], str]) -> Callable[[Any], dict[str, Any]]:
    return lambda desk: {name: change(desk.options[name])}


def trust(content: Callable[[Any], bytes], name: str = "") -> Callable[[Any], Any]:
    def change(desk: Any) -> dict[str, Any]:
        filed = name or desk.gateway.public_key_id
        return {"certs": {filed: written(desk.folder, "given.pem", content(desk))}}

    return change


def old_platform(desk: Any) -> dict[str, Any]:
    key, serial = pair("old platform"), "7132D72A03E93CDDF8C03BBD1F37EEDF51CA4DC7"
    long_ago = desk.gateway.clock() - 20 * 365 * 86400
    made = issue(key, serial=serial, name="Tenpay.com", now=long_ago)
    path = written(desk.folder, "old.pem", made.public_bytes(Encoding.PEM))
    return {"certs": {**desk.options["certs"], serial: path}}


def platform_pem(desk: Any) -> bytes:
    made = issue(
        pair("x"), serial="6" * 40, name="Tenpay.com", now=desk.gateway.clock()
    )
    return made.public_bytes(Encoding.PEM)


def own_public(desk: Any) -> bytes:
    return public(key=desk.gateway.merchant.private_key)


OFFLINE: list[tuple[str, Callable[[Any], dict[str, Any]]]] = [
    ("mchid_not_digits", changed(mchid="mch1900000001")),
    ("option_missing", changed(serial=None)),
    ("option_unknown", changed(apiv3key="x")),
    ("private_key_is_public", key_of("pub_key.pem")),
    ("private_key_is_certificate", key_of("apiclient_cert.pem")),
    ("private_key_not_found", key_of("nowhere.pem")),
    ("private_key_too_short", material(private(key=short_key()))),
    ("private_key_password", material(private(password=b"secret"))),
    ("private_key_unreadable", material(b"-----BEGIN PRIVATE KEY-----\nAAAA\n")),
    ("serial_is_public_key_id", changed(serial="PUB_KEY_ID_0114232134912410000000")),
    ("serial_malformed", spoilt("serial", lambda s: ":".join(s))),
    ("serial_of_another_certificate", changed(serial="7" * 40)),
    ("certificate_of_another_key", other_certificate),
    ("certificate_expired", beside(days=20 * 365)),
    ("key_of_another_merchant", beside(mchid="1900000999")),
    ("key_of_another_merchant", other_merchant),
    ("certs_missing", changed(certs=None, apiv3_key=None)),
    ("certs_is_merchant_key", trust(own_public)),
    ("certs_is_private_key", trust(lambda desk: private(key=pair("somebody")))),
    ("certs_under_wrong_serial", trust(platform_pem, "5" * 40)),
    ("certs_id_malformed", trust(lambda d: public(key=pair("x")), "6" * 40)),
    ("certs_unreadable", trust(lambda desk: b"nothing")),
    ("certs_expired", old_platform),
    ("apiv3_key_newline", spoilt("apiv3_key", lambda key: key + "\n")),
    ("apiv3_key_length", spoilt("apiv3_key", lambda key: key[:-1])),
    ("secret_newline", spoilt("secret", lambda key: f" {key}")),
    ("secret_length", spoilt("secret", lambda key: key * 2)),
    ("merchant_unreadable", lambda d: {"merchant": str(d.folder / "pub_key.pem")}),
    ("base_url_malformed", changed(base_url="api.mch.weixin.qq.com")),
    ("base_url_plain_http", changed(base_url="http://api.mch.weixin.qq.com")),
    ("proxies_malformed", changed(proxies={"https": "proxy:8080"})),
    ("verify_unreadable", changed(verify="/nowhere/ca.pem")),
]


def serial_of_the_platform(desk: Any) -> dict[str, Any]:
    (serial,) = desk.gateway.certificates
    path = str(desk.folder / f"wechatpay_{serial}.pem")
    return {"serial": serial, "certs": {serial: path}}


OFFLINE.append(("serial_of_the_platform", serial_of_the_platform))


def findings(result: Any) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in json.loads(result.stdout)["findings"]}


@pytest.mark.parametrize(("name", "change"), OFFLINE, ids=[one for one, _ in OFFLINE])
def test_a_mistake_is_named_and_mended_without_a_call(
    desk, name: str, change: Callable[[Any], dict[str, Any]]
) -> None:
    config = desk.configure(**change(desk))
    result = desk.run("doctor", "--json", config=config)
    assert result.exit_code == 1, result.output
    found = findings(result)[name]
    assert found["state"] == "wrong"
    assert found["mend"]
    assert "signature" not in findings(result)
    assert len(desk.gateway.journal) == 0


def test_one_mistake_does_not_hide_another(desk) -> None:
    config = desk.configure(mchid="x", apiv3_key="short", base_url="nowhere")
    found = findings(desk.run("doctor", "--json", config=config))
    wrong = {name for name, one in found.items() if one["state"] == "wrong"}
    assert wrong == {"mchid_not_digits", "apiv3_key_length", "base_url_malformed"}
    assert found["private_key"]["state"] == "right"


# What only a call can tell.


def wrong_key(desk: Any) -> dict[str, Any]:
    (desk.folder / "apiclient_cert.pem").unlink()
    return {"private_key": written(desk.folder, "k.pem", private(key=pair("another")))}


def no_such_serial(desk: Any) -> dict[str, Any]:
    (desk.folder / "apiclient_cert.pem").unlink()
    return {"serial": "1234567890ABCDEF1234567890ABCDEF12345678"}


def another_mchid(desk: Any) -> dict[str, Any]:
    (desk.folder / "apiclient_cert.pem").unlink()
    return {"mchid": "1900000999"}


ONLINE: list[tuple[str, Callable[[Any], dict[str, Any]]]] = [
    ("signature_refused", wrong_key),
    ("signature_refused", no_such_serial),
    ("signature_refused", another_mchid),
    ("certs_of_another", trust(lambda desk: public(key=pair("other")))),
    ("certs_id_unknown", trust(
        lambda d: (d.folder / "pub_key.pem").read_bytes(), "PUB_KEY_ID_0999")),
    ("unreachable", changed(base_url="http://127.0.0.1:9")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change"), ONLINE, ids=[one for one, _ in ONLINE])
def test_a_mistake_that_a_call_shows_is_named(
    desk, name: str, change: Callable[[Any], dict[str, Any]]
) -> None:
    result = desk.run("doctor", "--json", config=desk.configure(**change(desk)))
    assert result.exit_code == 1, result.output
    found = findings(result)
    assert {n for n, one in found.items() if one["state"] == "wrong"} == {name}
    assert found[name]["mend"]


@pytest.mark.parametrize("seconds", [600, 90 * 60])
def test_a_clock_that_is_off_is_named(desk, seconds: int) -> None:
    desk.gateway.advance(seconds)
    found = findings(desk.run("doctor", "--json"))
    assert {n for n, one in found.items() if one["state"] == "wrong"} == {"clock_off"}
    assert "behind WeChat Pay's" in found["clock_off"]["found"]
    assert "NTP" in found["clock_off"]["mend"]


def test_an_apiv3_key_of_another_merchant_is_named(desk_of) -> None:
    desk = desk_of("certificate")
    config = desk.configure(apiv3_key="x" * 32)
    result = desk.run("doctor", "--json", config=config)
    assert result.exit_code == 1
    assert findings(result)["apiv3_key_of_another"]["mend"]


def test_a_merchant_with_a_public_key_alone_is_told_so(desk) -> None:
    result = desk.run("doctor", "--json", config=desk.configure(certs=None))
    assert findings(result)["certs_public_key_needed"]["state"] == "wrong"


# What is right.


@pytest.mark.parametrize("mode", ["public_key", "certificate", "migrating"])
def test_nothing_is_wrong_with_what_the_sandbox_writes(desk_of, mode: str) -> None:
    result = desk_of(mode).run("doctor", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["healthy"] is True
    found = findings(result)
    for name in ("mchid", "serial", "private_key", "certificate", "signature",
                 "answer", "encryption", "clock"):  # fmt: skip
        assert found[name]["state"] == "right"
    expected = "apiv3_key_untested" if mode == "public_key" else "apiv3_key"
    assert expected in found


def test_a_key_that_others_can_read_is_told_of(desk) -> None:
    (desk.folder / "apiclient_key.pem").chmod(0o644)
    result = desk.run("doctor", "--json", "--offline")
    assert result.exit_code == 0
    assert findings(result)["private_key_open"]["state"] == "unsure"


def test_a_certificate_that_ends_soon_is_told_of(desk) -> None:
    merchant = desk.gateway.merchant
    made = issue(
        merchant.private_key,
        serial=merchant.serial,
        name=merchant.mchid,
        now=time.time(),
        until=time.time() + 5 * 86400,
    )
    pem = made.public_bytes(Encoding.PEM)
    written(desk.folder, "apiclient_cert.pem", pem)
    result = desk.run("doctor", "--json", "--offline")
    assert findings(result)["certificate_expires_soon"]["state"] == "unsure"


def test_offline_sends_nothing(desk) -> None:
    result = desk.run("doctor", "--offline")
    assert result.exit_code == 0
    assert len(desk.gateway.journal) == 0


@pytest.mark.parametrize("sent", [(), ("--offline",)])
def test_what_the_client_itself_refuses_is_wrong(desk, sent) -> None:
    config = desk.configure(retry=-1)
    result = desk.run("doctor", "--json", *sent, config=config)
    assert result.exit_code == 1
    assert "retry: attempts" in findings(result)["configuration_wrong"]["found"]
    assert len(desk.gateway.journal) == 0


def test_the_table_has_findings_and_what_to_do(desk) -> None:
    config = desk.configure(apiv3_key="short")
    lines = desk.run("doctor", config=config).stdout.splitlines()
    assert any(re.match("wrong +apiv3_key_length ", line) for line in lines)
    assert "What to do" in lines
    assert any(line.startswith("  apiv3_key_length: it is 32") for line in lines)


@pytest.mark.parametrize(
    ("name", "content"), [("o.toml", "mchid = "), ("o.json", "[1]"), ("o.toml", None)]
)
def test_a_file_that_cannot_be_read_is_named(
    desk, name: str, content: str | None
) -> None:
    path = desk.folder / name
    if content is not None:
        path.write_text(content)
    result = desk.run("doctor", "--json", config=path)
    assert result.exit_code == 1
    assert list(findings(result)) == ["configuration_unreadable"]


def test_no_key_is_ever_shown(desk) -> None:
    options = desk.options
    for changes in ({}, {"apiv3_key": options["apiv3_key"] + "\n"}, {"mchid": "x"}):
        shown = desk.run("doctor", config=desk.configure(**changes)).output
        assert options["apiv3_key"] not in shown
        assert options["secret"] not in shown
        assert "PRIVATE KEY" not in shown
