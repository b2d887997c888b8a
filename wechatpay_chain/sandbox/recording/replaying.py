"""Plays a recording: what was sent is sent again, and the answers are compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ..._shapes import mapping, sequence
from ..actors.user import IllegalMove

#: Places in an answer that say nothing: numbers that the gateway gives, times, seals.
VOLATILE = (
    "*/order_id",
    "*/transaction_id",
    "*/prepay_id",
    "*/refund_id",
    "*/package",
    "*/code_url",
    "*/h5_url",
    "*/media_id",
    "*/download_url",
    "*/serial_no",
    "*_token",
    "*_time",
    "*/nonce",
    "*/ciphertext",
    # Of a refusal the id counts, its sentences name what was there.
    "/message",
    "/detail/sandbox/message",
    "/detail/sandbox/problems/*",
)
#: A number that is shorter may be part of something else.
_LONG = 8
_MISSING = object()


@runtime_checkable
class Door(Protocol):
    """What a recording is played to."""

    def send(self, entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Send a call, signed anew; its answer, or ``None`` where none came."""
        ...

    def act(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, str]:
        """Do a deed; the numbers that came of it, by name."""
        ...

    def now(self) -> float:
        """What time it is there."""
        ...

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        ...


class Difference(NamedTuple):
    """One place in which an answer differs."""

    #: Of the exchange in the recording.
    number: int
    #: ``"POST /v3/..."``, or the name of a deed.
    what: str
    #: ``"status"``, a place in the JSON as ``/state``, ``"body"`` or ``"deed"``.
    where: str
    recorded: Any
    replayed: Any

    def __str__(self) -> str:
        then, now = _shown(self.recorded), _shown(self.replayed)
        return f"{self.number} {self.what}: {self.where}: {then} then, {now} now"


@dataclass(frozen=True)
class Report:
    """What became of a recording; ``print`` it."""

    #: How many calls were compared.
    compared: int
    #: How many were not: faults, and what nobody had signed.
    skipped: int
    differences: tuple[Difference, ...] = ()

    @property
    def same(self) -> bool:
        """Whether all answers were what they had been."""
        return not self.differences

    def assert_same(self) -> None:
        """Raise ``AssertionError`` with what differs."""
        if not self.same:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        end = f", {self.skipped} skipped" if self.skipped else ""
        total = (
            f"{self.compared} calls compared{end}, {len(self.differences)} differences"
        )
        return "\n".join([*map(str, self.differences), total])


class Player:
    """Plays one recording to one door."""

    def __init__(
        self, door: Door, ignore: tuple[str, ...] = VOLATILE, *, time: bool = True
    ) -> None:
        self._door = door
        self._time = time
        self._ignore = ignore
        #: What is called otherwise now: numbers that gateways give out.
        self._renamed: dict[str, str] = {}
        self._compared = self._skipped = 0
        self._found: list[Difference] = []

    def play(self, entries: Iterable[Mapping[str, Any]]) -> Report:
        """All of it, in order."""
        start: tuple[float, float] | None = None
        for entry in entries:
            if entry.get("kind") not in ("call", "deed"):
                continue
            if self._time:
                at = float(entry["at"])
                start = start or (at, self._door.now())
                missing = (at - start[0]) - (self._door.now() - start[1])
                if missing > 0:
                    self._door.advance(missing)
            play = self._call if entry["kind"] == "call" else self._deed
            play(self._with_new_names(entry))
        return Report(self._compared, self._skipped, tuple(self._found))

    def _deed(self, entry: Mapping[str, Any]) -> None:
        name = str(entry["name"])
        try:
            numbers = self._door.act(name, mapping(entry["arguments"]) or {})
        except (IllegalMove, LookupError) as error:
            text = str(error.args[0]) if error.args else type(error).__name__
            self._found.append(
                Difference(int(entry["after"]), name, "deed", "done", text)
            )
            return
        for one, before in (mapping(entry.get("numbers")) or {}).items():
            self._learn(str(one), before, numbers.get(one))

    def _call(self, entry: Mapping[str, Any]) -> None:
        if entry.get("mchid") is None and entry.get("signed", True):
            self._skipped += 1
            return
        now = self._door.send(entry)
        if entry.get("fault") is not None:
            self._skipped += 1
            return
        self._compared += 1
        what = f"{entry['method']} {str(entry['target']).partition('?')[0]}"
        then = mapping(entry.get("answer"))
        for where, recorded, replayed in self._compare(then, now):
            self._found.append(
                Difference(int(entry["number"]), what, where, recorded, replayed)
            )

    def _compare(
        self, then: Mapping[str, Any] | None, now: Mapping[str, Any] | None
    ) -> Iterator[tuple[str, Any, Any]]:
        before, after = (one and one.get("status") for one in (then, now))
        if before != after:  # and then nothing else is alike
            yield "status", before, after
            return
        if then is None or now is None:
            return
        old, new = _data(then), _data(now)
        if old is _MISSING or new is _MISSING:
            if {**then, "status": 0} != {**now, "status": 0}:
                yield "body", _size(then), _size(now)
            return
        for place, recorded, replayed in _unlike("", old, new):
            if any(fnmatchcase(place, pattern) for pattern in self._ignore):
                self._learn(place, recorded, replayed)
            else:
                yield place or "/", _or_none(recorded), _or_none(replayed)

    def _learn(self, place: str, recorded: Any, replayed: Any) -> None:
        """A number is another one now: later calls are to say the new one."""
        if not isinstance(recorded, str) or not isinstance(replayed, str):
            return
        long = len(recorded) >= _LONG
        if long and recorded != replayed and not place.endswith("_time"):
            self._renamed[recorded] = replayed

    def _with_new_names(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """*entry* with the numbers of now; its answer stays as it was."""
        changed = dict(entry)
        for name in ("target", "body", "arguments"):
            if name in changed:
                changed[name] = self._renew(changed[name])
        return changed

    def _renew(self, value: Any) -> Any:
        if isinstance(value, str):
            for old in sorted(self._renamed, key=len, reverse=True):
                value = value.replace(old, self._renamed[old])
            return value
        found, items = mapping(value), sequence(value)
        if found is not None:
            return {name: self._renew(one) for name, one in found.items()}
        return value if items is None else [self._renew(one) for one in items]


def _data(answer: Mapping[str, Any]) -> Any:
    """The JSON of an answer."""
    try:
        return json.loads(str(answer["body"])) if answer.get("body") else _MISSING
    except ValueError:
        return _MISSING


def _unlike(place: str, then: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """The places in which two values differ."""
    old, new = mapping(then), mapping(now)
    if old is not None and new is not None:
        for name in {**old, **new}:
            one, other = old.get(name, _MISSING), new.get(name, _MISSING)
            yield from _unlike(f"{place}/{name}", one, other)
        return
    items, others = sequence(then), sequence(now)
    if items is not None and others is not None and len(items) == len(others):
        for at, (one, other) in enumerate(zip(items, others)):
            yield from _unlike(f"{place}/{at}", one, other)
    elif then != now or type(then) is not type(now):
        yield place, then, now


def _or_none(value: Any) -> Any:
    return None if value is _MISSING else value


def _size(answer: Mapping[str, Any]) -> str:
    return f"{len(answer.get('body') or answer.get('base64') or '')} characters"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:64]
