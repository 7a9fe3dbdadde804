"""What the pipeline needs from the world: Protocols, and nothing about how they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from .domain.actions import Action
    from .domain.audit import Anchor, Moves, Standing, TimelineSeen
    from .domain.blast_radius import Share
    from .domain.canvas import Canvas, Ring
    from .domain.capabilities import Capability
    from .domain.claims import Claim, Refusal, VisitResult
    from .domain.endpoints import Endpoint, Vendor
    from .domain.events import Event
    from .domain.facts import Fact, Receipt
    from .domain.holds import HoldTerms
    from .domain.indicators import HashType
    from .domain.limits import Limits
    from .domain.new_rows import EventPlan
    from .domain.notifications import Delivery, Digest
    from .domain.pauses import Ended, Pause
    from .domain.people import Decision, Person
    from .domain.refusals import Fate, KeptRecord, KeptRecords
    from .domain.results import Result
    from .domain.rows import Acceptance, Containment, Row, Seat, ThreatRecord
    from .domain.seals import Flaw, Role, Sealed, Signed, Word
    from .domain.standing import EventSeen, Offered, RemoteSeen, RowSeen
    from .domain.undo import Made
    from .domain.verbs import Cap


class EDR(Protocol):
    """One customer's EDR. Raises the errors of `domain.errors`; never retries a write, every wait has a deadline."""

    @property
    def vendor(self) -> Vendor:
        """Whose EDR it is."""

    @property
    def hash_types(self) -> tuple[HashType, ...]:
        """The hash types that a ban takes, best first."""

    @property
    def limits(self) -> Limits:
        """How often it may be asked."""

    def capabilities(self) -> tuple[Capability, ...]:
        """The rows of the capability table."""

    def endpoint(self, agent_id: str) -> Endpoint:
        """The endpoint as it is now, with the names of its groups. Raises EndpointNotFound."""

    def members(self, group: str) -> Iterator[Endpoint]:
        """Every endpoint of the group of exactly this name. Raises EDRError unless the listing is complete."""

    def observe(self, action: Action, receipt: Receipt | None) -> Fact:
        """Look whether the action's effect is there. Reads only."""

    def perform(self, action: Action, seen: Fact) -> Receipt:
        """Ask for the effect: at most one request that writes. Raises Unsupported before any request."""

    def withdraw(self, action: Action, receipt: Receipt) -> Fact:
        """Take back an order that was accepted and is not in effect: at most one request that writes, and a look.

        ABSENT: it is gone. PRESENT: it took effect after all. Else it was asked for, and the order may yet take effect.
        Raises Unsupported, before any request, where the vendor has no way.
        """


