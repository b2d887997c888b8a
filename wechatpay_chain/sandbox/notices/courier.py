"""Who carries notifications: takes what is due, seals it, sends it, notes the reaction.

Nothing is sent while the gateway's lock is held: a handler may call the gateway back.
In memory the sending is done by whoever let the lock go; under ``serve`` by a
:class:`Postman`, a thread of its own; as an ASGI application by a thread to a call.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple, Protocol

from ..._messages import Request
from ..faults.signatures import BAD, PROBED, spoil
from ..state.guard import Guard
from ..state.tables import key
from ..v2 import envelope as v2_envelope
from ..world import World
from .applications import TIMEOUT, Reaction
from .envelope import Sealer
from .hints import WRONG, judge
from .notices import Attempt, Notice
from .targets import Handler, Target, loopback, target

#: Seconds that ``advance`` waits for what another thread is sending.
PATIENCE = TIMEOUT + 1

_sending: ContextVar[bool] = ContextVar("wechatpay_chain.sending", default=False)


class Signatures(Protocol):
    """Who says whether a fault befalls a signature."""

    def signature(self, event_type: str) -> str | None:
        """What is to be wrong with the signature of a notification of this type."""
        ...


class _Place(NamedTuple):
    prefix: str
    target: Target
    verify: bool


class Courier:
    """The sending for one gateway."""

    def __init__(
        self,
        world: World,
        guard: Guard,
        sealer: Sealer,
        faults: Signatures,
        advance: Callable[[float], None],
    ) -> None:
        self._world = world
        self._guard = guard
        self._faults = faults
        self._advance = advance
        #: Seals and signs.
        self.sealer: Sealer = sealer
        self._places: list[_Place] = []
        self._checked: set[str] = set()
        self._turn = threading.Lock()
        self._elsewhere = loopback()
        #: Who sends, where that is a thread of its own.
        self.postman: Postman | None = None

    def deliver_to(self, handler: Handler | None, prefix: str, verify: bool) -> None:
        """See :meth:`.Gateway.deliver_to`."""
        place = None if handler is None else _Place(prefix, target(handler), verify)
        with self._guard:
            others = [one for one in self._places if one.prefix != prefix]
            self._places = others if place is None else [*others, place]
            self._places.sort(key=lambda one: -len(one.prefix))
            self._checked.discard(prefix)

    def released(self) -> None:
        """The lock was let go: what is due goes out."""
        if self.postman is not None:
            self.postman.look(self.pause())
        elif self._world.outbox.due:
            self.flush()

    def pause(self) -> float:
        """Seconds until something is due; infinite where nothing is."""
        if self._world.outbox.due:
            return 0.0
        due = self._world.agenda.next_due()
        return math.inf if due is None else max(0.0, due - self._world.clock())

    def settle(self) -> float:
        """Do what is due by now; seconds until something is again."""
        with self._guard:
            self._world.agenda.run(self._world.clock())
        return self.pause()

    @contextmanager
    def held(self) -> Generator[None, None, None]:
        """Send nothing here and now: whoever asks for this does so afterwards."""
        token = _sending.set(True)
        try:
            yield
        finally:
            _sending.reset(token)

    def flush(self, patience: float = 0.0) -> None:
        """Send what is due, in order; waits *patience* seconds for who is at it."""
        if _sending.get():  # whoever called the handler that we are in goes on
            return
        outbox = self._world.outbox
        while outbox.due and self._turn.acquire(timeout=patience):
            try:
                self._send_due()
            finally:
                self._turn.release()

    def _send_due(self) -> None:
        while True:
            with self._guard:
                job = self._world.outbox.take()
            if job is None:
                return
            self.send_now(*job)

    def send_now(self, notice: Notice, kind: str) -> Attempt:
        """Make one attempt."""
        with self._guard:
            place = self._place(notice.url)
            request = self._sealed(notice, kind)
            started = self._world.clock()
        with self.held():
            reaction = place.target.send(request)
        with self._guard:
            attempt = self._attempt(place, request, kind, started, reaction)
            self._world.outbox.note(notice, attempt)
            if kind == "try" and attempt.good and place.verify:
                self._check(place, notice)
        return attempt

    def _place(self, url: str) -> _Place:
        for place in self._places:
            if url.startswith(place.prefix):
                return place
        return _Place("", self._elsewhere, False)

    def _sealed(self, notice: Notice, kind: str) -> Request:
        request = self.sealer.seal(notice)
        if notice.event_type.startswith(v2_envelope.PREFIX):
            wrong = kind in WRONG or self._faults.signature(notice.event_type)
            return v2_envelope.spoiled(request) if wrong else request
        keys, clock = self.sealer.keys, self._world.clock
        if kind in WRONG:
            fault = PROBED if kind == "probe" else BAD
            return request.replace(headers=spoil(fault, request, keys, clock()))
        way = self._faults.signature(notice.event_type)
        if way is not None:
            return request.replace(headers=spoil(way, request, keys, clock()))
        return request

    def _attempt(
        self,
        place: _Place,
        request: Request,
        kind: str,
        started: float,
        reaction: Reaction,
    ) -> Attempt:
        clock = self._world.clock
        # A handler in memory takes as long as it lets the gateway's clock go.
        real = clock.runs or place.target.kind == "http"
        seconds = reaction.seconds if real else clock() - started
        late = reaction.timed_out or seconds > TIMEOUT
        xml = v2_envelope.is_xml(request)
        verdict = judge(reaction._replace(timed_out=late), kind, xml=xml)
        return Attempt(
            started,
            kind,
            request.url,
            request.headers.get("Wechatpay-Serial", ""),
            reaction.status,
            seconds,
            reaction.body.decode("utf-8", "replace"),
            verdict.good,
            verdict.word,
            verdict.hint,
        )

    def _check(self, place: _Place, notice: Notice) -> None:
        """Once for each handler: what does it say to a wrong signature?"""
        if place.prefix not in self._checked:
            self._checked.add(place.prefix)
            self._world.outbox.enter(key(notice.id, "check"))

    def drain(self) -> int:
        """Let time pass until nothing is pending; how many attempts that took."""
        world, before = self._world, self._count()
        self.flush(PATIENCE)
        while len(world.outbox.pending):
            due = world.agenda.next_due()
            if due is None:
                break
            self._advance(max(0.0, due - world.clock()))
        return self._count() - before

    def _count(self) -> int:
        return sum(len(notice.attempts) for notice in self._world.outbox)

    def __repr__(self) -> str:
        return f"<Courier, {len(self._places)} places>"


class Postman:
    """The thread that sends while a gateway is served, and does what real time brings.

    Started by the server, and ended with it.
    """

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._woken = threading.Event()
        self._over = False
        #: By the timer, when it looks again; it may sleep until then.
        self._until = 0.0
        self._thread = threading.Thread(
            target=self._run, name="wechatpay sandbox postman", daemon=True
        )
        courier.postman = self
        self._thread.start()

    def look(self, pause: float) -> None:
        """Something is due in *pause* seconds."""
        # What the thread itself let go of it looks at anyway, before it sleeps.
        own = threading.current_thread() is self._thread
        if not own and time.monotonic() + pause < self._until:
            self._woken.set()

    def _run(self) -> None:
        while not self._over:
            self._until = math.inf  # whatever is entered from now on is looked at
            self._courier.flush(PATIENCE)
            pause = self._courier.settle()
            self._until = time.monotonic() + pause
            self._woken.wait(min(pause, threading.TIMEOUT_MAX))
            self._woken.clear()

    def close(self) -> None:
        """End, once what is on its way has arrived; safe to call again."""
        self._over = True
        if self._courier.postman is self:
            self._courier.postman = None
        self._woken.set()
        self._thread.join()

    def __repr__(self) -> str:
        return "<Postman>"
