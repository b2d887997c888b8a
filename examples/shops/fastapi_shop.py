"""A shop on FastAPI.

pip install 'wechatpay-chain[async,sandbox,inbox,fastapi]'
python examples/shops/fastapi_shop.py
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI, Request, Response
from shop import Shop
from story import play

from wechatpay_chain.contrib.fastapi import notification_router


def build(shop: Shop) -> FastAPI:
    """The application."""
    app = FastAPI()
    app.include_router(notification_router(shop.client, shop.inbox, "/notify"))

    # Plain functions, which FastAPI runs in threads: the shop waits for its database.
    @app.post("/orders/{number}")
    def open_order(number: str, request: Request) -> dict[str, str]:
        return {"package": shop.open(number, f"{request.base_url}notify")}

    @app.post("/orders/{number}/end")
    def end_order(number: str) -> Response:
        shop.end(number)
        return Response(status_code=204)

    @app.get("/orders/{number}")
    def show_order(number: str) -> dict[str, object]:
        return shop.show(number)

    return app


@contextmanager
def serve(shop: Shop) -> Iterator[str]:
    """Serve it on a free port, until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(build(shop), log_level="warning", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        # It listens already: who comes before it is ready waits.
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


if __name__ == "__main__":
    play(serve)
