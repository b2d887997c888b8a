"""Looking at data of unknown shape, with exact types: it is that shape, or ``None``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

_BINARY = (bytearray, memoryview)


def mapping(value: object) -> Mapping[Any, Any] | None:
    """*value* as a mapping."""
    # mypy narrows by itself, pyright needs the cast.
    given: Any = value
    return given if isinstance(value, Mapping) else None


def sequence(value: object) -> Sequence[Any] | None:
    """*value* as a list or tuple; text is none."""
    given: Any = value
    return given if isinstance(value, (list, tuple)) else None


def plain(value: str | int) -> str:
    """The text of *value*, for members of a ``str`` or ``int`` enum too.

    ``str()`` of those is ``"Kind.MEMBER"``, or was before Python 3.11.
    """
    return str.__str__(value) if isinstance(value, str) else int.__repr__(value)


def binary(value: object) -> bytes | None:
    """*value* as bytes, from anything that holds bytes."""
    if isinstance(value, bytes):
        return value
    return bytes(cast("bytearray", value)) if isinstance(value, _BINARY) else None


def shown(value: object) -> str:
    """What a message may show of *value*: numbers, and of all else the type's name.

    A text may be a key that was put into the wrong option.
    """
    items = sequence(value)
    if all(
        isinstance(one, (int, float)) for one in ([value] if items is None else items)
    ):
        return repr(value)
    return type(value).__name__
