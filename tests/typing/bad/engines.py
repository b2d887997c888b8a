"""The engine of an inbox."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from wechatpay_chain.inbox import Inbox


def engines(url: str, inbox: Inbox) -> None:
    one: AsyncEngine = Inbox(create_engine(url)).engine  # E: mypy[assignment] pyright[reportAssignmentType]
    two: Engine = Inbox(create_async_engine(url)).engine  # E: mypy[assignment] pyright[reportAssignmentType]
    three: Engine = Inbox(url).engine  # E: mypy[assignment] pyright[reportAssignmentType]
    four: Inbox[Engine] = inbox  # E: mypy[assignment] pyright[reportAssignmentType]
    Inbox(3)  # E: mypy[call-overload] pyright[reportArgumentType, reportCallIssue]
    del one, two, three, four
