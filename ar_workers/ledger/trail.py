"""What housekeeping takes out of Redis to chain it, and how it looks whether what is there follows from the chain."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..domain.audit import EVERYONE, Moves, TimelineSeen, move_of
from ..domain.standing import EventSeen, RemoteSeen, RowSeen, is_urgent
from .clients import unavailable_if_away
from .packing import unpacked
from .scripting import prefix
from .shapes import in_ms
from .switches import key_of, standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .redis import RedisLedger

#: Another folder's chain is gone on with only when nobody has written to it for so long.
KEEPS = timedelta(minutes=10)
#: As `MOST_MOVES` and `LONGEST_TIMELINE` of `scripts/parts/finish.lua`.
MOST_WAITING, LONGEST_TIMELINE = 200_000, 2000
#: Rows and events that are looked at in one round trip.
_TOGETHER = 1000


class RedisTrail:
    """`ports.Trail`, in the Redis of a ledger."""

    def __init__(self, ledger: RedisLedger) -> None:
        self._redis, self._scripts = ledger.trail_parts()

    def with_moves(self) -> list[str]:
        with unavailable_if_away():
            names = [EVERYONE, *sorted(self._redis.smembers("ar:customers"))]
            pipe = self._redis.pipeline(transaction=False)
            for name in names:
                pipe.llen(f"{prefix(name)}moves")
            found = zip(names, pipe.execute(raise_on_error=False), strict=True)
        return [name for name, length in found if isinstance(length, int) and length]

    def unchained(self, customer: str, most: int, keeper: str) -> Moves | None:
        with unavailable_if_away():
            found = self._scripts.run("unchained", customer, most, keeper, in_ms(KEEPS))
        if not found:
            return None
        first, now, *texts = found
        return Moves(int(first), int(now), [move_of(number, text) for number, text in enumerate(texts, int(first))])

    def waiting(self, customer: str) -> Moves:
        return self.unchained(customer, MOST_WAITING, "") or Moves(0, 0, [])

    def timelines(self, customer: str) -> Iterator[TimelineSeen]:
        with unavailable_if_away():
            names = self._redis.zrange(f"{prefix(customer)}threats", 0, -1)
            for first in range(0, len(names), _TOGETHER):
                yield from self.timelines_of(customer, names[first : first + _TOGETHER])

    def timelines_of(self, customer: str, threat_ids: Sequence[str]) -> list[TimelineSeen]:
        with unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            for key in (f"{prefix(customer)}threat:{name}" for name in threat_ids):
                pipe.lrange(f"{key}:timeline", 0, -1).get(f"{key}:packed")
            answers = iter(pipe.execute())
        found = zip(threat_ids, answers, answers, strict=True)
        return [TimelineSeen(name, _moves(lines, text), bool(text) or len(lines) >= LONGEST_TIMELINE) for name, lines, text in found]

    def chained(self, customer: str, first: int, count: int) -> bool:
        with unavailable_if_away():
            return bool(self._scripts.run("chained", customer, first, count))

    def now(self) -> int:
        with unavailable_if_away():
            return int(self._scripts.run("now", EVERYONE))

    def switches(self, customer: str) -> list[str]:
        with unavailable_if_away():
            return list(standing(self._redis.hgetall(key_of(None if customer == EVERYONE else customer))))

    def rows(self, customer: str, row_ids: Sequence[str]) -> list[RowSeen]:
        seen: list[RowSeen] = []
        for first in range(0, len(row_ids), _TOGETHER):
            seen += self._rows(customer, row_ids[first : first + _TOGETHER])
        return seen

    def _rows(self, customer: str, row_ids: Sequence[str]) -> list[RowSeen]:
        with unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            for row_id in row_ids:
                pipe.hmget(f"{prefix(customer)}row:{row_id}", "state", "was", "lane", "remote")
                pipe.zscore(f"{prefix(customer)}{'due:first' if is_urgent(row_id) else 'due'}", row_id)
            answers = iter(pipe.execute())
        found = zip(row_ids, answers, answers, strict=True)
        return [RowSeen(row_id, state or "", was or "", lane or "", remote or "", due) for row_id, (state, was, lane, remote), due in found]

    def lanes(self, customer: str, lanes: Sequence[str]) -> dict[str, float]:
        with unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            for lane in lanes:
                pipe.hget(f"{prefix(customer)}lane:{lane}", "until")
            return {lane: _number(until) for lane, until in zip(lanes, pipe.execute(), strict=True) if until}

    def remotes(self, customer: str, remotes: Sequence[str]) -> list[RemoteSeen]:
        with unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            for name in remotes:
                key = f"{prefix(customer)}remote:{name}"
                pipe.hmget(key, "blocked_until", "open_until")
                for busy in (f"{key}:busy", f"{key}:busy:urgent"):
                    pipe.zrange(busy, -1, -1, withscores=True)
            answers = iter(pipe.execute())
        found = zip(remotes, answers, answers, answers, strict=True)
        return [
            RemoteSeen(name, _number(blocked), _number(is_open), max((score for each in busy for _, score in each), default=0.0))
            for name, (blocked, is_open), *busy in found
        ]

    def events(self, customer: str, event_ids: Sequence[str]) -> list[EventSeen]:
        seen: list[EventSeen] = []
        for first in range(0, len(event_ids), _TOGETHER):
            seen += self._events(customer, event_ids[first : first + _TOGETHER])
        return seen

    def _events(self, customer: str, event_ids: Sequence[str]) -> list[EventSeen]:
        with unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            for event_id in event_ids:
                pipe.hmget(f"{prefix(customer)}event:{event_id}", "state", "digest", "threat")
                pipe.zscore(f"{prefix(customer)}due:first", f"event/{event_id}")
            answers = list(pipe.execute())
            for _, _, threat in answers[::2]:
                pipe.zcard(f"{prefix(customer)}threat:{threat or ''}:rows")
            rows = pipe.execute()
        found = zip(event_ids, answers[::2], answers[1::2], rows, strict=True)
        return [EventSeen(name, state or "", checksum or "", due, bool(count)) for name, (state, checksum, _), due, count in found]


def _moves(lines: Sequence[str], text: str | None) -> list[tuple[int, str, str]]:
    """The packed ones first, as they are shown."""
    old = [(round(datetime.fromisoformat(each["at"]).timestamp() * 1000), each["row"], each["text"]) for each in _packed(text)]
    return old + [_line(line) for line in lines]


def _line(line: str) -> tuple[int, str, str]:
    ms, row, text = (*line.split(" ", 2), "", "")[:3]
    return int(ms) if ms.isdecimal() else 0, row, text


def _packed(text: str | None) -> list[dict[str, str]]:
    try:
        found: list[dict[str, str]] = unpacked(text)["timeline"] if text else []
    except (ValueError, LookupError, zlib.error):
        return [{"at": "1970-01-01T00:00:00+00:00", "row": "", "text": "what it was packed into cannot be read"}]
    return found


def _number(value: Any) -> float:
    try:
        return float(value or 0)
    except ValueError:
        return float("inf")
