"""WeChat Pay as a sender of notifications, and a merchant who reads them."""

from __future__ import annotations

from typing import Any

import pytest
from sender import Sender

from wechatpay_chain import WeChatPay


@pytest.fixture
def sender(vectors: dict[str, Any]) -> Sender:
    return Sender(vectors["keys"], 1717225200)


@pytest.fixture
def client(sender: Sender) -> WeChatPay:
    """A client that holds every key."""
    return sender.client()
