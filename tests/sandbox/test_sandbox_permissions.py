"""Authorisations of no-confirm services (payscore 2.3, 7, 8), in both roles."""

from __future__ import annotations

import json
from typing import Any

import pytest
from payscore_calls import Calls

from wechatpay_chain import APIError
from wechatpay_chain.sandbox import Gateway

CODE = "1275342195190894594"
USER = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
URL = "https://merchant.example/authorised"


class Permissions:
    """Calls of one role about authorisations."""

    def __init__(self, gateway: Gateway, partner: bool) -> None:
        self.gateway = gateway
        self.partner = partner
        self.node = Calls(gateway, partner).base.permissions
        self.sub = {"sub_mchid": gateway.sub_mchid} if partner else {}
        self.service = {"service_id": gateway.no_confirm_service_id, **self.sub}
        self.mine = {**self.service, "appid": gateway.appid}

    def apply(self, **changes: Any) -> Any:
        body = {**self.mine, "authorization_code": CODE, "notify_url": URL, **changes}
        return self.node.post(body)

    def authorise(self, openid: str = USER, **changes: Any) -> None:
        token = self.apply(**changes)["apply_permissions_token"]
        self.gateway.user.authorize(openid, token=token)

    def by_code(self, code: str = CODE, **changes: Any) -> Any:
        node = self.node["authorization-code"]._authorization_code_
        return node.get({**self.service, **changes}, authorization_code=code)

    def end_by_code(self, code: str = CODE, **changes: Any) -> Any:
        node = self.node["authorization-code"]._authorization_code_.terminate
        body = {**self.service, "reason": "不再使用", **changes}
        return node.post(body, authorization_code=code)

    def by_user(self, openid: str = USER, **changes: Any) -> Any:
        query = {**self.mine, **changes}
        if self.partner:
            return self.node.search.get({**query, "openid": openid})
        return self.node.openid._openid_.get(query, openid=openid)

    def end_by_user(self, openid: str = USER, **changes: Any) -> Any:
        body = {**self.mine, "reason": "不再使用", **changes}
        if self.partner:
            return self.node.terminate.post({**body, "openid": openid})
        return self.node.openid._openid_.terminate.post(body, openid=openid)

    def order(self, **changes: Any) -> Any:
        return Calls(self.gateway, self.partner).create(
            service_id=self.gateway.no_confirm_service_id,
            need_user_confirm=False,
            openid=USER,
            **changes,
        )


@pytest.fixture(params=[False, True], ids=["direct", "partner"])
def permissions(gateway: Gateway, request: Any) -> Permissions:
    return Permissions(gateway, request.param)


def refusal(call: Any, *args: Any, **changes: Any) -> APIError:
    with pytest.raises(APIError) as caught:
        call(*args, **changes)
    return caught.value


def test_states_from_pre_authorisation_to_the_end(permissions: Permissions) -> None:
    gateway = permissions.gateway
    token = permissions.apply()["apply_permissions_token"]
    assert 0 < len(token) <= 300
    first = permissions.by_code().data
    assert first["authorization_state"] == "UNBINDUSER"
    assert "openid" not in first
    gateway.user.authorize(token=token)
    record = {
        **permissions.mine,
        "mchid": gateway.mchid,
        "openid": USER,
        "authorization_code": CODE,
        "authorization_state": "AVAILABLE",
        "notify_url": URL,
        "authorization_success_time": "2024-06-01T15:00:00+08:00",
    }
    assert permissions.by_code().data == permissions.by_user().data == record
    gateway.advance(hours=1)
    reply = permissions.end_by_code()
    assert (reply.status_code, reply.verified) == (204, True)
    assert permissions.by_user().data == {
        **record,
        "authorization_state": "UNAVAILABLE",
        "cancel_authorization_time": "2024-06-01T16:00:00+08:00",
    }


def test_token_is_good_for_an_hour(permissions: Permissions) -> None:
    gateway = permissions.gateway
    first = permissions.apply()["apply_permissions_token"]
    gateway.advance(hours=1)
    with pytest.raises(ValueError, match="has expired"):
        gateway.user.authorize(token=first)
    assert permissions.by_code()["authorization_state"] == "UNBINDUSER"
    second = permissions.apply()["apply_permissions_token"]
    assert second != first
    gateway.user.authorize(token=second)
    assert permissions.by_code()["authorization_state"] == "AVAILABLE"


def test_code_with_other_parameters_is_refused(permissions: Permissions) -> None:
    permissions.apply()
    error = refusal(permissions.apply, notify_url="https://merchant.example/other")
    assert (error.status_code, error.code) == (400, "INVALID_REQUEST")


