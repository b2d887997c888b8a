"""One download of a bill, cut off and taken up again: what to send next, and why.

No I/O: a :class:`~.bill.Bill` sends, in either mode, and tells what came of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .._saving import Progress
from .._secret import Secret
from ..errors import APIError, DecodeError, TransportError, WeChatPayError
from .unpacking import Decipher, Proof, Unpacker

#: How often in a row a download may bring nothing new before it is given up.
PATIENCE = 3
#: Statuses that a fresh URL may mend. 416 comes where the line broke behind the last
#: byte, so that the rest which is asked for is empty.
_PASSING = (400, 401, 403, 404, 410, 416)


class Part(NamedTuple):
    """One file of a bill, as the signed answer has it."""

    #: Where it is, for some minutes.
    url: str
    #: The SHA-1 of its plain bytes, in lower hex.
    sha1: str
    #: What it is encrypted with, where it is.
    key: Secret[bytes] | None = None
    nonce: bytes = b""

    @property
    def origin(self) -> str:
        """Scheme and host of the URL."""
        return self.url[: len(self.url) - len(self.target) - 1]

    @property
    def target(self) -> str:
        """Path and query as they are signed, less the first slash: as they stand."""
        return self.url.partition("://")[2].partition("/")[2]

    def unpacker(self) -> Unpacker:
        """What makes plain bytes of it."""
        if self.key is None:
            return Unpacker()
        return Unpacker(Decipher(self.key, self.nonce))

    def __repr__(self) -> str:
        return f"<Part {self.sha1}>"


class Transfer:
    """Goes through the files of a bill, each from the first byte to a proven end."""

    def __init__(self, parts: Sequence[Part], progress: Progress | None = None) -> None:
        self._parts = parts
        self._progress = progress
        self._number = 0
        self._proof = Proof(parts[0].sha1) if parts else Proof("")
        self._unpacker = Unpacker()
        self._tag: str | None = None
        self._received = 0
        self._before = 0
        self._total: int | None = None
        self._failures = 0
        self._refusals = 0
        self._failed_at = 0

    @property
    def part(self) -> Part | None:
        """The file to ask for; ``None`` when all have come."""
        return self._parts[self._number] if self._number < len(self._parts) else None

    @property
    def headers(self) -> dict[str, str]:
        """What to ask for it with: the rest of it, where the server can give that."""
        headers = {"Accept": "*/*"}
        if self._tag and self._received:
            # If-Range: all of it, should it no longer be the same (RFC 9110, 13.1.5).
            headers["Range"] = f"bytes={self._received}-"
            headers["If-Range"] = self._tag
        return headers

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Note the head of an answer: all of the file, or the rest of it."""
        part = self.part
        assert part is not None
        if status == 206 and _start(headers) == self._received and self._received:
            return
        if status == 206:
            raise DecodeError("the bill was asked for in full, and came in part")
        if self._received or self._proof.given:
            self._proof.restart()
        tag = headers.get("ETag", "")
        # An encrypted file may be sealed anew each time; a weak tag proves nothing.
        self._tag = tag if tag.startswith('"') and part.key is None else None
        length = headers.get("Content-Length", "")
        self._total = int(length) if length.isdecimal() else None
        self._received = 0
        self._unpacker = part.unpacker()

    def take(self, chunk: bytes) -> Iterator[bytes]:
        """The new plain bytes that *chunk* brings."""
        self._received += len(chunk)
        self._tell()
        for piece in self._unpacker.feed(chunk):
            new = self._proof.new(piece)
            if new:
                yield new

    def end(self) -> Iterator[bytes]:
        """The last bytes of the file, and its proof; then comes the next."""
        for piece in self._unpacker.finish():
            new = self._proof.new(piece)
            if new:
                yield new
        self._proof.finish()
        self._before += self._received
        self._number += 1
        self._received, self._tag = 0, None
        self._failures = self._refusals = self._failed_at = 0
        part = self.part
        if part is not None:
            self._proof = Proof(part.sha1)

    def failed(self, error: WeChatPayError) -> None:
        """Bear with *error*, or raise it: where it would come again, or did."""
        if self._proof.given > self._failed_at:
            self._failures = self._refusals = 0
        self._failed_at = self._proof.given
        self._failures += 1
        if isinstance(error, APIError):
            # The URL is too old. A new one that is refused too, is refused for another
            # reason.
            self._refusals += 1
            if self._refusals > 1 or error.status_code not in _PASSING:
                raise error
            if error.status_code == 416:
                self._tag = None  # there is no rest: ask for all of it
        elif not isinstance(error, TransportError) or self._failures >= PATIENCE:
            raise error

    def renew(self, parts: Sequence[Part]) -> None:
        """Go on with fresh URLs of the same files. Raises ``DecodeError``."""
        fresh = [part.sha1 for part in parts]
        if fresh != [part.sha1 for part in self._parts]:
            raise DecodeError(
                "WeChat Pay made the bill again while it was downloaded: discard what "
                "was read, and start again"
            )
        self._parts = parts

    def _tell(self) -> None:
        if self._progress is not None:
            total = self._total if len(self._parts) == 1 else None
            self._progress(self._before + self._received, total)


def _start(headers: Mapping[str, str]) -> int | None:
    found = re.match(r"bytes ([0-9]+)-", headers.get("Content-Range", ""))
    return int(found[1]) if found else None
