"""The documented vectors and their keys."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain import crypto
from wechatpay_chain.errors import (
    ClockSkew,
    InvalidSignature,
    UnknownSerial,
)

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "documented.json").read_text("utf-8")
)
KEYS: dict[str, str] = VECTORS["keys"]
MERCHANT = crypto.load_private_key(KEYS["merchant_private_key_pkcs8_der_base64"])
PUBLIC = {
    KEYS["platform_public_key_id"]: KEYS["platform_public_key_pem"],
    KEYS["platform_cert_old_serial_no"]: KEYS["platform_cert_old_pem"],
    KEYS["platform_cert_new_serial_no"]: KEYS["platform_cert_new_pem"],
}
#: Why each vector that does not hold is refused.
REFUSALS = {
    "timestamp_301s_old_rejected": ClockSkew,
    "timestamp_301s_ahead_rejected": ClockSkew,
    "tampered_body_rejected": InvalidSignature,
    "unknown_serial_rejected": UnknownSerial,
    "signtest_probe_rejected": InvalidSignature,
}


def named(name: str) -> Any:
    """Run a test once for each vector of one kind."""
    return pytest.mark.parametrize("vector", VECTORS[name], ids=lambda v: v["name"])


def ring() -> crypto.KeyRing:
    keys = crypto.KeyRing()
    for serial, pem in PUBLIC.items():
        loaded = crypto.load_public_key(pem)
        cert = loaded.certificate
        since = cert.not_valid_before_utc if cert else None
        until = cert.not_valid_after_utc if cert else None
        keys.update(crypto.WeChatKey(serial, loaded.key, since, until))
    return keys


def parameters(authorization: str) -> dict[str, str]:
    """By name: SDKs differ in the order, and it means nothing."""
    return dict(re.findall(r'(\w+)="([^"]*)"', authorization))