def test_code_is_for_one_user(permissions: Permissions) -> None:
    permissions.authorise("o1")
    permissions.authorise("o1")
    with pytest.raises(ValueError, match="for another user"):
        permissions.authorise("o2")
    assert permissions.by_code()["openid"] == "o1"


def test_user_may_authorise_again_after_the_end(permissions: Permissions) -> None:
    permissions.authorise()
    permissions.end_by_code()
    permissions.authorise()
    record = permissions.by_code()
    assert record["authorization_state"] == "AVAILABLE"
    assert "cancel_authorization_time" not in record.data
    told = [notice.event_type for notice in permissions.gateway.world.outbox]
    assert told == [
        "PAYSCORE.USER_OPEN_SERVICE",
        "PAYSCORE.USER_CLOSE_SERVICE",
        "PAYSCORE.USER_OPEN_SERVICE",
    ]


@pytest.mark.parametrize("by", ["end_by_code", "end_by_user"])
def test_end_repeated_is_fine_and_another_is_refused(
    permissions: Permissions, by: str
) -> None:
    end = getattr(permissions, by)
    permissions.authorise()
    assert end().status_code == end().status_code == 204
    error = refusal(end, reason="别的")
    assert (error.status_code, error.code) == (400, "INVALID_REQUEST")
    told = [notice.event_type for notice in permissions.gateway.world.outbox]
    assert told.count("PAYSCORE.USER_CLOSE_SERVICE") == 1


def test_what_no_user_authorised_cannot_end(permissions: Permissions) -> None:
    permissions.apply()
    error = refusal(permissions.end_by_code)
    assert (error.status_code, error.code) == (400, "INVALID_REQUEST")
    assert error.detail["issue"] == (
        "terminate cannot follow UNBINDUSER; "
        "what can: pre-authorise, query, user authorises"
    )


def test_observed_profile_is_of_orders_only() -> None:
    permissions = Permissions(Gateway(seed=1, error_profile="observed"), False)
    permissions.apply()
    error = refusal(permissions.end_by_code)
    assert (error.status_code, error.code) == (400, "INVALID_REQUEST")
    assert error.detail["sandbox"]["id"] == "permission_state"


@pytest.mark.parametrize("by", ["by_code", "end_by_code", "by_user", "end_by_user"])
def test_unknown_authorisation_is_404(permissions: Permissions, by: str) -> None:
    permissions.authorise()
    error = refusal(getattr(permissions, by), "nobody")
    assert (error.status_code, error.code) == (404, "ORDER_NOT_EXIST")


def test_authorisation_of_another_service_is_404(permissions: Permissions) -> None:
    permissions.authorise()
    error = refusal(permissions.by_code, service_id="500001")
    assert error.code == "ORDER_NOT_EXIST"


def test_roles_do_not_see_each_others_authorisations(
    permissions: Permissions,
) -> None:
    permissions.authorise()
    other = Permissions(permissions.gateway, not permissions.partner)
    assert refusal(other.by_code).code == "ORDER_NOT_EXIST"
    assert refusal(other.by_user).code == "ORDER_NOT_EXIST"


def test_another_merchant_has_its_own_codes(gateway: Gateway) -> None:
    mine = Permissions(gateway, False)
    mine.apply()
    theirs = Permissions(gateway, False)
    client = gateway.client(**gateway.enrol("1900000002"), check="off")
    theirs.node = client.v3.payscore.permissions
    assert refusal(theirs.by_code).code == "ORDER_NOT_EXIST"
    theirs.apply(notify_url="https://other.example/notify")
    assert mine.by_code()["notify_url"] == URL


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"service_id": "500001"}, 403, "NO_AUTH"),
    ({"service_id": "404"}, 403, "NO_AUTH"),
    ({"appid": "wx0"}, 403, "NO_AUTH"),
    ({"authorization_code": "x" * 33}, 400, "PARAM_ERROR"),
    ({"authorization_code": "a b"}, 400, "PARAM_ERROR"),
    ({"authorization_code": ""}, 400, "PARAM_ERROR"),
    ({"notify_url": "http://merchant.example"}, 400, "PARAM_ERROR"),
]


@pytest.mark.parametrize(("changes", "status", "code"), WRONG, ids=str)
def test_wrong_pre_authorisation_is_refused(
    permissions: Permissions, changes: dict[str, Any], status: int, code: str
) -> None:
    error = refusal(permissions.apply, **changes)
    assert (error.status_code, error.code) == (status, code)


@pytest.mark.parametrize(
    ("reason", "accepted"), [("户" * 50, True), ("户" * 51, False), ("", False)]
)
@pytest.mark.parametrize("by", ["end_by_code", "end_by_user"])
def test_reason_has_1_to_50_characters(
    permissions: Permissions, by: str, reason: str, accepted: bool
) -> None:
    permissions.authorise()
    end = getattr(permissions, by)
    if accepted:
        assert end(reason=reason).status_code == 204
    else:
        assert refusal(end, reason=reason).detail["field"] == "/reason"


