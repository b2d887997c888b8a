"""A world in a state file: what it is made of, as rows, and what changed since.

``Keeper.keep`` runs as the gateway's lock opens, and looks only at what was touched.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ..._version import __version__
from ...errors import ConfigurationError
from ..signatures.keys import KeySet
from ..signatures.registry import Identity, Registry, Resident
from ..world import Clock, Service, World
from .agenda import Job
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
        try:
            return _identity_of(json.loads(self._facts["identity"]))
        except (ValueError, KeyError, TypeError) as error:
            raise self._unreadable("whose world it is") from error

    def _unreadable(self, what: str) -> StateError:
        writer = self._facts.get("version", "an unknown version")
        return StateError(
            f"state: {self._file.path}: {what} cannot be read; wechatpay_chain "
            f"{writer} wrote it, this is {__version__}"
        )

    def wind(self, clock: Clock) -> None:
        """Put a new clock where that of the file stood, or let it run as that did."""
        if "clock" in self._facts:
            saved = json.loads(self._facts["clock"])
            if saved["runs"]:
                clock.run(time.time)
            clock.advance(saved["ahead"])

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
                raise self._unreadable(f"table {place}")
            found[place][key] = self._read(tables[place], key, text)
            self._records[place, key] = hash(text)
        for name, table in tables.items():
            table.replace(found[name])
        world.agenda.replace(
            Job(due, number, kind, key) for number, due, kind, key in self._file.jobs()
        )
        world.ids.counts.update(json.loads(self._facts["counts"]))
        if self._facts.get("closed") != "true":
            for stream in _AFTERWARDS:
                world.ids.counts[stream] = world.ids.counts.get(stream, 0) + _GAP

    def _read(self, table: Table[Any], key: str, text: str) -> Any:
        try:
            return self._converter.loads(text, table.record)
        except (ValueError, KeyError, TypeError, BaseValidationError) as error:
            raise self._unreadable(f"{table.name} {key}") from error

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
            yield "identity", json.dumps(_plain(registry.identity()))
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


def _plain(identity: Identity) -> dict[str, Any]:
    """*identity* for JSON, its keys as PEM."""
    return {
        "seed": identity.seed,
        "mode": identity.mode,
        "keys": [_pem(key) for key in identity.keys],
        "later": [_pem(key) for key in identity.later],
        "others": [
            [one.mchid, _pem(one.key), list(one.sub_mchids)] for one in identity.others
        ],
        "services": [vars(service) for service in identity.services],
    }


def _identity_of(plain: dict[str, Any]) -> Identity:
    return Identity(
        plain["seed"],
        plain["mode"],
        KeySet(*map(_key, plain["keys"])),
        tuple(map(_key, plain["later"])),
        tuple(
            Resident(mchid, _key(pem), tuple(sub_mchids))
            for mchid, pem, sub_mchids in plain["others"]
        ),
        tuple(Service(**service) for service in plain["services"]),
    )


def _pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(
        "ascii"
    )


def _key(pem: str) -> RSAPrivateKey:
    # It was made here; checking one takes 30 ms.
    key = load_pem_private_key(
        pem.encode("ascii"), None, unsafe_skip_rsa_key_validation=True
    )
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("an RSA key expected")
    return key
