"""The other side: what WeChat Pay posts, made without the package.

Signatures and ciphers are of ``cryptography`` and ``hashlib`` alone, so that a mistake
of the package cannot repeat itself here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import load_der_private_key

from wechatpay_chain import (
    AsyncMemoryTransport,
    MemoryTransport,
    Request,
    Response,
    WeChatPay,
)

SCHEME = "WECHATPAY2-SHA256-RSA2048"
RESOURCE = {"out_order_no": "1234323JKHDFE1243252", "state": "DOING", "note": "酒店"}


@cache
def private(text: str) -> Any:
    return load_der_private_key(b64decode(text), None)


class Sender:
    """WeChat Pay at the moment of the documented vectors, with all of its keys."""

    def __init__(self, keys: dict[str, str], moment: int) -> None:
        self.keys = keys
        self.now: float = moment
        self.public_key_id = keys["platform_public_key_id"]
        self.old_serial = keys["platform_cert_old_serial_no"]
        self.new_serial = keys["platform_cert_new_serial_no"]
        #: Certificates that ``/v3/certificates`` lists, and what was asked.
        self.lists = ["new"]
        self.requests: list[Request] = []
        #: What is answered instead of the list.
        self.answer: Any = None

    # What it posts.

    def headers(
        self, body: bytes, *, serial: str | None = None, at: float | None = None
    ) -> dict[str, str]:
        """The headers that make *body* a signed one."""
        serial = serial or self.public_key_id
        kind = {
            self.public_key_id: "platform_public_key",
            self.old_serial: "platform_cert_old",
            self.new_serial: "platform_cert_new",
        }[serial]
        timestamp, nonce = str(int(self.now if at is None else at)), "n0nce"
        message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
        signature = private(self.keys[f"{kind}_private_pkcs8_der_base64"]).sign(
            message, padding.PKCS1v15(), hashes.SHA256()
        )
        return {
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": serial,
            "Wechatpay-Signature": b64encode(signature).decode(),
            "Wechatpay-Signature-Type": SCHEME,
            "Request-ID": "08D8AECBB20610BC0318B0-0",
        }

    def resource(
        self,
        data: Any = RESOURCE,
        *,
        plain: bytes | None = None,
        key: str | None = None,
        nonce: str = "fdasflkja484",
        associated: str | None = "payscore",
    ) -> dict[str, Any]:
        """A sealed resource; *plain* are its bytes instead of JSON."""
        content = json.dumps(data).encode() if plain is None else plain
        cipher = AESGCM((key or self.keys["apiv3_key"]).encode())
        sealed = cipher.encrypt(nonce.encode(), content, (associated or "").encode())
        made = {
            "original_type": "payscore",
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": b64encode(sealed).decode(),
            "nonce": nonce,
        }
        return made if associated is None else {**made, "associated_data": associated}

    def body(self, **changes: Any) -> bytes:
        """A whole notification; *changes* replace members, ``None`` takes one out."""
        envelope = {
            "id": "EV-2024060100000000001",
            "create_time": "2024-06-01T15:00:00+08:00",
            "resource_type": "encrypt-resource",
            "event_type": "PAYSCORE.USER_CONFIRM",
            "summary": "支付分订单用户已确认",
            "resource": self.resource(),
            **changes,
        }
        kept = {name: value for name, value in envelope.items() if value is not None}
        return json.dumps(kept, ensure_ascii=False).encode()

    def post(self, **changes: Any) -> tuple[dict[str, str], bytes]:
        """Headers and body of a good notification."""
        body = self.body(**changes)
        return self.headers(body), body

    # APIv2.

    def sign(self, fields: dict[str, str], kind: str = "MD5", key: str = "") -> str:
        """The ``sign`` of *fields*."""
        secret = key or self.keys["apiv2_key"]
        names = sorted(name for name in fields if name != "sign" and fields[name])
        text = "&".join([*(f"{n}={fields[n]}" for n in names), f"key={secret}"])
        if kind == "MD5":
            return hashlib.md5(text.encode()).hexdigest().upper()
        return hmac.new(secret.encode(), text.encode(), "sha256").hexdigest().upper()

    def xml(
        self, fields: dict[str, str], kind: str | None = "MD5", root: str = "xml"
    ) -> bytes:
        """A document of *fields*, signed unless *kind* is ``None``."""
        if kind is not None:
            fields = {**fields, "sign": self.sign(fields, kind)}
        inner = "".join(f"<{k}><![CDATA[{v}]]></{k}>" for k, v in fields.items())
        return f"<{root}>{inner}</{root}>".encode()

    def req_info(self, plain: bytes, key: str = "") -> str:
        """*plain* sealed as a refund of APIv2 is."""
        secret = (key or self.keys["apiv2_key"]).encode()
        aes = hashlib.md5(secret).hexdigest().encode()
        padder = PKCS7(128).padder()
        padded = padder.update(plain) + padder.finalize()
        encryptor = Cipher(algorithms.AES(aes), modes.ECB()).encryptor()
        return b64encode(encryptor.update(padded) + encryptor.finalize()).decode()

    # What a merchant asks for.

    def __call__(self, request: Request) -> Response:
        """Answer ``/v3/certificates``."""
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return self.answer
        entries = [self._entry(name) for name in self.lists]
        body = json.dumps({"data": entries}).encode()
        serial = self.new_serial if "new" in self.lists else self.old_serial
        headers = {"Content-Type": "application/json"}
        return Response(200, {**headers, **self.headers(body, serial=serial)}, body)

    def _entry(self, name: str) -> dict[str, Any]:
        pem = self.keys[f"platform_cert_{name}_pem"].encode()
        sealed = self.resource(plain=pem, associated="certificate")
        serial = self.keys[f"platform_cert_{name}_serial_no"]
        return {"serial_no": serial, "encrypt_certificate": sealed}

    # The merchant.

    def client(self, **options: Any) -> WeChatPay:
        """A client with both kinds of WeChat's keys, wired to this."""
        keys = self.keys
        given: dict[str, Any] = {
            "mchid": keys["mchid"],
            "serial": keys["merchant_serial_no"],
            "private_key": private(keys["merchant_private_key_pkcs8_der_base64"]),
            "certs": {
                self.public_key_id: keys["platform_public_key_pem"],
                self.old_serial: keys["platform_cert_old_pem"],
                self.new_serial: keys["platform_cert_new_pem"],
            },
            "apiv3_key": keys["apiv3_key"],
            "secret": keys["apiv2_key"],
            "transport": MemoryTransport(self, sleep=lambda seconds: None),
            "async_transport": AsyncMemoryTransport(self, sleep=lambda seconds: None),
            "clock": lambda: self.now,
        }
        return WeChatPay(**{**given, **options})
