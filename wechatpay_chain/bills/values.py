"""The values of a bill: money and moments, read when they are asked for."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from ..errors import DecodeError

if TYPE_CHECKING:
    from .rows import Row

T = TypeVar("T")

#: Bills are cut and dated by the time of Beijing.
BEIJING = timezone(timedelta(hours=8))

_AMOUNT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


class Money(Decimal):
    """An amount of a bill: a ``Decimal`` in yuan, and the same in fen.

    >>> Money("39.90"), Money("39.90").fen
    (Money('39.90'), 3990)
    """

    @property
    def fen(self) -> int:
        """The amount as the API has it. Raises ``ValueError`` for a part of a fen.

        Fees (手续费) may have one: they are listed with five decimals.
        """
        fen = self.scaleb(2)
        if fen != fen.to_integral_value():
            raise ValueError(f"{self} yuan is no whole number of fen")
        return int(fen)

    def __repr__(self) -> str:
        return f"Money({str(self)!r})"


def money(text: str) -> Money:
    """An amount as a bill writes it. Raises ``ValueError``."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError("an amount in yuan")
    return Money(text)


def moment(text: str) -> datetime:
    """A time as a bill writes it. Raises ``ValueError``.

    >>> moment("2024-06-01 10:00:00").isoformat()
    '2024-06-01T10:00:00+08:00'
    """
    try:
        # Not strptime, which takes ten times as long.
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("a time such as 2024-06-01 10:00:00") from None
    return found.replace(tzinfo=BEIJING)


def whole(text: str) -> int:
    """A count. Raises ``ValueError``."""
    if not re.fullmatch("[0-9]+", text):
        raise ValueError("a whole number")
    return int(text)


def plain(text: str) -> str:
    """Text as it is."""
    return text


class Column(Generic[T]):
    """An attribute of a row: the column of that name, or of another it goes by."""

    def __init__(self, read: Any, *names: str) -> None:
        self._read = read
        #: The heads under which bills have the column, the usual one first.
        self.names: tuple[str, ...] = names

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self._name = name
        self.__doc__ = f"{self.names[0]}."

    @overload
    def __get__(self, row: None, owner: type[Any]) -> Column[T]: ...
    @overload
    def __get__(self, row: Row, owner: type[Any]) -> T: ...
    def __get__(self, row: Row | None, owner: type[Any]) -> Any:
        if row is None:
            return self
        text = row.cells[row._layout.at(self)]
        try:
            return self._read(text)
        except ValueError as error:
            raise DecodeError(
                f"{self._name} ({self.names[0]}): {error} expected, the bill has "
                f"{text!r:.64}"
            ) from None


def text_column(*names: str) -> Column[str]:
    """A column of text."""
    return Column(plain, *names)


def money_column(*names: str) -> Column[Money]:
    """A column of amounts in yuan."""
    return Column(money, *names)


def moment_column(*names: str) -> Column[datetime]:
    """A column of times."""
    return Column(moment, *names)


def count_column(*names: str) -> Column[int]:
    """A column of whole numbers."""
    return Column(whole, *names)
