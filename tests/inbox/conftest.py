"""An inbox on SQLite for each kind of engine, and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain.inbox import Inbox
from wechatpay_chain.notifications import Notification


class Hands:
    """A clock."""

    def __init__(self) -> None:
        self.now = 1717225200.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def event() -> Callable[..., Notification]:
    """Makes notifications; the same number is the same event."""

    def made(number: str = "EV-1", kind: str = "PAYSCORE.USER_PAID") -> Notification:
        resource = {"out_order_no": number, "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}
        return Notification(number, kind, resource, mchid="1900000001")

    return made


@pytest.fixture(params=["engine", "async engine"])
def url(request: pytest.FixtureRequest, tmp_path: Path, call: Any) -> str:
    """A database; of an ``AsyncEngine`` in async mode only."""
    driver = "sqlite"
    if call.mode == "async" and request.param == "async engine":
        driver = "sqlite+aiosqlite"
    return f"{driver}:///{tmp_path / 'inbox.db'}"


@pytest.fixture
def inbox(url: str, call: Any, clock: Hands) -> Iterator[Inbox]:
    made = Inbox(url, clock=clock)
    call(made.create)
    yield made
    call.close(made)
