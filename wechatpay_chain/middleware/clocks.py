"""Two clocks that do not agree: both times, how far apart, and what to do about it.

Pure: the times are given. Protocol sections 3 (requests) and 5 (answers).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

#: Seconds that the two clocks may be apart; 300 is still accepted (section 5, rule 2).
CLOCK_WINDOW = 300

#: A time zone taken for part of Unix time shows as whole hours, give or take this.
_HOUR, _NEAR, _ZONES = 3600, 60, 14


def utc(seconds: int) -> str:
    """*seconds* as people read them: ``2024-06-01 07:00:00Z``."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime(
            "%Y-%m-%d %H:%M:%SZ"
        )
    except (OverflowError, OSError, ValueError):
        return f"{seconds} s"


def unix(text: object) -> int | None:
    """Unix seconds as they stand in a header; ``None`` for anything else."""
    if isinstance(text, str) and re.fullmatch("[0-9]{1,12}", text):
        return int(text)
    return None


def sent_at(headers: Mapping[str, str]) -> int | None:
    """When the answer was made by its ``Date``; ``None`` without one to be read."""
    try:
        date = parsedate_to_datetime(headers.get("Date", ""))
        if date.tzinfo is None:  # "-0000": UTC without a place (RFC 5322)
            date = date.replace(tzinfo=timezone.utc)
        return int(date.timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def apart(ours: int, theirs: int) -> str:
    """How far *ours* is from *theirs*, and to which side."""
    skew = ours - theirs
    return f"{abs(skew)} s {'ahead of' if skew > 0 else 'behind'}"


def within(one: int, other: int) -> bool:
    """Whether two times agree as far as WeChat Pay asks."""
    return abs(one - other) <= CLOCK_WINDOW


def zone(skew: int) -> str:
    """What a skew of whole hours looks like; nothing for any other."""
    hours, rest = divmod(abs(skew) + _NEAR, _HOUR)
    if not 0 < hours <= _ZONES or rest > 2 * _NEAR:
        return ""
    return f" ({hours} h: a time zone? Unix seconds have none)"


def stale_timestamp(
    timestamp: int, local: int, there: int | None, source: str
) -> str | None:
    """Why the *timestamp* of a request is refused; ``None`` where it is near enough.

    *there* is WeChat's time, from *source*; without it the *local* time stands in.
    """
    other, whose = (local, "the local clock") if there is None else (there, source)
    if within(timestamp, other):
        return None
    text = (
        f"timestamp {timestamp}, {utc(timestamp)}, is {apart(timestamp, other)} "
        f"{utc(other)} by {whose}{zone(timestamp - other)}, more than the "
        f"{CLOCK_WINDOW} s allowed; "
    )
    if there is not None and not within(local, there):
        return text + f"the local clock says {utc(local)}: set the clock by NTP"
    if there is not None:
        text += f"the local clock, {utc(local)}, is right, the timestamp is not of it: "
    return text + "take the time and sign anew for each attempt"


def stale_answer(timestamp: int, local: int, date: int | None) -> str:
    """Why ``Wechatpay-Timestamp`` is refused; *date* is that of the answer's ``Date``.

    A right local clock and an old answer look like a wrong clock, but for ``Date``.
    """
    text = (
        f"WeChat's time is {utc(timestamp)}, the local clock says {utc(local)}: "
        f"{apart(local, timestamp)} it{zone(local - timestamp)}, more than the "
        f"{CLOCK_WINDOW} s allowed; "
    )
    if date is None:
        return text + "set the clock by NTP, unless this is an old, replayed message"
    if within(date, local):
        return text + (
            f"Date, {utc(date)}, agrees with the local clock, so that the answer is "
            "old: replayed, or from a cache"
        )
    return text + f"Date is {utc(date)}: set the clock by NTP"
