"""A shop on Flask.

pip install 'wechatpay-chain[sandbox,inbox,flask]'
python examples/shops/flask_shop.py
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, request
from shop import Shop
from story import play
from werkzeug.serving import WSGIRequestHandler, make_server

from wechatpay_chain.contrib.flask import notification_blueprint


def build(shop: Shop) -> Flask:
    """The application."""
    app = Flask(__name__)
    app.register_blueprint(notification_blueprint(shop.client, shop.inbox, "/notify"))

    @app.post("/orders/<number>")
    def open_order(number: str) -> dict[str, str]:
        return {"package": shop.open(number, f"{request.host_url}notify")}

    @app.post("/orders/<number>/end")
    def end_order(number: str) -> tuple[str, int]:
        shop.end(number)
        return "", 204

    @app.get("/orders/<number>")
    def show_order(number: str) -> dict[str, object]:
        return shop.show(number)

    return app


class Quiet(WSGIRequestHandler):
    """Without a line to each request."""

    def log(self, type: str, message: str, *args: object) -> None:
        del type, message, args


@contextmanager
def serve(shop: Shop) -> Iterator[str]:
    """Serve it as a person would try it; gunicorn or waitress for customers."""
    server = make_server("127.0.0.1", 0, build(shop), True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


if __name__ == "__main__":
    play(serve)
