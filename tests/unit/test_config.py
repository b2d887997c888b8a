"""Clients from the environment and from files; nothing of a source is ever repeated."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from key_material import (
    DER,
    KEYS,
    MCHID,
    PEM,
    PUBLIC_KEY_ID,
    SERIAL,
    certificate,
    merchant_key,
    p12,
    private,
    public,
)
from leaks import APIV3_KEY, failure, leaked, rendered

from wechatpay_chain import WeChatPay
from wechatpay_chain.errors import ConfigurationError

OWN = certificate(merchant_key(), int(SERIAL, 16)).public_bytes(PEM)
REQUIRED = {"MCHID": MCHID, "SERIAL": SERIAL, "PRIVATE_KEY": private().decode()}
CERTS = {PUBLIC_KEY_ID: KEYS["platform_public_key_pem"]}


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the variables that a client needs, and those given."""

    def put(prefix: str = "WECHATPAY_", **variables: str | None) -> None:
        given = {**REQUIRED, "CERTS": json.dumps(CERTS), **variables}
        for name, value in given.items():
            if value is not None:
                monkeypatch.setenv(prefix + name, value)

    return put


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of a merchant."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "apiclient_key.pem").write_bytes(private())
    (tmp_path / "apiclient_cert.pem").write_bytes(OWN)
    (tmp_path / "apiclient_cert.p12").write_bytes(p12())
    (tmp_path / "pub_key.pem").write_bytes(public())
    (tmp_path / "ca.pem").write_bytes(OWN)
    return tmp_path


# The environment


def test_every_variable_is_read(environ: Any, tmp_path: Path) -> None:
    path = tmp_path / "apiclient_cert.p12"
    path.write_bytes(p12())
    (tmp_path / "ca.pem").write_bytes(OWN)
    environ(
        APIV3_KEY=KEYS["apiv3_key"],
        SECRET=KEYS["apiv2_key"],
        MERCHANT=str(path),
        BASE_URL="http://127.0.0.1:8080/",
        BACKUP_URL="http://127.0.0.1:8081",
        TIMEOUT="2.5",
        RETRY="5",
        PROXIES="http://user:pass@proxy:3128",
        VERIFY=str(tmp_path / "ca.pem"),
        USER_AGENT="shop/1.0",
        ACCEPT_LANGUAGE="en",
    )
    client = WeChatPay.from_env()
    found = client._settings
    assert (client.mchid, found.serial) == (MCHID, SERIAL)
    assert found.private_key.private_numbers() == merchant_key().private_numbers()
    assert list(client.keys) == [PUBLIC_KEY_ID]
    assert found.apiv3_key is not None
    assert found.apiv3_key.reveal() == KEYS["apiv3_key"].encode()
    assert found.secret is not None
    assert found.secret.reveal() == KEYS["apiv2_key"].encode()
    assert found.mutual
    assert found.base_url == "http://127.0.0.1:8080"
    assert found.backup_url == "http://127.0.0.1:8081"
    assert found.timeout == (2.5, 2.5)
    assert found.retry.attempts == 5  # type: ignore[attr-defined]
    assert found.network.proxy_for("https://host") is not None
    assert found.network.tls.cert_store_stats()["x509"] == 1
    assert found.headers["User-Agent"] == "shop/1.0"
    assert found.headers["Accept-Language"] == "en"


def test_a_key_fits_into_one_variable_with_escaped_line_breaks(environ: Any) -> None:
    environ(PRIVATE_KEY=private().decode().replace("\n", "\\n"))
    assert WeChatPay.from_env().mchid == MCHID


def test_an_empty_variable_is_none(environ: Any) -> None:
    environ(APIV3_KEY="", TIMEOUT="", PROXIES="", CERTS=json.dumps(CERTS))
    assert WeChatPay.from_env()._settings.apiv3_key is None


