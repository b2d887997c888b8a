"""FastAPI: a router for your ``notify_url``, or a dependency (extra ``fastapi``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ..errors import ConfigurationError, NotificationError
from ..notifications import Notification, refuse
from .receiving import Handlers, check, log, too_large

if TYPE_CHECKING:
    from fastapi import APIRouter, HTTPException, Request

    from ..client import WeChatPay
    from .starlette import endpoint, read
else:
    try:
        from fastapi import APIRouter, HTTPException, Request

        from .starlette import endpoint, read
    except ImportError as error:
        raise ConfigurationError(
            "contrib.fastapi needs FastAPI: "
            "pip install 'wechatpay-chain[async,fastapi]'"
        ) from error

__all__ = ["notification_router", "verified"]


def notification_router(
    client: WeChatPay, handlers: Handlers, path: str = "/notify"
) -> APIRouter:
    """A router with one route, for ``app.include_router``.

    *handlers*: a ``Router``, an ``Inbox``, or ``inbox.later``. Raises
    ``ConfigurationError`` for anything else.
    """
    check(client, handlers, path)
    router = APIRouter()
    # Not an operation of your API: it stays out of the OpenAPI document.
    router.add_route(
        path, endpoint(client, handlers), methods=["POST"], include_in_schema=False
    )
    return router


def verified(client: WeChatPay) -> Callable[[Request], Awaitable[Notification]]:
    """A dependency: ``notification: Annotated[Notification, Depends(verified(...))]``.

    What cannot be read is answered with the status that ``NotificationError`` names.
    """

    async def wechatpay_notification(request: Request) -> Notification:
        body = await read(request)
        if body is None:
            raise HTTPException(too_large().status_code)
        try:
            return await client.notifications.parse_async(request.headers, body)
        except NotificationError as error:
            log.warning("refused: %s", error)
            answer = refuse(error)
        raise HTTPException(answer.status_code)

    return wechatpay_notification
