"""Values and calls as source text: Python, PHP and JavaScript."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..._shapes import mapping, sequence
from .samples import Code

#: Columns of a line, as the formatter of this repository has it.
WIDTH = 88
#: As the column of a value: it is broken in any case.
BROKEN = 10**6
#: It is not broken at all.
_FLAT = -BROKEN
_INDENT = 4
_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)


def python(value: Any, column: int = 0, indent: int = 0) -> str:
    """*value* as a Python literal, broken where it passes the width.

    *column* is where it starts on its line, *indent* how far that line is indented.
    """
    return _written(value, _PYTHON, column, indent)


def php(value: Any, column: int = 0, indent: int = 0) -> str:
    """*value* as a PHP literal."""
    return _written(value, _PHP, column, indent)


def javascript(value: Any, column: int = 0, indent: int = 0) -> str:
    """*value* as a JavaScript literal."""
    return _written(value, _JAVASCRIPT, column, indent)


def call(function: str, arguments: Sequence[str], indent: int = 0) -> str:
    """A Python call; one argument a line where it does not fit into one line."""
    line = f"{function}({', '.join(arguments)})"
    if len(line) + indent <= WIDTH or not arguments:
        return line
    inner = " " * (indent + _INDENT)
    close = " " * indent
    joined = f"{inner}{', '.join(arguments)}"
    if len(joined) <= WIDTH:
        return f"{function}(\n{joined}\n{close})"
    lines = "".join(f"{inner}{argument},\n" for argument in arguments)
    return f"{function}(\n{lines}{close})"


class _Language(NamedTuple):
    scalar: Callable[[Any], str]
    key: Callable[[str], str]
    #: Of a mapping.
    brackets: tuple[str, str]


def _written(value: Any, language: _Language, column: int, indent: int) -> str:
    fields, items = mapping(value), sequence(value)
    if fields is not None:
        marks = language.brackets
        parts = [(language.key(str(name)), one) for name, one in fields.items()]
    elif items is not None:
        marks, parts = ("[", "]"), [("", one) for one in items]
    else:
        return language.scalar(value)
    flat = ", ".join(key + _written(one, language, _FLAT, 0) for key, one in parts)
    line = f"{marks[0]}{flat}{marks[1]}"
    # A comma may follow.
    if column + len(line) < WIDTH or not parts:
        return line
    inner = indent + _INDENT
    lines = [
        " " * inner + key + _written(one, language, inner + len(key), inner) + ","
        for key, one in parts
    ]
    return "\n".join([marks[0], *lines, " " * indent + marks[1]])


def _python_scalar(value: Any) -> str:
    if isinstance(value, Code) or value is None or isinstance(value, bool):
        return str(value)
    return json.dumps(value, ensure_ascii=False)  # with double quotes


def _other_scalar(value: Any) -> str:
    """As PHP and JavaScript both have it."""
    return _single(value) if isinstance(value, str) else json.dumps(value)


def _single(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{quoted}'"


def _javascript_key(name: str) -> str:
    plain = _NAME.fullmatch(name) is not None
    return f"{name if plain else _other_scalar(name)}: "


def _python_key(name: str) -> str:
    return f"{_python_scalar(name)}: "


def _php_key(name: str) -> str:
    return f"{_other_scalar(name)} => "


_PYTHON = _Language(_python_scalar, _python_key, ("{", "}"))
_PHP = _Language(_other_scalar, _php_key, ("[", "]"))
_JAVASCRIPT = _Language(_other_scalar, _javascript_key, ("{", "}"))
