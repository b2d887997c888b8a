"""What of a request is sensitive, where it stands, and what takes its place.

The caller's objects are never changed: what differs is a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote_plus

from .._messages import Request
from .._shapes import mapping, sequence
from ..crypto import Encrypted
from ..crypto.sensitive import is_ciphertext
from ..errors import EncodeError

if TYPE_CHECKING:
    from ..catalogue import Field

#: Names the key of WeChat Pay's with which the fields of a request are encrypted.
SERIAL = "Wechatpay-Serial"
#: The mark of what is encrypted with that key.
OURS = "rsa-platform"


class Secrets(NamedTuple):
    """What was found in a request."""

    #: Paths of the values that are still to be encrypted.
    plain: list[str]
    #: Values that ``client.encrypt`` made, wherever they stand.
    sealed: list[Encrypted]


def secrets_of(request: Request) -> Secrets:
    """The sensitive values of *request*.

    Raises ``EncodeError`` for one that is not text, or whose place has another shape
    than the documents give it: what cannot be followed could leave in plain.
    """
    plain: list[str] = []

    def note(path: str, text: str) -> str:
        plain.append(path)
        return text

    _rewrite(request, note)
    sealed = [*_sealed(request.params)]
    if request.payload is not None and request.payload.kind != "raw":
        sealed += _sealed(request.payload.value)
    return Secrets(plain, sealed)


def conceal(request: Request, encrypt: Callable[[str, str], str]) -> Request:
    """*request* with ``encrypt(path, text)`` in place of each plain secret."""
    return _rewrite(request, encrypt)


def _rewrite(request: Request, encrypt: Callable[[str, str], str]) -> Request:
    operation, payload = request.operation, request.payload
    if operation is None:
        return request
    plan = operation.plan
    protect = _protection(request, encrypt)
    if plan.hidden_query and "?" in request.url:
        request = _query(request, plan.hidden_query, protect)
    if plan.hidden_body is None or payload is None or payload.kind == "raw":
        return request

    def change(path: str, value: Any, mark: Field | None) -> Any:
        if mark is None or not isinstance(value, str):
            what = "a sensitive field" if mark else "what holds sensitive fields"
            as_it_is = "" if path else "; to send text as it is, use data="
            raise EncodeError(
                f"{request.label}: {path or 'the body'}: {what} cannot be a "
                f"{type(value).__name__} here{as_it_is}"
            )
        if isinstance(value, Encrypted) or value == "":
            return value
        if mark.encrypted != OURS and not is_ciphertext(value):
            raise EncodeError(
                f"{request.label}: {path}: the key for this sensitive field is not one "
                "of the client's: encrypt it by hand, with what v2/risk/getpublickey "
                "answers"
            )
        return value if mark.encrypted != OURS else protect(path, value)

    value = plan.hidden_body.rewrite(payload.value, change)
    if value is payload.value:
        return request
    return request.replace(payload=replace(payload, value=value))


def _protection(
    request: Request, encrypt: Callable[[str, str], str]
) -> Callable[[str, str], str]:
    """*encrypt*, but for what is a ciphertext where the caller names its key."""
    if SERIAL not in request.headers:
        return encrypt

    def protect(path: str, text: str) -> str:
        return text if is_ciphertext(text) else encrypt(path, text)

    return protect


def _query(
    request: Request,
    names: frozenset[str],
    protect: Callable[[str, str], str],
) -> Request:
    path, _, query = request.url.partition("?")
    sealed = frozenset(map(str, _sealed(request.params)))
    pairs: list[str] = []
    for pair in query.split("&"):
        name, sign, value = pair.partition("=")
        text = unquote_plus(value)
        if text and unquote_plus(name) in names and text not in sealed:
            value = quote(protect(f"?{unquote_plus(name)}", text), safe="")
        pairs.append(f"{name}{sign}{value}")
    return request.replace(url=f"{path}?{'&'.join(pairs)}")


def _sealed(value: Any, depth: int = 32) -> Iterator[Encrypted]:
    """The values in *value* that ``client.encrypt`` made."""
    if isinstance(value, Encrypted):
        yield value
    elif Encrypted.exist and depth:
        members = mapping(value)
        items = sequence(value) if members is None else list(members.values())
        for item in items or ():
            yield from _sealed(item, depth - 1)
