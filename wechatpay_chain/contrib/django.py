"""Django: views for your ``notify_url``, sync and async (extra ``django``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ConfigurationError
from ..notifications import Answer
from .receiving import LIMIT, Handlers, check, receive, receive_async, too_large

if TYPE_CHECKING:
    from ..client import WeChatPay

    # Django has no types of its own.
    HttpResponse: Any
    HttpResponseNotAllowed: Any
    non_atomic_requests: Any
else:
    try:
        from django.db.transaction import non_atomic_requests
        from django.http import HttpResponse, HttpResponseNotAllowed
    except ImportError as error:
        raise ConfigurationError(
            "contrib.django needs Django: pip install 'wechatpay-chain[django]'"
        ) from error

#: A view, whose request and response are Django's.
View = Callable[[Any], Any]
#: The same as a coroutine function.
AsyncView = Callable[[Any], Awaitable[Any]]

_V = TypeVar("_V", View, AsyncView)

__all__ = ["AsyncView", "View", "async_notification_view", "notification_view"]


def notification_view(client: WeChatPay, handlers: Handlers) -> View:
    """A view, for ``path("notify", notification_view(...))``.

    *handlers*: a ``Router``, an ``Inbox``, or ``inbox.later``. There is no CSRF token
    to ask for, and no transaction around it: what was handled must be committed before
    the answer, which ``ATOMIC_REQUESTS`` would not do. Raises ``ConfigurationError``.
    """
    check(client, handlers)

    def wechatpay_notify(request: Any) -> Any:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        body = _read(request)
        if body is None:
            return _response(too_large())
        return _response(receive(client, handlers, request.headers, body))

    return _open(wechatpay_notify)


def async_notification_view(client: WeChatPay, handlers: Handlers) -> AsyncView:
    """The same as a coroutine function, for ASGI."""
    check(client, handlers)

    async def wechatpay_notify(request: Any) -> Any:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        body = _read(request)
        if body is None:
            return _response(too_large())
        return _response(await receive_async(client, handlers, request.headers, body))

    return _open(wechatpay_notify)


def _read(request: Any) -> bytes | None:
    """The bytes as they came; ``None`` where there are too many."""
    length: str = request.META.get("CONTENT_LENGTH") or ""
    # Before Django looks: beyond a limit of its own it answers 400 itself.
    if length.isdecimal() and int(length) > LIMIT:
        return None
    body: bytes = request.body
    return None if len(body) > LIMIT else body


def _open(view: _V) -> _V:
    # By attribute: older decorators make a plain function of a coroutine function.
    view.__dict__["csrf_exempt"] = True
    non_atomic_requests(view)
    return view


def _response(answer: Answer) -> Any:
    return HttpResponse(answer.body, status=answer.status_code, headers=answer.headers)
