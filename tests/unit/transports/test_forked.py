"""What a client does in a forked child with what its parent had open."""

from __future__ import annotations

import os

import pytest

from wechatpay_chain.middleware import Request
from wechatpay_chain.transports.on_requests import RequestsTransport

REQUEST = Request("GET", "http://127.0.0.1:9/v3/a")


def test_closing_in_the_child_waits_for_no_lock_of_the_parents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transport = RequestsTransport()
    inherited = transport._pool(REQUEST)
    assert inherited.pool is not None
    with inherited.pool.mutex, monkeypatch.context() as forked:
        # A thread of the parent was in the midst of its pool when it forked.
        forked.setattr(os, "getpid", lambda: -1)
        assert transport._pool(REQUEST) is not inherited
        transport.close()
    assert inherited.pool is not None  # it was not closed
    inherited.close()


def test_closing_first_thing_in_the_child_leaves_the_parents_pools(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transport = RequestsTransport()
    inherited = transport._pool(REQUEST)
    assert inherited.pool is not None
    with inherited.pool.mutex, monkeypatch.context() as forked:
        forked.setattr(os, "getpid", lambda: -1)
        transport.close()
    assert inherited.pool is not None
    inherited.close()
