"""When a PayScore service may begin and end: payscore section 3.2, all in Beijing time.

A time is a day (``yyyyMMdd``) or a second of it (``yyyyMMddHHmmss``). Days are compared
as days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from ..refusals import Problem
from ..world import BEIJING, compact, told_time

#: Seconds that a caller's clock may be off (payscore section 3.2). It counts where a
#: time of the caller's meets one of ours, and not between two of the caller's.
TOLERANCE = 60
#: Seconds that a service must last beyond the create call (payscore section 3.2). Being
#: a margin itself, it has no tolerance: that would be all of it.
SHORTEST = 60

#: Characters of a time that is a day.
_DAY = 8

_START, _END = "/time_range/start_time", "/time_range/end_time"
_NO_TIME = "no such day or time"
_NO_END = "创建订单未填写服务结束时间,则结束时间必填"
_END_BEFORE_START = "真实结束时间小于预计开始时间"
_END_AHEAD = "实际结束时间不能晚于使用完结接口的时间"


def creation_problems(span: Mapping[str, str], now: float) -> Iterator[Problem]:
    """What is wrong with the times of a create call."""
    problems = list(_calendar_problems(span))
    yield from problems
    if problems:
        return
    start, end = _told(span, "start_time"), _told(span, "end_time")
    if start is not None and _before(start, now - TOLERANCE):
        yield _early_or_late(_START, "in the past already", start, now)
    if end is None:
        return
    if len(end) == _DAY and _before(end, now):
        yield _early_or_late(_END, "in the past already", end, now)
    elif len(end) > _DAY and _before(end, now + SHORTEST):
        yield _early_or_late(_END, "must be more than a minute ahead", end, now)
    if start is not None and _reversed(start, end):
        yield Problem(_END, "must be after start_time", end)


def completion_problems(
    planned: Mapping[str, str],
    given: Mapping[str, str],
    created: float,
    now: float,
    *,
    accepted: bool = False,
) -> Iterator[Problem]:
    """What is wrong with the times *given* to complete what was *planned* so.

    *accepted*: the planned start is when the user confirmed, by our clock.
    """
    problems = list(_calendar_problems(given))
    problems += _form_problems(planned, given)
    if "end_time" not in given and "end_time" not in planned:
        problems.append(Problem(_END, _NO_END))
    yield from problems
    if problems:
        return
    start = given.get("start_time")
    if start is not None and _before(start, created - TOLERANCE):
        yield Problem(_START, "before the order was created", start)
    slack = TOLERANCE if accepted and start is None else 0
    yield from service_problems({**planned, **given}, given, now, slack=slack)


def service_problems(
    span: Mapping[str, str], given: Mapping[str, str], now: float, *, slack: int = 0
) -> Iterator[Problem]:
    """What is wrong with the times of a service that has been; *given* are new.

    *slack*: seconds that it may seem to end before it began.
    """
    problems = list(_calendar_problems(given))
    yield from problems
    if problems:
        return
    start, end = _told(given, "start_time"), given.get("end_time")
    if start is not None and _after(start, now + TOLERANCE):
        yield _early_or_late(_START, "has not come yet", start, now)
    if end is not None and _after(end, now + TOLERANCE):
        yield _early_or_late(_END, _END_AHEAD, end, now)
    begun, ended = _told(span, "start_time"), span.get("end_time")
    if begun is not None and ended is not None and _reversed(begun, ended, slack):
        yield Problem(_END, _END_BEFORE_START, ended)


def payment_problems(paid_time: str, completed: float, now: float) -> Iterator[Problem]:
    """What is wrong with when the merchant was paid in another way."""
    place = "/detail/paid_time"
    if _moment(paid_time) is None:
        yield Problem(place, _NO_TIME, paid_time)
    elif _before(paid_time, completed - TOLERANCE):
        yield Problem(place, "before the order was completed", paid_time)
    elif _after(paid_time, now + TOLERANCE):
        yield _early_or_late(place, "has not come yet", paid_time, now)


def _early_or_late(place: str, issue: str, value: str, now: float) -> Problem:
    """A time that does not go with the present, which in a sandbox may be any."""
    return Problem(place, issue, value, note=told_time(now))


def _calendar_problems(span: Mapping[str, str]) -> Iterator[Problem]:
    for name in ("start_time", "end_time"):
        value = _told(span, name)
        if value is not None and _moment(value) is None:
            yield Problem(f"/time_range/{name}", _NO_TIME, value)


def _form_problems(
    planned: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[Problem]:
    """A day stays a day, a second a second; after ``OnAccept`` it is seconds."""
    for name in ("start_time", "end_time"):
        value = given.get(name)
        like = planned.get(name, planned["start_time"])
        if value is not None and len(value) != len(like):
            form = "yyyyMMdd" if len(like) == _DAY else "yyyyMMddHHmmss"
            yield Problem(
                f"/time_range/{name}", f"{form} expected, as at create", value
            )


def _told(span: Mapping[str, str], name: str) -> str | None:
    value = span.get(name)
    return None if value == "OnAccept" else value


def _moment(value: str) -> datetime | None:
    try:
        # A day without a time stands for its first second.
        form = "%Y%m%d" if len(value) == _DAY else "%Y%m%d%H%M%S"
        return datetime.strptime(value, form).replace(tzinfo=BEIJING)
    except ValueError:
        return None


def _before(value: str, seconds: float) -> bool:
    """Whether *value* is not after that moment, or a day before its day.

    Written so, times of one form compare as texts.
    """
    other = compact(seconds)
    return value < other[:_DAY] if len(value) == _DAY else value <= other


def _after(value: str, seconds: float) -> bool:
    return value > compact(seconds)[: len(value)]


def _reversed(start: str, end: str, slack: int = 0) -> bool:
    """Whether *end* is not after *start* less *slack* seconds.

    A day may end on the day it begins.
    """
    begun, ended = _moment(start), _moment(end)
    if _DAY in (len(start), len(end)) or begun is None or ended is None:
        return end[:_DAY] < start[:_DAY]
    # Not as a moment before begun: there is none before the year 1.
    return begun - ended >= timedelta(seconds=slack)
