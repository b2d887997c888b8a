"""Recipes: what leads to an event, done for you. ``trigger(gateway, "payscore.paid")``.

One table. What the sandbox has no behaviour for comes as the catalogue's example.

>>> from wechatpay_chain.sandbox import Gateway
>>> gateway = Gateway(seed=1)
>>> gateway.trigger("payscore.paid").events
('PAYSCORE.USER_CONFIRM', 'PAYSCORE.USER_PAID')
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import catalogue
from . import examples as recipes_examples
from . import payments as recipes_payments
from . import payscore as recipes_payscore
from .kinds import NOTIFY_URL, Recipe, Stage

if TYPE_CHECKING:
    from ..gateway import Gateway
    from ..notices.notices import Notice

__all__ = ["RECIPES", "Recipe", "Stage", "Triggered", "find", "known", "trigger"]

#: Where the recipes are written down.
BOOKS = (recipes_payments, recipes_payscore)

#: All recipes by name.
RECIPES: dict[str, Recipe] = {one.name: one for book in BOOKS for one in book.TABLE}


class Triggered(NamedTuple):
    """What a recipe brought about."""

    #: Of the recipe, or the event type of an example.
    name: str
    #: The numbers of what was made, by name.
    made: dict[str, str]
    #: The notifications that were entered into the outbox.
    notices: tuple[Notice, ...]
    #: Whether it is an example from the catalogue, with nothing behind it.
    example: bool = False

    @property
    def events(self) -> tuple[str, ...]:
        """The event types of the notifications."""
        return tuple(notice.event_type for notice in self.notices)


def find(event: str) -> Recipe | str:
    """The recipe for *event*: its name, or an event type that it ends with.

    The event type itself where only an example is known. Raises ``LookupError``.
    """
    recipe = RECIPES.get(event.lower())
    if recipe is not None:
        return recipe
    event_type = event.upper()
    for one in RECIPES.values():
        if event_type in one.events:
            return one
    if event_type in catalogue.messages():
        return event_type
    near = get_close_matches(event.upper(), {one.upper() for one in known()}, n=3)
    listed = {one.upper(): one for one in known()}
    hint = f"; did you mean {', '.join(listed[one] for one in near)}?" if near else ""
    raise LookupError(f"there is no event {event[:64]}{hint}")


def known() -> list[str]:
    """All that can be triggered: recipes first, then the catalogue's event types."""
    return [*RECIPES, *catalogue.messages()]


def trigger(
    gateway: Gateway, event: str, values: Mapping[str, Any] | None = None
) -> Triggered:
    """Have *event* happen; *values* are what the recipe takes, and ``notify_url``."""
    found = find(event)
    given = dict(values or {})
    url = str(given.pop("notify_url", NOTIFY_URL))
    if isinstance(found, str):
        notice = recipes_examples.post(gateway, found, given, url)
        return Triggered(found, {}, (notice,), example=True)
    arguments = found.values(given)
    before = {notice.id for notice in gateway.outbox}
    client = gateway.client()
    try:
        made = found.run(Stage(gateway, client, url), **arguments)
    finally:
        client.close()
    new = tuple(one for one in gateway.outbox if one.id not in before)
    return Triggered(found.name, made, new)
