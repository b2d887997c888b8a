"""A merchant's notify endpoint for tests: verifies, remembers, and fails when told to.

>>> from wechatpay_chain.sandbox import Gateway
>>> gateway = Gateway(seed=1)
>>> merchant = NotifyEndpoint(gateway)
>>> gateway.deliver_to(merchant)
>>> _ = gateway.trigger("transaction.success")
>>> [one.event_type for one in merchant.received]
['TRANSACTION.SUCCESS']
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .._messages import Body, Headers, Response
from ..errors import NotificationError
from ..notifications import Answer, Notification, refuse

if TYPE_CHECKING:
    from .._messages import Request
    from ..client import WeChatPay
    from ..sandbox import Gateway


@dataclass(frozen=True)
class Delivery:
    """One delivery, and what was made of it."""

    #: ``"accepted"``, ``"duplicate"``, ``"refused"`` or ``"failed"``.
    verdict: str
    #: HTTP status of the answer.
    status: int
    #: What came; ``None`` where it was refused, or failed before it was read.
    notification: Notification | None = field(default=None, repr=False)
    #: Why it was refused, or what :attr:`NotifyEndpoint.handle` raised.
    error: Exception | None = field(default=None, repr=False)


class NotifyEndpoint:
    """An endpoint for :meth:`.Gateway.deliver_to`.

    Every notification is verified and decrypted with *client*, by default one of the
    gateway's; what was had already is accepted and not counted again. *handle* is
    called with each new one: what it raises makes the delivery fail.
    """

    def __init__(
        self,
        gateway: Gateway,
        client: WeChatPay | None = None,
        *,
        handle: Callable[[Notification], object] | None = None,
    ) -> None:
        self._client = client or gateway.client()
        #: Called with each new notification.
        self.handle: Callable[[Notification], object] | None = handle
        #: The new notifications, each once, in order.
        self.received: list[Notification] = []
        #: Everything that came, in order.
        self.deliveries: list[Delivery] = []
        self._failures: list[int] = []

    def fail(self, times: int = 1, *, status: int = 500) -> None:
        """Answer the next *times* deliveries with *status*, unread."""
        self._failures += [status] * times

    def of(self, event_type: str) -> list[Notification]:
        """Those of a type; ``"REFUND.*"`` is a pattern."""
        return [one for one in self.received if fnmatchcase(one.event_type, event_type)]

    @property
    def refused(self) -> list[Delivery]:
        """What was not WeChat Pay's, or could not be read."""
        return [one for one in self.deliveries if one.verdict == "refused"]

    @property
    def duplicates(self) -> list[Delivery]:
        """What came again."""
        return [one for one in self.deliveries if one.verdict == "duplicate"]

    def __call__(self, request: Request) -> Response:
        """Take one delivery."""
        delivery, answer = self._take(request)
        self.deliveries.append(delivery)
        return _response(answer)

    def _take(self, request: Request) -> tuple[Delivery, Answer]:
        if self._failures:
            status = self._failures.pop(0)
            return Delivery("failed", status), Answer(status, b"", {})
        try:
            found = self._client.notifications.parse(request.headers, request.body)
        except NotificationError as error:
            answer = refuse(error)
            return Delivery("refused", answer.status_code, error=error), answer
        if any(found.id == one.id for one in self.received):
            return self._accepted("duplicate", found)
        if self.handle is not None:
            try:
                self.handle(found)
            except Exception as error:
                # As a web framework does; the next attempt is a new one.
                return Delivery("failed", 500, found, error), refuse(error)
        self.received.append(found)
        return self._accepted("accepted", found)

    def _accepted(self, verdict: str, found: Notification) -> tuple[Delivery, Answer]:
        answer = found.accept()
        return Delivery(verdict, answer.status_code, found), answer

    def __repr__(self) -> str:
        return f"<NotifyEndpoint {len(self.received)} received>"


def _response(answer: Answer) -> Response:
    return Response(answer.status_code, Headers(answer.headers), Body(answer.body))
