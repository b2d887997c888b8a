"""Walking a list: lazily, page after page, in both modes."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from wechatpay_chain import DecodeError, EncodeError


@pytest.fixture
def walk(call) -> Any:
    """All items, or the first *count*, of a list in this mode."""

    def run(
        node: Any, *args: Any, count: int | None = None, **options: Any
    ) -> list[Any]:
        async def awaited() -> list[Any]:
            found: list[Any] = []
            items = node.paginate_async(*args, **options)
            async for item in items:
                found.append(item)
                if len(found) == count:
                    break
            await items.aclose()
            return found

        if call.mode == "async":
            return list(call.wait(awaited()))
        return list(islice(node.paginate(*args, **options), count))

    return run


def test_all_pages_of_a_list(server, client, walk) -> None:
    server.will(
        {"data": [1, 2], "total_count": 5, "offset": 0, "limit": 2},
        {"data": [3, 4], "total_count": 5, "offset": 2, "limit": 2},
        {"data": [5], "total_count": 5, "offset": 4, "limit": 2},
    )
    node = client.v3.marketing._brand_id_.stocks
    assert walk(node, {"limit": 2, "state": "X"}, brand_id="7") == [1, 2, 3, 4, 5]
    assert [request.target for request in server.requests] == [
        f"/v3/marketing/7/stocks?state=X&offset={offset}&limit=2"
        for offset in (0, 2, 4)
    ]


def test_a_list_by_token(server, client, walk) -> None:
    server.will(
        {"store_list": ["a"], "next_page_token": "t/1", "total_count": 2},
        {"store_list": ["b"], "total_count": 2},
    )
    assert walk(client.v3.stores, {"page_size": 1}) == ["a", "b"]
    assert [request.target for request in server.requests] == [
        "/v3/stores?page_size=1",
        "/v3/stores?page_size=1&page_token=t%2F1",
    ]


def test_pages_are_asked_for_as_they_are_needed(server, client, walk) -> None:
    server.otherwise = {"data": [1, 2], "total_count": 100}
    assert walk(client.v3.x, {"limit": 2}, count=3) == [1, 2, 1]
    assert len(server.requests) == 2


def test_nothing_is_sent_before_the_first_item(server, client) -> None:
    client.v3.x.paginate()
    assert server.requests == []


def test_an_answer_without_a_list_is_an_error(server, client, walk) -> None:
    server.will({"order_id": "1"})
    with pytest.raises(DecodeError, match="v3/x: the answer has 0 lists"):
        walk(client.v3.x)


def test_the_query_may_be_a_keyword_as_for_get(server, client, walk) -> None:
    server.will({"data": [1], "total_count": 1})
    assert walk(client.v3.x, params={"limit": 5}) == [1]
    assert [request.target for request in server.requests] == ["/v3/x?offset=0&limit=5"]


def test_the_query_is_given_once(server, client, walk) -> None:
    with pytest.raises(EncodeError) as caught:
        walk(client.v3.x, {"limit": 5}, params={"limit": 5})
    with pytest.raises(EncodeError) as by_get:
        client.v3.x.get({"limit": 5}, params={"limit": 5})
    assert str(caught.value) == str(by_get.value)
    assert server.requests == []


def test_wrong_parameters_are_refused(server, client, walk) -> None:
    with pytest.raises(EncodeError, match="limit"):
        walk(client.v3.x, {"limit": 0})
    assert server.requests == []
