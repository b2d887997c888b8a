"""Authorisations (授权) of no-confirm services: pre-authorise, query, terminate.

Payscore section 2.3, in both roles and with the older calls. A user authorises a
service once; later orders begin without being confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..lifecycles.orders import State
from ..lifecycles.permissions import PERMISSION, PermissionEvent, PermissionState
from ..refusals import Internal, refused
from ..routing import Answer, Call
from ..world import World, compact
from .orders import Orders
from .payscore_access import Access, check_kind, no_auth
from .permission_records import Permission, PermissionRecords
from .standing import Standing
from .tickets import Tickets

#: What every user is rated; the documents leave the rating to WeChat Pay.
RISK_LEVEL = 1
_LEVELS = 5
_VERSION = 1

_TOLD = {
    "PAYSCORE.USER_OPEN_SERVICE": ("USER_OPEN_SERVICE", "签约成功"),
    "PAYSCORE.USER_CLOSE_SERVICE": ("USER_CLOSE_SERVICE", "解约成功"),
}


class Permissions:
    """What the endpoints do, on the authorisations of one gateway."""

    def __init__(
        self, world: World, orders: Orders, access: Access, standing: Standing
    ) -> None:
        self._world = world
        self._orders = orders
        self._access = access
        self._standing = standing
        #: Every authorisation.
        self.records: PermissionRecords = PermissionRecords(world.tables)
        #: What a front end opens the authorisation page with.
        self.tokens: Tickets = Tickets(world, "permission_token")

    def demand(self, mchid: str, body: Mapping[str, Any]) -> None:
        """Refuse a new order of a user who has not authorised, or is turned away."""
        record = self.records.find_user(mchid, body)
        user = str(body.get("openid") or body["sub_openid"])
        if record is None or record.state is not PermissionState.AVAILABLE:
            raise no_auth(
                "user_not_authorised",
                f"the user {user[:64]} has not authorised {body['service_id']}",
            )
        self._standing.check(user)

    # The endpoints.

    def apply(self, call: Call) -> Answer:
        """Pre-authorise (商户预授权); a fresh token each time."""
        return Answer(200, {"apply_permissions_token": self._token(call)})

    def apply_for_scene(self, call: Call) -> Answer:
        """The same within a transaction (场景中预授权)."""
        token = self._token(call)
        data = {"scene": call.body["scene"], "transaction_permissions_token": token}
        return Answer(200, data)

    def show(self, call: Call) -> Answer:
        """Show a record, by its code or by its user."""
        self._access.permit(call.merchant, call.query)
        record = self._find(call, call.query)
        PERMISSION.follow(record.state, PermissionEvent.QUERY)
        return Answer(200, record.document())

    def terminate(self, call: Call) -> Answer:
        """End an authorisation (解除用户授权关系)."""
        given = {**call.path, **call.body}
        self._access.permit(call.merchant, given)
        record, event = self._find(call, given), PermissionEvent.TERMINATE
        if record.state is PermissionState.AVAILABLE:
            self._check_finished(record)
        same = record.calls.get(event) == given
        self._happen(record, event, self._world.clock(), same=same)
        record.calls[event] = given
        return Answer(204)

    def assess(self, call: Call) -> Answer:
        """Rate the user (评估用户分层)."""
        # The catalogue has the partner's sub_mchid in the query, payscore in the body.
        given = {**call.query, **call.body}
        self._access.permit(call.merchant, given)
        record = self._find(call, given)
        rated = {"user_risk_level": RISK_LEVEL, "risk_level_version": _VERSION}
        return Answer(200, {**record.document(), **rated})

    def state(self, call: Call) -> Answer:
        """Whether the user has authorised the service (an older call)."""
        query = call.query
        self._access.permit(call.merchant, query)
        record = self.records.find_user(call.merchant.mchid, query)
        there = record is not None and record.state is PermissionState.AVAILABLE
        data = {name: query[name] for name in ("appid", "service_id", "openid")}
        data["use_service_state"] = "AVAILABLE" if there else "UNAVAILABLE"
        return Answer(200, data)

    def quotas(self, call: Call) -> Answer:
        """What may be lent to users of each level: equal steps up to the ceiling."""
        given = {**call.path, **call.query}
        service = self._access.service(call.merchant, given)
        steps = [
            {
                "risk_level": level,
                "suggested_quota": service.ceiling * (_LEVELS - level + 1) // _LEVELS,
            }
            for level in range(1, _LEVELS + 1)
        ]
        names = ("service_id", "sub_mchid", "appid", "sub_appid")
        data: dict[str, Any] = {name: given[name] for name in names if name in given}
        data["mchid"] = call.merchant.mchid
        data["risk_level_version"] = int(given["risk_level_version"])
        return Answer(200, {**data, "quotas": steps})

    # What users do.

    def authorise(
        self, record: Permission, openid: str, sub_openid: str | None = None
    ) -> None:
        """The user authorises the service."""
        same = record.openid in (None, openid)
        emits = record.happen(PermissionEvent.USER_AUTHORISES, same=same)
        record.openid = openid
        if record.sub_appid is not None:
            record.sub_openid = sub_openid or openid
        self.records.bind(record)
        if emits is not None:
            now = self._world.clock()
            record.opened_at, record.closed_at = now, None
            self._tell(record, emits, now)

    def grant(
        self, mchid: str, sub_mchid: str | None, service_id: str, appid: str, user: str
    ) -> None:
        """A user authorises the service without a pre-authorisation."""
        given = {"service_id": service_id, "sub_mchid": sub_mchid, "openid": user}
        record = self.records.find_user(mchid, given)
        if record is None:
            # No authorization_code holds a colon.
            number = ":".join((service_id, sub_mchid or "", user))
            state = PermissionState.UNBINDUSER
            record = Permission(number, mchid, service_id, appid, state, sub_mchid)
            self.records.put(record)
        self.authorise(record, user)

    def close(self, record: Permission) -> None:
        """The user ends it."""
        self._happen(record, PermissionEvent.USER_CLOSES, self._world.clock())

    def age(self, seconds: float) -> None:
        """Make it as if everything had happened *seconds* earlier."""
        for record in self.records:
            record.age(seconds)
        self.tokens.age(seconds)

    def _token(self, call: Call) -> str:
        body, mchid = call.body, call.merchant.mchid
        service = self._access.service(call.merchant, body)
        check_kind(service, needs_confirm=False)
        event, code = PermissionEvent.PRE_AUTHORISE, body["authorization_code"]
        record = self.records.find(mchid, code)
        if record is None:
            record = Permission(
                code,
                mchid,
                body["service_id"],
                body["appid"],
                PermissionState.UNBINDUSER,
                body.get("sub_mchid"),
                body.get("sub_appid"),
                code,
                body.get("notify_url"),
                calls={event: dict(body)},
            )
            self.records.put(record)
        else:
            record.happen(event, same=record.calls.get(event) == body)
        return self.tokens.issue(record.key)

    def _find(self, call: Call, given: Mapping[str, Any]) -> Permission:
        """The record meant, where it is this caller's."""
        mchid, sub_mchid = call.merchant.mchid, given.get("sub_mchid")
        code = given.get("authorization_code") or call.path.get("authorization_code")
        if code is not None:
            record = self.records.find(mchid, code)
        else:
            user = call.path.get("openid", "")
            record = self.records.find_user(mchid, given, user)
        if (
            record is None
            or record.sub_mchid != sub_mchid
            or record.service_id != given["service_id"]
            or given.get("appid", record.appid) != record.appid
        ):
            raise PERMISSION.unknown(PermissionEvent.QUERY)
        return record

    def _check_finished(self, record: Permission) -> None:
        """No service of this user may still run; what is due can be collected later."""
        users = {record.openid, record.sub_openid} - {None}
        for order in self._orders:
            if (
                order.state is State.CONFIRMED
                and order.mchid == record.mchid
                and order.sub_mchid == record.sub_mchid
                and order.service_id == record.service_id
                and order.openid in users
            ):
                raise refused(
                    "INVALID_REQUEST",
                    "orders_unfinished",
                    f"order {order.out_order_no} is not completed or cancelled yet",
                    message="存在未完结的订单，不能解除授权",
                    number=Internal.ILLEGAL_STATE,
                )

    def _happen(
        self,
        record: Permission,
        event: PermissionEvent,
        at: float,
        *,
        same: bool = True,
    ) -> None:
        emits = record.happen(event, same=same)
        if emits is not None:
            record.closed_at = at
            self._tell(record, emits, at)

    def _tell(self, record: Permission, event_type: str, at: float) -> None:
        if record.notify_url is None:
            return
        status, summary = _TOLD[event_type]
        shown = record.document()
        names = ("appid", "mchid", "sub_appid", "sub_mchid", "service_id")
        resource: dict[str, Any] = {n: shown[n] for n in names if n in shown}
        for name in ("openid", "sub_openid", "authorization_code"):
            if name in shown:
                resource[name] = shown[name]
        resource["user_service_status"] = status
        resource["openorclose_time"] = compact(at)
        self._world.outbox.post(
            event_type,
            resource,
            mchid=record.mchid,
            url=record.notify_url,
            original_type="payscore",
            summary=summary,
        )
