"""What the control API can do, declared: one row per command.

What a command takes is read from the signature of what it calls, so that it has the
verbs and the names of the Python object, and no others.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._shapes import sequence
from ..checks.given import is_number
from .errands import Errands
from .views import RECORDS, Views

if TYPE_CHECKING:
    from ..gateway import Gateway


#: What docstrings mark: roles and literals.
_MARKUP = re.compile(r"(?::\w+:)?`{1,2}~?\.?([^`]+)`{1,2}")


class Bad(ValueError):
    """A command was given what it does not take."""


class Parameter(NamedTuple):
    """One thing that a command takes."""

    name: str
    #: ``"text"``, ``"number"``, ``"whole"``, ``"yes or no"``, ``"order"`` or ``"any"``.
    kind: str
    required: bool


class Command(NamedTuple):
    """One row: ``POST /_sandbox/user/confirm``."""

    method: str
    #: Below ``/_sandbox/``; a segment in braces is a parameter.
    path: str
    run: Callable[..., Any]
    about: str

    @property
    def parameters(self) -> list[Parameter]:
        """What it takes, in the order of the signature."""
        return [_parameter(one) for one in self._signature if one.kind not in _REST]

    @property
    def open_ended(self) -> bool:
        """Whether it takes members beside those that are named."""
        return any(one.kind is one.VAR_KEYWORD for one in self._signature)

    @property
    def _signature(self) -> list[inspect.Parameter]:
        return list(inspect.signature(self.run).parameters.values())

    def arguments(self, given: Mapping[str, Any], *, text: bool) -> dict[str, Any]:
        """*given* as the call takes it; *text*: from a query. Raises :class:`Bad`."""
        known = {one.name: one for one in self.parameters}
        arguments: dict[str, Any] = {}
        for name, value in given.items():
            if name in _NUMBERS and name not in known and "number" in known:
                name = "number"
            if name in known:
                arguments[name] = _value(known[name], value, text)
            elif self.open_ended:
                arguments[name] = value
            else:
                raise Bad(_unknown(name, known))
        for one in known.values():
            if one.required and one.name not in arguments:
                raise Bad(f"{one.name}: required, and missing")
        return arguments


#: By these a number may be called too, where it can be either.
_NUMBERS = ("out_order_no", "out_trade_no")
_REST = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
_KINDS = {
    "str": "text",
    "float": "number",
    "int": "whole",
    "bool": "yes or no",
    "str | tuple[str, str]": "order",
}


def _parameter(given: inspect.Parameter) -> Parameter:
    annotation = str(given.annotation).removesuffix(" | None")
    kind = _KINDS.get(annotation, "any")
    return Parameter(given.name, kind, given.default is given.empty)


def _unknown(name: str, known: Mapping[str, Parameter]) -> str:
    near = get_close_matches(name, known, n=1)
    if near:
        return f"{name[:64]}: unknown - did you mean {near[0]}?"
    if not known:
        return f"{name[:64]}: unknown; this takes nothing"
    return f"{name[:64]}: unknown; this takes {', '.join(known)}"


def _value(parameter: Parameter, value: Any, text: bool) -> Any:
    converted = _from_text(parameter.kind, value) if text else value
    if value is None and not parameter.required:
        return None
    if parameter.kind == "order":
        pair = sequence(converted)
        if pair is not None and [*map(type, pair)] == [str, str]:
            return tuple(pair)
    expected, fits = _EXPECTED[parameter.kind]
    if not fits(converted):
        raise Bad(f"{parameter.name}: {expected} expected, got {str(value)[:64]}")
    return converted


def _from_text(kind: str, value: str) -> Any:
    """A value of a query; what cannot be one is left as it is, to be refused."""
    if kind == "yes or no":
        return {"true": True, "false": False}.get(value, value)
    try:
        if kind == "whole":
            return int(value)
        if kind == "number":
            return float(value)
    except ValueError:
        pass
    return value


_EXPECTED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "text": ("a string", lambda value: isinstance(value, str)),
    "number": ("a number", is_number),
    "whole": ("a whole number", lambda value: type(value) is int),
    "yes or no": ("true or false", lambda value: isinstance(value, bool)),
    "order": ("a number, or [mchid, number],", lambda value: isinstance(value, str)),
    "any": ("anything", lambda _: True),
}


def table(gateway: Gateway) -> tuple[Command, ...]:
    """All commands for *gateway*."""
    views, errands = Views(gateway), Errands(gateway)
    rows = [
        *_of("POST", "user", gateway.user),
        *_of("POST", "bank", gateway.bank),
        *_of("POST", "given", gateway.given),
        _row("POST", "trigger", errands.trigger),
        _row("GET", "recipes", errands.recipes),
        _row("POST", "advance", views.advance),
        _row("GET", "clock", views.clock),
        _row("GET", "journal", views.journal),
        _row("GET", "journal/{number}", views.exchange),
        _row("POST", "journal/clear", gateway.journal.clear),
        _row("GET", "recording", errands.recording),
        _row("POST", "send", errands.send),
    ]
    for name in RECORDS:
        rows.append(_row("GET", name, views.listing(name)))
        rows.append(_row("GET", f"{name}/{{number}}", views.single(name)))
    rows += [
        _row("POST", "notifications/resend", views.resend),
        _row("POST", "notifications/probe", views.probe),
        _row("POST", "deliver_to", errands.deliver_to),
        _row("GET", "faults", views.faults),
        _row("POST", "faults", views.add_fault),
        _row("POST", "faults/delete", views.delete_fault),
        _row("POST", "faults/clear", gateway.faults.clear),
        _row("GET", "settings", views.settings),
        _row("POST", "settings", views.change_settings),
        _row("POST", "snapshot", views.snapshot),
        _row("POST", "restore", views.restore),
        _row("POST", "reset", gateway.reset),
    ]
    return tuple(rows)


def _row(method: str, path: str, run: Callable[..., Any]) -> Command:
    about = (inspect.getdoc(run) or "").partition("\n\n")[0].replace("\n", " ")
    return Command(method, path, run, _MARKUP.sub(r"\1", about))


def _of(method: str, path: str, actor: object) -> Iterator[Command]:
    """The public methods of *actor*, each under its name."""
    for name, run in inspect.getmembers(actor, inspect.ismethod):
        if not name.startswith("_"):
            yield _row(method, f"{path}/{name}", run)
