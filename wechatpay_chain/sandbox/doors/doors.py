"""The doors of a gateway: memory, HTTP, and what other people's programs bring.

Each carries requests to ``handle`` and answers back; none knows of payments.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, cast

from ..._messages import Request, Response
from ...transports.memory import AsyncMemoryTransport, MemoryTransport
from ..state.guard import Guard
from ..world import Clock, Ids

if TYPE_CHECKING:
    from ...client import WeChatPay
    from ..gateway import Gateway
    from .adapter import Adapter
    from .asgi import Application
    from .serving import Server
    from .wsgi import WSGI

#: A name that never resolves (RFC 6761): nothing that is wired wrongly reaches anybody.
BASE_URL = "https://sandbox.wechatpay.invalid"


class Doors(ABC):
    """What a gateway is reached by."""

    #: Held while anything changes; re-entrant.
    lock: Guard
    #: What a client in this process takes as ``base_url``; never on a wire.
    base_url: str = BASE_URL

    @property
    @abstractmethod
    def clock(self) -> Clock:
        """The gateway's *now*."""

    @property
    @abstractmethod
    def ids(self) -> Ids:
        """Where all numbers and nonces come from."""

    @property
    @abstractmethod
    def credentials(self) -> dict[str, Any]:
        """The merchant's, in the names of the client's options."""

    @abstractmethod
    def handle(self, request: Request) -> Response:
        """Answer *request*."""

    @abstractmethod
    def advance(self, seconds: float = 0) -> None:
        """Go forward in time."""

    @abstractmethod
    def _arrive(self, jump: float) -> None:
        """Bring what exists along, after time made a *jump*."""

    @property
    def _whole(self) -> Gateway:
        return cast("Gateway", self)

    def transport(self) -> MemoryTransport:
        """A door without a socket; waiting there advances the gateway's clock."""
        return MemoryTransport(self.handle, sleep=self._pass, timer=self.clock)

    def async_transport(self) -> AsyncMemoryTransport:
        """The same for awaited calls."""
        return AsyncMemoryTransport(self.handle, sleep=self._pass, timer=self.clock)

    def _pass(self, seconds: float) -> None:
        self.advance(seconds)

    def client(self, **options: Any) -> WeChatPay:
        """A client wired to this gateway through memory; *options* are the client's.

        Its nonces and its pauses come from the seed; a policy that is given as *retry*
        has pauses of its own. Its deadline is measured by the gateway's clock, unless
        that policy brings a ``timer``.
        """
        from ...client import WeChatPay
        from ...middleware.retrying import Retry

        wired: dict[str, Any] = {
            **self.credentials,
            "base_url": self.base_url,
            "transport": self.transport(),
            "async_transport": self.async_transport(),
            "clock": self.clock,
            "nonce": lambda: self.ids.nonce("client"),
        }
        made = WeChatPay(**{**wired, **options})
        policy = made._settings.retry
        if isinstance(policy, Retry) and policy is not options.get("retry"):
            policy.jitter = self._share
        return made

    def _share(self) -> float:
        """At random by the seed, in [0, 1): 13 hex digits, as a float has exactly."""
        return int(self.ids.nonce("jitter")[:13], 16) / 16**13

    def adapter(self) -> Adapter:
        """A door for a plain ``requests.Session``, in the same process.

        >>> import requests
        >>> from wechatpay_chain.sandbox import Gateway
        >>> session = requests.Session()
        >>> session.mount("https://api.mch.weixin.qq.com", Gateway(seed=1).adapter())
        >>> session.get("https://api.mch.weixin.qq.com/v3/certificates").status_code
        401
        """
        from .adapter import Adapter

        return Adapter(self._whole)

    def wsgi(self, *, control: bool = False) -> WSGI:
        """This gateway as a WSGI application; *control* opens ``/_sandbox/`` too."""
        from .wsgi import WSGI

        return WSGI(self._whole, control=control)

    def asgi(self, *, control: bool = False) -> Application:
        """The same as an ASGI application."""
        from .asgi import Application

        return Application(self._whole, self.base_url, control=control)

    def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        remote: bool = False,
        control: bool | None = None,
    ) -> Server:
        """A door over HTTP, in a thread of its own: ``with gateway.serve() as server``.

        It listens when this returns, at ``server.base_url``, until it is closed. Time
        is real from now on, plus what was and will be advanced; what exists already
        comes along. Other machines are let in with *remote* only. *control* opens
        ``/_sandbox/``: by default on the loopback, and nowhere else. Needs the extra
        ``sandbox``.
        """
        from .serving import Server

        with self.lock:
            jump = self.clock.run(time.time)
            if jump:
                self._arrive(jump)
        return Server(self._whole, host, port, remote=remote, control=control)
