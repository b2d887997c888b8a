"""Values of the catalogue as Python types: ``TypedDict`` classes, equal ones shared.

Requests are strict, for what they may hold is known: enumerations are ``Literal``.
Answers are open: an enumeration there is ``str`` and its known values documentation.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

from .model import Field
from .stub_names import Names, camel

#: Whose value it is. ``"xml"`` and ``"xml-answer"`` are those of APIv2, where every
#: value is text on the wire.
Mode = Literal["request", "query", "xml", "answer", "xml-answer"]

_PLAIN = {"integer": "int", "number": "float", "boolean": "bool", "string": "str"}
#: Stands in the text of a type for a class: its number, and a name that it has for
#: sure.
_MARK = re.compile("<([0-9]+):([A-Za-z0-9_]*)>")
#: Known values that are written out in the documentation of an answer.
_SHOWN = 12


class Member(NamedTuple):
    """A key of a ``TypedDict``."""

    name: str
    kind: str
    required: bool
    note: str


class Shape:
    """A class to be; it is named when all that want a name for it are known."""

    def __init__(self, members: tuple[Member, ...]) -> None:
        self.members = members
        #: Names that must exist, and those of places where it is nested.
        self.own: list[str] = []
        self.nested: list[str] = []
        self.name = ""


class Shapes:
    """The classes of one module."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[Member, ...], int] = {}
        self._all: list[Shape] = []

    def top(self, fields: Mapping[str, Field], mode: Mode, name: str) -> str:
        """The type of a whole body, query or answer, which has *name* for sure."""
        return self._class(fields, mode, name, top=True)

    def kind(self, value: Field, mode: Mode, name: str) -> str:
        """The type of *value*; *name* is for the class that it may need."""
        if mode == "xml-answer":
            return "str"
        if value.type == "array":
            items = value.items
            inner = "Any" if items is None else self.kind(items, mode, name)
            return f"list[{inner}]"
        if value.fields:
            return self._class(value.fields, mode, name)
        if value.options:
            return self._either(value.options, mode, name)
        if value.type == "object":
            return "dict[str, Any]"
        return _scalar(value, mode)

    def _either(self, options: tuple[Field, ...], mode: Mode, name: str) -> str:
        """One class with the keys of all: a union of classes is checked by no rule.

        A checker picks the member of a union by its keys, and refuses what fits two.
        """
        if not all(option.fields for option in options):
            return "Any"
        merged: dict[str, Field] = {}
        for option in options:
            for key, inner in (option.fields or {}).items():
                known = merged.get(key)
                same = known is None or known.type == inner.type
                merged[key] = _loose(inner if same else Field(label=inner.label))
        return self._class(merged, mode, name)

    def _class(
        self, fields: Mapping[str, Field], mode: Mode, name: str, *, top: bool = False
    ) -> str:
        members = tuple(
            Member(
                key,
                self.kind(value, mode, name + camel(key)),
                value.required and not value.unsure,
                note(value, mode),
            )
            for key, value in fields.items()
            if "$" not in key  # numbered on the wire: reply["coupon_id_0"]
        )
        number = self._shapes.setdefault(members, len(self._all))
        if number == len(self._all):
            self._all.append(Shape(members))
        (self._all[number].own if top else self._all[number].nested).append(name)
        return f"<{number}:{name if top else ''}>"

    def settle(self) -> None:
        """Choose the names: those that must exist first, then the shortest."""
        names = Names(name for shape in self._all for name in shape.own)
        for shape in self._all:
            if shape.own:
                shape.name = min(shape.own, key=lambda name: (len(name), name))
        for shape in self._all:
            if not shape.own:
                nearest = sorted(shape.nested, key=lambda name: (len(name), name))
                shape.name = names.take(*nearest)

    def text(self, kind: str, prefix: str = "") -> str:
        """*kind* with the names of the classes in it."""
        return _MARK.sub(lambda m: prefix + (m[2] or self._all[int(m[1])].name), kind)

    def source(self) -> str:
        """The classes, each after those that it mentions, then the further names."""
        blocks = [self._block(shape) for shape in self._all]
        blocks += sorted(
            f"{name} = {shape.name}\n"
            for shape in self._all
            for name in set(shape.own) - {shape.name}
        )
        return "\n".join(blocks)

    def _block(self, shape: Shape) -> str:
        named = (m._replace(kind=self.text(m.kind)) for m in shape.members)
        return _source(shape.name, tuple(named))


