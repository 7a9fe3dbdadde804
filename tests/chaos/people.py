"""R17, R18, R20: what people and their channels do to the pipeline, in one process over a real ledger."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from ar_workers.domain.actions import IsolateEndpoint, ReleaseEndpoint
from ar_workers.domain.claims import Claim, Refusal, VisitResult
from ar_workers.domain.errors import OutcomeUnknown
from ar_workers.domain.new_rows import EventPlan, action_row
from ar_workers.domain.results import Answer, Result
from ar_workers.domain.states import TERMINAL, State
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.sweep import sweep
from tests.builders import a_threat, a_threat_published, an_endpoint
from tests.chaos.report import Outcome, percentile
from tests.clocks import ManualClock
from tests.fakes import FakeChannel, FakeEDR, InlineDoorbell, some_services

if TYPE_CHECKING:
    from collections.abc import Callable

    from ar_workers.domain.actions import Action
    from ar_workers.domain.facts import Fact, Receipt
    from ar_workers.pipeline.services import Services
    from ar_workers.ports import Ledger

LIFE = timedelta(hours=1)
LEASE = timedelta(minutes=1)
_numbers = itertools.count()


def channels_down(seed: int, *, hours: float, threats: int) -> Outcome:
    """R17, in the ledger's own time: Slack and PagerDuty answer 503 for so long, then everything must get through soon."""
    clock = ManualClock()
    channels = {name: _Down(clock, clock.at + timedelta(hours=hours), dedupes=name == "pagerduty") for name in ("slack", "pagerduty")}
    services = some_services(clock=clock, channels=channels, edr=FakeEDR())
    _unlimited(services)
    started, up_again = clock.at, clock.at + timedelta(hours=hours)
    for number in range(threats):
        endpoint = an_endpoint(f"PC-{number}")
        next(iter(services.edrs.values())).endpoints[endpoint.agent_id] = endpoint
        event = a_threat_published(id=f"e{number}", threat=a_threat(id=f"T-{number}"), endpoints=(endpoint,))
        ingest(services.ledger, services.doorbell, [event])
    waits, left = [], set(range(threats))
    while left and clock.at < up_again + timedelta(hours=8):
        services.doorbell.answer(services)
        clock.advance(timedelta(seconds=1 if clock.at < started + timedelta(minutes=1) else 10))
        sweep(services)
        for number in list(left):
            rows = services.ledger.rows("acme", f"T-{number}")
            if rows and all(row.state in TERMINAL for row in rows):
                left.discard(number)
                waits += [(row.settled_at - up_again).total_seconds() for row in rows if row.kind == "delivery"]
    isolations = [row for number in range(threats) for row in services.ledger.rows("acme", f"T-{number}") if row.verb == "isolate"]
    slowest = percentile([(row.settled_at - row.created_at).total_seconds() for row in isolations if row.settled_at], 0.95)
    sent = [len(channel.sent) for channel in channels.values()]
    passed = not left and max(waits) <= 600 and sent == [threats, threats] and slowest <= 5
    counts = {"undelivered": len(left), "sent": sum(sent), "last_after": max(waits, default=0.0), "isolation_p95": slowest}
    return Outcome("R17", f"channels down for {hours} h (virtual time)", seed, "all delivered <= 10 min after, once", passed, counts)


def _unlimited(services: Services) -> None:
    """The blast radius of a test's policy is a hundred; a flood of threats is not what is looked at here."""
    (policy,) = services.policies.values()
    services.policies[policy.customer] = policy.model_copy(
        update={"isolations_per_hour": 10**6, "bans_per_day": 10**6, "isolations_percent_of_group": 100}
    )


@dataclass
class _Down(FakeChannel):
    """A channel that is away until then."""

    clock: ManualClock = field(default_factory=ManualClock)
    until: object = None

    def __init__(self, clock: ManualClock, until: object, *, dedupes: bool) -> None:
        super().__init__(dedupes=dedupes)
        self.clock, self.until = clock, until

    def send(self, delivery: object, delivery_id: str, *, thread: str = "") -> Result:
        if self.clock.at < self.until:
            return Result(answer=Answer.RETRY, code="http 503")
        return super().send(delivery, delivery_id, thread=thread)


def requeue_race(ledger: Ledger, seed: int, *, rows: int, askers: int) -> Outcome:
    """R18: so many people requeue the same rows at once, of which every third is done; then workers race for them."""
    edr = FakeEDR()
    services = some_services(ledger=ledger, edr=edr, doorbell=InlineDoorbell())
    _unlimited(services)
    ids = []
    for number in range(rows):
        endpoint = an_endpoint(f"PC-{number}")
        edr.endpoints[endpoint.agent_id] = endpoint
        ids.append(recorded(ledger, IsolateEndpoint(customer="acme", edr=endpoint.edr, endpoint=endpoint)))
        state = State.DONE if number % 3 == 0 else State.FAILED
        ledger.conclude([(claimed(ledger, ids[-1]), VisitResult(state=state, reason="given up"))])
    with ThreadPoolExecutor(askers) as pool:
        answers = list(pool.map(lambda name: ledger.requeue(name, by="kim", life=LIFE), [name for name in ids for _ in range(askers)]))
        list(pool.map(lambda name: execute(services, [name]), ids * 3))
    for name in ids:  # those for which the EDR was busy at every try
        execute(services, [name])
    granted = sum(not isinstance(answer, Refusal) for answer in answers)
    failed = [name for number, name in enumerate(ids) if number % 3]
    doubled = len(edr.effects) - len(set(edr.effects))
    generations = {ledger.row(name).generation for name in failed}
    passed = granted == len(failed) == len(edr.effects) and doubled == 0 and generations == {2}
    counts = {"asked": len(answers), "granted": granted, "effects": len(edr.effects), "doubled": doubled}
    return Outcome("R18", f"{askers} requeues at once of {rows} rows", seed, "each failed row once, done ones never", passed, counts)


