"""The floors: one signed and verified call as a good engineer would write it by hand.

Each does the same real work as the client: a fresh nonce, the canonical message, an RSA
signature, POST with a JSON body, the answer read, its four headers and the clock
checked, an RSA verification, ``json.loads``. Nothing of ``wechatpay_chain`` is used.
"""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import requests
from account import BODY, ORDERS, Account
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

PKCS1 = padding.PKCS1v15()
HASH = SHA256()
SCHEME = "WECHATPAY2-SHA256-RSA2048"
TIMEOUT = 30


class Hand:
    """What every floor does before it sends, and after it received."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._keys = {account.public_key_id: account.wechat_key.public_key()}

    def request(self) -> tuple[str, bytes, dict[str, str]]:
        """Path, body and headers of the call, freshly signed."""
        account = self._account
        path = f"/v3/payscore/serviceorder/{quote(next(ORDERS), safe='')}/cancel"
        body = json.dumps(BODY, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp, nonce = int(time.time()), secrets.token_hex(16)
        message = f"POST\n{path}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"
        signature = b64encode(account.private_key.sign(message, PKCS1, HASH)).decode()
        return (
            path,
            body,
            {
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": "floor/1",
                "Wechatpay-Serial": account.public_key_id,
                "Authorization": (
                    f'{SCHEME} mchid="{account.mchid}",nonce_str="{nonce}",'
                    f'timestamp="{timestamp}",serial_no="{account.serial}",'
                    f'signature="{signature}"'
                ),
            },
        )

    def answer(self, status: int, headers: Mapping[str, str], content: bytes) -> Any:
        """The data of an answer, after checking that WeChat Pay signed it."""
        if status != 200:
            raise RuntimeError(f"the server answered {status}: {content!r}")
        timestamp = headers["Wechatpay-Timestamp"]
        if abs(self._account.clock() - int(timestamp)) > 300:
            raise RuntimeError("the answer is outside the clock window")
        message = f"{timestamp}\n{headers['Wechatpay-Nonce']}\n".encode()
        self._keys[headers["Wechatpay-Serial"]].verify(
            b64decode(headers["Wechatpay-Signature"]),
            message + content + b"\n",
            PKCS1,
            HASH,
        )
        return json.loads(content)


class RequestsFloor:
    """One ``requests.Session``, shared by all threads."""

    def __init__(self, account: Account, base_url: str, ca: str) -> None:
        self._hand = Hand(account)
        self._base_url = base_url
        self._session = requests.Session()
        self._session.verify = ca

    def call(self) -> Any:
        path, body, headers = self._hand.request()
        response = self._session.post(
            self._base_url + path, data=body, headers=headers, timeout=TIMEOUT
        )
        return self._hand.answer(
            response.status_code, response.headers, response.content
        )

    def close(self) -> None:
        self._session.close()


class AiohttpFloor:
    """One ``aiohttp.ClientSession``; build it inside the event loop."""

    def __init__(self, account: Account, base_url: str, ca: str) -> None:
        self._hand = Hand(account)
        self._base_url = base_url
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ca)),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
        )

    async def call(self) -> Any:
        path, body, headers = self._hand.request()
        async with self._session.post(
            self._base_url + path, data=body, headers=headers
        ) as response:
            content = await response.read()
        return self._hand.answer(response.status, response.headers, content)

    async def close(self) -> None:
        await self._session.close()


class WireFloor:
    """Kept-alive sockets without an HTTP library: what no client on one can reach."""

    def __init__(self, account: Account, base_url: str, ca: str) -> None:
        self._hand = Hand(account)
        self._address = urlsplit(base_url)
        self._tls = None
        if self._address.scheme == "https":
            self._tls = ssl.create_default_context(cafile=ca)
        self._idle: list[socket.socket] = []

    def call(self) -> Any:
        path, body, headers = self._hand.request()
        lines = [f"POST {path} HTTP/1.1", f"Host: {self._address.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"Content-Length: {len(body)}\r\n\r\n")
        sock = self._idle.pop() if self._idle else self._connect()
        sock.sendall("\r\n".join(lines).encode() + body)
        status, answered, content = _receive(sock)
        self._idle.append(sock)
        return self._hand.answer(status, answered, content)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _connect(self) -> socket.socket:
        host, port = self._address.hostname or "", self._address.port or 0
        sock = socket.create_connection((host, port), TIMEOUT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._tls.wrap_socket(sock, server_hostname=host) if self._tls else sock


def _receive(sock: socket.socket) -> tuple[int, dict[str, str], bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(sock)
    head, _, content = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    while len(content) < int(headers["Content-Length"]):
        content += _some(sock)
    return int(status.split(" ", 2)[1]), headers, content


def _some(sock: socket.socket) -> bytes:
    data = sock.recv(65536)
    if not data:
        raise ConnectionError("the server closed the connection")
    return data
