"""What the layers ``check`` and ``conceal`` go by: worked out once for an operation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from .._names import MCHIDS
from .._shapes import mapping
from ..errors import Problem
from .amounts import Money, are_sound, is_money
from .groups import softened, unmet
from .model import HOST, Field, Operation
from .places import Places, places
from .schema import Finding, check_members, check_value, got, shown

if TYPE_CHECKING:
    from .._messages import Payload, Request

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
#: What the client adds to the fields of APIv2, beside the merchant number, and what it
#: reads there.
_OURS = frozenset({"nonce_str", "sign", "sign_type"})
#: What an upload adds to ``meta``.
_OF_UPLOADS = frozenset({"filename", "sha256"})


class Plan:
    """What is to be done with the requests and answers of one operation."""

    __slots__ = (
        "_bare",
        "_money",
        "_operation",
        "_template",
        "hidden_body",
        "hidden_query",
        "home",
        "quiet",
        "revealed",
    )

    #: The base URL of nearly all operations.
    usual_home: str = f"https://{HOST}"

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._template = operation.template
        #: Whether it takes no body.
        self._bare = operation.body is None
        is_xml = operation.encoding == "xml"

        def money(name: str, field: Field, within: Field) -> Money | None:
            if not is_money(name, field):
                return None
            # A line of an invoice that is a discount (折扣行) is below zero.
            line = (within.fields or {}).get("discount", Field())
            digits = is_xml or field.format == "numeric"
            return Money(line.type == "boolean", digits)

        self._money = places(Field() if self._bare else _body(operation), money)
        #: The base URL, where it is another than that of all others.
        self.home: str | None = None
        if operation.host != HOST or operation.url_prefix:
            self.home = operation.base_url
        #: What of a request goes out encrypted, if need be with a key that only the
        #: caller has: names in the query, places in the body.
        self.hidden_query: frozenset[str] = frozenset(
            name for name, field in operation.query.items() if _is_hidden(name, field)
        )
        self.hidden_body: Places[Field] | None = places(_body(operation), _is_hidden)
        #: What of an answer is decrypted.
        self.revealed: Places[Field] | None = places(
            operation.answer or Field(), _is_revealed
        )
        marked = self._money or self.hidden_body or self.hidden_query or self.revealed
        #: Whether a body that it takes can hold nothing to tell, hide or open.
        self.quiet: bool = not marked

    def is_idle(self, template: str, payload: Payload | None) -> bool:
        """Whether the layers of the catalogue have nothing to do, whatever is in it."""
        if not self.quiet or template != self._template:
            return False
        return payload is None or not self._bare

    def is_sound(self, template: str, payload: Payload | None) -> bool:
        """Whether nothing can be wrong for certain: a quick look, which may say no."""
        if template != self._template:
            return False
        if payload is None:
            return True
        if self._bare:
            return False
        return self._money is None or are_sound(self._money, payload.value)

    def certain(self, template: str, payload: Payload | None) -> list[Problem]:
        """What is wrong for certain, whatever the catalogue may not know."""
        problems = [*self._slash(template), *self._placeholders(template)]
        if payload is None:
            return problems
        if self._bare and _is_something(payload):
            given = got(payload.value) if payload.files is None else "a file"
            problems.append(Problem("body", "body", given, "no body"))
        if self._money is not None and payload.kind != "raw":
            problems += self._amounts(self._money, payload.value)
        return problems

    def may_conceal(self, request: Request) -> bool:
        """Whether there may be a secret: a quick look, which may say yes."""
        if self.hidden_query and "?" in request.url:
            return True
        payload = request.payload
        if self.hidden_body is None or payload is None:
            return False
        return self.hidden_body.may_be_in(payload.value)

    def _slash(self, template: str) -> Iterator[Problem]:
        """A slash at the end of the path that the documents lack, or want."""
        path = template.partition("?")[0]
        given = path.endswith("/")
        if given != self._template.endswith("/") and "{+" not in path:
            found = "a slash at its end" if given else "no slash at its end"
            yield Problem("path", "unknown", found, repr(self._template))

    def _placeholders(self, template: str) -> Iterator[Problem]:
        """Placeholders of other names, where the catalogue has a placeholder too."""
        known = self._operation.path
        path = template.partition("?")[0]
        # From the end: hk/v3/... is v3/... on a base of its own.
        pairs = zip(self._template.split("/")[::-1], path.split("/")[::-1])
        for part, given in [*pairs][::-1]:
            match = _PLACEHOLDER.fullmatch(given)
            if match is None or match[1] in known or not part.startswith("{"):
                continue
            free = [one for one in known if f"{{{one}}}" not in path]
            expected = " or ".join(f"{{{one}}}" for one in free or known)
            yield Problem(given, "placeholder", given, expected)

    def _amounts(self, money: Places[Money], value: Any) -> Iterator[Problem]:
        for path, amount, mark in money.found(value):
            if mark is not None and not mark.accepts(amount):
                negative = Money(signed=True, digits=mark.digits).accepts(amount)
                yield Problem(
                    path,
                    "range" if negative else "type",
                    got(amount),
                    "0 or more" if negative else "an integer in fen (分)",
                )

    def findings(self, request: Request) -> Iterator[Finding]:
        """Everything that the catalogue has to say against *request*."""
        payload = request.payload
        certain = self.certain(request.template, payload)
        yield from map(Finding, certain)
        yield from self._path(request)
        yield from self._query(request)
        if payload is None or payload.kind != "raw":
            said = {problem.path for problem in certain}
            for finding in self._payload(payload):
                if finding.problem.path not in said:
                    yield finding

    def _path(self, request: Request) -> Iterator[Finding]:
        parts = self._template.rstrip("/").split("/")
        given = request.route.rstrip("/").split("/")[-len(parts) :]
        for part, value in zip(parts[::-1], given[::-1]):
            if part.startswith("{"):
                field = self._operation.path[part[1:-1]]
                yield from check_value(field, unquote(value), part, text=True)

    def _query(self, request: Request) -> Iterator[Finding]:
        fields = self._operation.query
        query = request.url.partition("?")[2]
        values: dict[str, Any] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            is_list = name in values or fields.get(name, Field()).type == "array"
            # Of a list only that it is there: how it is written differs.
            values[name] = None if is_list else value
        signs = self._operation.signs_query
        ours = _ours(fields) if signs else frozenset[str]()
        found = check_members(fields, values, "?", text=True, ours=ours, joint="")
        given = dict.fromkeys(values, "given")
        yield from map(Finding, unmet(self._operation, given, query=True))
        several = {f"?{name}" for name, value in values.items() if value is None}
        yield from (one for one in found if one.problem.path not in several)

    def _payload(self, payload: Payload | None) -> Iterator[Finding]:
        operation = self._operation
        if operation.body is None:
            return
        value = None if payload is None else payload.value
        files = None if payload is None else payload.files
        fields = _body(operation).fields
        ours = _ours(fields or {}) if operation.version == "v2" else frozenset[str]()
        if operation.encoding == "multipart":
            ours = ours or _OF_UPLOADS
            yield from self._files(files)
        elif files is not None:
            yield Finding(Problem("files", "body", "a file", "no file"))
        given = mapping({} if value is None else value)
        if given is None:
            yield Finding(Problem("body", "type", got(value), "an object"))
        elif fields:
            yield from self._members(fields, given, ours)
            yield from map(Finding, unmet(operation, given, query=False))

    def _members(
        self, fields: Mapping[str, Field], given: Mapping[Any, Any], ours: Iterable[str]
    ) -> Iterator[Finding]:
        text = self._operation.version == "v2"
        found = check_members(fields, given, text=text, ours=ours)
        for finding in softened(found, fields, given) if text else found:
            place, rule, _, _ = finding.problem
            if rule == "unknown" and place in self._operation.path:
                problem = Problem(
                    place, "repeated", "a field of the body too", "a placeholder alone"
                )
                finding = finding._replace(problem=problem)
            yield finding

    def _files(self, files: Any) -> Iterator[Finding]:
        fields: Mapping[str, Field] = (self._operation.body or Field()).fields or {}
        wanted = next((name for name, f in fields.items() if f.type == "file"), None)
        given = mapping(files)
        if wanted is None or (given is not None and wanted in given):
            return
        names = ", ".join(map(shown, given)) if given else "no file"
        yield Finding(Problem("files", "required", names, f"a file {wanted!r}"))


def _body(operation: Operation) -> Field:
    """What the caller gives as body: of an upload, the members of ``meta``.

    An upload of APIv2 has no ``meta``, but its fields as parts beside the file.
    """
    body = operation.body or Field()
    if operation.encoding != "multipart":
        return body
    if operation.version == "v2":
        given = {n: f for n, f in (body.fields or {}).items() if f.type != "file"}
        return replace(body, fields=given)
    return (body.fields or {}).get("meta", Field()).content or Field()


def _ours(fields: Mapping[str, Field]) -> frozenset[str]:
    """What the client adds to *fields* of APIv2, and what it reads there."""
    number = next((name for name in MCHIDS if name in fields), MCHIDS[0])
    return _OURS | {number}


def _is_hidden(name: str, field: Field, within: Field | None = None) -> Field | None:
    del name, within
    return field if field.encrypted in ("rsa-platform", "rsa-bank") else None


def _is_revealed(name: str, field: Field, within: Field) -> Field | None:
    del name, within
    return field if field.encrypted == "rsa-merchant" else None


def _is_something(payload: Payload) -> bool:
    """Whether there is more to send than an empty object."""
    if payload.kind == "raw":
        return bool(payload.value)
    return payload.files is not None or payload.value not in (None, {})
