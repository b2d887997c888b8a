"""What a value that is no integer may be meant for: a number as text, or yuan."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from ...catalogue.amounts import is_money
from ...catalogue.model import Field

#: The largest that services keep a number in.
_INT64 = 2**63 - 1
_FEN = " fen"
_YUAN = re.compile(r"[0-9]+\.[0-9]{2}")


def meant(value: Any, name: str) -> str:
    """Which integer *value* may stand for, as the field *name*; ``""``: none.

    A whole float is that number: nobody is told to charge a hundred times as much. A
    fraction is of yuan, where the field is an amount; so is a text with two decimals,
    which is how yuan are written.

    >>> meant(990.0, "total"), meant("1250", "total"), meant(2.5, "count")
    ('990', '1250', '')
    >>> meant(9.9, "total"), meant(0.29, "amount"), meant(0.001, "total")
    ('990 fen', '29 fen', '')
    >>> meant("1.00", "total"), meant("1.00", "count"), meant("1.0", "total")
    ('100 fen', '', '')
    """
    if isinstance(value, str):
        return _meant_by_text(value, name)
    if not isinstance(value, float) or not abs(value) < _INT64:
        return ""
    if value.is_integer():
        return str(int(value))
    return _of_yuan(str(value), name)


def _meant_by_text(value: str, name: str) -> str:
    if not value.isascii() or len(value) >= 21:
        return ""
    if value.isdecimal():
        return value
    return _of_yuan(value, name) if _YUAN.fullmatch(value) else ""


def _of_yuan(value: str, name: str) -> str:
    """*value* in fen, where it can be yuan and *name* is an amount."""
    fen = Decimal(value) * 100
    is_fen = fen == int(fen) and is_money(name, Field(type="integer"))
    return f"{int(fen)}{_FEN}" if is_fen else ""


def in_yuan(value: Any, hint: str) -> str:
    """What to add where *hint* turns yuan into fen (分)."""
    return f" ({value} looks like yuan)" if hint.endswith(_FEN) else ""
