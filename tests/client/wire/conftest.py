"""Servers of raw sockets, and clients on the real transports of both modes."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import aiohttp.connector
import pytest
from wire_keys import Keys
from wire_server import PATIENCE, WireServer
from wire_tls import Authority

from wechatpay_chain import WeChatPay
from wechatpay_chain.transports import requests_connections


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


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    """How often each port is still to refuse a connection, to be set by the test."""
    left: dict[int, int] = {}
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if left.get(address[1], 0) > 0:
            left[address[1]] -= 1
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    return left


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch, call: Any) -> Callable[[float], None]:
    """A function that lets the monotonic clocks of both transports jump."""
    passed = [0.0]
    real = requests_connections.time.monotonic

    def monotonic() -> float:
        return real() + passed[0]

    fake = SimpleNamespace(monotonic=monotonic)
    monkeypatch.setattr(requests_connections, "time", fake)
    monkeypatch.setattr(aiohttp.connector, "monotonic", monotonic)
    if call.loop is not None:
        monkeypatch.setattr(call.loop, "time", monotonic)

    def jump(seconds: float) -> None:
        passed[0] += seconds

    return jump


class Together:
    """Calls that are in flight at once: the server answers when all have come."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(1)

    def __call__(self, number: int, answer: Callable[[Any], Any]) -> Any:
        """Make *answer* wait until *number* requests are there."""
        self._barrier = threading.Barrier(number)

        def wait(received: Any) -> Any:
            self._barrier.wait(PATIENCE)
            return answer(received)

        return wait

    def release(self) -> None:
        """From here on each request is answered at once."""
        self._barrier = threading.Barrier(1)

    def run(self, call: Any, verb: Any, number: int, *args: Any) -> list[Any]:
        """Call *verb* that often at once, by threads or by tasks."""
        if call.loop is None:
            with ThreadPoolExecutor(number) as threads:
                return list(threads.map(lambda _: verb(*args), range(number)))
        twin = getattr(verb.__self__, verb.__name__ + "_async")

        async def gather() -> list[Any]:
            return await asyncio.gather(*(twin(*args) for _ in range(number)))

        return call.wait(gather())


@pytest.fixture
def together() -> Together:
    """Let many calls be in flight at once."""
    return Together()