def test_the_prefix_is_a_choice(environ: Any) -> None:
    environ("SHOP_")
    assert WeChatPay.from_env("SHOP_").mchid == MCHID
    with pytest.raises(ConfigurationError, match="lacks WECHATPAY_MCHID"):
        WeChatPay.from_env()


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        (["MCHID"], "WECHATPAY_MCHID"),
        (["SERIAL", "PRIVATE_KEY"], "WECHATPAY_SERIAL, WECHATPAY_PRIVATE_KEY"),
    ],
)
def test_missing_variables_are_named(
    environ: Any, missing: list[str], text: str
) -> None:
    environ(**dict.fromkeys(missing))
    with pytest.raises(ConfigurationError) as caught:
        WeChatPay.from_env()
    assert str(caught.value) == f"the environment lacks {text}"


NO_OBJECT = 'WECHATPAY_CERTS: a JSON object {"PUB_KEY_ID_...": "path"} expected'


NO_SECONDS = "WECHATPAY_TIMEOUT: seconds, or connect,read as in 3,10, expected"


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"CERTS": "pub_key.pem"}, NO_OBJECT),
        ({"CERTS": '["pub_key.pem"]'}, NO_OBJECT),
        ({"CERTS": "{"}, NO_OBJECT),
        ({"CERTS": "[" * 100_000}, NO_OBJECT),
        ({"TIMEOUT": "5s"}, NO_SECONDS),
        ({"TIMEOUT": "3,"}, NO_SECONDS),
        ({"TIMEOUT": "[3, 10"}, NO_SECONDS),
        ({"TIMEOUT": "1,2,3"}, "timeout: seconds above 0, or (connect, read), expect"),
        ({"RETRY": "often"}, "WECHATPAY_RETRY: a number expected"),
        ({"RETRY": "1.5"}, "retry: attempts must be an int from 1 up, got 1.5"),
        ({"TIMEOUT": "inf"}, "timeout: seconds above 0, or (connect, read), expected,"),
        ({"TIMEOUT": "nan"}, "timeout: seconds above 0, or (connect, read), expected,"),
        ({"MCHID": "mch1"}, "mchid: the merchant number (商户号) is digits only"),
        ({"VERIFY": "", "APIV3_KEY": "short"}, "apiv3_key: the APIv3 key (APIv3密钥)"),
        ({"PRIVATE_KEY": "/nowhere/key.pem"}, "private_key: no such file: /nowhere/"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_wrong_variable_is_named(
    environ: Any, variables: dict[str, str], text: str
) -> None:
    environ(**variables)
    with pytest.raises(ConfigurationError) as caught:
        WeChatPay.from_env()
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    ("text", "both"),
    [("3,10", (3.0, 10.0)), ("[3, 10]", (3.0, 10.0)), (" 2.5 ", (2.5, 2.5))],
)
def test_a_timeout_variable_may_hold_both(
    environ: Any, text: str, both: tuple[float, float]
) -> None:
    environ(TIMEOUT=text)
    assert WeChatPay.from_env()._settings.timeout == both


def test_a_variable_may_hold_a_p12_and_its_password(
    environ: Any, tmp_path: Path
) -> None:
    path = tmp_path / "apiclient_cert.p12"
    path.write_bytes(p12(b"open sesame"))
    pair = json.dumps([str(path), "open sesame"])
    environ(PRIVATE_KEY=pair, MERCHANT=pair)
    found = WeChatPay.from_env()._settings
    assert found.private_key.private_numbers() == merchant_key().private_numbers()
    assert found.mutual


@pytest.mark.parametrize("variable", ["PRIVATE_KEY", "MERCHANT", "TIMEOUT", "RETRY"])
@pytest.mark.parametrize(
    "text",
    ['["open sesame"', '["open sesame"]', '["open sesame", 5]', '["a", "b", "sesame"]'],
)
def test_a_variable_that_cannot_be_read_is_not_repeated(
    environ: Any, variable: str, text: str
) -> None:
    environ(**{variable: text})
    with pytest.raises(ConfigurationError) as caught:
        WeChatPay.from_env()
    assert str(caught.value).startswith(f"WECHATPAY_{variable}: ")
    assert "sesame" not in rendered(caught.value)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("TIMEOT", "TIMEOUT"),
        ("APIV3KEY", "APIV3_KEY"),
        ("MCH_ID", "MCHID"),
        ("MERCHANT_ID", "MCHID"),
        ("CERT", "CERTS"),
        ("PRIVATE_KEY_PATH", "PRIVATE_KEY"),
        ("APIV2_KEY", "SECRET"),
    ],
)
def test_a_variable_that_is_nearly_an_option_is_refused(
    environ: Any, variable: str, meant: str
) -> None:
    environ(**{variable: "open sesame"})
    with pytest.raises(ConfigurationError) as caught:
        WeChatPay.from_env()
    assert str(caught.value) == (
        f"unknown variable WECHATPAY_{variable} - did you mean WECHATPAY_{meant}?"
    )


