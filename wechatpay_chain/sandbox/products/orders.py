"""PayScore orders (支付分订单): what is kept of one, and what can be done to it.

An order changes state in one way only: :meth:`Order.happen`, which asks the table. No
request is checked here; how WeChat Pay shows an order is :mod:`.order_documents`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..lifecycles.orders import EXPIRY, ORDER, Event, State, follow
from ..state.tables import Table, Tables, key, key_of
from ..world import Ids, compact
from .order_documents import document

#: What makes a modification the same as the one before (payscore section 7).
_OF_AMOUNT = ("total_amount", "post_payments", "post_discounts", "reason")


class Step(NamedTuple):
    """One thing that happened to an order."""

    at: float
    event: Event
    before: State | None
    after: State
    #: The notification that WeChat Pay would send.
    emits: str | None = None


@dataclass(eq=False)
class Order:
    """One use of a service. Read it freely; acts go through the gateway."""

    mchid: str
    order_id: str
    #: What the confirm page hands back to the merchant's own page.
    query_id: str
    created_at: float
    #: The create call, as it was made.
    request: Mapping[str, Any]
    #: Everything that happened, in order.
    steps: list[Step] = field(default_factory=list[Step])
    openid: str | None = None
    #: Members that changed since: ``post_payments``, ``time_range`` and so on.
    changes: dict[str, Any] = field(default_factory=dict[str, Any])
    total_amount: int | None = None
    completed_at: float | None = None
    paid: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    #: The body of the latest call of each kind, to know a repetition by.
    calls: dict[Event, Mapping[str, Any]] = field(
        default_factory=dict[Event, Mapping[str, Any]]
    )
    #: Whether an attempt at deduction (扣款) is under way.
    deducting: bool = False
    #: How many attempts were begun.
    attempts: int = 0
    #: Queries until the attempt succeeds, where it is counted in queries.
    looks: int = 0
    #: Why the latest attempt failed.
    failure: str | None = None
    #: Whether the user is in the cashier (收银台).
    in_cashier: bool = False
    #: Whether the user paid a deposit (押金) in place of an evaluation.
    deposit_paid: bool = False

    @property
    def out_order_no(self) -> str:
        """The merchant's number."""
        return str(self.request["out_order_no"])

    @property
    def key(self) -> str:
        """Where it stands in the table."""
        return key(self.mchid, self.out_order_no)

    @property
    def service_id(self) -> str:
        """The service that it is for."""
        return str(self.request["service_id"])

    @property
    def sub_mchid(self) -> str | None:
        """The sub-merchant (子商户) of a partner's order."""
        return self.request.get("sub_mchid")

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.steps[-1].after

    @property
    def history(self) -> list[State]:
        """The states it went through, the present one last."""
        states: list[State] = []
        for step in self.steps:
            if step.before is not step.after:
                states.append(step.after)
        return states

    @property
    def expires_at(self) -> float:
        """When it expires, if nobody confirms it before."""
        return self.created_at + EXPIRY

    @property
    def locked(self) -> bool:
        """Whether money may be on its way: nothing else goes (payscore 4.3)."""
        return self.deducting or self.in_cashier

    def happen(
        self,
        event: Event,
        at: float,
        *,
        same: bool | None = False,
        free: bool = False,
    ) -> bool:
        """Take *event* through the table; whether anything was done.

        ``False`` for an identical repetition. Raises :class:`Refusal`.
        """
        before = self.steps[-1].after if self.steps else None
        found = ORDER.cell(before, event)
        after = follow(before, event, same=same, free=free, locked=self.locked)
        if found.to is None:
            return False
        self.steps.append(Step(at, event, before, after, found.emits))
        return True

    def repeat(self, event: Event, body: Mapping[str, Any]) -> bool | None:
        """Whether *body* is that of the latest call of this kind; ``None``: of none."""
        return self.calls[event] == body if event in self.calls else None

    def modified_so(self, body: Mapping[str, Any]) -> bool:
        """Whether the latest modification said of the amount what *body* says."""
        latest = self.calls.get(Event.MODIFY)
        return latest is not None and all(
            latest.get(name) == body.get(name) for name in _OF_AMOUNT
        )

    def age(self, seconds: float) -> None:
        """Make it as if everything had happened *seconds* earlier."""
        self.created_at -= seconds
        if self.completed_at is not None:
            self.completed_at -= seconds
        self.steps = [step._replace(at=step.at - seconds) for step in self.steps]

    def confirm(self, openid: str, at: float) -> None:
        """The user accepts (确认订单)."""
        self.happen(Event.USER_CONFIRMS, at)
        self.begin(openid, at)

    def begin(self, openid: str, at: float) -> None:
        """Note who the user is, and make ``OnAccept`` a time."""
        self.openid = openid
        span = self.member("time_range")
        if span.get("start_time") == "OnAccept":
            self.changes["time_range"] = {**span, "start_time": compact(at)}

    def complete(self, body: Mapping[str, Any], at: float) -> bool:
        """The merchant ends the service and says what it costs (完结)."""
        same, free = self.repeat(Event.COMPLETE, body), body["total_amount"] == 0
        if not self.happen(Event.COMPLETE, at, same=same, free=free):
            return False
        self.calls[Event.COMPLETE] = dict(body)
        self.charge(body, at)
        for name in ("time_range", "location"):
            if name in body:
                self.changes[name] = {**(self.member(name) or {}), **body[name]}
        return True

    def charge(self, body: Mapping[str, Any], at: float) -> None:
        """Take what *body* says the service costs."""
        self.completed_at = at
        self._bill(body)

    def modify(self, body: Mapping[str, Any], at: float) -> None:
        """The merchant lowers the amount (修改订单金额)."""
        self.happen(Event.MODIFY, at, free=body["total_amount"] == 0)
        self.calls[Event.MODIFY] = dict(body)
        self._bill(body)

    def _bill(self, body: Mapping[str, Any]) -> None:
        self.total_amount = body["total_amount"]
        for name in ("post_payments", "post_discounts"):
            # These lists replace the earlier ones (payscore section 5, rule 2).
            self.changes[name] = body.get(name)

    def pay(self, transaction_id: str, at: float, event: Event) -> None:
        """PayScore, or the user, pays."""
        self.happen(event, at)
        self.end_attempt()
        self.paid.append(
            {
                "seq": 1,
                "amount": self.total_amount,
                "paid_type": "NEWTON",
                "paid_time": compact(at),
                "transaction_id": transaction_id,
            }
        )

    def end_attempt(self) -> None:
        """No money is on its way any more."""
        self.deducting = self.in_cashier = False
        self.looks = 0

    def sync(self, body: Mapping[str, Any], at: float) -> None:
        """The merchant was paid in another way (同步)."""
        if not self.happen(Event.SYNC, at, same=self.repeat(Event.SYNC, body)):
            return
        self.calls[Event.SYNC] = dict(body)
        detail = body["detail"]
        self.paid.append(
            {
                "seq": detail.get("seq", 1),
                "amount": self.total_amount,
                "paid_type": "MCH",
                "paid_time": detail["paid_time"].ljust(14, "0"),
            }
        )

    def cancel(self, body: Mapping[str, Any], at: float) -> None:
        """The merchant cancels (取消)."""
        if self.happen(Event.CANCEL, at, same=self.repeat(Event.CANCEL, body)):
            self.calls[Event.CANCEL] = dict(body)

    def member(self, name: str) -> Any:
        """What the order says of *name* by now; ``None`` for nothing."""
        return self.changes[name] if name in self.changes else self.request.get(name)

    def document(self) -> dict[str, Any]:
        """The order object of payscore section 3.3."""
        return document(self)

    def __repr__(self) -> str:
        return f"<Order {self.out_order_no} {self.state}>"


