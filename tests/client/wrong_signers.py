"""Ways to sign by hand, and a stub that refuses whatever it gets."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from wechatpay_chain import Request, Response, WeChatPay, middleware
from wechatpay_chain.sandbox import Gateway

PKCS1 = padding.PKCS1v15()
NONCE = "0123456789abcdefABCDEF0123456789"
BODY = {"reason": "用户投诉/x", "service_id": "500001", "appid": "wx1", "none": None}


@dataclass
class Given:
    """What a signer by hand starts from."""

    request: Request
    timestamp: str
    nonce: str

    @property
    def body(self) -> bytes:
        signing = self.request.signing_body
        return self.request.body if signing is None else signing

    @property
    def path(self) -> str:
        return self.request.target.partition("?")[0]

    def text(self, **changes: Any) -> bytes:
        """The right text, but for *changes*."""
        lines = {
            "method": self.request.method,
            "target": self.request.target,
            "timestamp": self.timestamp,
            "nonce": self.nonce,
            "body": self.body,
            **changes,
        }
        return b"".join(
            (line if isinstance(line, bytes) else line.encode()) + b"\n"
            for line in lines.values()
        )


def header(**values: str) -> str:
    pairs = ",".join(f'{name}="{value}"' for name, value in values.items())
    return f"WECHATPAY2-SHA256-RSA2048 {pairs}"


def by_hand(
    text: Callable[[Given], bytes] = Given.text,
    *,
    key: Any = None,
    scheme: tuple[Any, Any] = (PKCS1, hashes.SHA256()),
    spell: Callable[[bytes], bytes] = b64encode,
    edit: Callable[[str], str] = str,
    nonce: str = NONCE,
    late: int = 0,
    **parameters: Any,
) -> Callable[[WeChatPay, Gateway], None]:
    """Replaces ``sign`` by a layer that gets something wrong."""

    def change(client: WeChatPay, gateway: Gateway) -> None:
        credentials = gateway.credentials

        @middleware
        def sign(request: Request) -> Iterator[Any]:
            given = Given(request, str(int(gateway.clock()) - late), nonce)
            made = (key or credentials["private_key"]).sign(text(given), *scheme)
            values = {
                "mchid": credentials["mchid"],
                "nonce_str": given.nonce,
                "timestamp": given.timestamp,
                "serial_no": credentials["serial"],
                "signature": spell(made).decode(),
            }
            for name, value in parameters.items():
                values[name] = value(gateway, given) if callable(value) else value
            return (yield request.with_header("Authorization", edit(header(**values))))

        client.stack.replace("sign", sign)

    return change


def inside(change: Callable[[Request], Request]) -> Callable[..., None]:
    """Adds a layer between ``sign`` and the transport."""

    def add(client: WeChatPay, gateway: Gateway) -> None:
        @middleware
        def careless(request: Request) -> Iterator[Any]:
            return (yield change(request))

        client.stack.after("sign", careless)

    return add


def unsigned(client: WeChatPay, gateway: Gateway) -> None:
    client.stack.remove("sign")


def set_to(**options: Any) -> Callable[..., Any]:
    """A client with other options, signing by itself."""

    def change(client: WeChatPay, gateway: Gateway) -> WeChatPay:
        made = {
            name: value(gateway) if name != "nonce" and callable(value) else value
            for name, value in options.items()
        }
        return client.with_options(**made)

    return change


def recoded(**options: Any) -> Callable[[Given], bytes]:
    return lambda given: given.text(
        body=json.dumps(json.loads(given.body), **options).encode()
    )


def swapped(request: Request, old: str, new: str) -> Request:
    value = request.headers["Authorization"]
    assert old in value
    return request.with_header("Authorization", value.replace(old, new))


def upload(client: WeChatPay, call: Any) -> Any:
    node = client.v3.merchant.media.upload
    return call(node.post, files={"file": ("a.png", b"\x89PNG\r\n")})


def listing(client: WeChatPay, call: Any) -> Any:
    return call(client.v3.x.get, {"b": "1 2", "a": "x/y"})


def plain(client: WeChatPay, call: Any) -> Any:
    return call(client.v3.x.get)


def cancel(client: WeChatPay, call: Any) -> Any:
    node = client.v3.payscore.serviceorder._out_order_no_.cancel
    return call(node.post, BODY, out_order_no="ORD|1*2", params={"lang": "en"})


class Stub:
    """Answers every request as protocol section 4 has it, and knows no more."""

    def __init__(self, gateway: Gateway) -> None:
        self.clock = gateway.clock
        self.headers: dict[str, str] = {}
        self.issue: tuple[str, str] = ("signature", "sign not match")
        self.information: dict[str, Any] = {}
        self.request = Request("GET", "http://localhost/")

    def __call__(self, request: Request) -> Response:
        self.request = request
        _, _, rest = request.headers.get("Authorization", "").partition('timestamp="')
        timestamp = rest.partition('"')[0]
        text = f"{request.method}\n{request.target}\n{timestamp}\n"
        information = {
            "method": request.method,
            "url": request.target,
            "truncated_sign_message": text,
            "sign_message_length": 0,
            **self.information,
        }
        field, issue = self.issue
        detail = {
            "field": field,
            "location": "authorization",
            "detail": {"issue": issue},
            "sign_information": information,
        }
        data = {
            "code": "SIGN_ERROR",
            "message": "错误的签名，验签失败",
            "detail": detail,
        }
        headers = {"Content-Type": "application/json", **self.headers}
        return Response(401, headers, json.dumps(data).encode())  # type: ignore
