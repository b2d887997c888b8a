"""Which page is asked for next, and when the walk ends."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import DecodeError, EncodeError
from wechatpay_chain._paging import DEFAULT_LIMIT, EMPTY_TURNS, Pages


def walk(pages: Pages, *answers: Any) -> list[Any]:
    found: list[Any] = []
    for answer in answers:
        assert pages.wanted
        found += pages.items(answer)
    return found


def test_the_first_page_names_offset_and_limit() -> None:
    assert Pages(None, "p").params == {"offset": 0, "limit": DEFAULT_LIMIT}
    given = {"offset": 4, "limit": 2, "state": "PAID"}
    assert Pages(given, "p").params == given


def test_a_page_moves_on_by_what_was_asked_for() -> None:
    pages = Pages({"limit": 2}, "p")
    assert walk(pages, {"data": [1], "total_count": 5}) == [1]
    assert pages.params == {"offset": 2, "limit": 2}
    assert walk(pages, {"data": [2, 3], "total_count": 5}) == [2, 3]
    assert walk(pages, {"data": [4], "total_count": 5}) == [4]
    assert not pages.wanted


def test_without_a_total_a_short_page_is_the_last() -> None:
    pages = Pages({"limit": 2}, "p")
    walk(pages, {"data": [1, 2]})
    assert pages.wanted
    walk(pages, {"data": [3]})
    assert not pages.wanted


def test_a_circle_of_tokens_is_an_error() -> None:
    pages = Pages({"page_size": 1}, "p")
    walk(pages, {"data": [1], "next_page_token": "a"})
    walk(pages, {"data": [2], "next_page_token": "b"})
    with pytest.raises(DecodeError, match="points back"):
        pages.items({"data": [3], "next_page_token": "a"})


def test_a_server_that_does_not_turn_the_page_is_an_error() -> None:
    """Without a total nothing else would end the walk."""
    pages = Pages({"limit": 2}, "v3/x")
    walk(pages, {"data": [1, 2]}, {"data": [3, 4]})
    with pytest.raises(DecodeError, match="v3/x: the answer repeats the page before"):
        pages.items({"data": [3, 4]})
    counted = Pages({"limit": 1}, "v3/x")
    same = {"data": ["same"], "total_count": 2}
    assert walk(counted, same, same) == ["same", "same"]
    assert not counted.wanted


def test_tokens_without_end_and_without_an_item_are_an_error() -> None:
    pages = Pages({"page_size": 1}, "v3/x")
    gap = [{"data": [], "next_page_token": f"a{n}"} for n in range(EMPTY_TURNS - 1)]
    found = walk(pages, *gap, {"data": [1], "next_page_token": "b"})
    assert found == [1]
    walk(pages, {"data": [], "next_page_token": "c"})
    assert pages.wanted
    pages = Pages({"page_size": 1}, "v3/x")
    walk(pages, *gap)
    with pytest.raises(DecodeError, match="v3/x: 100 pages in a row hold nothing"):
        pages.items({"data": [], "next_page_token": "c"})


def test_an_empty_list_ends_the_walk() -> None:
    pages = Pages(None, "p")
    assert walk(pages, {"total_count": 0}) == []
    assert not pages.wanted


def test_the_only_list_is_taken_whatever_its_name() -> None:
    assert walk(Pages(None, "p"), {"orders": [1], "total_count": 1}) == [1]


def test_a_list_by_token_goes_on_with_the_token() -> None:
    given = {"page_size": 2, "brand_id": "1"}
    pages = Pages(given, "p")
    assert pages.params == given
    walk(pages, {"stock_list": [1, 2], "next_page_token": "t1", "total_count": 3})
    assert pages.params == {**given, "page_token": "t1"}
    assert walk(pages, {"stock_list": [3], "total_count": 3}) == [3]
    assert not pages.wanted


def test_an_answer_with_a_token_is_followed_unasked() -> None:
    pages = Pages({"brand_id": "1"}, "p")
    walk(pages, {"data": [1], "next_page_token": "t1"})
    assert pages.params == {"brand_id": "1", "page_token": "t1"}
    walk(pages, {"data": [], "next_page_token": ""})
    assert not pages.wanted


def test_a_token_that_stands_still_is_an_error() -> None:
    pages = Pages({"page_token": "t1"}, "p")
    with pytest.raises(DecodeError, match="points back"):
        pages.items({"data": [], "next_page_token": "t1"})


@pytest.mark.parametrize(
    ("data", "count"), [(None, 0), ({}, 0), ({"a": [], "b": []}, 2), ([1], 0)]
)
def test_an_answer_without_one_list_is_an_error(data: Any, count: int) -> None:
    with pytest.raises(DecodeError, match=f"v3/x: the answer has {count} lists"):
        Pages(None, "v3/x").items(data)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ([("limit", 1)], "a mapping"),
        ({"limit": 0}, "limit must be an int from 1"),
        ({"limit": True}, "limit"),
        ({"limit": "5"}, "limit"),
        ({"offset": -1}, "offset must be an int from 0"),
    ],
)
def test_wrong_parameters_are_refused(params: Any, reason: str) -> None:
    with pytest.raises(EncodeError, match=reason):
        Pages(params, "p")


def test_the_callers_parameters_are_not_changed() -> None:
    given = {"page_size": 2}
    Pages(given, "p").items({"data": [1], "next_page_token": "t"})
    assert given == {"page_size": 2}
