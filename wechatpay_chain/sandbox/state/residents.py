"""Who lives in a world and who keeps it: asked once, when a gateway opens."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..signatures.keys import KeySet
from ..signatures.registry import Identity, identified

if TYPE_CHECKING:
    from .persistence import Keeper


def resident(
    state: str | os.PathLike[str] | None,
    seed: int | None,
    mode: str | None,
    keys: KeySet | None,
) -> tuple[Keeper | None, Identity]:
    """Who keeps the world in the file *state*, if one is given, and who it is.

    Raises ``ConfigurationError`` where the file holds another world than is asked for.
    """
    if state is None:
        return None, identified(None, seed, mode, keys)
    from .persistence import Keeper  # with all that it takes to read records

    keeper = Keeper(state)
    try:
        return keeper, identified(keeper.identity, seed, mode, keys)
    except BaseException:
        keeper.release()
        raise
