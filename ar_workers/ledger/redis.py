"""The ledger in Redis: every method that writes is one Lua script, so that no crash can come between two writes."""

from __future__ import annotations

import json
import logging
import random
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import redis
from pydantic import ValidationError

from ..domain.backpressure import MOST_VISITS, share
from ..domain.canvas import Ring
from ..domain.claims import Claim, Refusal
from ..domain.errors import ARError, IncompatibleLedger, LedgerFull, Unbelievable
from ..domain.events import Own, load_event
from ..domain.guards import Guard
from ..domain.notifications import load_delivery
from ..domain.pauses import Ended, Pause
from ..domain.people import Decision
from ..domain.refusals import Fate
from ..domain.rows import Acceptance, Row, Seat, ThreatRecord
from ..domain.seals import Flaw, Sealed, about_row, base_name
from ..domain.states import State
from ..domain.undo import Made
from .at_door import at_the_door
from .clients import infos, unavailable_if_away
from .noted import Noted
from .packing import packed, unpacked
from .refusals import MEMORY, kept, refusal
from .remembered import Remembered
from .scripting import Scripts, prefix, source
from .shapes import (
    SHOWN,
    acceptance,
    at_head,
    claim_of,
    conclusion,
    containment_of,
    customer_of,
    in_ms,
    planned,
    rings_of,
    row_of,
    texts_of,
    threat_of,
    to_be_sealed,
)
from .switches import (
    about_closing,
    about_opening,
    closing,
    held_by,
    key_of,
    moves_of,
    opened,
    opening,
    pause_of,
    pauses_of,
    standing,
    written,
)
from .undos import ORDER, has_undo, signed, undo_id

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ..domain.blast_radius import Share
    from ..domain.claims import VisitResult
    from ..domain.events import Event
    from ..domain.holds import HoldTerms
    from ..domain.limits import Limits
    from ..domain.new_rows import EventPlan
    from ..domain.notifications import Delivery, Digest
    from ..domain.refusals import KeptRecord, KeptRecords
    from ..domain.rows import Containment
    from ..domain.seals import Role
    from ..domain.verbs import Cap
    from ..ports import Door, Seals

_log = logging.getLogger(__name__)
#: A ring is expected to arrive within this; only then does the sweep ring again.
GRACE = timedelta(seconds=5)
#: A write is begun only with so much left of the lease: its worker's heart beats, and it has not been asleep.
LEAST_REMAINING = timedelta(seconds=10)
MOST_PLANNING_ATTEMPTS = 20
#: With this share of its memory used, Redis takes no new events.
FULLEST = 0.85
#: Seconds for which a look at the memory holds.
_ROOM_LIVES = 0.5
#: Of a compacted threat so many of its last moves are kept.
_MOST_PACKED = 60
#: So many threats are read and packed in one go.
_PACKED_TOGETHER = 50
_CUSTOMERS = "ar:customers"
#: What an EDR showed of a group's size holds for so long. The re-check counts anew every few minutes; of an EDR that it cannot read
#: for a day, what it showed before says little.
SIZE_LIVES = timedelta(days=1)
#: Of the keys and their meaning, as `scripts/parts/keys.lua` has them: raised when an older version would misread them.
FORMAT = "1"
_FORMAT_KEY = "ar:format"
_DUE_SETS = ("due:first", "due")
#: For so long a look at the kill switches holds: together with a claim's clearance less than a second.
SWITCH_LIVES = timedelta(milliseconds=200)
_NEVER_READ = (float("-inf"), "{}")
#: A person opens what others close again meanwhile so often.
_MOST_PAUSES_MEANWHILE = 5
_OF_DELIVERY = ("order", "seal", "threat", "planned_for", "kind", "verb", "edr", "lane", "remote")


class Seen(NamedTuple):
    """A row as a person decides about it; the state of one that is not there is empty, as the guard of one that none holds."""

    state: str
    guard: str
    generation: int


