"""``Gateway``: one object, one world. A function of state, clock, ids and request.

Authenticate, route, parse, validate, behave, sign, in that order (protocol section 10).
No socket and no thread is used here; whatever carries requests is a door.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from threading import RLock
from typing import TYPE_CHECKING, Any

from .._messages import Request, Response
from ..transports.memory import AsyncMemoryTransport, MemoryTransport
from .actors import Given, User
from .authentication import Authenticator
from .dialects import V3, Dialect
from .journal import Journal, verdict
from .keys import KeySet, pair
from .products.certificates import Certificates
from .products.echo import Echo
from .products.fields import REASON_LIMIT
from .products.orders import Orders
from .products.payscore import PayScore
from .refusals import Problem, Refusal, parameters
from .registry import APPID, MCHID, SERVICES, SUB_MCHID, Registry
from .routing import Route, Router
from .signing import MODES, Sealer
from .world import Clock, Ids, Merchant, Service, World

if TYPE_CHECKING:
    from ..client import WeChatPay
    from .serving import Server

#: A name that never resolves (RFC 6761): nothing that is wired wrongly reaches anybody.
BASE_URL = "https://sandbox.wechatpay.invalid"
#: More than the largest documented upload, 7.5 MB (protocol section 15).
BODY_LIMIT = 10 * 1024 * 1024


class Gateway:
    """A local WeChat Pay: verifies and signs like it, keeps orders, explains itself.

    - ``seed``: the same seed and the same calls give the same numbers and nonces.
    - ``mode``: how the merchant verifies WeChat Pay: ``"public_key"`` (微信支付公钥),
      ``"certificate"`` (平台证书) or ``"migrating"``, both.
    - ``clock``: a :class:`Clock`, or a callable giving Unix seconds; frozen by default.
    - ``keys``: the RSA pairs; by default made once per process.
    - ``appids``, ``sub_mchids``, ``services``: what belongs to the merchant.
    - ``reason_limit``: characters of a cancel reason; editions differ, 30 or 50.
    - ``body_limit``: bytes of a request body.

    >>> gateway = Gateway(seed=1)
    >>> order = gateway.given.order(state="CREATED")
    >>> gateway.user.confirm(order).state
    <State.CONFIRMED: 'CONFIRMED'>

    Safe to share between threads. Two gateways are two worlds.
    """

    def __init__(
        self,
        seed: int = 1,
        mode: str = "public_key",
        *,
        clock: Clock | Callable[[], float] | None = None,
        keys: KeySet | None = None,
        appids: Iterable[str] = (APPID,),
        sub_mchids: Iterable[str] = (SUB_MCHID,),
        services: Iterable[Service] = SERVICES,
        reason_limit: int = REASON_LIMIT,
        body_limit: int = BODY_LIMIT,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"mode: one of {', '.join(MODES)} expected, got {mode!r}")
        #: Held while anything changes; re-entrant.
        self.lock: RLock = RLock()
        self.mode = mode
        self.base_url = BASE_URL
        self.body_limit = body_limit
        self._appids, self._sub_mchids = tuple(appids), tuple(sub_mchids)
        self.world: World = World(_clock(clock), Ids(seed))
        self.world.serve(services)
        pairs = keys or KeySet.shared()
        self._registry = Registry(self.world, pairs, mode, self._appids)
        self._wechat = self._registry.wechat
        #: The merchant whose credentials :attr:`credentials` are.
        self.merchant: Merchant = self._registry.enter(
            MCHID, pairs.merchant, self._sub_mchids
        )
        self.orders: Orders = Orders(MCHID, self.world.tables)
        self.payscore: PayScore = PayScore(
            self.world, self.orders, reason_limit=reason_limit
        )
        self.router: Router = Router(self._routes())
        #: What was asked and answered lately.
        self.journal: Journal = Journal()
        sealer = Sealer(self.world, self._wechat, mode)
        authenticator = Authenticator(self.world, self._wechat)
        self._dialects: tuple[Dialect, ...] = (V3(authenticator, self.router, sealer),)
        #: The user of the payment app.
        self.user: User = User(self)
        #: Sets scenes for tests.
        self.given: Given = Given(self)

    def _routes(self) -> Iterator[Route]:
        yield from self.payscore.routes()
        yield from Certificates(self.world, self._wechat, self.mode).routes()
        yield from Echo(self._wechat).routes()

    # What a test needs to know.

    @property
    def clock(self) -> Clock:
        """The gateway's *now*, to give to a client: ``clock()`` is Unix seconds."""
        return self.world.clock

    @property
    def ids(self) -> Ids:
        """Where all numbers and nonces come from."""
        return self.world.ids

    @property
    def mchid(self) -> str:
        """The merchant number: direct merchant and partner in one."""
        return self.merchant.mchid

    @property
    def appid(self) -> str:
        """The merchant's appid."""
        return self._appids[0]

    @property
    def sub_mchid(self) -> str:
        """The sub-merchant (子商户) that the merchant acts for as a partner."""
        return self._sub_mchids[0]

    @property
    def service_id(self) -> str:
        """A need-confirm (需确认) service."""
        return self._service(needs_confirm=True)

    @property
    def no_confirm_service_id(self) -> str:
        """A no-confirm (免确认) service."""
        return self._service(needs_confirm=False)

    def _service(self, *, needs_confirm: bool) -> str:
        for service in self.world.services.values():
            if service.needs_confirm is needs_confirm:
                return service.service_id
        raise LookupError(f"this gateway has no service, needs_confirm={needs_confirm}")

    @property
    def public_key_id(self) -> str:
        """The id of the WeChat Pay public key."""
        return self._wechat.public_key_id

    @property
    def certificate_serial(self) -> str:
        """The serial of the platform certificate that signs."""
        return self._wechat.certificate_serial

    @property
    def credentials(self) -> dict[str, Any]:
        """The merchant's, in the names of the client's options.

        One set does for direct and for partner calls. In certificate mode there are no
        ``certs``: the client downloads them.
        """
        return self._registry.credentials(self.merchant)

    def enrol(self, mchid: str, *, sub_mchids: Iterable[str] = ()) -> dict[str, Any]:
        """Add another merchant, with a key of its own; its credentials.

        >>> gateway = Gateway(seed=1)
        >>> other = gateway.client(**gateway.enrol("1900000002"))
        """
        with self.lock:
            key = pair(f"merchant {mchid}")
            merchant = self._registry.enter(mchid, key, tuple(sub_mchids))
        return self._registry.credentials(merchant)

    def rotate_certificate(self) -> str:
        """Issue another platform certificate (平台证书); its serial.

        It signs from now on. The earlier ones stay listed for download.
        """
        with self.lock:
            return self._registry.rotate().serial

    # Doors.

    def serve(
        self, host: str = "127.0.0.1", port: int = 0, *, remote: bool = False
    ) -> Server:
        """A door over HTTP, in a thread of its own: ``with gateway.serve() as server``.

        It listens when this returns, at ``server.base_url``, until it is closed. Time
        is real from now on, plus what was and will be advanced; what exists already
        comes along. Other machines are let in with *remote* only. Needs the extra
        ``sandbox``.
        """
        from .serving import Server

        with self.lock:
            self._wake()
        return Server(self, host, port, remote=remote)

    def _wake(self) -> None:
        jump = self.clock.run(time.time)
        if jump:
            self.world.agenda.shift(jump)
            self._registry.renew()
            for order in self.orders:
                order.age(-jump)

    def transport(self) -> MemoryTransport:
        """A door without a socket; waiting there advances the gateway's clock."""
        return MemoryTransport(self.handle, sleep=self._pass)

    def async_transport(self) -> AsyncMemoryTransport:
        """The same for awaited calls."""
        return AsyncMemoryTransport(self.handle, sleep=self._pass)

    def client(self, **options: Any) -> WeChatPay:
        """A client wired to this gateway through memory; *options* are the client's."""
        from ..client import WeChatPay

        wired: dict[str, Any] = {
            **self.credentials,
            "base_url": self.base_url,
            "transport": self.transport(),
            "async_transport": self.async_transport(),
            "clock": self.clock,
            "nonce": lambda: self.ids.nonce("client"),
        }
        return WeChatPay(**{**wired, **options})

    # Time.

    def advance(
        self,
        seconds: float = 0,
        *,
        minutes: float = 0,
        hours: float = 0,
        days: float = 0,
    ) -> None:
        """Go forward in time, and do what falls due, in order."""
        with self.lock:
            self.clock.advance(seconds + 60 * (minutes + 60 * (hours + 24 * days)))
            self.settle()

    def settle(self) -> None:
        """Do what is due by now; the lock is held."""
        self.world.agenda.run(self.clock())

    def _pass(self, seconds: float) -> None:
        self.advance(seconds)

    # Requests.

    def handle(self, request: Request) -> Response:
        """Answer *request*. Never raises for anything that it may hold."""
        exchange = self.journal.open(request, self.clock())
        dialect = next(one for one in self._dialects if one.speaks(request))
        try:
            if len(request.body) > self.body_limit:
                raise self._too_large(request.body)
            call = dialect.admit(exchange)
            assert exchange.route is not None
            with self.lock:
                self.settle()
                answer = exchange.route.behave(call)
            response = dialect.answer(exchange, answer)
        except Refusal as refusal:
            exchange.verdict = verdict(refusal.detail)
            response = dialect.refuse(exchange, refusal)
        exchange.response = response
        return response

    def _too_large(self, body: bytes) -> Refusal:
        issue = f"{len(body)} bytes, at most {self.body_limit} are taken"
        return parameters([Problem("/", issue)], status=413)

    def __repr__(self) -> str:
        return f"<Gateway seed={self.ids.seed} {self.mode}, {len(self.orders)} orders>"


def _clock(given: Clock | Callable[[], float] | None) -> Clock:
    if given is None:
        return Clock()
    return given if isinstance(given, Clock) else Clock(source=given)
