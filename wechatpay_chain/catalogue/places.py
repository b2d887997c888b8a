"""Where in a value the marked ones are: worked out once for an endpoint, used per call.

Pure. A place is a path through objects, arrays and JSON texts; what to do with what
stands there is the caller's business.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from .._shapes import mapping, sequence
from .model import Field

M = TypeVar("M")

#: Gives the mark of a field by its name, the field and the object that it is in.
Marking = Callable[[str, Field, Field], "M | None"]
#: Told the path and the value at a place, and its mark; gives the value to put there.
#: Without a mark: the value is not of the shape in which a place could be found.
Change = Callable[[str, Any, "M | None"], Any]


@dataclass(frozen=True)
class Places(Generic[M]):
    """A value in which something is marked, or that is marked itself."""

    mark: M | None = None
    #: The members of an object in which there is something.
    fields: tuple[tuple[str, Places[M]], ...] = ()
    #: Of an array.
    items: Places[M] | None = None
    #: Of a text that holds JSON.
    content: Places[M] | None = None

    def rewrite(self, value: Any, change: Change[M], path: str = "") -> Any:
        """*value* with each place changed: a copy as far as it differs.

        ``None`` is nothing at all, and no place is below it.
        """
        if value is None:
            return None
        if self.mark is not None:
            return change(path, value, self.mark)
        if self.items is not None:
            return self._array(value, change, path)
        if self.content is not None:
            return self._json(value, change, path)
        return self._object(value, change, path)

    def may_be_in(self, value: Any) -> bool:
        """Whether a place may be in *value*: a quick look, which may say yes."""
        if value is None:
            return False
        if not self.fields or type(value) is not dict:
            return True
        for name, inner in self.fields:
            item = cast("Any", value).get(name)
            if item is not None and inner.may_be_in(item):
                return True
        return False

    def _object(self, value: Any, change: Change[M], path: str) -> Any:
        given = mapping(value)
        if given is None:
            return change(path, value, None)
        made: dict[Any, Any] = {}
        for name, inner in self.fields:
            old = given.get(name)
            if old is not None:
                new = inner.rewrite(old, change, f"{path}.{name}" if path else name)
                if new is not old:
                    made[name] = new
        return {**given, **made} if made else value

    def _array(self, value: Any, change: Change[M], path: str) -> Any:
        given, inner = sequence(value), self.items
        if given is None or inner is None:
            return change(path, value, None)
        made = [
            inner.rewrite(old, change, f"{path}[{at}]") for at, old in enumerate(given)
        ]
        same = all(new is old for new, old in zip(made, given))
        return value if same else made

    def _json(self, value: Any, change: Change[M], path: str) -> Any:
        inner = self.content
        old = parsed(value)
        if old is None or inner is None:
            return change(path, value, None)
        new = inner.rewrite(old, change, f"{path}<json>")
        if new is old:
            return value
        return json.dumps(new, ensure_ascii=False, separators=(",", ":"))

    def found(self, value: Any) -> list[tuple[str, Any, M | None]]:
        """Path, value and mark of each place in *value*, as :meth:`rewrite` goes."""
        seen: list[tuple[str, Any, M | None]] = []

        def note(path: str, given: Any, mark: M | None) -> Any:
            seen.append((path, given, mark))
            return given

        self.rewrite(value, note)
        return seen


def parsed(text: Any) -> Any:
    """The JSON object or array in *text*, or ``None``."""
    try:
        found: Any = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return None if mapping(found) is None and sequence(found) is None else found


def places(field: Field, marking: Marking[M]) -> Places[M] | None:
    """The places of *field*, or ``None`` where nothing is marked in it."""
    return _places("", field, field, marking)


def _places(
    name: str, field: Field, within: Field, marking: Marking[M]
) -> Places[M] | None:
    mark = marking(name, field, within)
    if mark is not None:
        return Places(mark)
    if field.items is not None:
        # An item goes by the name of its array, and is in what the array is in.
        items = _places(name, field.items, within, marking)
        return None if items is None else Places(items=items)
    if field.content is not None and field.content_kind == "json":
        content = _places(name, field.content, field, marking)
        return None if content is None else Places(content=content)
    fields = _members(field, marking)
    return Places(fields=fields) if fields else None


def _members(field: Field, marking: Marking[M]) -> tuple[tuple[str, Places[M]], ...]:
    given: Mapping[str, Field] = field.fields or {}
    made = (
        (name, _places(name, inner, field, marking)) for name, inner in given.items()
    )
    return tuple((name, inner) for name, inner in made if inner is not None)
