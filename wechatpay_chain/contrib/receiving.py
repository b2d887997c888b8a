"""What every framework does with a notification: read, hand over, answer.

It knows no framework: headers and bytes in, an ``Answer`` out. Whatever goes wrong is
logged and answered with an error, after which WeChat Pay sends the event again.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ConfigurationError, NotificationError
from ..notifications import Answer, Notification, Version, accept, refuse

if TYPE_CHECKING:
    from ..client import WeChatPay

log: logging.Logger = logging.getLogger("wechatpay_chain.contrib")

#: Bytes of a body. WeChat Pay's have a few thousand, and anybody can post.
LIMIT = 1 << 20
#: Seconds that WeChat Pay waits for the answer (protocol section 9).
PATIENCE = 5.0


class Handlers(Protocol):
    """What events are given to: a ``Router``, an ``Inbox``, ``inbox.later``.

    What ``dispatch`` returns is the answer if it is an ``Answer``, and nothing if not.
    """

    def dispatch(self, notification: Notification, /) -> Any:
        """Handle one event."""
        ...

    async def dispatch_async(self, notification: Notification, /) -> Any:
        """Await the same."""
        ...


def check(client: object, handlers: object, path: object = "") -> None:
    """Raise ``ConfigurationError`` for what would fail with the first notification.

    By what it can do: a test may give a stand-in.
    """
    parse = getattr(getattr(client, "notifications", None), "parse", None)
    if not callable(parse):
        raise ConfigurationError(f"client: a WeChatPay expected, got {_kind(client)}")
    methods = (getattr(handlers, name, None) for name in ("dispatch", "dispatch_async"))
    if isinstance(handlers, type) or not all(map(callable, methods)):
        raise ConfigurationError(
            "handlers: a Router, an Inbox or inbox.later expected, got "
            + _kind(handlers)
        )
    if not isinstance(path, str):
        raise ConfigurationError(f"path: text expected, got {_kind(path)}")


def _kind(value: object) -> str:
    """What it is, without what it holds."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return type(value).__name__


def receive(
    client: WeChatPay, handlers: Handlers, headers: object, body: bytes
) -> Answer:
    """The answer to one notification, handled."""
    attempt = _Attempt()
    try:
        notification = attempt.read(client.notifications.parse(headers, body))
        result = handlers.dispatch(notification)
    except Exception as error:
        return attempt.failed(error)
    return attempt.handled(result)


async def receive_async(
    client: WeChatPay, handlers: Handlers, headers: object, body: bytes
) -> Answer:
    """Await the same."""
    attempt = _Attempt()
    try:
        parsed = await client.notifications.parse_async(headers, body)
        result = await handlers.dispatch_async(attempt.read(parsed))
    except Exception as error:
        return attempt.failed(error)
    return attempt.handled(result)


def too_large() -> Answer:
    """The answer to a body above :data:`LIMIT`."""
    log.warning("refused: a body of more than %d bytes", LIMIT)
    return refuse()._replace(status_code=413)


class _Attempt:
    """One delivery: what is known about it, and since when."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._event = "a notification"
        self._version: Version = "v3"

    def read(self, notification: Notification) -> Notification:
        self._event, self._version = notification.event_type, notification.version
        return notification

    def handled(self, result: Any) -> Answer:
        seconds = time.monotonic() - self._started
        if seconds > PATIENCE:
            log.warning(
                "%s took %.1f s: WeChat Pay waits %d, and sends it again; store it "
                "first, with inbox.later",
                self._event,
                seconds,
                PATIENCE,
            )
        return result if isinstance(result, Answer) else accept(self._version)

    def failed(self, error: Exception) -> Answer:
        if isinstance(error, NotificationError):
            log.warning("refused: %s", error)
        elif _is_busy(error):
            log.info("%s: another worker has it", self._event)
        else:
            log.error("%s is not handled", self._event, exc_info=error)
        return refuse(error, self._version)


def _is_busy(error: Exception) -> bool:
    # The inbox is an extra. Where it was never imported, nothing is of it.
    rows = sys.modules.get("wechatpay_chain.inbox.rows")
    return rows is not None and isinstance(error, rows.InboxBusy)