class Channel(Protocol):
    """One way to tell somebody."""

    @property
    def dedupes(self) -> bool:
        """Whether the receiver recognises a repeated sending by its id, so that repeating is harmless."""

    @property
    def marks_copies(self) -> bool:
        """Whether a second copy can be told from a second message, so that one is better than none."""

    def send(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result:
        """Send once: at most one provider request. Never raises for what the provider answers.

        `thread` is the reference of the first message about the same threat to the same receiver, if there is one.
        """

    def reconcile(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result | None:
        """After an unknown outcome: ACCEPTED if the provider shows it, RETRY if surely not, None if it cannot tell."""


@runtime_checkable
class Following(Protocol):
    """A channel whose provider tells only later what became of a message: what is accepted is on its way."""

    @property
    def provider(self) -> str:
        """As people call it."""

    def end(self, reference: str) -> Result | None:
        """ACCEPTED, on its way still or arrived; PERMANENT if it will not arrive; None if the provider cannot be asked now."""


class Record(NamedTuple):
    """One alert as its source gave it, and the source's own id of it, for telling of it."""

    id: str
    payload: Any


class Page(NamedTuple):
    """Records that came together, the cursor behind them, and whether more is there and may be asked for at once.

    `begun` is when polling began, for ever the same: what was created before is told and not acted on.
    """

    records: tuple[Record, ...]
    cursor: str
    is_more: bool
    begun: datetime | None = None


class Feed(Protocol):
    """Where new alerts, threats or detections of one customer are read. Raises the errors of `domain.errors`."""

    @property
    def name(self) -> str:
        """The vendor's name; its allowance in the ledger has the same."""

    @property
    def reader(self) -> str:
        """The input format of its records."""

    @property
    def limits(self) -> Limits:
        """How often it may be asked."""

    def page(self, cursor: str) -> Page:
        """What follows `cursor`, a text of its own making; the empty one begins now.

        The same cursor again gives the same records again, and those that came late. Records are given more than once.
        """


class Reader(Protocol):
    """What one record of a format means. Raises InvalidEvent naming the field."""

    def __call__(self, record: object, *, customer: str | None) -> Event: ...


class Keyring(Protocol):
    """The keys of this process. Raises KeyUnusable where one that is needed is not there, or not kept from others."""

    @property
    def place(self) -> str:
        """Where the public keys stand, for people."""

    def check(self, *roles: Role) -> None:
        """Whether seals can be looked at, and made in these roles."""

    def sign(self, role: Role, statement: bytes) -> Signed:
        """By the newest key of the role."""

    def is_signed(self, role: Role, key_id: str, statement: bytes, signature: bytes) -> bool | None:
        """Whether this key of the role signed it; None if no such key is trusted (any more)."""


class People(Protocol):
    """Who may decide, and the key of who decides here."""

    @property
    def place(self) -> str:
        """Where it stands who may decide, for people."""

    def check(self) -> None:
        """Raises KeyUnusable where that cannot be read, or where others may write it. That nobody is named yet is no fault."""

    def everybody(self) -> Sequence[Person]:
        """All who are named."""

    def by_key(self, key_id: str) -> Person | None:
        """Whose key it is now."""

    def is_signed(self, key_id: str, statement: bytes, signature: bytes) -> bool:
        """Whether this key of somebody signed it."""

    def sign(self, decision: Decision, by: str, statement: bytes) -> Signed:
        """As this person. Raises KeyUnusable where this process has no key of theirs, NotAllowed where they may not decide so."""


class Seals(Protocol):
    """What tells the ledger's own words from somebody else's: who may write to Redis has no key. A flaw is why it is not believed."""

    def check(self, *roles: Role) -> None:
        """Raises KeyUnusable unless seals can be looked at, and made in these roles."""

    def events(self, events: Sequence[tuple[str, str, str]]) -> list[str]:
        """A seal for each event, of which customer, id and JSON are given, by one signature."""

    def event_flaw(self, customer: str, event_id: str, text: str, seal: str) -> Flaw | None:
        """Of an event that stands under this customer and id."""

    def plans(self, rows: Sequence[tuple[str, Sealed]]) -> list[str]:
        """A seal for each row, with the event that it was planned for, by one signature."""

    def row_flaw(self, row: Sealed, seal: str) -> Flaw | None:
        """Of a row as it stands."""

    def approval(self, row_id: str, generation: int, guard: str, *, by: str, reason: str) -> str:
        """A person's word that the row may pass a guard."""

    def approved(
        self, row_id: str, generation: int, named: Collection[str], approvals: Sequence[str]
    ) -> tuple[dict[str, str], Flaw | None]:
        """Of the guards that are `named` as passed those for which there is such a word, and whose. A flaw: the ledger let it pass."""

    def word(self, decision: Decision, about: tuple[str, ...], *, by: str, reason: str = "") -> str:
        """A person's word on what `domain.seals.about_row` and its neighbours name."""

    def said(self, decision: Decision, about: tuple[str, ...], word: str) -> Word | Flaw:
        """Whose word it is, and why they said it; or why nobody believes it. It does not expire."""

    def may(self, name: str, decision: Decision) -> bool:
        """Whether somebody of this name may decide so."""

    def asked(self, customer: str, event_id: str, text: str, *, by: str) -> str:
        """The seal of an event that is a person's own word, such as that an endpoint is to be released."""

    def anchor(self, customer: str, seq: int, digest: str) -> str:
        """The seal of the end of a customer's chain."""

    def anchor_flaw(self, customer: str, seq: int, digest: str, seal: str) -> Flaw | None:
        """Of such an end. It does not expire."""

    def cursor(self, customer: str, feed: str, cursor: str) -> str:
        """The seal of how far a feed was read."""

    def cursor_flaw(self, customer: str, feed: str, cursor: str, seal: str) -> Flaw | None:
        """Of a cursor as it stands. It does not expire."""


class Ledger(Protocol):
    """The record. Every method is one atomic step, safe to repeat, and raises LedgerUnavailable if Redis is away."""

    def check_format(self) -> None:
        """Raises IncompatibleLedger if this version does not know what is there. Every other method asks once, too."""

    def check_seals(self, *roles: Role) -> None:
        """Raises KeyUnusable unless this process can tell what is sealed, and seal in these roles."""

    def accept(self, events: Sequence[Event], *, unrung: Container[str] = (), by: str = "") -> list[Acceptance]:
        """Keep each event once, and make it due for planning: soon, or at once for customers whom nobody rings for.

        What is a person's own word is sealed as theirs, whose name it is `by`, and else as what was published.
        """

    def outstanding(self, customer: str) -> int:
        """Events and rows of the customer that are still to be worked on."""

    def events(self, refs: Sequence[str]) -> list[Event | Flaw | None]:
        """The accepted, not yet planned event of each `customer:event/id`; None where there is none, a flaw where it is not believed."""

    def event_failed(self, ref: str, reason: str, after: timedelta, *, most: int = ...) -> None:
        """Planning failed: due again after this long, until it is set aside as failed, after `most` attempts."""

    def record(self, plans: Sequence[EventPlan], *, unrung: Container[str] = ()) -> list[list[Ring] | None]:
        """Write the plan of each event in one step. Returns what of its threat may be rung, in plan order.

        None if it was written before: nothing is changed then. `unrung` are queues on which nobody rings: their rows are due at once.
        """

    def claim(
        self, row_ids: Sequence[str], *, owner: str, lease: timedelta, caps: Mapping[Cap, int], shares: Mapping[str, Share] | None = None
    ) -> list[Claim | Refusal]:
        """Take each due row of one customer for `lease`; one refusal says nothing of the others.

        `owner` is unique to this call. What counts against one of `caps`, or takes a part of one of the `shares` of remediate groups, by
        the groups that its order names, is held beyond it. A row that was never begun is
        cleared as by `begin`, or moved as there. Refused are also rows whose endpoint or remote others are busy with, whose
        remote's breaker is open or whose remote's allowance is used up: they stay as they are, and are rung when their turn comes.
        """

    def renew(self, claims: Sequence[Claim], lease: timedelta) -> None:
        """Their worker is alive: they end only after another `lease`. What has ended, or is somebody else's by now, stays as it is."""

    def unsettled(self, customer: str, threat_id: str) -> list[Ring]:
        """What of a threat is not settled yet and may be rung, in plan order."""

    def begin(self, claim: Claim, *, caps: Mapping[Cap, int], shares: Mapping[str, Share] | None = None) -> Refusal | None:
        """Immediately before the write: still ours, not cancelled, its endpoint not released since, not paused, within the blast radius.

        `shares` are those of the groups in which the EDR shows its endpoint now. On a Refusal the row has been moved where it belongs, or
        belongs to somebody else.
        """

    def conclude(self, visits: Sequence[tuple[Claim, VisitResult]]) -> list[list[Ring] | None]:
        """End visits to rows of one customer: move each, free its lane, remote and dependents. Returns what can be rung now.

        None for a visit whose lease was lost to another worker: nothing of it is kept.
        """

    def limit(self, customer: str, remote: str, limits: Limits) -> None:
        """Keep the remote's requests within these rates from now on, whoever asks."""

    def group_sizes(self, customer: str, groups: Sequence[str]) -> dict[str, int]:
        """Of those of the groups (`EDR/GROUP`) whose size was shown in the last day, how large they are."""

    def keep_group_size(self, customer: str, group: str, size: int) -> None:
        """An EDR showed so many endpoints in it just now, or so many at least."""

    def spend(self, customer: str, remote: str, *, may_use_reserve: bool) -> timedelta | None:
        """Take one request out of the remote's allowance; how long to stay away instead, if that is used up.

        What is left of it for urgent rows counts only where the request `may_use_reserve`.
        """

    def stay_away(self, customer: str, remote: str, retry_after: timedelta) -> None:
        """The remote asked to be left alone for so long: nobody asks it before."""

    def compact(self, before: datetime, limit: int) -> int:
        """Pack up to `limit` threats whose rows were all settled before this instant, and of which none failed.

        They are shown as ever, and what is wanted again is recognised as ever, but they take little room. How many were packed.
        """

    def requeue(self, row_id: str, *, by: str, life: timedelta) -> Ring | Refusal:
        """Bring a failed row back with a new generation, or let a held one pass the guard that held it: a person's decision.

        Refused is what the kill switch still holds, and an isolation that is older than a release of its endpoint.
        """

    def approve(self, row_id: str, *, by: str, reason: str, life: timedelta) -> Ring | Refusal:
        """As `requeue` of what a guard holds; what is not held is refused."""

    def deny(self, row_id: str, *, by: str, reason: str) -> list[Ring] | Refusal:
        """Call off what a guard holds; returns what waited for it."""

    def held(self, customer: str) -> list[Row]:
        """What guards and kill switches hold, the oldest first."""

    def resolve(self, row_id: str, *, by: str, was_sent: bool) -> list[Ring] | Refusal:
        """A person says what became of an unknown delivery: it is done, or it is pending as if it had never begun."""

    def seat(self, row_id: str, counted: str, digest: Digest) -> Seat | None:
        """The delivery's place in a digest, or None if it is sent alone. Asked again, the answer is the same row.

        `counted` names what is counted together. No row gets a seat behind a carrier whose wait is over.
        """

    def gathered(self, row_id: str) -> list[Delivery]:
        """The deliveries that this row is sent for, its own first; empty unless it carries a digest."""

    def due(self, limit: int, again: timedelta, *, room: Mapping[str, int] | None = None) -> list[Ring]:
        """What is due and in nobody's hands, all customers alike; not due again before `again`.

        Of each customer events, isolations and releases come first, and leave something to the rest. Of either, half is what has
        been due for longest, and half what has just become due: what a lost worker held does not wait behind a flood, and its
        ring `is_first`. Put off and not given out is what its remote could not take now, or its queue, which has `room` for so many.
        """

    def remind(self, limit: int) -> int:
        """Write down as events which isolations are not in effect in time, up to `limit`; each once per step. How many."""

    def mind_holds(self, terms: Mapping[str, HoldTerms], *, most: int) -> list[Ring]:
        """Call off what guards hold for longer than the customer's terms allow, up to `most` of each; returns what waited for it.

        Written down as events are what has ended so, and what is still held when people are to be told of it again: all that one guard
        holds of a customer as one.
        """

    def acknowledge(self, row_id: str, *, by: str, reason: str) -> Refusal | None:
        """A person knows that an open isolation is not in effect: nobody is reminded of it any more, and it goes on."""

    def tick(self, name: str, window: timedelta) -> bool:
        """Whether this is the first call with `name` in the current window: two schedulers make one tick."""

    def is_first(self, name: str, who: str, kept: timedelta) -> bool:
        """Whether `who` was the first to ask by this name while it is kept; whoever was is told so again."""

    def cursor(self, customer: str, feed: str) -> str:
        """How far the feed was read; the empty text if it never was. Raises Unbelievable for what somebody else wrote there."""

    def move_cursor(self, customer: str, feed: str, expected: str, new: str) -> bool:
        """Move it on if it still stands where it is expected; otherwise another reader has moved it."""

    def refuse(self, customer: str, feed: str, records: Sequence[KeptRecord]) -> list[tuple[Fate, str]]:
        """Keep each record that could not be read, as far as there is room; the others are counted, each once.

        With each comes since when records of its kind are refused, which stays the same until the last of the kind is let go;
        empty for kinds that are too many.
        """

    def refused(self, customer: str) -> list[KeptRecords]:
        """What is kept, of every feed that has any."""

    def let_go(self, customer: str, feed: str, keys: Sequence[str], *, is_looked_at: bool) -> int:
        """Take records off the list; returns how many were on it. What a person `is_looked_at` does not come back for some days."""

    def now(self) -> datetime:
        """By the ledger's clock, which alone says whether a pause has ended."""

    def pause(self, customer: str | None, scope: str, reason: str, *, by: str = "", until: datetime | None = None) -> Pause | None:
        """Close the kill switch for `*`, `edr:NAME` or `verb:NAME` of one customer; None: of all, known or not.

        It holds everything but releases, which give access back, and deliveries; nothing any more from `until` on. Returns the pause
        that was recorded before and is not any more: what that held says from now on what this one does.
        """

    def resume(self, customer: str | None, scope: str, *, by: str = "") -> list[Ring]:
        """Open it again, and bring what it held back. The switch of all customers is another one than theirs."""

    def end_pauses(self) -> Ended:
        """Bring back what switches held that are not closed any more, and forget the pauses whose end has come."""

    def pauses(self, customer: str | None) -> dict[str, Pause]:
        """By scope the closed switches, and those whose end has come and that `end_pauses` has not seen since."""

    def containments(self, customer: str, lanes: Sequence[str]) -> dict[str, Containment]:
        """By lane, what the EDR last showed of each endpoint, whatever threat moved it; nothing of those it was not asked about."""

    def isolated(self, customer: str) -> list[Containment]:
        """The endpoints that their EDR last showed isolated, the longest first. Of what it was not asked about nothing is known."""

    def showed(self, customer: str, listed: Containment, *, is_isolated: bool, evidence: str) -> bool:
        """The EDR was asked about an endpoint that was `listed` as isolated. False: a worker has seen something since, which holds."""

    def knows(self, customer: str, once_prefix: str) -> set[str]:
        """The `once` keys under the prefix: what has been told."""

    def forget(self, customer: str, once_keys: Iterable[str]) -> None:
        """Drop these `once` keys, so that the same may be told again."""

    def customers(self) -> list[str]:
        """Every customer that the ledger has seen."""

    def threats(self, customer: str, *, since: datetime, limit: int) -> list[ThreatRecord]:
        """The newest threats first."""

    def threat(self, customer: str, threat_id: str) -> ThreatRecord | None:
        """One threat, with its timeline."""

    def rows(self, customer: str, threat_id: str) -> list[Row]:
        """The rows of a threat, in plan order."""

    def made(self, customer: str, threat_id: str) -> list[Made]:
        """The rows of a threat as their undo needs them, in plan order."""

    def row(self, row_id: str) -> Row | None:
        """One row."""


class Trail(Protocol):
    """What the ledger tells of itself, so that others can keep it. Raises LedgerUnavailable. Instants are in ms of its clock."""

    def with_moves(self) -> list[str]:
        """The customers of whom something moved that is not chained, `EVERYONE` among them."""

    def unchained(self, customer: str, most: int, keeper: str) -> Moves | None:
        """The oldest of these. None where another folder than `keeper` has the customer's chain, and has gone on with it lately."""

    def waiting(self, customer: str) -> Moves:
        """What is not chained, for a look."""

    def timelines(self, customer: str) -> Iterator[TimelineSeen]:
        """Of every threat."""

    def timelines_of(self, customer: str, threat_ids: Sequence[str]) -> list[TimelineSeen]:
        """Of these threats."""

    def chained(self, customer: str, first: int, count: int) -> bool:
        """They are chained, and need not be kept. False: others have said so."""

    def now(self) -> int:
        """What its clock shows."""

    def switches(self, customer: str) -> list[str]:
        """The scopes of the customer's kill switches that are closed, or were until the clock opened them."""

    def rows(self, customer: str, row_ids: Sequence[str]) -> list[RowSeen]:
        """As they stand."""

    def lanes(self, customer: str, lanes: Sequence[str]) -> dict[str, float]:
        """Until when somebody works there, where anybody does."""

    def remotes(self, customer: str, remotes: Sequence[str]) -> list[RemoteSeen]:
        """As they stand."""

    def events(self, customer: str, event_ids: Sequence[str]) -> list[EventSeen]:
        """As they stand."""


class Chains(Protocol):
    """The record outside Redis, a chain per customer. Raises RecordUnusable, and KeyUnusable without the key of `audit`."""

    def name(self) -> str:
        """Tells this record from others."""

    def customers(self) -> list[str]:
        """Of whom there is a chain, `EVERYONE` among them."""

    def append(self, customer: str, taken: Moves) -> list[str]:
        """Chain and seal what is not in the chain yet; on the disk when this returns. Returns what does not follow from the chain."""

    def standing(self, customer: str) -> Standing:
        """What follows from it."""

    def anchor(self, customer: str) -> Anchor | None:
        """Its signed end."""


class Witness(Protocol):
    """Somebody elsewhere who keeps the ends of chains."""

    def tell(self, ends: Mapping[str, Anchor]) -> None:
        """By customer. Raises RecordUnusable where they cannot be told."""


class Door(Protocol):
    """The list of what was offered to the ledger. Raises RecordUnusable."""

    def offered(self, events: Sequence[tuple[str, ...]]) -> None:
        """Customer, id, type, checksum and JSON of each; on the disk when this returns."""

    def refused(self, events: Sequence[tuple[str, str]], why: str) -> None:
        """Customer and id of those that the ledger did not take, as their publisher knows."""

    def unlooked(self, before: float) -> tuple[list[Offered], str]:
        """What was offered before this, in seconds, since the last look and not refused; and the place behind it."""

    def looked(self, behind: str) -> None:
        """The next look goes on there."""


class Doorbell(Protocol):
    """Wakes workers. A lost or doubled ring costs latency, never an action. When a backlog stands, a message rings many."""

    def ring(self, rings: Sequence[Ring]) -> None:
        """Ring each."""

    def play(self, canvas: Canvas) -> None:
        """Ring a whole threat as one canvas."""

    def backlog(self) -> Mapping[str, int]:
        """Messages that stand in each queue."""


class Clock(Protocol):
    """The wall clock, for what people set by it (business hours). Leases and retries use the ledger's time."""

    def now(self) -> datetime:
        """Aware UTC."""
