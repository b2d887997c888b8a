"""A gateway for each test, and requests made by hand, without the client."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wechatpay_chain import Headers, Request, Response, crypto
from wechatpay_chain.sandbox import Gateway


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(seed=1)


class Hand:
    """Signs requests as protocol section 4 has it, with whatever is to be wrong."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        #: How many requests were made: a nonce is taken once.
        self.made = 0

    def request(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        headers: dict[str, str] | None = None,
        key: Any = None,
        message: bytes | None = None,
        **changes: str,
    ) -> Request:
        """A request; *changes* replace parameters of ``Authorization``."""
        credentials = self.gateway.credentials
        self.made += 1
        values = {
            "mchid": credentials["mchid"],
            "serial": credentials["serial"],
            "timestamp": str(int(self.gateway.clock())),
            "nonce": f"0123456789abcdefABCDEF{self.made - 1 or ''}",
            **changes,
        }
        if "signature" not in values:
            text = message or crypto.request_message(
                method, target, values["timestamp"], values["nonce"], body
            )
            values["signature"] = crypto.sign(text, key or credentials["private_key"])
        given = {"Authorization": crypto.authorization(**values), **(headers or {})}
        return Request(method, f"https://sandbox.invalid{target}", Headers(given), body)

    def send(self, method: str, target: str, data: Any = None, **options: Any) -> Any:
        """Send and return the response; *data* is a JSON body or bytes."""
        body = data if isinstance(data, bytes) else b""
        if data is not None and not isinstance(data, bytes):
            body = json.dumps(data).encode()
        return self.gateway.handle(self.request(method, target, body, **options))


@pytest.fixture
def hand(gateway: Gateway) -> Hand:
    return Hand(gateway)


def error(response: Response) -> tuple[int, str, str]:
    """Status, code and sandbox id of an error answer."""
    data = json.loads(response.content)
    return response.status_code, data["code"], data["detail"]["sandbox"]["id"]


@pytest.fixture
def outcome() -> Any:
    return error
