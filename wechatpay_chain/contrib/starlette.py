"""Starlette: the endpoint for your ``notify_url`` (extra ``starlette``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from .receiving import LIMIT, Handlers, check, receive_async, too_large

if TYPE_CHECKING:
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import Response

    from ..client import WeChatPay
else:
    try:
        from starlette.requests import ClientDisconnect, Request
        from starlette.responses import Response
    except ImportError as error:
        raise ConfigurationError(
            "contrib.starlette needs Starlette: "
            "pip install 'wechatpay-chain[async,starlette]'"
        ) from error

__all__ = ["endpoint"]


def endpoint(
    client: WeChatPay, handlers: Handlers
) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint, for ``Route("/notify", endpoint(...), methods=["POST"])``.

    *handlers*: a ``Router``, an ``Inbox``, or ``inbox.later``. Raises
    ``ConfigurationError`` for anything else.
    """
    check(client, handlers)

    async def wechatpay_notify(request: Request) -> Response:
        body = await read(request)
        if body is None:
            answer = too_large()
        else:
            answer = await receive_async(client, handlers, request.headers, body)
        return Response(answer.body, answer.status_code, answer.headers)

    return wechatpay_notify


async def read(request: Request) -> bytes | None:
    """The bytes as they came; ``None`` where there are too many."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > LIMIT:
                return None
    except ClientDisconnect:
        return b""  # nobody is there to be answered, and nothing is signed
    return bytes(body)
