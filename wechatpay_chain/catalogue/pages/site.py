"""The reference as a site of static files: addresses, neighbours, pages, indexes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ..._version import __version__
from .. import examples
from ..model import HOST, Field, Operation
from ..store import VERSIONS
from . import failures, notes, searching, tables
from .siblings import siblings
from .typed import Typed, typed

#: What each version is, in words.
TITLES: Mapping[str, str] = {
    "v3": "APIv3, JSON",
    "v2": "APIv2, XML",
    "hk": "Hong Kong, JSON",
}

#: Segments that only say for whom an endpoint is: paths that are equal without them
#: do the same.
_ROLES = frozenset(
    {
        "acquiring-bank",
        "acquiringbank",
        "brand",
        "ecommerce",
        "global",
        "hk",
        "oversea",
        "partner",
        "platsolution",
    }
)

_HERE = __name__.rpartition(".")[0]
_STATIC = files(_HERE) / "static"


def address(operation: Operation) -> str:
    """Where the page of *operation* is, from the root of the site.

    Its name is the chain: ``v3/payscore/serviceorder._out_order_no_.cancel.post.html``.
    """
    version, segment, rest = located(operation)
    names = [f"_{one[1:-1]}_" if one.startswith("{") else one for one in rest]
    # An empty last segment gives two dots in a row.
    return f"{version}/{segment}/{'.'.join([*names, operation.method.lower()])}.html"


def located(operation: Operation) -> tuple[str, str, list[str]]:
    """Version, segment, and what follows in the path."""
    version, *rest = operation.template.split("/")
    if version == "hk":
        rest = rest[1:]  # "hk/v3/..."
    return version, rest[0], rest[1:]


class Site:
    """All pages, for one set of operations."""

    def __init__(self, operations: Iterator[Operation]) -> None:
        self.operations: tuple[Operation, ...] = tuple(operations)
        self._templates = Environment(
            loader=PackageLoader(_HERE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["path"] = _path
        shared: dict[str, Any] = {
            "address": address,
            "count": len(self.operations),
            "version": __version__,
        }
        for name, value in shared.items():
            self._templates.globals[name] = value

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {str(one): place for place, one in enumerate(self.operations)}

    @cached_property
    def segments(self) -> Mapping[tuple[str, str], list[Operation]]:
        """The operations of each version and segment."""
        return _grouped((located(one)[:2], one) for one in self.operations)

    @cached_property
    def tags(self) -> Mapping[str, list[Operation]]:
        """The operations of each product (产品), by tag."""
        found = _grouped((tag, one) for one in self.operations for tag in one.tags)
        return dict(sorted(found.items()))

    @cached_property
    def _types(self) -> Mapping[str, Typed]:
        made: dict[str, Typed] = {}
        for (version, segment), found in self.segments.items():
            made.update(typed(found, version, segment))
        return made

    @cached_property
    def _equals(self) -> Mapping[Any, list[Operation]]:
        return _grouped((_without_role(one), one) for one in self.operations)

    @cached_property
    def _verbs(self) -> Mapping[str, list[Operation]]:
        return _grouped((one.template, one) for one in self.operations)

    def files(self) -> Iterator[tuple[str, str]]:
        """Every file of the site: its address and its text."""
        for entry in _STATIC.iterdir():
            yield entry.name, entry.read_text("utf-8")
        yield "search-index.js", searching.index(self.operations, address)
        yield "index.html", self.index()
        yield "tags.html", self.tag_index()
        for version, segment in self.segments:
            yield f"{version}/{segment}/index.html", self.segment(version, segment)
        for operation in self.operations:
            yield address(operation), self.page(operation)

    def page(self, operation: Operation) -> str:
        """The page of *operation*."""
        version, segment, _ = located(operation)
        given = examples.arguments(operation)
        return self._render(
            "operation.html",
            root="../../",
            operation=operation,
            where=(version, segment),
            preparation=examples.preparation(operation, given),
            forms=examples.forms(operation, given),
            result=examples.result(operation, given),
            paging=examples.paging(operation, given),
            parts=_parts(operation),
            types=self._types[str(operation)],
            siblings=siblings(operation, given),
            parameters=_parameters(operation),
            answers={
                status: answer and tables.body_rows(answer)
                for status, answer in operation.answers.items()
            },
            rows=tables.body_rows,
            default_host=HOST,
            documented=failures.documented(operation),
            general=failures.general(operation),
            notes=Markup(notes.html(operation)),
            verbs=[o for o in self._verbs[operation.template] if o is not operation],
            equals=[
                o for o in self._equals[_without_role(operation)] if o is not operation
            ],
            neighbours=self._neighbours(operation),
        )

    def segment(self, version: str, segment: str) -> str:
        """The list of the operations of one segment."""
        return self._render(
            "segment.html",
            root="../../",
            where=(version, segment),
            operations=self.segments[version, segment],
        )

    def index(self) -> str:
        """The first page: search, versions, segments."""
        shelves = {
            version: [
                (segment, found, _theme(found))
                for (one, segment), found in self.segments.items()
                if one == version
            ]
            for version in VERSIONS
        }
        return self._render("index.html", root="", shelves=shelves, titles=TITLES)

    def tag_index(self) -> str:
        """The list by product tag."""
        return self._render("tags.html", root="", tags=self.tags)

    def _neighbours(
        self, operation: Operation
    ) -> tuple[Operation | None, Operation | None]:
        place = self._places[str(operation)]
        around = [None, *self.operations, None]
        return around[place], around[place + 2]

    def _render(self, template: str, **names: Any) -> str:
        return self._templates.get_template(template).render(**names)


def _parameters(operation: Operation) -> list[tuple[str, str, list[tables.Row]]]:
    """The tables of what is sent: anchor, title, rows."""
    body = {"json": "Body, JSON", "xml": "Body, XML", "multipart": "Parts of the body"}
    made = [
        ("path", "Path", tables.rows(operation.path)),
        ("query", "Query", tables.rows(operation.query)),
        ("headers", "Headers", tables.rows(operation.further_headers)),
        ("body", body.get(operation.encoding or "", ""), _body(operation)),
    ]
    return [part for part in made if part[2]]


def _parts(operation: Operation) -> list[str]:
    """Parts of an upload besides ``meta`` and the file."""
    fields = (operation.body or Field()).fields or {}
    return [n for n, one in fields.items() if n != "meta" and one.type != "file"]


def _body(operation: Operation) -> list[tables.Row]:
    return tables.body_rows(operation.body)


def _without_role(operation: Operation) -> tuple[Any, ...]:
    names = [one for one in operation.template.split("/") if one not in {*_ROLES, "v3"}]
    return operation.method, *names


def _grouped(pairs: Iterator[tuple[Any, Operation]]) -> dict[Any, list[Operation]]:
    made: dict[Any, list[Operation]] = {}
    for key, operation in pairs:
        made.setdefault(key, []).append(operation)
    return made


def _theme(operations: list[Operation]) -> str:
    """The product that most of *operations* belong to."""
    levels = [tag.split("∙") for one in operations for tag in one.tags]
    names = Counter(one[one[0] == "APIv2" and len(one) > 1] for one in levels)
    return names.most_common(1)[0][0] if names else ""


def _path(text: str) -> Markup:
    """A path that may break after slashes, with its placeholders marked."""
    parts = [
        Markup("<var>{}</var>").format(one) if one.startswith("{") else escape(one)
        for one in text.split("/")
    ]
    return Markup("/<wbr>").join(parts)