class RedisLedger:
    """The ledger of `ports.Ledger`. Threads may share one. It seals what it writes, and believes nothing that bears no good seal."""

    def __init__(  # noqa: PLR0913 - its figures are there for tests
        self,
        client: redis.Redis | redis.RedisCluster,
        *,
        seals: Seals,
        door: Door | None = None,
        grace: timedelta = GRACE,
        least_remaining: timedelta = LEAST_REMAINING,
        most_visits: int = MOST_VISITS,
        switch_lives: timedelta = SWITCH_LIVES,
        watches_memory: bool = True,
        before_work: Callable[[], None] = lambda: None,
        notes_pauses_in: Path | None = None,
        read_script: Callable[[str], str] = source,
    ) -> None:
        self._redis: Any = client  # its types speak of bytes and text at once
        self._seals, self._door = seals, door
        self._most_visits = most_visits
        self._room_seen = float("-inf") if watches_memory else float("inf")
        self._grace = in_ms(grace)
        self._least_remaining = in_ms(least_remaining)
        self._switch_lives = switch_lives.total_seconds()
        self._closed: dict[str, tuple[float, str]] = {}
        self._remembered = Remembered(seals, Noted(notes_pauses_in), self.now)
        self._is_known, self._before_work = False, before_work
        self._scripts = Scripts(client, read_script)

    def check_format(self) -> None:
        """Raises IncompatibleLedger if another version wrote this ledger, which would misread what we write. A new one is marked.

        And before that whatever `before_work` raises.
        """
        self._before_work()
        with unavailable_if_away():
            found = self._redis.get(_FORMAT_KEY)
            if not found and not self._redis.set(_FORMAT_KEY, FORMAT, nx=True):
                found = self._redis.get(_FORMAT_KEY)
        if found and found != FORMAT:
            raise IncompatibleLedger(
                f"the ledger in this Redis has format {found}, and this version knows {FORMAT}: "
                "run the version that wrote it, or one whose changelog says that it reads this format"
            )
        self._is_known = True

    def trail_parts(self) -> tuple[Any, Scripts]:
        """Its connection and scripts, for who looks beside it."""
        return self._redis, self._scripts

    def check_seals(self, *roles: Role) -> None:
        self._seals.check(*roles)

    def _known(self) -> Scripts:
        """The scripts, once it is sure that they fit what is there."""
        if not self._is_known:
            self.check_format()
        return self._scripts

    def accept(self, events: Sequence[Event], *, unrung: Container[str] = (), by: str = "") -> list[Acceptance]:
        """One pipeline and one signature for all: a batch costs one round trip."""
        if not events:
            return []
        self._check_room()
        scripts = self._known()
        calls = [
            ("accept", event.customer, acceptance(event, text, seal, 0 if event.customer in unrung else self._grace))
            for event, (text, seal) in zip(events, texts_of(events, self._seals, by), strict=True)
        ]
        with at_the_door(self._door, events, calls) as answers, unavailable_if_away():
            self._redis.sadd(_CUSTOMERS, *{event.customer for event in events})
            answers += [Acceptance(reply) for reply in scripts.run_all(calls)]
        return answers

    def _check_room(self) -> None:
        """Refuse before Redis does: what is accepted must find room for its plan and timeline, too. Of a cluster the fullest decides."""
        if time.monotonic() - self._room_seen < _ROOM_LIVES:
            return
        with unavailable_if_away():
            fullest = max(map(_share_used, infos(self._redis, "memory")))
        if fullest > FULLEST:
            raise LedgerFull(f"Redis is {fullest:.0%} full: nothing was accepted, try again later")
        self._room_seen = time.monotonic()

    def outstanding(self, customer: str) -> int:
        with unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            for name in _DUE_SETS:
                pipe.zcard(f"{prefix(customer)}{name}")
            return sum(pipe.execute())

    def events(self, refs: Sequence[str]) -> list[Event | Flaw | None]:
        self._seals.check()
        with unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            for ref in refs:
                customer, _, event_id = ref.partition(":event/")
                pipe.hmget(f"{prefix(customer)}event:{event_id}", ["state", "json", "seal"])
            found = pipe.execute()
        read = zip(refs, found, strict=True)
        return [self._event(ref, text, seal or "") if state == "accepted" and text else None for ref, (state, text, seal) in read]

    def _event(self, ref: str, text: str, seal: str) -> Event | Flaw:
        """What the ledger's own scripts write down has no seal: of it people are told, and nothing else comes of it."""
        customer, _, event_id = ref.partition(":event/")
        flaw = self._seals.event_flaw(customer, event_id, text, seal)
        try:
            event = load_event(text)
        except ValidationError:
            return flaw or Flaw("it cannot be read, though its seal is good: a later version wrote it, and plans it", may_pass=True)
        return event if isinstance(event, Own) or flaw is None else flaw

    def event_failed(self, ref: str, reason: str, after: timedelta, *, most: int = MOST_PLANNING_ATTEMPTS) -> None:
        customer, _, event_id = ref.partition(":event/")
        self._run("event_failed", customer, event_id, reason, in_ms(after), most)

    def record(self, plans: Sequence[EventPlan], *, unrung: Container[str] = ()) -> list[list[Ring] | None]:
        """One pipeline and one signature for all."""
        sealed = iter(self._seals.plans([row for plan in plans for row in to_be_sealed(plan)]))
        calls = [("record", plan.event.customer, planned(plan, self._grace, unrung, sealed)) for plan in plans]
        with unavailable_if_away():
            replies = self._known().run_all(calls) if calls else []
        return [rings_of(rings) if is_new == "yes" else None for is_new, *rings in replies]

    def claim(
        self, row_ids: Sequence[str], *, owner: str, lease: timedelta, caps: Mapping[Cap, int], shares: Mapping[str, Share] | None = None
    ) -> list[Claim | Refusal]:
        if not row_ids:
            return []
        self._seals.check()  # before anything is taken that could not be given back
        customer = customer_of(row_ids[0])
        said = (owner, in_ms(lease), json.dumps(caps), json.dumps(shares or {}), self._most_visits, self._switches(customer))
        replies = self._run("claim", customer, *said, *row_ids)
        return [claim_of(row_id, reply, self._seals) for row_id, reply in zip(row_ids, replies, strict=True)]

    def begin(self, claim: Claim, *, caps: Mapping[Cap, int], shares: Mapping[str, Share] | None = None) -> Refusal | None:
        approved, may = ",".join(sorted(claim.approved)), (json.dumps(caps), json.dumps(shares or {}))
        said = (claim.row_id, claim.fence, self._least_remaining, *may, self._switches(claim.customer), approved)
        answer = self._run("begin", claim.customer, *said)
        return None if answer == "go" else Refusal(reason=answer)

    def _switches(self, customer: str) -> str:
        """The kill switches as this process knows them, as JSON for the scripts. Where they cannot be read nothing is claimed or begun."""
        read_at, switches = self._closed.get(customer, _NEVER_READ)
        if time.monotonic() - read_at > self._switch_lives:
            switches = self._switches_now(customer)
            self._closed[customer] = time.monotonic(), switches
        return switches

    def _switches_now(self, customer: str) -> str:
        with unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            return self._as_they_count(customer, *pipe.hgetall(key_of(None)).hgetall(key_of(customer)).execute())

    def _as_they_count(self, customer: str, everyones: dict[str, str], own: dict[str, str]) -> str:
        """The scripts read a customer's own by themselves, and are told of those that nobody has opened and that are gone."""
        gone = {f"own {scope}": text for scope, text in self._remembered.gone(customer, own).items()}
        return json.dumps(standing(everyones) | self._remembered.gone(None, everyones) | gone)

    def conclude(self, visits: Sequence[tuple[Claim, VisitResult]]) -> list[list[Ring] | None]:
        parts = [part for claim, found in visits for part in conclusion(claim, found)]
        *replies, called = self._run("conclude", visits[0][0].customer, *parts) if visits else [[]]
        answers = [None if reply == "stale" else rings_of(reply) for reply in replies]
        last = next((each for each in reversed(answers) if each is not None), None)
        if last is not None:
            last += at_head(called)
        return answers

    def renew(self, claims: Sequence[Claim], lease: timedelta) -> None:
        with unavailable_if_away():
            self._known().run_all([("renew", claim.customer, (claim.row_id, claim.fence, in_ms(lease))) for claim in claims])

    def limit(self, customer: str, remote: str, limits: Limits) -> None:
        rates = ",".join(f"{rate.calls}:{in_ms(rate.per)}" for rate in limits.rates)
        with unavailable_if_away():
            self._redis.hset(f"{prefix(customer)}remote:{remote}", "rates", rates)

    def group_sizes(self, customer: str, groups: Sequence[str]) -> dict[str, int]:
        with unavailable_if_away():
            found = self._redis.mget([f"{prefix(customer)}group:{group}" for group in groups]) if groups else []
        return {group: int(size) for group, size in zip(groups, found, strict=True) if size and size.isdecimal()}

    def keep_group_size(self, customer: str, group: str, size: int) -> None:
        with unavailable_if_away():
            self._redis.set(f"{prefix(customer)}group:{group}", size, px=in_ms(SIZE_LIVES))

    def spend(self, customer: str, remote: str, *, may_use_reserve: bool) -> timedelta | None:
        wait = int(self._run("spend", customer, remote, int(may_use_reserve)))
        return timedelta(milliseconds=wait) if wait else None

    def stay_away(self, customer: str, remote: str, retry_after: timedelta) -> None:
        self._run("stay_away", customer, remote, in_ms(retry_after))

    def compact(self, before: datetime, limit: int) -> int:
        packed, customers = 0, self.customers()
        random.shuffle(customers)  # one with a flood to pack comes first in its turn only
        for customer in customers:
            with unavailable_if_away(), _passed_over_if_spoiled(customer):
                settled = self._redis.zrange(
                    f"{prefix(customer)}settled", "-inf", int(before.timestamp() * 1000), byscore=True, offset=0, num=limit - packed
                )
                for first in range(0, len(settled), _PACKED_TOGETHER):
                    packed += self._compact(customer, settled[first : first + _PACKED_TOGETHER])
            if packed >= limit:
                break
        return packed

    def _compact(self, customer: str, threat_ids: Sequence[str]) -> int:
        """A threat that moves after the length of its timeline was read is left as it is."""
        pipe = self._redis.pipeline(transaction=False)
        for threat_id in threat_ids:
            pipe.llen(f"{prefix(customer)}threat:{threat_id}:timeline")
        lengths = pipe.execute()
        listed = self._rows(customer, threat_ids)
        done = [row for rows in listed for row in rows if row.state is State.DONE and has_undo(row)]
        orders = {name: kept for name, kept in self._orders(customer, done).items() if kept[0]}
        documents = zip(self._threats(customer, threat_ids), listed, strict=True)
        texts = [_document(known, rows, {row.id: orders[row.id] for row in rows if row.id in orders}) for known, rows in documents]
        calls = [("compact", customer, parts) for parts in zip(threat_ids, texts, lengths, strict=True)]
        return sum(map(int, self._known().run_all(calls)))

    def requeue(self, row_id: str, *, by: str, life: timedelta) -> Ring | Refusal:
        return self._brought_back(row_id, by, "", life, must_be_held=False)

    def approve(self, row_id: str, *, by: str, reason: str, life: timedelta) -> Ring | Refusal:
        return self._brought_back(row_id, by, reason, life, must_be_held=True)

    def _brought_back(self, row_id: str, by: str, reason: str, life: timedelta, *, must_be_held: bool) -> Ring | Refusal:
        """What is sealed is what was seen: the script takes it only if it still is so."""
        words = f"approved by {by}: {reason}" if must_be_held else f"requeued by {by}"
        switches, seen = self._switches_now(customer_of(row_id)), self._seen(row_id)
        word, word_on_row, next_one = "", "", seen.generation + (seen.state == State.FAILED)
        if seen.guard:
            word = self._seals.approval(row_id, seen.generation, seen.guard, by=by, reason=reason)
        elif seen.state:
            word_on_row = self._seals.word(Decision.REQUEUE, about_row(row_id, next_one), by=by, reason=reason)
        said = (words, in_ms(life), switches, int(must_be_held), seen.guard, seen.generation, word, word_on_row)
        granted, *parts = self._run("requeue", customer_of(row_id), row_id, *said)
        return Refusal(reason=parts[0]) if granted == "no" else rings_of(parts)[0]

    def _seen(self, row_id: str) -> Seen:
        with unavailable_if_away():
            state, by, generation = self._redis.hmget(f"{prefix(customer_of(row_id))}row:{row_id}", ["state", "held_by", "generation"])
        return Seen(state or "", by if state == State.HELD and by in set(Guard) else "", int(generation or 1))

    def _word(self, decision: Decision, row_id: str, by: str, reason: str, detail: str = "") -> str:
        """A person's word on a row as it stands; on one that is not there nobody has any."""
        seen = self._seen(row_id)
        return self._seals.word(decision, about_row(row_id, seen.generation, detail), by=by, reason=reason) if seen.state else ""

    def deny(self, row_id: str, *, by: str, reason: str) -> list[Ring] | Refusal:
        seen = self._seen(row_id)
        word = self._seals.word(Decision.DENY, about_row(row_id, seen.generation, seen.guard), by=by, reason=reason) if seen.guard else ""
        said = (f"denied by {by}: {reason}", seen.guard, seen.generation, word)
        granted, *parts = self._run("deny", customer_of(row_id), row_id, *said)
        return Refusal(reason=parts[0]) if granted == "no" else rings_of(parts)

    def held(self, customer: str) -> list[Row]:
        with unavailable_if_away():
            names = sorted(self._redis.smembers(f"{prefix(customer)}held"))
            pipe = self._redis.pipeline(transaction=False)
            for name in names:
                pipe.hgetall(f"{prefix(customer)}row:{name}")
            rows = [row_of(customer, name, found) for name, found in zip(names, pipe.execute(), strict=True) if "kind" in found]
        return sorted((row for row in rows if row.state is State.HELD), key=lambda row: (row.created_at, row.id))

    def resolve(self, row_id: str, *, by: str, was_sent: bool) -> list[Ring] | Refusal:
        word = self._word(Decision.RESOLVE, row_id, by, "", "sent" if was_sent else "not sent")
        granted, *parts = self._run("resolve", customer_of(row_id), row_id, by, int(was_sent), word)
        return Refusal(reason=parts[0]) if granted == "no" else rings_of(parts)

    def seat(self, row_id: str, counted: str, digest: Digest) -> Seat | None:
        found = self._run("seat", customer_of(row_id), row_id, counted, digest.more_than, in_ms(digest.within))
        return Seat(carrier=found[0], wait=timedelta(milliseconds=int(found[1]))) if found else None

    def gathered(self, row_id: str) -> list[Delivery]:
        rows = f"{prefix(customer_of(row_id))}row:"
        with unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            names = self._redis.lrange(f"{rows}{row_id}:gathered", 0, -1)
            for name in names:
                pipe.hmget(f"{rows}{name}", *_OF_DELIVERY)
            found = [(name, values) for name, values in zip(names, pipe.execute(), strict=True) if values[0]]
        return [load_delivery(values[0]) for name, values in found if self._is_believed(name, values)]

    def _is_believed(self, name: str, values: Sequence[str | None]) -> bool:
        order, seal, threat, planned_for, kind, verb, edr, lane, remote = (value or "" for value in values)
        row = Sealed(customer_of(name), planned_for or threat, base_name(name), kind, verb, edr, lane, remote, order)
        flaw = self._seals.row_flaw(row, seal)
        if flaw:
            _log.critical("%s is left out of its digest: %s", name, flaw.reason)
        return flaw is None

    def unsettled(self, customer: str, threat_id: str) -> list[Ring]:
        return rings_of(self._run("unsettled", customer, threat_id))

    def due(self, limit: int, again: timedelta, *, room: Mapping[str, int] | None = None) -> list[Ring]:
        """Asks only the customers that have something due: one pipelined look at the heads of their due sets.

        A customer whose keys somebody has spoiled is passed over, so that the others do not wait for it.
        """
        with unavailable_if_away():
            waiting = self._ripe(_DUE_SETS)
            shares = [part for queue, number in (room or {}).items() for part in (queue, share(number, len(waiting)))]
            arguments = (share(limit, len(waiting)), in_ms(again), self._most_visits, *shares)
            replies = self._known().run_each([("due", name, arguments) for name in waiting])
        found = list(_sound(waiting, replies))
        lost = [ring for _, (some, _) in found for ring in at_head(some)]
        return lost + [ring for name, (_, others) in found for ring in rings_of(others, name)]

    def _ripe(self, sets: Sequence[str]) -> list[str]:
        """The customers in one of whose sorted sets something has become due: one pipelined look at the heads."""
        names = self.customers()
        heads = self._redis.pipeline(transaction=False)
        for name in names:
            for each in sets:
                heads.zrange(f"{prefix(name)}{each}", 0, 0, withscores=True)
        now = int(self._known().run("now", names[0])) if names else 0
        first = _sound([name for name in names for _ in sets], heads.execute(raise_on_error=False))
        return list(dict.fromkeys(name for name, head in first if head and head[0][1] <= now))

    def remind(self, limit: int) -> int:
        with unavailable_if_away():
            waiting = self._ripe(("uncontained",))
            replies = self._known().run_each([("remind", name, (share(limit, len(waiting)),)) for name in waiting])
        return sum(int(told) for _, told in _sound(waiting, replies))

    def mind_holds(self, terms: Mapping[str, HoldTerms], *, most: int) -> list[Ring]:
        with unavailable_if_away():
            names = [name for name in self._with_holds() if name in terms]
            said = [
                ("" if each.life is None else in_ms(each.life), in_ms(each.remind_after), most) for each in map(terms.__getitem__, names)
            ]
            replies = self._known().run_each([("hold", name, more) for name, more in zip(names, said, strict=True)])
        return [ring for _, (_, *rings) in _sound(names, replies) for ring in rings_of(rings)]

    def _with_holds(self) -> list[str]:
        """The customers of whom something is held, or of whose holds something is remembered."""
        names = self.customers()
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.exists(f"{prefix(name)}held", f"{prefix(name)}holds")
        return [name for name, there in zip(names, pipe.execute(raise_on_error=False), strict=True) if there]

    def acknowledge(self, row_id: str, *, by: str, reason: str) -> Refusal | None:
        word = self._word(Decision.ACKNOWLEDGE, row_id, by, reason)
        answer = self._run("acknowledge", customer_of(row_id), row_id, by, reason, word)
        return Refusal(reason=answer) if answer else None

    def tick(self, name: str, window: timedelta) -> bool:
        with unavailable_if_away():
            return bool(self._known().run_on(f"ar:tick:{name}", "tick", in_ms(window)))

    def is_first(self, name: str, who: str, kept: timedelta) -> bool:
        self._known()
        key = f"ar:first:{name}"
        with unavailable_if_away():
            return bool(self._redis.set(key, who, nx=True, px=in_ms(kept))) or bool(self._redis.get(key) == who)

    def cursor(self, customer: str, feed: str) -> str:
        with unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            found, seal = pipe.hget(f"{prefix(customer)}cursors", feed).hget(f"{prefix(customer)}cursors:seals", feed).execute()
        flaw = self._seals.cursor_flaw(customer, feed, found, seal or "") if found else None
        if flaw:
            raise Unbelievable(f"security: how far {feed} of {customer} was read is not believed, and nothing was read: {flaw.reason}")
        return found or ""

    def move_cursor(self, customer: str, feed: str, expected: str, new: str) -> bool:
        return bool(self._run("move_cursor", customer, feed, expected, new, self._seals.cursor(customer, feed, new)))

    def refuse(self, customer: str, feed: str, records: Sequence[KeptRecord]) -> list[tuple[Fate, str]]:
        if not records:
            return []
        self._check_room()
        with unavailable_if_away():
            self._redis.sadd(_CUSTOMERS, customer)
            replies = self._known().run_all([("refuse", customer, refusal(feed, each)) for each in records])
        return [(Fate(fate), since) for fate, since in replies]

    def refused(self, customer: str) -> list[KeptRecords]:
        with unavailable_if_away():
            feeds = sorted(self._redis.hgetall(f"{prefix(customer)}refused").items())
            pipe = self._redis.pipeline(transaction=False)
            for feed, _ in feeds:
                pipe.hvals(f"{prefix(customer)}refused:{feed}")
            found = zip(feeds, pipe.execute(), strict=True)
        return [kept(customer, feed, dropped, texts) for (feed, dropped), texts in found]

    def let_go(self, customer: str, feed: str, keys: Sequence[str], *, is_looked_at: bool) -> int:
        return int(self._run("let_go", customer, feed, MEMORY if is_looked_at else 0, *keys))

    def now(self) -> datetime:
        with unavailable_if_away():
            return datetime.fromtimestamp(int(self._known().run_on(key_of(None), "now")) / 1000, UTC)

    def pause(self, customer: str | None, scope: str, reason: str, *, by: str = "", until: datetime | None = None) -> Pause | None:
        pause = Pause(reason=reason, by=by, since=self.now(), until=until)
        words = pause.words(scope, is_everyones=not customer)
        seal = self._seals.word(Decision.PAUSE, about_closing(customer, scope, pause), by=by, reason=pause.reason) if by else ""
        key, text = key_of(customer), written(pause, words, seal)
        move = closing(scope, pause, words, text)
        with unavailable_if_away():
            if customer:
                self._redis.sadd(_CUSTOMERS, customer)
            pipe = self._redis.pipeline(transaction=False)
            before, *_ = pipe.hget(key, scope).rpush(moves_of(customer), move).hset(key, scope, text).execute()
        self._look_anew(customer)
        if not before:
            return None
        self._reword([customer] if customer else self.customers(), held_by(customer, scope), words)
        return pauses_of({scope: before}, customer, self._seals)[scope]

    def _look_anew(self, customer: str | None) -> dict[str, str]:
        """The closed switches as they count, from now on also on this machine."""
        self._closed.clear()
        with unavailable_if_away():
            found = self._redis.hgetall(key_of(customer))
        return standing(found) | self._remembered.gone(customer, found)

    def _reword(self, customers: Sequence[str], held: str, words: str) -> None:
        """What the switch holds already says who has closed it now, and until when. Whose keys are spoiled is paused all the same."""
        with unavailable_if_away():
            replies = self._known().run_each([("reword", name, (held, words)) for name in customers])
        list(_sound(customers, replies))

    def resume(self, customer: str | None, scope: str, *, by: str = "") -> list[Ring]:
        """Of all customers it waits until no worker goes by the closed switch any more, so that none holds a row behind it."""
        words = f"resumed by {by}" if by else "resumed"
        was_closed = self._open(customer, scope, by, words)
        said = (held_by(customer, scope), words, "{}")
        if customer:
            return _ended(customer, self._run("resume", customer, *said)).rings
        time.sleep(2 * self._switch_lives if was_closed else 0)
        return self._opened([(name, *said) for name in self.customers()]).rings

    def _open(self, customer: str | None, scope: str, by: str, words: str) -> bool:
        """Whether it was closed: then the record has it in these words.

        What is signed is what was seen: if somebody closes it anew meanwhile, that is opened, too.
        """
        key = key_of(customer)
        with unavailable_if_away():
            for _ in range(_MOST_PAUSES_MEANWHILE):
                text = self._redis.hget(key, scope) or ""
                known = text or self._look_anew(customer).get(scope, "")
                said = self._opening(customer, scope, known, by) if by and known else ""
                if self._known().run_on(key, "open", scope, text, said):
                    if known:
                        self._redis.rpush(moves_of(customer), opening(scope, self.now(), words))
                    self._look_anew(customer)
                    return bool(known)
        raise ARError(f"{scope} was closed anew again and again while it was opened: `arctl pauses` shows by whom")

    def _opening(self, customer: str | None, scope: str, text: str, by: str) -> str:
        """Of what was closed until now, also where the clock has not moved since."""
        since = pause_of(text).since
        at = max(self.now(), since + timedelta(milliseconds=1)) if since else self.now()
        return opened(self._seals.word(Decision.RESUME, about_opening(customer, scope, at), by=by), at)

    def end_pauses(self) -> Ended:
        with unavailable_if_away():
            found = self._opened([(name, "", "the pause ended", switches) for name, switches in self._with_switches()])
            return Ended(found.pauses + self._known().run_on(key_of(None), "lapse"), found.rings)

    def _opened(self, said: Sequence[tuple[str, str, str, str]]) -> Ended:
        """What switches held, of each customer. One whose keys somebody has spoiled is passed over."""
        customers = [customer for customer, *_ in said]
        with unavailable_if_away():
            replies = self._known().run_each([("resume", customer, tuple(each)) for customer, *each in said])
        found = [_ended(*each) for each in _sound(customers, replies)]
        return Ended([words for each in found for words in each.pauses], [ring for each in found for ring in each.rings])

    def _with_switches(self) -> list[tuple[str, str]]:
        """The customers of whom a switch is closed or something is held, with the switches as they count."""
        names = self.customers()
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.hgetall(key_of(name)).scard(f"{prefix(name)}held")
        sizes = iter(pipe.execute(raise_on_error=False))
        found = [(name, own) for name, own, held in zip(names, sizes, sizes, strict=True) if own or held]
        everyones = self._redis.hgetall(key_of(None)) if found else {}
        sound = _sound([name for name, _ in found], [own for _, own in found])
        return [(name, self._as_they_count(name, everyones, own)) for name, own in sound]

    def pauses(self, customer: str | None) -> dict[str, Pause]:
        return pauses_of(self._look_anew(customer), customer, self._seals)

    def containments(self, customer: str, lanes: Sequence[str]) -> dict[str, Containment]:
        with unavailable_if_away():
            pipe = self._redis.pipeline(transaction=False)
            for lane in lanes:
                pipe.hmget(f"{prefix(customer)}endpoint:{lane}", SHOWN)
            found = map(containment_of, lanes, pipe.execute())
            return {each.lane: each for each in found if each}

    def isolated(self, customer: str) -> list[Containment]:
        """The endpoints that versions without the index have recorded are looked for once."""
        with unavailable_if_away():
            if not self._redis.hget(f"{prefix(customer)}indexed", "isolated"):
                before = f"{prefix(customer)}endpoint:"
                lanes = [key.removeprefix(before) for key in self._redis.scan_iter(match=f"{before}*", count=1000)]
                self._run("index_isolated", customer, *lanes)
            lanes = self._redis.zrange(f"{prefix(customer)}isolated", 0, -1)
        return [each for each in self.containments(customer, lanes).values() if each.is_isolated]

    def showed(self, customer: str, listed: Containment, *, is_isolated: bool, evidence: str) -> bool:
        shown_at = round(listed.at.timestamp() * 1000)
        return bool(self._run("showed", customer, listed.lane, shown_at, "isolate" if is_isolated else "release", evidence))

    def knows(self, customer: str, once_prefix: str) -> set[str]:
        with unavailable_if_away():
            return {key for key in self._redis.smembers(f"{prefix(customer)}once") if key.startswith(once_prefix)}

    def forget(self, customer: str, once_keys: Iterable[str]) -> None:
        keys = list(once_keys)
        if keys:
            with unavailable_if_away():
                self._redis.srem(f"{prefix(customer)}once", *keys)

    def customers(self) -> list[str]:
        with unavailable_if_away():
            return sorted(self._redis.smembers(_CUSTOMERS))

    def threats(self, customer: str, *, since: datetime, limit: int) -> list[ThreatRecord]:
        with unavailable_if_away():
            newest = self._redis.zrange(
                f"{prefix(customer)}threats", "+inf", int(since.timestamp() * 1000), desc=True, byscore=True, offset=0, num=limit
            )
            pipe = self._redis.pipeline(transaction=False)
            for threat_id in newest:
                pipe.hgetall(f"{prefix(customer)}threat:{threat_id}").get(f"{prefix(customer)}threat:{threat_id}:packed")
            answers = iter(pipe.execute())
        listed = zip(newest, answers, answers, strict=True)
        return [threat_of(customer, name, found, [], text).model_copy(update={"timeline": ()}) for name, found, text in listed]

    def threat(self, customer: str, threat_id: str) -> ThreatRecord | None:
        with unavailable_if_away():
            return self._threats(customer, [threat_id])[0]

    def _threats(self, customer: str, threat_ids: Sequence[str]) -> list[ThreatRecord | None]:
        pipe = self._redis.pipeline(transaction=False)
        for key in (f"{prefix(customer)}threat:{threat_id}" for threat_id in threat_ids):
            pipe.hgetall(key).lrange(f"{key}:timeline", 0, -1).get(f"{key}:packed")
        answers = iter(pipe.execute())
        found = zip(threat_ids, answers, answers, answers, strict=True)
        return [threat_of(customer, name, fields, timeline, text) if fields else None for name, fields, timeline, text in found]

    def rows(self, customer: str, threat_id: str) -> list[Row]:
        with unavailable_if_away():
            return self._rows(customer, [threat_id])[0]

    def _rows(self, customer: str, threat_ids: Sequence[str]) -> list[list[Row]]:
        pipe = self._redis.pipeline(transaction=False)
        for key in (f"{prefix(customer)}threat:{threat_id}" for threat_id in threat_ids):
            pipe.zrange(f"{key}:rows", 0, -1).get(f"{key}:packed")
        answers = iter(pipe.execute())
        threats = [(names, unpacked(text)["rows"] if text else []) for names, text in zip(answers, answers, strict=True)]
        for name in (name for names, _ in threats for name in names):
            pipe.hgetall(f"{prefix(customer)}row:{name}")
        hashes = iter(pipe.execute())
        return [_listed(customer, names, old, hashes) for names, old in threats]

    def made(self, customer: str, threat_id: str) -> list[Made]:
        with unavailable_if_away():
            rows = self._rows(customer, [threat_id])[0]
            text = self._redis.get(f"{prefix(customer)}threat:{threat_id}:packed")
            orders = self._orders(customer, [row for row in rows if has_undo(row)])
        old = unpacked(text).get("orders", {}) if text else {}
        known = {name: kept if kept[0] else old.get(name, kept) for name, kept in orders.items()}
        found = [signed(row, known[row.id], self._seals) if row.id in known else Made(row=row) for row in rows]
        asked = [part for made in found if made.row.id in known for part in (made.row.id, made.row.lane or "", undo_id(made))]
        answers = iter(self._run("undoable", customer, threat_id, *asked) if asked else [])
        return [_standing(made, next(answers)) if made.row.id in known else made for made in found]

    def _orders(self, customer: str, rows: Sequence[Row]) -> dict[str, list[str | None]]:
        """By row its fields `ORDER`, of which a packed one has none."""
        pipe = self._redis.pipeline(transaction=False)
        for row in rows:
            pipe.hmget(f"{prefix(customer)}row:{row.id}", ORDER)
        return {row.id: kept for row, kept in zip(rows, pipe.execute() if rows else [], strict=True)}

    def row(self, row_id: str) -> Row | None:
        customer = customer_of(row_id)
        with unavailable_if_away():
            found = self._redis.hgetall(f"{prefix(customer)}row:{row_id}")
        if found and "kind" not in found:
            return next((row for row in self.rows(customer, found["threat"]) if row.id == row_id), None)
        return row_of(customer, row_id, found) if found else None

    def _run(self, name: str, customer: str, *arguments: str | int) -> Any:
        with unavailable_if_away():
            return self._known().run(name, customer, *arguments)


