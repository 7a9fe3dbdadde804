"""Judges a run: the effects that the twins journaled, the inboxes, and the ledger, against what was ingested."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ar_workers.domain.notifications import Kind
from ar_workers.domain.states import MOVES, TERMINAL, State

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from ar_workers.domain.events import ThreatPublished
    from ar_workers.domain.rows import Row, TimelineEntry
    from ar_workers.ports import Ledger
    from tests.chaos.world import Effect

ENDPOINT_VERBS = frozenset({"isolate", "release"})
DESTRUCTIVE = frozenset({"kill_process", "delete_file", "delete_registry_key"})
#: A row's first state.
BEGINNINGS = frozenset({State.PENDING, State.SKIPPED, State.CANCELLED})


@dataclass
class Verdict:
    """What was found, each line with its evidence.

    `copies` are mails sent twice under one id, which a store folds; `doubts` are mails of which no server can tell whether
    they were sent, after one repetition: they wait for a person.
    """

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    illegal: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """0 lost, 0 doubled, everything settled, every move legal."""
        return not (self.lost or self.doubled or self.unsettled or self.failed or self.illegal)

    def add(self, other: Verdict) -> None:
        """What was found in another run, too."""
        for name, found in vars(other).items():
            getattr(self, name).extend(found)

    def counts(self) -> dict[str, int]:
        return {name: len(found) for name, found in vars(self).items()}

    def __str__(self) -> str:
        shown = [f"{name}: {line}" for name, lines in vars(self).items() if name not in {"copies", "doubts"} for line in lines[:8]]
        return "\n".join([str(self.counts()), *shown])


def judge(
    ledger: Ledger,
    journal: Sequence[dict[str, Any]],
    events: Iterable[ThreatPublished],
    expected: set[Effect],
    mailed: Container[str] = (),
) -> Verdict:
    """The verdict on everything that `events` were to bring about; of the threats `mailed` a mail, too."""
    verdict = Verdict()
    _effects(verdict, journal, expected)
    sent = _sent(journal)
    for event in events:
        rows = [row for row in ledger.rows(event.customer, event.threat_id) if not _is_by_the_clock(row)]
        record = ledger.threat(event.customer, event.threat_id)
        _conserved(verdict, event, rows, mails=int(event.threat_id in mailed))
        _settled(verdict, rows)
        _told(verdict, rows, sent)
        _moves(verdict, record.timeline if record else ())
    return verdict


def _is_by_the_clock(row: Row) -> bool:
    """What tells of an isolation that takes long: how many there are depends on how long the storm lasts, and a late one is not sent."""
    return row.kind == "delivery" and row.subject.partition(" ")[0] in {Kind.NOT_CONTAINED, Kind.CONTAINMENT_SETTLED}


def effects_in(journal: Iterable[dict[str, Any]]) -> Counter[Effect]:
    """How often each effect really happened."""
    changed = (each for each in journal if each["kind"] == "effect" and each["changed"])
    return Counter(_named(each) for each in changed)


def _named(entry: dict[str, Any]) -> Effect:
    verb, target = entry["verb"], str(entry["target"])
    if verb in ENDPOINT_VERBS:
        return entry["tenant"], verb, target, ""
    return entry["tenant"], verb, entry.get("agent_id", ""), target


def _effects(verdict: Verdict, journal: Iterable[dict[str, Any]], expected: set[Effect]) -> None:
    found = effects_in(journal)
    verdict.lost += [f"no effect {effect}" for effect in sorted(expected) if not found[effect]]
    verdict.doubled += [f"{number} times {effect}" for effect, number in found.items() if number > 1]
    verdict.doubled += [f"nobody asked for {effect}" for effect in found if effect not in expected]


def _sent(journal: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Messages by delivery: Slack and mail by their id, PagerDuty by the alerts that a key opened."""
    counted: defaultdict[str, int] = defaultdict(int)
    for each in journal:
        if each["kind"] != "message":
            continue
        if each["vendor"] == "slack":
            counted[each["body"]["metadata"]["event_payload"]["delivery_id"]] += 1
        elif each["vendor"] == "pagerduty":
            counted[each["id"]] += bool(each["opened"])
        else:
            counted[f"{each['id']}/{each['channel']}"] += 1
    return counted


