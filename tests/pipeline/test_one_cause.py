"""Actions that stop: each with what to do next, and what one cause has stopped told as one, with nothing left out."""

from __future__ import annotations

import shlex
from collections import Counter, deque
from datetime import timedelta

import pytest

from ar_workers.channels import pagerduty
from ar_workers.domain.errors import AuthRefused, Denied
from ar_workers.domain.indicators import Domain
from ar_workers.domain.policies import Policy
from ar_workers.domain.states import State
from tests.builders import a_threat, a_threat_published, an_endpoint, an_ioc
from tests.fakes import FakeChannel, FakeEDR, some_services

from .test_routing import play, routed

LISTED = frozenset(f"PC-{n}" for n in range(1, 12))
FORBIDDEN = "POST /devices/entities/devices-actions/v2: 403 access denied"
PAGES = pagerduty.PagerDuty(pagerduty.Config(routing_key="x"))


def twelve(*errors, prefix="PC"):
    endpoints = tuple(an_endpoint(f"{prefix}-{n}") for n in range(12))
    return endpoints, FakeEDR(endpoints={each.agent_id: each for each in endpoints}, answers=deque(errors))


def needed(services, receiver=("tre", "slack")):
    return [each.notification for each in services.channels[receiver].sent if each.notification.kind == "action_needed"]


def typed(note):
    """The commands in a message, each on a line of its own."""
    return [shlex.split(line) for line in note.body.splitlines() if line.startswith("arctl ")]


def requeued(note):
    return [word for words in typed(note) if words[:3] == ["arctl", "actions", "requeue"] for word in words[3:]]


def the_failed(services, *threats):
    rows = [row for threat in threats for row in services.ledger.rows("acme", threat)]
    return {row.id for row in rows if row.kind == "action" and row.state is State.FAILED}


def test_a_permission_that_stops_twelve_isolations_is_told_at_once_and_the_rest_as_one_that_names_each():
    endpoints, edr = twelve(*[AuthRefused(f"{FORBIDDEN} [trace {n}]") for n in range(12)])
    services = routed(edr=edr)
    play(services, a_threat_published(endpoints=endpoints, iocs=()))
    first, rest = needed(services)
    assert dict(first.facts)["Cause"] == "crowdstrike refuses a permission (POST /devices/entities/devices-actions/v2)"
    assert rest.headline.startswith("11 more stopped by one cause: crowdstrike refuses a permission")
    named = [name for label, value in (*first.facts[:1], *rest.facts) if label in {"Action", "Stopped"} for name in value.split(", ")]
    assert sorted(named) == sorted(f"isolate {each.hostname}" for each in endpoints)
    assert {*requeued(first), *requeued(rest)} == the_failed(services, a_threat().id)
    assert len(requeued(first)) == 1
    assert len(requeued(rest)) == 11
    assert ["arctl", "doctor", "--customer", "acme"] in typed(first)


def test_the_first_of_one_cause_is_told_at_once():
    endpoints, edr = twelve(*[AuthRefused(FORBIDDEN)] * 12)
    services = routed(edr=edr)
    play(services, a_threat_published(endpoints=endpoints, iocs=()), rounds=1, step=timedelta(seconds=1))
    (note,) = needed(services)
    assert note.headline.startswith("Action needed: isolate PC-")
    assert note.row in the_failed(services, a_threat().id)


def test_one_cause_is_one_incident_also_over_several_threats():
    (a, b), edr = (an_endpoint("PC-1"), an_endpoint("PC-2")), FakeEDR(answers=deque([AuthRefused(FORBIDDEN)] * 2))
    edr.endpoints.update({each.agent_id: each for each in (a, b)})
    services = routed(edr=edr)
    two = a_threat(id="T-2", url="https://ar.example/2")
    play(services, a_threat_published(endpoints=(a,), iocs=()), a_threat_published(id="e2", threat=two, endpoints=(b,), iocs=()))
    told = needed(services, ("tre", "pagerduty"))
    assert len(told) == 2
    assert len({PAGES.render(note)["dedup_key"] for note in told}) == 1
    assert {*requeued(told[0]), *requeued(told[1])} == the_failed(services, a_threat().id, "T-2")


def test_another_cause_another_edr_or_a_release_is_told_at_once_as_well():
    (one, two), edr = (an_endpoint("PC-1"), an_endpoint("PC-2")), FakeEDR()
    edr.endpoints.update({each.agent_id: each for each in (one, two)})
    edr.answers = deque([AuthRefused(FORBIDDEN), AuthRefused("POST /oauth2/token: 401 no", is_unauthenticated=True)])
    services = routed(edr=edr)
    play(services, a_threat_published(endpoints=(one, two), iocs=()))
    assert [dict(note.facts)["Action"] for note in needed(services)] == ["isolate PC-1", "isolate PC-2"]
    assert len({note.incident for note in needed(services)}) == 2


