"""Sensitive fields (敏感字段) of requests: do they open with the key that is named?

Protocol section 11. In production a value in plain text is refused, and one that was
encrypted for another key is too.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ... import crypto
from ..._messages import Headers
from ...catalogue.model import Operation
from ...errors import DecryptionError
from ..refusals import Problem
from ..signatures.signing import WeChatKeys

_SERIAL = "Wechatpay-Serial"
#: Bytes of a ciphertext: those of a 2048-bit key.
_SIZE = 256


class Opened(NamedTuple):
    """Query and body in plain, and what is wrong with what did not open."""

    query: Mapping[str, str]
    body: Any
    problems: list[Problem]


class _Value(NamedTuple):
    """One value that should be a ciphertext."""

    place: str
    text: Any
    location: str


def open_fields(
    operation: Operation,
    query: Mapping[str, str],
    body: Any,
    headers: Headers,
    keys: WeChatKeys,
) -> Opened:
    """Open what *operation* wants encrypted."""
    plan = operation.plan
    values = [
        _Value(name, query[name], "query")
        for name in plan.hidden_query
        if query.get(name)
    ]
    if plan.hidden_body is not None:
        values += [
            _Value(path, text, "body")
            for path, text, mark in plan.hidden_body.found(body)
            if mark is not None and mark.encrypted == "rsa-platform" and text
        ]
    if not values:
        return Opened(query, body, [])
    plain: dict[tuple[str, str], str] = {}
    found: list[Problem] = list(_header_problems(values, headers, keys))
    key = keys.find(headers.get(_SERIAL, ""))
    for value in values:
        outcome = _open(value, key, headers.get(_SERIAL, ""), keys)
        if isinstance(outcome, Problem):
            found.append(outcome)
        elif outcome is not None:
            plain[value.location, value.place] = outcome

    def change(path: str, text: Any, _mark: object) -> Any:
        return plain.get(("body", path), text)

    opened = body
    if plan.hidden_body is not None:
        opened = plan.hidden_body.rewrite(body, change)
    shown = {name: plain.get(("query", name), text) for name, text in query.items()}
    return Opened(shown, opened, found)


def _header_problems(
    values: list[_Value], headers: Headers, keys: WeChatKeys
) -> Iterator[Problem]:
    serial = headers.get(_SERIAL)
    names = ", ".join(value.place for value in values[:5])
    if not serial:
        issue = f"required, as it names the key that {names} is encrypted with"
        yield Problem(_SERIAL, issue, location="header", rule="encrypted")
    elif keys.find(serial) is None:
        issue = f"no key of WeChat Pay; {', '.join(keys.public)} are"
        yield Problem(_SERIAL, issue, serial, "header", rule="encrypted")


def _open(
    value: _Value, key: Any, serial: str, keys: WeChatKeys
) -> str | Problem | None:
    """The plain text, or what is wrong; ``None`` where a key is all that is missing."""
    pointer = value.place
    if value.location == "body":
        pointer = "/" + value.place.replace("[", "/").replace("]", "").replace(".", "/")

    def problem(issue: str) -> Problem:
        # The value itself is not shown: it may be somebody's name.
        return Problem(pointer, issue, None, value.location, rule="encrypted")

    if not _is_ciphertext(value.text):
        return problem(
            "plain text where a ciphertext is expected (敏感字段): encrypt it with "
            f"WeChat Pay's key and name that in {_SERIAL}"
        )
    if key is None:
        return None
    plain = _decrypt(value.text, key)
    if plain is not None:
        return plain
    issue = f"does not open with the private key of {serial}"
    for other in keys.public:
        other_key = keys.find(other)
        if other_key is not key and _decrypt(value.text, other_key) is not None:
            issue += f"; it was encrypted with {other}"
    return problem(issue)


def _is_ciphertext(text: Any) -> bool:
    if not isinstance(text, str):
        return False
    try:
        return len(b64decode(text, validate=True)) == _SIZE
    except ValueError:
        return False


def _decrypt(text: str, key: Any) -> str | None:
    try:
        return crypto.decrypt_oaep(text, key)
    except DecryptionError:
        return None
