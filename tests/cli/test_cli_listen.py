"""``wxpay listen``, against a sandbox in another process."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from wechatpay_chain import WeChatPay


class Shop:
    """A merchant's server on a free port, which keeps what it is told."""

    def __init__(self) -> None:
        self.status = 204
        self.posted: list[tuple[Any, bytes]] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                shop.posted.append((dict(self.headers), body))
                self.send_response(shop.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/notify"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    try:
        yield shop
    finally:
        shop.close()


def test_notifications_are_forwarded_and_shown(
    wxpay: Any, control: Any, ready: Any, shop: Shop
) -> None:
    listen = wxpay.start("listen", "--forward-to", shop.url, "--json")
    assert shop.url in listen.err.take()[0]
    control.post("trigger", event="payscore.paid")
    found = [json.loads(line) for line in listen.out.take(2)]
    assert [one["event_type"] for one in found] == [
        "PAYSCORE.USER_CONFIRM",
        "PAYSCORE.USER_PAID",
    ]
    assert [one["attempt"]["status"] for one in found] == [204, 204]
    with WeChatPay.from_file(f"{ready['dir']}/wechatpay.toml") as client:
        parsed = [client.notifications.parse(*one) for one in shop.posted]
    assert [one.id for one in parsed] == [one["id"] for one in found]
    assert listen.end(signal.SIGINT) == 0


def test_a_failure_is_shown_with_its_verdict(
    wxpay: Any, control: Any, shop: Shop
) -> None:
    shop.status = 500
    listen = wxpay.start("listen", "--forward-to", shop.url)
    listen.err.take()
    control.post("trigger", event="COUPON.USE")
    (line,) = listen.out.take()
    assert line.startswith("500  COUPON.USE  ")


def test_once_it_has_ended_nothing_is_forwarded(
    wxpay: Any, control: Any, shop: Shop
) -> None:
    listen = wxpay.start("listen", "--forward-to", shop.url)
    listen.err.take()
    assert listen.end(signal.SIGTERM) == 0
    made = control.post("trigger", event="COUPON.USE")["notifications"][0]
    control.post("advance", seconds=0)
    notice = control.get(f"notifications/{made['id']}")["notification"]
    assert notice["status"] == "not sent"
    assert shop.posted == []


def test_after_one_that_was_killed_the_next_sets_delivery_back(
    wxpay: Any, control: Any, shop: Shop
) -> None:
    listen = wxpay.start("listen", "--forward-to", shop.url)
    listen.err.take()
    listen.end(signal.SIGKILL)
    control.post("trigger", event="COUPON.USE")
    control.post("advance", seconds=0)
    assert len(shop.posted) == 1
    control.post("deliver_to", prefix="")
    control.post("trigger", event="COUPON.USE")
    control.post("advance", seconds=0)
    assert len(shop.posted) == 1
    assert '{"prefix": ""}' in wxpay("listen", "--help")


def test_only_servers_of_this_machine_are_forwarded_to(wxpay: Any) -> None:
    for url in ("https://merchant.example/notify", "nonsense"):
        wxpay("listen", "--forward-to", url, status=2)
