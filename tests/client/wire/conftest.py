"""Servers of raw sockets, and clients on the real transports of both modes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wire_keys import Keys
from wire_server import WireServer
from wire_tls import Authority

from wechatpay_chain import WeChatPay


@pytest.fixture(scope="session")
def keys(vectors: dict[str, Any]) -> Keys:
    """The keys of merchant and WeChat Pay, and what a server does with them."""
    return Keys(vectors)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority of our own, for servers on 127.0.0.1."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def serve() -> Iterator[Callable[..., WireServer]]:
    """Start servers; they end with the test."""
    servers: list[WireServer] = []

    def start(*answers: Any, **options: Any) -> WireServer:
        servers.append(WireServer(*answers, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def settings(keys: Keys) -> Callable[..., dict[str, Any]]:
    """The options of a client of a server; one attempt per call unless told."""

    def make(server: WireServer | str, **changes: Any) -> dict[str, Any]:
        base = server if isinstance(server, str) else server.base_url
        return {
            "mchid": keys.text("mchid"),
            "serial": keys.text("merchant_serial_no"),
            "private_key": keys.merchant,
            "certs": {
                keys.text("platform_public_key_id"): keys.text(
                    "platform_public_key_pem"
                )
            },
            "base_url": base,
            "timeout": 10,
            "retry": 1,
            **changes,
        }

    return make


@pytest.fixture
def client_of(
    call: Any, settings: Callable[..., dict[str, Any]]
) -> Iterator[Callable[..., WeChatPay]]:
    """A client of a server, closed after the test in the mode of the test."""
    clients: list[WeChatPay] = []

    def make(server: WireServer | str, **changes: Any) -> WeChatPay:
        clients.append(WeChatPay(**settings(server, **changes)))
        return clients[-1]

    yield make
    for client in clients:
        call.close(client)
