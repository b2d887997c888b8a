"""WeChat Pay as far as bills go: it signs where they are, and serves them as files.

Lines break, URLs expire and files change when a test says so. Messages are built from
``cryptography`` alone, so that a mistake of the package cannot repeat itself here.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from key_material import KEYS, MCHID, PUBLIC_KEY_ID, SERIAL, merchant_key, wechat_key

from wechatpay_chain import (
    AsyncMemoryTransport,
    MemoryTransport,
    ReadError,
    Request,
    Response,
    WeChatPay,
)
from wechatpay_chain.middleware import Body

MOMENT = 1717225200
HOST = "https://api.mch.weixin.qq.com"

HEADS = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,"
    "交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,"
    "商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
TOTALS = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,"
    "订单总金额,申请退款总金额"
)


def line(number: int, name: str = "充值, 100点") -> str:
    """A payment of 1 yuan and *number* fen."""
    yuan = f"{1 + number // 100}.{number % 100:02}"
    cells = [
        "2024-06-01 10:00:00", "wxd678efh567hg6787", MCHID, "0", "",
        f"4200{number:024}", f"order{number}", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "JSAPI",
        "SUCCESS", "OTHERS", "CNY", yuan, "0.00", "0", "0", "0.00", "0.00", "", "",
        name, "", "0.00600", "0.60%", yuan, "0.00", "",
    ]  # fmt: skip
    return "`" + ",`".join(cells)


def trade_bill(rows: int, end: str = "\r\n") -> bytes:
    """A trade bill of *rows* payments."""
    totals = f"`{rows},`{rows}.00,`0.00,`0.00,`0.00000,`{rows}.00,`0.00"
    lines = ["\ufeff" + HEADS, *map(line, range(rows)), TOTALS, totals, ""]
    return end.join(lines).encode()


class Stream:
    """An open body, in pieces; where *cut* is, the line breaks."""

    def __init__(self, content: bytes, cut: int | None, size: int) -> None:
        end = len(content) if cut is None else cut
        self._pieces = [content[at : at + size] for at in range(0, end, size)]
        if cut is not None and self._pieces:
            self._pieces[-1] = content[:cut][(len(self._pieces) - 1) * size :]
        self._cut = cut is not None
        self.closed = False

    def _rest(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._cut:
            raise ReadError("cut off")

    def close(self) -> None:
        self.closed = True


class SyncStream(Stream):
    def read(self) -> bytes:
        return b"".join(self._rest())

    def chunks(self, size: int) -> Iterator[bytes]:
        yield from self._rest()


class AsyncStream(Stream):
    async def aread(self) -> bytes:
        return b"".join(self._rest())

    async def achunks(self, size: int) -> AsyncIterator[bytes]:
        for piece in self._rest():
            yield piece


class BillServer:
    """One bill of one merchant, in one file or several, and what goes wrong with it."""

    def __init__(self, mode: str, *files: bytes) -> None:
        self.mode = mode
        #: The plain bytes of each file.
        self.files: list[bytes] = list(files) or [trade_bill(3)]
        self.packed = True
        #: The key that files are encrypted with, and whether the answer is a list.
        self.key: bytes | None = None
        #: Where the next downloads break, in bytes of the file.
        self.cuts: list[int | None] = []
        #: Statuses by which the next downloads are refused.
        self.refusals: list[int] = []
        #: The entity tag of files: with one, the rest of a file is given out.
        self.tag: str | None = None
        #: What the answer says beside the truth.
        self.says: dict[str, Any] = {}
        #: What each fresh answer makes of the files.
        self.anew: list[list[bytes]] = []
        self.size = 64
        self.host = HOST
        self.requests: list[Request] = []
        self.streams: list[Stream] = []
        self.asked = 0

    def client(self, **options: Any) -> WeChatPay:
        """A client of this server, in both modes."""
        given: dict[str, Any] = {
            "mchid": MCHID,
            "serial": SERIAL,
            "private_key": merchant_key(),
            "certs": {PUBLIC_KEY_ID: KEYS["platform_public_key_pem"]},
            "transport": MemoryTransport(self),
            "async_transport": AsyncMemoryTransport(self),
            "clock": lambda: MOMENT,
            "retry": 1,
        }
        return WeChatPay(**{**given, **options})

    @property
    def downloads(self) -> list[Request]:
        """The requests for files."""
        return [one for one in self.requests if "/billdownload/" in one.url]

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        assert request.headers["Authorization"].startswith("WECHATPAY2-")
        if "/v3/billdownload/file" in request.url:
            return self._download(request)
        self.asked += 1
        if self.asked > 1 and self.anew:
            self.files = self.anew.pop(0)
        return self._signed(self._answer())

    def _answer(self) -> dict[str, Any]:
        listed = [self._entry(number) for number in range(len(self.files))]
        if self.key is None:
            return {**listed[0], **self.says}
        # Not in order: that is what the numbers are for.
        return {
            "download_bill_count": len(listed),
            "download_bill_list": listed[::-1],
            **self.says,
        }

    def _entry(self, number: int) -> dict[str, Any]:
        sha1 = hashlib.sha1(self.files[number]).hexdigest()
        token = f"token=a%2Fb_{self.asked}&part={number}&tartype=gzip"
        entry: dict[str, Any] = {
            "hash_type": "SHA1",
            "hash_value": sha1,
            "download_url": f"{self.host}/v3/billdownload/file?{token}",
        }
        if self.key is not None:
            oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
            sealed = merchant_key().public_key().encrypt(self.key, oaep)
            entry |= {
                "bill_sequence": number + 1,
                "encrypt_key": b64encode(sealed).decode(),
                "nonce": "fdasflkja484",
            }
        return entry

    def sent(self, number: int) -> bytes:
        """A file as it goes over the line."""
        content = self.files[number]
        if self.packed:
            content = gzip.compress(content, mtime=0)
        if self.key is not None:
            content = AESGCM(self.key).encrypt(b"fdasflkja484", content, None)
        return content

    def _download(self, request: Request) -> Response:
        if self.refusals:
            data = {"code": "INVALID_REQUEST", "message": "token已过期"}
            content = json.dumps(data).encode()
            kind = {"Content-Type": "application/json"}
            return Response(self.refusals.pop(0), kind, content)
        query = parse_qs(urlsplit(request.url).query)
        assert query["token"] == [f"a/b_{self.asked}"], "a URL that has expired"
        content = self.sent(int(query["part"][0]))
        headers = {"Content-Type": "text/plain", "Content-Length": str(len(content))}
        status, start = 200, 0
        if self.tag is not None:
            headers["ETag"] = self.tag
            if request.headers.get("If-Range") == self.tag:
                start = int(request.headers["Range"].strip("bytes=-"))
                if start >= len(content):
                    return Response(416, {"Content-Range": f"bytes */{len(content)}"})
                status = 206
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/*"
        cut = self.cuts.pop(0) if self.cuts else None
        kind_of = AsyncStream if self.mode == "async" else SyncStream
        stream = kind_of(
            content[start:], None if cut is None else cut - start, self.size
        )
        self.streams.append(stream)
        return Response(status, headers, Body(None, stream))

    def _signed(self, data: Any) -> Response:
        content = json.dumps(data).encode()
        message = f"{MOMENT}\nn0nce\n".encode() + content + b"\n"
        made = wechat_key().sign(message, padding.PKCS1v15(), hashes.SHA256())
        headers = {
            "Content-Type": "application/json",
            "Wechatpay-Timestamp": str(MOMENT),
            "Wechatpay-Nonce": "n0nce",
            "Wechatpay-Serial": PUBLIC_KEY_ID,
            "Wechatpay-Signature": b64encode(made).decode(),
        }
        return Response(200, headers, content)
