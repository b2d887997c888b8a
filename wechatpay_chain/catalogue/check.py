"""What must hold of the data files: the whole of it, in one list of problems."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

from .. import _chain, _uri
from ..errors import TemplateError
from . import groups, layout
from .model import Field, Operation
from .notation import NotationError, parse_field, parse_operation
from .values import Fault, faults

#: Where the data files are.
DATA = Path(__file__).parent / "data"

_PARTS = ("path", "query", "headers")
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_DATE = re.compile(r"\d{4}\.\d\d\.\d\d")
_REFERENCE = re.compile(r'"@([\w.-]+)')
_LINK = re.compile(r"/\S+|https://\S+")


class Problem(NamedTuple):
    """What is wrong, in which file, of which endpoint, at which field."""

    file: str
    key: str
    place: str
    what: str

    def __str__(self) -> str:
        return ": ".join(part for part in self if part)


def check(folder: Path = DATA) -> list[Problem]:
    """Every problem of the data files in *folder*."""
    return list(_Checker(folder).problems())


def rewrite(folder: Path = DATA) -> list[str]:
    """Bring every file of *folder* into its form; the names of those that changed.

    Raises ``ValueError`` for one that is no JSON.
    """
    changed: list[str] = []
    for path in sorted(folder.rglob("*.json")):
        name = path.relative_to(folder).as_posix()
        text = path.read_text("utf-8")
        formed = layout.written(layout.arranged(name, _read(text)))
        if formed != text:
            path.write_text(formed, "utf-8")
            changed.append(name)
    return changed


def _read(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in pairs:
        if name in out:
            raise ValueError(f"{name!r} stands twice in one object")
        out[name] = value
    return out


class _Checker:
    def __init__(self, folder: Path) -> None:
        self._texts = {
            path.relative_to(folder).as_posix(): path.read_text("utf-8")
            for path in sorted(folder.rglob("*.json"))
        }
        self._read: dict[str, Any] = {}
        self._open: list[str] = []
        self._made: dict[str, Field] = {}

    def problems(self) -> Iterator[Problem]:
        for name, text in self._texts.items():
            yield from self._of_text(name, text)
        if len(self._read) < len(self._texts):
            return  # half of the facts would only raise more questions
        for name, data in self._read.items():
            if "/" in name:
                for key, given in data.items():
                    yield from self._of_endpoint(name, key, given)
        yield from self._of_definitions("definitions.json")
        yield from self._of_notifications("notifications.json")

    def _of_text(self, name: str, text: str) -> Iterator[Problem]:
        try:
            data: object = _read(text)
        except ValueError as error:
            yield Problem(name, "", "", str(error))
            return
        if not isinstance(data, dict):
            yield Problem(name, "", "", "an object expected")
            return
        self._read[name] = data
        formed = layout.written(layout.arranged(name, cast("dict[str, Any]", data)))
        if formed != text:
            pairs = zip(text.splitlines(), formed.splitlines())
            same = next((at for at, (a, b) in enumerate(pairs, 1) if a != b), "the end")
            what = f"line {same} is not as it is written by --write"
            yield Problem(name, "", "", what)

    def _define(self, name: str) -> Field:
        known: Mapping[str, Any] = self._read.get("definitions.json", {})
        if name not in known:
            raise NotationError(f"@{name} is not in definitions.json")
        if name in self._open:
            raise NotationError(f"@{name} contains itself")
        if name not in self._made:
            self._open.append(name)
            try:
                self._made[name] = parse_field(known[name], self._define)
            finally:
                self._open.pop()
        return self._made[name]

    def _of_endpoint(
        self, file: str, key: str, given: Mapping[str, Any]
    ) -> Iterator[Problem]:
        problem = partial(Problem, file, key)
        found = [*_of_key(file, key), *_of_shape(given)]
        if not found:
            found += self._of_values(given)
        if not found:
            try:
                found += _of_operation(parse_operation(key, given, self._define))
            except NotationError as error:
                found.append(Fault("", str(error).removeprefix(f"{key}: ")))
        yield from (problem(*fault) for fault in found)

    def _of_values(self, given: Mapping[str, Any]) -> Iterator[Fault]:
        for part in (*_PARTS, "body"):
            if part in given:
                yield from faults(given[part], part, self._define)
        for status, answer in given["answers"].items():
            if answer is not None:
                yield from faults(answer, f"answers.{status}", self._define)

    def _of_definitions(self, file: str) -> Iterator[Problem]:
        used = {
            name for text in self._texts.values() for name in _REFERENCE.findall(text)
        }
        for name, given in self._read[file].items():
            for fault in faults(given, "", self._define):
                yield Problem(file, name, *fault)
            if name not in used:
                yield Problem(file, name, "", "nothing refers to it")

    def _of_notifications(self, file: str) -> Iterator[Problem]:
        data = self._read[file]
        for fault in faults(data["envelope"], "", self._define):
            yield Problem(file, "envelope", *fault)
        for version in ("v3", "v2"):
            for event, given in data[version].items():
                for fault in self._of_message(given, data[version]):
                    yield Problem(file, event, *fault)

    def _of_message(
        self, given: Mapping[str, Any], others: Mapping[str, Any]
    ) -> Iterator[Fault]:
        for key in given.keys() - set(layout.MESSAGE_KEYS):
            yield Fault(key, "is not understood")
        for part in ("resource", "reply", "body"):
            if part in given:
                yield from faults(given[part], part, self._define)
        moved = given.get("moved_to")
        if moved is not None and moved not in others:
            yield Fault("moved_to", f"{moved} is no notification")
        if not {"moved_to", "resource", "body"} & given.keys():
            yield Fault("", "neither resource nor body nor moved_to")


def _of_key(file: str, key: str) -> Iterator[Fault]:
    method, _, template = key.partition(" ")
    if method not in layout.METHODS:
        yield Fault("", f"{method!r} is none of {', '.join(layout.METHODS)}")
    version, name = file.removesuffix(".json").split("/")
    start = f"{version}/v3/{name}" if version == "hk" else f"{version}/{name}"
    if f"{template}/".startswith(f"{start}/"):
        yield from _of_template(template)
    else:
        yield Fault("", f"its path does not start with {start}/")


def _of_template(template: str) -> Iterator[Fault]:
    try:
        _uri.parse(template)
    except TemplateError as error:
        yield Fault("", str(error))
        return
    for part in template.split("/"):
        if "{" in part and not _PLACEHOLDER.fullmatch(part):
            yield Fault(
                "", f"{part!r}: a placeholder is a whole segment, {{lower_case}}"
            )
    back = _template_of(_chain.expression(template))
    if back != template:
        yield Fault("", f"its expression leads to {back}")


def _template_of(expression: str) -> str:
    """Where an expression leads: ``client.v3.pay`` to ``v3/pay``."""
    node = ast.parse(expression, mode="eval").body
    parts: list[str] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            parts.append(_chain.segment(node.attr) or "?")
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            parts.append(str(node.slice.value))
        else:
            return "?"
        node = node.value
    return "/".join(reversed(parts))


def _of_shape(given: Mapping[str, Any]) -> Iterator[Fault]:
    """What must hold before the values can be looked at."""
    for key in given.keys() - set(layout.KEYS):
        yield Fault(key, "is not understood")
    for key in ("title", "answers"):
        if not given.get(key):
            yield Fault(key, "is missing")
    for key, value in given.items():
        if value not in layout.WORDS.get(key, (value,)):
            yield Fault(key, f"{value!r} is none of {layout.WORDS[key]}")
    for key in ("roles", "tags", "docs", "alt_hosts"):
        texts = given.get(key, ["-"])
        if not isinstance(texts, list) or not texts or "" in texts:
            yield Fault(key, "a list of texts expected, or nothing")
    for key in ("any_of", "one_of"):
        listed: list[object] = given.get(key, [["-"]])
        if not all(isinstance(one, list) for one in listed):
            yield Fault(key, "a list of lists of names expected")
    for key in ("answers", "errors", *_PARTS):
        part: Any = given.get(key, {})
        named = isinstance(part, str) and part.startswith("@") and key in _PARTS
        if not isinstance(part, dict) and not named:
            yield Fault(key, "an object expected")
        elif key == "answers":
            yield from _of_statuses(cast("dict[str, Any]", part))


def _of_statuses(answers: Mapping[str, Any]) -> Iterator[Fault]:
    for status in answers:
        if not re.fullmatch("2[0-9][0-9]|302", status):
            yield Fault(f"answers.{status}", "2xx expected, or 302")


def _of_operation(operation: Operation) -> Iterator[Fault]:
    """What must hold of an endpoint that can be read."""
    if list(operation.path) != _PLACEHOLDER.findall(operation.template):
        yield Fault("path", f"{', '.join(operation.path)} are not its placeholders")
    if operation.answers.get(204) is not None:
        yield Fault("answers.204", "has no body")
    if (302 in operation.answers) != operation.redirect:
        yield Fault("redirect", "stands for an answer 302, and only for that")
    answer = operation.answer
    if operation.download != (answer is not None and answer.type == "file"):
        yield Fault("download", "stands for an answer of type file, and only for that")
    parts = (operation.body and operation.body.fields) or {}
    if operation.upload and not any(part.type == "file" for part in parts.values()):
        yield Fault("upload", "the body has no part of type file")
    if operation.paginated:
        where = operation.query if operation.paginated == "query" else parts
        if not {"offset", "limit"} <= where.keys():
            yield Fault("paginated", f"{operation.paginated} lacks offset and limit")
    for code, statuses in operation.errors.items():
        listed = isinstance(statuses, list)
        for status in cast("list[int]", statuses if listed else [statuses]):
            if not 400 <= status < 600:
                yield Fault(f"errors.{code}", f"{status} is no status of an error")
    yield from groups.misplaced(operation)
    yield from _of_words(operation)


def _of_words(operation: Operation) -> Iterator[Fault]:
    if operation.updated is not None and not _DATE.fullmatch(operation.updated):
        yield Fault("updated", f"{operation.updated!r} is not YYYY.MM.DD")
    for link in operation.links:
        if not _LINK.fullmatch(link):
            yield Fault("docs", f"{link!r} starts with neither / nor https://")
    for host in (operation.host, *operation.alt_hosts):
        if not re.fullmatch(r"[a-z0-9.-]+", host):
            yield Fault("host", f"{host!r} is no host name")
    if not re.fullmatch(r"(/[\w-]+)*", operation.url_prefix):
        yield Fault("url_prefix", f"{operation.url_prefix!r} is not /segments")
