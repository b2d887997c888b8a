"""What a recipe is: a short function that makes real calls and lets people act.

It goes through the doors that are open to everybody: a client in memory, the user, the
bank. What it may be given are its keywords, each with a default.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ...client import WeChatPay
    from ..gateway import Gateway

#: Where notifications of a recipe go, if nobody says: nowhere, until somebody listens.
NOTIFY_URL = "https://merchant.example/notify"


class Stage(NamedTuple):
    """What a recipe works with."""

    gateway: Gateway
    #: The merchant's.
    client: WeChatPay
    notify_url: str = NOTIFY_URL


@dataclass(frozen=True)
class Recipe:
    """One recipe: ``payscore.paid``."""

    name: str
    #: Event types that it ends with.
    events: tuple[str, ...]
    run: Callable[..., dict[str, str]]

    @property
    def about(self) -> str:
        """One sentence."""
        return (inspect.getdoc(self.run) or "").partition("\n\n")[0].replace("\n", " ")

    @property
    def takes(self) -> dict[str, str]:
        """The kind of each value that it may be given: ``str``, ``int`` or ``bool``."""
        parameters = list(inspect.signature(self.run).parameters.values())[1:]
        return {
            one.name: str(one.annotation).removesuffix(" | None") for one in parameters
        }

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """*given* as the function takes it; texts may stand for numbers.

        Raises ``ValueError`` for a name or a value that it does not take.
        """
        takes = self.takes
        for name in given:
            if name not in takes:
                raise ValueError(unknown(name, [*takes, "notify_url"], self.name))
        return {name: _value(name, takes[name], one) for name, one in given.items()}


def unknown(name: str, known: list[str], who: str) -> str:
    """The sentence about a value that nobody takes."""
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"{who} takes {', '.join(known)}"
    return f"{name[:64]}: unknown; {hint}"


def _value(name: str, kind: str, given: Any) -> Any:
    if kind == "str" and isinstance(given, str):
        return given
    if kind == "bool":
        found = {"true": True, "false": False}.get(str(given).lower())
        if found is not None:
            return found
    if kind == "int" and not isinstance(given, bool):
        text = str(given)
        if text.isascii() and text.isdecimal():
            return int(text)
    raise ValueError(f"{name}: {_EXPECTED[kind]}, got {str(given)[:64]!r}")


_EXPECTED = {
    "str": "a text expected",
    "int": "a whole number expected, from 0 up",
    "bool": "true or false expected",
}
