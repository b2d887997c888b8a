"""Bills (账单): asked for, downloaded as streams, proven, and read as rows.

``client.bills.trade("2024-06-01")`` gives a :class:`Bill`: iterate over it, or
``save`` it. Nothing here knows an HTTP library.
"""

from .._saving import Progress
from .bill import Bill
from .bills import AccountType, Bills, BillType, Day
from .rows import FundRow, Row, Summary, TradeRow
from .saved import read
from .values import Column, Money

__all__ = [
    "AccountType",
    "Bill",
    "BillType",
    "Bills",
    "Column",
    "Day",
    "FundRow",
    "Money",
    "Progress",
    "Row",
    "Summary",
    "TradeRow",
    "read",
]
