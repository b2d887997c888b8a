"""Clocks that do not agree: both times, the skew, its direction, and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wechatpay_chain import ClockSkew, Headers, KeyRing
from wechatpay_chain.middleware import clocks
from wechatpay_chain.middleware.checking import check

NOW = 1717225200
NOW_DATE = "Sat, 01 Jun 2024 07:00:00 GMT"


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        (NOW_DATE, NOW),
        ("Sat, 01 Jun 2024 07:00:00 -0000", NOW),
        ("Sat, 01 Jun 2024 15:00:00 +0800", NOW),
        ("Saturday, 01-Jun-24 07:00:00 GMT", NOW),
        ("", None),
        ("yesterday", None),
        ("Sat, 01 Jun 99999 07:00:00 GMT", None),
        ("Sat, 41 Jun 2024 07:00:00 GMT", None),
    ],
)
def test_date_of_an_answer(date: str, seconds: int | None) -> None:
    assert clocks.sent_at(Headers({"Date": date})) == seconds


def test_no_date_is_none() -> None:
    assert clocks.sent_at({}) is None


@given(st.text())
def test_reading_a_date_never_raises(date: str) -> None:
    assert isinstance(clocks.sent_at({"Date": date}), int | None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12", 12), ("0" * 12, 0), ("1" * 13, None), ("٣", None), (" 1", None), (5, None)],
)
def test_unix_seconds_of_a_header(text: Any, seconds: int | None) -> None:
    assert clocks.unix(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(NOW, "2024-06-01 07:00:00Z"), (999999999999, "999999999999 s")],
)
def test_time_is_shown_in_utc(seconds: int, text: str) -> None:
    assert clocks.utc(seconds) == text


@pytest.mark.parametrize(
    ("skew", "hours"),
    [
        (28800, "8 h"),
        (-28800, "8 h"),
        (28741, "8 h"),
        (28859, "8 h"),
        (3600, "1 h"),
        (28739, ""),
        (28861, ""),
        (400, ""),
        (59, ""),
        (15 * 3600, ""),
    ],
)
def test_whole_hours_look_like_a_time_zone(skew: int, hours: str) -> None:
    assert clocks.zone(skew).startswith(f" ({hours}:" if hours else "")
    assert bool(clocks.zone(skew)) is bool(hours)


def refused(skew: int, date: str | None) -> str:
    """What is said of an answer whose timestamp is *skew* seconds before the clock."""
    headers = {
        "Wechatpay-Timestamp": str(NOW - skew),
        "Wechatpay-Nonce": "n",
        "Wechatpay-Serial": "5A",
        "Wechatpay-Signature": "aa==",
    }
    if date is not None:
        headers["Date"] = date
    with pytest.raises(ClockSkew) as caught:
        check(Headers(headers), b"", KeyRing(), NOW)
    assert caught.value.timestamp == str(NOW - skew)
    assert caught.value.outcome == "unknown"
    return str(caught.value)


@pytest.mark.parametrize(
    ("skew", "theirs", "words"),
    [
        (301, "2024-06-01 06:54:59Z", "301 s ahead of it"),
        (-301, "2024-06-01 07:05:01Z", "301 s behind it"),
        (28800, "2024-05-31 23:00:00Z", "28800 s ahead of it (8 h: a time zone?"),
    ],
)
@pytest.mark.parametrize("date", [None, "", NOW_DATE])
def test_answer_off_the_clock_shows_both_times(
    skew: int, theirs: str, words: str, date: str | None
) -> None:
    text = refused(skew, date)
    assert f"WeChat's time is {theirs}" in text
    assert f"the local clock says 2024-06-01 07:00:00Z: {words}" in text
    assert "more than the 300 s allowed" in text


def test_without_a_date_either_may_be_wrong() -> None:
    text = refused(400, None)
    assert text.endswith(
        "set the clock by NTP, unless this is an old, replayed message"
    )


def test_date_that_agrees_with_the_clock_means_an_old_answer() -> None:
    text = refused(400, NOW_DATE)
    assert "Date, 2024-06-01 07:00:00Z, agrees with the local clock" in text
    assert text.endswith("replayed, or from a cache")
    assert "NTP" not in text


def test_date_that_disagrees_with_the_clock_means_a_wrong_clock() -> None:
    text = refused(400, "Sat, 01 Jun 2024 06:53:20 GMT")
    assert text.endswith("Date is 2024-06-01 06:53:20Z: set the clock by NTP")


@pytest.mark.parametrize("skew", [-300, 0, 300])
@pytest.mark.parametrize("there", [None, NOW])
def test_timestamp_within_the_window_is_not_stale(skew: int, there: int | None) -> None:
    assert clocks.stale_timestamp(NOW + skew, NOW, there, "x") is None
