"""Where the calls about authorisations (授权) stand: payscore section 2.3."""

from __future__ import annotations

from collections.abc import Iterator

from ..routing import Route
from . import permission_fields as fields
from .permissions import Permissions

_DIRECT = "/v3/payscore/permissions"
_PARTNER = "/v3/payscore/partner/permissions"
_CODE = "authorization-code/{authorization_code}"
_USER = "openid/{openid}"


def permission_routes(permissions: Permissions) -> Iterator[Route]:
    """The endpoints of both roles, the older ones included."""
    apply, show, terminate = permissions.apply, permissions.show, permissions.terminate
    code, user = fields.CODE_PATH, fields.USER_PATH
    yield Route("POST", _DIRECT, apply, body=fields.APPLY)
    yield Route("POST", _PARTNER, apply, body=fields.PARTNER_APPLY)
    yield Route(
        "POST",
        f"{_PARTNER}/apply-for-scene",
        permissions.apply_for_scene,
        body=fields.APPLY_FOR_SCENE,
    )
    for base, query, body in (
        (_DIRECT, fields.BY_CODE, fields.END_BY_CODE),
        (_PARTNER, fields.PARTNER_BY_CODE, fields.PARTNER_END_BY_CODE),
    ):
        at = f"{base}/{_CODE}"
        yield Route("GET", at, show, path=code, query=query)
        yield Route("POST", f"{at}/terminate", terminate, path=code, body=body)
    at = f"{_DIRECT}/{_USER}"
    yield Route("GET", at, show, path=user, query=fields.BY_USER)
    yield Route(
        "POST", f"{at}/terminate", terminate, path=user, body=fields.END_BY_USER
    )
    yield Route("GET", f"{_PARTNER}/search", show, query=fields.PARTNER_BY_USER)
    yield Route(
        "POST", f"{_PARTNER}/terminate", terminate, body=fields.PARTNER_END_BY_USER
    )
    yield from _ratings(permissions)
    yield from _older(permissions)


def _ratings(permissions: Permissions) -> Iterator[Route]:
    assess = permissions.assess
    yield Route("POST", f"{_DIRECT}/assess-user-risk-level", assess, body=fields.ASSESS)
    yield Route(
        "POST",
        f"{_PARTNER}/assess-user-risk-level",
        assess,
        query=fields.PARTNER_ASSESS_QUERY,
        body=fields.PARTNER_ASSESS,
    )
    yield Route(
        "GET",
        "/v3/payscore/partner/servicequotas/service-id/{service_id}",
        permissions.quotas,
        path=fields.SERVICE_PATH,
        query=fields.QUOTAS,
    )


def _older(permissions: Permissions) -> Iterator[Route]:
    yield Route(
        "GET",
        "/v3/payscore/user-service-state",
        permissions.state,
        query=fields.LEGACY_STATE,
    )
    yield Route(
        "POST",
        "/v3/payscore/users/{openid}/permissions/{service_id}/terminate",
        permissions.terminate,
        path=fields.LEGACY_PATH,
        body=fields.LEGACY_END,
    )