def test_an_isolation_is_no_line_behind_a_ban_of_the_same_cause():
    services = routed(edr=FakeEDR(endpoints={an_endpoint().agent_id: an_endpoint()}, answers=deque([AuthRefused(FORBIDDEN)] * 4)))
    bans = tuple(an_ioc(Domain(domain=f"evil{n}.example")) for n in range(3))
    play(services, a_threat_published(iocs=bans))
    told = needed(services)
    assert "Action needed: isolate FIN-LT-07 failed" in [note.headline for note in told]
    assert len(told) == 3
    assert {row for note in told for row in requeued(note)} == the_failed(services, a_threat().id)


def test_the_customers_receivers_are_told_the_cause_too_and_no_command_of_ours():
    endpoints, edr = twelve(*[AuthRefused(FORBIDDEN)] * 12)
    services = routed({"kinds": {"action_needed"}, "to": ("oncall",)}, edr=edr, oncall=FakeChannel())
    play(services, a_threat_published(endpoints=endpoints, iocs=()))
    first, rest = needed(services, ("acme", "oncall"))
    assert "Cause" in dict(first.facts)
    assert "arctl" not in first.body + rest.body


def test_what_is_refused_endpoint_by_endpoint_is_told_endpoint_by_endpoint():
    endpoints, edr = twelve(*[Denied("policy")] * 12)
    services = routed(edr=edr)
    play(services, a_threat_published(endpoints=endpoints, iocs=()))
    assert len(needed(services)) == 12
    assert {row for note in needed(services) for row in requeued(note)} == the_failed(services, a_threat().id)


def test_a_storm_of_other_actions_says_how_each_comes_back():
    iocs = tuple(an_ioc(Domain(domain=f"evil{n}.example")) for n in range(12))
    edr = FakeEDR(endpoints={an_endpoint().agent_id: an_endpoint()}, answers=deque([Denied("policy")] * 13))
    services = routed(edr=edr)
    play(services, a_threat_published(iocs=iocs))
    assert {row for note in needed(services) for row in requeued(note)} == the_failed(services, a_threat().id)


@pytest.mark.parametrize(("cap", "held"), [({"isolations_per_hour": 3}, 9), ({"isolations_per_hour": 0}, 12)])
def test_what_is_beyond_the_cap_is_one_page_and_exactly_the_cap_is_done(cap, held):
    endpoints, edr = twelve()
    groups = {edr.vendor: frozenset({"Remediate"})}
    services = some_services(edr=edr, policy=Policy(customer="acme", remediate_groups=groups, **cap))
    play(services, a_threat_published(endpoints=endpoints, iocs=()))
    states = Counter(row.state for row in services.ledger.rows("acme", a_threat().id) if row.verb == "isolate")
    assert states == Counter({state: number for state, number in ((State.DONE, 12 - held), (State.HELD, held)) if number})
    assert len(edr.effects) == 12 - held
    first, rest = needed(services)
    assert "arctl approve --hold blast_radius --customer acme" in first.body
    assert str(held - 1) in rest.headline
    pages = [PAGES.render(note)["dedup_key"] for note in needed(services, ("tre", "pagerduty"))]
    assert len(set(pages)) == 1
    assert {row.id for row in services.ledger.held("acme")} == {
        row.id for row in services.ledger.rows("acme", a_threat().id) if row.held_by
    }


def test_what_is_protected_is_paged_for_itself_with_the_command_that_lets_it_pass():
    policy, guard = {"protected_endpoints": LISTED}, "protected"
    endpoints, edr = twelve()
    groups = {edr.vendor: frozenset({"Remediate"})}
    services = some_services(edr=edr, policy=Policy(customer="acme", remediate_groups=groups, **policy))
    play(services, a_threat_published(endpoints=endpoints, iocs=()))
    told = needed(services)
    held = {row.id for row in services.ledger.rows("acme", a_threat().id) if row.state is State.HELD}
    assert len(held) == 11
    assert [requeued(note) for note in told] == [[note.row] for note in told]
    assert {note.row for note in told} == held
    assert all(guard in note.body for note in told)
    pages = [PAGES.render(note)["dedup_key"] for note in needed(services, ("tre", "pagerduty"))]
    assert len(set(pages)) == 11


def test_the_command_brings_the_row_back():
    endpoint = an_endpoint()
    services = routed(edr=FakeEDR(endpoints={endpoint.agent_id: endpoint}, answers=deque([AuthRefused(FORBIDDEN)])))
    play(services, a_threat_published(iocs=()))
    (note,) = needed(services)
    (row_id,) = requeued(note)
    services.doorbell.ring([services.ledger.requeue(row_id, by="kim", life=services.lease)])
    play(services)
    assert services.ledger.row(row_id).state is State.DONE


def test_an_edr_that_is_not_configured_is_one_cause():
    endpoints, edr = twelve()
    services = routed(edr=edr)
    del services.edrs["acme", edr.vendor]
    play(services, a_threat_published(endpoints=endpoints, iocs=()))
    first, rest = needed(services)
    assert dict(first.facts)["Cause"] == "crowdstrike is not configured"
    assert rest.headline == "11 more stopped by one cause: crowdstrike is not configured"
