"""What the control API shows of a gateway, and does to it: a method to a command."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

from ..._messages import Headers
from ..._shapes import mapping
from ..checks import given
from ..recording.journal import Exchange
from ..state.tables import Table, key
from ..world import rfc3339
from . import settings
from .plain import plain

if TYPE_CHECKING:
    from ..gateway import Gateway
    from ..state.snapshots import Snapshot

#: Records by the name that people look for them under.
RECORDS = {
    "orders": "payscore.orders",
    "permissions": "payscore.permissions",
    "payments": "payments",
    "refunds": "refunds",
    "notifications": "outbox.notices",
}
#: How many are shown where nobody says.
_MANY = 100
#: How many snapshots are kept, each of a whole world: tests take and forget them.
SNAPSHOTS = 100
_SIGNATURE = re.compile(r'(signature="[^"]{0,8})[^"]*')


class Views:
    """The commands that are not simply methods of the gateway's."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._snapshots: dict[int, Snapshot] = {}
        self._numbers = count(1)

    def clock(self) -> dict[str, Any]:
        """What time it is in the gateway."""
        clock = self._gateway.clock
        return {"now": clock(), "time": rfc3339(clock()), "runs": clock.runs}

    def advance(
        self,
        seconds: float = 0,
        minutes: float = 0,
        hours: float = 0,
        days: float = 0,
    ) -> dict[str, Any]:
        """Go forward in time, and do what falls due, in order."""
        self._gateway.advance(seconds, minutes=minutes, hours=hours, days=days)
        return self.clock()

    # The journal.

    def journal(
        self,
        method: str | None = None,
        path: str | None = None,
        mchid: str | None = None,
        status: int | None = None,
        verdict: str | None = None,
        after: int = 0,
        limit: int = _MANY,
    ) -> dict[str, Any]:
        """The latest exchanges, the oldest first.

        *path* is a part of the target, *verdict* its id, ``ok`` or ``refused``, *after*
        the number of an exchange that is known already.
        """
        given.whole("after", after, most=None)
        given.whole("limit", limit, most=None)

        def wanted(one: Exchange) -> bool:
            refused = verdict == "refused" and one.verdict != "ok"
            return (
                one.number > after
                and method in (None, one.request.method)
                and (path is None or path in one.request.target)
                and mchid in (None, one.mchid)
                and status in (None, one.status)
                and (refused or verdict in (None, one.verdict))
            )

        found = [_line(one) for one in self._gateway.journal if wanted(one)]
        return {"exchanges": _latest(found, limit)}

    def exchange(self, number: int) -> dict[str, Any]:
        """One exchange in full; of signatures only the beginning."""
        found = self._gateway.journal[number]
        shown = _line(found)
        shown["request"] = _message(found.request.headers, found.request.body)
        if found.response is not None:
            response = found.response
            shown["response"] = _message(response.headers, response.content)
        return shown

    # Records.

    def listing(self, name: str) -> Callable[..., dict[str, Any]]:
        """The command that lists the records called *name*."""

        def records(
            mchid: str | None = None, state: str | None = None, limit: int = _MANY
        ) -> dict[str, Any]:
            given.whole("limit", limit, most=None)
            table = self._table(RECORDS[name])
            found = [plain(one) for one in table.copy().values()]
            found = [
                one
                for one in found
                if mchid in (None, one.get("mchid"))
                and state in (None, one.get("state"), one.get("status"))
            ]
            return {name: _latest(found, limit)}

        records.__doc__ = f"The latest {name}, the oldest first."
        return records

    def single(self, name: str) -> Callable[..., dict[str, Any]]:
        """The command that shows one of the records called *name*."""

        def record(number: str, mchid: str | None = None) -> dict[str, Any]:
            table = self._table(RECORDS[name])
            found = table.peek(key(mchid or self._gateway.mchid, number))
            found = table.peek(number) if found is None else found
            if found is None:
                raise KeyError(f"there is no {number[:64]} among the {name}")
            return {name[:-1]: found}

        record.__doc__ = f"One of the {name}, by its number."
        return record

    def _table(self, name: str) -> Table[Any]:
        for table in self._gateway.world.tables:
            if table.name == name:
                return table
        raise KeyError(f"this gateway keeps no {name}")

    # Notifications.

    def resend(self, id: str) -> dict[str, Any]:
        """Send a notification once more, now."""
        return {"attempt": self._gateway.outbox.resend(id)}

    def probe(self, id: str | None = None) -> dict[str, Any]:
        """Send a signature probe, which the merchant is to refuse."""
        return {"attempt": self._gateway.outbox.probe(id)}

    # Faults and settings.

    def faults(self) -> dict[str, Any]:
        """The rules that bring faults, in order."""
        return {"faults": list(self._gateway.faults)}

    def add_fault(
        self, kind: str, options: Any = None, on: str = "", times: int | None = 1
    ) -> dict[str, Any]:
        """Have a fault happen to the next calls or notifications that *on* names."""
        if options is not None and mapping(options) is None:
            raise ValueError("options: an object expected")
        rule = self._gateway.faults.add_data(kind, options, on=on, times=times)
        return {"fault": rule}

    def delete_fault(self, number: int) -> None:
        """Take out one of the rules."""
        faults = self._gateway.faults
        if number not in (rule.number for rule in faults):
            raise KeyError(f"there is no fault {number}")
        faults.remove(number)

    def settings(self) -> dict[str, Any]:
        """How deduction, refunds and validation go."""
        return settings.shown(self._gateway)

    def change_settings(
        self,
        deduction: Any = None,
        refunding: Any = None,
        validation: str | None = None,
    ) -> dict[str, Any]:
        """Have them go otherwise from now on; what is left out stays as it is."""
        changes = {
            "deduction": deduction,
            "refunding": refunding,
            "validation": validation,
        }
        told = {name: value for name, value in changes.items() if value is not None}
        with self._gateway.lock:
            settings.change(self._gateway, told)
        return self.settings()

    # The world as a whole.

    def snapshot(self) -> dict[str, Any]:
        """Remember the present state, under a number; the latest 100 are kept."""
        number = next(self._numbers)
        self._snapshots[number] = self._gateway.snapshot()
        self._snapshots.pop(number - SNAPSHOTS, None)
        return {"snapshot": number}

    def restore(self, snapshot: int) -> dict[str, Any]:
        """Go back to the state of that number."""
        if snapshot not in self._snapshots:
            raise KeyError(f"there is no snapshot {snapshot}, or no longer")
        self._gateway.restore(self._snapshots[snapshot])
        return {"snapshot": snapshot}


def _latest(found: list[Any], limit: int) -> list[Any]:
    return found[max(0, len(found) - limit) :]


def _line(exchange: Exchange) -> dict[str, Any]:
    """An exchange in short."""
    return {
        "number": exchange.number,
        "at": exchange.at,
        "time": rfc3339(exchange.at),
        "method": exchange.request.method,
        "target": exchange.request.target,
        "endpoint": exchange.endpoint,
        "mchid": exchange.mchid,
        "status": exchange.status,
        "verdict": exchange.verdict,
        "over": exchange.over,
        "notes": list(exchange.notes),
        "fault": exchange.fault,
    }


def _message(headers: Headers, body: bytes) -> dict[str, Any]:
    shown = {name: _masked(name, value) for name, value in headers.pairs()}
    return {"headers": shown, "body": body.decode("utf-8", "replace")}


def _masked(name: str, value: str) -> str:
    """A header with no signature in it that could be used again."""
    if name.lower() == "wechatpay-signature":
        return f"{value[:8]}..."
    return _SIGNATURE.sub(r"\1...", value)
