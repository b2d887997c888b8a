"""Bills (账单): asked for one day, had for five minutes under a link that has a token.

Protocol section 14. The link leads to the host that the bill was asked of; the file
behind it is unsigned, its hash stands in the answer that gave the link.
"""

from __future__ import annotations

import gzip
import hashlib
from base64 import b64decode
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from ... import crypto
from ..checks import catalogued
from ..refusals import Internal, Problem, Refusal, parameters, refused
from ..routing import Answer, Call, Route
from ..signatures.signing import Download
from ..state.tables import Table
from ..world import World
from .bill_files import TRADE_HEADS, fund_bill, trade_bill
from .bill_rows import Period, Rows
from .ledger import Ledger, day_of
from .payments import Payments
from .refunding import Refunds
from .transactions import owner

#: Seconds for which a link can be used.
LINK_LIFE = 5 * 60
#: Months for which a bill can be had.
MONTHS = 3

_FILE = "/v3/billdownload/file"


@dataclass(eq=False)
class Ticket:
    """What one token of a link stands for."""

    mchid: str
    sub_mchid: str | None
    #: ``"trade"`` or ``"fund"``.
    kind: str
    bill_type: str
    day: str
    zipped: bool
    until: float
    #: Of an encrypted bill: key and nonce of AES-256-GCM.
    file_key: str | None = field(default=None, repr=False)
    nonce: str | None = field(default=None, repr=False)


