"""A client to hang nodes on, and every operation that there is."""

from __future__ import annotations

import pytest
from key_material import options

from wechatpay_chain import WeChatPay, catalogue
from wechatpay_chain.catalogue import Operation


@pytest.fixture(scope="session")
def client() -> WeChatPay:
    return WeChatPay(**options())


@pytest.fixture(scope="session")
def every() -> list[Operation]:
    """All operations of the catalogue."""
    return list(catalogue.operations())
