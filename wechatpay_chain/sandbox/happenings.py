"""What happens beside calls: time passes, notifications go out, faults strike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .checks import given
from .faults.fault import CallFault
from .faults.magic import MagicValues
from .faults.rules import Faults
from .notices.courier import Courier
from .notices.envelope import Sealer
from .notices.outbox import Outbox
from .notices.targets import Handler
from .recording.journal import Exchange
from .routing import Call, Router
from .signatures.signing import WeChatKeys
from .state.guard import Guard
from .world import World

if TYPE_CHECKING:
    from .gateway import Gateway
    from .recipes.table import Triggered


class Happenings:
    """The part of a gateway that acts by itself."""

    #: Held while anything changes; re-entrant.
    lock: Guard
    mode: str
    world: World
    router: Router
    _wechat: WeChatKeys
    #: Rules that bring faults.
    faults: Faults
    #: Numbers and amounts that bring faults.
    magic: MagicValues
    #: Who sends notifications.
    courier: Courier

    @property
    def outbox(self) -> Outbox:
        """The notifications (回调通知)."""
        return self.world.outbox

    def _prepare(self) -> None:
        """Make what is here, of what is there."""
        self.faults = Faults(self.world.tables, lambda: self.router.routes)
        self.magic = MagicValues(self.world.tables)
        sealer = Sealer(self.world, self._wechat, self.mode)
        self.courier = Courier(self.world, self.lock, sealer, self.faults, self.advance)
        self.outbox.connect(self.courier, self.faults)
        self.lock.after = self.courier.released

    def deliver_to(
        self, handler: Handler | None, prefix: str = "", *, verify: bool = False
    ) -> None:
        """Have notifications brought to *handler*, instead of nowhere.

        - ``handler``: a function of the :class:`~wechatpay_chain.Request` that returns
          a ``Response``, a status, or ``None`` for 200; a WSGI or ASGI application; or
          the URL of a server on this machine. ``None`` takes the former one away.
        - ``prefix``: only those whose URL begins so; the longest that fits wins.
        - ``verify``: once it said yes, see what it says to a wrong signature.

        Without it, notifications go to URLs on this machine, and to no others. They go
        out as soon as the call or the act that caused them is over; repetitions by
        :meth:`advance`.
        """
        self.courier.deliver_to(handler, prefix, verify)

    def trigger(self, event: str, **values: Any) -> Triggered:
        """Have *event* happen: ``trigger("payscore.paid", amount=500)``.

        *event* is the name of a recipe, or an event type; see docs/recipes.md. *values*
        are what the recipe takes, and ``notify_url``. Raises ``LookupError`` for an
        event that nobody knows, ``ValueError`` for a value.
        """
        from .recipes.table import trigger  # with the catalogue's notifications

        return trigger(cast("Gateway", self), event, values)

    # Time.

    def advance(
        self,
        seconds: float = 0,
        *,
        minutes: float = 0,
        hours: float = 0,
        days: float = 0,
    ) -> None:
        """Go forward in time, and do what falls due, in order and at its time.

        Notifications that fall due on the way are sent before this returns. Raises
        ``ValueError``, and does nothing, where time does not go so far: it ends in
        2286, with the timestamps of ten digits.
        """
        clock, agenda = self.world.clock, self.world.agenda
        parts = {"seconds": seconds, "minutes": minutes, "hours": hours, "days": days}
        for name, value in parts.items():
            given.finite(name, value)
        # As floats: whole numbers can be larger than those, and then do not add up.
        total = float(seconds)
        total += 60 * (float(minutes) + 60 * (float(hours) + 24 * float(days)))
        clock.check(total)
        with self.courier.alone() as send:
            send()  # what was due before
            until, arrived = clock() + total, False
            while not arrived:
                with self.lock:
                    due = agenda.next_due()
                    arrived = due is None or due > until
                    stop = until if due is None or arrived else due
                    clock.ahead += max(0.0, stop - clock())
                    # Floats may fall short of it by a hair.
                    agenda.run(max(stop, clock()))
                send()

    def _wait(self, seconds: float) -> None:
        """Let *seconds* pass in a call, or what there is left of time."""
        self.advance(min(seconds, self.world.clock.left))

    def settle(self) -> None:
        """Do what is due by now; the lock is held."""
        self.world.agenda.run(self.world.clock())

    # Faults.

    def _strike(self, exchange: Exchange, call: Call) -> CallFault | None:
        """The fault that happens to a call; the lock is held."""
        fault = self.faults.on_call(exchange) or self.magic.on_call(exchange, call)
        if fault is not None:
            exchange.fault = fault.kind
        return fault
