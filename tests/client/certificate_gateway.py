"""A gateway that serves platform certificates, sealed without the package."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wechatpay_chain import Request

LIST = "https://api.mch.weixin.qq.com/v3/certificates"

#: When the older certificate of the vectors expires: 2025-06-01.
OLD_EXPIRES = 1748736000


def entry(server: Any, name: str, *, key: str | None = None, pem: str = "") -> Any:
    pem = pem or server.keys[f"platform_cert_{name}_pem"]
    cipher = AESGCM((key or server.keys["apiv3_key"]).encode())
    sealed = cipher.encrypt(b"61f9c719728a", pem.encode(), b"certificate")
    return {
        "serial_no": server.keys.get(f"platform_cert_{name}_serial_no", "00"),
        "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": "61f9c719728a",
            "associated_data": "certificate",
            "ciphertext": b64encode(sealed).decode(),
        },
    }


class Gateway:
    """Serves ``/v3/certificates`` beside the other answers of the server."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.listed: Any = {"data": [entry(server, "new")]}
        self.downloads = 0
        server.signs_with = server.new_serial

    def __call__(self, request: Request) -> Any:
        if request.path != "/v3/certificates":
            return self.server.signed({"path": request.path})
        self.downloads += 1
        if callable(self.listed):
            return self.listed(request)
        return self.server.signed(self.listed)

    def lists(self, *names: str) -> None:
        """List these certificates from now on: ``"old"``, ``"new"``."""
        self.listed = {"data": [entry(self.server, name) for name in names]}