def _ended(customer: str, reply: Sequence[Any]) -> Ended:
    """The answer of `resume.lua`."""
    pauses, *rings = reply
    return Ended([f"{customer}: {words}" for words in pauses], rings_of(rings))


def _standing(made: Made, reply: Sequence[str]) -> Made:
    """With the answer of `undoable.lua`."""
    undone, state, is_ours, *wanted_by = reply
    undo_state = State(state) if state else None
    return replace(made, undone=undone, undo_state=undo_state, is_ours=is_ours == "1", wanted_by=tuple(wanted_by))


def _document(known: ThreatRecord | None, rows: Sequence[Row], orders: Mapping[str, Sequence[str | None]]) -> str:
    """What a threat is packed into, with the orders of what was done and has an undo."""
    return packed(
        {
            "threat": known.threat.model_dump_json() if known and known.threat else None,
            "rows": [row.model_dump(mode="json", exclude_defaults=True) for row in rows],
            "timeline": [entry.model_dump(mode="json") for entry in known.timeline[-_MOST_PACKED:]] if known else [],
            **({"orders": orders} if orders else {}),
        }
    )


def _listed(customer: str, names: Sequence[str], old: Iterable[dict[str, Any]], hashes: Iterator[dict[str, str]]) -> list[Row]:
    """A threat's rows in plan order: from their hashes, of which one is taken for each name, or as they were packed."""
    live = {name: row_of(customer, name, found) for name, found in zip(names, hashes, strict=False) if "kind" in found}
    kept = {row["id"]: Row.model_validate(row) for row in old} | live
    return [kept[name] for name in names if name in kept]


def _share_used(memory: dict[str, Any]) -> float:
    most = int(memory["maxmemory"]) or int(memory.get("total_system_memory") or 0)
    return int(memory["used_memory"]) / most if most else 0.0


@contextmanager
def _passed_over_if_spoiled(customer: str) -> Iterator[None]:
    try:
        yield
    except redis.ResponseError as error:
        _log.error("%s is passed over: %s", customer, error)


def _sound(customers: Sequence[str], replies: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """The replies of a pipeline that are none of an error."""
    for customer, reply in zip(customers, replies, strict=True):
        if isinstance(reply, Exception):
            _log.error("%s is passed over: %s", customer, reply)
        else:
            yield customer, reply
