"""State machines as tables: what an event does in a state, and how a refusal reads.

Pure: a machine knows names, cells and error codes, and nothing of requests, merchants
or amounts. Behaviour, error texts, what can happen next and the diagrams of the docs
are all looked up in its table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, NamedTuple, TypeVar

from ..refusals import Internal, Refusal, refused

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


@dataclass(frozen=True)
class Cell(Generic[S]):
    """What one event does in one state."""

    #: Where it leads; ``None`` where it is refused.
    to: S | None = None
    #: Where it leads when the total is 0.
    free: S | None = None
    #: The code that refuses it.
    error: str | None = None
    #: The code where it came before with other parameters. Beside :attr:`to`: it goes
    #: there with the same ones only.
    differs: str | None = None
    #: Whether the identical repetition of what led here is answered as it was then.
    repeatable: bool = False
    #: Whether it has to wait while money is on its way.
    lockable: bool = False
    #: The notification that goes out.
    emits: str | None = None


class Identifiers(NamedTuple):
    """The fixed ids of what a machine refuses, in ``detail.sandbox``."""

    #: There is no such record.
    unknown: str
    #: The event cannot follow the state.
    state: str = "state"
    #: The event came before, in another way.
    differs: str = "repeated_differently"


@dataclass(frozen=True)
class Machine(Generic[S, E]):
    """The life of one kind of record.

    A missing cell is refused with *illegal*.
    """

    #: What the record is called in a sentence: ``"payment"``.
    noun: str
    ids: Identifiers
    events: type[E]
    #: Rows and cells; the state ``None`` is the record that does not exist yet.
    table: Mapping[E, Mapping[S | None, Cell[S]]]
    illegal: str = "INVALID_REQUEST"
    #: Numbers of refusals, where an event, or else a state, has its own.
    numbers: Mapping[E | S, int] = field(default_factory=dict[Any, int])
    #: How what came before may differ.
    otherwise: str = "with other parameters"

    def cell(self, state: S | None, event: E) -> Cell[S]:
        """The cell of *event* in *state*."""
        found = self.table[event].get(state)
        return Cell(error=self.illegal) if found is None else found

    def allowed(self, state: S | None) -> tuple[E, ...]:
        """What can happen next in *state*."""
        events = self.events
        return tuple(event for event in events if self.cell(state, event).to)

    def follow(
        self,
        state: S | None,
        event: E,
        *,
        same: bool | None = False,
        free: bool = False,
    ) -> S:
        """Where *event* leads. Raises :class:`Refusal` with the code of its cell.

        *same*: it repeats, parameter for parameter, what came before; ``None``: nothing
        of the kind did. *free*: the total is 0.
        """
        found = self.cell(state, event)
        if found.to is not None and (same or found.differs is None):
            return found.free if free and found.free is not None else found.to
        if found.repeatable and same and state is not None:
            return state
        raise self._refusal(state, event, found, same)

    def unknown(self, event: E, hint: str = "") -> Refusal:
        """The refusal of *event* where there is no such record."""
        return refused(
            self.cell(None, event).error or self.illegal,
            self.ids.unknown,
            f"there is no such {self.noun} of this merchant{hint}",
            number=Internal.NOT_FOUND,
        )

    def of_another(self, event: E, mine: str | None, given: str | None) -> Refusal:
        """The same for a record of the sub-merchant *mine*, asked for as *given*'s.

        ``None`` is the caller without a sub-merchant.
        """
        said = "without sub_mchid" if given is None else f"with sub_mchid {given[:64]}"
        rather = "leave it out" if mine is None else f"give sub_mchid {mine}"
        return self.unknown(event, f" {said}; {rather}: there is one of that number")

    def edges(self, *without: E) -> Iterator[tuple[S | None, S, str]]:
        """The arrows of a diagram: every cell that leads somewhere."""
        for event, row in self.table.items():
            for state, found in row.items():
                if found.to is not None and event not in without:
                    yield state, found.to, str(event.value)
                    if found.free is not None:
                        yield state, found.free, f"{event.value}, total 0"

    def _refusal(
        self, state: S | None, event: E, found: Cell[S], same: bool | None
    ) -> Refusal:
        if state is None:
            return self.unknown(event)
        code, word = found.error or self.illegal, event.value
        after = [str(other.value) for other in self.allowed(state)]
        if found.differs is not None and same is False:
            code, identifier = found.differs, self.ids.differs
            number = Internal.REENTRY_DIFFERS
            sentence = (
                f"{word} came before {self.otherwise}; the {self.noun} is {state.value}"
            )
        else:
            identifier, number = self.ids.state, self._number(state, event)
            sentence = (
                f"{word} cannot follow {state.value}; what can: {', '.join(after)}"
            )
        return refused(
            code,
            identifier,
            sentence,
            number=number,
            state=state.value,
            event=word,
            allowed=after,
        )

    def _number(self, state: S, event: E) -> int:
        own = self.numbers.get(event)
        return self.numbers.get(state, Internal.ILLEGAL_STATE) if own is None else own
