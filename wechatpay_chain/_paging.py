"""Walking the pages of a list: by offset, by page number, by token. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._shapes import mapping, sequence
from .errors import DecodeError, EncodeError

if TYPE_CHECKING:
    from .catalogue.paging import Layout

#: Page size where neither the caller nor the catalogue names one.
DEFAULT_LIMIT = 20
#: Pages in a row without an item after which a walk ends, whatever the total says.
EMPTY_PAGES = 3
#: The same of a walk by token, whose pages may be empty where much is filtered out: a
#: walk that yields nothing cannot be left by its caller.
EMPTY_TURNS = 100
#: Names of the parameter that says where to start, and how it goes on.
_STARTS = {"page_token": "token", "page_index": "index", "offset": "offset"}
_FIRST = {"offset": 0, "index": 1}
_TOTALS = ("total_count", "total_num", "total")


class Pages:
    """Where a walk stands: what to ask next, and whether to ask at all.

    *layout* is what the catalogue knows of the endpoint. Without it the caller's
    parameters tell how the list goes, and the first answer that holds a
    ``next_page_token``.
    """

    def __init__(self, params: Any, path: str, layout: Layout | None = None) -> None:
        given = mapping({} if params is None else params)
        if given is None:
            raise EncodeError("paginate: params must be a mapping")
        self._path = path
        self._layout = layout
        self._params = dict(given)
        self._size = "limit" if layout is None else layout.size
        if "page_size" in self._params:
            self._size = "page_size"
        self._start = self._start_name()
        self._style = _STARTS[self._start]
        usual = layout.usual if layout is not None else None
        if layout is not None and layout.largest is not None:
            usual = usual or min(layout.largest, DEFAULT_LIMIT)
        limit = self._params.pop(self._size, usual or DEFAULT_LIMIT)
        # None: the name of the page size is not known, so that it is not sent.
        known = layout is not None or self._style != "token"
        known = known or self._size == "page_size"
        self._limit: Any = _whole(limit, self._size, 1) if known else None
        self._at: Any = self._params.pop(self._start, _FIRST.get(self._style))
        if self._style != "token":
            self._at = _whole(self._at, self._start, _FIRST[self._style])
        self._seen = self._at if self._style == "offset" else 0
        self._empty = 0
        #: What the page before held.
        self._last: Sequence[Any] = ()
        #: Tokens that were asked for: a page that leads back to one never ends.
        self._tokens: set[str] = set()
        #: Whether there may be another page.
        self.wanted = True

    def _start_name(self) -> str:
        for name in _STARTS:
            if name in self._params:
                return name
        if self._layout is not None:
            return self._layout.start
        return "page_token" if self._size == "page_size" else "offset"

    @property
    def in_body(self) -> bool:
        """Whether the page is asked for in the body, by POST, and not in the query."""
        return self._layout is not None and self._layout.in_body

    @property
    def params(self) -> dict[str, Any]:
        """The query, or the body, of the next page."""
        page = {} if self._at is None else {self._start: self._at}
        size = {} if self._limit is None else {self._size: self._limit}
        if self._style == "token":
            return {**self._params, **size, **page}
        return {**self._params, **page, **size}

    def items(self, data: Any, content: bytes = b"") -> Sequence[Any]:
        """The items of an answer; moves on to the next page.

        An answer of APIv2 that is text gives its lines; the first is where the next
        page starts.
        """
        if data is None and content:
            return self._lines(content.decode("utf-8", "replace"))
        answer = mapping(data) or {}
        found = self._list(answer)
        token = answer.get("next_page_token")
        if token or self._style == "token":
            self._turn(token, len(found))
            return found
        # A server that gives fewer at once than were asked for says so.
        limit = answer.get(self._size)
        if isinstance(limit, int) and 0 < limit < self._limit:
            self._limit = limit
        total = self._total(answer)
        if total is None and found and found == self._last:
            raise DecodeError(f"{self._path}: the answer repeats the page before")
        self._last = found
        self._move(len(found), total)
        return found

    def _move(self, count: int, total: int | None) -> None:
        """On by a page: it may come short where items were removed meanwhile."""
        self._at += self._limit if self._style == "offset" else 1
        self._seen += self._limit
        self._empty = 0 if count else self._empty + 1
        if total is None:
            self.wanted = count >= self._limit
        else:
            self.wanted = self._seen < total and self._empty < EMPTY_PAGES

    def _turn(self, token: Any, count: int) -> None:
        self._empty = 0 if count else self._empty + 1
        if token and self._empty >= EMPTY_TURNS:
            raise DecodeError(
                f"{self._path}: {EMPTY_TURNS} pages in a row hold nothing"
            )
        if self._style == "token":
            self._tokens.add(str(self._at))
            if token and str(token) in self._tokens:
                raise DecodeError(
                    f"{self._path}: the answer points back at a page that was read"
                )
        if self._style != "token":
            # Its page size has a name that nobody has told yet.
            self._limit, self._start, self._style = None, "page_token", "token"
        self._at = token
        self.wanted = bool(token)

    def _lines(self, text: str) -> Sequence[Any]:
        first, *lines = text.splitlines()
        start = first.strip().strip("`")
        self.wanted = bool(lines) and start.isdecimal() and int(start) > self._at
        if self.wanted:
            self._at = int(start)
        return lines

    def _total(self, answer: Mapping[Any, Any]) -> int | None:
        known = self._layout.total if self._layout is not None else None
        places = [known] if known else [(name,) for name in _TOTALS]
        for place in places:
            found = _at(answer, place)
            if isinstance(found, int) and not isinstance(found, bool):
                return found
            if isinstance(found, str) and found.isdecimal():
                return int(found)  # in XML everything is text
        return None

    def _list(self, answer: Mapping[Any, Any]) -> Sequence[Any]:
        known = self._layout.items if self._layout is not None else None
        for place in (known, ("data",)):
            named = None if place is None else sequence(_at(answer, place))
            if named is not None:
                return named
        lists = [found for found in map(sequence, answer.values()) if found is not None]
        if len(lists) == 1:
            return lists[0]
        if not lists and (known is not None or self._total(answer) == 0):
            return []  # an empty list is often left out
        if not lists and "record_num" in answer:
            return [answer] if answer["record_num"] != "0" else []
        raise DecodeError(
            f"{self._path}: the answer has {len(lists)} lists, one was expected; call "
            "the endpoint page by page"
        )


def _at(answer: Mapping[Any, Any], place: tuple[str, ...]) -> Any:
    found: Any = answer
    for name in place:
        found = (mapping(found) or {}).get(name)
    return found


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
