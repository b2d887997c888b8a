"""An endpoint as plain text: what ``help(node.post)`` and ``wxpay api`` show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap
from typing import NamedTuple

from .._chain import attribute
from .groups import described
from .model import HOST, Field, Operation

#: Columns that the text fits into, as far as names and links allow.
WIDTH = 88
_PLACES = (("path", "Placeholders"), ("query", "Query"), ("further_headers", "Headers"))
_ENCODINGS = {"json": "JSON", "xml": "XML", "multipart": "multipart/form-data"}


class _Row(NamedTuple):
    """One value: its name, indented as deep as it lies, its kind, and its label."""

    name: str
    kind: str
    label: str


def describe(operation: Operation) -> str:
    """Everything that the catalogue knows of *operation*.

    A ``*`` after a name: required. Lengths are in characters.
    """
    parts = [f"{operation.title}\n{_indented(_head(operation))}"]
    for name, title in _PLACES:
        fields: Mapping[str, Field] = getattr(operation, name)
        if fields:
            parts.append(_section(title, _table(_rows(fields))))
    if operation.body is not None:
        kind = _ENCODINGS.get(operation.encoding or "", "")
        optional = ", optional" if operation.body_optional else ""
        parts.append(_section(f"Body, {kind}{optional}", _value(operation.body)))
    chosen = list(described(operation))
    if chosen:
        parts.append(_section("Choices", chosen))
    for status, answer in operation.answers.items():
        if answer is None:
            parts.append(f"Answer {status}, empty")
        else:
            parts.append(_section(f"Answer {status}", _value(answer)))
    if operation.errors:
        parts.append(_section("Errors", _table(_errors(operation.errors))))
    if operation.docs:
        parts.append(_section("Documents", operation.docs))
    return "\n\n".join(parts)


def overview(
    path: str, known: Mapping[str, Operation], below: Iterable[str]
) -> str | None:
    """What can be called at *path*, and which segments follow; ``None`` if nothing."""
    lines = [f"{method:<7}{operation.title}" for method, operation in known.items()]
    names = [attribute(segment) or f"[{segment!r}]" for segment in below]
    if names:
        lines += wrap("Below: " + ", ".join(names), WIDTH, break_on_hyphens=False)
    return "\n".join([path, "", *lines]) if lines else None


def _head(operation: Operation) -> Iterator[str]:
    """The lines under the title: what it is called by, and for whom it is."""
    yield str(operation)
    yield operation.expression
    yield ""
    if operation.deprecated:
        yield "Withdrawn or replaced; kept for old contracts."
    if operation.roles:
        yield f"For {'、'.join(operation.roles)}"
    if operation.tags:
        yield f"Of {'、'.join(operation.tags)}"
    if operation.host != HOST or operation.url_prefix:
        yield f"At {operation.base_url}"
    for host in operation.alt_hosts:
        yield f"Also at {host}"
    if operation.cert:
        yield "Needs the merchant's client certificate."
    if operation.updated:
        yield f"Document of {operation.updated}"


def _value(value: Field) -> list[str]:
    """The lines that tell of a body or an answer."""
    if value.type == "object" and value.fields and not value.label:
        return _table(_rows(value.fields))
    return _table([_Row(_kind(value), "", _label(value)), *_inside(value, 1)])


def _rows(fields: Mapping[str, Field], depth: int = 0) -> Iterator[_Row | str]:
    for name, value in fields.items():
        mark = "*" if value.required else ""
        yield _Row(f"{'  ' * depth}{name}{mark}", _kind(value), _label(value))
        yield from _inside(value, depth + 1)


def _inside(value: Field, depth: int) -> Iterator[_Row | str]:
    """The lines below the one of *value*: its choices, fields, alternatives."""
    pad = "  " * depth
    if value.enum:
        choices = " | ".join(map(str, value.enum))
        yield from (pad + line for line in wrap(choices, WIDTH - 2 - len(pad)))
    if value.pattern:
        yield f"{pad}matches {value.pattern}"
    yield from _rows(value.fields or {}, depth)
    if value.items is not None:
        yield from _inside(value.items, depth)
    if value.content is not None:
        yield f"{pad}holds, as {value.content_kind}:"
        yield from _inside(value.content, depth + 1)
    if value.failure is not None:
        yield f"{pad}where it fails:"
        yield from _inside(value.failure, depth + 1)
    for option in value.options:
        yield _Row(f"{pad}or", _kind(option), _label(option))
        yield from _inside(option, depth + 1)


def _table(rows: Iterable[_Row | str]) -> list[str]:
    lines = list(rows)
    cells = [line for line in lines if isinstance(line, _Row)]
    first = max((len(row.name) for row in cells), default=0) + 2
    second = max((len(row.kind) for row in cells), default=0) + 2
    return [
        line
        if isinstance(line, str)
        else f"{line.name:<{first}}{line.kind:<{second}}{line.label}".rstrip()
        for line in lines
    ]


def _kind(value: Field) -> str:
    """The type of *value* with its limits: ``string 1..32``."""
    words = [f"{value.type}({value.format})" if value.format else value.type]
    if value.items is not None:
        words = [f"array of {_kind(value.items)}"]
    for low, high in (
        (value.minimum, value.maximum),
        (value.shortest, value.longest),
    ):
        if low is not None or high is not None:
            low_text, high_text = ("" if n is None else str(n) for n in (low, high))
            words.append(f"{low_text}..{high_text}")
    if value.default is not None:
        words.append(f"={value.default}")
    words += [
        word
        for word, holds in (
            ("encrypted", value.encrypted),
            ("signed", value.signed),
            ("may be empty", value.nullable),
            ("withdrawn", value.deprecated),
            ("not sure", value.unsure),
        )
        if holds
    ]
    return " ".join(words)


def _label(value: Field) -> str:
    inner = value.items.label if value.items is not None else ""
    return value.label or inner


def _errors(errors: Mapping[str, int | list[int]]) -> Iterator[_Row]:
    for code, status in errors.items():
        statuses = status if isinstance(status, list) else [status]
        yield _Row(code, ", ".join(map(str, statuses)), "")


def _section(title: str, lines: Iterable[str]) -> str:
    return f"{title}\n{_indented(lines)}"


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"  {line}".rstrip() for line in lines)
