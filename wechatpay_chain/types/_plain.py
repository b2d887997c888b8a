"""What the names of types are at run time, where no checker looks at them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any


def kind(name: str) -> type[dict[str, Any]]:
    """The type of *name*, which is written as classes are."""
    if not name[:1].isupper():
        raise AttributeError(f"{name!r} is not the name of a type", name=name)
    return dict


def segments(home: str) -> Callable[[str], ModuleType]:
    """Gives the modules of the package *home* by their names, when they are needed."""

    def segment(name: str) -> ModuleType:
        place = f"{home}.{name}"
        try:
            if not name.startswith("_"):
                return import_module(place)
        except ModuleNotFoundError as error:
            if error.name != place:
                raise
        raise AttributeError(f"{name!r} is not the name of a segment", name=name)

    return segment
