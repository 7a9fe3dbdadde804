"""Instants as others write them: a text with its offset, or a number whose size tells what it counts, and from when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator

#: What is before or after is no instant of an event, whatever it is: zeros and "not set" are written as 1970, 1601 or the year 1.
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
#: What a number may count: (from when on, how many of it are a second). Between EARLIEST and LATEST no two of them meet.
_COUNTS = (
    (_UNIX, 1),
    (_UNIX, 10**3),
    (_UNIX, 10**6),
    (_UNIX, 10**9),
    # Windows' FILETIME, and .NET's ticks.
    (datetime(1601, 1, 1, tzinfo=UTC), 10**7),
    (datetime(1, 1, 1, tzinfo=UTC), 10**7),
)
_SECOND = timedelta(seconds=1)
_SPANS = tuple((start, per, (EARLIEST - start) // _SECOND * per, (LATEST - start) // _SECOND * per) for start, per in _COUNTS)
#: No number of them has more digits.
_MOST_DIGITS = 20


def instant_of(value: object) -> datetime | None:
    """The instant, in UTC; None for what is none, has no offset, or lies outside of EARLIEST to LATEST."""
    number = _number(value)
    if number is not None:
        return _counted(number)
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
        return found.astimezone(UTC) if isinstance(found, datetime) and found.tzinfo and EARLIEST <= found < LATEST else None
    except (ValueError, OverflowError):
        return None


def _number(value: object) -> float | None:
    if isinstance(value, str):
        text = value.strip()
        whole, _, part = text.partition(".")
        is_number = text.isascii() and whole.isdigit() and (part.isdigit() or whole == text) and len(text) <= _MOST_DIGITS
        return (float(text) if part else int(text)) if is_number else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _counted(number: float) -> datetime | None:
    found = next(((start, per) for start, per, least, end in _SPANS if least <= number < end), None)
    if found is None:
        return None
    start, per = found
    # A date has microseconds, and a float of today's nanoseconds is no longer exact to them.
    return start + (timedelta(microseconds=number * 10**6 // per) if isinstance(number, int) else timedelta(seconds=number / per))


def _read(value: object) -> object:
    found = instant_of(value)
    if found is None:
        raise ValueError("is not an instant with its offset from UTC, nor a number that counts from 1970")
    return value if isinstance(value, str | datetime) and _number(value) is None else found


#: A field for one, in any of these ways. What was written with an offset keeps it.
Instant = Annotated[AwareDatetime, BeforeValidator(_read)]
