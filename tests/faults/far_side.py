"""The other end of the campaign, in a process of its own: gateway, proxy, control.

Started by :class:`FarSide`, which the client side uses. It says on stdout where it
listens, and ends when its stdin does.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from deck import Deck
from fault_gateway import CARDS, SIZE, FaultyGateway
from fault_proxy import FaultyProxy

PATIENCE = 60.0


def clock(since: float, speed: float) -> Callable[[], float]:
    """A clock that goes *speed* times as fast as real time since *since*.

    What takes WeChat Pay minutes, such as asking for certificates again, takes seconds.
    """
    return lambda: since + (time.time() - since) * speed


class FarSide:
    """The process, and the control connection to it: one call, one line each way.

    Safe to share between threads.
    """

    def __init__(self, seed: int, *, speed: float) -> None:
        self._lock = threading.Lock()
        since = time.time()
        self.clock = clock(since, speed)
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(seed), str(since), str(speed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        ready = json.loads(self._process.stdout.readline())
        #: What the merchant holds, in the names of the client's options.
        self.credentials: dict[str, Any] = ready["credentials"]
        #: Facts of the gateway that bodies need.
        self.facts: dict[str, str] = ready["facts"]
        self.base_url, self.backup_url = (
            f"http://127.0.0.1:{port}" for port in ready["ports"]
        )
        self._socket = socket.create_connection(("127.0.0.1", ready["control"]))
        self._socket.settimeout(PATIENCE)
        self._stream = self._socket.makefile("rwb")

    def ask(self, act: str, **arguments: Any) -> Any:
        """Have *act* done over there; what it answers."""
        line = json.dumps({"act": act, **arguments}).encode() + b"\n"
        with self._lock:
            self._stream.write(line)
            self._stream.flush()
            answer = json.loads(self._stream.readline())
        if "error" in answer:
            raise RuntimeError(f"{act}: {answer['error']}")
        return answer["result"]

    def close(self) -> None:
        """End the process."""
        self._stream.close()
        self._socket.close()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()

    def __enter__(self) -> FarSide:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Desk:
    """What can be asked over the control connection."""

    def __init__(self, gateway: FaultyGateway, proxy: FaultyProxy) -> None:
        self._gateway = gateway
        self._proxy = proxy

    def confirm(self, number: str) -> str:
        """The user confirms the order."""
        return str(self._gateway.user.confirm(number).state)

    def turn(self, switched: bool) -> str:
        """Sign under the other kind of key, and under a new certificate."""
        self._gateway.switched = switched
        return self._gateway.rotate_certificate()

    def ledger(self) -> list[Any]:
        """Every order."""
        return self._gateway.entries()

    def applied(self, calls: list[str]) -> list[str]:
        """Which of *calls* changed anything."""
        return [call for call in calls if call in self._gateway.applied]

    def received(self, calls: list[str]) -> list[str]:
        """Of which of *calls* something arrived that was not refused."""
        return [call for call in calls if call in self._gateway.received]

    def counts(self) -> dict[str, Any]:
        """Faults by kind, exchanges and connections."""
        proxy = self._proxy
        faults = {**proxy.connections.counts, **proxy.deck.counts}
        return {
            "proxy": faults,
            "gateway": dict(self._gateway.deck.counts),
            "exchanges": proxy.exchanges,
            "connections": proxy.accepted,
        }


async def _control(
    desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while line := await reader.readline():
        question = json.loads(line)
        try:
            answer = {"result": getattr(desk, question.pop("act"))(**question)}
        except Exception as error:
            answer = {"error": repr(error)}
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
    writer.close()


async def _run(seed: str, gateway: FaultyGateway, port: int) -> None:
    proxy = FaultyProxy(seed, port)
    ports = await proxy.start()
    desk = Desk(gateway, proxy)
    control = await asyncio.start_server(
        lambda reader, writer: _control(desk, reader, writer),
        "127.0.0.1",
        0,
        limit=1 << 24,
    )
    ready = {
        "credentials": _credentials(gateway),
        "facts": {
            name: getattr(gateway, name)
            for name in ("appid", "service_id", "sub_mchid")
        },
        "ports": ports,
        "control": control.sockets[0].getsockname()[1],
    }
    print(json.dumps(ready), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    control.close()
    await proxy.stop()


def _credentials(gateway: FaultyGateway) -> dict[str, Any]:
    given = dict(gateway.credentials)
    given["private_key"] = (
        given["private_key"]
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode()
    )
    given["certs"] = {serial: _pem(key) for serial, key in given["certs"].items()}
    return given


def _pem(key: Any) -> str:
    if hasattr(key, "serial_number"):
        return str(key.public_bytes(Encoding.PEM).decode())
    form = PublicFormat.SubjectPublicKeyInfo
    return str(key.public_bytes(Encoding.PEM, form).decode())


def _allow_sockets() -> None:
    """Two for each of hundreds of connections, where the system lets us."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))


def main() -> None:
    """Serve until stdin ends."""
    seed, since, speed = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    _allow_sockets()
    # Proxy and gateway share the interpreter: neither is to wait long for the other.
    sys.setswitchinterval(0.0005)
    deck = Deck(f"{seed}/gateway", SIZE, CARDS)
    gateway = FaultyGateway(deck, clock(since, speed))
    with gateway.serve() as server:
        asyncio.run(_run(seed, gateway, server.port))


if __name__ == "__main__":
    main()
