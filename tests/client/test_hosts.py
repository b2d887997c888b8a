"""Where a call goes: endpoints of other hosts, the caller's bases, no stranger."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import (
    ConfigurationError,
    ConnectError,
    ServerError,
    catalogue,
    send,
)
from wechatpay_chain.catalogue.model import HOST

USUAL = "https://api.mch.weixin.qq.com"
CUSTOMS = "https://apihk.mch.weixin.qq.com/global/v3/customs/orders"
#: Every operation that the catalogue has on another host, or below a prefix.
ELSEWHERE = [
    one
    for one in catalogue.operations()
    if (one.host, one.url_prefix) != (HOST, "") and not one.redirect
]


def test_there_are_such_endpoints() -> None:
    assert {one.host for one in ELSEWHERE} == {
        "apihk.mch.weixin.qq.com",
        "fraud.mch.weixin.qq.com",
        "payapp.weixin.qq.com",
    }


@pytest.mark.parametrize("operation", ELSEWHERE, ids=str)
def test_an_endpoint_of_another_host_goes_there_by_itself(
    call, server, make, operation
) -> None:
    """Signed for that host too, which ``check_host`` must let pass."""
    client = make(secret="0" * 32, check="off", retry=1)
    verb = getattr(client[operation.template], operation.method.lower())
    if operation.version == "v2":
        server.strict = False  # it is the body that carries the signature
        server.otherwise = server.plain(500, {})
        with pytest.raises(ServerError):
            call(verb, xml={"a": "1"})
    else:
        call(verb, **({} if operation.body is None else {"json": {"a": "1"}}))
    path = operation.template.removeprefix("v2/")
    assert server.request.url == f"{operation.base_url}/{path}"


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("v3/certificates", f"{USUAL}/v3/certificates"),
        ("hk/v3/certificates", f"{USUAL}/hk/v3/certificates"),
        ("v3/customs/published-tomorrow", f"{USUAL}/v3/customs/published-tomorrow"),
    ],
)
def test_all_others_go_to_the_usual_host(call, server, client, path, url) -> None:
    call(client[path].get)
    assert server.request.url == url


@pytest.mark.parametrize("base", ["https://pay.example.com/wx", USUAL])
def test_a_base_of_the_call_wins(call, server, client, base) -> None:
    call(client.v3.customs.orders.get, {}, base_url=base)
    assert server.request.url == f"{base}/v3/customs/orders"


def test_a_base_of_the_client_wins(call, server, make) -> None:
    client = make(base_url="https://pay.example.com")
    call(client.v3.customs.orders.get)
    assert server.request.url == "https://pay.example.com/v3/customs/orders"


def test_a_client_that_goes_back_to_the_usual_host_follows_the_catalogue(
    call, server, make
) -> None:
    client = make(base_url="https://pay.example.com").with_options(base_url=USUAL)
    call(client.v3.customs.orders.get)
    assert server.request.url == CUSTOMS


@pytest.mark.parametrize(
    "text", ["v3/customs/orders?out_trade_no={no}", "{+where}", "/v3/customs/orders"]
)
def test_however_the_path_is_written(call, server, client, text) -> None:
    given = {"no": "42"} if "{no}" in text else {}
    if "where" in text:
        given = {"where": "v3/customs/orders"}
    call(client[text].get, **given)
    assert server.request.url.partition("?")[0] == CUSTOMS


def test_there_is_no_backup_of_another_host(call, server, client) -> None:
    server.will(ConnectError("refused"), ConnectError("refused"))
    call(client.v3.customs.orders.get)
    assert {request.url for request in server.requests} == {CUSTOMS}
    assert len(server.requests) == 3


def test_certificates_come_from_the_usual_host(
    call, server, downloading, gateway
) -> None:
    call(downloading().v3.customs.orders.get)
    assert [request.url for request in server.requests] == [
        f"{USUAL}/v3/certificates",
        CUSTOMS,
    ]


@pytest.mark.parametrize(
    "host",
    [
        "https://evil.example",
        "https://apihk.mch.weixin.qq.com.evil.example",
        "http://payapp.weixin.qq.com",
        "https://evil.weixin.qq.com",
        "https://evil.example?.mch.weixin.qq.com",
        "https://evil.example#.mch.weixin.qq.com",
        "https://evil.example\\.mch.weixin.qq.com",
        "https://evil.example?@api.mch.weixin.qq.com",
        "https://api.mch.weixin.qq.com@evil.example",
    ],
)
@pytest.mark.parametrize(
    "template", ["v3/customs/orders", "v3/x", "v2/face/get_wxpayface_authinfo"]
)
def test_nothing_is_signed_for_a_stranger(call, server, make, host, template) -> None:
    def elsewhere(request):
        return (yield from send(request.replace(url=f"{host}{request.target}")))

    client = make(middleware=[elsewhere], secret="0" * 32, check="off")
    options: dict[str, Any] = {"xml": {"a": "1"}} if template[1] == "2" else {}
    with pytest.raises(ConfigurationError, match="nothing is signed for"):
        call(client[template].post, **options)
    assert server.requests == []


def test_a_host_that_one_endpoint_has_is_signed_for_no_other(
    call, server, client
) -> None:
    def elsewhere(request):
        url = f"https://payapp.weixin.qq.com{request.target}"
        return (yield from send(request.replace(url=url)))

    with pytest.raises(ConfigurationError, match="nothing is signed for"):
        call(client.v3.certificates.get, middleware=[elsewhere])
    assert server.requests == []


def test_the_documents_way_to_hong_kong_is_known_as_such(call, server, make) -> None:
    """``v3/...`` on the base ``.../hk`` is another API than ``v3/...`` elsewhere."""
    client = make(base_url=f"{USUAL}/hk")
    seen: list[Any] = []

    def look(request):
        seen.append(request.operation)
        return (yield from send(request))

    call(client.v3.certificates.get, middleware=[look])
    call(client.v3.certificates.get, middleware=[look], base_url=USUAL)
    assert [str(one) for one in seen] == [
        "GET hk/v3/certificates",
        "GET v3/certificates",
    ]
    assert server.requests[0].url == f"{USUAL}/hk/v3/certificates"
