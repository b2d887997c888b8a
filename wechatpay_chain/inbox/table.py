"""The one table of an inbox, the same on every database."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

#: The table's name, unless another is given.
NAME = "wechatpay_inbox"


def inbox_table(metadata: MetaData, name: str = NAME) -> Table:
    """The table, for your own ``MetaData`` and migrations.

    Times are seconds since 1970. A row with ``handled_at`` is done, and holds nothing
    of the notification but its number and type.
    """
    return Table(
        name,
        metadata,
        Column("mchid", _number(32), primary_key=True),
        Column("id", _number(191), primary_key=True),
        Column("event_type", _number(128), nullable=False),
        Column("content", _long()),
        Column("received_at", Double, nullable=False),
        #: When it may be taken: at once, after a failure, or when a claim ends.
        Column("due", Double),
        #: Who works on it.
        Column("token", String(32)),
        Column("attempts", Integer, nullable=False),
        #: The class of what the handler raised last; its text could name a user.
        Column("error", String(64)),
        Column("handled_at", Double),
        Index(f"{name}_due", "due"),
        Index(f"{name}_handled_at", "handled_at"),
    )


def _number(length: int) -> TypeEngine[str]:
    # MySQL takes two numbers for one that differ in case alone, unless told not to.
    exact = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return String(length).with_variant(exact, "mysql", "mariadb")


def _long() -> TypeEngine[str]:
    # TEXT of MySQL ends at 64 KiB.
    return Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
