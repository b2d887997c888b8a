"""A program for the tests: call, fork, call in the child, call again in the parent.

Reads the client's options as JSON from standard input; the argument is the mode. It
exits with 0 if every call succeeded.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from wechatpay_chain import WeChatPay


class Caller:
    """Makes calls; in async mode on an event loop of its own."""

    def __init__(self, client: WeChatPay, mode: str) -> None:
        self._node = client["v3/{who}"]
        self._loop = asyncio.new_event_loop() if mode == "async" else None

    def call(self, who: str) -> None:
        if self._loop is None:
            self._node.post({}, who=who)
        else:
            self._loop.run_until_complete(self._node.post_async({}, who=who))

    def close(self) -> None:
        if self._loop is not None:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()


def main(mode: str) -> int:
    client = WeChatPay(**json.load(sys.stdin))
    parent = Caller(client, mode)
    parent.call("parent")
    number = os.fork()
    if number == 0:
        code = 1
        try:
            child = Caller(client, mode)
            for _ in range(2):
                child.call("child")
            child.close()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(number, 0)
    parent.call("parent")
    parent.close()
    client.close()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
