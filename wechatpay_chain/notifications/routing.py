"""``Router``: which handler an event goes to. It knows no key and no framework.

>>> router = Router()
>>> @router.on("REFUND.*")
... def refunded(notification): ...
>>> router.find("REFUND.SUCCESS") is refunded
True
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from inspect import iscoroutine
from typing import Any, TypeVar

from .notification import Notification

log: logging.Logger = logging.getLogger("wechatpay_chain.notifications")

#: Takes a notification. May be a coroutine function, for :meth:`Router.dispatch_async`.
Handler = Callable[[Notification], Any]
_F = TypeVar("_F", bound=Handler)

#: What an event type, or a pattern for some, is made of.
_PATTERN = re.compile(r"[A-Za-z0-9_.-]*\*?")


class Router:
    """Finds the one handler of an event: by its name, the longest prefix, the default.

    Exactly one, so that *handled* means one thing: register what belongs together in
    one function. Fill it when the program starts, then share it between threads and
    tasks.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def on(self, *patterns: str) -> Callable[[_F], _F]:
        """Register a function for events: ``@router.on("PAYSCORE.USER_PAID")``.

        A pattern may end in ``*``: ``"REFUND.*"``, ``"PAYSCORE.USER_*"``. Raises
        ``ValueError`` for a pattern that cannot fit, or that has a handler already.
        """
        if not patterns or callable(patterns[0]):
            raise TypeError('on: name events, @router.on("REFUND.*"); or use default')
        for pattern in patterns:
            if not pattern or not _PATTERN.fullmatch(pattern):
                raise ValueError(
                    f"{pattern!r}: an event type expected; * may stand at the end"
                )

        def register(handler: _F) -> _F:
            for pattern in patterns:
                if pattern in self._handlers:
                    raise ValueError(f"{pattern!r} has a handler already")
                self._handlers[pattern] = handler
            return handler

        return register

    def default(self, handler: _F) -> _F:
        """Register the function for what no other takes: ``@router.default``."""
        return self.on("*")(handler)

    def find(self, event_type: str) -> Handler | None:
        """The handler of *event_type*, or ``None``."""
        exact = self._handlers.get(event_type)
        if exact is not None:
            return exact
        fitting = [
            pattern
            for pattern in self._handlers
            if pattern[-1] == "*" and event_type.startswith(pattern[:-1])
        ]
        return self._handlers[max(fitting, key=len)] if fitting else None

    def dispatch(self, notification: Notification) -> Any:
        """Call the handler and return what it returns; ``None`` without one.

        An event that nobody handles is one to be accepted: types are added. Raises
        ``TypeError`` for a coroutine function.
        """
        handler = self._handler(notification)
        result = handler(notification)
        if not iscoroutine(result):
            return result
        result.close()  # it would warn that it was never awaited
        name = getattr(handler, "__name__", type(handler).__name__)
        raise TypeError(
            f"the handler {name!r} is a coroutine function: use await "
            "router.dispatch_async(notification)"
        )

    async def dispatch_async(self, notification: Notification) -> Any:
        """Await the handler, a coroutine function or a plain one; see :meth:`dispatch`.

        A plain function runs on the event loop: let it not wait for anything.
        """
        result = self._handler(notification)(notification)
        return await result if hasattr(result, "__await__") else result

    def _handler(self, notification: Notification) -> Handler:
        handler = self.find(notification.event_type)
        if handler is None:
            log.info("no handler for %s", notification.event_type)
            return _nothing
        return handler

    def __repr__(self) -> str:
        return f"<Router {', '.join(sorted(self._handlers)) or 'empty'}>"


def _nothing(notification: Notification) -> None:
    del notification
