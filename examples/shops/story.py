"""What happens to a shop: a customer, WeChat Pay (its sandbox), and repeats."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import requests
from shop import Shop

from wechatpay_chain import WeChatPay
from wechatpay_chain.sandbox import Gateway

#: Serves a shop on a free port, and gives its address.
Serve = Callable[[Shop], AbstractContextManager[str]]


def play(serve: Serve) -> None:
    """Rent a power bank, from the order to the payment."""
    gateway = Gateway(seed=1, deduction="immediate")
    with tempfile.TemporaryDirectory() as folder:
        with gateway.serve() as sandbox:
            client = WeChatPay(**gateway.credentials, base_url=sandbox.base_url)
            own = {"appid": gateway.appid, "service_id": gateway.service_id}
            shop = Shop(client, f"sqlite:///{Path(folder) / 'shop.db'}", own)
            with serve(shop) as address, requests.Session() as customer:
                _rent(gateway, customer, address)
                # WeChat Pay is done when what is on its way has arrived.
                sandbox.close()
                for notice in list(gateway.outbox):
                    gateway.outbox.resend(notice)  # as it does when in doubt
                order = customer.get(f"{address}/orders/RENT-1").json()
                refused = customer.post(f"{address}/notify", data=b"{}").status_code
        client.close()
        shop.inbox.close()
    print(order["state"], order["events"], "| a forged one:", refused)
    assert order["state"] == "paid"
    assert order["events"] == ["PAYSCORE.USER_CONFIRM", "PAYSCORE.USER_PAID"]
    assert refused == 401


def _rent(gateway: Gateway, customer: requests.Session, address: str) -> None:
    opened = customer.post(f"{address}/orders/RENT-1")
    opened.raise_for_status()
    print("the app opens", opened.json()["package"][:16], "...")
    gateway.user.confirm("RENT-1")
    customer.post(f"{address}/orders/RENT-1/end").raise_for_status()
