"""What a typed verb takes and gives: the types of one operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .model import Field, Operation
from .stub_shapes import Mode, Shapes, literal

#: Fields that the client adds to what it signs for APIv2, or does well without.
ADDED = frozenset({"mch_id", "nonce_str", "sign"})
#: Of each pair one is enough, though the documents of APIv2 mark both as required.
_EITHER = (
    ("transaction_id", "out_trade_no"),
    ("refund_id", "out_refund_no"),
    ("sub_order_id", "sub_order_no"),
    ("return_query_id", "out_order_no"),
)
#: Members of ``meta`` that an upload fills in by itself.
_MEASURED = frozenset({"filename", "sha256"})
#: What a walk over pages sets by itself.
_PAGED = frozenset({"offset", "limit", "page_size", "page_token"})


@dataclass(frozen=True)
class Call:
    """The types of one operation, as texts of :class:`Shapes`; ``""`` is none."""

    operation: Operation
    body: str = ""
    query: str = ""
    data: str = "None"
    #: Query and items of a walk over pages.
    pages: str = ""
    items: str = ""
    #: Placeholders and their types.
    placeholders: tuple[tuple[str, str], ...] = ()
    #: Whether a file goes with it.
    files: bool = False


def call(operation: Operation, shapes: Shapes, name: str) -> Call:
    """The types of *operation*; *name* is that of its path."""
    name += operation.method.capitalize()
    old = operation.version == "v2"
    answer: Mode = "xml-answer" if old else "answer"
    query = pages = items = ""
    if operation.query:
        given = dict(operation.query)
        if operation.signs_query:
            given = _signed(given)
        query = shapes.top(given, "query", f"{name}Query")
    if operation.method == "GET" and is_list(operation):
        # A list without parameters is no list.
        free = {k: _unforced(k, f) for k, f in operation.query.items()}
        pages = query if free == operation.query else ""
        pages = pages or shapes.top(free, "query", f"{name}Pages")
        found = listed(operation)
        items = "Any" if found is None else shapes.kind(found, answer, f"{name}Item")
    return Call(
        operation,
        _body(operation, shapes, f"{name}Body"),
        query,
        _data(operation, shapes, answer, f"{name}Data"),
        pages,
        items,
        tuple((key, _key(value)) for key, value in operation.path.items()),
        operation.upload,
    )


def _unforced(key: str, value: Field) -> Field:
    return replace(value, required=False) if key in _PAGED else value


def _key(value: Field) -> str:
    return literal(value.enum) if value.enum and value.type == "string" else "str | int"


def _body(operation: Operation, shapes: Shapes, name: str) -> str:
    body = operation.body
    if body is None:
        return ""
    fields = dict(body.fields or {})
    if operation.version == "v2":
        return _xml(fields, shapes, name)
    if operation.upload:
        meta = fields.get("meta", Field())
        fields = dict((meta.content or Field()).fields or {})
        for key in _MEASURED & fields.keys():
            fields[key] = replace(fields[key], required=False)
    return shapes.top(fields, "request", name) if fields else "dict[str, Any]"


def _xml(fields: Mapping[str, Field], shapes: Shapes, name: str) -> str:
    given = {n: f for n, f in _signed(fields).items() if f.type != "file"}
    return shapes.top(given, "xml", name) if given else "dict[str, str | int]"


def _signed(fields: Mapping[str, Field]) -> dict[str, Field]:
    """*fields* with what the client adds, and either of two numbers, as optional."""
    free = set(ADDED)
    for pair in _EITHER:
        if all(key in fields and fields[key].required for key in pair):
            free.update(pair)
    if "MD5" in (sign_type := fields.get("sign_type", Field())).enum or (
        not sign_type.enum
    ):
        free.add("sign_type")  # it is the default
    return {
        key: replace(value, required=False) if key in free else value
        for key, value in fields.items()
    }


def _data(operation: Operation, shapes: Shapes, mode: Mode, name: str) -> str:
    """The type of ``reply.data``: ``None`` for an empty body and for a file."""
    kinds: dict[str, None] = {}
    for answer in operation.answers.values():
        if answer is None or answer.type == "file":
            kinds["None"] = None
        elif (mode == "xml-answer" and answer.fields) or answer.fields:
            kinds[shapes.top(answer.fields, mode, name)] = None
        else:
            kinds["dict[str, str]" if mode == "xml-answer" else "dict[str, Any]"] = None
    return " | ".join(sorted(kinds, key=lambda kind: kind == "None")) or "Any"


def is_list(operation: Operation) -> bool:
    """Whether ``paginate`` can walk over it."""
    return operation.paginated == "query" or "page_token" in operation.query


def listed(operation: Operation) -> Field | None:
    """The items of the list that *operation* answers, where it is clear which."""
    fields: Mapping[str, Field] = (operation.answer or Field()).fields or {}
    lists = {name: field for name, field in fields.items() if field.type == "array"}
    if "data" in lists:
        return lists["data"].items
    return next(iter(lists.values())).items if len(lists) == 1 else None
