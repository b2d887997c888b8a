"""``wxpay crt``: the platform certificates as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from wechatpay_chain import WeChatPay


@pytest.mark.parametrize("mode", ["certificate", "migrating"])
def test_each_certificate_is_a_file_of_its_serial(
    desk_of, tmp_path: Path, mode: str
) -> None:
    desk = desk_of(mode)
    desk.gateway.rotate_certificate()
    out = tmp_path / "new" / "folder"
    result = desk.run("crt", "--out", str(out))
    assert result.exit_code == 0, result.output
    serials = set(desk.gateway.certificates)
    assert {path.name for path in out.iterdir()} == {
        f"wechatpay_{serial}.pem" for serial in serials
    }
    for serial in serials:
        made = x509.load_pem_x509_certificate(
            (out / f"wechatpay_{serial}.pem").read_bytes()
        )
        assert made == desk.gateway.certificates[serial]
        assert serial in result.stdout


def test_what_was_saved_is_what_a_client_takes(desk_of, tmp_path: Path) -> None:
    desk = desk_of("certificate")
    told = json.loads(desk.run("crt", "--out", str(tmp_path), "--json").stdout)
    certs: dict[str, Any] = {one["serial"]: one["file"] for one in told["certificates"]}
    with WeChatPay(**{**desk.options, "certs": certs}) as client:
        assert client.v3.security.echo.post({"echo_message": "x"}).verified


def test_a_merchant_with_a_public_key_alone_is_told_so(desk, tmp_path: Path) -> None:
    result = desk.run("crt", "--out", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert "this merchant uses the WeChat Pay public key" in result.stderr
    assert not (tmp_path / "out").exists()


def test_without_the_apiv3_key_nothing_is_asked(desk, tmp_path: Path) -> None:
    config = desk.configure(apiv3_key=None)
    result = desk.run("crt", "--out", str(tmp_path), config=config)
    assert result.exit_code == 2
    assert "encrypted with the APIv3 key" in result.stderr
    assert len(desk.gateway.journal) == 0


def test_an_apiv3_key_of_another_merchant_is_named(desk_of, tmp_path: Path) -> None:
    desk = desk_of("certificate")
    config = desk.configure(apiv3_key="x" * 32)
    result = desk.run("crt", "--out", str(tmp_path / "out"), config=config)
    assert result.exit_code == 2
    assert "do not open with apiv3_key" in result.stderr
