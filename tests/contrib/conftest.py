"""Each framework's own test client, behind one way to post."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import django
import pytest
from django.conf import settings
from django.test import AsyncClient, Client, override_settings
from django.urls import path
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Route

from wechatpay_chain.contrib import django as for_django
from wechatpay_chain.contrib import fastapi as for_fastapi
from wechatpay_chain.contrib import flask as for_flask
from wechatpay_chain.contrib import starlette as for_starlette

with warnings.catch_warnings():
    # Which HTTP library Starlette's own test client would rather have.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="of the tests",
        ROOT_URLCONF=ModuleType("no_urls"),
        MIDDLEWARE=[
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
        ],
    )
    django.setup()


class Answered(NamedTuple):
    """What came back."""

    status: int
    body: bytes
    content_type: str | None


#: ``post(client, handlers, headers, body, method="POST")``
Post = Callable[..., Answered]


def urls(view: Any) -> ModuleType:
    module = ModuleType("urls")
    module.urlpatterns = [path("notify", view)]  # type: ignore[attr-defined]
    return module


def on_starlette(client: Any, handlers: Any) -> Any:
    endpoint = for_starlette.endpoint(client, handlers)
    return Starlette(routes=[Route("/notify", endpoint, methods=["POST"])])


def on_fastapi(client: Any, handlers: Any) -> Any:
    app = FastAPI()
    app.include_router(for_fastapi.notification_router(client, handlers))
    return app


def on_flask(client: Any, handlers: Any) -> Any:
    app = Flask("shop")
    app.register_blueprint(for_flask.notification_blueprint(client, handlers))
    return app


def post_asgi(app: Any, headers: Any, body: bytes, method: str) -> Answered:
    got = TestClient(app).request(method, "/notify", headers=headers, content=body)
    return Answered(got.status_code, got.content, got.headers.get("Content-Type"))


def post_flask(app: Any, headers: Any, body: bytes, method: str) -> Answered:
    got = app.test_client().open("/notify", method=method, headers=headers, data=body)
    return Answered(got.status_code, got.data, got.headers.get("Content-Type"))


def post_django(view: Any, headers: Any, body: bytes, method: str) -> Answered:
    given = {"content_type": headers.get("Content-Type", ""), "headers": headers}
    with override_settings(ROOT_URLCONF=urls(view)):
        poster = Client(enforce_csrf_checks=True)
        got = poster.generic(method, "/notify", body, **given)
    return Answered(got.status_code, got.content, got.headers.get("Content-Type"))


def post_django_async(view: Any, headers: Any, body: bytes, method: str) -> Answered:
    given = {"content_type": headers.get("Content-Type", ""), "headers": headers}

    async def send() -> Any:
        poster = AsyncClient(enforce_csrf_checks=True)
        return await poster.generic(method, "/notify", body, **given)

    with override_settings(ROOT_URLCONF=urls(view)):
        got = asyncio.run(send())
    return Answered(got.status_code, got.content, got.headers.get("Content-Type"))


KINDS: dict[str, tuple[Any, Any]] = {
    "starlette": (on_starlette, post_asgi),
    "fastapi": (on_fastapi, post_asgi),
    "flask": (on_flask, post_flask),
    "django": (for_django.notification_view, post_django),
    "django async": (for_django.async_notification_view, post_django_async),
}


@pytest.fixture(params=KINDS)
def post(request: pytest.FixtureRequest) -> Post:
    """Posts to a new application that has *client* and *handlers*."""
    build, send = KINDS[request.param]

    def posted(
        client: Any, handlers: Any, headers: Any, body: bytes, method: str = "POST"
    ) -> Answered:
        answered: Answered = send(build(client, handlers), headers, body, method)
        return answered

    return posted
