"""What every ledger promises of what is read from it: timelines and lists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ar_workers.domain.canvas import Queue
from ar_workers.domain.claims import VisitResult
from ar_workers.domain.endpoints import OS, Endpoint, Vendor
from ar_workers.domain.events import ReleaseRequested
from ar_workers.domain.states import State
from tests.ledger.building import LEASE, NOON, a_delivery, a_row, an_event, claimed, concluded, recorded, settle, wait


def test_unsettled_rows_are_listed_in_plan_order(ledger):
    recorded(ledger, a_row(), a_row("ban_hash:1", lane=None, queue=Queue.IOC), a_delivery())
    settle(ledger, "acme:ban_hash:1")
    assert [ring.id for ring in ledger.unsettled("acme", "THREAT-1")] == ["acme:isolate:1", "acme:slack:1"]
    assert ledger.unsettled("acme", "THREAT-1")[0].lane == "crowdstrike/a1"


def test_the_timeline_tells_every_move_in_order(ledger):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.PERFORMED)
    concluded(ledger, claimed(ledger), VisitResult(state=State.DONE))
    texts = [(entry.row, entry.text) for entry in ledger.threat("acme", "THREAT-1").timeline]
    assert texts == [
        ("event/e1", "accepted"),
        ("acme:isolate:1", "new -> pending"),
        ("event/e1", "planned"),
        ("acme:isolate:1", "pending -> performed"),
        ("acme:isolate:1", "performed -> done"),
    ]


def test_looks_that_find_nothing_new_leave_no_line(ledger):
    recorded(ledger, a_row())
    for _ in range(3):
        concluded(ledger, claimed(ledger), VisitResult(state=State.PERFORMED))
    assert len(ledger.threat("acme", "THREAT-1").timeline) == 4


def a_release_event(event_id="r1", threat="THREAT-1"):
    endpoint = Endpoint(edr=Vendor.CROWDSTRIKE, agent_id="a1", hostname="FIN-1", os=OS.WINDOWS)
    facts = {"requested_by": "kim", "reason": "false alarm", "threat_ref": threat}
    return ReleaseRequested(id=event_id, customer="acme", occurred_at=NOON, endpoint=endpoint, **facts)


def test_the_timeline_says_who_asked_for_a_release_and_why(ledger):
    ledger.accept([an_event(), a_release_event()])
    assert ledger.threat("acme", "THREAT-1").timeline[1].text == "accepted: kim asks to release FIN-1: false alarm"


def test_threats_are_listed_newest_first(ledger):
    recorded(ledger, event=an_event("e1", "THREAT-1"))
    wait(ledger, 0.01)
    recorded(ledger, event=an_event("e2", "THREAT-2"))
    found = ledger.threats("acme", since=datetime.now(UTC) - timedelta(hours=1), limit=10)
    assert [record.id for record in found] == ["THREAT-2", "THREAT-1"]
    assert ledger.threats("acme", since=datetime.now(UTC) + timedelta(hours=1), limit=10) == []
    assert ledger.customers() == ["acme"]


def test_due_rows_of_all_customers_are_found(ledger):
    recorded(ledger, a_row())
    recorded(ledger, a_row(customer="globex"), event=an_event(customer="globex"))
    assert {ring.id for ring in ledger.due(10, LEASE)} == {"acme:isolate:1", "globex:isolate:1"}
