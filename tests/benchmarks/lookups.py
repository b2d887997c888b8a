"""What the catalogue costs when somebody asks: loading, finding, searching, helping."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from typing import Any

from measure import Contender, Effort, race
from report import Row, Target

from wechatpay_chain import Node, catalogue
from wechatpay_chain.catalogue import index, search, store

#: Microseconds at most.
LOAD, FIND, SEARCH = 10_000, 20, 100_000


def lookups(effort: Effort) -> list[Row]:
    """Measure each question on its own."""
    rows = [_row(f"load {name}", run, effort, LOAD) for name, run in _loads()]
    paths = _filled()
    rows += [
        _row(
            "find by a filled path", lambda: catalogue.find(*next(paths)), effort, FIND
        ),
        _row("search, with nothing loaded", _cold_search, effort, SEARCH),
        _row("search again", lambda: search("取消 订单"), effort),
        _row("a verb's help", lambda: _NODE.post.__doc__, effort),
        _row("names of a node", lambda: dir(_NODE), effort),
    ]
    return rows


def _row(
    name: str, function: Callable[[], Any], effort: Effort, bound: float | None = None
) -> Row:
    def repeat(times: int) -> None:
        for _ in range(times):
            function()

    targets = () if bound is None else (Target("µs", bound),)
    return Row("catalogue", race([Contender(name, repeat)], effort)[0], targets=targets)


def _loads() -> Iterator[tuple[str, Callable[[], Any]]]:
    """The three segments that have the most to load, by the size of their files."""
    sizes = {
        (version, name): (store._DATA / version / f"{name}.json").read_text("utf-8")
        for version in store.VERSIONS
        for name in store.segments(version)
    }
    largest = sorted(sizes, key=lambda key: len(sizes[key]), reverse=True)[:3]
    for version, name in largest:
        yield f"{version}/{name}", partial(store._segment.__wrapped__, version, name)


def _filled() -> Iterator[tuple[str, str]]:
    known = list(catalogue.operations())
    return cycle(
        (one.method, re.sub(r"\{\w+\}", "ORDER-0001", one.template)) for one in known
    )


def _cold_search() -> None:
    for cached in (
        store._segment,
        store.definitions,
        store.definition,
        store.synonyms,
        index.entries,
        index.defined,
    ):
        cached.cache_clear()
    search("取消 订单")


_NODE: Node = Node(None, "v3/payscore/serviceorder/{out_order_no}/cancel")  # type: ignore[arg-type]
