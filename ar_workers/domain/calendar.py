"""Business hours as the seed service counts them: 06:00-18:00 Mountain, Monday to Friday, but for US federal holidays."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MOUNTAIN = ZoneInfo("America/Denver")
OPENS, CLOSES = time(6), time(18)
_SATURDAY, _SUNDAY = 5, 6
_MONDAY, _THURSDAY = 0, 3


def is_business_hours(at: datetime) -> bool:
    """Whether `at` (aware) falls into Red Canary's business hours (docs.redcanary.com/docs/ar-faq)."""
    local = at.astimezone(MOUNTAIN)
    working_day = local.weekday() < _SATURDAY and local.date() not in federal_holidays(local.year)
    return working_day and OPENS <= local.time() < CLOSES


def federal_holidays(year: int) -> frozenset[date]:
    """The days on which US federal offices are closed in `year` (5 U.S.C. 6103), as observed.

    A holiday on Saturday is observed on Friday, on Sunday on Monday; so New Year's Day may be observed in the
    December before, which belongs to that year.
    """
    fixed = [date(each, month, day) for each in (year, year + 1) for month, day in _FIXED]
    days = [_observed(day) for day in fixed] + _floating(year)
    return frozenset(day for day in days if day.year == year)


_FIXED = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))


def _floating(year: int) -> list[date]:
    return [
        _nth(year, 1, _MONDAY, 3),  # Martin Luther King, Jr.
        _nth(year, 2, _MONDAY, 3),  # Washington's Birthday
        _nth(year, 6, _MONDAY, 1) - timedelta(weeks=1),  # Memorial Day: the last Monday of May
        _nth(year, 9, _MONDAY, 1),  # Labor Day
        _nth(year, 10, _MONDAY, 2),  # Columbus Day
        _nth(year, 11, _THURSDAY, 4),  # Thanksgiving
    ]


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7, weeks=number - 1)


def _observed(day: date) -> date:
    shift = {_SATURDAY: -1, _SUNDAY: 1}.get(day.weekday(), 0)
    return day + timedelta(days=shift)