def _conserved(verdict: Verdict, event: ThreatPublished, rows: Sequence[Row], *, mails: int) -> None:
    """Every endpoint and every indicator has exactly one row, and so has every copy of the news."""
    wanted = Counter({"isolate": len(event.endpoints), "slack": 1, "pagerduty": 1, "email": mails})
    verbs = {
        "process": "kill_process",
        "file": "delete_file",
        "registry": "delete_registry_key",
        "hash": "ban_hash",
        "domain": "ban_domain",
    }
    wanted.update(verbs[ioc.indicator.type] for ioc in event.iocs)
    there = Counter(row.verb for row in rows)
    verdict.lost += [f"{event.threat_id}: no row to {verb}" for verb in (wanted - there).elements()]
    verdict.doubled += [f"{event.threat_id}: one more row to {verb}" for verb in (there - wanted).elements()]


def _settled(verdict: Verdict, rows: Sequence[Row]) -> None:
    verdict.unsettled += [f"{row.id} {row.state} {row.reason}" for row in rows if not is_settled(row)]
    verdict.doubts += [row.id for row in rows if row.state is State.UNKNOWN and is_settled(row)]
    verdict.failed += [f"{row.id} {row.state}: {row.reason}" for row in rows if row.state in TERMINAL - {State.DONE, State.ALREADY}]


def is_settled(row: Row) -> bool:
    """Whether nothing more will come of the row by itself soon. A mail whose answers got lost twice waits for a person."""
    return row.state in TERMINAL or (row.verb == "email" and row.state is State.UNKNOWN and row.reason.endswith("cannot tell"))


def _told(verdict: Verdict, rows: Sequence[Row], sent: dict[str, int]) -> None:
    for row in rows:
        if row.verb == "slack" and row.state is State.DONE:
            _counted(verdict, row.id, sent.get(row.id, 0))
        elif row.verb == "pagerduty" and row.state is State.DONE:
            _counted(verdict, row.id, sent.get(row.reference, 0))
        elif row.verb == "email" and row.state is State.DONE:
            copies = sum(number for name, number in sent.items() if name.startswith(row.reference))
            _counted(verdict, row.id, min(copies, 1))
            verdict.copies += [row.id] * (copies - 1)


def _counted(verdict: Verdict, delivery: str, number: int) -> None:
    if number == 0:
        verdict.lost.append(f"{delivery} is done, and no message came")
    if number > 1:
        verdict.doubled.append(f"{delivery}: {number} messages")


def _moves(verdict: Verdict, timeline: Sequence[TimelineEntry]) -> None:
    """Each move is legal, and begins where the one before ended. The lease between is not written down."""
    at: dict[str, str] = {}
    for entry in timeline:
        if entry.text == "waiting":
            at[entry.row] = State.WAITING
        if entry.text.startswith("lease expired") and at.get(entry.row) == State.PENDING:
            at[entry.row] = "lost"
        left, arrow, right = entry.text.partition(" -> ")
        if not arrow:
            continue
        to = right.partition(":")[0]
        if not _is_legal(at.get(entry.row, "new"), left, to):
            verdict.illegal.append(f"{entry.row}: {at.get(entry.row, 'new')}, then {entry.text}")
        at[entry.row] = to


def _is_legal(before: str, left: str, to: str) -> bool:
    if before == "lost":  # begun or not: both are told by the next move
        before = left if left in {State.PENDING, State.UNKNOWN} else before
    if left != before or to not in set(State):
        return False
    if left == "new":
        return to in BEGINNINGS
    moves = MOVES[State(left)]
    return to in moves or (State.LEASED in moves and to in MOVES[State.LEASED])
