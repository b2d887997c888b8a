"""Each framework behind a real server, posted to over HTTP by the sandbox."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import uvicorn
from contrib.conftest import on_fastapi, on_flask, on_starlette, urls
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.test import override_settings

from wechatpay_chain import WeChatPay
from wechatpay_chain.contrib import django as for_django
from wechatpay_chain.inbox import Inbox
from wechatpay_chain.notifications import Notification
from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.testing import conformance


@contextmanager
def asgi(app: Any) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/notify"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def wsgi(app: Any) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/notify"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def django_wsgi(client: WeChatPay, inbox: Inbox) -> Iterator[str]:
    view = for_django.notification_view(client, inbox)
    with (
        override_settings(ROOT_URLCONF=urls(view)),
        wsgi(get_wsgi_application()) as url,
    ):
        yield url


@contextmanager
def django_asgi(client: WeChatPay, inbox: Inbox) -> Iterator[str]:
    view = for_django.async_notification_view(client, inbox)
    with (
        override_settings(ROOT_URLCONF=urls(view)),
        asgi(get_asgi_application()) as url,
    ):
        yield url


Serve = Callable[[WeChatPay, Inbox], AbstractContextManager[str]]
SERVERS: dict[str, Serve] = {
    "starlette": lambda client, inbox: asgi(on_starlette(client, inbox)),
    "fastapi": lambda client, inbox: asgi(on_fastapi(client, inbox)),
    "flask": lambda client, inbox: wsgi(on_flask(client, inbox)),
    "django": django_wsgi,
    "django async": django_asgi,
}


@pytest.mark.parametrize("serve", SERVERS.values(), ids=SERVERS)
def test_a_served_framework_conforms_over_http(serve: Serve, tmp_path: Path) -> None:
    """Good, duplicate, probe, forged, old, unknown, without associated data."""
    gateway = Gateway(seed=1)
    handled: list[str] = []
    with (
        gateway.client() as client,
        Inbox(f"sqlite:///{tmp_path / 'inbox.db'}") as inbox,
    ):
        inbox.create()

        @inbox.on("TRANSACTION.*")
        def paid(notification: Notification) -> None:
            handled.append(notification.id)

        with serve(client, inbox) as url:
            report = conformance(url, gateway=gateway, effects=lambda: len(handled))
    report.assert_passed()
    assert len(report.checks) == 7
    assert len(handled) == len(set(handled)) == 2
