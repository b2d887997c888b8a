"""Sends a recorded call once more: signed anew, by the merchant who had sent it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ... import crypto
from ..._messages import Headers, Request
from ..._shapes import mapping, sequence
from ...crypto.header import Claim
from ...errors import TransportError
from ..signatures.authentication import rebuilt
from .journal import numbers

if TYPE_CHECKING:
    from ..gateway import Gateway


def body(content: bytes) -> dict[str, str]:
    """A body as JSON can hold it: ``{"body": text}``, or ``{"base64": ...}``."""
    try:
        return {"body": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": b64encode(content).decode("ascii")}


def content(given: Mapping[str, Any]) -> bytes:
    """The bytes of what :func:`body` made."""
    if "base64" in given:
        return b64decode(str(given["base64"]), validate=True)
    return str(given.get("body", "")).encode("utf-8")


def send(gateway: Gateway, entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer to *entry* now, as a recording has it; ``None`` where none came."""
    try:
        response = gateway.handle(_request(gateway, entry))
    except TransportError:
        return None
    return {"status": response.status_code, **body(response.content)}


def _request(gateway: Gateway, entry: Mapping[str, Any]) -> Request:
    target = str(entry.get("target", ""))
    if not target.startswith("/"):
        raise ValueError(f"target: a path expected, got {target[:64]!r}")
    headers = Headers(mapping(entry.get("headers")) or {})
    request = Request(
        str(entry.get("method", "")),
        f"{gateway.base_url}{target}",
        headers.without("Authorization"),
        content(entry),
    )
    if not entry.get("signed", True):
        return request
    return _signed(gateway, request, entry.get("mchid"))


def _signed(gateway: Gateway, request: Request, mchid: object) -> Request:
    merchant = gateway.world.merchants.get(str(mchid or gateway.mchid))
    if merchant is None:
        raise LookupError(f"there is no merchant {str(mchid)[:64]} here")
    claim = Claim(
        mchid=merchant.mchid,
        serial_no=merchant.serial,
        nonce_str=gateway.ids.nonce("replay"),
        timestamp=str(int(gateway.clock())),
        signature="",
    )
    value = crypto.authorization(
        mchid=claim.mchid,
        serial=claim.serial_no,
        nonce=claim.nonce_str,
        timestamp=claim.timestamp,
        signature=crypto.sign(rebuilt(request, claim), merchant.private_key),
    )
    headers = request.headers.merge({"Authorization": value})
    return request.replace(headers=headers)


def act(gateway: Gateway, name: str, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Do a deed again; the numbers that came of it."""
    actor, _, method = name.partition(".")
    actors = {"user": gateway.user, "bank": gateway.bank, "given": gateway.given}
    run = getattr(actors.get(actor), method, None)
    if run is None or method.startswith("_"):
        raise LookupError(f"nobody does {name[:64]}")
    given = {name: _argument(value) for name, value in arguments.items()}
    return numbers(run(**given))


def _argument(value: Any) -> Any:
    """A pair of merchant and number, which JSON has as a list."""
    pair = sequence(value)
    return value if pair is None else tuple(pair)


class Here:
    """The door to a gateway in this process."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def send(self, entry: Mapping[str, Any]) -> dict[str, Any] | None:
        """Send a call."""
        return send(self._gateway, entry)

    def act(self, name: str, arguments: Mapping[str, Any]) -> dict[str, str]:
        """Do a deed."""
        return act(self._gateway, name, arguments)

    def now(self) -> float:
        """What time it is there."""
        return self._gateway.clock()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._gateway.advance(seconds)

    def __repr__(self) -> str:
        return f"<Here {self._gateway!r}>"
