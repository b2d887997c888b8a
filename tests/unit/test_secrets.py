"""No key is shown when options, configuration or a primitive fail.

Each case provokes a failure while every secret is in use, some in the wrong place.
"""

from __future__ import annotations

import json
import traceback
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from key_material import (
    DER,
    MCHID,
    PUBLIC_KEY_ID,
    SERIAL,
    merchant_key,
    p12,
    private,
    public,
    short_key,
    wechat_key,
)
from leaks import (
    APIV2_KEY,
    APIV3_KEY,
    ENCRYPTED,
    KEY_PASSWORD,
    OWN,
    P12_PASSWORD,
    PACKAGE,
    PROXY,
    PROXY_PASSWORD,
    failure,
    leaked,
    rendered,
    secret_options,
)

from wechatpay_chain import WeChatPay, crypto
from wechatpay_chain.crypto.aes import decrypt_verified
from wechatpay_chain.errors import WeChatPayError


def test_the_search_finds_what_is_there() -> None:
    def careless(key: str) -> None:
        raise ValueError("x")

    for text in (APIV3_KEY, repr(private()), repr(private(DER)), str(PROXY)):
        assert leaked(text)
    # These frames are the tests' own: rendered in full they would be found.
    trace = traceback.TracebackException.from_exception(
        failure(lambda: careless(APIV3_KEY)), capture_locals=True
    )
    assert leaked("\n".join(trace.format()))


@pytest.mark.parametrize("within", ["", PACKAGE])
def test_the_frames_of_the_package_are_searched(within: str) -> None:
    text = rendered(failure(lambda: crypto.load_private_key(APIV3_KEY)), within)
    assert f"{PACKAGE}/crypto/load.py" in text
    assert "sealed = <secret>" in text


