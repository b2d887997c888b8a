"""What a gateway has seen: the last exchanges, each with its verdict, in a ring.

And what others than the merchant did between them: users, the bank, a test. For tests,
for people, for the control API and for recordings. Reads nothing and decides nothing.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from threading import Lock, local
from typing import Any, TypeVar

from ..._messages import Request, Response
from ..._shapes import mapping
from ..control.plain import plain
from ..faults.lines import Line
from ..routing import Route

#: How many exchanges are kept, and how many deeds.
SIZE = 1000

C = TypeVar("C", bound=type[Any])


@dataclass(eq=False, repr=False)
class Exchange:
    """One request and what became of it."""

    number: int
    #: Unix seconds by the gateway's clock.
    at: float
    request: Request
    #: The endpoint, once it was found.
    route: Route | None = None
    #: The merchant number, once the signature held.
    mchid: str | None = None
    #: ``"ok"``, or the fixed id of why it was refused.
    verdict: str = "ok"
    #: What was noticed and not refused.
    notes: list[str] = field(default_factory=list[str])
    #: The fault that a rule brought upon it.
    fault: str | None = None
    #: How that broke the line.
    line: Line | None = None
    response: Response | None = None

    @property
    def endpoint(self) -> str | None:
        """The endpoint in words: ``"POST /v3/payscore/serviceorder"``."""
        return None if self.route is None else str(self.route)

    @property
    def status(self) -> int | None:
        """The status answered; ``None`` while there is none, or where none came."""
        return None if self.response is None else self.response.status_code

    @property
    def over(self) -> bool:
        """Whether it was answered, or the line broke."""
        return self.response is not None or self.line is not None

    def __repr__(self) -> str:
        where = self.endpoint or self.request.method
        words = [f"{self.number}:", where, str(self.status or "no answer")]
        words.append(self.verdict)
        if self.fault is not None:
            words.append(f"({self.fault})")
        return f"<Exchange {' '.join(words)}>"


@dataclass(eq=False)
class Deed:
    """What somebody beside the merchant did: ``user.confirm``."""

    #: The number of the exchange before it.
    after: int
    #: Unix seconds by the gateway's clock.
    at: float
    name: str
    #: Plain data.
    arguments: dict[str, Any] = field(repr=False)
    #: Numbers that came of it, by name; one that is all there is as ``"result"``.
    numbers: dict[str, str] = field(default_factory=dict[str, str], repr=False)


class Journal:
    """The last exchanges, oldest first."""

    def __init__(self, size: int = SIZE) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=size)
        self._deeds: deque[Deed] = deque(maxlen=size)
        self._lock = Lock()
        self._number = 0
        self._at_work = local()

    def open(self, request: Request, at: float) -> Exchange:
        """Note that *request* came."""
        with self._lock:
            self._number += 1
            exchange = Exchange(self._number, at, request)
            self._exchanges.append(exchange)
        return exchange

    @property
    def deeds(self) -> list[Deed]:
        """What users, the bank and a test did, oldest first."""
        with self._lock:
            return list(self._deeds)

    @contextmanager
    def deed(
        self, name: str, arguments: dict[str, Any], now: Callable[[], float]
    ) -> Generator[Deed, None, None]:
        """Note what is done in here, once it is done; not what is part of another."""
        with self._lock:
            deed = Deed(self._number, now(), name, arguments)
        outermost = not getattr(self._at_work, "busy", False)
        self._at_work.busy = True
        try:
            yield deed
        finally:
            self._at_work.busy = not outermost
        if outermost:
            with self._lock:
                self._deeds.append(deed)

    def clear(self) -> None:
        """Forget everything; numbers go on."""
        with self._lock:
            self._exchanges.clear()
            self._deeds.clear()

    def __iter__(self) -> Iterator[Exchange]:
        with self._lock:
            return iter(list(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

    def __getitem__(self, number: int) -> Exchange:
        for exchange in self:
            if exchange.number == number:
                return exchange
        raise KeyError(f"exchange {number} is not, or no longer, in the journal")

    def __repr__(self) -> str:
        return f"<Journal {len(self)} exchanges>"


def verdict(detail: Mapping[str, Any]) -> str:
    """The id under which a refusal is known."""
    sandbox = mapping(detail.get("sandbox")) or {}
    return str(sandbox.get("id", "refused"))


def noted(actor: str) -> Callable[[C], C]:
    """A class decorator: each public method is a deed of *actor*'s in the journal.

    The class keeps its gateway as ``_gateway``.
    """

    def decorate(cls: C) -> C:
        for name, run in inspect.getmembers(cls, inspect.isfunction):
            if not name.startswith("_"):
                setattr(cls, name, _noting(f"{actor}.{name}", run))
        return cls

    return decorate


def _noting(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(run)

    @wraps(run)
    def noting(self: Any, *args: Any, **kwargs: Any) -> Any:
        gateway = self._gateway
        given = _given(signature, (self, *args), kwargs)
        with gateway.journal.deed(name, given, gateway.clock) as deed:
            result = run(self, *args, **kwargs)
            deed.numbers = numbers(result)
        return result

    return noting


#: What gateways number, by the names of it in records and bodies.
_NUMBERED = ("order_id", "transaction_id", "prepay_id", "refund_id", "result")


def numbers(result: object) -> dict[str, str]:
    """The numbers in what a deed returned: a text, a record, a body.

    >>> numbers({"transaction_id": "4200", "amount": 1})
    {'transaction_id': '4200'}
    """
    if isinstance(result, str):
        return {"result": result}
    found = mapping(result)
    values = (
        (name, getattr(result, name, None) if found is None else found.get(name))
        for name in _NUMBERED
    )
    return {name: value for name, value in values if isinstance(value, str)}


def _given(
    signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """What a method was given, by name and as plain data."""
    given: dict[str, Any] = {}
    bound = signature.bind(*args, **kwargs)
    for name, value in list(bound.arguments.items())[1:]:
        rest = signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD
        given.update(plain(value) if rest else {name: plain(value)})
    return given
