"""The search index: a script, because pages opened from disk cannot fetch data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from .. import store
from ..index import entries as searched
from ..model import Field, Operation
from ..search import FILLERS


def index(operations: Iterable[Operation], address: Callable[[Operation], str]) -> str:
    """The text of ``search-index.js``: what ``search.js`` looks through.

    Each field, with its label, is written once; endpoints name theirs by number. What
    endpoints are called beside their titles, and which come last, is as for
    :func:`~wechatpay_chain.catalogue.search`.
    """
    bonus = {entry.key: entry.bonus for entry in searched()}
    numbers: dict[str, int] = {}
    entries: list[list[object]] = []
    for one in operations:
        words = dict.fromkeys(_words(one))
        found = [numbers.setdefault(word, len(numbers)) for word in words]
        about = " ".join((*one.tags, *one.roles))
        entries.append(
            [
                address(one),
                one.method,
                one.template,
                one.title,
                about,
                int(one.deprecated),
                found,
                [*store.names().get(str(one), ()), *one.errors],
                bonus[str(one)],
            ]
        )
    data = {
        "fields": list(numbers),
        "entries": entries,
        "synonyms": store.synonyms(),
        "fillers": sorted(FILLERS),
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"window.REFERENCE = {text};\n"


def _words(operation: Operation) -> Iterator[str]:
    """Name and label of each field that goes in or comes out."""
    parts = (operation.path, operation.query, operation.headers)
    for field in (*map(_object, parts), operation.body, *operation.answers.values()):
        for place, inner in field.walk() if field else ():
            name = place.rpartition(".")[2].partition("[")[0].partition("<")[0]
            if name and "|" not in name:
                yield f"{name} {inner.label}".strip()


def _object(fields: object) -> Field:
    return Field("object", fields=fields)  # type: ignore[arg-type]
