"""Walking the pages of a list, by offset or by token. Pure decisions, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._shapes import mapping, sequence
from .errors import DecodeError, EncodeError

#: Page size when the caller names none: what WeChat's lists default to.
DEFAULT_LIMIT = 20
#: Parameters of the lists that hand out a token for the next page.
_BY_TOKEN = frozenset({"page_size", "page_token"})


class Pages:
    """Where a walk stands: what to ask next, and whether to ask at all.

    A list goes by ``offset`` and ``limit``, or by ``page_token``: where the caller's
    parameters say so, and from the first answer on that holds a ``next_page_token``.
    """

    def __init__(self, params: Any, path: str) -> None:
        given = mapping({} if params is None else params)
        if given is None:
            raise EncodeError("paginate: params must be a mapping")
        self._path = path
        self._params = dict(given)
        self._limit = _whole(self._params.pop("limit", DEFAULT_LIMIT), "limit", 1)
        self._offset = _whole(self._params.pop("offset", 0), "offset", 0)
        self._by_token = not _BY_TOKEN.isdisjoint(self._params)
        #: Whether there may be another page.
        self.wanted = True

    @property
    def params(self) -> dict[str, Any]:
        """The query of the next page."""
        if self._by_token:
            return self._params
        return {**self._params, "offset": self._offset, "limit": self._limit}

    def items(self, data: Any) -> Sequence[Any]:
        """The items of an answer; moves on to the next page."""
        answer = mapping(data) or {}
        found = self._list(answer)
        token = answer.get("next_page_token")
        if token or self._by_token:
            self._turn(token)
            return found
        self._offset += self._limit
        total = answer.get("total_count")
        if isinstance(total, int):
            # A page may come short where items were removed meanwhile: go on.
            self.wanted = self._offset < total
        else:
            self.wanted = len(found) >= self._limit
        return found

    def _turn(self, token: Any) -> None:
        if token and token == self._params.get("page_token"):
            raise DecodeError(f"{self._path}: the answer points back at its own page")
        self._by_token = True
        self._params = {**self._params, "page_token": token}
        self.wanted = bool(token)

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


def chosen(argument: Any, keyword: Any) -> Any:
    """The query: the argument or ``params=``, as for ``get`` not both."""
    if argument is None:
        return keyword
    if keyword is not None:
        raise EncodeError("GET: the query is given twice, as argument and params=")
    return argument


def _whole(value: Any, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise EncodeError(f"paginate: {name} must be an int from {least} up")
    return value
