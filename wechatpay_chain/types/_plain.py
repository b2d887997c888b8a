"""What the names of types are at run time, where no checker looks at them."""

from __future__ import annotations

from typing import Any


class Segment:
    """Stands for the types of one segment, each of which is ``dict``."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> type[dict[str, Any]]:
        return kind(name)

    def __repr__(self) -> str:
        return f"<types of {self._name}>"


def kind(name: str) -> type[dict[str, Any]]:
    """The type of *name*, which is written as classes are."""
    if not name[:1].isupper():
        raise AttributeError(f"{name!r} is not the name of a type", name=name)
    return dict


def segment(name: str) -> Segment:
    """The types of the segment *name*."""
    if name.startswith("_"):
        raise AttributeError(f"{name!r} is not the name of a segment", name=name)
    return Segment(name)
