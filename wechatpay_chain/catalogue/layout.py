"""How a data file is written: one form, so that a change shows only what it changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

#: Columns that a value may end at, to stand on one line.
WIDTH = 150

#: The verbs, in the order in which they stand below one path.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

#: The keys of an endpoint, in their order.
KEYS = (
    *("title", "roles", "tags", "updated", "docs", "deprecated"),
    *("host", "url_prefix", "alt_hosts", "cert", "nonceless"),
    *("upload", "download", "redirect", "paginated", "encoding"),
    *("path", "query", "headers", "body", "body_optional", "any_of", "one_of"),
    *("answers", "errors"),
)

#: What keys of an endpoint may say, where it is one of few.
WORDS: dict[str, tuple[object, ...]] = {
    **dict.fromkeys(("deprecated", "cert", "nonceless", "body_optional"), (True,)),
    **dict.fromkeys(("upload", "download", "redirect"), (True,)),
    "paginated": ("query", "body"),
    "encoding": ("json", "xml", "multipart"),
}

#: The keys of a notification, in theirs.
MESSAGE_KEYS = (
    *("title", "also", "moved_to", "original_type", "docs"),
    *("resource", "reply", "body"),
)


def written(data: Any) -> str:
    """The text of a file that holds *data*.

    >>> print(written({"a": [1, 2]}), end="")
    {"a": [1, 2]}
    """
    return _value(data, 0, 0) + "\n"


def arranged(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The content of the file *name* in its order; names of fields keep theirs."""
    if name == "notifications.json":
        return {
            part: _sorted(given, MESSAGE_KEYS) if part != "envelope" else given
            for part, given in data.items()
        }
    if "/" in name:  # endpoints
        by_path = sorted(data, key=_place)
        return {key: _in_order(data[key], KEYS) for key in by_path}
    return {key: data[key] for key in sorted(data)}


def _sorted(data: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {name: _in_order(data[name], keys) for name in sorted(data)}


def _in_order(given: Any, keys: Iterable[str]) -> Any:
    if not isinstance(given, dict):
        return given
    known = cast("dict[str, Any]", given)
    first = {key: known[key] for key in keys if key in known}
    return first | known  # what is not known comes last, for somebody to see


def _place(key: str) -> tuple[str, int]:
    method, _, template = key.partition(" ")
    return template, METHODS.index(method) if method in METHODS else len(METHODS)


def _value(value: Any, indent: int, lead: int) -> str:
    """*value*, on one line if it ends before the width; *lead* is what precedes it."""
    one = json.dumps(value, ensure_ascii=False)
    if len(one) + indent + lead <= WIDTH or not value:
        return one
    pad, close = " " * (indent + 1), " " * indent
    if isinstance(value, dict):
        lines = [
            pad + name + _value(inner, indent + 1, len(name))
            for name, inner in _named(cast("dict[str, Any]", value))
        ]
        return "{\n" + ",\n".join(lines) + f"\n{close}}}"
    if isinstance(value, list):
        items: list[Any] = [*cast("Iterable[Any]", value)]
        if any(isinstance(item, (dict, list)) for item in items):
            lines = [pad + _value(item, indent + 1, 0) for item in items]
        else:
            lines = [pad + line for line in _filled(items, len(pad))]
        return "[\n" + ",\n".join(lines) + f"\n{close}]"
    return one


def _named(value: dict[str, Any]) -> list[tuple[str, Any]]:
    return [
        (f"{json.dumps(name, ensure_ascii=False)}: ", inner)
        for name, inner in value.items()
    ]


def _filled(items: list[Any], indent: int) -> list[str]:
    """The plain *items*, as many on a line as fit."""
    lines: list[str] = []
    for item in items:
        text = json.dumps(item, ensure_ascii=False)
        if lines and len(f"{lines[-1]}, {text}") + indent < WIDTH:
            lines[-1] += f", {text}"
        else:
            lines.append(text)
    return lines
