"""Merchants' handlers for tests, which read notifications with *cryptography* alone."""

from __future__ import annotations

import json
from base64 import b64decode
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509 import Certificate

from wechatpay_chain import Request
from wechatpay_chain.sandbox import Gateway

URL = "https://merchant.example/notify"
EVENT = "SECURITY_ECHO.SUCCESS"


def trigger(gateway: Gateway, url: str = URL, message: str = "你好") -> None:
    """A call that a notification follows."""
    body = {"echo_message": message, "notify_url": url}
    gateway.client().v3.security.echo.post(body)


@cache
def public_keys(seed: int) -> dict[str, Any]:
    """Both of WeChat Pay's keys, whatever a gateway's own mode is."""
    certs = Gateway(seed=seed, mode="migrating").credentials["certs"]
    return {
        serial: key.public_key() if isinstance(key, Certificate) else key
        for serial, key in certs.items()
    }


def opened(gateway: Gateway, request: Request) -> dict[str, Any]:
    """The envelope with its plaintext, if the signature holds (protocol 5, 8, 9)."""
    headers, body = request.headers, request.body
    lines = [headers["Wechatpay-Timestamp"], headers["Wechatpay-Nonce"]]
    message = "\n".join(lines).encode() + b"\n" + body + b"\n"
    key = public_keys(gateway.ids.seed)[headers["Wechatpay-Serial"]]
    signature = b64decode(headers["Wechatpay-Signature"], validate=True)
    key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    envelope: dict[str, Any] = json.loads(body)
    sealed = envelope["resource"]
    cipher = AESGCM(gateway.credentials["apiv3_key"].encode("ascii"))
    plain = cipher.decrypt(
        sealed["nonce"].encode("ascii"),
        b64decode(sealed["ciphertext"], validate=True),
        sealed["associated_data"].encode(),
    )
    return {**envelope, "plain": json.loads(plain)}


class Careful:
    """A handler that does all that it should, and counts what it did."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.done: list[str] = []

    def __call__(self, request: Request) -> int:
        stamp = request.headers.get("Wechatpay-Timestamp", "0")
        if abs(int(self.gateway.clock()) - int(stamp)) > 300:
            return 401
        try:
            envelope = opened(self.gateway, request)
        except (InvalidSignature, ValueError, KeyError):
            return 401
        if envelope["event_type"] != "SANDBOX.UNHEARD_OF" and (
            envelope["id"] not in self.done
        ):
            self.done.append(envelope["id"])
        return 204
