"""Flask: a blueprint for your ``notify_url`` (extra ``flask``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from ..notifications import Notification
from .receiving import LIMIT, Handlers, check, receive, too_large

if TYPE_CHECKING:
    from flask import Blueprint, Response, request

    from ..client import WeChatPay
else:
    try:
        from flask import Blueprint, Response, request
    except ImportError as error:
        raise ConfigurationError(
            "contrib.flask needs Flask: pip install 'wechatpay-chain[flask]'"
        ) from error

__all__ = ["notification_blueprint", "verified"]


def notification_blueprint(
    client: WeChatPay,
    handlers: Handlers,
    path: str = "/notify",
    *,
    name: str = "wechatpay",
) -> Blueprint:
    """A blueprint with one route, for ``app.register_blueprint``.

    *handlers*: a ``Router``, an ``Inbox``, or ``inbox.later``. Give each blueprint of
    an application a *name* of its own. Raises ``ConfigurationError``.
    """
    check(client, handlers, path)
    blueprint = Blueprint(name, __name__)

    def notify() -> Response:
        body = _read()
        if body is None:
            answer = too_large()
        else:
            answer = receive(client, handlers, request.headers, body)
        return Response(answer.body, answer.status_code, answer.headers)

    blueprint.add_url_rule(path, "notify", notify, methods=["POST"])
    return blueprint


def verified(client: WeChatPay) -> Notification:
    """The notification in the current request, for a view of your own.

    Raises ``NotificationError``.
    """
    return client.notifications.parse(request.headers, _read() or b"")


def _read() -> bytes | None:
    """The bytes as they came; ``None`` where there are too many."""
    if (request.content_length or 0) > LIMIT:
        return None
    # Where somebody looked at the body before, Flask has kept it: the stream is empty.
    body = request.stream.read(LIMIT + 1) or request.get_data()
    return None if len(body) > LIMIT else body
