"""Any value of the sandbox as JSON has it: records, states, times."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, cast

from ..._shapes import mapping


def plain(value: Any) -> Any:
    """*value* in dicts, lists, texts and numbers; records get their ``state`` too.

    >>> plain({"at": 1.0, "steps": ({"a": None},)})
    {'at': 1.0, 'steps': [{'a': None}]}
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no such number
    if value is None or isinstance(value, (str, int, float)):
        return value
    found = mapping(value)
    if found is not None:
        return {str(plain(name)): plain(inner) for name, inner in found.items()}
    if is_dataclass(value):
        return _record(value)
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Iterable):
        return [plain(inner) for inner in cast("Iterable[object]", value)]
    return str(value)


def _record(record: Any) -> dict[str, Any]:
    shown = {one.name: plain(getattr(record, one.name)) for one in fields(record)}
    for name in ("out_order_no", "state", "history", "allowed"):
        if name not in shown and hasattr(record, name):
            shown[name] = plain(getattr(record, name))
    return shown
