"""PayScore orders (支付分订单) of direct merchants and partners: create, query, cancel.

One behaviour serves both roles; they differ in path, fields and in what a cancel
answers: 200 with five fields, or 204 without a body (payscore section 2.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ..lifecycle import Event, State, follow
from ..refusals import Internal, Problem, parameters, refused
from ..routing import Answer, Call, Route
from ..tables import Table, key
from ..world import BEIJING, Merchant, Service, World
from . import fields
from .orders import Order, Orders

#: Seconds that a caller's clock may be behind (payscore section 3.2).
TOLERANCE = 60
#: Seconds that a service must last beyond the create call (payscore section 3.2).
SHORTEST = 60

#: The job that ends an order which nobody confirmed.
_EXPIRY = "payscore.expiry"
_DIRECT = "/v3/payscore/serviceorder"
_PARTNER = "/v3/payscore/partner/serviceorder"
_EXEMPT = {"DEPOSIT", "ADVANCE", "CASH_DEPOSIT"}


class PayScore:
    """The endpoints, on the orders of one gateway."""

    def __init__(
        self, world: World, orders: Orders, *, reason_limit: int = fields.REASON_LIMIT
    ) -> None:
        self._world = world
        self._orders = orders
        self._reason_limit = reason_limit
        #: Who has authorised which no-confirm service.
        self.authorisations: Table[str] = world.tables.table(
            "payscore.authorisations", str
        )
        world.agenda.serve(_EXPIRY, self._expire)

    def routes(self) -> Iterator[Route]:
        """The endpoints of both roles."""
        limit = self._reason_limit
        yield Route("POST", _DIRECT, self.create, body=fields.CREATE)
        yield Route("GET", _DIRECT, self.query, query=fields.QUERY)
        yield Route(
            "POST",
            f"{_DIRECT}/{{out_order_no}}/cancel",
            self.cancel,
            path=fields.PATH,
            body=fields.cancel(limit),
        )
        yield Route("POST", _PARTNER, self.create, body=fields.PARTNER_CREATE)
        yield Route("GET", _PARTNER, self.query, query=fields.PARTNER_QUERY)
        yield Route(
            "POST",
            f"{_PARTNER}/{{out_order_no}}/cancel",
            self.cancel,
            path=fields.PATH,
            body=fields.partner_cancel(limit),
        )

    def create(self, call: Call) -> Answer:
        """Create an order (创建), or answer again for one that was created so."""
        body, mchid = call.body, call.merchant.mchid
        service = self._permit(call.merchant, body)
        self._check_kind(service, body)
        needs_confirm = body.get("need_user_confirm", True)
        event = Event.CREATE if needs_confirm else Event.CREATE_UNCONFIRMED
        now = self._world.clock()
        order = self._orders.find(mchid, body["out_order_no"])
        if order is not None:
            order.happen(event, now, same=order.request == body)
        else:
            self._check_new(service, body, now)
            order = self._orders.open(mchid, body, self._world.ids, now)
            order.happen(event, now)
            self._start(order, now)
        package = self._world.ids.token("package")
        return Answer(200, {**order.document(), "package": package})

    def query(self, call: Call) -> Answer:
        """Show an order (查询), by either of its numbers."""
        query = call.query
        self._permit(call.merchant, query)
        mchid = call.merchant.mchid
        if "query_id" in query:
            order = self._orders.find_query(mchid, query["query_id"])
        else:
            order = self._orders.find(mchid, query["out_order_no"])
        order = _access(order, query, Event.QUERY)
        return Answer(200, order.document())

    def cancel(self, call: Call) -> Answer:
        """Cancel an order (取消)."""
        self._permit(call.merchant, call.body)
        mchid = call.merchant.mchid
        found = self._orders.find(mchid, call.path["out_order_no"])
        order = _access(found, call.body, Event.CANCEL)
        order.cancel(call.body, self._world.clock())
        if order.sub_mchid is not None:
            return Answer(204)
        names = ("appid", "mchid", "out_order_no", "service_id", "order_id")
        document = order.document()
        return Answer(200, {name: document[name] for name in names})

    def _permit(self, merchant: Merchant, given: Mapping[str, Any]) -> Service:
        """The service meant; 403 ``NO_AUTH`` for what is not this merchant's."""
        appid, sub_mchid = given.get("appid"), given.get("sub_mchid")
        if appid is not None and appid not in merchant.appids:
            raise _no_auth(
                "appid_unknown",
                f"appid {appid} is not bound to merchant {merchant.mchid}",
                number=Internal.UNKNOWN_APPID,
            )
        if sub_mchid is not None and sub_mchid not in merchant.sub_mchids:
            raise _no_auth(
                "sub_mchid_unknown",
                f"{sub_mchid} is no sub-merchant of {merchant.mchid}",
            )
        if "service_id" not in given:
            return Service("")  # left out: the order knows its own
        service = self._world.services.get(given["service_id"])
        if service is None:
            raise _no_auth(
                "service_unknown",
                f"service {given['service_id']} is not open for {merchant.mchid}",
            )
        return service

    def _check_kind(self, service: Service, body: Mapping[str, Any]) -> None:
        """Confirm type and mode must be those of the service (payscore section 1)."""
        if body.get("need_user_confirm", True) is not service.needs_confirm:
            kind = "need-confirm" if service.needs_confirm else "no-confirm"
            raise _no_auth(
                "confirm_type",
                f"{service.service_id} is a {kind} service: need_user_confirm must be "
                f"{str(service.needs_confirm).lower()}",
            )
        name = body["risk_fund"]["name"]
        mode = "exempt" if name in _EXEMPT else "enjoy"
        if service.mode not in (None, mode):
            issue = f"{name} does not belong to a service of mode {service.mode}"
            raise parameters([Problem("/risk_fund/name", issue, name)])

    def _check_new(self, service: Service, body: Mapping[str, Any], now: float) -> None:
        """What is asked of a new order only: user, times and ceiling."""
        if not service.needs_confirm:
            openid = body.get("openid") or body.get("sub_openid")
            if key(service.service_id, str(openid)) not in self.authorisations:
                raise _no_auth(
                    "user_not_authorised",
                    f"the user {openid} has not authorised {service.service_id}",
                )
        problems = list(_time_problems(body["time_range"], now))
        if problems:
            raise parameters(problems)
        _check_ceiling(service, body)

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


