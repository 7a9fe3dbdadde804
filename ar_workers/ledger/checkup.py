"""Whether this Redis is new enough, may be worked with, has room for more, and is swept."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import redis

from ..domain.checkups import Check, ok, red, warn
from ..domain.errors import LedgerUnavailable
from ..domain.text import shortened
from .clients import connect, infos
from .posture import posture
from .redis import FULLEST
from .servers import OLDEST, by_info, origin

if TYPE_CHECKING:
    from collections.abc import Iterator

_WAIT = 3.0
#: Seconds for which a refusal is told, and letters of all of them together.
_LATELY, _LONGEST = 3600.0, 400
_SWEEP = "ar:tick:sweep"


def checkup(redis_url: str) -> Iterator[Check]:
    """By INFO alone, which a managed Redis allows as well. A cluster is looked at server by server."""
    try:
        with _client(redis_url) as client:
            servers, refused = infos(client), _refused(client)
    except (redis.RedisError, LedgerUnavailable, OSError, ValueError) as error:
        yield red("redis", f"does not answer ({type(error).__name__})", "start one with `arctl up`, or check AR_REDIS_URL")
        return
    for info in servers:
        yield from (_version(info), _memory(info))
    yield from refused
    with suppress(LedgerUnavailable):
        yield from posture(redis_url, "AR_REDIS_URL", is_ledger=True)


def is_swept(redis_url: str) -> Check:
    """By the trace that each sweep leaves for most of a second: beat has rung, and a worker has answered."""
    try:
        with _client(redis_url) as client:
            until = time.monotonic() + _WAIT
            while time.monotonic() < until:
                if client.exists(_SWEEP):
                    return ok("beat", "the sweep runs")
                time.sleep(0.1)
    except (redis.RedisError, LedgerUnavailable, OSError, ValueError) as error:
        return red("beat", f"cannot be told: Redis does not answer ({type(error).__name__})")
    return red("beat", f"no sweep within {_WAIT:.0f} s: retries and lost rings wait", "start beat, and a worker for `housekeeping`")


@contextmanager
def _client(redis_url: str) -> Iterator[Any]:
    client = connect(redis_url, patience=1)
    try:
        yield client
    finally:
        client.close()


def _version(info: dict[str, Any]) -> Check:
    """Never red for a hole that the number tells of: distributions mend theirs under the old one."""
    server = by_info(info)
    words = f"{server} ({origin(info)})"
    if server.speaks < OLDEST:
        return red("redis", f"{words} is too old", "use 6.2 or newer")
    wanted = server.newer_wanted()
    if wanted:
        return warn("redis", f"{words} has known holes, unless its distributor mended them", f"use {wanted} or a newer line")
    return ok("redis", words)


def _refused(client: Any) -> list[Check]:
    """What somebody tried to do within the last hour who may not. Nothing where we may not ask."""
    try:
        found = [each for each in client.acl_log() if float(each["age-seconds"]) < _LATELY]
    except (redis.ResponseError, redis.exceptions.RedisClusterException, AttributeError, KeyError):
        return []
    if not found:
        return [ok("redis refusals", "none within the last hour")]
    said = ", ".join(dict.fromkeys(f"{each['username']}: {each['reason']} {each['object']}" for each in found))
    fix = "after an update load what `arctl redis-acl` prints anew; otherwise find out who it was"
    return [warn("redis refusals", shortened(said, _LONGEST), fix)]


def _memory(info: dict[str, Any]) -> Check:
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0)) or int(info.get("total_system_memory", 0))
    if not most:
        return warn("redis memory", "no limit is known", "set `maxmemory`")
    words = f"{used / most:.0%} of {most / 2**20:.0f} MB in use"
    return red("redis memory", words, "give it more memory") if used > FULLEST * most else ok("redis memory", words)
