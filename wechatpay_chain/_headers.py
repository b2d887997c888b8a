"""Headers of a request or an answer: one immutable value. No I/O, no HTTP library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast, overload

HeaderTypes = Mapping[str, str] | Iterable[tuple[str, str]]
_T = TypeVar("_T")


def _pairs(headers: HeaderTypes) -> Iterable[tuple[str, str]]:
    # An abstract class takes its time to say that a tuple is none of it.
    if type(headers) is not tuple and isinstance(headers, Mapping):
        return cast("Mapping[str, str]", headers).items()
    return cast("Iterable[tuple[str, str]]", headers)


class Headers(Mapping[str, str]):
    """Immutable headers; names compare without regard to case and keep their spelling.

    >>> Headers({"Content-Type": "text/plain"})["content-type"]
    'text/plain'
    """

    __slots__ = ("_items",)
    _items: dict[str, tuple[str, str]]

    def __init__(self, headers: HeaderTypes = ()) -> None:
        items: dict[str, tuple[str, str]] = {}
        for name, value in _pairs(headers):
            key = name.lower()
            if key in items:  # a repeated header is one list (RFC 9110, 5.3)
                value = f"{items[key][1]}, {value}"
            items[key] = (name, value)
        self._items = items

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()][1]

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, default: str | _T, /) -> str | _T: ...
    def get(self, name: str, default: Any = None, /) -> Any:
        """The value of *name*, or *default*."""
        # That of Mapping goes by an exception, and each call asks a dozen times.
        found = self._items.get(name.lower())
        return default if found is None else found[1]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._items

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def pairs(self) -> Iterable[tuple[str, str]]:
        """Name and value of each header, in order, as they go on the wire."""
        return self._items.values()

    def merge(self, headers: HeaderTypes) -> Headers:
        """These headers with *headers* set over them."""
        items = self._items.copy()
        for name, value in _pairs(headers):
            items[name.lower()] = (name, value)
        return self._of(items)

    def without(self, *names: str) -> Headers:
        """These headers less *names*."""
        drop = {name.lower() for name in names}
        return self._of({k: v for k, v in self._items.items() if k not in drop})

    @classmethod
    def _of(cls, items: dict[str, tuple[str, str]]) -> Headers:
        made = cls.__new__(cls)
        made._items = items
        return made

    def __repr__(self) -> str:
        # Authorization is a signature, and values may name a user: names only.
        return f"<Headers {', '.join(self)}>"
