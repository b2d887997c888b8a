"""A shop on Django, in one file.

pip install 'wechatpay-chain[sandbox,inbox,django]'
python examples/shops/django_shop.py
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from shop import Shop
from story import play

from wechatpay_chain.contrib.django import notification_view

urlpatterns: list[Any] = []


def routes(shop: Shop) -> list[Any]:
    """The application's paths."""

    @csrf_exempt
    def order(request: HttpRequest, number: str) -> HttpResponse:
        if request.method == "GET":
            return JsonResponse(shop.show(number))
        package = shop.open(number, request.build_absolute_uri("/notify"))
        return JsonResponse({"package": package})

    @csrf_exempt
    def end(request: HttpRequest, number: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        shop.end(number)
        return HttpResponse(status=204)

    return [
        path("orders/<str:number>", order),
        path("orders/<str:number>/end", end),
        path("notify", notification_view(shop.client, shop.inbox)),
    ]


def build(shop: Shop) -> Callable[..., Any]:
    """The WSGI application."""
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        SECRET_KEY="for nothing but this example",
        ROOT_URLCONF=__name__,
        MIDDLEWARE=[
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
        ],
    )
    urlpatterns.extend(routes(shop))
    application: Callable[..., Any] = get_wsgi_application()
    return application


class Threads(ThreadingMixIn, WSGIServer):
    """A server for one person; gunicorn or another for customers."""


class Quiet(WSGIRequestHandler):
    """Without a line to each request."""

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@contextmanager
def serve(shop: Shop) -> Iterator[str]:
    """Serve it on a free port, until the block ends."""
    with make_server("127.0.0.1", 0, build(shop), Threads, Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    play(serve)
