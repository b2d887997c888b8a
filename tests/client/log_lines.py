"""What logging tests share: a handler that keeps everything, and answers to log."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Iterator
from hashlib import md5
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from leaks import APIV2_KEY, APIV3_KEY

from wechatpay_chain import Response


class Collector(logging.Handler):
    """Keeps records, and everything that a formatter could make of them."""

    def __init__(self) -> None:
        super().__init__(1)
        self.records: list[Any] = []
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        said = self.format(record), record.getMessage(), str(vars(record))
        self.texts.extend(said)
        self.texts.extend(str(value) for value in vars(record).values())
        # What an error tracker would show of an object among the arguments.
        given = record.args if isinstance(record.args, tuple) else ()
        self.texts.extend(str(vars(one)) for one in given if hasattr(one, "__dict__"))

    @property
    def text(self) -> str:
        return "\n".join(self.texts)

    def attempts(self) -> list[Any]:
        """The records of attempts that ended."""
        found = [r for r in self.records if r.name == "wechatpay_chain.http"]
        return [record for record in found if record.levelno > logging.DEBUG]


def collecting(level: int, name: str) -> Iterator[Collector]:
    logger, handler = logging.getLogger(name), Collector()
    before = logger.level
    logger.setLevel(level)
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(before)


def lines(log: Collector) -> list[tuple[Any, ...]]:
    return [(r.levelname, r.attempt, r.status or r.error) for r in log.attempts()]


def certificate(server: Any) -> dict[str, Any]:
    pem = server.keys["platform_cert_new_pem"].encode()
    sealed = AESGCM(APIV3_KEY.encode()).encrypt(b"61f9c719728a", pem, b"certificate")
    return {
        "serial_no": server.new_serial,
        "encrypt_certificate": {
            "nonce": "61f9c719728a",
            "associated_data": "certificate",
            "ciphertext": b64encode(sealed).decode(),
        },
    }


def xml(fields: dict[str, str]) -> Response:
    kept = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
    sign = md5(f"{kept}&key={APIV2_KEY}".encode()).hexdigest().upper()
    inner = "".join(f"<{n}>{v}</{n}>" for n, v in {**fields, "sign": sign}.items())
    body = f"<xml>{inner}</xml>".encode()
    return Response(200, {"Content-Type": "text/xml"}, body)
