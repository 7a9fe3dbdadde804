"""The ledger in Redis: every method that writes is one Lua script, so that no crash can come between two writes."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import FullJitterBackoff
from redis.retry import Retry

from ..domain.errors import LedgerUnavailable, StaleClaim
from ..domain.events import load_event
from ..domain.rows import Acceptance, Claim, Queue, Refusal, Ring, Row, ThreatRecord, TimelineEntry
from ..domain.threats import Threat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..domain.events import Event
    from ..domain.rows import Finding, NewRow

#: A ring is expected to arrive within this; only then does the sweep ring again.
GRACE = timedelta(seconds=5)
#: A write is begun only if the lease still covers its longest duration.
LEAST_REMAINING = timedelta(seconds=20)
MOST_PLANNING_ATTEMPTS = 20
_CUSTOMERS = "ar:customers"


def connect(url: str) -> redis.Redis:
    """A client whose every wait has a deadline, and which outlasts a restart of the server of about four seconds.

    Repeating a script after a lost reply is safe: accept and record know the event, a claim knows its owner,
    and every other move is refused to a fence that has been used up.
    """
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=5,
        socket_connect_timeout=2,
        socket_keepalive=True,
        health_check_interval=15,
        retry=Retry(FullJitterBackoff(cap=1, base=0.05), 8),
        retry_on_error=[redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError],
    )


class RedisLedger:
    """The ledger of `ports.Ledger`. Threads may share one."""

    def __init__(self, client: redis.Redis, *, grace: timedelta = GRACE, least_remaining: timedelta = LEAST_REMAINING) -> None:
        self._redis: Any = client  # its types speak of bytes and text at once
        self._grace = _ms(grace)
        self._least_remaining = _ms(least_remaining)
        common = _source("00_common")
        self._scripts = {name: common + _source(name) for name in _SCRIPTS}
        self._shas = {name: hashlib.sha1(text.encode()).hexdigest() for name, text in self._scripts.items()}  # noqa: S324 - Redis names scripts so

    def accept(self, events: Sequence[Event]) -> list[Acceptance]:
        """One pipeline for all: a batch costs one round trip."""
        if not events:
            return []
        calls = [("accept", event.customer, self._acceptance(event)) for event in events]
        with _unavailable_if_away():
            self._redis.sadd(_CUSTOMERS, *{event.customer for event in events})
            return [Acceptance(reply) for reply in self._run_all(calls)]

    def _acceptance(self, event: Event) -> tuple[str | int, ...]:
        threat = getattr(event, "threat", None)
        threat_json = threat.model_dump_json() if threat else ""
        return (event.id, event.digest, event.model_dump_json(), event.threat_id, threat_json, self._grace)

    def event(self, ref: str) -> Event | None:
        customer, _, event_id = ref.partition(":event/")
        with _unavailable_if_away():
            state, text = self._redis.hmget(f"{_prefix(customer)}event:{event_id}", ["state", "json"])
        return load_event(text) if state == "accepted" and text else None

    def event_failed(self, ref: str, reason: str, after: timedelta) -> None:
        customer, _, event_id = ref.partition(":event/")
        self._run("event_failed", customer, event_id, reason, _ms(after), MOST_PLANNING_ATTEMPTS)

    def record(self, event: Event, rows: Sequence[NewRow], *, closes: str | None) -> bool:
        plan = {
            "rows": [row.model_dump(mode="json", exclude={"life"}, exclude_none=True) | {"life": _ms(row.life)} for row in rows],
            "at": int(event.occurred_at.timestamp() * 1000),
        } | ({"closes": closes} if closes else {})
        return bool(self._run("record", event.customer, event.id, event.threat_id, json.dumps(plan), self._grace))

    def claim(self, row_id: str, *, owner: str, lease: timedelta) -> Claim | Refusal:
        customer = _customer(row_id)
        granted, *parts = self._run("claim", customer, row_id, owner, _ms(lease))
        if granted == "no":
            return Refusal(reason=parts[0])
        threat, kind, order, was, fence, attempts, looks, crashes, generation, receipt, late, approved = parts
        return Claim.model_construct(
            row_id=row_id,
            customer=customer,
            threat_id=threat,
            kind=kind,
            order=order,
            was=was,
            fence=int(fence),
            attempts=int(attempts),
            looks=int(looks),
            crashes=int(crashes),
            generation=int(generation),
            receipt=receipt,
            is_late=late == "1",
            is_approved=approved == "1",
        )

    def begin(self, claim: Claim, *, most_isolations: int | None) -> Refusal | None:
        most = -1 if most_isolations is None else most_isolations
        answer = self._run("begin", claim.customer, claim.row_id, claim.fence, self._least_remaining, most)
        return None if answer == "go" else Refusal(reason=answer)

    def conclude(self, claim: Claim, finding: Finding) -> list[Ring]:
        answer = self._run(
            "conclude",
            claim.customer,
            claim.row_id,
            claim.fence,
            finding.state,
            finding.reason,
            _ms(finding.after),
            int(finding.counts),
            int(finding.receipt is not None),
            finding.receipt or "",
            finding.reference,
            finding.evidence,
        )
        if answer == "stale":
            raise StaleClaim(claim.row_id)
        return _rings(answer)

    def requeue(self, row_id: str, *, by: str, life: timedelta) -> Ring | Refusal:
        granted, *parts = self._run("requeue", _customer(row_id), row_id, by, _ms(life))
        return Refusal(reason=parts[0]) if granted == "no" else _rings(parts)[0]

    def unsettled(self, customer: str, threat_id: str) -> list[Ring]:
        return _rings(self._run("unsettled", customer, threat_id))

    def due(self, limit: int, again: timedelta) -> list[Ring]:
        """Asks only the customers that have something due: one pipelined look at the head of each due set."""
        with _unavailable_if_away():
            names = self.customers()
            heads = self._redis.pipeline(transaction=False)
            for name in names:
                heads.zrange(f"{_prefix(name)}due", 0, 0, withscores=True)
            seconds, micros = self._redis.time()
            now = seconds * 1000 + micros // 1000
            waiting = [name for name, head in zip(names, heads.execute(), strict=True) if head and head[0][1] <= now]
            replies = self._run_all([("due", name, (limit, _ms(again))) for name in waiting])
        return [ring for name, reply in zip(waiting, replies, strict=True) for ring in _rings(reply, name)][:limit]

    def tick(self, name: str, window: timedelta) -> bool:
        with _unavailable_if_away():
            return bool(self._redis.set(f"ar:tick:{name}", "1", nx=True, px=_ms(window)))

    def pause(self, customer: str, scope: str, reason: str) -> None:
        with _unavailable_if_away():
            self._redis.sadd(_CUSTOMERS, customer)
            self._redis.hset(f"{_prefix(customer)}paused", scope, reason)

    def resume(self, customer: str, scope: str) -> list[Ring]:
        return _rings(self._run("resume", customer, scope))

    def pauses(self, customer: str) -> dict[str, str]:
        with _unavailable_if_away():
            return dict(self._redis.hgetall(f"{_prefix(customer)}paused"))

    def knows(self, customer: str, once_prefix: str) -> set[str]:
        with _unavailable_if_away():
            return {key for key in self._redis.smembers(f"{_prefix(customer)}once") if key.startswith(once_prefix)}

    def forget(self, customer: str, once_keys: Iterable[str]) -> None:
        keys = list(once_keys)
        if keys:
            with _unavailable_if_away():
                self._redis.srem(f"{_prefix(customer)}once", *keys)

    def customers(self) -> list[str]:
        with _unavailable_if_away():
            return sorted(self._redis.smembers(_CUSTOMERS))

    def threats(self, customer: str, *, since: datetime, limit: int) -> list[ThreatRecord]:
        with _unavailable_if_away():
            newest = self._redis.zrange(
                f"{_prefix(customer)}threats", "+inf", int(since.timestamp() * 1000), desc=True, byscore=True, offset=0, num=limit
            )
            pipe = self._redis.pipeline(transaction=False)
            for threat_id in newest:
                pipe.hgetall(f"{_prefix(customer)}threat:{threat_id}")
            return [_threat(customer, name, found, []) for name, found in zip(newest, pipe.execute(), strict=True)]

    def threat(self, customer: str, threat_id: str) -> ThreatRecord | None:
        key = f"{_prefix(customer)}threat:{threat_id}"
        with _unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            found, timeline = pipe.hgetall(key).lrange(f"{key}:timeline", 0, -1).execute()
        return _threat(customer, threat_id, found, timeline) if found else None

    def rows(self, customer: str, threat_id: str) -> list[Row]:
        with _unavailable_if_away():
            names = self._redis.zrange(f"{_prefix(customer)}threat:{threat_id}:rows", 0, -1)
            pipe = self._redis.pipeline(transaction=False)
            for name in names:
                pipe.hgetall(f"{_prefix(customer)}row:{name}")
            return [_row(customer, name, found) for name, found in zip(names, pipe.execute(), strict=True) if found]

    def row(self, row_id: str) -> Row | None:
        customer = _customer(row_id)
        with _unavailable_if_away():
            found = self._redis.hgetall(f"{_prefix(customer)}row:{row_id}")
        return _row(customer, row_id, found) if found else None

    def _run(self, name: str, customer: str, *arguments: str | int) -> Any:
        with _unavailable_if_away():
            return self._run_all([(name, customer, arguments)])[0]

    def _run_all(self, calls: Sequence[tuple[str, str, tuple[str | int, ...]]]) -> list[Any]:
        try:
            return self._evaluate(calls)
        except redis.exceptions.NoScriptError:  # a new or restarted server: its script cache is empty
            for name in {name for name, _, _ in calls}:
                self._redis.script_load(self._scripts[name])
            return self._evaluate(calls)

    def _evaluate(self, calls: Sequence[tuple[str, str, tuple[str | int, ...]]]) -> list[Any]:
        if len(calls) == 1:
            name, customer, arguments = calls[0]
            return [self._redis.evalsha(self._shas[name], 1, f"{_prefix(customer)}due", *arguments)]
        pipe = self._redis.pipeline(transaction=False)
        for name, customer, arguments in calls:
            pipe.evalsha(self._shas[name], 1, f"{_prefix(customer)}due", *arguments)
        return list(pipe.execute())


_SCRIPTS = ("accept", "event_failed", "record", "claim", "begin", "conclude", "requeue", "due", "unsettled", "resume")


def _source(name: str) -> str:
    return resources.files(__package__).joinpath("scripts", f"{name}.lua").read_text()


@contextmanager
def _unavailable_if_away() -> Iterator[None]:
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, redis.exceptions.ReadOnlyError, redis.exceptions.OutOfMemoryError) as error:
        message = f"the ledger cannot be reached or written: {type(error).__name__}"
        raise LedgerUnavailable(message) from None


def _prefix(customer: str) -> str:
    return f"ar:{{{customer}}}:"


def _customer(row_id: str) -> str:
    return row_id.partition(":")[0]


def _ms(duration: timedelta) -> int:
    return int(duration / timedelta(milliseconds=1))


def _rings(flat: Sequence[str], customer: str = "") -> list[Ring]:
    def named(ring_id: str) -> str:
        return f"{customer}:{ring_id}" if ring_id.startswith("event/") else ring_id

    parts = iter(flat)
    quads = zip(parts, parts, parts, parts, strict=True)
    return [Ring.model_construct(id=named(name), queue=Queue(queue), label=label, lane=lane) for name, queue, label, lane in quads]


def _at(ms: str | None) -> datetime | None:
    return datetime.fromtimestamp(int(ms) / 1000, UTC) if ms else None


def _threat(customer: str, threat_id: str, found: dict[str, str], timeline: list[str]) -> ThreatRecord:
    entries = (json.loads(line) for line in timeline)
    return ThreatRecord(
        customer=customer,
        id=threat_id,
        threat=Threat.model_validate_json(found["json"]) if "json" in found else None,
        accepted_at=datetime.fromtimestamp(int(found["accepted_at"]) / 1000, UTC),
        closed=found.get("closed", ""),
        timeline=tuple(TimelineEntry(at=datetime.fromtimestamp(ms / 1000, UTC), row=row, text=text) for ms, row, text in entries),
    )


_INSTANTS = {
    "created_at": "created_at",
    "begun_at": "begun_at",
    "performed_at": "performed_at",
    "settled_at": "settled_at",
    "next_attempt_at": "next_at",
    "deadline": "deadline",
}


def _row(customer: str, row_id: str, found: dict[str, str]) -> Row:
    plain = ("kind", "verb", "edr", "subject", "label", "queue", "state", "reason", "evidence", "reference")
    known = {name: found[name] for name in plain if name in found}
    instants = {ours: _at(found.get(theirs)) for ours, theirs in _INSTANTS.items()}
    return Row.model_validate(
        {
            "id": row_id,
            "customer": customer,
            "threat_id": found["threat"],
            "lane": found.get("lane") or None,
            "attempts": int(found.get("attempts") or 0),
            "generation": int(found.get("generation") or 1),
            **known,
            **instants,
        }
    )
