"""A value that no repr, log, pickle or traceback shows.

Tracebacks can print local variables. So a function of this package that takes key
material seals it first and raises only from frames that hold the sealed form.
"""

from __future__ import annotations

from typing import Generic, NoReturn, TypeVar, cast

from ._shapes import binary

T = TypeVar("T")


class Secret(Generic[T]):
    """Holds a value; :meth:`reveal` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """The value itself: use it in the same expression, never store it."""
        return self._value

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("key material is never pickled: build it in each process")


def seal(value: T | Secret[T]) -> Secret[T]:
    """Seal *value* unless it is sealed already."""
    if isinstance(value, Secret):
        return cast("Secret[T]", value)
    return Secret(value)


def key_bytes(value: str | bytes | Secret[bytes]) -> Secret[bytes]:
    """Seal the bytes of a symmetric key given as text or bytes.

    Raises ``TypeError`` for anything else, for ``bytes(5)`` would be a key of zeros.
    """
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        # A text that is no Unicode fails later, by its length, and not with itself in
        # a UnicodeEncodeError.
        return Secret(value.encode("utf-8", "surrogatepass"))
    data = binary(value)
    if data is None:
        raise TypeError(f"a key must be text or bytes, not {type(value).__name__}")
    return Secret(data)
