"""Through a forward proxy: absolute form for http, CONNECT for https."""

from __future__ import annotations

import asyncio
import socket
import sys
import traceback
from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import pytest
from wire_server import Last, Received, Reset, Silence, Tunnel, http
from wire_tls import Authority

from wechatpay_chain import (
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    WeChatPay,
    WeChatPayError,
)
from wechatpay_chain.transports import on_aiohttp

PASSWORD = "p@ss:wörd"
ESCAPED = "p%40ss%3Aw%C3%B6rd"
BASIC = "Basic " + b64encode(f"shop:{PASSWORD}".encode()).decode()


def forward(received: Received) -> Any:
    """Do what a proxy does with the request."""
    if received.method == "CONNECT":
        return Tunnel(int(received.target.rpartition(":")[2]))
    scheme, _, rest = received.target.partition("://")
    assert scheme == "http", "a proxy is asked in absolute form"
    host, slash, path = rest.partition("/")
    line = f"{received.method} {slash}{path} HTTP/1.1\r\n"
    for name, value in received.headers:
        if not name.lower().startswith("proxy-"):
            line += f"{name}: {value}\r\n"
    line += "Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(host.split(":")[1])), 10) as far:
        far.sendall(line.encode() + received.body)
        far.shutdown(socket.SHUT_WR)
        with far.makefile("rb") as stream:
            return stream.read()


def with_password(proxy: Any) -> str:
    return f"http://shop:{ESCAPED}@127.0.0.1:{proxy.port}"


@pytest.mark.parametrize("path", ["v3/a%7Eb?x=%3d", "v3/a?", "v3/用户"])
def test_http_goes_in_absolute_form_with_the_signed_target(
    serve: Any, client_of: Any, keys: Any, call: Any, path: str
) -> None:
    server = serve(lambda _: keys.signed(200, {"a": 1}))
    proxy = serve(forward)
    client = client_of(server, proxies=proxy.base_url)
    assert call(client[path].post, {"a": 1}).verified
    assert proxy.last.target == server.base_url + server.last.target
    keys.check(server.last)
    assert proxy.last.header("Host") == f"127.0.0.1:{server.port}"


def test_https_goes_through_a_tunnel(
    serve: Any, client_of: Any, keys: Any, call: Any, authority: Authority
) -> None:
    server = serve(lambda _: keys.signed(200, {"a": 1}), tls=authority.server())
    proxy = serve(forward)
    client = client_of(server, proxies=proxy.base_url, verify=str(authority.bundle))
    for _ in range(3):
        assert call(client.v3.a.post, {"a": 1}).verified
        keys.check(server.last)
    assert [item.target for item in proxy.requests] == [f"127.0.0.1:{server.port}"]
    assert server.connections == 1
    assert not proxy.last.all("Authorization")


@pytest.fixture
def secure_proxy(serve: Any, authority: Authority) -> Any:
    """A proxy that is itself reached over TLS."""
    return serve(forward, tls=authority.server())


def test_https_goes_through_a_tunnel_within_tls(
    serve: Any,
    client_of: Any,
    keys: Any,
    call: Any,
    authority: Authority,
    secure_proxy: Any,
) -> None:
    server = serve(lambda _: keys.signed(200, {"a": 1}), tls=authority.server())
    client = client_of(
        server, proxies=secure_proxy.base_url, verify=str(authority.bundle)
    )
    if call.mode == "async" and sys.version_info < (3, 11):
        with pytest.raises(ConfigurationError, match=r"from Python 3\.11 on"):
            call(client.v3.a.post, {"a": 1})
        return
    for _ in range(2):
        assert call(client.v3.a.post, {"a": 1}).verified
        keys.check(server.last)
    assert server.connections == 1
    assert not secure_proxy.last.all("Authorization")


def test_before_python_3_11_awaited_calls_refuse_such_a_proxy(
    settings: Any, secure_proxy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_aiohttp, "sys", SimpleNamespace(version_info=(3, 10)))
    proxy = {"proxies": secure_proxy.base_url}

    async def main() -> None:
        async with WeChatPay(**settings("https://127.0.0.1:9", **proxy)) as client:
            with pytest.raises(ConfigurationError, match="http://, or") as caught:
                await client.v3.a.post_async({})
            assert caught.value.outcome == "not_sent"

    asyncio.run(main())
    assert secure_proxy.connections == 0


def test_http_goes_to_such_a_proxy_in_absolute_form(
    serve: Any,
    client_of: Any,
    keys: Any,
    call: Any,
    authority: Authority,
    secure_proxy: Any,
) -> None:
    server = serve(lambda _: keys.signed(200, {"a": 1}))
    client = client_of(
        server, proxies=secure_proxy.base_url, verify=str(authority.bundle)
    )
    assert call(client.v3.a.post, {"a": 1}).verified
    assert secure_proxy.last.target == server.base_url + "/v3/a"
    keys.check(server.last)


