"""``Gateway``: one object, one world. A function of state, clock, ids and request.

Authenticate, route, parse, validate, behave, sign, in that order (protocol section 10).
No socket and no thread is used here; whatever carries requests is a door.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from .._messages import Request, Response
from .actors.accounts import Accounts
from .actors.bank import Bank
from .actors.scenes import Given
from .actors.takings import Takings
from .actors.user import User
from .checks.admission import Admission
from .checks.policy import Validation
from .dialects import V3, Dialect
from .doors.doors import Doors
from .examples.fallback import Fallback
from .faults.fault import Act
from .faults.lines import Played
from .happenings import Happenings
from .products.certificates import Certificates
from .products.deductions import BY_HAND, Deduction
from .products.echo import Echo
from .products.fields import REASON_LIMIT
from .products.media import Media
from .products.orders import Orders
from .products.payscore import PayScore
from .recording.journal import Exchange, Journal, verdict
from .refusals import Refusal, refused, too_large
from .routing import Route, Router
from .signatures.authentication import Authenticator
from .signatures.keys import KeySet
from .signatures.registry import (
    APPID,
    MCHID,
    SERVICES,
    SUB_MCHID,
    Registry,
)
from .signatures.signing import Sealer
from .state.guard import Guard
from .state.residents import resident
from .state.snapshots import Snapshot, put_back, take
from .state.statefile import StateError
from .v2.dialect import V2
from .world import Clock, Ids, Merchant, Service, World

if TYPE_CHECKING:
    from typing_extensions import Self


#: More than the largest documented upload, 7.5 MB (protocol section 15).
BODY_LIMIT = 10 * 1024 * 1024


class Gateway(Accounts, Happenings, Doors, Takings):
    """A local WeChat Pay: verifies and signs like it, keeps orders, explains itself.

    - ``seed``: the same seed and the same calls give the same numbers and nonces.
    - ``mode``: how the merchant verifies WeChat Pay: ``"public_key"`` (微信支付公钥),
      ``"certificate"`` (平台证书) or ``"migrating"``, both.
    - ``clock``: a :class:`Clock`, or a callable giving Unix seconds; frozen by default.
    - ``keys``: the RSA pairs; by default made once per process.
    - ``state``: a file in which this world lives on; see docs/sandbox.md.
    - ``appids``, ``sub_mchids``, ``services``: what belongs to the merchant.
    - ``reason_limit``: characters of a cancel reason; editions differ, 30 or 50.
    - ``error_profile``: ``"documented"``, or ``"observed"`` as in production.
    - ``deduction``: how PayScore collects, see :attr:`deduction`.
    - ``body_limit``: bytes of a request body.
    - ``validation``: ``"strict"``, ``"warn"`` or ``"off"``, see :class:`Validation`.

    >>> gateway = Gateway(seed=1)
    >>> order = gateway.given.order(state="CREATED")
    >>> gateway.user.confirm(order).state
    <State.CONFIRMED: 'CONFIRMED'>

    Safe to share between threads. Two gateways are two worlds.
    """

    def __init__(
        self,
        seed: int | None = None,
        mode: str | None = None,
        *,
        state: str | os.PathLike[str] | None = None,
        clock: Clock | Callable[[], float] | None = None,
        keys: KeySet | None = None,
        appids: Iterable[str] = (APPID,),
        sub_mchids: Iterable[str] = (SUB_MCHID,),
        services: Iterable[Service] = SERVICES,
        reason_limit: int = REASON_LIMIT,
        error_profile: str = "documented",
        deduction: Deduction = BY_HAND,
        body_limit: int = BODY_LIMIT,
        validation: str = "strict",
    ) -> None:
        #: Held while anything changes; re-entrant.
        self.lock: Guard = Guard()
        self._keeper, who = resident(state, seed, mode, keys)
        self.mode: str = who.mode
        self.body_limit = body_limit
        self._appids, self._sub_mchids = tuple(appids), tuple(sub_mchids)
        self.world: World = World(_clock(clock), Ids(who.seed))
        self.world.serve(services)
        if self._keeper is not None and clock is None:
            self._keeper.wind(self.world.clock)
        self._registry = Registry(self.world, who.keys, who.mode, self._appids)
        self._wechat = self._registry.wechat
        #: The merchant whose credentials :attr:`credentials` are.
        self.merchant: Merchant = self._registry.enter(
            MCHID, who.keys.merchant, self._sub_mchids
        )
        self._registry.restore(who)
        self._open_ledger(MCHID)
        self.orders: Orders = Orders(MCHID, self.world.tables)
        self.payscore: PayScore = PayScore(
            self.world,
            self.orders,
            self.ledger,
            reason_limit=reason_limit,
            error_profile=error_profile,
        )
        self.deduction = deduction
        self.router: Router = Router(self._routes(), Fallback(self.world).route)
        #: How strictly the rules of the documents are taken, and which are not.
        self.validation: Validation = Validation(validation, self.router)
        #: What was asked and answered lately.
        self.journal: Journal = Journal()
        admission = Admission(self._wechat, self.validation)
        sealer = Sealer(self.world, self._wechat, self.mode)
        self._authenticator = authenticator = Authenticator(self.world, self._wechat)
        self._dialects: tuple[Dialect, ...] = (
            V2(self.world, self.router, admission, lambda: self.certificate_required),
            V3(authenticator, self.router, admission, sealer),
        )
        #: The user of the payment app.
        self.user: User = User(self)
        #: Deduction by hand.
        self.bank: Bank = Bank(self)
        #: Sets scenes for tests.
        self.given: Given = Given(self)
        self._prepare()
        self._begin()

    def _begin(self) -> None:
        self._blank = take(self.world, self._registry.fingerprint())
        keeper = self._keeper
        if keeper is not None:
            keeper.load(self.world)
            self.lock.keep = lambda: keeper.keep(self.world, self._registry)
            self.lock.flush()

    def close(self) -> None:
        """Let go of the state file, if there is one; safe to call again.

        A gateway without one has nothing to close.
        """
        if self._keeper is not None:
            self.lock.flush()
            self.lock.keep = None
            self._keeper.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _routes(self) -> Iterator[Route]:
        yield from self.payscore.routes()
        yield from self._base_payment.routes()
        yield from Certificates(self.world, self._wechat, self.mode).routes()
        yield from Echo(self.world, self._wechat).routes()
        yield from Media(self.world).routes()

    # What a test needs to know.

    @property
    def deduction(self) -> Deduction:
        """How a completed order is collected (扣款); may be set at any time.

        ``"immediate"``, ``After(seconds=...)``, ``After(looks=...)``, ``Fails(...)`` or
        ``Manual()``.
        """
        return self.payscore.deductions.plan

    @deduction.setter
    def deduction(self, deduction: Deduction) -> None:
        self.payscore.deductions.plan = deduction

    @property
    def clock(self) -> Clock:
        """The gateway's *now*, to give to a client: ``clock()`` is Unix seconds."""
        return self.world.clock

    @property
    def ids(self) -> Ids:
        """Where all numbers and nonces come from."""
        return self.world.ids

    def _arrive(self, jump: float) -> None:
        self.world.agenda.shift(jump)
        self._registry.renew()
        self.payscore.age(-jump)
        self._base_payment.age(-jump)

    # Time.

    def snapshot(self) -> Snapshot:
        """The present state: all that calls can change, but no keys and no journal."""
        with self.lock:
            return take(self.world, self._blank.whose)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to *snapshot*, in time too; it can be used again.

        Raises ``ValueError`` for one of a gateway with another seed or other keys.
        """
        with self.lock:
            put_back(self.world, snapshot, self._blank.whose)
            self._authenticator.nonces.clear()
            late = self.clock.jumped - snapshot.jumped
            if late:  # it was taken before serve()
                self._arrive(late)

    def reset(self) -> None:
        """Forget everything but the merchants, the keys and what time it is."""
        with self.lock:
            self.restore(
                replace(self._blank, ahead=self.clock.ahead, jumped=self.clock.jumped)
            )
            self.journal.clear()

    # Requests.

    def handle(self, request: Request) -> Response:
        """Answer *request*. Never raises for anything that it may hold.

        Where a fault breaks the line: a :class:`~wechatpay_chain.TransportError`.
        """
        return self.play(request).arrive(self._wait)

    def play(self, request: Request) -> Played:
        """Answer *request*, and say how a fault breaks the line: for doors that can."""
        exchange = self.journal.open(request, self.clock())
        dialect = next(one for one in self._dialects if one.speaks(request))
        try:
            try:
                response = self._attend(dialect, exchange)
            finally:
                # Before the answer goes out, and also where none does.
                self.lock.flush()
        except StateError as error:
            refusal = refused("SYSTEM_ERROR", "state_not_kept", str(error), number=0)
            response = dialect.refuse(exchange, refusal)
        exchange.response = response
        return Played(request, response, exchange.line)

    def _attend(self, dialect: Dialect, exchange: Exchange) -> Response | None:
        try:
            size = len(exchange.request.body)
            if size > self.body_limit:
                raise too_large(size, self.body_limit)
            call = dialect.admit(exchange)
            assert exchange.route is not None
            with self.lock.quietly():
                self.settle()
                fault = self._strike(exchange, call)
                if fault is not None:
                    act = Act(self, dialect, exchange, call)
                    response, exchange.line = fault.play(act)
                    return response
                answer = exchange.route.behave(call)
            return dialect.answer(exchange, answer)
        except Refusal as refusal:
            exchange.verdict = verdict(refusal.detail)
            return dialect.refuse(exchange, refusal)

    def __repr__(self) -> str:
        return f"<Gateway seed={self.ids.seed} {self.mode}, {len(self.orders)} orders>"


def _clock(given: Clock | Callable[[], float] | None) -> Clock:
    if given is None:
        return Clock()
    if not callable(given):
        raise TypeError(f"clock: a Clock or a callable expected, got {given!r:.64}")
    return given if isinstance(given, Clock) else Clock(source=given)
