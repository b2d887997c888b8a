"""Inbox: each notification is handled to success once, by a fleet that gets it often.

Behind the extra ``inbox`` (SQLAlchemy 2). A row stands for an event from when it
arrived; a worker claims it for a while, and a worker that dies loses its claim. Nothing
here knows a web framework.
"""

from __future__ import annotations

from importlib.util import find_spec

from ..errors import ConfigurationError

if find_spec("sqlalchemy") is None:
    raise ConfigurationError(
        "an inbox needs SQLAlchemy: pip install 'wechatpay-chain[inbox]'"
    )

from .inbox import Inbox, Later
from .rows import InboxBusy, Waiting
from .table import inbox_table

__all__ = ["Inbox", "InboxBusy", "Later", "Waiting", "inbox_table"]