# Orders need an authorisation, and hold it.


def test_order_needs_the_authorisation_of_its_user(permissions: Permissions) -> None:
    assert refusal(permissions.order).code == "NO_AUTH"
    permissions.apply()
    assert refusal(permissions.order).code == "NO_AUTH"
    permissions.authorise()
    assert permissions.order()["state"] == "DOING"
    number = next(iter(permissions.gateway.orders)).out_order_no
    Calls(permissions.gateway, permissions.partner)(
        "cancel", number, service_id=permissions.gateway.no_confirm_service_id
    )
    permissions.end_by_code()
    error = refusal(permissions.order)
    assert (error.status_code, error.code) == (403, "NO_AUTH")


def test_running_order_holds_its_authorisation(permissions: Permissions) -> None:
    gateway = permissions.gateway
    permissions.authorise()
    number = permissions.order()["out_order_no"]
    for end in (permissions.end_by_code, permissions.end_by_user):
        error = refusal(end)
        assert (error.status_code, error.code) == (400, "INVALID_REQUEST")
        assert error.detail["sandbox"]["id"] == "orders_unfinished"
    calls = Calls(gateway, permissions.partner)
    calls("complete", number, service_id=gateway.no_confirm_service_id)
    assert permissions.end_by_user().status_code == 204
    # What is due is collected all the same.
    assert gateway.bank.succeed(number).state == "PAID"


def test_order_of_another_user_holds_nothing(permissions: Permissions) -> None:
    permissions.gateway.user.authorize("o2")
    permissions.authorise()
    Calls(permissions.gateway, permissions.partner).create(
        service_id=permissions.gateway.no_confirm_service_id,
        need_user_confirm=False,
        openid="o2",
    )
    assert permissions.end_by_code().status_code == 204


def test_user_may_close_at_any_time(permissions: Permissions) -> None:
    gateway = permissions.gateway
    permissions.authorise()
    number = permissions.order()["out_order_no"]
    gateway.user.close_authorization()
    assert permissions.by_code()["authorization_state"] == "UNAVAILABLE"
    calls = Calls(gateway, permissions.partner)
    service = gateway.no_confirm_service_id
    assert calls.outcome("complete", number, service_id=service) == "ok"
    with pytest.raises(ValueError, match="has not authorised"):
        gateway.user.close_authorization()


def test_user_may_authorise_without_a_pre_authorisation(
    permissions: Permissions,
) -> None:
    gateway = permissions.gateway
    gateway.user.authorize()
    assert permissions.by_user()["authorization_state"] == "AVAILABLE"
    assert "authorization_code" not in permissions.by_user().data
    gateway.user.authorize()
    gateway.user.close_authorization()
    assert permissions.by_user()["authorization_state"] == "UNAVAILABLE"
    assert len(gateway.world.outbox) == 0


def test_sub_openid_is_known_under_the_sub_appid(gateway: Gateway) -> None:
    permissions = Permissions(gateway, True)
    token = permissions.apply(sub_appid="wx5")["apply_permissions_token"]
    gateway.user.authorize("o1", token=token, sub_openid="s1")
    query = {**permissions.mine, "sub_appid": "wx5", "sub_openid": "s1"}
    record = permissions.node.search.get(query)
    assert (record["openid"], record["sub_openid"]) == ("o1", "s1")
    order = Calls(gateway, True).create(
        service_id=gateway.no_confirm_service_id,
        need_user_confirm=False,
        sub_openid="s1",
        sub_appid="wx5",
    )
    assert order["sub_openid"] == "s1"
    assert refusal(permissions.end_by_user, "o1").code == "INVALID_REQUEST"


USERS: list[tuple[dict[str, str], str]] = [
    ({}, "openid"),
    ({"openid": "a", "sub_openid": "b", "sub_appid": "wx5"}, "openid"),
    ({"sub_openid": "b"}, "sub_appid"),
]


@pytest.mark.parametrize(("user", "field"), USERS, ids=str)
def test_partner_searches_for_exactly_one_user(
    gateway: Gateway, user: dict[str, str], field: str
) -> None:
    permissions = Permissions(gateway, True)
    error = refusal(permissions.node.search.get, {**permissions.mine, **user})
    assert (error.code, error.detail["field"]) == ("PARAM_ERROR", field)
    assert error.detail["location"] == "query"


# Ratings, scenes and the older calls.


