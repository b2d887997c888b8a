"""One process of a fleet, and one that forks while it downloads; for the tests."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import Any

from wechatpay_chain import MemoryTransport, Request, Response, WeChatPay, _drivers
from wechatpay_chain.sandbox import Gateway


def work(options: dict[str, Any], start: Any, mode: str) -> None:
    """Make a first call when all the others of the fleet do."""
    client = WeChatPay(**options)
    start.wait(30)
    if mode == "sync":
        with client:
            assert client.v3.x.get().verified
        return

    async def call() -> None:
        async with client:
            assert (await client.v3.x.get_async()).verified

    asyncio.run(call())


def fork() -> int:
    """Fork while a thread downloads: the child must not wait for that thread.

    It has no such thread, so that nothing would ever end its wait.
    """
    gateway = Gateway(seed=1, mode="certificate")
    parent = os.getpid()
    begun, gone = threading.Event(), threading.Event()
    verified: list[bool] = []

    def handler(request: Request) -> Response:
        if request.path == "/v3/certificates" and os.getpid() == parent:
            begun.set()
            assert gone.wait(30)
        return gateway.handle(request)

    client = gateway.client(transport=MemoryTransport(handler))

    def call() -> None:
        verified.append(client.v3.security.echo.post({"echo_message": "hi"}).verified)

    thread = threading.Thread(target=call)
    thread.start()
    assert begun.wait(30)
    number = os.fork()
    if number == 0:
        code = 1
        try:
            _drivers.wait = lambda *_: os._exit(2)
            call()
            code = 0 if verified == [True] else 3
        finally:
            os._exit(code)
    _, status = os.waitpid(number, 0)
    gone.set()
    thread.join(30)
    return 0 if verified == [True] and status == 0 else 1 + os.WEXITSTATUS(status)


if __name__ == "__main__":
    sys.exit(fork())
