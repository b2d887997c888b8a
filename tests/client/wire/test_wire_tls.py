"""TLS: who is trusted, which versions, and the merchant's certificate on APIv2."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from wire_server import http, reset
from wire_tls import Authority, outdated

from wechatpay_chain import ConnectError

XML = b"""<xml><return_code><![CDATA[SUCCESS]]></return_code>
<result_code><![CDATA[SUCCESS]]></result_code></xml>"""


def test_a_bundle_of_ones_own_is_trusted(
    serve: Any, client_of: Any, keys: Any, call: Any, authority: Authority
) -> None:
    server = serve(lambda _: keys.signed(200, {"a": 1}), tls=authority.server())
    client = client_of(server, verify=str(authority.bundle))
    for _ in range(3):
        assert call(client.v3.a.post, {"a": 1})["a"] == 1
        keys.check(server.last)
    assert server.connections == 1


def test_a_context_of_ones_own_is_used(
    serve: Any, client_of: Any, keys: Any, call: Any, authority: Authority
) -> None:
    server = serve(lambda _: keys.signed(204), tls=authority.server())
    context = ssl.create_default_context(cafile=authority.bundle)
    reply = call(client_of(server, verify=context).v3.a.get)
    assert reply.status_code == 204


def test_an_authority_that_is_not_in_the_bundle_is_refused(
    serve: Any, client_of: Any, keys: Any, call: Any, authority: Authority
) -> None:
    server = serve(lambda _: keys.signed(204), tls=authority.server())
    with pytest.raises(ConnectError, match=r"(?i)certificate") as caught:
        call(client_of(server).v3.a.post, {})
    assert caught.value.outcome == "not_sent"
    assert caught.value.__cause__ is not None
    assert server.requests == []


@pytest.mark.parametrize(
    "name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]
)
def test_variables_do_not_change_who_is_trusted(
    serve: Any,
    client_of: Any,
    keys: Any,
    call: Any,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setenv(name, str(authority.bundle))
    server = serve(lambda _: keys.signed(204), tls=authority.server())
    with pytest.raises(ConnectError):
        call(client_of(server).v3.a.get)
    monkeypatch.setenv(name, "/nowhere.pem")
    trusting = client_of(server, verify=str(authority.bundle))
    assert call(trusting.v3.a.get).status_code == 204


def test_another_name_than_the_certificates_is_refused(
    serve: Any,
    client_of: Any,
    keys: Any,
    call: Any,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serve(lambda _: keys.signed(204), tls=authority.server())
    loopback = socket.getaddrinfo("127.0.0.1", server.port, type=socket.SOCK_STREAM)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: loopback)
    options = {"verify": str(authority.bundle)}
    other = client_of(f"https://pay.invalid:{server.port}", **options)
    with pytest.raises(ConnectError, match=r"(?i)certificate|hostname") as caught:
        call(other.v3.a.get)
    assert caught.value.outcome == "not_sent"
    named = client_of(f"https://localhost:{server.port}", **options)
    assert call(named.v3.a.get).status_code == 204


def test_versions_before_1_2_are_refused(
    serve: Any, client_of: Any, keys: Any, call: Any, authority: Authority
) -> None:
    server = serve(lambda _: keys.signed(204), tls=authority.old_server())
    # The server itself works: a client that allows TLS 1.1 gets through.
    lenient = outdated(ssl.create_default_context(cafile=authority.bundle))
    with (
        socket.create_connection(("127.0.0.1", server.port), 10) as raw,
        lenient.wrap_socket(raw, server_hostname="127.0.0.1") as old,
    ):
        assert old.version() == "TLSv1.1"
    with pytest.raises(ConnectError) as caught:
        call(client_of(server, verify=str(authority.bundle)).v3.a.get)
    assert caught.value.outcome == "not_sent"


@pytest.mark.parametrize("kind", ["files", "one file", "p12", "context"])
def test_v2_shows_the_merchants_certificate_and_v3_does_not(
    serve: Any,
    client_of: Any,
    keys: Any,
    call: Any,
    authority: Authority,
    tmp_path: Path,
    kind: str,
) -> None:
    server = serve(
        lambda received: (
            http(200, XML) if received.target.startswith("/mmpay") else keys.signed(204)
        ),
        tls=authority.server(client=ssl.CERT_OPTIONAL),
    )
    verify: Any = str(authority.bundle)
    if kind == "context":
        verify = ssl.create_default_context(cafile=verify)
    client = client_of(
        server,
        verify=verify,
        secret=keys.text("apiv2_key"),
        merchant=keys.merchant_material(authority, tmp_path, kind),
    )
    reply = call(client.v2.mmpaymkttransfers.sendredpack.post, {"re_openid": "o"})
    assert reply["result_code"] == "SUCCESS"
    ((((field, value),),),) = [
        [pair for pair in server.last.peer["subject"] if pair[0][0] == "commonName"]
    ]
    assert (field, value) == ("commonName", "merchant 1900007291")
    call(client.v3.a.get)
    assert not server.last.peer
    assert list(tmp_path.glob("wechatpay-*")) == []


def test_a_server_that_demands_a_certificate_gets_it(
    serve: Any,
    client_of: Any,
    keys: Any,
    call: Any,
    authority: Authority,
    tmp_path: Path,
) -> None:
    server = serve(http(200, XML), tls=authority.server(client=ssl.CERT_REQUIRED))
    client = client_of(
        server,
        verify=str(authority.bundle),
        secret=keys.text("apiv2_key"),
        merchant=keys.merchant_material(authority, tmp_path, "files"),
    )
    for _ in range(2):
        assert call(client.v2.mmpaymkttransfers.sendredpack.post, {"a": "1"}).ok
    assert server.connections == 1


def test_a_reset_during_the_handshake_is_not_sent(
    serve: Any, client_of: Any, call: Any, authority: Authority
) -> None:
    def hello_then_reset(sock: socket.socket) -> None:
        sock.recv(1)
        reset(sock)

    server = serve(greet=hello_then_reset)
    client = client_of(f"https://127.0.0.1:{server.port}")
    with pytest.raises(ConnectError) as caught:
        call(client.v3.a.post, {})
    assert caught.value.outcome == "not_sent"


def test_a_server_without_tls_is_a_connect_error(
    serve: Any, client_of: Any, call: Any
) -> None:
    server = serve(greet=lambda sock: sock.sendall(http(400)))
    with pytest.raises(ConnectError) as caught:
        call(client_of(f"https://127.0.0.1:{server.port}").v3.a.post, {})
    assert caught.value.outcome == "not_sent"
