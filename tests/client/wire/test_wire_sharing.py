"""One client, many users: threads, tasks, event loops, processes."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import pytest
from wire_server import Silence

from wechatpay_chain import WeChatPay


@pytest.fixture
def echo(serve: Any, keys: Any) -> Any:
    """A server that says in a signed answer what it was asked for."""
    return serve(
        lambda received: keys.signed(
            200, {"target": received.target, "body": received.body.decode()}
        )
    )


def check(reply: Any, no: str) -> None:
    assert reply.verified
    assert reply.data == {"target": f"/v3/orders/{no}", "body": f'{{"no":"{no}"}}'}


def test_threads_share_a_client(echo: Any, settings: Any, keys: Any) -> None:
    with WeChatPay(**settings(echo)) as client:
        node = client.v3.orders._no_

        def work(thread: int) -> None:
            for number in range(200):
                no = f"T{thread}N{number}"
                check(node.post({"no": no}, no=no), no)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(work, range(8)))
    assert len({keys.check(item)["nonce_str"] for item in echo.requests}) == 1600
    assert echo.connections <= 8


def test_tasks_share_a_client(echo: Any, settings: Any, keys: Any) -> None:
    async def main() -> None:
        async with WeChatPay(**settings(echo)) as client:
            node = client.v3.orders._no_

            async def work(task: int) -> None:
                for number in range(10):
                    no = f"T{task}N{number}"
                    check(await node.post_async({"no": no}, no=no), no)

            await asyncio.gather(*map(work, range(64)))

    asyncio.run(main())
    assert len({keys.check(item)["nonce_str"] for item in echo.requests}) == 640
    assert echo.connections <= 64


def test_a_cancelled_task_leaves_the_client_usable(
    serve: Any, settings: Any, keys: Any
) -> None:
    server = serve(Silence, lambda _: keys.signed(204))

    async def main() -> None:
        async with WeChatPay(**settings(server)) as client:
            task = asyncio.ensure_future(client.v3.a.get_async())
            while not (server.requests or task.done()):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await client.v3.a.get_async()).status_code == 204

    asyncio.run(main())
    server.wait_closed(0)


def test_each_event_loop_has_a_pool_that_ends_with_it(echo: Any, settings: Any) -> None:
    client = WeChatPay(**settings(echo))
    node = client.v3.orders._no_

    async def twice() -> None:
        for _ in range(2):
            check(await node.post_async({"no": "1"}, no="1"), "1")

    for loop in range(3):
        asyncio.run(twice())
        echo.wait_closed(loop)
        gc.collect()  # what is left open would warn here
    assert echo.connections == 3
    client.close()


def test_both_modes_of_one_client_work_side_by_side(echo: Any, settings: Any) -> None:
    async def main() -> None:
        async with WeChatPay(**settings(echo)) as client:
            node = client.v3.orders._no_
            check(node.post({"no": "1"}, no="1"), "1")
            check(await node.post_async({"no": "2"}, no="2"), "2")
            check(node.post({"no": "3"}, no="3"), "3")

    asyncio.run(main())
    assert echo.connections == 2


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_forked_child_has_connections_of_its_own(
    echo: Any, settings: Any, keys: Any, mode: str
) -> None:
    material = keys.text("merchant_private_key_pkcs8_der_base64")
    options = settings(echo, private_key=material)
    done = subprocess.run(
        [sys.executable, "-W", "error", Path(__file__).with_name("forking.py"), mode],
        input=json.dumps(options),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    users: dict[int, list[str]] = defaultdict(list)
    for item in echo.requests:
        keys.check(item)
        users[item.connection].append(item.target)
    assert users == {0: ["/v3/parent"] * 2, 1: ["/v3/child"] * 2}


def test_a_client_is_not_handed_to_a_spawned_process(settings: Any) -> None:
    client = WeChatPay(**settings("http://127.0.0.1:9"))
    for value in (client, client.v3.orders, client.v3.orders.post):
        with pytest.raises(TypeError, match="not pickled"):
            ForkingPickler.dumps(value)
    client.close()