def test_a_secure_proxy_that_is_not_trusted_is_not_sent_to(
    client_of: Any, call: Any, secure_proxy: Any
) -> None:
    client = client_of("http://127.0.0.1:9", proxies=secure_proxy.base_url)
    with pytest.raises(ConnectError, match=r"(?i)certificate") as caught:
        call(client.v3.a.post, {})
    assert caught.value.outcome == "not_sent"
    assert secure_proxy.requests == []


def test_the_scheme_chooses_the_proxy(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    server = serve(lambda _: keys.signed(204))
    proxy = serve(forward)
    client = client_of(server, proxies={"https": proxy.base_url})
    call(client.v3.a.get)
    assert proxy.connections == 0
    call(client.with_options(proxies={"http": proxy.base_url}).v3.a.get)
    assert proxy.connections == 1


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_the_password_goes_to_the_proxy_only(
    serve: Any, client_of: Any, keys: Any, call: Any, authority: Authority, secure: bool
) -> None:
    tls = authority.server() if secure else None
    server = serve(lambda _: keys.signed(204), tls=tls)
    proxy = serve(forward)
    client = client_of(
        server, proxies=with_password(proxy), verify=str(authority.bundle)
    )
    call(client.v3.a.get)
    assert proxy.requests[0].header("Proxy-Authorization") == BASIC
    assert not server.last.all("Proxy-Authorization")
    keys.check(server.last)


REFUSALS = {
    "407": http(407, headers={"Proxy-Authenticate": "Basic"}),
    "502": http(502),
    "closed": Last(),
    "reset": Reset,
    "noise": Last(b"\x00\x01\r\n\r\n"),
}


@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS)
def test_a_refused_tunnel_is_not_sent_and_tells_no_password(
    serve: Any, client_of: Any, call: Any, answer: Any
) -> None:
    proxy = serve(answer)
    client = client_of("https://127.0.0.1:9", proxies=with_password(proxy))
    with pytest.raises(ConnectError) as caught:
        call(client.v3.a.post, {})
    assert caught.value.outcome == "not_sent"
    assert caught.value.__cause__ is not None
    assert_silent(caught.value, client)


def test_a_silent_proxy_is_a_connect_timeout(
    serve: Any, client_of: Any, call: Any
) -> None:
    proxy = serve(Silence)
    client = client_of(
        "https://127.0.0.1:9", proxies=with_password(proxy), timeout=(0.2, 10)
    )
    with pytest.raises(ConnectTimeout) as caught:
        call(client.v3.a.post, {})
    assert caught.value.outcome == "not_sent"
    assert_silent(caught.value, client)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_not_sent_and_tells_no_password(
    serve: Any, client_of: Any, call: Any, scheme: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    client = client_of(
        f"{scheme}://127.0.0.1:9", proxies=f"http://shop:{ESCAPED}@127.0.0.1:{port}"
    )
    with pytest.raises(ConnectError) as caught:
        call(client.v3.a.post, {})
    assert type(caught.value) is ConnectError
    assert caught.value.outcome == "not_sent"
    assert_silent(caught.value, client)


@pytest.mark.parametrize("answer", [Last(), Last(b"noise\r\n\r\n")], ids=str)
def test_a_proxy_that_breaks_off_is_unknown_and_tells_no_password(
    serve: Any, client_of: Any, call: Any, answer: Any
) -> None:
    proxy = serve(answer)
    client = client_of("http://127.0.0.1:9", proxies=with_password(proxy))
    with pytest.raises(WeChatPayError) as caught:
        call(client.v3.a.post, {})
    assert caught.value.outcome == "unknown"
    assert_silent(caught.value, client)


def assert_silent(error: BaseException, client: Any) -> None:
    """Neither the error, nor what it came from, nor the client shows the password."""
    texts = [repr(client), str(client), repr(client._settings)]
    texts += traceback.format_exception(type(error), error, error.__traceback__)
    seen: list[BaseException] = []
    queue: list[BaseException | None] = [error]
    while queue:
        found = queue.pop()
        if found is not None and found not in seen:
            seen.append(found)
            texts += [str(found), repr(found), repr(found.args), repr(vars(found))]
            queue += [found.__cause__, found.__context__]
    assert len(seen) > 1
    everything = "\n".join(texts)
    for secret in (PASSWORD, ESCAPED, BASIC.removeprefix("Basic ")):
        assert secret not in everything