@pytest.mark.parametrize(
    "who", [{"authorization_code": CODE}, {"openid": USER}], ids=str
)
def test_assessment_is_the_record_with_a_level(
    permissions: Permissions, who: dict[str, str]
) -> None:
    permissions.authorise()
    node = permissions.node["assess-user-risk-level"]
    body = {**permissions.mine, **who}
    body.pop("sub_mchid", None)
    reply = node.post(body, params=permissions.sub)
    rated = {"user_risk_level": 1, "risk_level_version": 1}
    assert reply.data == {**permissions.by_code().data, **rated}


def test_assessment_names_somebody(permissions: Permissions) -> None:
    node = permissions.node["assess-user-risk-level"]
    error = refusal(node.post, permissions.mine)
    assert error.detail["field"] == "/authorization_code"


def test_pre_authorisation_in_a_scene(gateway: Gateway) -> None:
    permissions = Permissions(gateway, True)
    scene = {
        "scene": "TRANSACTION",
        "transaction_scene_info": {"mchid": "1", "sub_mchid": "2"},
    }
    body = {**permissions.mine, "authorization_code": CODE, **scene}
    reply = permissions.node["apply-for-scene"].post(body)
    assert reply["scene"] == "TRANSACTION"
    gateway.user.authorize(token=reply["transaction_permissions_token"])
    assert permissions.by_code()["authorization_state"] == "AVAILABLE"
    body["scene"] = "OTHER"
    error = refusal(permissions.node["apply-for-scene"].post, body)
    assert error.detail["field"] == "/scene"


def test_older_calls_see_the_same_authorisation(gateway: Gateway) -> None:
    permissions = Permissions(gateway, False)
    payscore = Calls(gateway).base
    query = {**permissions.mine, "openid": USER}
    legacy = payscore["user-service-state"]

    def state() -> str:
        reply = legacy.get(query)
        assert reply.data == {**query, "use_service_state": reply["use_service_state"]}
        return str(reply["use_service_state"])

    assert state() == "UNAVAILABLE"
    permissions.authorise()
    assert state() == "AVAILABLE"
    node = payscore.users._openid_.permissions._service_id_.terminate
    number = permissions.service["service_id"]
    body = {"appid": gateway.appid, "reason": "x"}
    assert node.post(body, openid=USER, service_id=number).status_code == 204
    assert state() == "UNAVAILABLE"
    error = refusal(node.post, body, openid="nobody", service_id=number)
    assert (error.status_code, error.code) == (404, "ORDER_NOT_EXIST")


def test_quotas_go_down_with_the_level(gateway: Gateway) -> None:
    node = Calls(gateway, True).base.servicequotas["service-id"]._service_id_
    query = {"sub_mchid": gateway.sub_mchid, "appid": gateway.appid}
    reply = node.get({**query, "risk_level_version": 1}, service_id=gateway.service_id)
    assert reply["risk_level_version"] == 1
    quotas = [one["suggested_quota"] for one in reply["quotas"]]
    assert quotas == [1_000_000, 800_000, 600_000, 400_000, 200_000]
    error = refusal(
        node.get, {**query, "risk_level_version": "x"}, service_id=gateway.service_id
    )
    assert error.detail["field"] == "risk_level_version"


# Notifications.


def test_opening_has_the_documented_plaintext(gateway: Gateway, vectors: Any) -> None:
    (found,) = (
        one
        for one in vectors["notification"]
        if one["name"] == "payscore_user_open_service"
    )
    wanted = json.loads(found["plaintext"])
    permissions = Permissions(gateway, False)
    permissions.authorise()
    (notice,) = gateway.world.outbox
    assert (notice.event_type, notice.url) == ("PAYSCORE.USER_OPEN_SERVICE", URL)
    ours = {"mchid": gateway.mchid, "service_id": permissions.service["service_id"]}
    assert dict(notice.resource) == {**wanted, **ours}


@pytest.mark.parametrize("by", ["merchant", "user"])
def test_closing_is_told_whoever_closes(permissions: Permissions, by: str) -> None:
    gateway = permissions.gateway
    permissions.authorise()
    gateway.advance(hours=1)
    if by == "user":
        gateway.user.close_authorization()
    else:
        permissions.end_by_user()
    notice = list(gateway.world.outbox)[-1]
    assert notice.event_type == "PAYSCORE.USER_CLOSE_SERVICE"
    assert notice.original_type == "payscore"
    assert notice.resource == {
        **permissions.mine,
        "mchid": gateway.mchid,
        "openid": USER,
        "authorization_code": CODE,
        "user_service_status": "USER_CLOSE_SERVICE",
        "openorclose_time": "20240601160000",
    }


def test_without_an_address_nothing_is_told(permissions: Permissions) -> None:
    body = {**permissions.mine, "authorization_code": CODE}
    token = permissions.node.post(body)["apply_permissions_token"]
    permissions.gateway.user.authorize(token=token)
    permissions.end_by_code()
    assert len(permissions.gateway.world.outbox) == 0
