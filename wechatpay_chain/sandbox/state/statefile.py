"""A state file: rows in SQLite, written one transaction at a time.

Nothing of gateways is known here, only rows. A transaction that was written is there
however the process ends; a file that is damaged, foreign or in use is left as it is.
"""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from ..._version import __version__
from ...errors import ConfigurationError

#: What tells our files from others in the header (``PRAGMA application_id``): "WxPy".
_OURS = 0x57785079
#: The form of the rows, ``PRAGMA user_version``.
FORM = 1

_MAGIC = b"SQLite format 3\0"
_SCHEMA = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE records (place TEXT, key TEXT, value TEXT NOT NULL,"
    " PRIMARY KEY (place, key))",
    "CREATE TABLE jobs (number INTEGER PRIMARY KEY, due REAL NOT NULL,"
    " kind TEXT NOT NULL, key TEXT NOT NULL)",
)


class StateError(ConfigurationError):
    """A state file cannot be read or written, or belongs to somebody else."""


class Changes(NamedTuple):
    """What one transaction writes; ``None`` takes a row out."""

    facts: Mapping[str, str]
    #: By table and key.
    records: Mapping[tuple[str, str], str | None]
    #: By number: when it is due, its kind and its key.
    jobs: Mapping[int, tuple[float, str, str] | None]


class StateFile:
    """One open file. It is locked until it is closed, or the process ends."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: Path = Path(path)
        self._connection: sqlite3.Connection | None = None
        _check_header(self.path)
        try:
            self._create_empty()
            self._connection = self._open()
        except OSError as error:
            raise StateError(f"state: {self.path}: {error.strerror}") from None
        except sqlite3.Error as error:
            raise self._problem(error) from None

    def _create_empty(self) -> None:
        # It will hold keys. SQLite gives its other files the same mode.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            # One process to a file; the lock goes with the process.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            # Text as it is: where that is none, SQLite's error would show it.
            connection.text_factory = bytes
            self._check(connection)
            if not _number(connection, "application_id"):
                _create(connection)
            # A log survives a kill at any moment, and a commit waits for no disk.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        form = _number(connection, "user_version")
        if form not in (0, FORM):
            raise StateError(
                f"state: {self.path} is of form {form}, wechatpay_chain {__version__} "
                f"reads form {FORM}; use the version that wrote it, or another file"
            )
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != b"ok":
            raise self._damaged()

    def _problem(self, error: sqlite3.Error) -> StateError:
        # Of what SQLite says itself; that it shows of a value is seen to in `_rows`.
        text = str(error)
        if "locked" in text:
            return StateError(
                f"state: {self.path} is in use by another gateway; end that one, or "
                "give each its own file"
            )
        if type(error) is sqlite3.DatabaseError:
            return self._damaged()
        return StateError(f"state: {self.path}: {text}")

    def _damaged(self, where: str = "") -> StateError:
        return StateError(
            f"state: {self.path} is damaged{where}; it was left as it is. Put a copy "
            "in its place, or begin with another file"
        )

    def _use(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StateError(f"state: {self.path} is closed")
        return self._connection

    @property
    def closed(self) -> bool:
        """Whether it was let go."""
        return self._connection is None

    def facts(self) -> dict[str, str]:
        """All facts; none in a file that is new."""
        return dict(self._rows("facts", "SELECT name, value FROM facts", "tt"))

    def records(self) -> list[tuple[str, str, str]]:
        """Table, key and text of each record, in the order in which they came."""
        query = "SELECT place, key, value FROM records ORDER BY rowid"
        return self._rows("records", query, "ttt")

    def jobs(self) -> list[tuple[int, float, str, str]]:
        """Number, time, kind and key of each job."""
        query = "SELECT number, due, kind, key FROM jobs ORDER BY number"
        return self._rows("jobs", query, "wntt")

    def _rows(self, table: str, query: str, kinds: str) -> list[Any]:
        """All rows, whose columns are of *kinds*; no error shows what they hold."""
        damage: int | None = None
        rows: list[Any] = []
        try:
            for row in self._use().execute(query):
                rows.append(tuple(_CELLS[kind](cell) for kind, cell in zip(kinds, row)))
        except sqlite3.Error as error:
            raise self._problem(error) from None
        except (ValueError, TypeError):  # holding the value, so not raised from
            damage = len(rows) + 1
        if damage is not None:
            raise self._damaged(f": row {damage} of its table {table} cannot be read")
        return rows

    def write(self, changes: Changes) -> None:
        """Write all of *changes*, or none. Raises :class:`StateError`."""
        connection = self._use()
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                _write(connection, changes)
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # SQLite may have done so itself
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._problem(error) from None

    def close(self) -> None:
        """Let others have the file; safe to call again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __repr__(self) -> str:
        return f"<StateFile {self.path.name}>"


def _text(cell: Any) -> str:
    if not isinstance(cell, bytes):
        raise TypeError
    return cell.decode("utf-8")


def _whole(cell: Any) -> int:
    if not isinstance(cell, int):
        raise TypeError
    return cell


def _number_of(cell: Any) -> float:
    if not isinstance(cell, (int, float)) or not math.isfinite(cell):
        raise TypeError
    return cell


#: What a column holds: text, a whole number, a number.
_CELLS: dict[str, Callable[[Any], Any]] = {
    "t": _text,
    "w": _whole,
    "n": _number_of,
}


def _check_header(path: Path) -> None:
    """Refuse what is no state file, before SQLite touches it."""
    try:
        with path.open("rb") as file:
            head = file.read(72)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StateError(f"state: {path}: {error.strerror}") from None
    ours = _OURS.to_bytes(4, "big")
    if head and (head[:16] != _MAGIC or head[68:72] != ours):
        raise StateError(f"state: {path} is no state file of the sandbox")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _create(connection: sqlite3.Connection) -> None:
    # Before the file has a log, so that its header tells whose it is.
    connection.execute("BEGIN EXCLUSIVE")
    for statement in _SCHEMA:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {FORM}")
    connection.execute(f"PRAGMA application_id = {_OURS}")
    connection.execute("COMMIT")


def _write(connection: sqlite3.Connection, changes: Changes) -> None:
    connection.executemany(
        "INSERT INTO facts VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        changes.facts.items(),
    )
    connection.executemany(
        "INSERT INTO records VALUES (?, ?, ?)"
        " ON CONFLICT (place, key) DO UPDATE SET value = excluded.value",
        [(*at, text) for at, text in changes.records.items() if text is not None],
    )
    connection.executemany(
        "DELETE FROM records WHERE place = ? AND key = ?",
        [at for at, text in changes.records.items() if text is None],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?)",
        [(number, *job) for number, job in changes.jobs.items() if job is not None],
    )
    connection.executemany(
        "DELETE FROM jobs WHERE number = ?",
        [(number,) for number, job in changes.jobs.items() if job is None],
    )
