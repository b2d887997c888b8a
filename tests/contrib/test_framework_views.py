"""Views of one's own, and what is said where a framework is not installed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from contrib.conftest import TestClient, on_starlette
from fastapi import Depends, FastAPI, Response
from flask import Flask, request

from wechatpay_chain import NotificationError
from wechatpay_chain.contrib import django as for_django
from wechatpay_chain.contrib import fastapi as for_fastapi
from wechatpay_chain.contrib import flask as for_flask
from wechatpay_chain.contrib.receiving import LIMIT
from wechatpay_chain.notifications import Notification, Router, refuse
from wechatpay_chain.sandbox import Gateway

SHOPS = Path(__file__).parents[2] / "examples" / "shops"


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(seed=1)


def deliver(gateway: Gateway, app: Any) -> Any:
    """Have an order confirmed; the one attempt to tell *app*."""
    gateway.deliver_to(app)
    url = "https://merchant.example/notify"
    gateway.user.confirm(gateway.given.order(notify_url=url))
    (notice,) = gateway.outbox
    return notice.attempts[0]


def test_a_dependency_of_fastapi_is_the_notification(gateway: Gateway) -> None:
    client, app = gateway.client(), FastAPI()
    seen: list[Notification] = []
    verified = Depends(for_fastapi.verified(client))

    @app.post("/notify")
    async def notify(notification: Notification = verified) -> Response:
        seen.append(notification)
        return Response(status_code=204)

    assert deliver(gateway, app).status == 204
    assert [one.event_type for one in seen] == ["PAYSCORE.USER_CONFIRM"]


@pytest.mark.parametrize(
    ("body", "status"), [(b"{}", 401), (b" " * (LIMIT + 1), 413)], ids=["forged", "big"]
)
def test_a_dependency_of_fastapi_refuses(
    gateway: Gateway, body: bytes, status: int
) -> None:
    app = FastAPI()
    verified = Depends(for_fastapi.verified(gateway.client()))
    app.post("/notify", dependencies=[verified])(lambda: pytest.fail("was let in"))
    assert TestClient(app).post("/notify", content=body).status_code == status


def test_a_notification_route_is_no_operation_of_the_api(gateway: Gateway) -> None:
    app = FastAPI()
    app.include_router(for_fastapi.notification_router(gateway.client(), Router()))
    assert app.openapi()["paths"] == {}


def test_a_view_of_flask_reads_the_notification(gateway: Gateway) -> None:
    client, app = gateway.client(), Flask("shop")
    seen: list[Notification] = []

    @app.post("/notify")
    def notify() -> tuple[bytes, int]:
        try:
            seen.append(for_flask.verified(client))
        except NotificationError as error:
            answer = refuse(error)
            return answer.body, answer.status_code
        return b"", 204

    assert deliver(gateway, app).status == 204
    assert [one.event_type for one in seen] == ["PAYSCORE.USER_CONFIRM"]
    poster = app.test_client()
    assert poster.post("/notify", data=b"{}").status_code == 401
    assert poster.post("/notify", data=b" " * (LIMIT + 1)).status_code == 401


def test_a_body_that_flask_has_read_before_is_read(gateway: Gateway) -> None:
    app = Flask("shop")
    blueprint = for_flask.notification_blueprint(gateway.client(), Router())
    app.register_blueprint(blueprint)
    app.before_request(lambda: print(len(request.get_data())))  # as to log it
    assert deliver(gateway, app).status == 204


def test_two_merchants_have_a_blueprint_each(gateway: Gateway) -> None:
    app, client = Flask("shop"), gateway.client()
    for name in ("one", "two"):
        blueprint = for_flask.notification_blueprint(
            client, Router(), f"/{name}", name=name
        )
        app.register_blueprint(blueprint)
    assert app.test_client().post("/two").status_code == 401


@pytest.mark.parametrize(
    "make", [for_django.notification_view, for_django.async_notification_view]
)
def test_a_view_of_django_is_not_in_a_transaction_of_django(
    gateway: Gateway, make: Any
) -> None:
    """The inbox's mark would be there before the handler's work was committed."""
    view = make(gateway.client(), Router())
    assert view._non_atomic_requests == {"default"}
    assert view.csrf_exempt is True


@pytest.mark.parametrize(
    ("module", "missing", "extra"),
    [
        ("contrib.fastapi", "fastapi", "async,fastapi"),
        ("contrib.fastapi", "starlette", "async,fastapi"),
        ("contrib.starlette", "starlette", "async,starlette"),
        ("contrib.flask", "flask", "flask"),
        ("contrib.django", "django", "django"),
        ("inbox", "sqlalchemy", "inbox"),
    ],
)
def test_what_is_missing_is_named_with_its_command(
    module: str, missing: str, extra: str
) -> None:
    # As on a machine without it: a finder that knows of nothing by that name.
    program = f"""
import sys, importlib.machinery as m
class Hidden(m.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split(".")[0] == {missing!r}: return None
        return super().find_spec(name, path, target)
sys.meta_path = [f for f in sys.meta_path if f is not m.PathFinder] + [Hidden]
from wechatpay_chain import ConfigurationError
try:
    import wechatpay_chain.{module}
except ConfigurationError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert f"pip install 'wechatpay-chain[{extra}]'" in done.stdout


@pytest.mark.parametrize("shop", ["fastapi_shop", "flask_shop", "django_shop"])
def test_a_shop_sees_its_order_paid(shop: str) -> None:
    """Order, confirmation, notifications over HTTP, each handled once, and paid."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SHOPS / f"{shop}.py")],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    expected = (
        "paid ['PAYSCORE.USER_CONFIRM', 'PAYSCORE.USER_PAID'] | a forged one: 401"
    )
    assert done.stdout.splitlines()[-1] == expected


def test_who_hangs_up_in_the_middle_of_a_body_is_refused(gateway: Gateway) -> None:
    app = on_starlette(gateway.client(), Router())
    parts: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return parts.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/notify", "headers": []}
    asyncio.run(app({**scope, "query_string": b""}, receive, send))
    assert sent[0]["status"] == 401