class Orders:
    """All orders of a gateway: ``orders[out_order_no]``.

    Numbers are unique per merchant (payscore section 2.2): ``orders[mchid, number]`` is
    another merchant's.
    """

    def __init__(self, mchid: str, tables: Tables) -> None:
        #: Whose numbers are meant where no merchant is named.
        self._mchid = mchid
        self._orders: Table[Order] = tables.table("payscore.orders", Order)
        #: The keys of orders by merchant and ``query_id``.
        self._by_query_id: Table[str] = tables.table("payscore.query_ids", str)

    def _key(self, number: str | tuple[str, str]) -> str:
        return key_of(number, self._mchid)

    def __getitem__(self, number: str | tuple[str, str]) -> Order:
        at = self._key(number)
        order = self._orders.get(at)
        if order is None:
            mchid, _, name = at.partition("/")
            raise KeyError(f"merchant {mchid} has no order {name!r}")
        return order

    def __contains__(self, number: str | tuple[str, str]) -> bool:
        return self._key(number) in self._orders

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders)

    def __len__(self) -> int:
        return len(self._orders)

    def at(self, at: str) -> Order | None:
        """The order of that key in the table."""
        return self._orders.get(at)

    def find(self, mchid: str, out_order_no: str) -> Order | None:
        """The merchant's order of that number."""
        return self._orders.get(key(mchid, out_order_no))

    def find_query(self, mchid: str, query_id: str) -> Order | None:
        """The merchant's order of that ``query_id``."""
        at = self._by_query_id.peek(key(mchid, query_id))
        return None if at is None else self._orders.get(at)

    def open(
        self, mchid: str, request: Mapping[str, Any], ids: Ids, now: float
    ) -> Order:
        """Enter a new order, which nothing has happened to yet."""
        order = Order(mchid, ids.order_id(now), ids.query_id(), now, dict(request))
        self._orders.put(order.key, order)
        self._by_query_id.put(key(mchid, order.query_id), order.key)
        return order

    def __repr__(self) -> str:
        return f"<Orders {len(self)}>"
