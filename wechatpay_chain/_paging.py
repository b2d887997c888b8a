"""Walking the pages of an ``offset``/``limit`` answer. Pure decisions, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._shapes import mapping, sequence
from .errors import DecodeError, EncodeError

#: Page size when the caller names none: what WeChat's lists default to.
DEFAULT_LIMIT = 20


class Pages:
    """Where a walk stands: what to ask next, and whether to ask at all."""

    def __init__(self, params: Any, path: str) -> None:
        given = mapping({} if params is None else params)
        if given is None:
            raise EncodeError("paginate: params must be a mapping")
        self._path = path
        self._params = dict(given)
        self._limit = _whole(self._params.get("limit", DEFAULT_LIMIT), "limit", 1)
        self._offset = _whole(self._params.get("offset", 0), "offset", 0)
        #: Whether there may be another page.
        self.wanted = True

    @property
    def params(self) -> dict[str, Any]:
        """The query of the next page."""
        return {**self._params, "offset": self._offset, "limit": self._limit}

    def items(self, data: Any) -> Sequence[Any]:
        """The items of an answer; moves on by as many as were asked for."""
        answer = mapping(data) or {}
        found = self._list(answer)
        self._offset += self._limit
        total = answer.get("total_count")
        if isinstance(total, int):
            # A page is short where items were removed meanwhile: go on to the end.
            self.wanted = self._offset < total
        else:
            self.wanted = len(found) >= self._limit
        return found

    def _list(self, answer: Mapping[Any, Any]) -> Sequence[Any]:
        named = sequence(answer.get("data"))
        if named is not None:
            return named
        lists = [found for found in map(sequence, answer.values()) if found is not None]
        if len(lists) == 1:
            return lists[0]
        if not lists and answer.get("total_count") == 0:
            return []
        raise DecodeError(
            f"{self._path}: the answer has {len(lists)} lists, one was expected; call "
            "get(...) page by page"
        )


def _whole(value: Any, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise EncodeError(f"paginate: {name} must be an int from {least} up")
    return value
