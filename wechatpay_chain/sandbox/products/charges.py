"""What a PayScore service costs: complete, modify, pay, sync, and messages about it.

Also direct-complete (创单结单合并), which is create and complete in one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..lifecycles.orders import Event, State
from ..refusals import Internal, Problem, parameters, refused
from ..routing import Answer, Call, Route
from ..world import World
from . import charge_fields, fields
from .charge_fields import Roles, sum_problems
from .deductions import Deductions
from .order_amounts import check_lower, check_total
from .order_documents import brief, completed, completed_at_once, document
from .order_times import completion_problems, payment_problems, service_problems
from .orders import Order, Orders
from .payscore_access import Access, check_kind
from .permissions import Permissions

_BASES = ("/v3/payscore/serviceorder", "/v3/payscore/partner/serviceorder")


class Charges:
    """The endpoints, on the orders of one gateway."""

    def __init__(
        self,
        world: World,
        orders: Orders,
        access: Access,
        deductions: Deductions,
        permissions: Permissions,
    ) -> None:
        self._world = world
        self._orders = orders
        self._access = access
        self._deductions = deductions
        self._permissions = permissions

    def routes(self) -> Iterator[Route]:
        """The endpoints of both roles."""
        calls: list[tuple[str, Callable[[Call], Answer], Roles]] = [
            ("complete", self.complete, charge_fields.COMPLETE),
            ("modify", self.modify, charge_fields.MODIFY),
            ("pay", self.pay, charge_fields.PAY),
            ("sync", self.sync, charge_fields.SYNC),
            ("send-prepaidmessage", self.send_prepaid, charge_fields.MESSAGE),
            ("send-pendingmessage", self.send_pending, charge_fields.MESSAGE),
        ]
        for name, behave, bodies in calls:
            for base, body in zip(_BASES, bodies):
                template = f"{base}/{{out_order_no}}/{name}"
                yield Route("POST", template, behave, path=fields.PATH, body=body)
        for base, body in zip(_BASES, charge_fields.DIRECT_COMPLETE):
            template = f"{base}/direct-complete"
            yield Route("POST", template, self.direct_complete, body=body)

    def complete(self, call: Call) -> Answer:
        """Complete an order (完结); then deduction begins."""
        order, now = self._access.order(call, Event.COMPLETE), self._world.clock()
        if order.state is State.CONFIRMED:
            self._check_completion(order, call, now)
        done = order.complete(call.body, now)
        answer = _answer(order, completed)
        if done:
            self._deductions.attempt(order, now)
        return answer

    def modify(self, call: Call) -> Answer:
        """Lower the amount (修改订单金额) of an order that is not paid."""
        order, now = self._access.order(call, Event.MODIFY), self._world.clock()
        # Repeating the latest modification changes nothing, also where it left nothing
        # to be paid (payscore section 7).
        due = order.state in (State.PAYING, State.ZERO)
        if due and order.modified_so(call.body):
            return _answer(order, document)
        if order.state is State.PAYING and not order.locked:
            total = call.body["total_amount"]
            _refuse(sum_problems(call.body))
            check_lower(order, total)
            check_total(self._world.services[order.service_id], order.request, total)
        order.modify(call.body, now)
        return _answer(order, document)

    def pay(self, call: Call) -> Answer:
        """Ask for another attempt at deduction (商户发起催收扣款)."""
        order, now = self._access.order(call, Event.PAY), self._world.clock()
        order.happen(Event.PAY, now)
        answer = _answer(order, brief)
        self._deductions.attempt(order, now)
        return answer

    def sync(self, call: Call) -> Answer:
        """Report a payment through another channel (同步)."""
        order, now = self._access.order(call, Event.SYNC), self._world.clock()
        if order.state is State.PAYING and not order.locked:
            _check_payment(order, call.body["detail"], now)
        order.sync(call.body, now)
        return _answer(order, document)

    def send_prepaid(self, call: Call) -> Answer:
        """Tell the user what is going to be charged (服务预扣费消息)."""
        return self._send(call, Event.SEND_PREPAID)

    def send_pending(self, call: Call) -> Answer:
        """Tell the user that the charge is not settled (服务费用待处理消息)."""
        return self._send(call, Event.SEND_PENDING)

    def direct_complete(self, call: Call) -> Answer:
        """Create and complete an order in one call; no-confirm services only."""
        body, mchid = call.body, call.merchant.mchid
        service = self._access.service(call.merchant, body)
        check_kind(service, needs_confirm=False)
        now = self._world.clock()
        order = self._orders.find(mchid, body["out_order_no"])
        if order is not None:
            same = order.request == body
            order.happen(Event.DIRECT_COMPLETE, now, same=same)
            return _answer(order, completed_at_once)
        total = body["total_amount"]
        self._permissions.demand(mchid, body)
        span = body["time_range"]
        _refuse([*service_problems(span, span, now), *sum_problems(body)])
        check_total(service, body, total)
        order = self._orders.open(mchid, body, self._world.ids, now)
        order.happen(Event.DIRECT_COMPLETE, now, free=total == 0)
        order.begin(body.get("openid") or body["sub_openid"], now)
        order.charge(body, now)
        answer = _answer(order, completed_at_once)
        self._deductions.attempt(order, now)
        return answer

    def _check_completion(self, order: Order, call: Call, now: float) -> None:
        body = call.body
        planned, given = order.member("time_range"), body.get("time_range", {})
        accepted = order.request["time_range"]["start_time"] == "OnAccept"
        problems = list(
            completion_problems(
                planned, given, order.created_at, now, accepted=accepted
            )
        )
        places: dict[str, Any] = {
            **(order.member("location") or {}),
            **body.get("location", {}),
        }
        if "end_location" in places and "start_location" not in places:
            problems.append(
                Problem("/location/end_location", "only together with start_location")
            )
        _refuse([*problems, *sum_problems(body)])
        service = self._world.services[order.service_id]
        check_total(service, order.request, body["total_amount"])

    def _send(self, call: Call, event: Event) -> Answer:
        order, now = self._access.order(call, event), self._world.clock()
        if order.state is State.CONFIRMED and event in order.calls:
            if order.repeat(event, call.body):
                return Answer(204)
            raise refused(
                "INVALID_REQUEST",
                "sent_already",
                "one such message per order, and it was sent",
                number=Internal.REENTRY_DIFFERS,
            )
        if order.state is State.CONFIRMED:
            _refuse(sum_problems(call.body))
        order.happen(event, now)
        order.calls[event] = dict(call.body)
        return Answer(204)


def _answer(order: Order, show: Callable[[Order], dict[str, Any]]) -> Answer:
    """A partner is answered without a body (payscore section 2.2)."""
    return Answer(204) if order.sub_mchid else Answer(200, show(order))


def _refuse(problems: Iterator[Problem] | list[Problem]) -> None:
    found = list(problems)
    if found:
        raise parameters(found)


def _check_payment(order: Order, detail: dict[str, Any], now: float) -> None:
    completed_at = order.completed_at
    assert completed_at is not None
    problems = list(payment_problems(detail["paid_time"], completed_at, now))
    amount = detail.get("paid_amount", order.total_amount)
    if amount != order.total_amount:
        issue = f"the whole amount is expected, {order.total_amount}"
        problems.append(Problem("/detail/paid_amount", issue, amount))
    _refuse(problems)
