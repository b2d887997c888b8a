"""From the bytes of a download to the bytes of a bill: decrypt, gunzip, hash.

Pure and flat: bytes in, a few bytes out, whatever the size of the file (protocol
section 14).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .._secret import Secret
from ..errors import DecodeError, DecryptionError, InvalidSignature, ReadError

#: The most that one piece holds: a small download may unzip to a thousand times more.
PIECE = 256 * 1024
#: The length of the tag that follows what AES-GCM has encrypted.
_TAG = 16
_GZIP = b"\x1f\x8b"


class Decipher:
    """AES-256-GCM of a whole file, whose tag are its last 16 bytes."""

    def __init__(self, key: Secret[bytes], nonce: bytes) -> None:
        cipher = Cipher(algorithms.AES(key.reveal()), modes.GCM(nonce))
        self._decryptor = cipher.decryptor()
        self._kept = b""

    def feed(self, data: bytes) -> bytes:
        """What *data* decrypts to, less what may be the tag."""
        data = self._kept + data
        self._kept = data[-_TAG:]
        return self._decryptor.update(data[:-_TAG])

    def finish(self) -> None:
        """Check the tag. Raises ``DecryptionError``."""
        if len(self._kept) < _TAG:
            raise ReadError("the bill was cut off: it is shorter than its tag")
        try:
            self._decryptor.finalize_with_tag(self._kept)
        except InvalidTag:
            raise DecryptionError(
                "the AES-GCM tag of the bill does not match: it was changed, or is "
                "encrypted with another key than encrypt_key"
            ) from None


class Gunzip:
    """Unzips a stream of gzip members; what is not gzip passes as it is."""

    def __init__(self) -> None:
        self._head = b""
        self._packed: bool | None = None
        self._stream = zlib.decompressobj(wbits=31)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes, piece by piece. Raises ``DecodeError``."""
        if self._packed is None:
            data = self._head = self._head + data
            if len(data) < len(_GZIP):
                return
            self._packed = data.startswith(_GZIP)
        if not self._packed:
            yield data
            return
        while data:
            try:
                piece = self._stream.decompress(data, PIECE)
            except zlib.error as error:
                raise DecodeError(f"the bill cannot be unzipped: {error}") from None
            if piece:
                yield piece
            data = self._stream.unconsumed_tail
            if self._stream.eof:
                data = self._stream.unused_data
                if data:
                    self._stream = zlib.decompressobj(wbits=31)

    def finish(self) -> Iterator[bytes]:
        """What is left. Raises ``ReadError`` where the end is missing."""
        if self._packed is None:
            yield from [self._head] if self._head else []
        elif self._packed and not self._stream.eof:
            raise ReadError("the bill was cut off: the gzip file has no end")


class Unpacker:
    """One file of a bill: its bytes are fed, its plain bytes come out."""

    def __init__(self, decipher: Decipher | None = None) -> None:
        self._decipher = decipher
        self._gunzip = Gunzip()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes that *data* brings."""
        if self._decipher is not None:
            data = self._decipher.feed(data)
        if data:
            yield from self._gunzip.feed(data)

    def finish(self) -> Iterator[bytes]:
        """The rest, when the file has ended."""
        if self._decipher is not None:
            self._decipher.finish()
        yield from self._gunzip.finish()


class Proof:
    """Checks that the plain bytes are those whose SHA-1 WeChat Pay has signed.

    A file may be begun anew. What was handed on before is then hashed again and not
    handed on again, and must be the same to the byte.
    """

    def __init__(self, expected: str) -> None:
        #: What the signed answer says, in lower hex.
        self.expected: str = expected
        #: How many plain bytes were handed on.
        self.given: int = 0
        self._before = hashlib.sha1(usedforsecurity=False)
        self._hash = self._before
        self._at = 0

    def restart(self) -> None:
        """Begin the file anew."""
        if self._at >= self.given:  # else a repeat was cut off, and proves nothing
            self._before = self._hash
        self._hash = hashlib.sha1(usedforsecurity=False)
        self._at = 0

    def new(self, piece: bytes) -> bytes:
        """Hash *piece*; what of it was not handed on before."""
        missing = self.given - self._at
        if missing <= 0:
            self._hash.update(piece)
            self._at = self.given = self._at + len(piece)
            return piece
        known, rest = piece[:missing], piece[missing:]
        self._hash.update(known)
        self._at += len(known)
        if self._at < self.given:
            return b""
        if self._hash.digest() != self._before.digest():
            raise InvalidSignature(
                "the bill was cut off, and its beginning differs when it is downloaded "
                "again: discard what was read, and start again",
                outcome="unknown",
            )
        return self.new(rest) if rest else b""

    def finish(self) -> None:
        """Compare the hash. Raises ``InvalidSignature``."""
        made = self._hash.hexdigest()
        if made != self.expected or self._at != self.given:
            raise InvalidSignature(
                f"the SHA-1 of the bill is {made}, the signed answer says "
                f"{self.expected:.64}: discard what was read",
                outcome="unknown",
            )
