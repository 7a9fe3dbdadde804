"""Events and rows to start from, and what a worker does with a ledger, in one word each."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta

from ar_workers.domain.canvas import Queue
from ar_workers.domain.claims import Claim, Refusal, VisitResult
from ar_workers.domain.endpoints import OS, Endpoint, Vendor
from ar_workers.domain.events import ThreatPublished
from ar_workers.domain.new_rows import EventPlan, NewRow
from ar_workers.domain.states import State
from ar_workers.domain.threats import Severity, Threat
from ar_workers.domain.verbs import Cap

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEASE = timedelta(seconds=30)
#: Longer than what a test does within it takes on a busy machine.
SHORT = timedelta(milliseconds=200)
_owners = itertools.count()


def wait(ledger, seconds):
    """By the ledger's own clock: one that is moved by hand is moved, a server's is waited for."""
    getattr(ledger, "wait", time.sleep)(seconds)


def outlast_short(ledger):
    wait(ledger, SHORT.total_seconds() * 1.2)


def an_event(event_id="e1", threat="THREAT-1", at=NOON, customer="acme", severity="high"):
    return ThreatPublished(
        id=event_id,
        customer=customer,
        occurred_at=at,
        threat=Threat(id=threat, severity=Severity(severity), classification="Ransomware", url="https://ar.example/t/1"),
        endpoints=(Endpoint(edr=Vendor.CROWDSTRIKE, agent_id="a1", hostname="FIN-1", os=OS.WINDOWS),),
    )


def a_row(name="isolate:1", *, customer="acme", queue=Queue.ISOLATION, lane="crowdstrike/a1", **more):
    defaults = {
        "id": f"{customer}:{name}",
        "kind": "action",
        "verb": name.partition(":")[0],
        "edr": "crowdstrike",
        "subject": "FIN-1",
        "queue": queue,
        "label": f"{name} FIN-1",
        "lane": lane,
        "order": "{}",
        "life": timedelta(days=1),
    }
    return NewRow(**(defaults | more))


def a_delivery(name="slack:1", **more):
    return a_row(name, kind="delivery", queue=Queue.NOTIFY, lane=None, **more)


def recorded(ledger, *rows, event=None, closes=None):
    event = event or an_event()
    ledger.accept([event])
    assert ledger.record([EventPlan(event=event, rows=rows, closes=closes)]) != [None]


def asked(ledger, row_id="acme:isolate:1", *, owner=None, lease=LEASE, most=None):
    caps = {} if most is None else {Cap.ISOLATIONS: most, Cap.BANS: most}
    return ledger.claim([row_id], owner=owner or f"worker-{next(_owners)}", lease=lease, caps=caps)[0]


def concluded(ledger, claim, finding):
    (rings,) = ledger.conclude([(claim, finding)])
    assert rings is not None
    return rings


def claimed(ledger, row_id="acme:isolate:1", lease=LEASE):
    claim = asked(ledger, row_id, lease=lease)
    assert isinstance(claim, Claim), claim
    return claim


def refused(ledger, row_id="acme:isolate:1"):
    refusal = asked(ledger, row_id)
    assert isinstance(refusal, Refusal), refusal
    return refusal.reason


def begun(ledger, claim):
    assert ledger.begin(claim, caps={}) is None
    return claim


def settle(ledger, row_id, state=State.DONE, reason=""):
    return concluded(ledger, begun(ledger, claimed(ledger, row_id)), VisitResult(state=state, reason=reason))


def state_of(ledger, row_id="acme:isolate:1"):
    return ledger.row(row_id).state
