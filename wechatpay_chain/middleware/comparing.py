"""Two versions of one request: in what they differ, a clause for each part.

Values of bodies are never shown: their lengths, and the names of members.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._shapes import mapping
from ..crypto.json_mistakes import load
from ..crypto.request_parts import Parts, shown
from .evidence import Rebuilt

#: As many members as are named.
_NAMED = 5


def signed_and_sent(signed: Parts, sent: Parts) -> list[str]:
    """What a layer has changed between the signature and the wire."""
    out: list[str] = []
    for name in ("method", "timestamp", "nonce"):
        was, now = getattr(signed, name), getattr(sent, name)
        if was != now:
            out.append(f"{name}: {shown(was)} was signed, {shown(now)} was sent")
    out += [
        f"{name}: {was or 'none'} was signed, {now or 'none'} was sent"
        for name, was, now in _targets(signed, sent.target)
    ]
    if signed.body != sent.body:
        out.append(
            f"body: {shown(signed.body)} were signed, {shown(sent.body)} were sent"
            f"{_members(signed.body, sent.body)}"
        )
    return out


def sent_and_rebuilt(sent: Parts, there: Rebuilt) -> list[str]:
    """What has changed between the wire and WeChat's own text."""
    out: list[str] = []
    if there.method and there.method != sent.method:
        out.append(f"method: {there.method[:20]} there, {sent.method} here")
    if there.target:
        out += [
            f"{name}: {theirs or 'left out'} there, {ours or 'left out'} here"
            for name, ours, theirs in _targets(sent, there.target)
        ]
    if there.timestamp and there.timestamp != sent.timestamp:
        out.append(f"timestamp: {there.timestamp[:20]} there, {sent.timestamp} here")
    if not sent.nonce.startswith(there.nonce):
        out.append(f"nonce: {shown(there.nonce[:32])} there, {shown(sent.nonce)} here")
    return out or _lengths(sent, there)


def _lengths(sent: Parts, there: Rebuilt) -> list[str]:
    """Past the cut only the length of the text is known."""
    if there.length is None:
        return []
    text = sent.text()
    # Whether bytes or characters are counted, the documents do not say.
    if there.length in (len(text), len(text.decode("utf-8", "replace"))):
        return []
    size = len(sent.body) + there.length - len(text)
    return [f"body: {size} bytes there, {len(sent.body)} bytes here"]


def _targets(parts: Parts, other: str) -> Iterator[tuple[str, str, str]]:
    """How two second lines differ: the name of the part, and both values."""
    if other == parts.target:
        return
    path, mark, query = other.partition("?")
    if path != parts.path:
        yield "url", shown(parts.target), shown(other)
    else:
        ours = "" if parts.query is None else shown(parts.query)
        yield "query", ours, shown(query) if mark else ""


def _members(was: bytes, now: bytes) -> str:
    """What of two JSON objects differs, by the names of their members."""
    try:
        old, new = load(was), load(now)
        if old == new:
            return ", the same JSON written anew"
        before, after = mapping(old), mapping(new)
        if before is None or after is None:
            return ""
        changes = (
            ("added", [one for one in after if one not in before]),
            ("left out", [one for one in before if one not in after]),
            ("changed", [one for one in before if _changed(one, before, after)]),
        )
    except (ValueError, RecursionError):
        return ""
    return "".join(f"; {_names(names)} {what}" for what, names in changes if names)


def _changed(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return name in after and bool(before[name] != after[name])


def _names(names: list[str]) -> str:
    listed = ", ".join(ascii(name[:32]) for name in names[:_NAMED])
    return listed + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
