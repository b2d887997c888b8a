"""Bills by APIv2: the file itself is the answer, where there is one."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import date

from ..checks import catalogued
from ..refusals import Internal, refused
from ..routing import Answer, Call, Route
from ..signatures.signing import Download
from .bill_rows import Period
from .bills import Bills
from .v2_payments import whose


class V2Bills:
    """The endpoints."""

    def __init__(self, bills: Bills) -> None:
        self._bills = bills

    def routes(self) -> Iterator[Route]:
        """The endpoints."""
        yield catalogued.route("POST", "/v2/pay/downloadbill", self.trade)
        yield catalogued.route("POST", "/v2/pay/downloadfundflow", self.fund)

    def trade(self, call: Call) -> Answer:
        """Have a trade bill (下载对账单)."""
        return self._file(call, "trade", call.body.get("bill_type") or "ALL")

    def fund(self, call: Call) -> Answer:
        """Have a fund bill (下载资金账单)."""
        return self._file(call, "fund", call.body["account_type"].upper())

    def _file(self, call: Call, kind: str, bill_type: str) -> Answer:
        period = Period(call.merchant.mchid, _day(call.body["bill_date"]), whose(call))
        content = b"".join(self._bills.plain(period, kind, bill_type))
        if call.body.get("tar_type") == "GZIP":
            return Answer(200, Download(gzip.compress(content, 6, mtime=0)))
        return Answer(200, Download(content, "text/plain; charset=utf-8"))


def _day(value: str) -> date:
    try:
        if len(value) != 8:
            raise ValueError(value)
        return date.fromisoformat(f"{value[:4]}-{value[4:6]}-{value[6:]}")
    except ValueError:
        raise refused(
            "INVALID_REQUEST",
            "bill_date",
            f"bill_date is a day such as 20240601, not {value[:64]}",
            number=Internal.OUT_OF_RANGE,
        ) from None
