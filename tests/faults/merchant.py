"""The client under test, and how the acts of a story become its calls."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from far_side import FarSide
from fault_gateway import CALL
from plan import Plan
from shop import REASON, Ask

from wechatpay_chain import Retry, WeChatPay


class Wire:
    """The innermost layer: counts what goes out, by where it goes."""

    name = "wire"

    def __init__(self, backup_url: str) -> None:
        self._backup = backup_url
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()

    def __call__(self, request: Any) -> Any:
        with self._lock:
            self.counts["attempts"] += 1
            if request.template == "v3/certificates":
                self.counts["downloads"] += 1
            elif request.attempt > 1:
                self.counts["repeats"] += 1
            if request.base_url == self._backup:
                self.counts["to the backup"] += 1
        return (yield request)


class Shop:
    """Makes the calls of stories: one client, which verifies in both ways.

    Direct orders verify by the key ring, partners' by certificates that are downloaded.
    """

    def __init__(self, plan: Plan, far: FarSide) -> None:
        self.far = far
        self.wire = Wire(far.backup_url)
        self.client = WeChatPay(
            **far.credentials,
            base_url=far.base_url,
            backup_url=far.backup_url,
            timeout=plan.timeout,
            retry=Retry(plan.attempts, deadline=plan.deadline, first=0.02, longest=0.2),
            clock=far.clock,
            middleware=list(plan.layers),
        )
        self.client.stack.after("sign", self.wire)
        once = Retry(1, deadline=plan.deadline)
        partner = self.client.with_options(certs=None)
        self._direct = [self.client, self.client.with_options(retry=once)]
        self._partner = [partner, partner.with_options(retry=once)]

    def verb(
        self, ask: Ask, call: str, *, awaited: bool
    ) -> tuple[Callable[..., Any], list[Any], dict[str, Any]]:
        """The verb of a call and its arguments."""
        facts, view = self.far.facts, ask.order
        if view.partner:
            node = self._partner[view.hasty].v3.payscore.partner.serviceorder
        else:
            node = self._direct[view.hasty].v3.payscore.serviceorder
        options: dict[str, Any] = {"headers": {CALL: call}}
        who = {"service_id": facts["service_id"]}
        if view.partner:
            who["sub_mchid"] = facts["sub_mchid"]
        if ask.kind == "create":
            body: dict[str, Any] = {**_NEW, "out_order_no": view.number, **who}
            body["appid"] = facts["appid"]
        elif ask.kind == "cancel":
            node = node._out_order_no_.cancel
            options["out_order_no"] = view.number
            body = {**who, "reason": REASON}
            if not view.partner:
                body["appid"] = facts["appid"]
        else:
            body = {**who, "out_order_no": view.number}
            if not view.partner:
                body["appid"] = facts["appid"]
        name = "get" if ask.kind == "query" else "post"
        return getattr(node, name + "_async" * awaited), [body], options


_NEW = {
    "service_introduction": "共享充电宝",
    "time_range": {"start_time": "OnAccept"},
    "risk_fund": {"name": "DEPOSIT", "amount": 10000},
    "notify_url": "https://merchant.example/notify",
}
