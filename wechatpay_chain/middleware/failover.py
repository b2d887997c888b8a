"""Two hosts for one service (跨城冗灾): where the next attempt goes (section 1).

Same keys, paths and signatures on both; the host is no part of what is signed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from .._messages import Request

log: logging.Logger = logging.getLogger("wechatpay_chain.failover")

#: Seconds for which calls stay with the backup before one tries the primary again.
STICKY = 60.0


class Failover:
    """Sends to *backup* for a while after *primary* could not be reached.

    *timer* gives seconds that only go forward. The state is one number: threads may
    share it without a lock.
    """

    def __init__(
        self,
        primary: str,
        backup: str | None,
        timer: Callable[[], float],
        sticky: float = STICKY,
    ) -> None:
        self._primary = primary
        self._backup = backup if backup != primary else None
        self._timer = timer
        self._sticky = sticky
        #: Until when the backup is preferred; ``None`` while the primary is well.
        self._until: float | None = None

    def route(self, request: Request) -> Request:
        """*request*, to the host that is preferred at the moment.

        Once the time is over, one call tries the primary; the others stay until it has
        succeeded. A request to a base of the caller's own is not touched.
        """
        until, backup = self._until, self._backup
        if until is None or backup is None or request.base_url != self._primary:
            return request
        now = self._timer()
        if now >= until:
            self._until = now + self._sticky
            return request
        url = backup + request.url[len(self._primary) :]
        return request.replace(url=url, base_url=backup)

    def answered(self, request: Request) -> None:
        """Note that the host of *request* answered, with whatever status."""
        if self._until is not None and request.base_url == self._primary:
            self._until = None
            log.info("%s answers again", self._primary)

    def unreachable(self, request: Request) -> None:
        """Note that the host of *request* was not reached: the other is next."""
        if self._backup is None:
            return
        if request.base_url == self._primary:
            if self._until is None:
                log.warning("%s not reached, going to %s", self._primary, self._backup)
            self._until = self._timer() + self._sticky
        elif request.base_url == self._backup:
            self._until = None
