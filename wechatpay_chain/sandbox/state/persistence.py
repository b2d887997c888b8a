"""A world in a state file: what it is made of, as rows, and what changed since.

``Keeper.keep`` runs as the gateway's lock opens, and looks only at what was touched.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar, get_type_hints

from cryptography.exceptions import UnsupportedAlgorithm

from ..._version import __version__
from ...errors import ConfigurationError
from ..signatures.registry import Identity, Registry
from ..world import Clock, World
from .agenda import Job
from .facts import clock_of, counts_of, identity_of, plain_identity
from .statefile import Changes, StateError, StateFile
from .tables import Table

try:
    from cattrs import BaseValidationError
    from cattrs.cols import is_namedtuple
    from cattrs.preconf.json import JsonConverter, make_converter
except ImportError as _missing:
    raise ConfigurationError(
        "a state file needs cattrs: pip install 'wechatpay-chain[sandbox]'"
    ) from _missing

#: Numbers that are drawn once a call is kept already: its answer's. After an end that
#: came unawares as many are left out, so that none is given twice.
_AFTERWARDS = ("answer", "request")
_GAP = 1000

T = TypeVar("T")

#: What reading fails with where a file is damaged, or from another version.
_UNREADABLE = (
    *(ValueError, LookupError, TypeError, AttributeError, RecursionError),
    *(OverflowError, BaseValidationError, UnsupportedAlgorithm),
)
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+]{0,31}")
_NAME = re.compile(r"[0-9A-Za-z_./|*@ -]{1,160}", re.ASCII)


class Keeper:
    """Reads a world from its file, and writes what changes."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = StateFile(path)
        self._converter: JsonConverter = converter()
        #: What stands in the file: facts as text, records by the hash of theirs.
        self._facts: dict[str, str] = {}
        self._records: dict[tuple[str, str], int] = {}
        self._settled: tuple[Any, ...] = ()
        try:
            self._facts = self._file.facts()
            #: Whose world it is; ``None`` in a new file.
            self.identity: Identity | None = self._identity()
        except BaseException:
            self._file.close()
            raise

    def _identity(self) -> Identity | None:
        if "identity" not in self._facts:
            return None
        return self._made("whose world it is", self._facts["identity"], identity_of)

    def _made(self, what: str, text: str, make: Callable[[Any], T]) -> T:
        """What *make* makes of JSON. Raises :class:`StateError` that shows none of it.

        Whatever it fails with may hold the value, keys too: nothing is raised from it.
        """
        with suppress(*_UNREADABLE):
            return make(json.loads(text))
        raise self._unreadable(what)

    def _unreadable(self, what: str) -> StateError:
        writer = self._facts.get("version", "")
        if not _VERSION.fullmatch(writer):
            writer = "an unknown version"
        return StateError(
            f"state: {self._file.path}: {what} cannot be read; wechatpay_chain "
            f"{writer} wrote it, this is {__version__}"
        )

    def wind(self, clock: Clock) -> None:
        """Put a new clock where that of the file stood, or let it run as that did."""
        try:
            if "clock" in self._facts:
                runs, ahead = self._made("its clock", self._facts["clock"], clock_of)
                self._wind(clock, runs, ahead)
        except BaseException:
            self.release()
            raise

    def _wind(self, clock: Clock, runs: bool, ahead: float) -> None:
        try:
            if runs:
                clock.run(time.time)
            clock.advance(ahead)
        except ValueError as error:
            raise StateError(
                f"state: {self._file.path}: its clock cannot go on from where it was: "
                f"{error}. Put a copy in its place, or begin with another file"
            ) from None

    def load(self, world: World) -> None:
        """Fill *world*, whose tables must be there, from the file, and watch it."""
        world.tables.watch()
        world.agenda.watch()
        try:
            if self.identity is not None:
                self._load(world)
        except BaseException:
            self.release()
            raise

    def _load(self, world: World) -> None:
        tables = {table.name: table for table in world.tables}
        found: dict[str, dict[str, Any]] = {name: {} for name in tables}
        for place, key, text in self._file.records():
            if place not in tables:
                raise self._unreadable(f"table {_named(place)}")
            found[place][key] = self._read(tables[place], key, text)
            self._records[place, key] = hash(text)
        for name, table in tables.items():
            table.replace(found[name])
        world.agenda.replace(self._jobs(world))
        counts = self._facts.get("counts", "")
        world.ids.counts.update(self._made("its numbers", counts, counts_of))
        if self._facts.get("closed") != "true":
            for stream in _AFTERWARDS:
                world.ids.counts[stream] = world.ids.counts.get(stream, 0) + _GAP

    def _jobs(self, world: World) -> Iterator[Job]:
        for number, due, kind, key in self._file.jobs():
            if not world.agenda.serves(kind):
                raise self._unreadable(f"job {number}")
            yield Job(due, number, kind, key)

    def _read(self, table: Table[Any], key: str, text: str) -> Any:
        with suppress(*_UNREADABLE):
            return self._converter.loads(text, table.record)
        raise self._unreadable(f"{table.name} {_named(key)}")

    def keep(self, world: World, registry: Registry) -> None:
        """Write what changed since. Raises :class:`StateError`; then nothing was."""
        touched = {table: list(table.touched) for table in world.tables}
        records: dict[tuple[str, str], str | None] = {}
        for table, keys in touched.items():
            records.update(self._changed(table, keys))
        facts = {
            name: text
            for name, text in self._present(world, registry)
            if self._facts.get(name) != text
        }
        jobs = {
            number: None if job is None else (job.due, job.kind, job.key)
            for number, job in world.agenda.changed.items()
        }
        if records or facts or jobs:
            self._file.write(Changes(facts, records, jobs))
        self._facts.update(facts)
        for at, text in records.items():
            self._remember(at, text)
        for table, keys in touched.items():
            table.touched.difference_update(keys)
        world.agenda.changed.clear()

    def _changed(
        self, table: Table[Any], keys: list[str]
    ) -> Iterator[tuple[tuple[str, str], str | None]]:
        """The records that differ from those in the file: looking is no change."""
        for key in keys:
            record, at = table.peek(key), (table.name, key)
            text = None if record is None else self._text(table, record)
            if self._records.get(at) != (None if text is None else hash(text)):
                yield at, text

    def _text(self, table: Table[Any], record: Any) -> str:
        return self._converter.dumps(
            record,
            unstructure_as=table.record,
            ensure_ascii=False,
            separators=(",", ":"),
        )

    def _remember(self, at: tuple[str, str], text: str | None) -> None:
        if text is None:
            self._records.pop(at, None)
        else:
            self._records[at] = hash(text)

    def _present(self, world: World, registry: Registry) -> Iterator[tuple[str, str]]:
        """The facts as they are now; keys are made text only where they changed."""
        clock = world.clock
        yield "clock", json.dumps({"ahead": clock.ahead, "runs": clock.runs})
        yield "counts", json.dumps(world.ids.counts)
        yield "closed", "false"
        settled = (
            *registry.wechat.platforms,
            *world.merchants.values(),
            *world.services.values(),
        )
        if [*map(id, settled)] != [*map(id, self._settled)]:
            yield "version", __version__
            yield "identity", json.dumps(plain_identity(registry.identity()))
            self._settled = settled  # held, so that no other takes their ids

    def close(self) -> None:
        """Note that all is there, and let others have the file."""
        if not self._file.closed:
            self._file.write(Changes({"closed": "true"}, {}, {}))
            self._file.close()

    def release(self) -> None:
        """Let others have the file, and write nothing."""
        self._file.close()

    def __repr__(self) -> str:
        return f"<Keeper {self._file.path.name}>"


def converter() -> JsonConverter:
    """What turns records into JSON and back."""
    made = make_converter()

    def structure_named(kind: type[Any]) -> Callable[[Any, Any], Any]:
        # cattrs takes the types of a NamedTuple as they stand, and ours are texts.
        hints = get_type_hints(kind)
        hooks = [(made.get_structure_hook(one), one) for one in hints.values()]
        return lambda value, _: kind(
            *(hook(inner, one) for (hook, one), inner in zip(hooks, value))
        )

    made.register_structure_hook_factory(is_namedtuple, structure_named)
    return made


def _named(text: str) -> str:
    """A name or a key of the file in an error; what does not look like one is not."""
    return text if _NAME.fullmatch(text) else "?"
