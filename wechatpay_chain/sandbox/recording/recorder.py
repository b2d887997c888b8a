"""The journal as a recording: lines of JSON, to be kept and to be played again.

What is kept of a request is what it takes to send it once more, signed anew: neither
signature nor nonce. What users, the bank and a test did in between is kept too.

>>> from wechatpay_chain.sandbox import Gateway
>>> first = Gateway(seed=1)
>>> _ = first.trigger("payscore.cancelled")
>>> replay(record(first), Gateway(seed=2)).same
True
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._shapes import mapping
from .journal import Deed, Exchange
from .replaying import VOLATILE, Difference, Door, Player, Report
from .sending import Here, body

if TYPE_CHECKING:
    from ..gateway import Gateway

__all__ = [
    "VOLATILE",
    "Difference",
    "Door",
    "Report",
    "load",
    "record",
    "replay",
    "save",
]

#: Headers that mean something to whoever answers; all others are made anew.
KEPT = frozenset(
    {"accept", "accept-language", "content-type", "idempotency-key", "wechatpay-serial"}
)
#: What the first line says.
VERSION = 1


def record(gateway: Gateway) -> list[dict[str, Any]]:
    """All that the journal of *gateway* holds, as plain data, in order."""
    head = {"kind": "recording", "version": VERSION, "mode": gateway.mode}
    with gateway.lock:
        deeds, calls = gateway.journal.deeds, list(gateway.journal)
    entries: list[tuple[int, int, dict[str, Any]]] = [
        (one.after, 1, _deed(one)) for one in deeds
    ]
    entries += [(one.number, 0, call(one)) for one in calls if one.over]
    return [head, *(entry for _, _, entry in sorted(entries, key=lambda e: e[:2]))]


def call(exchange: Exchange) -> dict[str, Any]:
    """One exchange as plain data."""
    request, response = exchange.request, exchange.response
    answer = None
    if response is not None:
        answer = {"status": response.status_code, **body(response.content)}
    return {
        "kind": "call",
        "number": exchange.number,
        "at": exchange.at,
        "method": request.method,
        "target": request.target,
        "headers": {
            name: value
            for name, value in request.headers.pairs()
            if name.lower() in KEPT
        },
        **body(request.body),
        "signed": "Authorization" in request.headers,
        "mchid": exchange.mchid,
        "verdict": exchange.verdict,
        "fault": exchange.fault,
        "answer": answer,
    }


def _deed(deed: Deed) -> dict[str, Any]:
    return {
        "kind": "deed",
        "after": deed.after,
        "at": deed.at,
        "name": deed.name,
        "arguments": deed.arguments,
        "numbers": deed.numbers,
    }


def save(gateway: Gateway, file: str | os.PathLike[str]) -> int:
    """Write the recording into *file*; how many entries it has."""
    entries = record(gateway)
    Path(file).write_text(lines(entries), encoding="utf-8")
    return len(entries) - 1


def lines(entries: Iterable[Mapping[str, Any]]) -> str:
    """*entries* as they stand in a file."""
    return "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in entries)


def load(file: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Read what :func:`save` wrote. Raises ``ValueError`` for anything else."""
    return parse(Path(file).read_text(encoding="utf-8"))


def parse(text: str) -> list[dict[str, Any]]:
    """The entries in *text*. Raises ``ValueError`` for what is no recording."""
    entries: list[dict[str, Any]] = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            found = mapping(json.loads(line))
        except (ValueError, RecursionError):
            found = None
        if found is None or "kind" not in found:
            raise ValueError(f"line {number} is no entry of a recording")
        entries.append(dict(found))
    head = entries[0] if entries else {}
    if head.get("kind") != "recording" or head.get("version") != VERSION:
        raise ValueError(f"this is no recording of version {VERSION}")
    return entries


def replay(
    entries: Iterable[Mapping[str, Any]],
    gateway: Gateway | Door,
    *,
    ignore: Iterable[str] = VOLATILE,
    time: bool = True,
) -> Report:
    """Do all of it again on *gateway*, and say which answers differ.

    - ``gateway``: a :class:`.Gateway`, or a :class:`Door` to one elsewhere.
    - ``ignore``: patterns of places in an answer that may differ: ``"*_time"``.
    - ``time``: whether time passes there as it did then. It does not go back.

    Numbers that the gateway gave out then are replaced by those
    that it gives out now, wherever a later call has them. What was brought about by a
    fault, and what nobody had signed, is counted as skipped and not compared.
    """
    door = gateway if isinstance(gateway, Door) else Here(gateway)
    return Player(door, tuple(ignore), time=time).play(entries)