class Bills:
    """The endpoints, and the links that they give out."""

    def __init__(
        self, world: World, ledger: Ledger, payments: Payments, refunds: Refunds
    ) -> None:
        self._world = world
        self.rows: Rows = Rows(world, ledger, payments, refunds)
        self._tickets: Table[Ticket] = world.tables.table("bill.tickets", Ticket)

    def routes(self) -> Iterator[Route]:
        """The endpoints."""
        yield catalogued.route("GET", "/v3/bill/tradebill", self.trade)
        yield catalogued.route("GET", "/v3/bill/fundflowbill", self.fund)
        one = "/v3/bill/sub-merchant-fundflowbill"
        yield catalogued.route("GET", one, self.fund_of_sub_merchant)
        yield catalogued.route("GET", _FILE, self.download)

    def trade(self, call: Call) -> Answer:
        """Ask for a trade bill (申请交易账单)."""
        bill_type = call.query.get("bill_type", "ALL")
        return Answer(200, self._link(call, self._ticket(call, "trade", bill_type)))

    def fund(self, call: Call) -> Answer:
        """Ask for a fund bill (申请资金账单)."""
        account = call.query.get("account_type", "BASIC")
        return Answer(200, self._link(call, self._ticket(call, "fund", account)))

    def fund_of_sub_merchant(self, call: Call) -> Answer:
        """Ask for the fund bill of one sub-merchant (申请单个子商户资金账单).

        The file is encrypted, its key is encrypted for the merchant.
        """
        if call.query["algorithm"] != "AEAD_AES_256_GCM":
            issue = "the sandbox has AEAD_AES_256_GCM alone"
            given = call.query["algorithm"]
            raise parameters([Problem("algorithm", issue, given, "query")])
        ticket = self._ticket(call, "fund", call.query["account_type"])
        ids = self._world.ids
        ticket.file_key, ticket.nonce = ids.nonce("bill key"), ids.nonce("bill")[:12]
        sealed = crypto.encrypt_oaep(ticket.file_key, call.merchant.public_key)
        entry = {"bill_sequence": 1, **self._link(call, ticket)}
        entry.update(encrypt_key=sealed, nonce=ticket.nonce)
        return Answer(200, {"download_bill_count": 1, "download_bill_list": [entry]})

    def download(self, call: Call) -> Answer:
        """Have the file (下载账单)."""
        ticket = self._tickets.peek(call.query["token"])
        if ticket is None or self._world.clock() > ticket.until:
            known = "is over" if ticket else "was never given out"
            raise _invalid("bill_token", f"this token {known}; ask for the bill again")
        if ticket.mchid != call.merchant.mchid:
            raise refused(
                "NO_AUTH",
                "bill_of_another",
                "this bill was asked for by another merchant",
                number=Internal.NO_PERMISSION,
            )
        return Answer(200, self._file(ticket))

    def plain(self, period: Period, kind: str, bill_type: str) -> Iterator[bytes]:
        """The lines of a bill. Raises :class:`Refusal` where there is none."""
        self._check_day(period.day)
        if not self._has_rows(period, kind, bill_type):
            raise refused(
                "NO_STATEMENT_EXIST",
                "bill_empty",
                f"nothing of {bill_type} happened on {period.day}",
                number=Internal.NOT_FOUND,
            )
        return self._lines(period, kind, bill_type)

    def age(self, seconds: float) -> None:
        """Make it as if all links had been given out *seconds* earlier."""
        for ticket in self._tickets:
            ticket.until -= seconds

    def _ticket(self, call: Call, kind: str, bill_type: str) -> Ticket:
        owner(call.merchant, call.query)
        return Ticket(
            call.merchant.mchid,
            call.query.get("sub_mchid"),
            kind,
            bill_type,
            _day(call.query["bill_date"]).isoformat(),
            call.query.get("tar_type") == "GZIP",
            self._world.clock() + LINK_LIFE,
        )

    def _link(self, call: Call, ticket: Ticket) -> dict[str, Any]:
        digest = hashlib.sha1(usedforsecurity=False)
        for line in self.plain(_period(ticket), ticket.kind, ticket.bill_type):
            digest.update(line)
        token = self._world.ids.token("bill")
        self._tickets.put(token, ticket)
        more = "&tartype=gzip" if ticket.zipped else ""
        return {
            "hash_type": "SHA1",
            "hash_value": digest.hexdigest(),
            "download_url": f"{call.origin}{_FILE}?token={token}{more}",
        }

    def _file(self, ticket: Ticket) -> Download:
        lines = self._lines(_period(ticket), ticket.kind, ticket.bill_type)
        content = b"".join(lines)
        if ticket.zipped:
            content = gzip.compress(content, 6, mtime=0)
        if ticket.file_key is not None and ticket.nonce is not None:
            sealed = crypto.encrypt_gcm(content, ticket.file_key, ticket.nonce, "")
            return Download(b64decode(sealed))
        kind = "application/x-gzip" if ticket.zipped else "text/plain; charset=utf-8"
        return Download(content, kind)

    def _lines(self, period: Period, kind: str, bill_type: str) -> Iterator[bytes]:
        if kind == "fund":
            return fund_bill(self.rows.funds(period), self.rows.balance(period))
        return trade_bill(bill_type, self._trades(period, bill_type))

    def _trades(self, period: Period, bill_type: str) -> Iterator[Any]:
        return self.rows.trades(
            period, payments=bill_type != "REFUND", refunds=bill_type != "SUCCESS"
        )

    def _has_rows(self, period: Period, kind: str, bill_type: str) -> bool:
        if kind == "fund":
            # Everything goes over the basic account (基本账户).
            rows: Iterator[Any] = self.rows.funds(period)
            return bill_type in ("BASIC", "ALL") and next(rows, None) is not None
        rows = self._trades(period, bill_type)
        return bill_type in TRADE_HEADS and next(rows, None) is not None

    def _check_day(self, day: date) -> None:
        """Raise :class:`Refusal` where the bill is not made yet, or not kept any more.

        A choice of the sandbox: both kinds are there from 10:00 of the next day on.
        """
        now = self._world.clock()
        today = day_of(now)
        if day >= today:
            raise _invalid("bill_date_ahead", f"{day} is not over; today is {today}")
        if day < _months_before(today):
            sentence = f"{day} is more than {MONTHS} months ago"
            raise _invalid("bill_date_too_old", sentence)
        if day == today - timedelta(days=1) and now < Period("", day).made_at:
            raise refused(
                "STATEMENT_CREATING",
                "bill_creating",
                f"the bill of {day} is made by 10:00 of {today}, Beijing time",
                number=Internal.ILLEGAL_STATE,
            )


def _period(ticket: Ticket) -> Period:
    return Period(ticket.mchid, date.fromisoformat(ticket.day), ticket.sub_mchid)


def _day(value: str) -> date:
    try:
        if len(value) != 10:  # newer Pythons read 20240601 too
            raise ValueError(value)
        return date.fromisoformat(value)
    except ValueError:
        sentence = f"bill_date is a day such as 2024-06-01, not {value[:64]}"
        raise _invalid("bill_date", sentence) from None


def _months_before(day: date) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - MONTHS, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _invalid(identifier: str, sentence: str) -> Refusal:
    number = Internal.OUT_OF_RANGE
    return refused("INVALID_REQUEST", identifier, sentence, number=number)
