"""How a notification is sealed and signed: protocol sections 5, 6, 8 and 9."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from ... import crypto
from ..._messages import Headers, Request
from ...crypto.aes import AEAD
from ...crypto.rsa import SCHEME
from ..signatures.signing import WeChatKeys
from ..v2 import envelope as v2_envelope
from ..world import World, rfc3339
from .notices import Notice

#: What a signature probe (签名探测) begins with (protocol section 9).
PROBE = "WECHATPAY/SIGNTEST/"
_NONCE = "notification nonce"


class Signature(NamedTuple):
    """What the four headers of section 5 say, before they are headers."""

    serial: str
    key: RSAPrivateKey
    timestamp: str
    nonce: str

    def headers(self, body: bytes) -> dict[str, str]:
        """The headers that sign *body*."""
        message = crypto.response_message(self.timestamp, self.nonce, body)
        return {
            "Wechatpay-Timestamp": self.timestamp,
            "Wechatpay-Nonce": self.nonce,
            "Wechatpay-Serial": self.serial,
            "Wechatpay-Signature": crypto.sign(message, self.key),
            "Wechatpay-Signature-Type": SCHEME,
        }


class Sealer:
    """Makes requests of notifications; each has its own time, nonces and signature."""

    def __init__(self, world: World, keys: WeChatKeys, mode: str) -> None:
        self._world = world
        self._mode = mode
        #: WeChat Pay's keys.
        self.keys = keys
        #: While a merchant migrates (``mode="migrating"``): the share of notifications
        #: that the public key signs, from 0 to 1 (protocol section 6).
        self.public_key_ratio: float = 0.5

    def seal(self, notice: Notice, *, at: float | None = None) -> Request:
        """The request that delivers *notice*, signed now, or as if it were *at*."""
        if notice.event_type.startswith(v2_envelope.PREFIX):
            return v2_envelope.seal(notice, self._world)
        body = self.body(notice)
        now = self._world.clock() if at is None else at
        serial, key = self._choose(notice)
        nonce = self._world.ids.nonce("notification header")
        signature = Signature(serial, key, str(int(now)), nonce)
        headers = {
            "Content-Type": "application/json",
            "Accept": "*/*",
            "User-Agent": "Mozilla/4.0",
            "Request-ID": self._world.ids.request_id(0),
            **signature.headers(body),
        }
        if notice.example:
            headers["Wechatpay-Sandbox"] = "example"
        return Request("POST", notice.url, Headers(headers), body)

    def body(self, notice: Notice) -> bytes:
        """The envelope (通知报文), with the sealed resource in it."""
        nonce = self._world.ids.nonce(_NONCE)[:12]
        plain = json.dumps(notice.resource, ensure_ascii=False, separators=(",", ":"))
        apiv3_key = self._world.merchants[notice.mchid].apiv3_key
        sealed = crypto.encrypt_gcm(plain, apiv3_key, nonce, notice.associated_data)
        envelope = {
            "id": notice.id,
            "create_time": rfc3339(notice.created_at),
            "resource_type": "encrypt-resource",
            "event_type": notice.event_type,
            "summary": notice.summary,
            "resource": {
                "original_type": notice.original_type,
                "algorithm": AEAD,
                "ciphertext": sealed,
                "associated_data": notice.associated_data,
                "nonce": nonce,
            },
        }
        return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()

    def _choose(self, notice: Notice) -> tuple[str, RSAPrivateKey]:
        """WeChat Pay, not the merchant, decides which key signs a notification."""
        public = self._mode == "public_key"
        if self._mode == "migrating":
            # By its id, so that one seed gives one world and a retry the same key.
            share = int.from_bytes(sha256(notice.id.encode()).digest()[:4], "big")
            public = share < self.public_key_ratio * 2**32
        if public:
            return self.keys.public_key_id, self.keys.public_key
        platform = self.keys.current
        return platform.serial, platform.key

    def __repr__(self) -> str:
        return f"<Sealer of notifications, {self._mode}>"
