"""Who may do what with PayScore: services, appids, sub-merchants, orders.

403 ``NO_AUTH`` for what is not the caller's to use, 404 for an order that is not the
caller's to see (payscore sections 1, 2.2 and 4.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..lifecycles.orders import ORDER, Event
from ..refusals import Internal, Problem, Refusal, refused
from ..routing import Call
from ..world import Merchant, Service, World
from .order_amounts import EXEMPT
from .orders import Order, Orders


def no_auth(
    identifier: str, sentence: str, *, number: int = Internal.NO_PERMISSION
) -> Refusal:
    """The refusal of a caller who has no permission."""
    return refused("NO_AUTH", identifier, sentence, number=number)


class Access:
    """Looks up what a call means, on the orders of one gateway."""

    def __init__(self, world: World, orders: Orders) -> None:
        self._world = world
        self._orders = orders

    def permit(self, merchant: Merchant, given: Mapping[str, Any]) -> None:
        """Refuse an appid, sub-merchant or service that is not this merchant's."""
        appid, sub_mchid = given.get("appid"), given.get("sub_mchid")
        if appid is not None and appid not in merchant.appids:
            raise no_auth(
                "appid_unknown",
                merchant.unbound(appid),
                number=Internal.UNKNOWN_APPID,
            )
        if sub_mchid is not None and sub_mchid not in merchant.sub_mchids:
            raise no_auth(
                "sub_mchid_unknown",
                f"{sub_mchid} is no sub-merchant of {merchant.mchid}",
            )
        service_id = given.get("service_id")
        if service_id is not None and service_id not in self._world.services:
            raise no_auth(
                "service_unknown",
                f"service {service_id} is not open for {merchant.mchid}",
            )

    def service(self, merchant: Merchant, given: Mapping[str, Any]) -> Service:
        """The service that a call names, where it may."""
        self.permit(merchant, given)
        return self._world.services[given["service_id"]]

    def order(self, call: Call, event: Event) -> Order:
        """The order in the path of a call."""
        self.permit(call.merchant, call.body)
        order = self._orders.find(call.merchant.mchid, call.path["out_order_no"])
        return self.own(order, call.body, event)

    def own(self, order: Order | None, given: Mapping[str, Any], event: Event) -> Order:
        """The order, where the caller may see it and means what was created.

        A partner's order belongs to its sub-merchant: for another one, and for a direct
        call, it does not exist (payscore section 2.2).
        """
        if order is None:
            raise ORDER.unknown(event)
        sub_mchid = given.get("sub_mchid")
        if order.sub_mchid != sub_mchid:
            raise ORDER.of_another(event, order.sub_mchid, sub_mchid)
        for name in ("appid", "service_id"):
            if name in given and given[name] != order.request[name]:
                raise refused(
                    "INVALID_REQUEST",
                    f"{name}_differs",
                    f"{name} {given[name]} is not that of the order, "
                    f"{order.request[name]}",
                    number=Internal.REENTRY_DIFFERS,
                )
        return order


def check_kind(service: Service, *, needs_confirm: bool) -> None:
    """A service is of one confirm type (payscore section 1)."""
    if needs_confirm is not service.needs_confirm:
        kind = "need-confirm" if service.needs_confirm else "no-confirm"
        raise no_auth(
            "confirm_type",
            f"{service.service_id} is a {kind} service: need_user_confirm must be "
            f"{str(service.needs_confirm).lower()}",
        )


def mode_problems(service: Service, fund: str) -> Iterator[Problem]:
    """What is wrong with a risk fund of another mode (payscore section 1)."""
    mode = "exempt" if fund in EXEMPT else "enjoy"
    if service.mode not in (None, mode):
        issue = f"{fund} does not belong to a service of mode {service.mode}"
        yield Problem("/risk_fund/name", issue, fund)
