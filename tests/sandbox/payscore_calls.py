"""PayScore calls of one role, with bodies that are accepted unless told otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import APIError
from wechatpay_chain.sandbox import Gateway

#: The gateway's frozen time, 2024-06-01 15:00:00 in Beijing.
NOW = "20240601150000"

roles = pytest.mark.parametrize("partner", [False, True], ids=["direct", "partner"])


def line(amount: int) -> list[dict[str, Any]]:
    """One line that costs so much."""
    return [{"name": "服务费", "amount": amount}]


def bill(amount: int) -> dict[str, Any]:
    """One line and its total."""
    return {"post_payments": line(amount), "total_amount": amount}


class Calls:
    """``Calls(gateway, partner)("complete", order)``; ``...`` leaves a member out."""

    def __init__(self, gateway: Gateway, partner: bool = False) -> None:
        self.gateway = gateway
        self.partner = partner
        client = gateway.client(check="off")  # the gateway is to find what is wrong
        self.base = client.v3.payscore.partner if partner else client.v3.payscore
        self.node = self.base.serviceorder

    def own(self) -> dict[str, str]:
        """What a call names beside the order."""
        gateway = self.gateway
        if self.partner:
            return {"service_id": gateway.service_id, "sub_mchid": gateway.sub_mchid}
        return {"service_id": gateway.service_id, "appid": gateway.appid}

    def body(self, name: str, **changes: Any) -> dict[str, Any]:
        """The body of a call that is accepted, with *changes* made to it."""
        given: dict[str, Any] = {**self.own(), **BODIES[name], **changes}
        if name.startswith("send-") and not self.partner:
            given.pop("appid", None)
        return {key: value for key, value in given.items() if value is not ...}

    def __call__(self, name: str, order: str, **changes: Any) -> Any:
        node = self.node._out_order_no_[name]
        return node.post(self.body(name, **changes), out_order_no=order)

    def refused(self, name: str, order: str, **changes: Any) -> APIError:
        """The error of a call that is refused, and changes nothing."""
        before = self.gateway.orders[order].document()
        with pytest.raises(APIError) as caught:
            self(name, order, **changes)
        assert self.gateway.orders[order].document() == before
        return caught.value

    def outcome(self, name: str, order: str, **changes: Any) -> str:
        """``"ok"`` with the right status, or the code it was refused with."""
        try:
            reply = self(name, order, **changes)
        except APIError as error:
            return error.code or ""
        silent = self.partner or name.startswith("send-")
        assert reply.status_code == (204 if silent else 200)
        assert reply.verified
        return "ok"

    def query(self, order: str) -> Any:
        """The order as a query answers it."""
        return self.node.get({**self.own(), "out_order_no": order}).data

    def create(self, **changes: Any) -> Any:
        """A create call."""
        return self.node.post(
            self.gateway.given.create_body(partner=self.partner, **changes)
        )

    def confirmed(self, **changes: Any) -> str:
        """An order that was created and confirmed through the doors."""
        number = self.create(**changes)["out_order_no"]
        self.gateway.user.confirm(number)
        return str(number)

    def completed(self, amount: int = 100, **changes: Any) -> str:
        """An order that was completed by a call."""
        number = self.confirmed(**changes)
        self("complete", number, **bill(amount))
        return number


BODIES: dict[str, dict[str, Any]] = {
    "cancel": {"reason": "用户投诉"},
    "complete": {**bill(100), "time_range": {"end_time": NOW}},
    "modify": {**bill(50), "reason": "协商减免"},
    "pay": {},
    "sync": {"type": "Order_Paid", "detail": {"paid_time": NOW}},
    "send-prepaidmessage": {**bill(100), "prepaid_time": NOW},
    "send-pendingmessage": {**bill(100), "prepaid_time": NOW},
}
