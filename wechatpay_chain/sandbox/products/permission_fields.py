"""What calls about authorisations (授权) may hold: payscore section 2.3, as rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..checks.validation import Fields, Rule, one_of, text
from ..refusals import Problem
from . import fields

#: The merchant's own number of an authorisation (授权协议号).
CODE = text(1, 32, r"[0-9A-Za-z_|*-]+")
_REASON: dict[str, Rule] = {"reason": text(1, 50)}
_SERVICE: dict[str, Rule] = {"service_id": fields.ID}
_DIRECT: dict[str, Rule] = {**_SERVICE, "appid": fields.ID}
_SUB: dict[str, Rule] = {"sub_mchid": fields.ID}
_USERS: dict[str, Rule] = {
    "sub_appid": fields.ID,
    "openid": fields.OPENID,
    "sub_openid": fields.OPENID,
}


def _appid_goes_with(value: Any, place: str) -> Iterator[Problem]:
    if "sub_openid" in value and "sub_appid" not in value:
        yield Problem(f"{place}/sub_appid", "required with sub_openid")


def _somebody(value: Any, place: str) -> Iterator[Problem]:
    if not {"authorization_code", "openid", "sub_openid"} & value.keys():
        yield Problem(
            f"{place}/authorization_code", "it or the openid of the user is required"
        )
    yield from _appid_goes_with(value, place)


_APPLY: dict[str, Rule] = {"authorization_code": CODE}
_APPLY_TOO: dict[str, Rule] = {"notify_url": fields.notify_url}
_PARTNER: dict[str, Rule] = {**_DIRECT, **_SUB}

APPLY = Fields({**_DIRECT, **_APPLY}, _APPLY_TOO)
PARTNER_APPLY = Fields({**_PARTNER, **_APPLY}, {**_APPLY_TOO, "sub_appid": fields.ID})
_SCENE: dict[str, Rule] = {
    "scene": one_of("TRANSACTION"),
    "transaction_scene_info": Fields({"mchid": fields.ID, "sub_mchid": fields.ID}),
}
APPLY_FOR_SCENE = Fields(
    {**_PARTNER, **_APPLY, **_SCENE}, {**_APPLY_TOO, "sub_appid": fields.ID}
)

CODE_PATH = Fields(_APPLY, location="path")
BY_CODE = Fields(_SERVICE, location="query")
PARTNER_BY_CODE = Fields({**_SERVICE, **_SUB}, location="query")
END_BY_CODE = Fields({**_SERVICE, **_REASON})
PARTNER_END_BY_CODE = Fields({**_SERVICE, **_SUB, **_REASON})

USER_PATH = Fields({"openid": fields.OPENID}, location="path")
BY_USER = Fields(_DIRECT, location="query")
PARTNER_BY_USER = Fields(_PARTNER, _USERS, also=fields.one_user, location="query")
END_BY_USER = Fields({**_DIRECT, **_REASON})
PARTNER_END_BY_USER = Fields({**_PARTNER, **_REASON}, _USERS, also=fields.one_user)

_ASSESS: dict[str, Rule] = {"shopping_info": fields.SHOPPING_INFO, **_APPLY}
ASSESS = Fields(_DIRECT, {**_ASSESS, "openid": fields.OPENID}, also=_somebody)
# Lists have the partner's sub_mchid in the query, the documents in the body.
PARTNER_ASSESS_QUERY = Fields(None, _SUB, location="query")
PARTNER_ASSESS = Fields(_DIRECT, {**_SUB, **_ASSESS, **_USERS}, also=_somebody)

#: The older calls (payscore section 2.3, last rows).
LEGACY_STATE = Fields({**_DIRECT, "openid": fields.OPENID}, location="query")
LEGACY_PATH = Fields({**_SERVICE, "openid": fields.OPENID}, location="path")
LEGACY_END = Fields({"appid": fields.ID, **_REASON})

SERVICE_PATH = Fields(_SERVICE, location="path")


#: As many make no number that a service keeps.
_DIGITS = 20


def _is_number(value: Any, place: str) -> Iterator[Problem]:
    if not (value.isdecimal() and value.isascii() and len(value) < _DIGITS):
        yield Problem(place, "an integer expected", value)


QUOTAS = Fields(
    {"appid": fields.ID, **_SUB, "risk_level_version": _is_number},
    {"sub_appid": fields.ID},
    location="query",
)
