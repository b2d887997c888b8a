"""What a request text is made of, taken apart, so that one part can be wrong.

:class:`Parts` is what was received; a :class:`Mistake` says what else may stand for one
of them in a text that was signed by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

#: The part of a mistake in how the lines are put together.
LINES = "lines"

#: As much of a value as a sentence shows.
_SHOWN = 120
_OPENID = re.compile(r"(?i)(openid(?:=|/|%3D|%2F))[^&/?%\s⏎]+")


class Parts(NamedTuple):
    """The parts of a request as it went out, and what may be mistaken for them."""

    method: str
    path: str
    #: ``None`` without a question mark.
    query: str | None
    timestamp: str
    nonce: str
    #: What counts as body: of an upload the ``meta`` text.
    body: bytes
    #: Stands before the path of a wrong text: scheme and host, say. Rightly nothing.
    prefix: str = ""
    #: Scheme and host that it was sent to.
    origin: str = ""
    #: What follows ``#`` in the URL, which is neither sent nor signed.
    fragment: str = ""
    #: The whole body of an upload.
    whole: bytes = b""
    #: The URI template before expansion.
    template: str = ""

    @property
    def target(self) -> str:
        """The second line."""
        query = "" if self.query is None else f"?{self.query}"
        return f"{self.prefix}{self.path}{query}"

    def lines(self) -> list[bytes]:
        """The five lines, each without its LF."""
        head = (self.method, self.target, self.timestamp, self.nonce)
        # A lone surrogate has no UTF-8; a text with one is nobody's, but is looked for.
        return [*(line.encode("utf-8", "surrogatepass") for line in head), self.body]

    def text(self) -> bytes:
        """The text that is to be signed (protocol section 3)."""
        return b"\n".join([*self.lines(), b""])

    def __repr__(self) -> str:
        return f"<Parts of {self.method} {shown(self.path)}>"


@dataclass(frozen=True)
class Mistake:
    """A way to get one part of the text wrong."""

    #: Fixed: tests and tools rely on it.
    id: str
    #: The field of :class:`Parts` that is wrong, or :data:`LINES`.
    part: str
    #: A clause that names it; ``{signed}`` and ``{sent}`` are filled in.
    says: str
    #: What may stand in its place; for :data:`LINES`, functions that join the parts.
    values: Callable[[Parts], Iterable[Any]]
    #: Whether there are too many values to combine them with other mistakes.
    wide: bool = False

    def clause(self, parts: Parts, value: Any) -> str:
        """The clause for *value* in place of what is in *parts*."""
        if self.part == LINES:
            return self.says
        return self.says.format(
            signed=shown(value), sent=shown(getattr(parts, self.part))
        )


def shown(value: str | bytes | None) -> str:
    """*value* as a sentence may show it: of a body the length only, no openid."""
    if value is None:
        return "none"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    text = without_openids(value)
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def without_openids(text: str) -> str:
    """*text*, a URL or a part of one, less the openids in it."""
    return _OPENID.sub(r"\1...", text)
