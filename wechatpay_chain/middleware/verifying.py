"""The layer ``verify``: is this answer WeChat Pay's? (protocol sections 5 and 6)

It sees bytes before ``decode`` parses them. Only 2xx answers are signed for our
purpose; what WeChat leaves unsigned is listed here and nowhere else.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import re
import zlib
from collections.abc import Callable

from .. import crypto
from .._flow import Flow, Read
from .._messages import Request, Response
from ..errors import InvalidSignature
from .certificates import Certificates
from .checking import check

#: Routes whose answers carry no signature (section 5, "Not signed").
UNSIGNED = re.compile(
    r"""^(?:
      /v3/billdownload/file
    | /v3/(?:global/)?merchant-service/images/(?!upload$)[^/]+
    | /v3/transferdownload/(?:elecvoucherfile|signfile)
    | /v3/new-tax-control-fapiao/download
    )$""",
    re.X,
)

#: Routes whose signature covers a hash of the plain body (section 5, overseas).
STATEMENTS = frozenset({"/hk/v3/statements", "/v3/global/statements"})


class Verifier:
    """Checks the four headers, clock, serial and signature, in that order."""

    name = "verify"

    def __init__(
        self,
        *,
        keys: crypto.KeyRing,
        clock: Callable[[], float],
        certificates: Certificates | None = None,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._certificates = certificates

    def __call__(self, request: Request) -> Flow[Response]:
        certificates, started = self._certificates, 0.0
        if certificates is not None:
            started = certificates.timer()
            if certificates.missing and not is_unsigned(request):
                request = yield from certificates.first(request, started)
                started = certificates.timer()
        response: Response = yield request
        if not response.ok or is_unsigned(request):
            return response
        content: bytes = yield Read(response)
        serial = response.headers.get("Wechatpay-Serial")
        if certificates is not None and serial and serial not in self._keys:
            yield from certificates.refresh(request, serial, started)
        covered = content
        if is_statement(request):
            covered = _statement(response, content)
        check(response.headers, covered, self._keys, self._clock())
        if certificates is not None and certificates.old:
            yield from certificates.renew(request, started)
        return response.replace(verified=True, serial=serial)


def is_unsigned(request: Request) -> bool:
    """Whether WeChat leaves the success answer of this route unsigned."""
    # Most routes hold neither word, and need no further look.
    if "download" not in request.url and "/images/" not in request.url:
        return False
    return UNSIGNED.match(request.route) is not None


def is_statement(request: Request) -> bool:
    """Whether the signature covers a hash of the plain body instead of the body."""
    return "/statements" in request.url and request.route in STATEMENTS


def _statement(response: Response, content: bytes) -> bytes:
    """The text signed for an overseas statement, after checking that the hash holds."""
    sha1 = response.headers.get("Wechatpay-Statement-Sha1", "")
    plain = content
    if content[:2] == b"\x1f\x8b":
        try:
            plain = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            plain = b""
    made = hashlib.sha1(plain, usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(made.encode(), sha1.lower().encode("utf-8", "replace")):
        raise InvalidSignature(
            f"the statement's SHA-1 is {made}, Wechatpay-Statement-Sha1 says {sha1!r}",
            serial=response.headers.get("Wechatpay-Serial"),
            timestamp=response.headers.get("Wechatpay-Timestamp"),
            outcome="unknown",
        )
    return crypto.statement_body(sha1)
