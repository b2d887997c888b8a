"""The named, ordered layers of a client. Outermost first; changes are atomic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from typing import Any

from ._flow import Entry, Layer, layer_name
from ._uri import suggest
from .errors import EncodeError

_Change = Callable[[tuple[Entry, ...]], tuple[Entry, ...]]


class Stack:
    """Layers by name. A call takes a snapshot, so changes never disturb one in flight.

    Every change returns the stack, so that they chain; :meth:`copy` gives one to change
    for a single call.
    """

    def __init__(
        self, entries: Iterable[Entry] = (), *, end: str = "transport"
    ) -> None:
        self._set(tuple(entries))
        self._end = end
        self._lock = Lock()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The layers as they are now, outermost first: a snapshot."""
        return self._entries

    @property
    def lean(self) -> tuple[Entry, ...]:
        """The same without those that only do what the catalogue asks for.

        Such a layer says so by a true attribute ``by_catalogue``. Entering a layer for
        nothing costs some two microseconds of every call.
        """
        return self._lean

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the layers, outermost first."""
        return tuple(entry.name for entry in self._entries)

    def push(self, layer: Layer, name: str | None = None) -> Stack:
        """Add *layer* as the outermost."""
        return self._change(lambda old: (entry_of(layer, name), *old))

    def before(self, existing: str, layer: Layer, name: str | None = None) -> Stack:
        """Add *layer* one step further out than the layer *existing*."""

        def change(old: tuple[Entry, ...]) -> tuple[Entry, ...]:
            at = self._index(old, existing)
            return (*old[:at], entry_of(layer, name), *old[at:])

        return self._change(change)

    def after(self, existing: str, layer: Layer, name: str | None = None) -> Stack:
        """Add *layer* one step further in than the layer *existing*."""

        def change(old: tuple[Entry, ...]) -> tuple[Entry, ...]:
            at = self._index(old, existing) + 1
            return (*old[:at], entry_of(layer, name), *old[at:])

        return self._change(change)

    def replace(self, existing: str, layer: Layer, name: str | None = None) -> Stack:
        """Put *layer* in place of *existing*, under its name or the one given."""

        def change(old: tuple[Entry, ...]) -> tuple[Entry, ...]:
            at = self._index(old, existing)
            return (*old[:at], entry_of(layer, name or existing), *old[at + 1 :])

        return self._change(change)

    def remove(self, existing: str) -> Stack:
        """Take the layer *existing* out."""

        def change(old: tuple[Entry, ...]) -> tuple[Entry, ...]:
            at = self._index(old, existing)
            return (*old[:at], *old[at + 1 :])

        return self._change(change)

    def copy(self) -> Stack:
        """A stack with the same layers, to be changed on its own."""
        return Stack(self._entries, end=self._end)

    def _change(self, change: _Change) -> Stack:
        with self._lock:
            entries = change(self._entries)
            names = [entry.name for entry in entries]
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(
                        f"the stack has a layer {name!r} already; give this one "
                        "another name, name=..."
                    )
            self._set(entries)
        return self

    def _set(self, entries: tuple[Entry, ...]) -> None:
        self._entries = entries
        self._lean = tuple(
            entry
            for entry in entries
            if not getattr(entry.layer, "by_catalogue", False)
        )

    def _index(self, entries: tuple[Entry, ...], name: str) -> int:
        names = [entry.name for entry in entries]
        if name in names:
            return names.index(name)
        raise LookupError(
            f"the stack has no layer {name!r}{suggest(name, names)} "
            f"(layers: {', '.join(names)})"
        )

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<Stack {' > '.join([*self.names, self._end])}>"

    def __str__(self) -> str:
        width = max((len(name) for name in self.names), default=0)
        lines = [f"request ↓ outermost{'response ↑':>{max(width, 12)}}"]
        lines += [
            f"  {entry.name:<{width}}  {_origin(entry.layer)}"
            for entry in self._entries
        ]
        return "\n".join([*lines, f"  {self._end}"])


def entry_of(layer: Layer, name: str | None = None) -> Entry:
    """Name a layer. Raises ``TypeError`` for what cannot be called with a request."""
    if isinstance(layer, type):  # the class for an object of it is an easy slip
        name = layer.__name__
        raise TypeError(
            f"a layer is a generator function, not the class {name}; give {name}()"
        )
    if not callable(layer):
        raise TypeError(f"a layer is a generator function, not {type(layer).__name__}")
    return Entry(name or layer_name(layer), layer)


def layers(middleware: Any) -> tuple[Entry, ...]:
    """Name the layers of a ``middleware=`` list, outermost first.

    Raises ``EncodeError``.
    """
    given = (
        None if isinstance(middleware, str) else getattr(middleware, "__iter__", None)
    )
    if given is None or callable(middleware):
        found = "one callable" if callable(middleware) else type(middleware).__name__
        del middleware, given  # a text may be a key in the wrong option
        raise EncodeError(f"middleware: a list of layers expected, got {found}")
    try:
        return tuple(entry_of(layer) for layer in given())
    except TypeError as error:
        raise EncodeError(f"middleware: {error}") from None


def _origin(layer: object) -> str:
    home = getattr(layer, "__module__", "") or ""
    title = getattr(layer, "__qualname__", None) or type(layer).__qualname__
    return f"{home}.{title}".lstrip(".")
