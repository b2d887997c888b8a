"""Resources of notifications (回调通知) by event, and the messages of APIv2.

``TRANSACTION.SUCCESS`` is ``TransactionSuccess``; those of APIv2 start with ``Xml``.
"""

from __future__ import annotations

from . import _plain

__getattr__ = _plain.kind
