"""Why a signature was refused: the text WeChat rebuilt against the one that was signed.

A 401 ``SIGN_ERROR`` may carry ``sign_information`` (protocol section 4): method, url,
the rebuilt text cut before the nonce, and its whole length.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .. import crypto
from .._messages import Request
from .._shapes import mapping

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


def explain(request: Request | None, detail: object) -> str | None:
    """What differs, in one sentence; ``None`` where the request was not signed."""
    if request is None:
        return None
    values = dict(_PARAMETER.findall(request.headers.get("Authorization", "")))
    if not values:
        return None
    info = _information(detail)
    if info is None:
        return (
            "WeChat did not show the text it rebuilt; check that serial_no "
            f"{values.get('serial_no')} belongs to mchid {values.get('mchid')} and to "
            "this private key, and that the clock is right"
        )
    differences = list(_differences(request, values, info))
    if differences:
        return "the text WeChat rebuilt differs in " + "; ".join(differences)
    issue = _issue(detail)
    if issue:
        return issue
    return (
        "method, url, timestamp, nonce and body are the same on both sides, so the key "
        f"is the wrong one: check that serial_no {values.get('serial_no')} is the "
        "certificate of this private key"
    )


def _information(detail: object) -> Mapping[str, Any] | None:
    given = mapping(detail)
    if given is None:
        return None
    info = mapping(given.get("sign_information"))
    if info is not None:
        return info
    return _information(given.get("detail"))  # real answers sometimes nest it


def _issue(detail: object) -> str | None:
    """What was wrong where it was not the signature: a clock, a serial, a parameter."""
    given = mapping(detail)
    if given is None or given.get("field") == "signature":
        return None
    issue = given.get("issue")
    return issue if isinstance(issue, str) else _issue(given.get("detail"))


def _differences(
    request: Request, signed: Mapping[str, str], info: Mapping[str, Any]
) -> list[str]:
    lines = str(info.get("truncated_sign_message", "")).split("\n")
    lines += [""] * (3 - len(lines))
    method = str(info.get("method") or lines[0])
    url = str(info.get("url") or lines[1])
    out: list[str] = []
    if method and method != request.method:
        out.append(f"method: {method} there, {request.method} here")
    if url and url != request.target:
        out.append(_url_difference(url, request.target))
    if lines[2] and lines[2] != signed.get("timestamp"):
        out.append(f"timestamp: {lines[2]} there, {signed.get('timestamp')} here")
    return out or _length_difference(request, signed, info, lines)


def _url_difference(there: str, here: str) -> str:
    path, _, query = here.partition("?")
    if there.partition("?")[0] == path:
        if query and "?" not in there:
            return f"query: left out there, {query!r} here"
        return f"query: {there.partition('?')[2]!r} there, {query!r} here"
    return f"url: {there!r} there, {here!r} here"


def _length_difference(
    request: Request,
    signed: Mapping[str, str],
    info: Mapping[str, Any],
    lines: list[str],
) -> list[str]:
    """Past the cut only the length is known: nonce and body remain."""
    length = info.get("sign_message_length")
    if not isinstance(length, int) or length <= 0:
        return []
    body = request.body if request.signing_body is None else request.signing_body
    nonce = signed.get("nonce_str", "")
    made = len(
        crypto.request_message(
            request.method, request.target, signed.get("timestamp", ""), nonce, body
        )
    )
    if len(lines) > 3 and lines[3] and not nonce.startswith(lines[3]):
        return [f"nonce: {lines[3]!r} there, {nonce!r} here"]
    if length == made:
        return []
    there = len(body) + length - made
    return [f"body: {there} bytes there, {len(body)} bytes here"]
