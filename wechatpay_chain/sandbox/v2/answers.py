"""Answers of APIv2: whatever a product or an example says, as flat fields of text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..._shapes import mapping, plain
from ...catalogue.model import Operation


def flat(data: Mapping[str, Any]) -> dict[str, str]:
    """*data* as fields: what is nested becomes JSON, ``name_$n`` its first item.

    >>> flat({"a": 1, "b_$n": "x", "c": {"d": True}})
    {'a': '1', 'b_0': 'x', 'c': '{"d": true}'}
    """
    made: dict[str, str] = {}
    for name, value in data.items():
        first = name.replace("$n", "0").replace("$m", "0")
        if value is None:
            continue
        if isinstance(value, (str, int)):
            made[first] = plain(value)
        else:
            made[first] = json.dumps(value, ensure_ascii=False)
    return made


def says(operation: Operation | None, name: str) -> bool:
    """Whether an answer of *operation* has a field of that name, as far as is known."""
    answer = None if operation is None else operation.answer
    fields = mapping(answer.fields) if answer is not None else None
    return fields is None or name in fields
