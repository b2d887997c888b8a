"""Measure reading a notification against the least that it takes, in one run.

    python tests/benchmarks/parse.py [--quick] [--markdown]

The floor is one RSA verification, one AES-GCM decryption and ``json.loads`` of the
same bytes, envelope and resource, with everything that can be held between two of them
held. Nothing here is a test: no result fails a build.
"""

from __future__ import annotations

import argparse
import json
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

from account import MOMENT, Account
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from measure import Contender, Effort, race
from report import Target, against_floor, load, machine, table

from wechatpay_chain import WeChatPay

KEY = "Zq3t6w9zC4FcJaNdRgUkXp2s5v8yB1ED"
PKCS1, HASH = padding.PKCS1v15(), SHA256()
FULL, QUICK = Effort(15, 0.2), Effort(5, 0.05)

#: What a paid PayScore order (微信支付分) comes with, less what is optional.
RESOURCE = {
    "appid": "wxd678efh567hg6787",
    "mchid": "1900000109",
    "service_id": "500001",
    "out_order_no": "1234323JKHDFE1243252",
    "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
    "order_id": "1000000000202406010000000000001",
    "state": "DONE",
    "total_amount": 39900,
    "need_collection": True,
    "post_payments": [{"name": "就餐费用", "amount": 40000, "count": 1}],
    "collection": {
        "state": "USER_PAID",
        "total_amount": 39900,
        "paid_amount": 39900,
        "details": [{"seq": 1, "amount": 39900, "paid_type": "NEWTON"}],
    },
}


class Posted:
    """One notification, and the floor of reading it."""

    def __init__(self, account: Account) -> None:
        self._public_key = account.wechat_key.public_key()
        self._cipher = AESGCM(KEY.encode())
        self.body = json.dumps(self._envelope(), ensure_ascii=False).encode()
        nonce = "593BEC0C930BF1AFEB40B4A08C8FB242"
        signed = b"%d\n%s\n%s\n" % (MOMENT, nonce.encode(), self.body)
        self.headers = {
            "Wechatpay-Timestamp": str(MOMENT),
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": account.public_key_id,
            "Wechatpay-Signature": b64encode(
                account.wechat_key.sign(signed, PKCS1, HASH)
            ).decode(),
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
            "Request-ID": "08D8AECBB20610BC0318B0C0B1A80120E0C10628F4B403-0",
        }

    def _envelope(self) -> dict[str, Any]:
        plain = json.dumps(RESOURCE, ensure_ascii=False).encode()
        sealed = self._cipher.encrypt(b"fdasflkja484", plain, b"payscore")
        return {
            "id": "EV-2024060100000000001",
            "create_time": "2024-06-01T15:00:00+08:00",
            "resource_type": "encrypt-resource",
            "event_type": "PAYSCORE.USER_PAID",
            "summary": "用户支付成功",
            "resource": {
                "original_type": "payscore",
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": b64encode(sealed).decode(),
                "associated_data": "payscore",
                "nonce": "fdasflkja484",
            },
        }

    def floor(self) -> Any:
        """The least: no header looked for, no clock, no value made of it."""
        headers = self.headers
        head = f"{headers['Wechatpay-Timestamp']}\n{headers['Wechatpay-Nonce']}\n"
        self._public_key.verify(
            b64decode(headers["Wechatpay-Signature"]),
            head.encode() + self.body + b"\n",
            PKCS1,
            HASH,
        )
        sealed = json.loads(self.body)["resource"]
        return json.loads(
            self._cipher.decrypt(
                sealed["nonce"].encode(),
                b64decode(sealed["ciphertext"]),
                sealed["associated_data"].encode(),
            )
        )


def _environ(headers: dict[str, str]) -> dict[str, Any]:
    """A WSGI environ as servers make it, three dozen of names."""
    more = {f"HTTP_X_HEADER_{at}": "value" for at in range(15)}
    wsgi = {f"wsgi.thing_{at}": object() for at in range(15)}
    ours = {f"HTTP_{k.upper().replace('-', '_')}": v for k, v in headers.items()}
    return {**more, **wsgi, **ours}


def _contenders(account: Account) -> list[Contender]:
    posted = Posted(account)
    client = WeChatPay(
        mchid=account.mchid,
        serial=account.serial,
        private_key=account.private_key,
        certs={account.public_key_id: account.wechat_key.public_key()},
        apiv3_key=KEY,
        clock=account.clock,
    )
    parse, body = client.notifications.parse, posted.body
    lower = {name.lower(): value for name, value in posted.headers.items()}
    environ = _environ(posted.headers)
    assert parse(lower, body).resource == posted.floor() == RESOURCE
    return [
        _contender("RSA verify + AES-GCM + json.loads", posted.floor),
        _contender("parse, lower case", lambda: parse(lower, body)),
        _contender("parse, WSGI environ", lambda: parse(environ, body)),
    ]


def _contender(name: str, function: Callable[[], Any]) -> Contender:
    def repeat(times: int) -> None:
        for _ in range(times):
            function()

    return Contender(name, repeat)


def main() -> int:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer, shorter rounds")
    parser.add_argument("--markdown", action="store_true", help="a Markdown table")
    options = parser.parse_args()
    before = load()
    results = race(_contenders(Account()), QUICK if options.quick else FULL)
    targets = {"parse, lower case": (Target("time", 1.5),)}
    rows = against_floor("notification", results, targets)
    print(machine(), f"{before} before, {load()} after", "", sep="\n")
    print(table(rows, markdown=options.markdown))
    return 0


if __name__ == "__main__":
    sys.exit(main())
