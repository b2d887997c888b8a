"""A wrong option fails at construction, with a message that says how to mend it."""

from __future__ import annotations

import math
import re
import ssl
from pathlib import Path
from typing import Any

import pytest
from key_material import (
    PEM,
    PUBLIC_KEY_ID,
    SERIAL,
    certificate,
    merchant_key,
    options,
    refusal,
    settings,
)
from leaks import APIV3_KEY, PROXY_PASSWORD, leaked, rendered

from wechatpay_chain import WeChatPay
from wechatpay_chain.errors import ConfigurationError
from wechatpay_chain.middleware import Response, RetryPolicy
from wechatpay_chain.transports.memory import AsyncMemoryTransport, MemoryTransport

OWN = certificate(merchant_key(), int(SERIAL, 16)).public_bytes(PEM)


def test_a_configuration_error_is_a_value_error_and_nothing_was_sent() -> None:
    error = refusal(mchid="x")
    assert isinstance(error, ValueError)
    assert error.outcome == "not_sent"
    assert error.request is None


# The network


def test_the_defaults_are_wechats() -> None:
    found = settings()
    assert found.base_url == "https://api.mch.weixin.qq.com"
    assert found.backup_url == "https://api2.mch.weixin.qq.com"
    assert found.timeout == (5.0, 30.0)
    assert found.retry.attempts == 3
    assert settings(base_url=None, timeout=None).base_url == found.base_url
    assert settings(backup_url=None).backup_url is None


@pytest.mark.parametrize("name", ["base_url", "backup_url"])
@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://apihk.mch.weixin.qq.com", "https://apihk.mch.weixin.qq.com"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/gateway/", "http://[::1]:8080/gateway"),
    ],
)
def test_a_host_of_ones_own(name: str, url: str, kept: str) -> None:
    assert getattr(settings(**{name: url}), name) == kept


@pytest.mark.parametrize("name", ["base_url", "backup_url"])
@pytest.mark.parametrize(
    ("url", "text"),
    [
        (
            "api.mch.weixin.qq.com",
            "http(s)://host[:port][/path] expected, got 'api.mch.",
        ),
        (
            "https://a\\.example",
            r"http(s)://host[:port][/path] expected, got 'https://a\\.example'",
        ),
        ("ftp://host", "http(s)://host[:port][/path] expected, got 'ftp://host'"),
        ("https://", "http(s)://host[:port][/path] expected, got 'https://'"),
        (
            "https://host?a=1",
            "http(s)://host[:port][/path] expected, got 'https://host?a",
        ),
        (
            "https://host#top",
            "http(s)://host[:port][/path] expected, got 'https://host#t",
        ),
        (
            "https://host:0",
            "http(s)://host[:port][/path] expected, got 'https://host:0'",
        ),
        (
            "https://host:port",
            "http(s)://host[:port][/path] expected, got 'https://host:",
        ),
        ("https://[::1", "http(s)://host[:port][/path] expected, got 'https://[::1'"),
        (
            "https://u:pass@host",
            "http(s)://host[:port][/path] expected, got '...@host'",
        ),
        (
            "https://u:p/ss@host",
            "http(s)://host[:port][/path] expected, got '...@host'",
        ),
        ("https://ho st", "'https://ho st' holds a space or is not ASCII"),
        ("https://host/路径", "'https://host/路径' holds a space or is not ASCII"),
        (["https://host"], "text expected, got list"),
        (b"https://host", "text expected, got bytes"),
    ],
)
def test_a_base_url_is_scheme_host_and_path(name: str, url: Any, text: str) -> None:
    assert str(refusal(**{name: url})).startswith(f"{name}: {text}")


@pytest.mark.parametrize(
    ("value", "both"), [(2, (2.0, 2.0)), (0.5, (0.5, 0.5)), ([3, 60], (3.0, 60.0))]
)
def test_a_timeout_is_for_connecting_and_for_reading(value: Any, both: Any) -> None:
    assert settings(timeout=value).timeout == both


@pytest.mark.parametrize(
    "value",
    [0, -1, math.nan, math.inf, True, (1, 2, 3), (1,), (0, 1), ()],
    ids=repr,
)
def test_a_timeout_is_above_zero_and_ends(value: Any) -> None:
    assert str(refusal(timeout=value)) == (
        f"timeout: seconds above 0, or (connect, read), expected, got {value!r}"
    )


class Never(RetryPolicy):
    """A policy of the user's own."""

    def after_error(self, request: Any, error: Any, attempt: int) -> None:
        return None

    def after_response(self, request: Any, response: Any, attempt: int) -> None:
        return None


def test_a_retry_is_a_number_of_attempts_or_a_policy() -> None:
    policy = Never()
    assert settings(retry=1).retry.attempts == 1
    assert settings(retry=policy).retry is policy


