"""Small working stand-ins for the ports, for tests of the pipeline alone: no sockets, no clocks, no mocks."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ar_workers.domain.actions import ACTIONS
from ar_workers.domain.canvas import Queue
from ar_workers.domain.capabilities import Capabilities, Capability, Means
from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.errors import EndpointNotFound, Unsupported
from ar_workers.domain.facts import Fact, Receipt, Sight
from ar_workers.domain.indicators import HashType
from ar_workers.domain.limits import Limits, Rate
from ar_workers.domain.policies import Policy
from ar_workers.domain.results import Answer, Result
from ar_workers.domain.verbs import UNDOES
from ar_workers.domain.verbs import VERBS as TABLE
from ar_workers.lists import Shelf
from ar_workers.pipeline.deliver import deliver
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.heartbeat import Heartbeat
from ar_workers.pipeline.respond import respond
from ar_workers.pipeline.services import Services
from ar_workers.receivers import TRE_RECEIVERS
from tests.clocks import ManualClock, a_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ar_workers.domain.actions import Action
    from ar_workers.domain.canvas import Canvas, Ring
    from ar_workers.domain.endpoints import Endpoint
    from ar_workers.domain.notifications import Delivery

#: One thing is left out that it cannot do, and its undo.
VERBS = tuple(verb for verb in ACTIONS if "quarantine_file" not in verb)
PLENTY = Limits(rates=(Rate(calls=10**6, per=timedelta(minutes=1)),), on_429="none", source="made up")

#: Those of this version.
KNOWN = Shelf(Path("/nowhere"))


@dataclass
class FakeEDR:
    """An EDR in a dict. `looks` and `answers` script what comes before the honest behaviour; an exception is raised."""

    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    looks: deque[Sight | Exception] = field(default_factory=deque)
    answers: deque[Exception] = field(default_factory=deque)
    effects: list[tuple[str, str]] = field(default_factory=list)
    so: set[tuple[str, str | None, str]] = field(default_factory=set)
    takes_effect: bool = True
    #: What is seen after an order was taken back; None cannot.
    withdrawn: Sight | None = None
    vendor: Vendor = Vendor.CROWDSTRIKE
    hash_types: tuple[HashType, ...] = (HashType.SHA256, HashType.MD5)
    limits: Limits = PLENTY

    @classmethod
    def capabilities(cls) -> tuple[Capability, ...]:
        both = (OS.WINDOWS, OS.MACOS)
        return tuple(Capability(edr=Vendor.CROWDSTRIKE, verb=verb, os=os, means=Means.NATIVE) for verb in VERBS for os in both)

    def endpoint(self, agent_id: str) -> Endpoint:
        if agent_id not in self.endpoints:
            raise EndpointNotFound(agent_id)
        return self.endpoints[agent_id]

    def members(self, group: str) -> Iterator[Endpoint]:
        yield from (each for each in self.endpoints.values() if group in (each.groups or ()))

    def observe(self, action: Action, receipt: Receipt | None) -> Fact:
        scripted = self.looks.popleft() if self.looks else None
        if isinstance(scripted, Exception):
            raise scripted
        sight = scripted or (Sight.PRESENT if self._effect(action) in self.so else Sight.ABSENT)
        return Fact(sight=sight, evidence=f"seen {sight}")

    def perform(self, action: Action, seen: Fact) -> Receipt:
        error = self.answers.popleft() if self.answers else None
        if error is None or getattr(error, "after_effect", False):
            self.effects.append((action.verb, action.label))
            if self.takes_effect:
                self._apply(action)
        if error:
            raise error
        return Receipt(reference=f"order-{len(self.effects)}")

    def withdraw(self, action: Action, receipt: Receipt) -> Fact:
        if self.withdrawn is None:
            raise Unsupported("it takes no order back")
        self.effects.append(("withdraw", action.label))
        return Fact(sight=self.withdrawn, evidence=f"seen {self.withdrawn}")

    def _apply(self, action: Action) -> None:
        opposite = TABLE[action.verb].undo or UNDOES.get(action.verb)
        self.so.discard((opposite or "", action.lane, action.target))
        self.so.add(self._effect(action))

    def _effect(self, action: Action) -> tuple[str, str | None, str]:
        return action.verb, action.lane, action.target


@dataclass
class FakeChannel:
    """A channel that remembers what it sent."""

    dedupes: bool = False
    marks_copies: bool = False
    answers: deque[Result] = field(default_factory=deque)
    history: Result | None = None
    sent: list[Delivery] = field(default_factory=list)

    def send(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result:
        result = self.answers.popleft() if self.answers else Result(answer=Answer.ACCEPTED, reference=delivery_id)
        if result.answer in {Answer.ACCEPTED, Answer.UNKNOWN}:
            self.sent.append(delivery)
        return result

    def reconcile(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result | None:
        return self.history


@dataclass
class InlineDoorbell:
    """Remembers the rings; `answer` works them off in order, as workers would."""

    rings: deque[Ring] = field(default_factory=deque)
    canvases: list[Canvas] = field(default_factory=list)

    def ring(self, rings: list[Ring]) -> None:
        self.rings.extend(rings)

    def play(self, canvas: Canvas) -> None:
        self.canvases.append(canvas)
        steps = deque(canvas.steps)
        while steps:
            step = steps.popleft()
            self.rings.append(step.ring)
            steps.extend(step.then)

    def backlog(self) -> dict[str, int]:
        found: defaultdict[str, int] = defaultdict(int)
        for ring in self.rings.copy():  # other threads may ring meanwhile
            found[ring.queue] += 1
        return found

    def answer(self, services: Services) -> None:
        while self.rings:
            ring = self.rings.popleft()
            verb = {Queue.RESPOND: respond, Queue.NOTIFY: deliver}.get(ring.queue, execute)
            verb(services, ring.ids)


def some_services(*, policy: Policy | None = None, edr: FakeEDR | None = None, **more: object) -> Services:
    """The pipeline over a ledger in memory, one customer `acme` with one EDR, and channels that always accept.

    `channels` are the TREs' by name, `email` the mail of `acme`; of `acme`'s own receivers by name are `receivers`.
    """
    clock = more.pop("clock", None) or ManualClock()
    policy = policy or Policy(
        customer="acme",
        remediate_groups={Vendor.CROWDSTRIKE: frozenset({"Remediate"})},
        summary_emails=("soc@acme.example",),
        unsupported_os_emails=("it@acme.example",),
    )
    edr = edr or FakeEDR()
    ledger = more.pop("ledger", None) or a_ledger(clock)
    parts = {
        "ledger": ledger,
        "heartbeat": Heartbeat(ledger, timedelta(minutes=1)),
        "doorbell": InlineDoorbell(),
        "clock": clock,
        "random": lambda: 0.5,
        "policies": {policy.customer: policy},
        "edrs": {(policy.customer, edr.vendor): edr},
        "capabilities": Capabilities(edr.capabilities(), {edr.vendor: edr.hash_types}),
        "tre_receivers": TRE_RECEIVERS,
        "lease": timedelta(minutes=1),
        "well_known": KNOWN,
        "sleep": lambda seconds: clock.advance(timedelta(seconds=seconds)),
    }
    channels = more.pop("channels", None) or {"slack": FakeChannel(), "pagerduty": FakeChannel(dedupes=True), "email": FakeChannel()}
    owned = {(policy.customer, "") if name == "email" else ("tre", name): channel for name, channel in channels.items()}
    own = {(policy.customer, name): channel for name, channel in more.pop("receivers", {}).items()}
    return Services(**(parts | more), channels=owned | own)
