"""What WeChat Pay adds to an answer: its signature, and with which of its keys.

Protocol section 5 and 6: 2xx and 4xx are signed, 401 and 5xx are not.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from ... import crypto
from ..._messages import Body, Headers, Response
from ...crypto.rsa import SCHEME
from ..world import World

#: How a merchant verifies WeChat Pay (protocol section 6).
MODES = ("public_key", "certificate", "migrating")


class Platform(NamedTuple):
    """One platform certificate (平台证书), and the key that signs under it."""

    serial: str
    certificate: x509.Certificate
    key: RSAPrivateKey

    def __repr__(self) -> str:
        return f"<Platform {self.serial}>"


class Download(NamedTuple):
    """A file as an answer: nearly all are unsigned (protocol section 5)."""

    content: bytes
    content_type: str = "application/octet-stream"
    #: An overseas statement (对账单): the SHA-1 of the plain file is signed.
    statement: bool = False

    def __repr__(self) -> str:
        return f"<Download of {len(self.content)} bytes, {self.content_type}>"


class WeChatKeys:
    """WeChat Pay's own key pairs; both kinds exist in every mode."""

    def __init__(
        self, public_key_id: str, public_key: RSAPrivateKey, platform: Platform
    ) -> None:
        self.public_key_id = public_key_id
        self.public_key = public_key
        #: All that are listed; the last one signs.
        self.platforms: list[Platform] = [platform]

    @property
    def current(self) -> Platform:
        """The platform certificate that signs."""
        return self.platforms[-1]

    @property
    def certificate_serial(self) -> str:
        """The serial of the platform certificate that signs."""
        return self.current.serial

    @property
    def certificate(self) -> x509.Certificate:
        """The platform certificate that signs."""
        return self.current.certificate

    def find(self, serial: str) -> RSAPrivateKey | None:
        """The private key behind an id that a request names."""
        if serial == self.public_key_id:
            return self.public_key
        wanted = crypto.normal_serial(serial)
        for platform in self.platforms:
            if crypto.normal_serial(platform.serial) == wanted:
                return platform.key
        return None

    @property
    def public(self) -> dict[str, RSAPublicKey]:
        """What anybody may know, by id."""
        return {
            self.public_key_id: self.public_key.public_key(),
            **{one.serial: one.key.public_key() for one in self.platforms},
        }

    def __repr__(self) -> str:
        return f"<WeChatKeys {self.public_key_id}, {self.certificate_serial}>"


class Sealer:
    """Makes responses of answers, and signs them."""

    def __init__(self, world: World, keys: WeChatKeys, mode: str) -> None:
        self._world = world
        self._keys = keys
        self._mode = mode

    def seal(
        self, status: int, data: Any, *, wanted: str, kind: str, number: int = 0
    ) -> Response:
        """The response: *wanted* is the request's ``Wechatpay-Serial``, if it had one.

        *kind* says how much of a real service is behind the answer, *number* is the
        internal one in ``Request-ID``.
        """
        if isinstance(data, Download):
            return self._file(status, data, wanted=wanted, kind=kind)
        body = b"" if data is None else _dump(data)
        headers = {
            "Request-ID": self._world.ids.request_id(number),
            "Wechatpay-Sandbox": kind,
            "Content-Length": str(len(body)),
        }
        if body:
            headers["Content-Type"] = "application/json; charset=utf-8"
        if status != 401 and status < 500:
            headers.update(self._signature(body, wanted))
        return Response(status, Headers(headers), body)  # type: ignore[arg-type]

    def _file(
        self, status: int, download: Download, *, wanted: str, kind: str
    ) -> Response:
        content = download.content
        headers = {
            "Request-ID": self._world.ids.request_id(0),
            "Wechatpay-Sandbox": kind,
            "Content-Length": str(len(content)),
            "Content-Type": download.content_type,
        }
        if download.statement:
            sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
            headers["Wechatpay-Statement-Sha1"] = sha1
            headers.update(self._signature(crypto.statement_body(sha1), wanted))
        return Response(status, Headers(headers), Body(content))

    def _signature(self, body: bytes, wanted: str) -> dict[str, str]:
        serial, key = self._choose(wanted)
        timestamp = str(int(self._world.clock()))
        nonce = self._world.ids.nonce()
        message = crypto.response_message(timestamp, nonce, body)
        return {
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": serial,
            "Wechatpay-Signature": crypto.sign(message, key),
            "Wechatpay-Signature-Type": SCHEME,
        }

    def _choose(self, wanted: str) -> tuple[str, RSAPrivateKey]:
        if self._mode == "public_key" or wanted == self._keys.public_key_id:
            return self._keys.public_key_id, self._keys.public_key
        platform = self._keys.current
        return platform.serial, platform.key


def _dump(data: Any) -> bytes:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # A request line may hold what has no UTF-8; \udc80 is good JSON for it.
    return text.encode("utf-8", "backslashreplace")
