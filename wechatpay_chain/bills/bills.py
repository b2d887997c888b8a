"""``client.bills``: which bills there are, and how each is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from . import asking
from .asking import AEAD, query
from .bill import Ask, Bill
from .rows import FundRow, Row, TradeRow

if TYPE_CHECKING:
    from ..client import WeChatPay

#: A day in Beijing: a date, or text such as ``"2024-06-01"``.
Day = date | str
BillType = Literal["ALL", "SUCCESS", "REFUND", "RECHARGE_REFUND"]
AccountType = Literal["BASIC", "OPERATION", "FEES", "ALL", "DEPOSIT"]


class Bills:
    """Asks for bills (账单) and reads them as streams, whatever their size.

    Each method asks WeChat Pay for the bill of one day and returns a :class:`Bill` to
    be iterated over or saved; each has an ``_async`` twin to be awaited. The bill of a
    day is there from about ten o'clock of the next, in Beijing, for three months.
    Raises ``APIError``: ``NO_STATEMENT_EXIST`` where nothing happened that day,
    ``STATEMENT_CREATING`` where it is too early.
    """

    def __init__(self, client: WeChatPay) -> None:
        self._client = client

    # The parameters of a bill, once for both modes.

    def _trade(
        self, day: Day, bill_type: BillType | None, sub_mchid: str | None
    ) -> Ask:
        return self._ask(
            "v3/bill/tradebill",
            bill_date=asking.day(day),
            bill_type=bill_type,
            sub_mchid=sub_mchid,
        )

    def _fundflow(
        self, day: Day, account_type: AccountType | None, sub_mchid: str | None
    ) -> Ask:
        return self._ask(
            "v3/bill/fundflowbill",
            bill_date=asking.day(day),
            account_type=account_type,
            sub_mchid=sub_mchid,
        )

    def _sub_merchant(self, day: Day, sub_mchid: str, account_type: AccountType) -> Ask:
        return self._ask(
            "v3/bill/sub-merchant-fundflowbill",
            sub_mchid=sub_mchid,
            bill_date=asking.day(day),
            account_type=account_type,
            algorithm=AEAD,
        )

    def _ecommerce(self, day: Day, account_type: AccountType) -> Ask:
        return self._ask(
            "v3/ecommerce/bill/fundflowbill",
            bill_date=asking.day(day),
            account_type=account_type,
            algorithm=AEAD,
        )

    def _payscore(self, day: Day, service_id: str) -> Ask:
        return self._ask(
            "v3/payscore/merchant-bill",
            bill_date=asking.day(day),
            service_id=service_id,
            encryption_algorithm=AEAD,
        )

    def _profit_sharing(self, day: Day, sub_mchid: str | None) -> Ask:
        return self._ask(
            "v3/profitsharing/bills", bill_date=asking.day(day), sub_mchid=sub_mchid
        )

    def _ask(self, path: str, **given: Any) -> Ask:
        return Ask(self._client, path, query(**given, tar_type="GZIP"))

    # The bills.

    def trade(
        self,
        date: Day,
        *,
        bill_type: BillType | None = None,
        sub_mchid: str | None = None,
    ) -> Bill[TradeRow]:
        """Ask for the trade bill (交易账单): every payment and refund of the day.

        *bill_type*: ``SUCCESS`` for payments alone, ``REFUND`` for refunds alone.
        *sub_mchid*: one sub-merchant's bill, for partners.
        """
        ask = self._trade(date, bill_type, sub_mchid)
        return Bill(ask, ask.now(), TradeRow)

    async def trade_async(
        self,
        date: Day,
        *,
        bill_type: BillType | None = None,
        sub_mchid: str | None = None,
    ) -> Bill[TradeRow]:
        """Await the trade bill; see :meth:`trade`."""
        ask = self._trade(date, bill_type, sub_mchid)
        return Bill(ask, await ask.now_async(), TradeRow)

    def fundflow(
        self,
        date: Day,
        *,
        account_type: AccountType | None = None,
        sub_mchid: str | None = None,
    ) -> Bill[FundRow]:
        """Ask for the fund flow bill (资金账单): what went into and out of one account.

        *account_type*: ``BASIC``, ``OPERATION`` or ``FEES``.
        """
        ask = self._fundflow(date, account_type, sub_mchid)
        return Bill(ask, ask.now(), FundRow)

    async def fundflow_async(
        self,
        date: Day,
        *,
        account_type: AccountType | None = None,
        sub_mchid: str | None = None,
    ) -> Bill[FundRow]:
        """Await the fund flow bill; see :meth:`fundflow`."""
        ask = self._fundflow(date, account_type, sub_mchid)
        return Bill(ask, await ask.now_async(), FundRow)

    def sub_merchant_fundflow(
        self, date: Day, *, sub_mchid: str, account_type: AccountType = "BASIC"
    ) -> Bill[FundRow]:
        """Ask for the fund flow of one sub-merchant (子商户), encrypted."""
        ask = self._sub_merchant(date, sub_mchid, account_type)
        return Bill(ask, ask.now(), FundRow)

    async def sub_merchant_fundflow_async(
        self, date: Day, *, sub_mchid: str, account_type: AccountType = "BASIC"
    ) -> Bill[FundRow]:
        """Await the same; see :meth:`sub_merchant_fundflow`."""
        ask = self._sub_merchant(date, sub_mchid, account_type)
        return Bill(ask, await ask.now_async(), FundRow)

    def ecommerce_fundflow(
        self, date: Day, *, account_type: AccountType = "ALL"
    ) -> Bill[FundRow]:
        """Ask for that of all sub-merchants of a platform (电商平台), encrypted."""
        ask = self._ecommerce(date, account_type)
        return Bill(ask, ask.now(), FundRow)

    async def ecommerce_fundflow_async(
        self, date: Day, *, account_type: AccountType = "ALL"
    ) -> Bill[FundRow]:
        """Await the same; see :meth:`ecommerce_fundflow`."""
        ask = self._ecommerce(date, account_type)
        return Bill(ask, await ask.now_async(), FundRow)

    def payscore(self, date: Day, *, service_id: str) -> Bill[Row]:
        """Ask for the bill of a PayScore (微信支付分) service, encrypted."""
        ask = self._payscore(date, service_id)
        return Bill(ask, ask.now(), Row)

    async def payscore_async(self, date: Day, *, service_id: str) -> Bill[Row]:
        """Await the same; see :meth:`payscore`."""
        ask = self._payscore(date, service_id)
        return Bill(ask, await ask.now_async(), Row)

    def profit_sharing(self, date: Day, *, sub_mchid: str | None = None) -> Bill[Row]:
        """Ask for the bill of profit sharing (分账)."""
        ask = self._profit_sharing(date, sub_mchid)
        return Bill(ask, ask.now(), Row)

    async def profit_sharing_async(
        self, date: Day, *, sub_mchid: str | None = None
    ) -> Bill[Row]:
        """Await the same; see :meth:`profit_sharing`."""
        ask = self._profit_sharing(date, sub_mchid)
        return Bill(ask, await ask.now_async(), Row)

    def ask(self, path: str, params: Mapping[str, Any]) -> Bill[Row]:
        """Ask for any other bill: one answered by ``download_url`` and ``hash_value``.

        *path* is that of the endpoint, filled in; *params* its query.
        """
        ask = Ask(self._client, path, params)
        return Bill(ask, ask.now(), Row)

    async def ask_async(self, path: str, params: Mapping[str, Any]) -> Bill[Row]:
        """Await the same; see :meth:`ask`."""
        ask = Ask(self._client, path, params)
        return Bill(ask, await ask.now_async(), Row)