@pytest.mark.parametrize("value", [0, -1, True, 2.0])
def test_a_retry_is_nothing_else(value: Any) -> None:
    assert str(refusal(retry=value)) == (
        f"retry: attempts must be an int from 1 up, got {value!r}"
    )


@pytest.mark.parametrize("name", ["timeout", "retry"])
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (APIV3_KEY, "str"),
        (APIV3_KEY.encode(), "bytes"),
        ((1, APIV3_KEY), "tuple"),
        ({"x": APIV3_KEY}, "dict"),
        (str, "type"),
    ],
    ids=["text", "bytes", "tuple", "mapping", "class"],
)
def test_only_numbers_are_repeated(name: str, value: Any, kind: str) -> None:
    error = refusal(**{name: value})
    assert str(error).endswith(f", got {kind}")
    assert not leaked(rendered(error))


def test_a_proxy_is_for_both_schemes_or_one() -> None:
    for value in (
        "http://proxy:3128",
        {"http": "http://proxy:3128", "https": "http://proxy:3128"},
    ):
        network = settings(proxies=value).network
        assert network.proxy_for("https://host") == network.proxy_for("http://host")
    network = settings(proxies={"https": "http://proxy:3128", "http": None}).network
    assert network.proxy_for("https://host") is not None
    assert network.proxy_for("http://host") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("socks5://proxy:1080", "got socks5://proxy"),
        ("http://", "got http://no host"),
        ("http://proxy:0", "got http://proxy"),
        ("http://user:pass@proxy:port", "got one that cannot be read"),
        ("http://[::1", "got one that cannot be read"),
        ("socks5://user:pass@proxy", "got socks5://proxy"),
        ({"https": 5}, "got int"),
    ],
)
def test_a_proxy_is_a_url(value: Any, text: str) -> None:
    assert str(refusal(proxies=value)) == (
        f"proxies: http://[user:password@]host:port expected, {text}"
    )


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "proxy:3128", "/proxy", f"user:{PROXY_PASSWORD}@proxy:80"]
)
@pytest.mark.parametrize("wrap", [str, lambda url: {"https": url}], ids=["one", "each"])
def test_a_proxy_has_a_scheme(url: str, wrap: Any) -> None:
    error = refusal(proxies=wrap(url))
    assert str(error) == (
        "proxies: the scheme is missing: http://[user:password@]host:port expected"
    )
    assert not leaked(rendered(error))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "proxies: a URL, or a mapping of scheme to URL, expected"),
        (["http://p"], "proxies: a URL, or a mapping of scheme to URL, expected"),
        (
            {"https://": "http://p"},
            "proxies: 'http' and 'https' are the schemes, got 'https://'",
        ),
    ],
)
def test_proxies_go_by_scheme(value: Any, text: str) -> None:
    assert str(refusal(proxies=value)) == text


def test_trust_is_the_default_a_bundle_or_a_context(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    context = ssl.create_default_context()
    assert settings(verify=context).network.tls is context
    assert settings(verify=True).network.tls.verify_mode == ssl.CERT_REQUIRED
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(OWN)
    for value in (bundle, str(bundle), "ca.pem", "~/ca.pem"):
        tls = settings(verify=value).network.tls
        assert tls.cert_store_stats()["x509"] == 1
        assert tls.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            False,
            "verify: TLS is always verified; for a private authority give the path of "
            "its CA bundle",
        ),
        (0, "verify: the path of a CA bundle expected, got int"),
        (b"ca.pem", "verify: the path of a CA bundle expected, got bytes"),
    ],
)
def test_trust_is_never_switched_off(value: Any, text: str) -> None:
    assert str(refusal(verify=value)) == text


def test_a_bad_bundle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    text = f"verify: {path} is no CA bundle: "
    assert str(refusal(verify=path)) == text + "No such file or directory"
    path.write_text("nothing")
    assert str(refusal(verify=str(path))).startswith(text)
    assert str(refusal(verify=tmp_path)) == (
        f"verify: {tmp_path} is no CA bundle: Is a directory"
    )


@pytest.mark.parametrize("value", ["", "a\0b", "-----BEGIN CERTIFICATE-----\nAAAA"])
def test_what_is_no_path_is_not_repeated(value: str) -> None:
    assert str(refusal(verify=value)).startswith("verify: this is no CA bundle: ")