def _loose(value: Field) -> Field:
    return replace(value, required=False)


def _scalar(value: Field, mode: Mode) -> str:
    plain = _PLAIN.get(value.type, "Any")
    if mode == "answer" or value.unsure:
        return plain
    if value.enum and value.type in ("string", "integer"):
        kind = literal(value.enum)
        # Numbers go as text too, in XML.
        return f"{kind} | str" if mode == "xml" and value.type == "integer" else kind
    if mode == "xml" and value.type in ("string", "integer", "boolean"):
        return "str | int"
    return plain


def literal(values: Iterable[str | int]) -> str:
    """``Literal["A", "B"]``."""
    return f"Literal[{', '.join(map(quoted, dict.fromkeys(values)))}]"


def quoted(value: str | int) -> str:
    """*value* as Python writes it, a text in double quotes."""
    if isinstance(value, int):
        return repr(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def note(value: Field, mode: Mode) -> str:
    """Label and limits in one line: ``商户服务订单号, 1..32 characters``."""
    parts = [value.label] if value.label else []
    if value.format and value.type in ("string", "any"):
        parts.append(value.format)
    limits = limit(value)
    if limits:
        parts.append(limits)
    if value.encrypted and value.encrypted.startswith("rsa"):
        parts.append("encrypted")
    if value.deprecated:
        parts.append("deprecated")
    if value.content_kind:
        parts.append(f"{value.content_kind} text")
    if value.enum and mode in ("answer", "xml-answer"):
        shown = [str(one) for one in value.enum[:_SHOWN]]
        more = ["..."] if len(value.enum) > _SHOWN else []
        parts.append(" | ".join([*shown, *more]))
    return documented(", ".join(parts))


def limit(value: Field) -> str:
    """The limits of a value: ``1..32 characters``, ``from 1``."""
    if (value.shortest, value.longest) != (None, None):
        unit = "items" if value.type == "array" else "characters"
        return f"{_range(value.shortest, value.longest)} {unit}"
    return _range(value.minimum, value.maximum)


def _range(low: int | None, high: int | None) -> str:
    if low is None and high is None:
        return ""
    if high is None:
        return f"from {low}"
    if low is None:
        return f"up to {high}"
    return f"{low}..{high}" if low != high else f"{low}"


def documented(text: str) -> str:
    """*text* as it can stand in a docstring."""
    return text.replace("\\", "\\\\").replace('"""', "'''").strip().rstrip('"')


def _source(name: str, members: tuple[Member, ...]) -> str:
    """The class *name*, with as few marks of what is required as can be."""
    odd = [member for member in members if not _usual(member.name)]
    optional = sum(not member.required for member in members)
    total = optional <= len(members) - optional
    base, out = "TypedDict", ""
    if odd:  # keys that no attribute can have, such as "from"
        base = f"_{name}"
        keys = ", ".join(f"{quoted(m.name)}: {_marked(m, total)}" for m in odd)
        more = "" if total else ", total=False"
        out = f'{base} = TypedDict("{base}", {{{keys}}}{more})\n\n'
    body = "".join(_line(member, total) for member in members if _usual(member.name))
    bases = base if total else f"{base}, total=False"
    return f"{out}class {name}({bases}):\n{body}" if body else f"{out}{name} = {base}\n"


def _marked(member: Member, total: bool) -> str:
    if member.required is total:
        return member.kind
    return f"{'NotRequired' if total else 'Required'}[{member.kind}]"


def _usual(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _line(member: Member, total: bool) -> str:
    documentation = f'    """{member.note}"""\n' if member.note else ""
    return f"    {member.name}: {_marked(member, total)}\n{documentation}"