@pytest.mark.parametrize(
    "variable",
    ["LOG", "CONFIG", "APPID", "NOTIFY_URL", "PUBLIC_KEY", "SERVICE_ID", "CLOCK"],
)
def test_a_variable_that_is_far_from_every_option_is_ignored(
    environ: Any, variable: str
) -> None:
    environ(**{variable: "x"})
    assert WeChatPay.from_env().mchid == MCHID


def test_variables_of_a_longer_prefix_and_empty_ones_are_ignored(environ: Any) -> None:
    environ(TEST_PRIVATE_KEY="x", SHOP_ACCEPT_LANGUAGE="x", TIMEOT="")
    assert WeChatPay.from_env().mchid == MCHID


def test_without_a_prefix_no_variable_is_refused(environ: Any) -> None:
    environ("", TIMEOT="x")
    assert WeChatPay.from_env("").mchid == MCHID


# Files


def toml(**options: Any) -> str:
    """TOML of flat options, by way of JSON, whose values are TOML's as well."""
    certs = options.pop("certs", {PUBLIC_KEY_ID: "pub_key.pem"})
    lines = [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    table = [f"{json.dumps(name)} = {json.dumps(path)}" for name, path in certs.items()]
    return "\n".join([*lines, "[certs]", *table])


def base(**changes: Any) -> dict[str, Any]:
    options = {
        "mchid": MCHID,
        "serial": SERIAL,
        "private_key": "keys/apiclient_key.pem",
        "certs": {PUBLIC_KEY_ID: "pub_key.pem"},
    }
    return {**options, **changes}


@pytest.mark.parametrize("kind", ["toml", "json", "JSON"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_a_file_gives_a_client_from_anywhere(
    folder: Path, kind: str, bom: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    options = base(
        apiv3_key=KEYS["apiv3_key"],
        secret=KEYS["apiv2_key"],
        merchant=["apiclient_cert.pem", "keys/apiclient_key.pem"],
        timeout=[2, 40],
        verify="ca.pem",
        retry=2,
    )
    text = toml(**options) if kind == "toml" else json.dumps(options)
    path = folder / f"wechatpay.{kind}"
    path.write_text(bom + text, "utf-8")
    for given in (path, str(path)):
        client = WeChatPay.from_file(given)
        found = client._settings
        assert (client.mchid, found.serial) == (MCHID, SERIAL)
        assert found.private_key.private_numbers() == merchant_key().private_numbers()
        assert list(client.keys) == [PUBLIC_KEY_ID]
        assert found.timeout == (2.0, 40.0)
        assert found.mutual
        assert found.network.tls.cert_store_stats()["x509"] == 1


def test_a_file_may_hold_the_keys_themselves(tmp_path: Path) -> None:
    path = tmp_path / "wechatpay.toml"
    path.write_text(toml(**base(private_key=private().decode(), certs=CERTS)), "utf-8")
    assert list(WeChatPay.from_file(path).keys) == [PUBLIC_KEY_ID]


def test_a_file_may_name_its_keys_by_url_and_from_the_root(folder: Path) -> None:
    key = folder / "keys" / "apiclient_key.pem"
    path = folder / "wechatpay.json"
    for name in (str(key), key.as_uri()):
        path.write_text(json.dumps(base(private_key=name)), "utf-8")
        assert WeChatPay.from_file(path).mchid == MCHID


def test_a_p12_in_a_file_comes_with_its_password(folder: Path) -> None:
    path = folder / "wechatpay.json"
    for value in ("apiclient_cert.p12", ["apiclient_cert.p12", MCHID]):
        path.write_text(json.dumps(base(private_key=value)), "utf-8")
        assert WeChatPay.from_file(path).mchid == MCHID


def test_only_the_files_own_folder_is_looked_into(
    folder: Path, tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path_factory.mktemp("here")
    (here / "key.pem").write_bytes(private())
    (here / "key").write_bytes(private())
    monkeypatch.chdir(here)
    path = folder / "wechatpay.json"
    for name, text in (
        ("key.pem", f"private_key: no such file: {folder / 'key.pem'}"),
        ("key", f"private_key: this is neither a file in {folder}, nor PEM"),
    ):
        path.write_text(json.dumps(base(private_key=name)), "utf-8")
        with pytest.raises(ConfigurationError) as caught:
            WeChatPay.from_file(path)
        assert str(caught.value).startswith(text)


def test_a_path_stays_when_the_working_directory_changes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "wechatpay.json").write_text(json.dumps(base(verify="ca.pem")), "utf-8")
    monkeypatch.chdir(folder)
    client = WeChatPay.from_file("wechatpay.json")
    monkeypatch.chdir("/")
    # The bundle is read again when it is first needed.
    assert client._settings.network.tls.cert_store_stats()["x509"] == 1


def test_a_key_in_the_home_folder_is_found(folder: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("HOME", str(folder / "keys"))
    path = folder / "wechatpay.json"
    path.write_text(json.dumps(base(private_key="~/apiclient_key.pem")), "utf-8")
    assert WeChatPay.from_file(path).mchid == MCHID


def test_bare_base64_in_a_file_is_a_key(folder: Path) -> None:
    path = folder / "wechatpay.json"
    for der in (private(DER), private()):
        options = base(private_key=b64encode(der).decode())
        path.write_text(json.dumps(options), "utf-8")
        assert WeChatPay.from_file(path).mchid == MCHID


@pytest.mark.parametrize("name", ["private_key", "merchant"])
def test_a_password_is_never_a_path(folder: Path, name: str) -> None:
    password = "keys/apiclient_key.pem"  # there is such a file
    (folder / "locked.p12").write_bytes(p12(password.encode()))
    path = folder / "wechatpay.json"
    options = base(**{name: ["locked.p12", password]})
    path.write_text(json.dumps(options), "utf-8")
    assert WeChatPay.from_file(path).mchid == MCHID


def test_the_password_of_a_p12_that_is_missing_is_not_repeated(folder: Path) -> None:
    path = folder / "wechatpay.json"
    path.write_text(json.dumps(base(merchant=["no.p12", "sesame.txt"])), "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        WeChatPay.from_file(path)
    assert str(caught.value) == f"merchant: no such file: {folder / 'no.p12'}"


def test_a_key_in_place_of_a_path_is_not_repeated(folder: Path) -> None:
    path = folder / "wechatpay.json"
    for changes in (
        {"private_key": APIV3_KEY},
        {"private_key": [APIV3_KEY, "x"]},
        {"merchant": ["apiclient_cert.pem", APIV3_KEY]},
        {"certs": {PUBLIC_KEY_ID: APIV3_KEY}},
    ):
        path.write_text(json.dumps(base(**changes)), "utf-8")
        error = failure(lambda: WeChatPay.from_file(path))
        assert not leaked(rendered(error))


def test_the_home_folder_is_found(folder: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("HOME", str(folder))
    (folder / "wechatpay.toml").write_text(toml(**base()), "utf-8")
    assert WeChatPay.from_file("~/wechatpay.toml").mchid == MCHID


def test_an_unknown_option_of_a_file_suggests_one(folder: Path) -> None:
    path = folder / "wechatpay.toml"
    path.write_text(toml(**base(api_v3_key="x")), "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        WeChatPay.from_file(path)
    assert str(caught.value).startswith("unknown option 'api_v3_key'")
    assert "did you mean 'apiv3_key'?" in str(caught.value)


def test_a_wrong_option_of_a_file_is_named(folder: Path) -> None:
    path = folder / "wechatpay.json"
    neither = f"this is neither a file in {folder}, nor PEM, nor base64"
    for changes, text in (
        (
            {"private_key": "nothing.pem"},
            f"private_key: no such file: {folder / 'nothing.pem'}",
        ),
        (
            {"private_key": "keys/nothing"},
            f"private_key: no such file: {folder / 'keys/nothing'}",
        ),
        ({"private_key": "keys"}, f"private_key: cannot read {folder / 'keys'}: "),
        ({"certs": {PUBLIC_KEY_ID: "x"}}, f"certs['{PUBLIC_KEY_ID}']: {neither}"),
        ({"merchant": ["apiclient_cert.pem", "x"]}, f"merchant: {neither}"),
        ({"certs": "pub_key.pem"}, "certs: a mapping of id to key expected, got str"),
        ({"private_key": "a\0b"}, f"private_key: {neither}"),
        ({"private_key": "k" * 5000}, f"private_key: {neither}"),
        ({"private_key": " "}, "private_key: it is empty"),
        ({"merchant": 5}, "merchant: int is not key material"),
    ):
        path.write_text(json.dumps(base(**changes)), "utf-8")
        with pytest.raises(ConfigurationError) as caught:
            WeChatPay.from_file(path)
        assert str(caught.value).startswith(text)


SECRET_LINE = f'apiv3_key = "{KEYS["apiv3_key"]}'  # without its closing quote


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.toml", "mchid = 1\nx y\n", "this is not TOML, see line 2"),
        ("a.toml", SECRET_LINE + "\n", "this is not TOML, see line 1"),
        ("a.toml", SECRET_LINE, "this is not TOML"),
        ("a.json", "{\n  'mchid': 1}", "this is not JSON, see line 2"),
        ("a.json", SECRET_LINE, "this is not JSON, see line 1"),
        ("a.json", "[" * 100_000, "this is not JSON"),
        ("a.json", "[]", "a table of options expected"),
        ("a.json", '"text"', "a table of options expected"),
        ("a.toml", "密".encode("gbk"), "this is not UTF-8 text"),
    ],
    ids=lambda value: str(value)[:16],
)
def test_a_broken_file_is_placed_and_not_repeated(
    tmp_path: Path, name: str, content: str | bytes, text: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigurationError) as caught:
        WeChatPay.from_file(path)
    assert str(caught.value) == f"{path}: {text}"
    # The parser's error holds the whole document.
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [("nothing.toml", "No such file or directory"), ("", "Is a directory")],
)
def test_a_missing_file_is_named(tmp_path: Path, name: str, reason: str) -> None:
    path = tmp_path / name
    with pytest.raises(ConfigurationError) as caught:
        WeChatPay.from_file(path)
    assert str(caught.value) == f"cannot read {path}: {reason}"


# TOML before Python 3.11


def test_python_3_10_reads_toml_with_tomli(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def loads(text: str) -> dict[str, Any]:
        read.append(text)
        return base()

    tomli = ModuleType("tomli")
    tomli.loads = loads  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tomli", tomli)
    path = folder / "wechatpay.toml"
    path.write_text("the text", "utf-8")
    monkeypatch.setattr(sys, "version_info", (3, 10, 0, "final", 0))
    assert WeChatPay.from_file(path).mchid == MCHID
    assert read == ["the text"]


def test_python_3_10_without_tomli_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tomli", None)  # type: ignore[arg-type]
    (folder / "wechatpay.toml").write_text(toml(**base()), "utf-8")
    (folder / "wechatpay.json").write_text(json.dumps(base()), "utf-8")
    monkeypatch.setattr(sys, "version_info", (3, 10, 0, "final", 0))
    with pytest.raises(ConfigurationError) as caught:
        WeChatPay.from_file(folder / "wechatpay.toml")
    assert str(caught.value) == (
        "Python 3.10 reads TOML with tomli: pip install 'wechatpay-chain[cli]', or "
        "use a .json file"
    )
    assert WeChatPay.from_file(folder / "wechatpay.json").mchid == MCHID