def test_a_bundle_that_went_is_named_when_it_is_needed(
    call: Any, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(OWN)
    client = WeChatPay(**options(verify=path))
    path.unlink()
    # Options that have nothing to do with it are changed all the same.
    client = client.with_options(timeout=1)
    with pytest.raises(ConfigurationError) as caught:
        call(client.v3.certificates.get)
    assert str(caught.value).startswith(f"verify: {path} is no CA bundle: ")
    assert caught.value.outcome == "not_sent"
    assert str(caught.value.request) == (
        "GET https://api.mch.weixin.qq.com/v3/certificates"
    )
    call.close(client)


# The rest


@pytest.mark.parametrize("name", ["user_agent", "accept_language"])
@pytest.mark.parametrize("value", ["x\r\nHost: evil", "x\ny", "x\0", "商户", 5, ["x"]])
def test_no_header_is_broken_out_of(name: str, value: Any) -> None:
    assert str(refusal(**{name: value})) == (
        f"{name}: text that can stand in a header expected, without line breaks and "
        "Chinese characters"
    )


def test_headers_are_set_as_given() -> None:
    found = settings(user_agent="shop/1.0", accept_language="en")
    for headers in (found.headers, found.xml_headers):
        assert headers["User-Agent"] == "shop/1.0"
        assert headers["Accept-Language"] == "en"
    agent = settings(user_agent="").headers["User-Agent"]
    assert re.fullmatch(r"wechatpay-chain/\S+ \(\S*\) python/\S+", agent)


@pytest.mark.parametrize("name", ["clock", "nonce"])
@pytest.mark.parametrize("value", [5, "now"])
def test_clock_and_nonce_are_called(name: str, value: Any) -> None:
    kind = type(value).__name__
    assert str(refusal(**{name: value})) == f"{name}: a callable expected, got {kind}"


class Lacking:
    """Something with a method or two of a transport."""

    def open(self) -> None: ...

    def sleep(self) -> None: ...

    close = aclose = "not to be called"


@pytest.mark.parametrize(
    ("name", "methods"),
    [
        ("transport", "open, sleep and close"),
        ("async_transport", "open, sleep and aclose"),
    ],
)
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (APIV3_KEY, "str"),
        (5, "int"),
        (Lacking(), "Lacking"),
        (MemoryTransport, "a class"),
        (AsyncMemoryTransport, "a class"),
    ],
    ids=["text", "number", "lacking", "class", "async class"],
)
def test_a_transport_has_three_methods(
    name: str, methods: str, value: Any, kind: str
) -> None:
    error = refusal(**{name: value})
    assert str(error) == f"{name}: an object with {methods} expected, got {kind}"
    assert not leaked(rendered(error))


def test_a_transport_for_plain_calls_does_not_await() -> None:
    class Both(AsyncMemoryTransport):
        def close(self) -> None: ...

    assert str(refusal(transport=Both(lambda r: Response(204)))) == (
        "transport: its open is a coroutine function; give it as async_transport"
    )


def test_an_async_transport_may_be_any_object_with_its_methods() -> None:
    class Wrapping:
        """Forwards by callables that are no coroutine functions themselves."""

        def __init__(self, inner: AsyncMemoryTransport) -> None:
            self.open = lambda request: inner.open(request)
            self.sleep = inner.sleep
            self.aclose = inner.aclose

    given = Wrapping(AsyncMemoryTransport(lambda r: Response(204)))
    assert settings(async_transport=given).async_transport is given


def test_a_nonce_is_32_characters_and_new_each_time() -> None:
    nonce = settings().nonce
    made = {nonce() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"[0-9A-Za-z]{32}", text) for text in made)


def passing(request: Any) -> Any:
    """A layer that does nothing."""
    return (yield request)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (passing, "middleware: a list of layers expected, got one callable"),
        ([5], "middleware: a layer is a generator function, not int"),
        (5, "middleware: a list of layers expected, got int"),
        ("sign", "middleware: a list of layers expected, got str"),
    ],
    ids=["callable", "number inside", "number", "text"],
)
def test_middleware_is_a_list_of_layers(value: Any, text: str) -> None:
    assert str(refusal(middleware=value)) == text


def test_middleware_is_there_from_the_start() -> None:
    client = WeChatPay(**options(middleware=[passing]))
    assert client.stack.names[0] == client.xml_stack.names[0] == "passing"


def test_with_options_checks_as_construction_does() -> None:
    client = WeChatPay(**options(transport=MemoryTransport(lambda r: Response(204))))
    for changes, text in (
        ({"mch_id": "1"}, "unknown option 'mch_id'"),
        ({"timeout": 0}, "timeout: seconds above 0"),
        ({"serial": PUBLIC_KEY_ID}, f"serial: '{PUBLIC_KEY_ID}' is the id of WeChat's"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            client.with_options(**changes)  # type: ignore[misc]
        assert str(caught.value).startswith(text)
    assert client.with_options(timeout=1)._settings.private_key is merchant_key()
