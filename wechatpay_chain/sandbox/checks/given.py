"""Values that a test or a person gives: refused when given, and named.

Each function returns nothing for what will do, and raises ``ValueError`` otherwise: the
name, what is expected, and the value, cut where it is long. So the Python objects and
the control API say the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from ..._uri import suggest

#: Seconds, some thirty years: far more than any plan needs, and a time that can still
#: be written whatever the clock says.
LONGEST = 10**9
#: Characters of a value that an error shows.
_SHOWN = 64
_LARGEST = sys.float_info.max


def shown(value: object) -> str:
    """What an error shows of *value*.

    >>> shown("x")
    "'x'"
    """
    return repr(value)[:_SHOWN]


def refuse(name: str, expected: str, value: object) -> ValueError:
    """The error that says so."""
    return ValueError(f"{name}: {expected} expected, got {shown(value)}")


def is_number(value: object) -> bool:
    """Whether *value* is a number; ``True`` is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def number(name: str, value: Any, *, least: float = 0, most: float = LONGEST) -> None:
    """A number, which infinity is not, within both bounds.

    >>> number("seconds", float("inf"))
    Traceback (most recent call last):
    ValueError: seconds: a number from 0 to 1000000000 expected, got inf
    """
    # NaN is neither more nor less than anything.
    if not is_number(value) or not least <= value <= most:
        raise refuse(name, f"a number from {least} to {most}", value)


def finite(name: str, value: Any) -> None:
    """A number that is neither infinite nor NaN, whatever its size."""
    if not is_number(value) or not -_LARGEST <= value <= _LARGEST:
        raise refuse(name, "a finite number", value)


def whole(name: str, value: Any, *, least: int = 0, most: int | None = LONGEST) -> None:
    """A whole number within both bounds; *most* may be ``None`` for no bound."""
    if type(value) is int and least <= value and (most is None or value <= most):
        return
    bounds = f"{least} or more" if most is None else f"from {least} to {most}"
    raise refuse(name, f"a whole number {bounds}", value)


def text(name: str, value: Any) -> None:
    """A string."""
    if not isinstance(value, str):
        raise refuse(name, "a string", value)


def truth(name: str, value: Any) -> None:
    """``True`` or ``False``."""
    if not isinstance(value, bool):
        raise refuse(name, "True or False", value)


def one_of(name: str, value: Any, choices: Iterable[str]) -> None:
    """One of *choices*, which are strings; the nearest is named.

    >>> one_of("way", "badd", ("bad", "missing"))
    Traceback (most recent call last):
    ValueError: way: one of bad, missing expected, got 'badd' - did you mean 'bad'?
    """
    known = tuple(choices)
    if value not in known:
        near = suggest(value[:_SHOWN], known) if isinstance(value, str) else ""
        error = refuse(name, f"one of {', '.join(known)}", value)
        raise ValueError(f"{error}{near}")
