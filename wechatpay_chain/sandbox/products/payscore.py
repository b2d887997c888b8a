"""PayScore orders (支付分订单) of direct merchants and partners: from create to cancel.

One behaviour serves both roles; they differ in path, fields and in what a change
answers: 200 with the order, or 204 without a body (payscore section 2.2). What the
service costs is :mod:`.charges`, what users authorise :mod:`.permissions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..checks.validation import known
from ..lifecycles.orders import Event, State
from ..observed import PROFILES, observed
from ..refusals import Refusal, parameters
from ..routing import Answer, Call, Route
from ..world import Service, World
from . import fields
from .charges import Charges
from .deductions import Deductions
from .ledger import Ledger
from .order_acts import OrderActs
from .order_amounts import check_creation
from .order_documents import brief, document
from .order_times import creation_problems
from .orders import Order, Orders
from .payscore_access import Access, check_kind, mode_problems
from .permission_routes import permission_routes
from .permissions import Permissions
from .standing import Standing
from .tickets import Tickets

#: The job that ends an order which nobody confirmed.
_EXPIRY = "payscore.expiry"
_DIRECT = "/v3/payscore/serviceorder"
_PARTNER = "/v3/payscore/partner/serviceorder"


class PayScore:
    """The endpoints, on the orders of one gateway."""

    def __init__(
        self,
        world: World,
        orders: Orders,
        ledger: Ledger,
        *,
        reason_limit: int = fields.REASON_LIMIT,
        error_profile: str = "documented",
    ) -> None:
        if error_profile not in PROFILES:
            raise ValueError(
                f"error_profile: one of {', '.join(PROFILES)} expected, "
                f"got {error_profile!r}"
            )
        self._world = world
        self._orders = orders
        self._reason_limit = reason_limit
        self._observed = error_profile == "observed"
        self._access = Access(world, orders)
        #: What users and WeChat Pay do to orders.
        self.acts: OrderActs = OrderActs(world, ledger)
        #: How what is due is collected.
        self.deductions: Deductions = Deductions(world, orders, self.acts)
        #: Whom PayScore turns away.
        self.standing: Standing = Standing(world)
        #: What users have authorised.
        self.permissions: Permissions = Permissions(
            world, orders, self._access, self.standing
        )
        #: What a front end opens the confirm page with.
        self.packages: Tickets = Tickets(world, "package")
        self._charges = Charges(
            world,
            orders,
            self._access,
            self.deductions,
            self.permissions,
        )
        world.agenda.serve(_EXPIRY, self._expire)

    def routes(self) -> Iterator[Route]:
        """The endpoints of both roles."""
        for route in (
            *self._order_routes(),
            *self._charges.routes(),
            *permission_routes(self.permissions),
        ):
            route = _on_known(route)
            if self._observed:
                route = route._replace(behave=_as_observed(route.behave))
            yield route

    def _order_routes(self) -> Iterator[Route]:
        limit = self._reason_limit
        delivery = "/v3/payscore/servicepayondeliveryorder"
        partner_delivery = "/v3/payscore/partner/servicepayondeliveryorder"
        create, cancel = self.create, self.cancel
        yield Route("POST", _DIRECT, create, body=fields.CREATE)
        yield Route("POST", _PARTNER, create, body=fields.PARTNER_CREATE)
        yield Route("POST", delivery, create, body=fields.PAY_ON_DELIVERY)
        yield Route(
            "POST", partner_delivery, create, body=fields.PARTNER_PAY_ON_DELIVERY
        )
        yield Route("GET", _DIRECT, self.query, query=fields.QUERY)
        yield Route("GET", _PARTNER, self.query, query=fields.PARTNER_QUERY)
        for base, body in (
            (_DIRECT, fields.cancel(limit)),
            (_PARTNER, fields.partner_cancel(limit)),
        ):
            template = f"{base}/{{out_order_no}}/cancel"
            yield Route("POST", template, cancel, path=fields.PATH, body=body)

    def create(self, call: Call) -> Answer:
        """Create an order (创建), or answer again for one that was created so."""
        body, mchid = call.body, call.merchant.mchid
        service = self._access.service(call.merchant, body)
        needs_confirm = body.get("need_user_confirm", True)
        check_kind(service, needs_confirm=needs_confirm)
        event = Event.CREATE if needs_confirm else Event.CREATE_UNCONFIRMED
        now = self._world.clock()
        order = self._orders.find(mchid, body["out_order_no"])
        if order is not None:
            order.happen(event, now, same=order.request == body)
        else:
            self._check_new(service, mchid, body, now)
            order = self._orders.open(mchid, body, self._world.ids, now)
            order.happen(event, now)
            self._start(order, now)
        package = self.packages.issue(order.key)
        return Answer(200, {**document(order), "package": package})

    def query(self, call: Call) -> Answer:
        """Show an order (查询), by either of its numbers."""
        query = call.query
        self._access.permit(call.merchant, query)
        mchid = call.merchant.mchid
        if "query_id" in query:
            order = self._orders.find_query(mchid, query["query_id"])
        else:
            order = self._orders.find(mchid, query["out_order_no"])
        order = self._access.own(order, query, Event.QUERY)
        self.deductions.look(order, self._world.clock())
        return Answer(200, document(order))

    def cancel(self, call: Call) -> Answer:
        """Cancel an order (取消)."""
        order = self._access.order(call, Event.CANCEL)
        order.cancel(call.body, self._world.clock())
        return Answer(204) if order.sub_mchid else Answer(200, brief(order))

    def age(self, seconds: float) -> None:
        """Make it as if everything had happened *seconds* earlier."""
        for order in self._orders:
            order.age(seconds)
        self.packages.age(seconds)
        self.permissions.age(seconds)

    def _check_new(
        self, service: Service, mchid: str, body: Mapping[str, Any], now: float
    ) -> None:
        """What is asked of a new order only: user, mode, times and ceiling."""
        problems = [
            *mode_problems(service, body["risk_fund"]["name"]),
            *creation_problems(body["time_range"], now),
        ]
        if service.needs_confirm:
            problems += fields.no_user(body, "")
        else:
            self.permissions.demand(mchid, body)
        if problems:
            raise parameters(problems)
        check_creation(service, body)

    def _start(self, order: Order, now: float) -> None:
        request = order.request
        if order.state is State.CREATED:
            self._world.agenda.add(order.expires_at, _EXPIRY, order.key)
        else:
            order.begin(request.get("openid") or request["sub_openid"], now)

    def _expire(self, at: str, due: float) -> None:
        order = self._orders.at(at)
        if order is not None and order.state is State.CREATED:
            order.happen(Event.EXPIRE, due)


def _on_known(route: Route) -> Route:
    """*route*, whose behaviour sees no member that its rules do not know.

    A lenient gateway lets those pass. They are no part of what is asked for, nor of
    what makes a call the same as another (payscore section 7).
    """

    def behave(call: Call) -> Answer:
        return route.behave(replace(call, body=known(route.body, call.body)))

    return route if route.body is None else route._replace(behave=behave)


def _as_observed(behave: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    def behave_so(call: Call) -> Answer:
        try:
            return behave(call)
        except Refusal as refusal:
            raise observed(refusal) from None

    return behave_so
