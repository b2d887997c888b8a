"""Types of what is below ``v2``, one namespace for each segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._tree.types.v2 import *  # noqa: F403
else:
    from . import _plain

    __getattr__ = _plain.segment
