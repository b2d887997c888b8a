"""The chain client under measurement, in the call that the floors make by hand."""

from __future__ import annotations

from typing import Any
from unittest import mock

from account import BODY, ORDERS, Account

from wechatpay_chain import WeChatPay, _drivers

#: Calls in flight from which signatures leave the event loop: never, and always.
ON_THE_LOOP, ON_A_THREAD = 1 << 30, 1


def build(
    account: Account, base_url: str, ca: str | None = None, **more: Any
) -> WeChatPay:
    """A client of *account*; the keys are loaded once, here."""
    return WeChatPay(
        mchid=account.mchid,
        serial=account.serial,
        private_key=account.private_key,
        certs={account.public_key_id: account.wechat_key.public_key()},
        clock=account.clock,
        base_url=base_url,
        verify=ca,
        **more,
    )


class Chain:
    """The sync client, shared by all threads."""

    def __init__(self, account: Account, base_url: str, ca: str) -> None:
        self._client = build(account, base_url, ca)

    def call(self) -> Any:
        cancel = self._client.v3.payscore.serviceorder._out_order_no_.cancel
        return cancel.post(BODY, out_order_no=next(ORDERS)).data

    def close(self) -> None:
        self._client.close()


class AsyncChain:
    """The same client awaited.

    *offload_from* is the number of calls in flight from which a signature is made on a
    thread; without it, as the package ships.
    """

    def __init__(
        self, account: Account, base_url: str, ca: str, offload_from: int | None = None
    ) -> None:
        self._client = build(account, base_url, ca)
        self._offload_from = offload_from

    async def start(self) -> None:
        """Make the first call: the driver is built then, and keeps what it was told."""
        if self._offload_from is None:
            await self.call()
            return
        with mock.patch.multiple(
            _drivers, OFFLOAD_FROM=self._offload_from, OFFLOAD_CORES=1
        ):
            await self.call()

    async def call(self) -> Any:
        cancel = self._client.v3.payscore.serviceorder._out_order_no_.cancel
        return (await cancel.post_async(BODY, out_order_no=next(ORDERS))).data

    async def close(self) -> None:
        await self._client.aclose()
