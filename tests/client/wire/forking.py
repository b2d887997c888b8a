"""A program for the tests: call, fork, call in the children, call again in the parent.

Reads the client's options as JSON from standard input; the arguments are the mode, and
what to do. It exits with 0 if every call succeeded, and prints nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from wechatpay_chain import WeChatPay

CHILDREN = 3


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


def fork(work: Callable[[], None]) -> int:
    """Do *work* in a child, which then ends there and then."""
    number = os.fork()
    if number == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return number


def wait(*children: int) -> int:
    """The exit status of the children: 0 if it is that of each."""
    return max(os.waitpid(number, 0)[1] for number in children)


def twice(client: WeChatPay, mode: str, who: str) -> None:
    caller = Caller(client, mode)
    for _ in range(2):
        caller.call(who)
    caller.close()


def used(client: WeChatPay, mode: str) -> int:
    """The parent has used its pool before, and uses it after."""
    parent = Caller(client, mode)
    parent.call("parent")
    status = wait(fork(lambda: twice(client, mode, "child")))
    parent.call("parent")
    parent.close()
    client.close()
    return status


def prefork(client: WeChatPay, mode: str) -> int:
    """As gunicorn does: built by the parent, used by its children only."""
    status = wait(
        *[
            fork(lambda who=f"child{number}": twice(client, mode, who))
            for number in range(CHILDREN)
        ]
    )
    client.close()
    return status


def threads(client: WeChatPay, mode: str) -> int:
    """Threads of the parent are in the midst of calls whenever it forks."""
    over, started = threading.Event(), threading.Barrier(3)

    def busy(_: int) -> None:
        caller = Caller(client, mode)
        caller.call("parent")
        started.wait()
        while not over.is_set():
            caller.call("parent")
        caller.close()

    def child() -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: twice(client, mode, "child"), range(4)))

    with ThreadPoolExecutor(2) as pool:
        working = pool.map(busy, range(2))
        started.wait()
        status = wait(*[fork(child) for _ in range(CHILDREN)])
        over.set()
        list(working)
    client.close()
    return status


def leave(client: WeChatPay, mode: str, calls: bool = False) -> int:
    """The child ends as programs do, with all that it inherited."""
    parent = Caller(client, mode)
    parent.call("parent")
    number = os.fork()
    if number == 0:
        if calls:
            twice(client, mode, "child")
        return 0
    status = wait(number)
    parent.call("parent")
    parent.close()
    client.close()
    return status


def call_and_leave(client: WeChatPay, mode: str) -> int:
    """The same, and before it makes calls of its own."""
    return leave(client, mode, calls=True)


SCENES = {
    scene.__name__: scene for scene in (used, prefork, threads, leave, call_and_leave)
}

if __name__ == "__main__":
    sys.exit(SCENES[sys.argv[2]](WeChatPay(**json.load(sys.stdin)), sys.argv[1]))
