"""From an event to its outcomes, over the ledger in memory: once, whatever is repeated, paused or called off."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.errors import EndpointOffline
from ar_workers.domain.events import ThreatClosed
from ar_workers.domain.rows import Acceptance
from ar_workers.domain.states import TERMINAL, State
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.recheck import recheck_unsupported_os
from tests.builders import NOON
from tests.fakes import some_services

from .building import DOMAIN, FIN, HASH, KILL, LINUX, THREAT, an_edr, play, published, row, states


def test_a_high_threat_is_contained_acted_on_and_told():
    services = some_services(edr=an_edr())
    play(services, published())
    assert {verb: state for verb, (state, _) in states(services).items()} == {
        "isolate": State.DONE,
        "ban_hash": State.DONE,
        "kill_process": State.DONE,
        "slack": State.DONE,
        "pagerduty": State.DONE,
    }
    assert services.edrs["acme", "crowdstrike"].effects[0] == ("isolate", "FIN-1")


def test_a_repeated_event_isolates_once():
    services = some_services(edr=an_edr())
    play(services, published())
    play(services, published())
    assert services.edrs["acme", "crowdstrike"].effects.count(("isolate", "FIN-1")) == 1


def test_rings_in_any_number_double_nothing():
    services = some_services(edr=an_edr())
    ingest(services.ledger, services.doorbell, [published()])
    services.doorbell.rings.extend(list(services.doorbell.rings) * 5)
    play(services)
    for ring in services.ledger.rows("acme", "THREAT-1"):
        services.doorbell.rings.extend([r for r in services.doorbell.rings if r.id == ring.id] * 3)
    play(services)
    assert sorted(verb for verb, _ in services.edrs["acme", "crowdstrike"].effects) == ["ban_hash", "isolate", "kill_process"]
    assert len(services.channels["tre", "slack"].sent) == 1


def test_the_kill_switch_holds_and_resuming_moves_on():
    services = some_services(edr=an_edr())
    services.ledger.pause("acme", "*", "change freeze")
    play(services, published())
    assert {state for verb, (state, _) in states(services).items() if verb in {"isolate", "ban_hash", "kill_process"}} == {State.HELD}
    assert services.edrs["acme", "crowdstrike"].effects == []
    services.doorbell.ring(services.ledger.resume("acme", "*"))
    play(services)
    assert {state for state, _ in states(services).values()} == {State.DONE}


def test_closing_a_threat_calls_off_what_is_queued():
    services = some_services(edr=an_edr(looks=deque([EndpointOffline("away")] * 3)))
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.doorbell.answer(services)
    play(services, ThreatClosed(id="c1", customer="acme", occurred_at=NOON, threat=THREAT, reason="remediated"))
    assert states(services)["isolate"] == (State.CANCELLED, "threat closed: remediated")
    assert services.edrs["acme", "crowdstrike"].effects == []


def test_an_id_with_other_content_is_refused():
    services = some_services(edr=an_edr())
    assert ingest(services.ledger, services.doorbell, [published(), published(iocs=())]) == [Acceptance.NEW, Acceptance.CONFLICT]


def test_an_unsupported_endpoint_is_told_of_once_until_it_leaves():
    edr = an_edr(FIN, LINUX)
    services = some_services(edr=edr)
    play(services, published(endpoints=(FIN, LINUX), iocs=()))
    assert len(services.channels["acme", ""].sent) == 1
    assert recheck_unsupported_os(services, "acme", Vendor.CROWDSTRIKE) == 0
    edr.endpoints["a2"] = LINUX.model_copy(update={"groups": frozenset()})
    services.clock.advance(timedelta(minutes=10))
    assert recheck_unsupported_os(services, "acme", Vendor.CROWDSTRIKE) == 0
    edr.endpoints["a2"] = LINUX
    services.clock.advance(timedelta(minutes=10))
    assert recheck_unsupported_os(services, "acme", Vendor.CROWDSTRIKE) == 1
    play(services)
    assert len(services.channels["acme", ""].sent) == 2


def test_linux_is_never_isolated_and_the_tres_are_told():
    services = some_services(edr=an_edr(LINUX))
    play(services, published(endpoints=(LINUX,), iocs=(HASH,)))
    assert row(services, "isolate").reason == "linux is not supported: never isolated by automation"
    assert services.edrs["acme", "crowdstrike"].effects == []
    assert len(services.channels["tre", "slack"].sent) == 1


def test_every_row_of_a_plan_ends_in_one_outcome():
    iocs = (HASH, KILL, DOMAIN, HASH.model_copy(update={"safe_to_act": False}))
    services = some_services(edr=an_edr(FIN, LINUX))
    play(services, published(endpoints=(FIN, LINUX), iocs=iocs))
    rows = services.ledger.rows("acme", "THREAT-1")
    actions = [each for each in rows if each.kind == "action"]
    assert len(actions) == 2 + 4
    assert all(each.state in TERMINAL for each in rows)
