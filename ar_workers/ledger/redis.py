"""The ledger in Redis: every method that writes is one Lua script, so that no crash can come between two writes."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import time
import zlib
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import FullJitterBackoff
from redis.retry import Retry

from ..domain.errors import LedgerFull, LedgerUnavailable
from ..domain.events import load_event
from ..domain.rows import Acceptance, Claim, Refusal, Row, ThreatRecord, TimelineEntry
from ..domain.scores import Queue, Ring
from ..domain.threats import Threat

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from ..domain.events import Event
    from ..domain.limits import Limits
    from ..domain.rows import Finding, NewRow

_log = logging.getLogger(__name__)
#: A ring is expected to arrive within this; only then does the sweep ring again.
GRACE = timedelta(seconds=5)
#: A write is begun only with so much left of the lease: its worker's heart beats, and it has not been asleep.
LEAST_REMAINING = timedelta(seconds=10)
MOST_PLANNING_ATTEMPTS = 20
#: Visits at once to one customer's EDR, for isolations and for everything else: no customer takes all workers.
MOST_VISITS = 16
#: With this share of its memory used, Redis takes no new events.
FULLEST = 0.85
#: Seconds for which a look at the memory holds.
_ROOM_LIVES = 0.5
#: Of a compacted threat so many of its last moves are kept.
_MOST_PACKED = 60
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

    def __init__(
        self,
        client: redis.Redis,
        *,
        grace: timedelta = GRACE,
        least_remaining: timedelta = LEAST_REMAINING,
        most_visits: int = MOST_VISITS,
        watches_memory: bool = True,
    ) -> None:
        self._redis: Any = client  # its types speak of bytes and text at once
        self._most_visits = most_visits
        self._room_seen = float("-inf") if watches_memory else float("inf")
        self._grace = _ms(grace)
        self._least_remaining = _ms(least_remaining)
        common = _source("00_common")
        self._scripts = {name: common + _source(name) for name in _SCRIPTS}
        self._shas = {name: hashlib.sha1(text.encode()).hexdigest() for name, text in self._scripts.items()}  # noqa: S324 - Redis names scripts so

    def accept(self, events: Sequence[Event], *, unrung: Container[str] = ()) -> list[Acceptance]:
        """One pipeline for all: a batch costs one round trip."""
        if not events:
            return []
        self._check_room()
        calls = [("accept", event.customer, _acceptance(event, 0 if event.customer in unrung else self._grace)) for event in events]
        with _unavailable_if_away():
            self._redis.sadd(_CUSTOMERS, *{event.customer for event in events})
            return [Acceptance(reply) for reply in self._run_all(calls)]

    def _check_room(self) -> None:
        """Refuse before Redis does: what is accepted must find room for its plan and its timeline, too."""
        if time.monotonic() - self._room_seen < _ROOM_LIVES:
            return
        with _unavailable_if_away():
            memory = self._redis.info("memory")
        most = int(memory["maxmemory"]) or int(memory.get("total_system_memory") or 0)
        if most and int(memory["used_memory"]) > FULLEST * most:
            raise LedgerFull(f"Redis is {memory['used_memory'] / most:.0%} full: nothing was accepted, try again later")
        self._room_seen = time.monotonic()

    def outstanding(self, customer: str) -> int:
        with _unavailable_if_away():
            return int(self._redis.zcard(f"{_prefix(customer)}due"))

    def events(self, refs: Sequence[str]) -> list[Event | None]:
        with _unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            for ref in refs:
                customer, _, event_id = ref.partition(":event/")
                pipe.hmget(f"{_prefix(customer)}event:{event_id}", ["state", "json"])
            found = pipe.execute()
        return [load_event(text) if state == "accepted" and text else None for state, text in found]

    def event_failed(self, ref: str, reason: str, after: timedelta) -> None:
        customer, _, event_id = ref.partition(":event/")
        self._run("event_failed", customer, event_id, reason, _ms(after), MOST_PLANNING_ATTEMPTS)

    def record(self, event: Event, rows: Sequence[NewRow], *, closes: str | None, is_rung: bool = True) -> list[Ring] | None:
        plan = {"rows": [_wish(row) for row in rows], "at": int(event.occurred_at.timestamp() * 1000)}
        if closes:
            plan["closes"] = closes
        is_new, *rings = self._run("record", event.customer, event.id, event.threat_id, json.dumps(plan), self._grace if is_rung else 0)
        return _rings(rings) if is_new == "yes" else None

    def claim(self, row_ids: Sequence[str], *, owner: str, lease: timedelta, most_isolations: int | None) -> list[Claim | Refusal]:
        most = -1 if most_isolations is None else most_isolations
        calls = [("claim", _customer(row_id), (row_id, owner, _ms(lease), most, self._most_visits)) for row_id in row_ids]
        with _unavailable_if_away():
            replies = self._run_all(calls)
        return [_claim(row_id, reply) for row_id, reply in zip(row_ids, replies, strict=True)]

    def begin(self, claim: Claim, *, most_isolations: int | None) -> Refusal | None:
        most = -1 if most_isolations is None else most_isolations
        answer = self._run("begin", claim.customer, claim.row_id, claim.fence, self._least_remaining, most)
        return None if answer == "go" else Refusal(reason=answer)

    def conclude(self, visits: Sequence[tuple[Claim, Finding]]) -> list[list[Ring] | None]:
        calls = [("conclude", claim.customer, _conclusion(claim, finding)) for claim, finding in visits]
        with _unavailable_if_away():
            replies = self._run_all(calls)
        return [None if reply == "stale" else _rings(reply) for reply in replies]

    def renew(self, claims: Sequence[Claim], lease: timedelta) -> None:
        with _unavailable_if_away():
            self._run_all([("renew", claim.customer, (claim.row_id, claim.fence, _ms(lease))) for claim in claims])

    def limit(self, customer: str, remote: str, limits: Limits) -> None:
        rates = ",".join(f"{rate.calls}:{_ms(rate.per)}" for rate in limits.rates)
        with _unavailable_if_away():
            self._redis.hset(f"{_prefix(customer)}remote:{remote}", "rates", rates)

    def spend(self, customer: str, remote: str, *, urgent: bool) -> timedelta | None:
        wait = int(self._run("spend", customer, remote, int(urgent)))
        return timedelta(milliseconds=wait) if wait else None

    def stay_away(self, customer: str, remote: str, wish: timedelta) -> None:
        self._run("stay_away", customer, remote, _ms(wish))

    def compact(self, before: datetime, limit: int) -> int:
        packed = 0
        for customer in self.customers():
            with _unavailable_if_away(), _spoiling_no_other(customer):
                settled = self._redis.zrange(
                    f"{_prefix(customer)}settled", "-inf", int(before.timestamp() * 1000), byscore=True, offset=0, num=limit - packed
                )
                packed += sum(self._compact(customer, threat_id) for threat_id in settled)
            if packed >= limit:
                break
        return packed

    def _compact(self, customer: str, threat_id: str) -> int:
        key = f"{_prefix(customer)}threat:{threat_id}"
        with _unavailable_if_away():
            timeline = self._redis.lrange(f"{key}:timeline", 0, -1)
        known = self.threat(customer, threat_id)
        document = {
            "rows": [row.model_dump(mode="json", exclude_defaults=True) for row in self.rows(customer, threat_id)],
            "timeline": [entry.model_dump(mode="json") for entry in known.timeline[-_MOST_PACKED:]] if known else [],
        }
        return int(self._run("compact", customer, threat_id, _packed(document), len(timeline)))

    def requeue(self, row_id: str, *, by: str, life: timedelta) -> Ring | Refusal:
        granted, *parts = self._run("requeue", _customer(row_id), row_id, by, _ms(life))
        return Refusal(reason=parts[0]) if granted == "no" else _rings(parts)[0]

    def unsettled(self, customer: str, threat_id: str) -> list[Ring]:
        return _rings(self._run("unsettled", customer, threat_id))

    def due(self, limit: int, again: timedelta) -> list[Ring]:
        """Asks only the customers that have something due: one pipelined look at the head of each due set.

        A customer whose keys somebody has spoiled is passed over, so that the others do not wait for it.
        """
        with _unavailable_if_away():
            names = self.customers()
            heads = self._redis.pipeline(transaction=False)
            for name in names:
                heads.zrange(f"{_prefix(name)}due", 0, 0, withscores=True)
            seconds, micros = self._redis.time()
            now = seconds * 1000 + micros // 1000
            first = _sound(names, heads.execute(raise_on_error=False))
            waiting = [name for name, head in first if head and head[0][1] <= now]
            share = max(1, limit // max(1, len(waiting)))
            replies = self._due(waiting, share, _ms(again)) if waiting else []
        return [ring for name, reply in _sound(waiting, replies) for ring in _rings(reply, name)]

    def _due(self, customers: Sequence[str], share: int, again: int) -> list[Any]:
        pipe = self._redis.pipeline(transaction=False)
        pipe.script_load(self._scripts["due"])
        for name in customers:
            pipe.evalsha(self._shas["due"], 1, f"{_prefix(name)}due", share, again)
        return list(pipe.execute(raise_on_error=False))[1:]

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
            return [_threat(customer, name, found, [], None) for name, found in zip(newest, pipe.execute(), strict=True)]

    def threat(self, customer: str, threat_id: str) -> ThreatRecord | None:
        key = f"{_prefix(customer)}threat:{threat_id}"
        with _unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            found, timeline, packed = pipe.hgetall(key).lrange(f"{key}:timeline", 0, -1).get(f"{key}:packed").execute()
        return _threat(customer, threat_id, found, timeline, packed) if found else None

    def rows(self, customer: str, threat_id: str) -> list[Row]:
        key = f"{_prefix(customer)}threat:{threat_id}"
        with _unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            names, packed = pipe.zrange(f"{key}:rows", 0, -1).get(f"{key}:packed").execute()
            for name in names:
                pipe.hgetall(f"{_prefix(customer)}row:{name}")
            live = {name: _row(customer, name, found) for name, found in zip(names, pipe.execute(), strict=True) if "kind" in found}
        old = {row["id"]: Row.model_validate(row) for row in _unpacked(packed)["rows"]} if packed else {}
        return [{**old, **live}[name] for name in names if name in live or name in old]

    def row(self, row_id: str) -> Row | None:
        customer = _customer(row_id)
        with _unavailable_if_away():
            found = self._redis.hgetall(f"{_prefix(customer)}row:{row_id}")
        if found and "kind" not in found:
            return next((row for row in self.rows(customer, found["threat"]) if row.id == row_id), None)
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


_SCRIPTS = (
    "accept",
    "event_failed",
    "record",
    "claim",
    "begin",
    "conclude",
    "requeue",
    "due",
    "unsettled",
    "renew",
    "resume",
    "spend",
    "stay_away",
    "compact",
)


def _source(name: str) -> str:
    return resources.files(__package__).joinpath("scripts", f"{name}.lua").read_text()


@contextmanager
def _unavailable_if_away() -> Iterator[None]:
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, redis.exceptions.ReadOnlyError, redis.exceptions.OutOfMemoryError) as error:
        message = f"the ledger cannot be reached or written: {type(error).__name__}"
        raise LedgerUnavailable(message) from None


@contextmanager
def _spoiling_no_other(customer: str) -> Iterator[None]:
    try:
        yield
    except redis.ResponseError as error:
        _log.error("%s: its keys are spoiled: %s", customer, error)  # noqa: TRY400 - the trace tells nothing more


def _sound(customers: Sequence[str], replies: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """The replies of a pipeline that are none of an error."""
    for customer, reply in zip(customers, replies, strict=True):
        if isinstance(reply, Exception):
            _log.error("%s: its keys are spoiled: %s", customer, reply)
        else:
            yield customer, reply


def _prefix(customer: str) -> str:
    return f"ar:{{{customer}}}:"


def _customer(row_id: str) -> str:
    return row_id.partition(":")[0]


def _ms(duration: timedelta) -> int:
    return int(duration / timedelta(milliseconds=1))


def _acceptance(event: Event, grace: int) -> tuple[str | int, ...]:
    threat = getattr(event, "threat", None)
    threat_json = threat.model_dump_json() if threat else ""
    return (event.id, event.digest, event.model_dump_json(), event.threat_id, threat_json, grace)


def _wish(row: NewRow) -> dict[str, Any]:
    wish = {name: value for name, value in row.__dict__.items() if value is not None}
    return {**wish, "life": _ms(row.life)}


def _claim(row_id: str, reply: Sequence[Any]) -> Claim | Refusal:
    granted, *parts = reply
    if granted == "no":
        return Refusal(reason=parts[0])
    threat, kind, order, was, fence, attempts, looks, crashes, generation, receipt, late, approved, cleared, unseen = parts
    return Claim.model_construct(
        row_id=row_id,
        customer=_customer(row_id),
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
        is_cleared=cleared == "1",
        unseen_for=timedelta(milliseconds=float(unseen)),
    )


def _conclusion(claim: Claim, finding: Finding) -> tuple[str | int, ...]:
    return (
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
        finding.health,
        _ms(finding.stay_away),
    )


def _packed(document: dict[str, Any]) -> str:
    """Text, because the client decodes what it reads."""
    return base64.b85encode(zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 9)).decode()


def _unpacked(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(zlib.decompress(base64.b85decode(text)))
    return found


def _rings(flat: Sequence[str], customer: str = "") -> list[Ring]:
    def named(ring_id: str) -> str:
        return f"{customer}:{ring_id}" if ring_id.startswith("event/") else ring_id

    parts = iter(flat)
    quads = zip(parts, parts, parts, parts, strict=True)
    return [Ring.model_construct(id=named(name), queue=Queue(queue), label=label, lane=lane) for name, queue, label, lane in quads]


def _at(ms: str | None) -> datetime | None:
    return datetime.fromtimestamp(int(ms) / 1000, UTC) if ms else None


def _threat(customer: str, threat_id: str, found: dict[str, str], timeline: list[str], packed: str | None) -> ThreatRecord:
    old = [TimelineEntry.model_validate(entry) for entry in _unpacked(packed)["timeline"]] if packed else []
    return ThreatRecord(
        customer=customer,
        id=threat_id,
        threat=Threat.model_validate_json(found["json"]) if "json" in found else None,
        accepted_at=datetime.fromtimestamp(int(found["accepted_at"]) / 1000, UTC),
        closed=found.get("closed", ""),
        timeline=(*old, *map(_entry, timeline)),
    )


def _entry(line: str) -> TimelineEntry:
    ms, row, text = line.split(" ", 2)
    return TimelineEntry(at=datetime.fromtimestamp(int(ms) / 1000, UTC), row=row, text=text)


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
