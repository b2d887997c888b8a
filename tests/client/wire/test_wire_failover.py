"""Where the primary host is not reached, the same bytes go to the backup (跨城冗灾)."""

from __future__ import annotations

from typing import Any

import pytest
from wire_server import Last, Reset, http

from wechatpay_chain import APIError, ConnectError, TransportError, WeChatPay
from wechatpay_chain.middleware import Retry


class Hosts:
    """Two servers, a client of both, and the client's clock."""

    def __init__(self, primary: Any, backup: Any, client_of: Any) -> None:
        self.primary, self.backup = primary, backup
        self.now = 0.0
        retry = Retry(3, first=0, timer=lambda: self.now)
        self.client: WeChatPay = client_of(
            primary, backup_url=backup.base_url, retry=retry
        )

    @property
    def seen(self) -> tuple[int, int]:
        return len(self.primary.requests), len(self.backup.requests)


@pytest.fixture
def hosts(serve: Any, client_of: Any, keys: Any) -> Hosts:
    def signed(_: Any) -> Any:
        return keys.signed(200, {"a": 1})

    return Hosts(serve(signed), serve(signed), client_of)


#: More often than a test connects.
ALWAYS = 1000


@pytest.fixture
def down(refuse: Any, hosts: Hosts) -> Any:
    """Make the primary refuse connections, or accept them again."""

    def set_down(value: bool) -> None:
        refuse[hosts.primary.port] = ALWAYS if value else 0

    yield set_down
    set_down(False)


def test_refused_by_the_primary_the_call_goes_to_the_backup(
    hosts: Hosts, keys: Any, call: Any, down: Any
) -> None:
    body = {"out_order_no": "1", "amount": 5}
    call(hosts.client.v3.a.post, body)
    down(True)
    hosts.primary.drop()
    hosts.primary.wait_closed(0)
    assert call(hosts.client.v3.a.post, body)["a"] == 1
    assert hosts.seen == (1, 1)
    first, second = hosts.primary.last, hosts.backup.last
    assert (first.line, first.body) == (second.line, second.body)
    assert second.header("Host") == f"127.0.0.1:{hosts.backup.port}"
    assert keys.check(first)["nonce_str"] != keys.check(second)["nonce_str"]


def test_what_must_not_be_repeated_goes_there_too_for_nothing_was_sent(
    hosts: Hosts, call: Any, down: Any
) -> None:
    down(True)
    assert call(hosts.client.v3.a.post, {"amount": 5})["a"] == 1
    assert hosts.seen == (0, 1)


def test_calls_stay_with_the_backup_and_return_after_a_while(
    hosts: Hosts, call: Any, down: Any
) -> None:
    down(True)
    call(hosts.client.v3.a.get)
    down(False)
    hosts.now = 59
    call(hosts.client.v3.a.get)
    assert hosts.seen == (0, 2)
    hosts.now = 61
    call(hosts.client.v3.a.get)
    assert hosts.seen == (1, 2)
    call(hosts.client.v3.a.get)
    assert hosts.seen == (2, 2)


def test_a_primary_that_is_still_down_costs_a_call_no_more_than_a_try(
    hosts: Hosts, call: Any, down: Any
) -> None:
    down(True)
    call(hosts.client.v3.a.get)
    hosts.now = 61
    assert call(hosts.client.v3.a.get)["a"] == 1
    assert hosts.seen == (0, 2)


def test_both_down_is_not_sent(hosts: Hosts, call: Any, down: Any, refuse: Any) -> None:
    down(True)
    refuse[hosts.backup.port] = 1  # of three tries, the one in the middle
    refuse[hosts.primary.port] = 2
    with pytest.raises(ConnectError) as caught:
        call(hosts.client.v3.a.post, {"amount": 5})
    assert caught.value.outcome == "not_sent"
    assert hosts.seen == (0, 0)
    assert not any(refuse.values())


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_status_is_repeated_at_the_primary(
    serve: Any, client_of: Any, keys: Any, call: Any, status: int
) -> None:
    primary = serve(http(status, b"{}", {"Content-Type": "application/json"}))
    hosts = Hosts(primary, serve(http(200)), client_of)
    with pytest.raises(APIError) as caught:
        call(hosts.client.v3.a.get)
    assert caught.value.status_code == status
    assert hosts.seen == (3, 0)


@pytest.mark.parametrize("answer", [Last(), Reset], ids=["closed", "reset"])
def test_a_lost_answer_is_repeated_at_the_primary(
    serve: Any, client_of: Any, keys: Any, call: Any, answer: Any
) -> None:
    hosts = Hosts(serve(answer), serve(http(200)), client_of)
    with pytest.raises(TransportError):
        call(hosts.client.v3.a.post, {"out_order_no": "1"})
    assert hosts.seen == (3, 0)
