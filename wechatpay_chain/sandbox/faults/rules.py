"""Rules that bring faults: in order, counted, and reported where one was never used.

Rules are records like all that changes; only functions that match are not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from ... import catalogue
from ..checks import given
from ..recording.journal import Exchange
from ..routing import Route
from ..state.tables import Table, Tables
from .calls import WrongSignature
from .endpoint_names import covers, endpoint_name
from .fault import CallFault, Carriage, Fault
from .kinds import KINDS

F = TypeVar("F", bound=Fault)
Match = Callable[[Exchange], bool]


@dataclass
class Rule:
    """One rule: what it brings, upon what, how often."""

    number: int
    #: The kind of fault, one of ``fault_kinds.KINDS``.
    kind: str
    #: The fault's own.
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    #: A short name of endpoints, an event type, or ``"POST /v3/..."``; ``""``: any.
    on: str = ""
    #: How often it applies; ``None``: always.
    times: int | None = 1
    used: int = 0

    def __post_init__(self) -> None:
        # So a state file with options that mean nothing is refused when it is read.
        KINDS[self.kind](**self.options)

    @property
    def fault(self) -> Fault:
        """What it brings."""
        return KINDS[self.kind](**self.options)

    @property
    def spent(self) -> bool:
        """Whether it applies no more."""
        return self.times is not None and self.used >= self.times

    @property
    def unused(self) -> bool:
        """Whether it could have applied, and has not as often as it was to."""
        return self.used < (1 if self.times is None else self.times)

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        often = "always" if self.times is None else f"{self.times} times"
        where = self.on or "any"
        return f"{self.kind}({given}) on {where}, {often}, used {self.used}"


class UnusedFaults(AssertionError):
    """A fault was added, and nothing came that it could happen to."""


class Faults:
    """The rules of a gateway: ``gateway.faults.add(on=..., fault=...)``."""

    def __init__(self, tables: Tables, routes: Callable[[], Iterable[Route]]) -> None:
        self._rules: Table[Rule] = tables.table("faults.rules", Rule)
        self._matches: dict[int, Match] = {}
        self._routes = routes

    def add(
        self,
        *,
        fault: Fault,
        on: str = "",
        match: Match | str | None = None,
        times: int | None = 1,
    ) -> Rule:
        """Have *fault* happen to the next calls, or notifications, that match.

        - ``on``: ``"payscore.complete"``, or an event type such as
          ``"PAYSCORE.USER_PAID"`` or ``"REFUND.*"``; by default any.
        - ``match``: ``"POST /v3/..."``, a method and a template; or a function of the
          :class:`~.journal.Exchange`. With *on* too, both must hold.
        - ``times``: how often; ``None`` for always.

        Rules are asked in the order in which they came. Raises ``ValueError`` for a
        name that means nothing.
        """
        if not isinstance(fault, Fault):
            raise TypeError(
                f"fault: one of wechatpay_chain.sandbox expected, as in ReplyLost(), "
                f"got {fault!r:.64}"
            )
        if times is not None:
            given.whole("times", times, least=1, most=None)
        given.text("on", on)
        if isinstance(match, str):
            if on:
                raise ValueError(
                    "on and match: a text says the same in either; give one of them"
                )
            on = match
        self._check(fault, on)
        # No number comes twice: a rule that is put back is to find its own function.
        numbers = {*self._matches, *(rule.number for rule in self._rules)}
        number = max(numbers, default=0) + 1
        rule = Rule(number, fault.kind, asdict(fault), on, times)
        if callable(match):
            self._matches[number] = match
        self._rules.put(str(number), rule)
        return rule

    def add_data(
        self,
        kind: str,
        options: Mapping[str, Any] | None = None,
        *,
        on: str = "",
        times: int | None = 1,
    ) -> Rule:
        """Add a rule from plain data; see :meth:`add`. Raises ``ValueError``."""
        given.one_of("kind", kind, KINDS)
        try:
            fault = KINDS[kind](**(options or {}))
        except TypeError:
            known = ", ".join(one.name for one in fields(KINDS[kind])) or "none"
            got = ", ".join(map(str, options or {}))
            raise given.refuse(f"options of {kind}", known, got) from None
        return self.add(fault=fault, on=on, times=times)

    def _check(self, fault: Fault, on: str) -> None:
        if _is_event(on):
            if not isinstance(fault, (Carriage, WrongSignature)):
                raise ValueError(
                    f"{fault.kind} is a fault of calls, and {on} is no endpoint"
                )
            return
        if isinstance(fault, Carriage):
            if on:
                raise ValueError(
                    f"{fault.kind} is a fault of notifications, and {on} is none"
                )
            return
        if on and not any(_meant(on, *one) for one in self._endpoints()):
            names = sorted({endpoint_name(*one) for one in self._endpoints()})
            near = ", ".join(get_close_matches(on, names, n=3, cutoff=0.4))
            hint = f"; did you mean {near}?" if near else ""
            raise ValueError(f"on: no endpoint is called {on[:64]!r}{hint}")

    def _endpoints(self) -> Iterator[tuple[str, str]]:
        for route in self._routes():
            yield route.method, route.template
        for operation in catalogue.operations():
            yield operation.method, f"/{operation.template}"

    # What the gateway asks.

    def on_call(self, exchange: Exchange) -> CallFault | None:
        """The fault that happens to this call, counted as used."""
        route = exchange.route
        if not len(self._rules) or route is None:
            return None

        def holds(rule: Rule) -> bool:
            if _is_event(rule.on):
                return False
            if rule.on and not _meant(rule.on, route.method, route.template):
                return False
            match = self._matches.get(rule.number)
            return match is None or match(exchange)

        return self._take(CallFault, holds)

    def carriage(self, event_type: str) -> Carriage | None:
        """The fault in how a notification of this type is carried, counted."""
        return self._take(Carriage, lambda rule: _of_type(rule, event_type))

    def signature(self, event_type: str) -> str | None:
        """What is to be wrong with the signature of a notification, counted."""
        fault = self._take(
            WrongSignature,
            lambda rule: bool(rule.on) and _of_type(rule, event_type),
        )
        return None if fault is None else fault.way

    def _take(self, kind: type[F], holds: Callable[[Rule], bool]) -> F | None:
        if not len(self._rules):
            return None
        for rule in self._rules:
            if rule.spent or not issubclass(KINDS[rule.kind], kind) or not holds(rule):
                continue
            rule.used += 1
            fault = rule.fault
            assert isinstance(fault, kind)
            return fault
        return None

    # What a test asks.

    @property
    def unused(self) -> list[Rule]:
        """The rules that have not applied as often as they were to."""
        return [rule for rule in self if rule.unused]

    def assert_all_used(self) -> None:
        """Raise :class:`UnusedFaults`, an ``AssertionError``, where one is left."""
        left = self.unused
        if left:
            raise UnusedFaults("; ".join(map(str, left)))

    def remove(self, rule: Rule | int) -> None:
        """Take a rule out."""
        number = rule if isinstance(rule, int) else rule.number
        self._rules.delete(str(number))

    def clear(self) -> None:
        """Take all rules out."""
        for rule in self:
            self.remove(rule)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def __repr__(self) -> str:
        return f"<Faults {len(self)}>"


def _is_event(on: str) -> bool:
    """Event types are upper case: ``PAYSCORE.USER_PAID``, ``REFUND.*``."""
    return " " not in on and on.isupper()


def _of_type(rule: Rule, event_type: str) -> bool:
    return not rule.on or fnmatchcase(event_type, rule.on)


def _meant(on: str, method: str, template: str) -> bool:
    if " " in on:
        return on == f"{method} {template}"
    return covers(on, endpoint_name(method, template))
