"""R14: a model of the ledger that fits on a page, and a machine that lets hypothesis drive both against each other.

Time has two values here: a wait or a lease is either over at once, or not within the test.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, precondition, rule

from ar_workers.domain.canvas import Queue
from ar_workers.domain.claims import Claim, Refusal, VisitResult
from ar_workers.domain.guards import Guard
from ar_workers.domain.new_rows import EventPlan, NewRow
from ar_workers.domain.rows import Acceptance
from ar_workers.domain.states import FREES_DEPENDENTS, MOVES, TERMINAL, State
from ar_workers.domain.verbs import CONTAINMENT, GIVING_BACK, UNDOES
from tests.builders import a_threat, a_threat_published
from tests.chaos.oracle import Verdict, _moves

if TYPE_CHECKING:
    from collections.abc import Callable

    from ar_workers.ports import Ledger

NOW, LATER = timedelta(0), timedelta(hours=2)
OVER, LONG = timedelta(milliseconds=1), timedelta(hours=1)
#: What is isolated and released, and what is banned and unbanned for the whole tenant.
ENDPOINTS, HASHES = ("a1", "a2"), ("h1",)
#: What a later undo makes of an order.
CALLED_OFF = {State.PENDING, State.PERFORMED, State.UNKNOWN, State.HELD, State.FAILED}
#: Before what is banned, where an endpoint's id stands in the lanes of the others.
TENANT = "tenant/"
#: A rest, so that what is over at once is over.
TICK = 0.002


@dataclass
class Model:
    """One row as it must be."""

    id: str
    verb: str
    lane: str
    threat: str
    epoch: int
    state: State = State.PENDING
    was: State = State.PENDING
    fence: int = 0
    expired: bool = False
    due: bool = True
    begun: bool = False
    cancel: bool = False
    crashes: int = 0
    generation: int = 1
    waits_for: set[str] = field(default_factory=set)
    held_by: str = ""
    approved: frozenset[str] = frozenset()
    owner: str = ""
    #: Other threats that want it, too.
    shared: list[str] = field(default_factory=list)


@dataclass
class Lane:
    """Who has an endpoint, or a ban and its undo, with how many rows, and whether that is over."""

    owner: str
    held: int = 0
    expired: bool = False


class LedgerMachine(RuleBasedStateMachine):
    """Subclasses say how a new ledger is made."""

    new_ledger: Callable[[], Ledger]
    claims = Bundle("claims")

    @initialize()
    def begin_anew(self) -> None:
        self.ledger = type(self).new_ledger()
        self.rows: dict[str, Model] = {}
        self.undone: dict[str, int] = {}
        self.latest: dict[str, list[str]] = {}
        self.lanes: dict[str, Lane] = {}
        self.paused = self.everyone_paused = False
        self.closed: set[str] = set()
        self.numbers = itertools.count()

    @rule(agent=st.sampled_from(ENDPOINTS + HASHES), follower=st.booleans())
    def order(self, agent: str, follower: bool) -> None:
        """A threat whose plan isolates, and has perhaps a kill that waits for it; or one that bans, perhaps not the first."""
        number = next(self.numbers)
        if agent in HASHES:
            self._record(f"T-{number}", [new_row("ban_hash", agent)], f"{TENANT}{agent}")
            return
        rows = [new_row("isolate", number, agent)]
        if follower:
            rows.append(new_row("kill_process", number, agent, after=(rows[0].id,)))
        self._record(f"T-{number}", rows, agent)

    @rule(agent=st.sampled_from(ENDPOINTS + HASHES))
    def undo(self, agent: str) -> None:
        lane, number = f"{TENANT}{agent}" if agent in HASHES else agent, next(self.numbers)
        self.undone[lane] = self.undone.get(lane, 0) + 1
        row = new_row("unban_hash", agent) if agent in HASHES else new_row("release", number, agent)
        self._record(f"T-{number}", [row], lane)

    def _kept_as(self, each: NewRow, threat: str) -> str | None:
        """The id of a new row; None where one that is open is shared."""
        known = self.latest.setdefault(each.id, [])
        last = self.rows[known[-1]] if known else None
        if last and not (last.state in TERMINAL or last.cancel or self._is_superseded(last)):
            last.shared.append(threat)
            return None
        known.append(f"{each.id}.{len(known) + 1}" if known else each.id)
        return known[-1]

    def _record(self, threat: str, rows: list[NewRow], lane: str) -> None:
        event = a_threat_published(id=f"ev-{threat}", threat=a_threat(id=threat), endpoints=())
        assert self.ledger.accept([event, event]) == [Acceptance.NEW, Acceptance.DUPLICATE]
        assert self.ledger.record([EventPlan(event=event, rows=rows)]) != [None]
        assert self.ledger.record([EventPlan(event=event, rows=rows)]) == [None]
        for each in rows:
            name = self._kept_as(each, threat)
            if name is None:
                continue
            waits = set(each.after)
            state = State.WAITING if waits else State.PENDING
            self.rows[name] = Model(name, each.verb, lane, threat, self.undone.get(lane, 0), state, waits_for=waits)

    @precondition(lambda self: self.rows)
    @rule(target=claims, data=st.data(), lease=st.sampled_from([OVER, LONG, LONG]))
    def claim(self, data: st.DataObject, lease: timedelta) -> Any:
        """One message may ring several rows: each is answered for itself, in their order."""
        names = data.draw(st.lists(st.sampled_from(sorted(self.rows)), min_size=1, max_size=3, unique=True))
        owner = f"o{next(self.numbers)}"
        answers = self.ledger.claim(names, owner=owner, lease=lease, caps={})
        for name, answer in zip(names, answers, strict=True):
            self._claimed(self.rows[name], owner, answer)
        for row in (self.rows[each.row_id] for each in answers if isinstance(each, Claim)):
            row.expired = self.lanes[row.lane].expired = lease is OVER
        time.sleep(TICK)
        return multiple(*(each for each in answers if isinstance(each, Claim)))

    def _claimed(self, row: Model, owner: str, answer: Claim | Refusal) -> None:
        expected = self._may_claim(row, owner)
        if expected is not None:
            assert isinstance(answer, Refusal), (row, answer)
            assert answer.reason == expected, (row, answer)
            return
        assert isinstance(answer, Claim), (row, answer)
        assert answer.is_lost == (row.state is State.LEASED), (row, answer)
        row.crashes += answer.is_lost
        row.was, row.state = self._left_behind(row), State.LEASED
        row.begun = row.begun or row.was is State.PENDING
        row.fence, row.owner, row.expired = row.fence + 1, owner, False
        lane = self.lanes.get(row.lane)
        if lane is None or lane.owner != owner:
            lane = self.lanes[row.lane] = Lane(owner)
        lane.held += 1
        assert (answer.was, answer.fence, answer.crashes, answer.generation) == (row.was, row.fence, row.crashes, row.generation)
        assert answer.is_cleared == (row.was is State.PENDING)
        assert answer.approved == row.approved

    def _may_claim(self, row: Model, owner: str) -> str | None:
        """Why it must be refused, if it must. What was never begun is moved where it belongs at once."""
        if row.state is State.LEASED and not row.expired:
            return "leased"
        if row.state not in {State.LEASED, State.PENDING, State.PERFORMED, State.UNKNOWN}:
            return str(row.state)
        if row.state is not State.LEASED and not row.due:
            return "not due"
        lane = self.lanes.get(row.lane)
        if lane and lane.owner != owner and not lane.expired:
            return "its order or its undo is being worked on" if row.lane.startswith(TENANT) else "endpoint busy"
        is_over = self._is_superseded(row)
        return self._hindered(row) if is_over or self._left_behind(row) is State.PENDING else None

    def _hindered(self, row: Model) -> str | None:
        """Where the row belongs instead of into a write."""
        if row.cancel or self._is_superseded(row):
            self._settle(row, State.CANCELLED)
            return "cancelled"
        if row.verb not in GIVING_BACK and (self.everyone_paused or self.paused):
            self._settle(row, State.HELD)
            row.held_by = "everyone *" if self.everyone_paused else "*"
            return "held"
        return None

    @staticmethod
    def _left_behind(row: Model) -> State:
        if row.state is not State.LEASED:
            return row.state
        return State.UNKNOWN if row.was is State.PENDING and row.begun else row.was

    def _is_superseded(self, row: Model) -> bool:
        return row.verb in UNDOES.values() and row.epoch < self.undone.get(row.lane, 0)

    @rule(claim=claims)
    def begin(self, claim: Claim) -> None:
        row = self.rows[claim.row_id]
        answer = self.ledger.begin(claim, caps={})
        expected = "stale" if not self._is_ours(claim, row) or row.expired else self._hindered(row)
        assert answer == (expected and Refusal(reason=expected)), (row, answer)
        row.begun = row.begun or answer is None

    @rule(claim=claims, lease=st.sampled_from([OVER, LONG]))
    def renew(self, claim: Claim, lease: timedelta) -> None:
        """A heart beats for whoever still has the row."""
        row = self.rows[claim.row_id]
        self.ledger.renew([claim], lease)
        if self._is_ours(claim, row) and not row.expired:
            row.expired = lease is OVER
            lane = self.lanes.get(row.lane)
            if lane and lane.owner == row.owner and not lane.expired:
                lane.expired = lease is OVER
        time.sleep(TICK)

    @rule(claim=consumes(claims), to=st.sampled_from(sorted(MOVES[State.LEASED])), after=st.sampled_from([NOW, NOW, LATER]))
    def conclude(self, claim: Claim, to: State, after: timedelta) -> None:
        row = self.rows[claim.row_id]
        finding = VisitResult(state=to, after=after, guard=Guard.PROTECTED if to is State.HELD else None)
        (answer,) = self.ledger.conclude([(claim, finding)])
        if not self._is_ours(claim, row):
            assert answer is None, f"a stale claim was concluded: {row}"
            return
        assert answer is not None, row
        rings = {ring.id for ring in answer}
        if to is State.PENDING:
            row.begun = False
            to = State.CANCELLED if row.cancel else to
        if to in CALLED_OFF and self._is_superseded(row):
            to = State.CANCELLED
        if to is State.HELD:
            row.held_by = Guard.PROTECTED
        freed = self._settle(row, to)
        row.due = after is NOW
        assert freed <= rings, (row, rings)
        time.sleep(TICK)

    @staticmethod
    def _is_ours(claim: Claim, row: Model) -> bool:
        return row.state is State.LEASED and row.fence == claim.fence

    def _settle(self, row: Model, to: State) -> set[str]:
        """Move the row and let go of its endpoint; what it frees."""
        lane = self.lanes.get(row.lane)
        if row.state is State.LEASED and lane and lane.owner == row.owner:
            lane.held -= 1
            if lane.held <= 0:
                del self.lanes[row.lane]
        row.state = to
        freed = set()
        if to in FREES_DEPENDENTS:
            for other in self.rows.values():
                if row.id in other.waits_for:
                    other.waits_for.discard(row.id)
                    if other.state is State.WAITING and not other.waits_for:
                        other.state, other.due = State.PENDING, True
                        freed.add(other.id)
        return freed

    @precondition(lambda self: self.rows)
    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        row = self._one(data)
        answer = self.ledger.requeue(row.id, by="kim", life=LONG)
        is_paused = row.held_by in {"*", "everyone *"} and row.verb not in GIVING_BACK and (self.paused or self.everyone_paused)
        is_allowed = row.state is State.FAILED or (row.state is State.HELD and not is_paused)
        if self._is_superseded(row) or not is_allowed:
            assert isinstance(answer, Refusal), (row, answer)
            if self._is_superseded(row) and row.state is State.HELD:
                self._settle(row, State.CANCELLED)
            return
        assert not isinstance(answer, Refusal), (row, answer)
        if row.state is State.FAILED:
            row.generation += 1
            row.cancel, row.approved = False, frozenset()
        elif row.held_by == Guard.PROTECTED:
            row.approved |= {row.held_by}
        row.state, row.due, row.begun, row.crashes, row.held_by = State.PENDING, True, False, 0, ""
        time.sleep(TICK)

    @rule(everyone=st.booleans(), is_over=st.booleans())
    def pause(self, everyone: bool, is_over: bool) -> None:
        """One whose end has come holds nothing any more, and takes the place of one that did."""
        self.ledger.pause(None if everyone else "acme", "*", "maintenance", by="kim", until=self.ledger.now() if is_over else None)
        if everyone:
            self.everyone_paused = not is_over
        else:
            self.paused = not is_over

    @rule()
    def end_pauses(self) -> None:
        back = {ring.id for ring in self.ledger.end_pauses().rings}
        open_now = {scope for scope, is_closed in (("*", self.paused), ("everyone *", self.everyone_paused)) if not is_closed}
        self._come_back(back, open_now)

    @rule(everyone=st.booleans())
    def resume(self, everyone: bool) -> None:
        back = {ring.id for ring in self.ledger.resume(None if everyone else "acme", "*", by="kim")}
        self.paused, self.everyone_paused = self.paused and everyone, self.everyone_paused and not everyone
        self._come_back(back, {"everyone *" if everyone else "*"})

    def _come_back(self, back: set[str], scopes: set[str]) -> None:
        """What these switches held, and nothing else."""
        held = {row.id for row in self.rows.values() if row.state is State.HELD and row.held_by in scopes}
        assert back == held
        for name in held:
            self.rows[name].state, self.rows[name].due = State.PENDING, True
        time.sleep(TICK)

    @precondition(lambda self: self.rows)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        threat = self._one(data).threat
        if any(row.shared for row in self.rows.values() if row.threat == threat):
            return  # it is left to the other threat, of which the tests of closings tell
        number = next(self.numbers)
        event = a_threat_published(id=f"close-{number}", threat=a_threat(id=threat), endpoints=())
        self.ledger.accept([event])
        assert self.ledger.record([EventPlan(event=event, rows=[], closes="closed")]) != [None]
        for row in [row for row in self.rows.values() if row.threat == threat and row.verb not in GIVING_BACK]:
            if row.state in {State.WAITING, State.PENDING, State.HELD}:
                self._settle(row, State.CANCELLED)
            elif row.state not in TERMINAL:
                row.cancel = True

    def _one(self, data: st.DataObject) -> Model:
        return self.rows[data.draw(st.sampled_from(sorted(self.rows)))]

    @invariant()
    def every_row_is_where_the_model_has_it(self) -> None:
        for row in getattr(self, "rows", {}).values():
            kept = self.ledger.row(row.id)
            assert (kept.state, kept.generation) == (row.state, row.generation), (row, kept)

    def teardown(self) -> None:
        """Nothing is forgotten: whatever is not settled or held will be rung; and the timelines tell only legal moves."""
        if not hasattr(self, "rows"):
            return
        rung = {ring.id for ring in self.ledger.due(10_000, LONG)}
        for row in self.rows.values():
            is_ripe = row.state in {State.PENDING, State.PERFORMED, State.UNKNOWN} and row.due
            if is_ripe or (row.state is State.LEASED and row.expired):
                assert row.id in rung, ("never rung", row)
            if row.state in TERMINAL:
                assert row.id not in rung, ("rung for nothing", row)
        verdict = Verdict()
        for threat in {row.threat for row in self.rows.values()}:
            _moves(verdict, self.ledger.threat("acme", threat).timeline)
        assert not verdict.illegal, verdict.illegal


def new_row(verb: str, number: int | str, agent: str = "", after: tuple[str, ...] = ()) -> NewRow:
    """On an endpoint, or without one for the whole tenant."""
    return NewRow(
        id=f"acme:{verb}:{number}", kind="action", verb=verb, edr="crowdstrike", subject=agent, after=after,
        queue=Queue.ISOLATION if verb in CONTAINMENT else Queue.IOC, label=verb, lane=f"crowdstrike/{agent}" if agent else None,
        order="{}", life=timedelta(days=1),
    )  # fmt: skip
