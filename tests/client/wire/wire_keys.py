"""Checks signatures of requests and makes those of answers, without the package.

The canonical messages are rebuilt here from what came over the wire; the keys are those
of the vectors.
"""

from __future__ import annotations

import json
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_public_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate
from wire_server import Received, http


@dataclass
class Keys:
    """The parties' keys, straight from the vectors."""

    vectors: dict[str, Any]
    _made: dict[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str:
        value: str = self.vectors["keys"][name]
        return value

    def _loaded(self, name: str) -> Any:
        if name not in self._made:
            text = self.text(name)
            self._made[name] = (
                load_pem_public_key(text.encode())
                if text.startswith("-----")
                else load_der_private_key(b64decode(text), None)
            )
        return self._made[name]

    @property
    def merchant(self) -> Any:
        return self._loaded("merchant_private_key_pkcs8_der_base64")

    @property
    def merchant_public(self) -> Any:
        return self._loaded("merchant_public_key_pem")

    @property
    def wechat(self) -> Any:
        return self._loaded("platform_public_key_private_pkcs8_der_base64")

    def merchant_material(self, authority: Any, folder: Path, kind: str) -> Any:
        """The merchant's client certificate in one of the forms of ``merchant=``."""
        certificate = authority.certificate_for(self.merchant_public)
        key = self.merchant.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        paths = folder / "apiclient_cert.pem", folder / "apiclient_key.pem"
        if kind == "p12":
            path = folder / "apiclient_cert.p12"
            path.write_bytes(
                pkcs12.serialize_key_and_certificates(
                    b"merchant",
                    self.merchant,
                    load_pem_x509_certificate(certificate),
                    None,
                    BestAvailableEncryption(self.text("mchid").encode()),
                )
            )
            return path
        paths[0].write_bytes(certificate + (key if kind == "one file" else b""))
        paths[1].write_bytes(key)
        return paths[0] if kind == "one file" else paths

    def signed(
        self, status: int = 200, body: Any = None, headers: dict[str, str] | None = None
    ) -> bytes:
        """An answer signed as WeChat signs it, at this moment."""
        content = body if isinstance(body, bytes) else b""
        if body is not None and not isinstance(body, bytes):
            content = json.dumps(body).encode()
        stamp, nonce = str(int(time.time())), "5f7a1c0e9b3d4826"
        message = f"{stamp}\n{nonce}\n".encode() + content + b"\n"
        signature = self.wechat.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return http(
            status,
            content,
            {
                "Wechatpay-Timestamp": stamp,
                "Wechatpay-Nonce": nonce,
                "Wechatpay-Serial": self.text("platform_public_key_id"),
                "Wechatpay-Signature": b64encode(signature).decode(),
                **({"Content-Type": "application/json"} if content else {}),
                **(headers or {}),
            },
        )

    def check(self, received: Received, body: bytes | None = None) -> dict[str, str]:
        """Fail unless the request is signed as it came; its parameters otherwise.

        *body* is what counts as body where that is not the body.
        """
        scheme, _, rest = received.header("Authorization").partition(" ")
        assert scheme == "WECHATPAY2-SHA256-RSA2048"
        found = {}
        for item in rest.split(","):
            name, _, value = item.partition("=")
            assert value[0] == value[-1] == '"'
            found[name] = value[1:-1]
        assert found["mchid"] == self.text("mchid")
        assert found["serial_no"] == self.text("merchant_serial_no")
        assert abs(int(found["timestamp"]) - time.time()) <= 300
        message = b"%b\n%b\n%b\n%b\n%b\n" % (
            received.line.split(b" ")[0],
            received.line.split(b" ")[1],
            found["timestamp"].encode(),
            found["nonce_str"].encode(),
            received.body if body is None else body,
        )
        self.merchant_public.verify(
            b64decode(found["signature"], validate=True),
            message,
            padding.PKCS1v15(),
            hashes.SHA256(),
        )
        return found
