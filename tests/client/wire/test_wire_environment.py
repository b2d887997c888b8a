"""The surroundings change nothing: netrc, proxies of the system, redirects, cookies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from wire_server import http

from wechatpay_chain import APIError


def test_netrc_does_not_replace_our_authorization(
    serve: Any,
    client_of: Any,
    keys: Any,
    call: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login user password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(lambda _: keys.signed(204))
    call(client_of(server).v3.a.post, {"a": 1})
    keys.check(server.last)


@pytest.mark.parametrize("no_proxy", ["", "*", "127.0.0.1"])
def test_proxy_variables_are_not_consulted(
    serve: Any,
    client_of: Any,
    keys: Any,
    call: Any,
    monkeypatch: pytest.MonkeyPatch,
    no_proxy: str,
) -> None:
    proxy = serve(http(502))
    server = serve(lambda _: keys.signed(204))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.base_url)
        monkeypatch.setenv(name.lower(), proxy.base_url)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    monkeypatch.setenv("no_proxy", no_proxy)
    assert call(client_of(server).v3.a.get).status_code == 204
    assert proxy.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("verb", ["get", "post"])
def test_a_redirect_is_an_error_and_never_followed(
    serve: Any, client_of: Any, call: Any, status: int, verb: str
) -> None:
    elsewhere = serve(http(200))
    server = serve(http(status, headers={"Location": elsewhere.base_url + "/v3/b"}))
    with pytest.raises(APIError, match="redirect") as caught:
        call(getattr(client_of(server).v3.a, verb))
    assert caught.value.status_code == status
    assert caught.value.outcome == "unknown"
    assert len(server.requests) == 1
    assert elsewhere.connections == 0


def test_cookies_are_not_sent_back(
    serve: Any, client_of: Any, keys: Any, call: Any
) -> None:
    cookie = {"Set-Cookie": "session=1; Path=/"}
    server = serve(lambda _: keys.signed(200, {"a": 1}, cookie))
    client = client_of(server)
    for _ in range(2):
        call(client.v3.a.get)
    assert [item.all("Cookie") for item in server.requests] == [[], []]