def recorded(ledger: Ledger, action: Action) -> str:
    """A plan of this one action, in a threat of its own; the row's id as the ledger keeps it."""
    number = next(_numbers)
    event = a_threat_published(id=f"only-{number}", threat=a_threat(id=f"ONLY-{number}"), endpoints=())
    ledger.accept([event])
    ledger.record([EventPlan(event=event, rows=[action_row(action, event.threat_id, after=(), life=LIFE)])])
    return ledger.rows("acme", event.threat_id)[0].id


def claimed(ledger: Ledger, row_id: str, lease: timedelta = LEASE) -> Claim:
    """The row, taken."""
    (claim,) = ledger.claim([row_id], owner=f"o{next(_numbers)}", lease=lease, caps={})
    assert isinstance(claim, Claim), claim
    return claim


@dataclass
class _Interrupted(FakeEDR):
    """Something happens in the middle of the isolation."""

    meanwhile: Callable[[], None] = lambda: None

    def perform(self, action: Action, seen: Fact) -> Receipt:
        if action.verb == "isolate":
            meanwhile, self.meanwhile = self.meanwhile, lambda: None
            meanwhile()
        return super().perform(action, seen)


#: When a person releases, seen from the isolation.
MOMENTS = ("queued", "leased", "in the call", "unknown without effect", "unknown after the effect", "accepted", "done")


def human_release(ledger: Ledger, moment: str) -> list[tuple[str, str]]:
    """R20: what the EDR did, if a person's release is recorded at that moment, and everything is worked off after it."""
    edr = _Interrupted()
    services = some_services(ledger=ledger, edr=edr)
    endpoint = an_endpoint(f"{moment}-{next(_numbers)}")
    edr.endpoints[endpoint.agent_id] = endpoint
    isolate = recorded(ledger, IsolateEndpoint(customer="acme", edr=endpoint.edr, endpoint=endpoint))
    released: list[str] = []

    def release() -> None:
        released.append(recorded(ledger, ReleaseEndpoint(customer="acme", edr=endpoint.edr, endpoint=endpoint)))

    _until(moment, services, edr, isolate, release)
    if not released:
        release()
    _work_off(services, isolate, released[0])
    return edr.effects


def _until(moment: str, services: Services, edr: _Interrupted, isolate: str, release: Callable[[], None]) -> None:
    lost = OutcomeUnknown("no answer")
    match moment:
        case "leased":
            claim = claimed(services.ledger, isolate, lease=timedelta(milliseconds=1))
            release()
            services.ledger.begin(claim, caps={})
        case "in the call":
            edr.meanwhile = release
            execute(services, [isolate])
        case "unknown without effect" | "unknown after the effect":
            lost.after_effect = moment == "unknown after the effect"
            edr.answers.append(lost)
            execute(services, [isolate])
        case "accepted":
            edr.takes_effect = False
            execute(services, [isolate])
            edr.takes_effect = True
        case "done":
            execute(services, [isolate])


def _work_off(services: Services, isolate: str, release: str) -> None:
    """Workers come for the release, and late and often for the isolation, until both are settled."""
    for _ in range(100):
        execute(services, [release])
        execute(services, [isolate])
        rows = [services.ledger.row(each) for each in (isolate, release)]
        if all(row.state in TERMINAL for row in rows):
            return
        time.sleep(0.02)  # retries are due after tenths of a second


def console_release(unseen: timedelta) -> list[str]:
    """R20: what the EDR was asked, if an isolation's answer is lost, a person releases in the vendor's console, which nobody
    tells the ledger, and so much later the isolation is looked at for the first time since.
    """
    clock, edr = ManualClock(), FakeEDR()
    services = some_services(clock=clock, edr=edr)
    ledger, endpoint = services.ledger, an_endpoint()
    edr.endpoints[endpoint.agent_id] = endpoint
    isolate = recorded(ledger, IsolateEndpoint(customer="acme", edr=endpoint.edr, endpoint=endpoint))
    lost = OutcomeUnknown("no answer")
    lost.after_effect = True
    edr.answers.append(lost)
    execute(services, [isolate])
    edr.so.clear()
    clock.advance(unseen)
    execute(services, [isolate])
    return [verb for verb, _ in edr.effects]


def human_releases(ledger_of: Callable[[], Ledger], seed: int) -> Outcome:
    """R20 at every moment."""
    undone = []
    for moment in MOMENTS:
        effects = human_release(ledger_of(), moment)
        verbs = [verb for verb, _ in effects]
        if verbs and verbs[-1] == "isolate":
            undone.append(f"{moment}: {verbs}")
    within, later = (console_release(timedelta(minutes=each)) for each in (1, 11))
    counts = {"moments": len(MOMENTS), "undone": len(undone), "console_within_10_min": len(within) - 1, "console_later": len(later) - 1}
    return Outcome(
        "R20",
        "a release at every moment of an isolation",
        seed,
        "0 re-isolations; a console's release is not known: counted beside",
        not undone,
        counts,
        "\n".join(undone),
    )
