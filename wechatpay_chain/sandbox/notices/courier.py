"""Who carries notifications: takes what is due, seals it, sends it, notes the reaction.

Nothing is sent while the gateway's lock is held: a handler may call the gateway back.
In memory the sending is done by whoever let the lock go; under ``serve`` by a
:class:`.Postman`, a thread of its own; as an ASGI application by a thread to a call.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple, Protocol

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

if TYPE_CHECKING:
    from .postman import Postman

#: Seconds that one who wants to send waits for the attempt of another.
PATIENCE = TIMEOUT + 1
#: Seconds that an address gets which has let an attempt of the same advance time out.
PRESSED = 1.0

_sending: ContextVar[bool] = ContextVar("wechatpay_chain.sending", default=False)


class Signatures(Protocol):
    """Who says whether a signature is to be wrong."""

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
        #: How many attempts were made: whoever waits sees that it goes on.
        self._made = 0
        #: While time is advanced: who has let an attempt time out meanwhile.
        self._silent: set[tuple[Target, str]] | None = None
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

    @contextmanager
    def alone(self) -> Generator[Callable[[], None], None, None]:
        """Be the only one who sends; gives what sends all that is due.

        Waits for the attempts under way, as long as one of them ends now and then. In a
        handler, or beside one that never ends, nothing is sent here.
        """
        if _sending.get() or not self._in_turn():
            yield lambda: None
            return
        self._silent = set()
        try:
            yield self._send_due
        finally:
            self._silent = None
            self._turn.release()
            self.flush()  # what came since, while nobody else could

    def _in_turn(self) -> bool:
        made = -1
        while made != self._made:
            made = self._made
            if self._turn.acquire(timeout=PATIENCE):
                return True
        return False

    def _send_due(self) -> None:
        outbox = self._world.outbox
        while True:
            with self._guard:
                job = outbox.take()
            if job is None:
                return
            try:
                self.send_now(*job)
            finally:
                self._made += 1
                outbox.finish()

    def send_now(self, notice: Notice, kind: str) -> Attempt:
        """Make one attempt."""
        with self._guard:
            place = self._place(notice.url)
            request = self._sealed(notice, kind)
            started = self._world.clock()
        with self.held():
            reaction = self._sent(place.target, request)
        with self._guard:
            attempt = self._attempt(place, request, kind, started, reaction)
            noted = self._world.outbox.note(notice, attempt)
            if noted and kind == "try" and attempt.good and place.verify:
                self._check(place, notice)
        return attempt

    def _sent(self, target: Target, request: Request) -> Reaction:
        whom, silent = (target, request.url), self._silent
        if silent is None:
            return target.send(request)
        # Otherwise a day of repetitions would take 80 real seconds.
        reaction = target.send(request, PRESSED if whom in silent else TIMEOUT)
        if reaction.timed_out:
            silent.add(whom)
        else:
            silent.discard(whom)
        return reaction

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
        self._advance(0)
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
