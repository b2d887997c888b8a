"""No key is shown when a call fails, whatever it fails of."""

from __future__ import annotations

import asyncio
import logging
import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from key_material import (
    PUBLIC_KEY_ID,
    wechat_key,
)
from leaks import (
    OWN,
    PACKAGE,
    PROXY_PASSWORD,
    failure,
    leaked,
    rendered,
    secret_options,
)

from wechatpay_chain import WeChatPay, crypto
from wechatpay_chain.errors import WeChatPayError
from wechatpay_chain.middleware import Headers, Request, Response
from wechatpay_chain.transports.memory import AsyncMemoryTransport, MemoryTransport


def raising(error: Exception) -> Callable[..., Any]:
    def function(*args: object) -> Any:
        raise error

    return function


def answering(status: int, body: bytes = b"{}", kind: str = "json") -> Any:
    headers = Headers({"Content-Type": f"application/{kind}"})
    return lambda request: Response(status, headers, body)


def signed(request: Request) -> Response:
    """An answer that verifies, but is not JSON."""
    message = crypto.response_message(1717225200, "n", "not json")
    headers = {
        "Wechatpay-Timestamp": "1717225200",
        "Wechatpay-Nonce": "n",
        "Wechatpay-Serial": PUBLIC_KEY_ID,
        "Wechatpay-Signature": crypto.sign(message, wechat_key()),
        "Content-Type": "application/json",
    }
    return Response(200, Headers(headers), b"not json")


def layer(request: Any) -> Any:
    yield request
    raise RuntimeError("a layer of the user's")


XML = b"<xml><return_code>SUCCESS</return_code><sign>x</sign></xml>"
BUSY = b'{"code":"SYSTEM_ERROR","message":"busy"}'
CALLS: dict[str, tuple[dict[str, Any], Any, str]] = {
    "signing": ({"nonce": raising(OSError("no random"))}, answering(204), "v3/x"),
    "clock": ({"clock": raising(OSError("no clock"))}, answering(204), "v3/x"),
    "layer": ({"middleware": [layer]}, answering(204), "v3/x"),
    "transport": ({}, raising(OSError("of a transport")), "v3/x"),
    "api": ({}, answering(500, BUSY), "v3/x"),
    "unauthorized": ({}, answering(401, b'{"code":"SIGN_ERROR"}'), "v3/x"),
    "signature": ({}, answering(200), "v3/x"),
    "decode": ({"clock": lambda: 1717225200.0}, signed, "v3/x"),
    "placeholder": ({}, answering(204), "v3/{x}"),
    "download": ({"certs": None}, answering(200, b'{"data":[{}]}'), "v3/x"),
    "download refused": ({"certs": None}, answering(404), "v3/x"),
    "xml api": ({}, answering(500, b"", "xml"), "v2/x"),
    "xml signature": ({}, answering(200, XML, "xml"), "v2/x"),
    "xml broken": ({}, answering(200, b"<xml>", "xml"), "v2/x"),
    "xml without secret": ({"secret": None}, answering(200), "v2/x"),
}


@pytest.mark.parametrize("case", CALLS)
def test_calls_show_no_key(
    call: Any, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    changes, answer, path = CALLS[case]
    client = WeChatPay(
        **secret_options(
            transport=MemoryTransport(answer),
            async_transport=AsyncMemoryTransport(answer),
            **changes,
        )
    )
    caplog.set_level(logging.DEBUG)
    error = failure(lambda: call(client[path].post, {"a": "b"}))
    assert not leaked(rendered(error))
    assert not leaked(caplog.text)
    if isinstance(error, WeChatPayError):
        assert not leaked(repr(pickle.dumps(error)))


def test_a_closed_client_shows_no_key(call: Any) -> None:
    client = WeChatPay(**secret_options())
    call.close(client)
    assert not leaked(rendered(failure(lambda: call(client.v3.x.get))))


@contextmanager
def proxy(answer: bytes) -> Iterator[int]:
    """A proxy on the loopback that gives one answer to whoever connects."""
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            connection, _ = server.accept()
            with connection, suppress(OSError):  # the client may have gone
                connection.settimeout(30)
                if connection.recv(65536):
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield address[1]
        finally:
            done.set()
            socket.create_connection(address).close()  # wakes it
            thread.join()


REFUSED = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"what is this\r\n\r\n"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "answer", [REFUSED, BROKEN, b""], ids=["407", "broken", "none"]
)
def test_a_proxy_shows_no_password(
    call: Any, answer: bytes, scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with proxy(answer) as port:
        url = f"http://user:{PROXY_PASSWORD}@127.0.0.1:{port}"
        client = WeChatPay(
            **secret_options(
                proxies=url, base_url=f"{scheme}://127.0.0.1:1", merchant=None, retry=1
            )
        )
        error = failure(lambda: call(client.v3.x.get))
        call.close(client)
    assert isinstance(error, WeChatPayError)
    assert not leaked(rendered(error, PACKAGE))
    assert not leaked(caplog.text)


@pytest.mark.parametrize("path", ["v3/x", "v2/x"])
def test_a_refused_connection_shows_no_key(call: Any, path: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"http://user:{PROXY_PASSWORD}@127.0.0.1:{port}"
    client = WeChatPay(**secret_options(proxies=url, retry=1))
    error = failure(lambda: call(client[path].post, {"a": "b"}))
    call.close(client)
    assert not leaked(rendered(error, PACKAGE))


def test_a_bundle_that_went_shows_no_key(call: Any, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(OWN)
    client = WeChatPay(**secret_options(verify=bundle))
    bundle.unlink()
    error = failure(lambda: call(client.v3.x.get))
    call.close(client)
    assert not leaked(rendered(error))


def test_tasks_that_are_cancelled_show_no_key() -> None:
    async def scene() -> BaseException:
        entered = asyncio.Event()

        async def wait(request: Request) -> Response:
            entered.set()
            await asyncio.Event().wait()
            raise AssertionError

        transport = AsyncMemoryTransport(wait)
        client = WeChatPay(**secret_options(async_transport=transport))
        task = asyncio.ensure_future(client.v3.x.get_async())
        await entered.wait()
        task.cancel()
        (error,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(error, asyncio.CancelledError)
        return error

    assert not leaked(rendered(asyncio.run(scene())))
