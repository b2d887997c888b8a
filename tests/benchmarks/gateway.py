"""What the sandbox adds to its own RSA: ``python tests/benchmarks/gateway.py``.

A PayScore cancel through ``Gateway.handle``, beside one verification and one signature
with the same keys, in turns. The target is a ratio below 3.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice

from measure import Contender, Effort, cpu_ratio, race

from wechatpay_chain import Headers, Request, crypto
from wechatpay_chain.sandbox import Gateway

#: The most that a call may cost, times its own RSA.
BOUND = 3.0


def requests(gateway: Gateway) -> Iterator[Request]:
    """Cancels, signed, each of an order of its own."""
    credentials = gateway.credentials
    body = json.dumps({"appid": gateway.appid, "reason": "用户投诉"}).encode()
    timestamp = str(int(gateway.clock()))
    number = 0
    while True:
        number += 1
        path = f"/v3/payscore/serviceorder/{gateway.given.order()}/cancel"
        nonce = f"benchmark{number:016d}"
        text = crypto.request_message("POST", path, timestamp, nonce, body)
        signature = crypto.sign(text, credentials["private_key"])
        authorization = crypto.authorization(
            mchid=credentials["mchid"],
            serial=credentials["serial"],
            nonce=nonce,
            timestamp=timestamp,
            signature=signature,
        )
        headers = Headers({"Authorization": authorization})
        yield Request("POST", f"{gateway.base_url}{path}", headers, body)


def main() -> int:
    """Print the ratio; the status for the shell: 1 where it is above the bound."""
    gateway = Gateway(seed=1)
    # Signing is the client's affair: all requests are made before anything is timed.
    stock = list(islice(requests(gateway), 8_000))
    effort = Effort(rounds=15, seconds=0.1)
    key = gateway.credentials["private_key"]
    text = b"x" * 200
    signature = crypto.sign(text, key)

    def handle(times: int) -> None:
        for _ in range(times):
            answer = gateway.handle(stock.pop())
            assert answer.status_code == 200, answer.content

    def rsa(times: int) -> None:
        for _ in range(times):
            assert crypto.verify(text, signature, key.public_key())
            crypto.sign(text, key)

    alone, whole = race([Contender("rsa", rsa), Contender("cancel", handle)], effort)
    ratio = cpu_ratio(whole, alone)
    sys.stdout.write(
        f"verify and sign {alone.cpu_per_call * 1e6:6.0f} µs\n"
        f"a whole cancel  {whole.cpu_per_call * 1e6:6.0f} µs\n"
        f"ratio           {ratio}, at most {BOUND}\n"
    )
    return 0 if ratio.middle < BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
