"""Walking the pages of an ``offset``/``limit`` answer. Pure decisions, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import DecodeError, EncodeError

#: Page size when the caller names none: what WeChat's lists default to.
DEFAULT_LIMIT = 20


class Pages:
    """Where a walk stands: what to ask next, and whether to ask at all."""

    def __init__(self, params: Any, path: str) -> None:
        if params is not None and not isinstance(params, Mapping):
            raise EncodeError("paginate: params must be a mapping")
        self._path = path
        self._params = dict(params or {})
        self._limit = _whole(self._params.get("limit", DEFAULT_LIMIT), "limit", 1)
        self._offset = _whole(self._params.get("offset", 0), "offset", 0)
        #: Whether there may be another page.
        self.wanted = True

    @property
    def params(self) -> dict[str, Any]:
        """The query of the next page."""
        return {**self._params, "offset": self._offset, "limit": self._limit}

    def items(self, data: Any) -> list[Any]:
        """The items of an answer; moves on by as many as were asked for."""
        found = self._list(data)
        self._offset += self._limit
        total = data.get("total_count")
        if isinstance(total, int):
            # A page may come short where items were removed meanwhile: go on to the end.
            self.wanted = self._offset < total
        else:
            self.wanted = len(found) >= self._limit
        return found

    def _list(self, data: Any) -> list[Any]:
        lists = [v for v in data.values() if isinstance(v, list)] if data else []
        named = data.get("data") if isinstance(data, dict) else None
        if isinstance(named, list):
            return named
        if len(lists) == 1:
            return list(lists[0])
        if data and not lists and data.get("total_count") == 0:
            return []
        raise DecodeError(
            f"{self._path}: the answer has {len(lists)} lists, one was expected; call "
            "get(...) page by page"
        )


def _whole(value: Any, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise EncodeError(f"paginate: {name} must be an int from {least} up")
    return value
