"""Authorisations (授权) of no-confirm services: what is kept, and who has given one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..lifecycles.permissions import PERMISSION, PermissionEvent, PermissionState
from ..state.tables import Table, Tables, key
from ..world import rfc3339


@dataclass(eq=False)
class Permission:
    """One authorisation, for one merchant (and sub-merchant) and one service."""

    #: The number that it has among those of its merchant.
    number: str
    mchid: str
    service_id: str
    appid: str
    state: PermissionState
    sub_mchid: str | None = None
    sub_appid: str | None = None
    #: ``None`` where the user authorised without a pre-authorisation.
    authorization_code: str | None = None
    notify_url: str | None = None
    openid: str | None = None
    sub_openid: str | None = None
    opened_at: float | None = None
    closed_at: float | None = None
    #: The body of the latest call of each kind, to know a repetition by.
    calls: dict[PermissionEvent, Mapping[str, Any]] = field(
        default_factory=dict[PermissionEvent, Mapping[str, Any]]
    )

    @property
    def key(self) -> str:
        """Where it stands in the table."""
        return key(self.mchid, self.number)

    def happen(self, event: PermissionEvent, *, same: bool = True) -> str | None:
        """Take *event* through the table; the notification that goes out, if any."""
        before = self.state
        self.state = PERMISSION.follow(before, event, same=same)
        return PERMISSION.cell(before, event).emits

    def document(self) -> dict[str, Any]:
        """The record of payscore section 2.3."""
        shown: dict[str, Any] = {
            "service_id": self.service_id,
            "appid": self.appid,
            "mchid": self.mchid,
            "sub_appid": self.sub_appid,
            "sub_mchid": self.sub_mchid,
            "openid": self.openid,
            "sub_openid": self.sub_openid,
            "authorization_code": self.authorization_code,
            "authorization_state": str(self.state),
            "notify_url": self.notify_url,
            "authorization_success_time": _time(self.opened_at),
            "cancel_authorization_time": _time(self.closed_at),
        }
        return {name: value for name, value in shown.items() if value is not None}

    def age(self, seconds: float) -> None:
        """Make it as if everything had happened *seconds* earlier."""
        if self.opened_at is not None:
            self.opened_at -= seconds
        if self.closed_at is not None:
            self.closed_at -= seconds

    def __repr__(self) -> str:
        return f"<Permission {self.number} {self.state}>"


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else rfc3339(seconds)


class PermissionRecords:
    """All authorisations of a gateway, by code and by user."""

    def __init__(self, tables: Tables) -> None:
        self._records: Table[Permission] = tables.table(
            "payscore.permissions", Permission
        )
        #: Keys of the latest record of a user, by merchant, sub-merchant and service.
        self._by_user: Table[str] = tables.table("payscore.permission_users", str)

    def __iter__(self) -> Iterator[Permission]:
        return iter(self._records)

    def at(self, at: str) -> Permission | None:
        """The record of that key in the table."""
        return self._records.get(at)

    def find(self, mchid: str, code: str) -> Permission | None:
        """The merchant's record of that ``authorization_code``."""
        return self._records.get(key(mchid, code))

    def put(self, record: Permission) -> None:
        """Enter a new record."""
        self._records.put(record.key, record)

    def bind(self, record: Permission) -> None:
        """Make it the one that its user is known by."""
        for user in filter(None, (record.openid, record.sub_openid)):
            self._by_user.put(_user(record, user), record.key)

    def find_user(
        self, mchid: str, given: Mapping[str, Any], openid: str = ""
    ) -> Permission | None:
        """The latest record of a user, for the service and sub-merchant *given*."""
        user = openid or given.get("openid") or given.get("sub_openid")
        place = key(
            mchid, given.get("sub_mchid") or "", str(given["service_id"]), str(user)
        )
        at = self._by_user.peek(place)
        return None if at is None else self._records.get(at)


def _user(record: Permission, user: str) -> str:
    return key(record.mchid, record.sub_mchid or "", record.service_id, user)
