"""Example arguments of a call, and the lines of a program that make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..model import Operation
from ..stub_calls import ADDED
from .samples import Code, body_of, query_of, sample
from .sources import BROKEN, python

_OPENED = ['photo = Path("photo.png")', "content = photo.read_bytes()"]
_BANK_KEY = [
    "# From v2/risk/getpublickey.",
    'bank_key = load_public_key(Path("bank_key.pem")).key',
]


@dataclass(frozen=True)
class Arguments:
    """Example arguments of a call."""

    placeholders: dict[str, Any]
    query: dict[str, Any]
    headers: dict[str, Any]
    #: JSON or XML fields; of an upload, what is added to ``meta``, or on APIv2 the
    #: parts beside the file.
    body: dict[str, Any] | None = None
    #: The name of the part that holds the file.
    file: str | None = None


def arguments(operation: Operation) -> Arguments:
    """Example arguments for *operation*: what is required, made up."""
    body = body_of(operation)
    file = None
    if operation.encoding == "multipart" and operation.body is not None:
        parts = operation.body.fields or {}
        file = next(name for name in parts if parts[name].type == "file")
        body = _meta(operation, body or {}, file)
    return Arguments(
        {
            name: sample(one, name, name)
            for name, one in operation.path.items()
            if f"{{{name}}}" in operation.template
        },
        query_of(operation),
        {
            name: sample(one, name, name)
            for name, one in operation.further_headers.items()
            if one.required
        },
        body,
        file,
    )


def _meta(operation: Operation, body: dict[str, Any], file: str) -> dict[str, Any]:
    if operation.version == "v2":
        return {n: value for n, value in body.items() if n not in {file, *ADDED}}
    meta = (operation.body.fields or {}).get("meta") if operation.body else None
    if meta is None or meta.content is None:
        return {}
    # The client fills in "filename" and "sha256".
    return {
        name: sample(one, name, name)
        for name, one in (meta.content.fields or {}).items()
        if one.required and name not in ("filename", "sha256")
    }


def preparation(operation: Operation, given: Arguments) -> str:
    """The lines before the call: imports, the body, the query."""
    blocks = [_imports(operation, given)]
    if given.file is not None:
        blocks.append(_OPENED)
    if _uses(given, "bank_key"):
        blocks.append(_BANK_KEY)
    if given.body:
        name = "body" if given.file is None or operation.version == "v2" else "meta"
        blocks.append([f"{name} = {_broken(given.body)}"])
    if given.query:
        blocks.append([f"params = {_broken(given.query)}"])
        if _signs_itself(operation):
            signer = _signer(given.query)
            blocks[-1].append(f'params["sign"] = {signer}(params, secret)')
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _imports(operation: Operation, given: Arguments) -> list[str]:
    digests = [name for name in ("md5", "sha256") if _uses(given, name)]
    lines = [f"from hashlib import {name}" for name in digests]
    bank = _uses(given, "bank_key")
    if given.file is not None or bank:
        lines.append("from pathlib import Path")
    if operation.redirect:
        lines.append("from urllib.parse import urlencode")
    if bank:
        lines += [
            "",
            "from wechatpay_chain.crypto import encrypt_oaep, load_public_key",
        ]
    if _signs_itself(operation):
        lines.append(f"from wechatpay_chain.crypto import {_signer(given.query)}")
    return lines


def _uses(given: Arguments, name: str) -> bool:
    """Whether an expression in the body has *name*."""
    used = (one for one in (given.body or {}).values() if isinstance(one, Code))
    return any(name in one for one in used)


def _signs_itself(operation: Operation) -> bool:
    """Whether the program signs: a link for the user's browser is no call."""
    return operation.redirect and operation.signs_query


def _broken(value: dict[str, Any]) -> str:
    """*value* over several lines, as a body reads best, unless it is one short item."""
    return python(value, column=0 if len(value) < 2 else BROKEN)


def _signer(fields: dict[str, Any]) -> str:
    return "sign_hmac" if fields.get("sign_type") == "HMAC-SHA256" else "sign_md5"
