"""Types of what is below ``hk/v3``, one namespace for each segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._tree.types.hk import *  # noqa: F403
else:
    from . import _plain

    __getattr__ = _plain.segment
