"""The ledger's own scripts, on a clock that a test moves by hand: hours and days in no time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import fakeredis
import redis

from ar_workers.ledger.redis import RedisLedger
from ar_workers.ledger.scripting import source
from tests.keys import SEALS

_KEY = "test:clock"
_CLOCK = f"local now = tonumber(redis.call('GET', '{_KEY}'))\n"


@dataclass
class ManualClock:
    """A clock that moves when it is told to, and takes the ledgers that go by it along."""

    at: datetime = datetime(2026, 11, 24, 12, tzinfo=UTC)
    _servers: list[redis.Redis] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by
        for server in self._servers:
            self._show(server)

    def shown_to(self, server: redis.Redis) -> None:
        """From now on the scripts in this server go by it."""
        self._servers.append(server)
        self._show(server)

    def _show(self, server: redis.Redis) -> None:
        server.set(_KEY, round(self.at.timestamp() * 1000))


def by_hand(name: str) -> str:
    """The ledger's scripts, whose clock is moved by hand."""
    return _CLOCK if name == "clock" else source(name)


def a_ledger(clock: ManualClock | None = None, *, kind: type[RedisLedger] = RedisLedger, **more: object) -> RedisLedger:
    """A new ledger in memory, without a grace for rings; by this clock, or by the machine's."""
    server = fakeredis.FakeRedis(decode_responses=True)
    if clock:
        clock.shown_to(server)
        more["read_script"] = by_hand
    defaults = {
        "grace": timedelta(0),
        "least_remaining": timedelta(seconds=1),
        "switch_lives": timedelta(0),
        "watches_memory": False,
        "seals": SEALS,
    }
    return kind(server, **(defaults | more))
