"""What every test shares: keys, a clean environment, no network, both modes."""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

VECTORS = json.loads(
    (Path(__file__).parent / "vectors" / "documented.json").read_text("utf-8")
)

#: The moment at which the documented vectors were made.
MOMENT = 1717225200


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    """The documented messages, signatures and ciphertexts, with their keys."""
    return VECTORS


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("WECHATPAY_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = ipaddress.ip_address(address[0])
            assert host.is_loopback, f"a test reached for {address}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


class Caller:
    """Calls a verb in one mode: ``call(node.post, ...)`` awaits ``node.post_async``."""

    def __init__(self, mode: str, loop: asyncio.AbstractEventLoop | None) -> None:
        self.mode = mode
        self.loop = self._loop = loop

    def __call__(self, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._loop is None:
            return verb(*args, **kwargs)
        twin = getattr(verb.__self__, verb.__name__ + "_async")
        return self.wait(twin(*args, **kwargs))

    def wait(self, result: Any) -> Any:
        """The result of a coroutine in async mode; anything else as it is."""
        if self._loop is not None and inspect.isawaitable(result):

            async def wrapped() -> Any:
                return await result

            return self._loop.run_until_complete(wrapped())
        return result

    def close(self, client: Any) -> None:
        """Close *client* in this mode."""
        self.wait(client.close() if self._loop is None else client.aclose())


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Iterator[Caller]:
    """Run the test once in each mode, with one event loop for all of it."""
    if request.param == "sync":
        yield Caller("sync", None)
        return
    loop = asyncio.new_event_loop()
    try:
        yield Caller("async", loop)
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
