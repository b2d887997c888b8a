"""Resources of notifications (回调通知) by event, and the messages of APIv2.

``TRANSACTION.SUCCESS`` is ``TransactionSuccess``; those of APIv2 start with ``Xml``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._tree.types.notifications import *  # noqa: F403
else:
    from . import _plain

    __getattr__ = _plain.kind