class NoText:
    """A field that cannot be written."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


DAMAGED = private().decode().replace("A", "*")
CUT = private().decode()[:-30]
FRAGMENT = b64encode(private(DER)).decode()[:150]

#: Every option that can be wrong, with the others right, and secrets in wrong places.
BAD_OPTIONS: dict[str, dict[str, Any]] = {
    "mchid": {"mchid": "mch1"},
    "mchid is the key": {"mchid": private().decode()},
    "mchid is apiv3_key": {"mchid": APIV3_KEY},
    "serial": {"serial": "x"},
    "serial is the key": {"serial": private().decode()},
    "serial is apiv3_key": {"serial": APIV3_KEY},
    "serial is an id": {"serial": PUBLIC_KEY_ID},
    "serial of another": {"private_key": p12(serial=0xABC)},
    "private_key damaged": {"private_key": DAMAGED},
    "private_key cut off": {"private_key": CUT},
    "private_key in bytes cut off": {"private_key": private(DER)[:-9]},
    "private_key fragment": {"private_key": FRAGMENT},
    "private_key as a path": {"private_key": Path(private().decode())},
    "private_key as a url": {"private_key": "file:" + private().decode()},
    "private_key in no unicode": {"private_key": CUT + "\ud800"},
    "private_key of three": {"private_key": (private(), KEY_PASSWORD, 1)},
    "private_key public": {"private_key": public()},
    "private_key short": {"private_key": short_key()},
    "private_key closed": {"private_key": ENCRYPTED},
    "private_key password": {"private_key": (ENCRYPTED, P12_PASSWORD)},
    "private_key password type": {"private_key": (ENCRYPTED, [KEY_PASSWORD])},
    "private_key p12": {"private_key": p12(P12_PASSWORD.encode())},
    "private_key p12 password": {
        "private_key": (p12(P12_PASSWORD.encode()), KEY_PASSWORD)
    },
    "certs is the key": {"certs": private().decode()},
    "certs holds the key": {"certs": {PUBLIC_KEY_ID: private().decode()}},
    "certs holds a fragment": {"certs": {PUBLIC_KEY_ID: FRAGMENT}},
    "certs holds the own certificate": {"certs": {PUBLIC_KEY_ID: OWN}},
    "certs by a number": {"certs": {5: private()}},
    "certs by serial": {"certs": {SERIAL: private()}},
    "no certs": {"certs": None, "apiv3_key": None},
    "apiv3_key long": {"apiv3_key": APIV3_KEY + "\n"},
    "apiv3_key short": {"apiv3_key": APIV3_KEY[:-1] + "\ud800"},
    "apiv3_key type": {"apiv3_key": [APIV3_KEY]},
    "secret long": {"secret": APIV2_KEY + " "},
    "secret type": {"secret": {"key": APIV2_KEY}},
    "merchant of another": {"merchant": (OWN, private(key=wechat_key()))},
    "merchant password": {"merchant": (p12(P12_PASSWORD.encode()), KEY_PASSWORD)},
    "merchant is the key": {"merchant": private().decode()},
    "merchant and password": {"merchant": (OWN + ENCRYPTED, KEY_PASSWORD)},
    "base_url": {"base_url": f"https://user:{PROXY_PASSWORD}@host"},
    "base_url with slash": {"base_url": f"https://user:/{PROXY_PASSWORD}@host"},
    "base_url is the key": {"base_url": private().decode()},
    "base_url is apiv3_key": {"base_url": APIV3_KEY},
    "base_url holds apiv3_key": {"base_url": f"https:{APIV3_KEY}"},
    "backup_url": {"backup_url": "x"},
    "backup_url is secret": {"backup_url": APIV2_KEY},
    "timeout": {"timeout": -1},
    "retry": {"retry": 0},
    "proxies scheme": {"proxies": PROXY.replace("http", "socks5")},
    "proxies port": {"proxies": PROXY.replace(":9", ":nine")},
    "proxies bracket": {"proxies": PROXY.replace("127.0.0.1", "[::1")},
    "proxies by host": {"proxies": {"https://host": PROXY}},
    "proxies type": {"proxies": [PROXY]},
    "proxies, one bad": {"proxies": {"http": PROXY, "https": PROXY + ":9:9"}},
    "verify": {"verify": False},
    "verify is the key": {"verify": private().decode()},
    "verify is apiv3_key": {"verify": APIV3_KEY},
    "verify as a path": {"verify": Path(private().decode())},
    "verify in no unicode": {"verify": CUT + "\ud800"},
    "verify is in base64": {"verify": b64encode(private(DER)).decode()},
    "user_agent": {"user_agent": "a\nb"},
    "clock": {"clock": 5},
    "nonce": {"nonce": 5},
    "middleware": {"middleware": 5},
    "middleware is the key": {"middleware": private().decode()},
    "transport is the key": {"transport": private().decode()},
    "certificate_store is the key": {"certificate_store": private().decode()},
    "check is apiv3_key": {"check": APIV3_KEY},
    "unknown": {"apiv3key": APIV3_KEY},
    "missing": {"mchid": None},
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_construction_shows_no_key(case: str) -> None:
    given = secret_options(**BAD_OPTIONS[case])
    error = failure(lambda: WeChatPay(**given))
    assert isinstance(error, WeChatPayError)
    assert not leaked(rendered(error))


@pytest.mark.parametrize("case", [c for c in BAD_OPTIONS if c != "serial of another"])
def test_with_options_shows_no_key(case: str) -> None:
    client = WeChatPay(**secret_options())
    changes = BAD_OPTIONS[case]
    error = failure(lambda: client.with_options(**changes))
    assert not leaked(rendered(error))


def test_with_options_shows_no_key_of_its_parent() -> None:
    client = WeChatPay(**secret_options())
    error = failure(lambda: client.with_options(private_key=p12(serial=0xABC)))
    assert not leaked(rendered(error))


PRIMITIVES: dict[str, Callable[[], object]] = {
    "gcm tag": lambda: crypto.decrypt_gcm("A" * 40, APIV3_KEY, "n" * 12),
    "gcm, signed": lambda: decrypt_verified("A" * 40, APIV3_KEY, "n" * 12),
    "gcm base64": lambda: crypto.decrypt_gcm("*", APIV3_KEY, "n" * 12),
    "gcm nonce": lambda: crypto.decrypt_gcm("AAAA", APIV3_KEY, ""),
    "gcm key": lambda: crypto.decrypt_gcm("AAAA", APIV3_KEY + "\n", "n" * 12),
    "gcm type": lambda: crypto.decrypt_gcm(None, APIV3_KEY, "n" * 12),  # type: ignore[arg-type]
    "gcm nonce type": lambda: crypto.decrypt_gcm("AAAA", APIV3_KEY, 5),  # type: ignore[arg-type]
    "gcm unicode": lambda: crypto.decrypt_gcm("", APIV3_KEY[:-1] + "\ud800", "n"),
    "gcm seal key": lambda: crypto.encrypt_gcm("x", APIV3_KEY + "\n", "n" * 12),
    "gcm seal nonce": lambda: crypto.encrypt_gcm("x", APIV3_KEY, "n"),
    "gcm seal type": lambda: crypto.encrypt_gcm(5, APIV3_KEY, "n" * 12),  # type: ignore[arg-type]
    "ecb": lambda: crypto.decrypt_ecb("AAAA", APIV2_KEY),
    "ecb key": lambda: crypto.decrypt_ecb(crypto.encrypt_ecb("x", "k"), APIV2_KEY),
    "ecb type": lambda: crypto.decrypt_ecb(None, APIV2_KEY),  # type: ignore[arg-type]
    "ecb seal type": lambda: crypto.encrypt_ecb(5, APIV2_KEY),  # type: ignore[arg-type]
    "md5": lambda: crypto.sign_md5({"a": NoText()}, APIV2_KEY),
    "md5 surrogate": lambda: crypto.sign_md5({"a": "\ud800"}, APIV2_KEY),
    "hmac": lambda: crypto.sign_hmac({"a": NoText()}, APIV2_KEY),
    "fields": lambda: crypto.verify_fields({"a": NoText()}, APIV2_KEY),  # type: ignore[dict-item]
    "sign": lambda: crypto.sign(5, crypto.load_private_key(private())),  # type: ignore[arg-type]
    "oaep": lambda: crypto.decrypt_oaep("AAAA", merchant_key()),
    "key damaged": lambda: crypto.load_private_key(DAMAGED),
    "key cut off": lambda: crypto.load_private_key(CUT),
    "key fragment": lambda: crypto.load_private_key(FRAGMENT),
    "key path": lambda: crypto.load_private_key(Path(CUT)),
    "key closed": lambda: crypto.load_private_key(ENCRYPTED),
    "key password": lambda: crypto.load_private_key(ENCRYPTED, P12_PASSWORD),
    "key pair": lambda: crypto.load_private_key((ENCRYPTED, P12_PASSWORD)),
    "p12": lambda: crypto.load_private_key(p12(P12_PASSWORD.encode()), KEY_PASSWORD),
    "private as public": lambda: crypto.load_public_key(private()),
}


@pytest.mark.parametrize("case", PRIMITIVES)
def test_primitives_show_no_key(case: str) -> None:
    assert not leaked(rendered(failure(PRIMITIVES[case])))


# Configuration


ENVIRONMENT = {
    "MCHID": MCHID,
    "SERIAL": SERIAL,
    "PRIVATE_KEY": private().decode(),
    "APIV3_KEY": APIV3_KEY,
    "SECRET": APIV2_KEY,
    "CERTS": json.dumps({PUBLIC_KEY_ID: public().decode()}),
    "PROXIES": PROXY,
}


@pytest.mark.parametrize(
    "changes",
    [
        {"MCHID": ""},
        {"MCHID": APIV3_KEY},
        {"SERIAL": "x"},
        {"PRIVATE_KEY": DAMAGED},
        {"PRIVATE_KEY": FRAGMENT},
        {"APIV3_KEY": APIV3_KEY + " "},
        {"CERTS": private().decode()},
        {"CERTS": json.dumps([private().decode()])},
        {"CERTS": json.dumps({PUBLIC_KEY_ID: private().decode()})},
        {"TIMEOUT": "soon"},
        {"PROXIES": PROXY + ":9:9"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_the_environment_shows_no_key(
    changes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**ENVIRONMENT, **changes}.items():
        monkeypatch.setenv("WECHATPAY_" + name, value)
    assert not leaked(rendered(failure(WeChatPay.from_env)))


TOML = "\n".join(
    f"{name.lower()} = {json.dumps(value)}"
    for name, value in ENVIRONMENT.items()
    if name != "CERTS"
)
FILES = {
    "quote.toml": TOML + f'\nuser_agent = "{KEY_PASSWORD}',
    "key.toml": f"{KEY_PASSWORD} {P12_PASSWORD}\n{TOML}",
    "twice.toml": f"{TOML}\n{TOML}",
    "unknown.toml": f"{TOML}\nkey_password = '{KEY_PASSWORD}'",
    "option.toml": f"{TOML}\nretry = 0",
    "certs.toml": f"{TOML}\ncerts = {json.dumps(private().decode())}",
    "table.json": json.dumps([ENVIRONMENT]),
    "broken.json": json.dumps(ENVIRONMENT)[:-1],
    "coding.toml": TOML.encode() + "密".encode("gbk"),
    "option.json": json.dumps({"mchid": private().decode(), "serial": APIV3_KEY}),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_shows_no_key(tmp_path: Path, name: str) -> None:
    content = FILES[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    error = failure(lambda: WeChatPay.from_file(path))
    assert isinstance(error, WeChatPayError)
    assert not leaked(rendered(error))
