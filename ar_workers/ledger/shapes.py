"""What goes into the ledger's scripts and what comes out of its keys, as values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..domain.canvas import Queue, Ring
from ..domain.claims import Claim, Refusal
from ..domain.events import Own
from ..domain.people import Decision
from ..domain.retries import Hindrance
from ..domain.rows import Containment, Row, ThreatRecord, TimelineEntry
from ..domain.seals import Sealed, Word, about_row, base_name, read_seal, read_word, sealed_row
from ..domain.states import State
from ..domain.threats import Threat
from .packing import unpacked

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from ..domain.claims import VisitResult
    from ..domain.events import Event
    from ..domain.new_rows import EventPlan, NewRow
    from ..domain.seals import Flaw
    from ..ports import Seals


_MS = timedelta(milliseconds=1)


def customer_of(row_id: str) -> str:
    """Whose row it is."""
    return row_id.partition(":")[0]


def in_ms(duration: timedelta) -> int:
    """As the scripts count."""
    return duration // _MS


def texts_of(events: Sequence[Event], seals: Seals, by: str = "") -> Iterator[tuple[str, str]]:
    """The JSON of each event, and its seal: that of who it is `by`, where they are a person's own word.

    What the service says of itself has none: it is told to people only, and by workers that may not seal events.
    """
    texts = [(event, event.model_dump_json()) for event in events]
    sealed = [(event.customer, event.id, text) for event, text in texts if not isinstance(event, Own)]
    given = iter([seals.asked(*each, by=by) for each in sealed] if by else seals.events(sealed))
    return ((text, "" if isinstance(event, Own) else next(given)) for event, text in texts)


def acceptance(event: Event, text: str, seal: str, grace: int) -> tuple[str | int, ...]:
    """The arguments of `accept.lua`."""
    threat = getattr(event, "threat", None)
    threat_json = threat.model_dump_json() if threat else ""
    as_of = _as_of(event)
    standing = event.type if as_of else ""
    return (event.id, event.checksum, text, event.threat_id, threat_json, grace, event.remark, standing, as_of, seal)


def to_be_sealed(plan: EventPlan) -> list[tuple[str, Sealed]]:
    """What of a plan may be done: of a "no" nothing comes."""
    event = plan.event
    return [(event.id, sealed_row(row, event.customer, event.threat_id)) for row in plan.rows if row.state is State.PENDING]


def planned(plan: EventPlan, grace: int, unrung: Container[str], sealed: Iterator[str]) -> tuple[str | int, ...]:
    """The arguments of `record.lua`; rows of the queues `unrung` have no grace. Each that may be done takes the next seal."""
    event = plan.event
    parts: list[str | int] = []
    for row in plan.rows:
        parts += _new_row(row, 0 if row.queue in unrung else grace, next(sealed) if row.state is State.PENDING else "")
    return (event.id, event.threat_id, _since_1970(event.occurred_at), _as_of(event), plan.closes or "", *parts)


def _as_of(event: Event) -> int | str:
    """In ms; nothing where no source tells it."""
    as_of = getattr(event, "as_of", None)
    return _since_1970(as_of) if as_of else ""


def _since_1970(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _new_row(row: NewRow, grace: int, seal: str) -> tuple[str | int, ...]:
    return (
        row.id,
        row.kind,
        row.verb,
        row.edr,
        row.subject,
        row.queue,
        row.label,
        row.lane or "",
        row.remote,
        row.order,
        row.state,
        row.reason,
        in_ms(row.life),
        in_ms(row.wait),
        grace,
        int(row.has_fallback),
        row.once or "",
        row.asked_by,
        row.undoes,
        in_ms(row.watch),
        int(row.is_dry),
        seal,
        len(row.after),
        *row.after,
    )


def claim_of(row_id: str, reply: Sequence[Any], seals: Seals) -> Claim | Refusal:
    """The answer of `claim.lua`, with what is wrong with its seals."""
    granted, *parts = reply
    if granted == "no":
        return Refusal(reason=parts[0])
    threat, kind, order, was, fence, attempts, looks, crashes, generation, receipt, late, approved, cleared, unseen, *more = parts
    thread, lost, blanks, called_off, verb, edr, lane, remote, hindered, hindered_for, seal, approvals, planned_for, decisions = more
    customer, name = customer_of(row_id), base_name(row_id)
    flaw = seals.row_flaw(Sealed(customer, planned_for, name, kind, verb, edr, lane, remote, order), seal)
    guards, let_pass = _passed(row_id, int(generation), approved, approvals, seals) if approved else ({}, None)
    return Claim(
        row_id=row_id,
        customer=customer,
        threat_id=threat,
        kind=kind,
        order=order,
        verb=verb,
        edr=edr,
        lane=lane,
        remote=remote,
        was=State(was),
        fence=int(fence),
        attempts=int(attempts),
        looks=int(looks),
        crashes=int(crashes),
        blanks=int(blanks),
        hindered=Hindrance(hindered),
        hindered_for=timedelta(milliseconds=float(hindered_for)),
        called_off=called_off,
        generation=int(generation),
        receipt=receipt,
        is_late=late == "1",
        approved=frozenset(guards),
        approved_by=guards,
        asked_by=_asked_by(row_id, int(generation), decisions, seals) if guards else "",
        forged=next((each.reason for each in (flaw, let_pass) if each), ""),
        is_cleared=cleared == "1",
        is_lost=lost == "1",
        unseen_for=timedelta(milliseconds=float(unseen)),
        thread=thread,
    )


def _passed(row_id: str, generation: int, approved: str, approvals: str, seals: Seals) -> tuple[dict[str, str], Flaw | None]:
    return seals.approved(row_id, generation, frozenset(filter(None, approved.split(","))), approvals.splitlines())


def _asked_by(row_id: str, generation: int, decisions: str, seals: Seals) -> str | None:
    """Who has requeued it; empty for what nobody has, None where there is no good word of it."""
    if generation == 1:
        return ""
    said = seals.said(Decision.REQUEUE, about_row(row_id, generation), _last_requeue(decisions))
    return said.by if isinstance(said, Word) else None


def _last_requeue(decisions: str) -> str:
    return next((each for each in reversed(decisions.splitlines()) if f" {Decision.REQUEUE} " in each), "")


def _said_to_be_asked_by(decisions: str) -> str:
    """As it stands, for people."""
    seal = read_seal(_last_requeue(decisions))
    word = seal and read_word(seal.rest)
    return word.by if word else ""


def conclusion(claim: Claim, found: VisitResult) -> tuple[str | int, ...]:
    """The arguments of `conclude.lua`."""
    return (
        claim.row_id,
        claim.fence,
        found.state,
        found.reason,
        in_ms(found.after),
        int(found.counts),
        int(found.receipt is not None),
        found.receipt or "",
        found.reference,
        found.evidence,
        found.health,
        found.guard or "",
        "" if found.is_blank is None else int(found.is_blank),
        found.cause,
        found.hindered,
        int(found.would),
    )


def rings_of(flat: Sequence[str], customer: str = "") -> list[Ring]:
    """Rings as the scripts give them: id, queue, label, lane, and so on."""

    def named(ring_id: str) -> str:
        return f"{customer}:{ring_id}" if ring_id.startswith("event/") else ring_id

    parts = iter(flat)
    quads = zip(parts, parts, parts, parts, strict=True)
    return [Ring(id=named(name), queue=Queue(queue), label=label, lane=lane) for name, queue, label, lane in quads]


def at_head(flat: Sequence[str]) -> list[Ring]:
    """The same, of what goes to the head of its queue."""
    return [replace(ring, is_first=True) for ring in rings_of(flat)]


def _at(ms: str | None) -> datetime | None:
    return datetime.fromtimestamp(int(ms) / 1000, UTC) if ms else None


def threat_of(customer: str, threat_id: str, found: dict[str, str], timeline: list[str], text: str | None) -> ThreatRecord:
    """A threat from its hash, its timeline, and what it was packed into."""
    old = unpacked(text) if text else {"timeline": [], "threat": None}
    kept = found.get("json") or old["threat"]
    return ThreatRecord(
        customer=customer,
        id=threat_id,
        threat=Threat.model_validate_json(kept) if kept else None,
        accepted_at=datetime.fromtimestamp(int(found["accepted_at"]) / 1000, UTC),
        closed=found.get("closed", ""),
        timeline=(*map(TimelineEntry.model_validate, old["timeline"]), *map(_entry, timeline)),
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
    "acknowledged_at": "acknowledged_at",
}


_ACKNOWLEDGED = ("acknowledged_by", "acknowledged_why")


def row_of(customer: str, row_id: str, found: dict[str, str]) -> Row:
    """A row from its hash."""
    plain = ("kind", "verb", "edr", "subject", "label", "queue", "state", "reason", "evidence", "reference", *_ACKNOWLEDGED)
    known = {name: found[name] for name in plain if name in found}
    instants = {ours: _at(found.get(theirs)) for ours, theirs in _INSTANTS.items()}
    return Row.model_validate(
        {
            "id": row_id,
            "customer": customer,
            "threat_id": found["threat"],
            "lane": found.get("lane") or None,
            "held_by": found.get("held_by", "") if found["state"] == State.HELD else "",
            "held_at": _at(found.get("held_at")) if found["state"] == State.HELD else None,
            "attempts": int(found.get("attempts") or 0),
            "generation": int(found.get("generation") or 1),
            "asked_by": _said_to_be_asked_by(found.get("decisions", "")),
            "is_dry": found.get("dry") == "1",
            "would": found.get("would") == "1",
            **known,
            **instants,
        }
    )


#: What of an endpoint's own record is read.
SHOWN = ("shown", "shown_at", "since", "threat", "host", "evidence", "is_ours", "released_by")


def containment_of(lane: str, found: Sequence[str | None]) -> Containment | None:
    """What an endpoint's own record says, from its fields `SHOWN`; None if the EDR was never asked about it."""
    shown, at, since, threat, host, evidence, is_ours, released_by = found
    seen = _at(at)
    if not shown or seen is None:
        return None
    return Containment(
        is_isolated=shown == "isolate",
        at=seen,
        lane=lane,
        hostname=host or lane.partition("/")[2],
        evidence=evidence or "",
        since=(_at(since) or seen) if shown == "isolate" else None,
        threat_id=threat or "",
        is_ours=is_ours != "0",
        released_by=released_by or "",
    )
