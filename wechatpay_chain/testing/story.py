"""What a gateway has lately seen, in lines for people: the report of a failing test.

No signature and no body is in it; values only as the sandbox names them in a refusal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .._masking import masked
from .._shapes import mapping

if TYPE_CHECKING:
    from .._messages import Response
    from ..sandbox import Gateway
    from ..sandbox.notices.notices import Notice
    from ..sandbox.recording.journal import Exchange

#: How many exchanges, and how many notifications, are told of.
LAST = 10
#: As much of what was noticed.
_CUT = 300


def told(gateway: Gateway, last: int = LAST) -> str:
    """The last exchanges with their verdicts, then the last notifications."""
    exchanges, notices = list(gateway.journal), list(gateway.outbox)
    lines = [f"{len(exchanges)} exchanges" + (", the last:" if exchanges else "")]
    for exchange in exchanges[-last:]:
        lines += _exchange(exchange)
    if notices:
        lines.append(f"{len(notices)} notifications, the last:")
        for notice in notices[-last:]:
            lines += _notice(notice)
    return "\n".join(lines)


def _exchange(exchange: Exchange) -> Iterator[str]:
    request = exchange.request
    status = "no answer" if exchange.status is None else str(exchange.status)
    verdict = exchange.verdict
    if exchange.fault is not None:
        verdict += f", fault {exchange.fault}"
    where = exchange.endpoint or f"{request.method} {masked(request.target)}"
    yield f"  {exchange.number:>3}  {status:<9}  {verdict:<16}  {where}"
    if exchange.response is not None and exchange.verdict != "ok":
        code, sentence = _reason(exchange.response)
        yield f"       {code}: {sentence[:_CUT]}"
    for note in exchange.notes:
        yield f"       note: {note[:_CUT]}"


def _reason(response: Response) -> tuple[str, str]:
    """Code of a refusal, and the sandbox's sentence about it."""
    try:
        found = mapping(json.loads(response.content)) or {}
    except ValueError:
        return "?", "the answer is no JSON"
    detail = mapping(found.get("detail")) or {}
    sandbox = mapping(detail.get("sandbox")) or {}
    sentence = sandbox.get("message") or found.get("message") or ""
    return str(found.get("code", "?")), str(sentence)


def _notice(notice: Notice) -> Iterator[str]:
    tries = len(notice.attempts)
    yield f"       {notice.status:<9}  {notice.event_type}, {tries} attempts"
    if notice.attempts:
        last = notice.attempts[-1]
        said = "" if last.status is None else f"answered {last.status}"
        if not last.good:
            told = "" if said in last.verdict else f", {said}"
            yield f"       last attempt: {last.verdict}{told}"
    if notice.hint:
        yield f"       hint: {notice.hint[:_CUT]}"
