"""One client, many users: threads, tasks, event loops, processes."""

from __future__ import annotations

import asyncio
import gc
import json
import os
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


def run(program: str, *arguments: str, given: str = "", **variables: str) -> None:
    """Run a program of this folder, which must succeed and print nothing."""
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name(program), *arguments],
        input=given,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.fixture
def forking(echo: Any, settings: Any, keys: Any) -> Any:
    """Run ``forking.py``; the result is who asked over each connection."""
    material = keys.text("merchant_private_key_pkcs8_der_base64")
    options = json.dumps(settings(echo, private_key=material))

    def start(mode: str, scene: str, **variables: str) -> dict[int, list[str]]:
        run("forking.py", mode, scene, given=options, **variables)
        users: dict[int, list[str]] = defaultdict(list)
        for item in echo.requests:
            keys.check(item)
            users[item.connection].append(item.target.removeprefix("/v3/"))
        return users

    return start


#: For programs that leave nothing to the interpreter's end.
STRICT = {"PYTHONWARNINGS": "error"}


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_forked_child_has_connections_of_its_own(forking: Any, mode: str) -> None:
    users = forking(mode, "used", **STRICT)
    assert users == {0: ["parent"] * 2, 1: ["child"] * 2}


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_client_built_before_the_fork_serves_each_child(
    forking: Any, mode: str
) -> None:
    users = forking(mode, "prefork", **STRICT)
    assert sorted(users.values()) == [[f"child{number}"] * 2 for number in range(3)]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_fork_amid_the_calls_of_threads_hangs_nobody(forking: Any, mode: str) -> None:
    # Python from 3.12 on warns of this very thing.
    users = forking(mode, "threads", PYTHONWARNINGS="ignore::DeprecationWarning")
    assert all(len(set(each)) == 1 for each in users.values())
    assert [who for each in users.values() for who in each].count("child") == 3 * 4 * 2


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize(
    ("scene", "calls"), [("leave", []), ("call_and_leave", ["child"] * 2)]
)
def test_a_child_that_ends_closes_nothing_of_the_parents(
    forking: Any, mode: str, scene: str, calls: list[str]
) -> None:
    users = forking(mode, scene)
    assert users.pop(0) == ["parent"] * 2
    assert [who for each in users.values() for who in each] == calls


def test_a_spawned_process_builds_a_client_of_its_own(
    echo: Any, settings: Any, keys: Any, tmp_path: Path
) -> None:
    options = settings(
        echo, private_key=keys.text("merchant_private_key_pkcs8_der_base64")
    )
    path = tmp_path / "wechatpay.json"
    path.write_text(json.dumps(options))
    run(
        "spawning.py",
        str(path),
        WECHATPAY_MCHID=options["mchid"],
        WECHATPAY_SERIAL=options["serial"],
        WECHATPAY_PRIVATE_KEY=options["private_key"],
        WECHATPAY_CERTS=json.dumps(options["certs"]),
        WECHATPAY_BASE_URL=options["base_url"],
        **STRICT,
    )
    targets = [item.target for item in echo.requests]
    assert targets == ["/v3/parent", "/v3/env", "/v3/file", "/v3/parent"]


def test_a_client_is_not_handed_to_a_spawned_process(settings: Any) -> None:
    client = WeChatPay(**settings("http://127.0.0.1:9"))
    for value in (client, client.v3.orders, client.v3.orders.post):
        with pytest.raises(TypeError, match="not pickled"):
            ForkingPickler.dumps(value)
    client.close()
