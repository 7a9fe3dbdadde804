"""PagerDuty's Events API."""

from __future__ import annotations

from ar_workers.channels import pagerduty
from ar_workers.channels.outcomes import encoded
from ar_workers.domain.notifications import Kind
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault
from tests.builders import a_delivery

from .base import BROKEN, CANARY, ELSEWHERE, TOO_OFTEN, Kit, Rig

SETTINGS = {"routing_key": f"{CANARY}-routing-key-0123456789"}


def a_pagerduty(simulation):
    key = SETTINGS["routing_key"]
    config = pagerduty.Config(routing_key=key, base_url=simulation.inboxes["pagerduty"].url, ca_file=simulation.ca_pem, timeout=1)
    return Rig(pagerduty.PagerDuty(config), simulation, "pagerduty", a_delivery("pagerduty"))


def _pagerduty(channel, note):
    event = channel.render(note)
    if note.threat is None or note.kind is Kind.CONTAINMENT_SETTLED:
        assert event is None
        return
    assert len(event["payload"]["summary"]) <= 1024
    assert len(encoded(event)) <= 512_000
    details = event["payload"]["custom_details"]
    assert (details["threat_url"], details["severity"]) == (note.threat.url, str(note.threat.severity))
    assert details["classification"] == note.threat.classification


KIT = Kit(
    inbox="pagerduty",
    settings=SETTINGS,
    rigs={"pagerduty": a_pagerduty},
    outcomes=(
        ("pagerduty", TOO_OFTEN, Answer.RETRY),
        ("pagerduty", Fault(action="reply", status=400, body="{}"), Answer.PERMANENT),
        ("pagerduty", BROKEN, Answer.RETRY),
        ("pagerduty", ELSEWHERE, Answer.PERMANENT),
        ("pagerduty", Fault(action="reset_after"), Answer.UNKNOWN),
    ),
    judge=_pagerduty,
)
