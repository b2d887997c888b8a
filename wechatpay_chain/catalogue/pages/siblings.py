"""The same call as the SDKs for PHP and JavaScript write it, to stand beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..._chain import segment
from ..examples import Arguments
from ..examples.sources import BROKEN, javascript, php
from ..model import Operation

#: How the documents of the PHP SDK call what stands beside our forms.
_PHP = {
    "chain": "同步纯链式",
    "path": "同步声明式",
    "item": "同步属性式",
    "chain_async": "异步纯链式",
    "path_async": "异步声明式",
    "item_async": "异步属性式",
}


@dataclass(frozen=True)
class Sibling:
    """The forms of one SDK."""

    name: str
    language: str
    #: What the names in the forms are.
    preparation: str
    #: By our form beside which they stand: title and code.
    forms: Mapping[str, tuple[str, str]]


def siblings(operation: Operation, given: Arguments) -> list[Sibling]:
    """What readers of the other SDKs know; none where those need a helper class."""
    capital = any(one.isupper() for one in operation.template)
    if operation.encoding == "multipart" or operation.redirect or capital:
        return []  # their chains make "-c" of a capital letter, in items too
    made = (_php(operation, given), _javascript(operation, given))
    return [sibling for sibling in made if sibling.forms]


def _chained(operation: Operation, dot: str) -> str | None:
    """The path as their attributes, which reserve no name."""
    names = [_attribute(text) for text in operation.template.split("/")]
    return None if None in names else dot.join(name for name in names if name)


def _attribute(text: str) -> str | None:
    if text.startswith("{"):
        return f"_{text[1:-1]}_"
    first, *rest = text.split("-")
    name = first + "".join(one.capitalize() for one in rest)
    return name if name.isidentifier() and segment(name) == text else None


def _php(operation: Operation, given: Arguments) -> Sibling:
    options: dict[str, Any] = dict(given.placeholders)
    if given.query:
        options["query"] = given.query
    if given.body:
        options["xml" if operation.encoding == "xml" else "json"] = given.body
    if given.headers:
        options["headers"] = given.headers
    if operation.cert:
        options["security"] = True
    if operation.nonceless:
        options["nonceless"] = True
    verb, path = operation.method.lower(), php(operation.template)
    chain = _chained(operation, "->")
    starts = {"path": f"$instance->chain({path})", "item": f"$instance[{path}]"}
    if chain:
        starts["chain"] = f"$instance->{chain}"
    argument = "$options" if options else ""
    forms: dict[str, tuple[str, str]] = {}
    for kind, title in _PHP.items():
        start = starts.get(kind.removesuffix("_async"))
        if start is None:
            continue
        end = f"{verb}({argument})"
        if kind.endswith("_async"):
            end = f"{verb}Async({argument})->then($done)->wait()"
        forms[kind] = (title, f"{start}->{end};")
    prepared = f"$options = {php(options, BROKEN)};" if options else ""
    return Sibling("PHP", "php", prepared, forms)


def _javascript(operation: Operation, given: Arguments) -> Sibling:
    chain = _chained(operation, ".")
    if chain is None:
        return Sibling("JavaScript", "javascript", "", {})
    posted = operation.method not in ("GET", "DELETE")
    config = _config(operation, given, posted)
    lines: list[str] = []
    words = ["{}"] if posted else []
    if posted and given.body:
        lines.append(f"const body = {javascript(given.body, BROKEN)}")
        words = ["body"]
    if config:
        lines.append(f"const config = {javascript(config, BROKEN)}")
        words.append("config")
    written = ", ".join(words)
    verb = operation.method.lower()
    forms = {"chain_async": ("纯链式", f"await wxpay.{chain}.{verb}({written})")}
    if verb == "post" and given.body:
        forms["call"] = ("简写", f"await wxpay.{chain}({written})")
    return Sibling("JavaScript", "javascript", "\n".join(lines), forms)


def _config(operation: Operation, given: Arguments, posted: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if given.query:
        made["params"] = given.query
    if given.body and not posted:
        made["data"] = given.body
    if given.headers:
        made["headers"] = given.headers
    if operation.cert:
        made["security"] = True
    return {**made, **given.placeholders}
