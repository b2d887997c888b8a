"""Types of what is below ``v2``, a module for each segment."""

from __future__ import annotations

from .. import _plain

__getattr__ = _plain.segments(__name__)
