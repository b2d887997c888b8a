"""Calls any operation of the catalogue through a client, with its example arguments."""

from __future__ import annotations

from hashlib import md5, sha256
from types import SimpleNamespace
from typing import Any

from wechatpay_chain import Reply, WeChatPay
from wechatpay_chain.catalogue import Operation
from wechatpay_chain.catalogue.examples import arguments
from wechatpay_chain.catalogue.examples.samples import Code

CONTENT = b"a picture"
NAMES = {
    "content": CONTENT,
    "md5": md5,
    "sha256": sha256,
    "encrypt_oaep": lambda *_: "A" * 342 + "==",
    "bank_key": None,
}


def resolved(value: Any, file: str = "photo.png") -> Any:
    """*value* with expressions of example programs worked out."""
    if isinstance(value, Code):
        return eval(value, {**NAMES, "photo": SimpleNamespace(name=file)})
    if isinstance(value, dict):
        return {name: resolved(one, file) for name, one in value.items()}
    if isinstance(value, list):
        return [resolved(one, file) for one in value]
    return value


def options_of(operation: Operation) -> dict[str, Any]:
    """The options of the call."""
    given = arguments(operation)
    options: dict[str, Any] = {"path": given.placeholders}
    if given.query:
        options["params"] = resolved(given.query)
    if given.headers:
        options["headers"] = resolved(given.headers)
    file = "film.mp4" if "video" in operation.template else "photo.png"
    body = "xml" if operation.version == "v2" else "json"
    if given.file is not None:
        options["files"] = {given.file: (file, CONTENT)}
        if given.body:
            options[body] = resolved(given.body, file)
    elif given.body is not None:
        options[body] = resolved(given.body)
    return options


def call(client: WeChatPay, operation: Operation, **changes: Any) -> Reply:
    """Call *operation*."""
    verb = getattr(client[operation.template], operation.method.lower())
    reply: Reply = verb(**{**options_of(operation), **changes})
    return reply