def _access(order: Order | None, given: Mapping[str, Any], event: Event) -> Order:
    """The order, where the caller may see it and means what was created.

    A partner's order belongs to its sub-merchant: for another one, and for a direct
    call, it does not exist (payscore section 2.2).
    """
    if order is None or order.sub_mchid != given.get("sub_mchid"):
        follow(None, event)  # raises
        raise AssertionError("unreachable")  # pragma: no cover
    for name in ("appid", "service_id"):
        if name in given and given[name] != order.request[name]:
            raise refused(
                "INVALID_REQUEST",
                f"{name}_differs",
                f"{name} {given[name]} is not that of the order, {order.request[name]}",
                number=Internal.REENTRY_DIFFERS,
            )
    return order


def _no_auth(
    identifier: str, sentence: str, *, number: int = Internal.NO_PERMISSION
) -> Exception:
    return refused("NO_AUTH", identifier, sentence, number=number)


def _check_ceiling(service: Service, body: Mapping[str, Any]) -> None:
    """Risk fund and expected payments stay below the ceiling (section 5, rule 3)."""
    amounts = {"risk_fund": body["risk_fund"]["amount"]}
    if not body.get("post_discounts"):
        payments = body.get("post_payments", ())
        amounts["post_payments"] = sum(one.get("amount", 0) for one in payments)
    for name, amount in amounts.items():
        if amount > service.ceiling:
            raise refused(
                "INVALID_REQUEST",
                "above_ceiling",
                f"{name} is {amount} fen, the service allows {service.ceiling}",
                message="创建订单的订单风险金额超过此服务的服务风险金额",
                number=Internal.ABOVE_CEILING,
            )


def _time_problems(span: Mapping[str, str], now: float) -> Iterator[Problem]:
    """The rules of payscore section 3.2 for a create call."""
    moments: dict[str, datetime] = {}
    for name in ("start_time", "end_time"):
        value = span.get(name)
        if value is None or value == "OnAccept":
            continue
        moment = _moment(value)
        if moment is None:
            yield Problem(f"/time_range/{name}", "no such day or time", value)
            return
        moments[name] = moment
    start, end = moments.get("start_time"), moments.get("end_time")
    earliest = datetime.fromtimestamp(now - TOLERANCE, BEIJING)
    if start is not None and _before(span["start_time"], start, earliest):
        yield Problem(
            "/time_range/start_time", "in the past already", span["start_time"]
        )
    if end is None:
        return
    value = span["end_time"]
    soonest = datetime.fromtimestamp(now - TOLERANCE + SHORTEST, BEIJING)
    if _before(value, end, soonest):
        yield Problem("/time_range/end_time", "must be a minute ahead at least", value)
    if start is not None and _ends_before(span, start, end):
        yield Problem("/time_range/end_time", "must be after start_time", value)


def _moment(value: str) -> datetime | None:
    try:
        # A day without a time stands for its first second.
        form = "%Y%m%d" if len(value) == 8 else "%Y%m%d%H%M%S"
        return datetime.strptime(value, form).replace(tzinfo=BEIJING)
    except ValueError:
        return None


def _before(value: str, moment: datetime, other: datetime) -> bool:
    if len(value) == 8:
        return moment.date() < other.date()
    return moment <= other


def _ends_before(span: Mapping[str, str], start: datetime, end: datetime) -> bool:
    if len(span["end_time"]) == 8 or len(span["start_time"]) == 8:
        return end.date() < start.date()
    return end <= start
