"""A client to hang nodes on, and every operation that there is."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest

from wechatpay_chain import WeChatPay, catalogue
from wechatpay_chain.catalogue import Operation


@pytest.fixture(scope="session")
def client(vectors: dict[str, Any]) -> WeChatPay:
    keys = vectors["keys"]
    return WeChatPay(
        mchid=keys["mchid"],
        serial=keys["merchant_serial_no"],
        private_key=b64decode(keys["merchant_private_key_pkcs8_der_base64"]),
        certs={
            "PUB_KEY_ID_0114232134912410000000000000": keys["platform_public_key_pem"]
        },
    )


@pytest.fixture(scope="session")
def every() -> list[Operation]:
    """All operations of the catalogue."""
    return list(catalogue.operations())
