"""Where a gateway keeps what changes: tables of records, by name and by key.

Everything that a call can change is a record in a table, a number of ``Ids``, the clock
or the agenda. So a world can be copied, put back and written to a file without anything
knowing what a product keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Generic, TypeVar

from ..._shapes import sequence

R = TypeVar("R")

#: What joins the parts of a key; no number of WeChat Pay's holds it.
_JOINT = "/"


def key(*parts: str) -> str:
    """One key of several numbers: ``key(mchid, out_order_no)``."""
    return _JOINT.join(parts)


def key_of(number: str | tuple[str, str], mchid: str) -> str:
    """The key of what a test names: a number of *mchid*, or ``(mchid, number)``."""
    if isinstance(number, str):
        return key(mchid, number)
    pair = sequence(number) or ()
    if len(pair) != 2 or not all(isinstance(one, str) for one in pair):
        raise TypeError(f"a number, or (mchid, number), expected, got {number!r:.64}")
    return key(*pair)


class Table(Generic[R]):
    """Records of one type by key, in the order in which they came.

    Whoever takes a record may change it, so taking one notes that it may have changed,
    where somebody wants to know.
    """

    def __init__(self, name: str, record: type[R]) -> None:
        self.name = name
        #: What it holds: a dataclass, or ``str`` for an index.
        self.record: type[R] = record
        #: Keys of what was taken, put or deleted since it was last emptied; of all that
        #: was there when :meth:`watch` was called, and of nothing before that.
        self.touched: set[str] = set()
        self._watched = False
        self._records: dict[str, R] = {}

    def watch(self) -> None:
        """Note from now on what is touched: what is there counts as new."""
        self._watched = True
        self.touched.update(self._records)

    def get(self, key: str) -> R | None:
        """The record, or ``None``."""
        record = self._records.get(key)
        if self._watched and record is not None:
            self.touched.add(key)
        return record

    def put(self, key: str, record: R) -> None:
        """Enter *record*, in the place of one that was there."""
        if self._watched:
            self.touched.add(key)
        self._records[key] = record

    def delete(self, key: str) -> None:
        """Take the record out; it need not be there."""
        if self._watched:
            self.touched.add(key)
        self._records.pop(key, None)

    def __iter__(self) -> Iterator[R]:
        if self._watched:
            self.touched.update(self._records)
        return iter(list(self._records.values()))

    def __contains__(self, key: object) -> bool:
        return key in self._records

    def __len__(self) -> int:
        return len(self._records)

    def peek(self, key: str) -> R | None:
        """The record, to look at only: it counts as unchanged."""
        return self._records.get(key)

    def copy(self) -> dict[str, R]:
        """The records, none of them shared with the table."""
        return deepcopy(self._records)

    def replace(self, records: dict[str, R]) -> None:
        """Hold *records* instead of what is there."""
        if self._watched:
            self.touched.update(self._records, records)
        self._records = dict(records)

    def __repr__(self) -> str:
        return f"<Table {self.name}, {len(self)}>"


class Tables:
    """The tables of one world, each made where it is first asked for."""

    def __init__(self) -> None:
        self._tables: dict[str, Table[Any]] = {}
        self._watched = False

    def table(self, name: str, record: type[R]) -> Table[R]:
        """The table *name*, of *record*\\ s."""
        if name not in self._tables:
            self._tables[name] = Table(name, record)
            if self._watched:
                self._tables[name].watch()
        return self._tables[name]

    def watch(self) -> None:
        """Note what is touched, in each table and in those to come."""
        self._watched = True
        for table in self:
            table.watch()

    def __iter__(self) -> Iterator[Table[Any]]:
        return iter(list(self._tables.values()))

    def __repr__(self) -> str:
        return f"<Tables {', '.join(self._tables)}>"
