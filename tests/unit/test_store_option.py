"""The option ``certificate_store``: its forms, and what is wrong with others."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from key_material import MCHID, PUBLIC_KEY_ID, SERIAL, private, public
from leaks import APIV3_KEY, failure, leaked, rendered, secret_options

from wechatpay_chain import ConfigurationError, WeChatPay
from wechatpay_chain.stores import DirectoryStore, MemoryStore


def options(**changes: Any) -> dict[str, Any]:
    return {
        "mchid": MCHID,
        "serial": SERIAL,
        "private_key": private().decode(),
        "apiv3_key": APIV3_KEY,
        **changes,
    }


def store_of(client: WeChatPay) -> Any:
    return client._settings.store


@pytest.mark.parametrize("given", [None, "text", "path"])
def test_none_or_a_directory(tmp_path: Path, given: str | None) -> None:
    value = {None: None, "text": str(tmp_path / "x"), "path": tmp_path / "x"}[given]
    store = store_of(WeChatPay(**options(certificate_store=value)))
    if given is None:
        assert store is None
    else:
        assert isinstance(store, DirectoryStore)
        assert store.path == str(tmp_path / "x")
        assert not (tmp_path / "x").exists()


def test_an_object_stays_what_it_is() -> None:
    store = MemoryStore()
    client = WeChatPay(**options(certificate_store=store))
    assert store_of(client) is store
    assert store_of(client.with_options(timeout=5)) is store


@pytest.mark.parametrize("given", ["", "a\nb", 5, b"folder", object(), MemoryStore])
def test_anything_else_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^certificate_store: ") as caught:
        WeChatPay(**options(certificate_store=given))
    assert "expected" in str(caught.value)


def test_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "pub_key.pem"
    file.write_text("x")
    with pytest.raises(ConfigurationError, match="this is a file"):
        WeChatPay(**options(certificate_store=file))


def test_it_takes_the_key_that_opens_what_is_stored(tmp_path: Path) -> None:
    given = options(certificate_store=tmp_path, certs={PUBLIC_KEY_ID: public()})
    del given["apiv3_key"]
    with pytest.raises(ConfigurationError, match="without apiv3_key"):
        WeChatPay(**given)


@pytest.mark.parametrize("misplaced", ["private_key", "apiv3_key", "merchant"])
def test_a_key_in_its_place_is_not_shown(misplaced: str) -> None:
    given = secret_options()
    wrong = given[misplaced]
    given["certificate_store"] = wrong if misplaced != "apiv3_key" else [wrong]
    assert not leaked(rendered(failure(lambda: WeChatPay(**given))))


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in options(certificate_store=str(tmp_path / "shared")).items():
        monkeypatch.setenv(f"WECHATPAY_{name.upper()}", value)
    assert store_of(WeChatPay.from_env()).path == str(tmp_path / "shared")


@pytest.mark.parametrize("value", ["shared", "./shared", "~/shared", "/shared"])
def test_from_a_file_it_is_relative_to_the_file(
    tmp_path: Path, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    file = folder / "wechatpay.json"
    file.write_text(json.dumps(options(certificate_store=value)), "utf-8")
    monkeypatch.chdir(tmp_path)
    base = {"~": os.path.expanduser("~"), "/": "/"}.get(value[0], str(folder))
    assert store_of(WeChatPay.from_file(file)).path == os.path.join(base, "shared")
